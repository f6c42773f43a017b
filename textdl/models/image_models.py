"""Which models of pictures there are. Nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, near

if TYPE_CHECKING:
    from .image_classifier import ImageClassifier, ImageConfig

#: kind -> (module, its config, its model); a new model is a file in this folder and a line here.
IMAGE_MODELS: dict[str, tuple[str, str, str]] = {
    "perceptron": ("perceptron", "PerceptronConfig", "Perceptron"),
    "mlp": ("mlp", "MlpConfig", "Mlp"),
    "convnet": ("convnet", "ConvNetConfig", "ConvNet"),
    "lenet5": ("lenet", "LeNetConfig", "LeNet5"),
    "alexnet": ("alexnet", "AlexNetConfig", "AlexNet"),
    "zfnet": ("zfnet", "ZFNetConfig", "ZFNet"),
    "vgg": ("vgg", "VggConfig", "Vgg"),
    "googlenet": ("googlenet", "GoogLeNetConfig", "GoogLeNet"),
    "resnet": ("resnet", "ResNetConfig", "ResNet"),
    "densenet": ("densenet", "DenseNetConfig", "DenseNet"),
}


def image_config(values: Mapping[str, Any]) -> type[ImageConfig]:
    """The config class of the model that ``values["kind"]`` names.

    Raises:
        ConfigError: there is no such kind.
    """
    cls: type[ImageConfig] = _part(values.get("kind"), 1)
    return cls


def build_image_model(config: ImageConfig) -> ImageClassifier:
    """The model of a config, with new weights from torch's seeded generator.

    Raises:
        ConfigError: the pictures are too small for it.
    """
    model: ImageClassifier = _part(config.kind, 2)(config)
    return model


def _part(kind: object, part: int) -> Any:
    if not isinstance(kind, str) or kind not in IMAGE_MODELS:
        raise ConfigError(f"model has no choice {kind!r}; {near(str(kind), IMAGE_MODELS)}")
    return getattr(importlib.import_module(f".{IMAGE_MODELS[kind][0]}", __package__), IMAGE_MODELS[kind][part])
