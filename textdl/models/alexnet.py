"""AlexNet, which won ImageNet in 2012.

Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks", as one tower
with two groups in conv2, conv4 and conv5: the paper's two GPUs, side by side. With pictures of 224 × 224 × 3, padded by
2 (without that they would not give the 55 × 55 of the paper)::

    layer    what                                     out            parameters
    conv1    11 × 11, stride 4, relu, local norm      96 × 55 × 55       34,944
    pool1    max 3 × 3, stride 2                      96 × 27 × 27
    conv2    5 × 5, 2 groups, relu, local norm       256 × 27 × 27      307,456
    pool2    max 3 × 3, stride 2                     256 × 13 × 13
    conv3    3 × 3, relu                             384 × 13 × 13      885,120
    conv4    3 × 3, 2 groups, relu                   384 × 13 × 13      663,936
    conv5    3 × 3, 2 groups, relu                   256 × 13 × 13      442,624
    pool5    max 3 × 3, stride 2                     256 × 6 × 6
    fc6      fully connected, relu, dropout               4096       37,752,832
    fc7      fully connected, relu, dropout               4096       16,781,312
    output   fully connected                              1000        4,097,000   (60,965,224 in all)
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from ..errors import ConfigError
from .image_blocks import NORMS, Connected, Convolution, Pool
from .image_classifier import ImageClassifier, ImageConfig, PictureShape, Stack


@dataclass(frozen=True)
class AlexNetConfig(ImageConfig):
    """AlexNet."""

    kind: str = knob("alexnet", "Which model.", derived=True)
    groups: int = knob(2, "Groups of conv2, conv4 and conv5: 2 as in the paper, or 1.", least=1, most=2)
    norm: str = knob("local", "Normalisation: local as in the paper (conv1, conv2), batch, none.", choices=NORMS)
    hidden: int = knob(4096, "Width of the fully connected layers.", least=1, most=65536)
    dropout: float = knob(0.5, "Dropout behind the fully connected layers.", least=0, most=0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups not in (1, 2):
            raise ConfigError(f"groups must be 1 or 2, got {self.groups}")

    @property
    def paper(self) -> PictureShape:
        return PictureShape(224, 224, 3, 1000)


class AlexNet(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``."""

    config: AlexNetConfig

    def build(self, stack: Stack) -> None:
        c = self.config
        later = "batch" if c.norm == "batch" else "none"
        stack.add("conv1", Convolution(stack.channels, 96, 11, 4, 2, norm=c.norm))
        stack.add("pool1", Pool("max", 3, 2))
        stack.add("conv2", Convolution(96, 256, 5, 1, 2, c.groups, c.norm))
        stack.add("pool2", Pool("max", 3, 2))
        stack.add("conv3", Convolution(256, 384, 3, 1, 1, norm=later))
        stack.add("conv4", Convolution(384, 384, 3, 1, 1, c.groups, later))
        stack.add("conv5", Convolution(384, 256, 3, 1, 1, c.groups, later))
        stack.add("pool5", Pool("max", 3, 2))
        stack.add("flatten", nn.Flatten())
        stack.add("fc6", Connected(stack.channels, c.hidden, "relu", c.dropout))
        stack.add("fc7", Connected(c.hidden, c.hidden, "relu", c.dropout))
        stack.add("output", Connected(c.hidden, c.classes))
