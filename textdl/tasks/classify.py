"""Classification: a text, or a pair of texts, gets one of some labels, or any number of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ..baselines.config import METHODS, LinearConfig
from ..config import chosen_kind, knob
from ..labelled import open_labelled
from ..models.classifier import ENCODERS, chosen_config
from ..models.recurrent_classifier import RecurrentClassifierConfig
from ..training.config import SCHEDULES, TrainConfig
from ..training.events import Observer
from ..training.processes import WHOLE, Shard
from .base import refuse_trainer_settings
from .classifier_run import ClassifierRun
from .classify_by_gradient import LearningClasses
from .classify_linear import CountingClasses
from .text_reader import TextsConfig

__all__ = ["ClassifierRun", "Classification", "ClassificationConfig"]

#: The models there are: those that are learned by the trainer, then the linear ones.
MODELS = (*ENCODERS, *METHODS)
#: What a linear model goes by; the rest of the settings of training are the trainer's.
OF_LINEAR = ("seed", "device", "threads", "class_weights")
WEIGHTS = ("none", "balanced")


@dataclass(frozen=True)
class ClassifierTraining(TrainConfig):
    """How long and how fast a classifier is trained."""

    epochs: float = knob(8.0, "Passes over the training texts (unless --steps or --minutes is given).", above=0)
    batch_size: int = knob(32, "Texts in a batch (of each process).", least=1, most=1_000_000)
    lr: float = knob(0.002, "Highest learning rate.", above=0, most=1000)
    schedule: str = knob("cosine", "How the learning rate changes.", choices=SCHEDULES)
    class_weights: str = knob(
        "none", "What a text counts: the same, or balanced: more, the rarer its class.", choices=WEIGHTS
    )
    unfreeze: float = knob(
        0.1,
        "Share of the training after which the next layer below is trained too (--model lm).",
        least=0,
        most=1,
        flag=False,
    )
    layer_rates: float = knob(
        2.6, "What each layer's learning rate is divided by for the next one below (--model lm).", least=1, flag=False
    )
    evaluate_at_most: int = knob(
        2_000_000, "Tokens of the validation split that an evaluation reads.", least=1, flag=False
    )


class Model:
    """The config of the model: that of the encoder or of the linear method that ``kind`` names."""

    @classmethod
    def variant(cls, values: Mapping[str, Any]) -> type:
        """The class of a config of some values.

        Raises:
            ConfigError: there is no such kind.
        """
        kind = chosen_kind(values, MODELS, "lstm")
        return LinearConfig if kind in METHODS else chosen_config({"kind": kind})


@dataclass(frozen=True)
class ClassificationConfig:
    """Everything that can be set about training a classifier."""

    data: TextsConfig = field(default_factory=TextsConfig)
    model: Model = field(default_factory=RecurrentClassifierConfig)  # type: ignore[assignment]
    train: ClassifierTraining = field(default_factory=ClassifierTraining)


class Classification:
    """Train a classifier: a text goes in, a judgement comes out."""

    name: ClassVar[str] = "classify"
    config_class: ClassVar[type] = ClassificationConfig
    models: ClassVar[tuple[str, ...]] = MODELS
    example: ClassVar[str] = "reviews --out runs/reviews --model lstm --minutes 1"

    @classmethod
    def training(cls, config: ClassificationConfig) -> ClassifierTraining | None:
        """The settings of the trainer; None for a linear model, which is fitted in one call.

        Raises:
            ConfigError: a setting of the trainer is given to a linear model.
        """
        if not isinstance(config.model, LinearConfig):
            return config.train
        refuse_trainer_settings(config.train, OF_LINEAR, config.model.kind)
        return None

    @classmethod
    def prepare(
        cls, source: Any, config: ClassificationConfig, tell: Observer, shard: Shard = WHOLE
    ) -> LearningClasses | CountingClasses:
        """Read the labelled texts, make what turns them into batches, and build the model on the CPU."""
        corpus = open_labelled(source, config.data)
        if isinstance(config.model, LinearConfig):
            return CountingClasses(config, corpus, source)
        return LearningClasses(config, corpus, source, tell, shard)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: ClassificationConfig) -> ClassifierRun:
        """The run in a folder, its weights still to be read."""
        owner = CountingClasses if isinstance(config.model, LinearConfig) else LearningClasses
        return owner.load_run(path, record, config)
