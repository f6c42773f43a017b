"""ZFNet: AlexNet with a finer first layer, found by looking at what its layers see.

Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", figure 3. With pictures of 224 × 224 × 3::

    layer    what                                            out             parameters
    conv1    7 × 7, stride 2, padding 1, relu, local norm     96 × 110 × 110     14,208
    pool1    max 3 × 3, stride 2, over the edge               96 × 55 × 55
    conv2    5 × 5, stride 2, relu, local norm               256 × 26 × 26      614,656
    pool2    max 3 × 3, stride 2, over the edge              256 × 13 × 13
    conv3    3 × 3, relu                                     384 × 13 × 13      885,120
    conv4    3 × 3, relu                                     384 × 13 × 13    1,327,488
    conv5    3 × 3, relu                                     256 × 13 × 13      884,992
    pool5    max 3 × 3, stride 2                             256 × 6 × 6
    fc6      fully connected, relu, dropout                       4096       37,752,832
    fc7      fully connected, relu, dropout                       4096       16,781,312
    output   fully connected                                      1000        4,097,000   (62,357,608 in all)

The contrast normalisation across maps is AlexNet's local response normalisation, as in others' versions of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from .image_blocks import NORMS, Connected, Convolution, Pool
from .image_classifier import ImageClassifier, ImageConfig, PictureShape, Stack


@dataclass(frozen=True)
class ZFNetConfig(ImageConfig):
    """ZFNet."""

    kind: str = knob("zfnet", "Which model.", derived=True)
    norm: str = knob("local", "Normalisation: local as in the paper (conv1, conv2), batch, none.", choices=NORMS)
    hidden: int = knob(4096, "Width of the fully connected layers.", least=1, most=65536)
    dropout: float = knob(0.5, "Dropout behind the fully connected layers.", least=0, most=0.95)

    @property
    def paper(self) -> PictureShape:
        return PictureShape(224, 224, 3, 1000)


class ZFNet(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``."""

    config: ZFNetConfig

    def build(self, stack: Stack) -> None:
        c = self.config
        later = "batch" if c.norm == "batch" else "none"
        stack.add("conv1", Convolution(stack.channels, 96, 7, 2, 1, norm=c.norm))
        stack.add("pool1", Pool("max", 3, 2, ceil=True))
        stack.add("conv2", Convolution(96, 256, 5, 2, norm=c.norm))
        stack.add("pool2", Pool("max", 3, 2, ceil=True))
        stack.add("conv3", Convolution(256, 384, 3, 1, 1, norm=later))
        stack.add("conv4", Convolution(384, 384, 3, 1, 1, norm=later))
        stack.add("conv5", Convolution(384, 256, 3, 1, 1, norm=later))
        stack.add("pool5", Pool("max", 3, 2))
        stack.add("flatten", nn.Flatten())
        stack.add("fc6", Connected(stack.channels, c.hidden, "relu", c.dropout))
        stack.add("fc7", Connected(c.hidden, c.hidden, "relu", c.dropout))
        stack.add("output", Connected(c.hidden, c.classes))
