"""LeNet-5, the net that read cheques.

LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition". With K = 10 and one
channel::

    layer     what                              out            parameters
    pad       28 × 28 → 32 × 32                 1 × 32 × 32
    c1        convolution 5 × 5, tanh           6 × 28 × 28           156
    s2        average pooling 2 × 2             6 × 14 × 14
    c3        convolution 5 × 5, tanh          16 × 10 × 10         2,416
    s4        average pooling 2 × 2            16 × 5 × 5
    c5        convolution 5 × 5, tanh         120 × 1 × 1          48,120
    f6        fully connected, tanh                 84             10,164
    output    fully connected                       10                850   (61,706 in all)

The paper has 60,000: there each map of c3 sees some of the maps of s2 only (1,516), a pooling has a weight and a bias
for each map (12 and 32), and the output measures distances to drawn digits instead of a softmax. Its digits are brought
to one size in the middle of 32 × 32 pixels: so here, pictures up to 14 × 14 are enlarged by a whole number (8 × 8 to
24 × 24), and smaller ones than 32 × 32 are padded.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from .image_blocks import ACTIVATIONS, POOLINGS, Connected, Convolution, Pool
from .image_classifier import ImageClassifier, ImageConfig, PictureShape, Stack

#: The side that smaller pictures are padded to, and the one that those up to half of it are enlarged to at most.
SIDE, DIGIT = 32, 28


@dataclass(frozen=True)
class LeNetConfig(ImageConfig):
    """LeNet-5."""

    kind: str = knob("lenet5", "Which model.", derived=True)
    activation: str = knob("tanh", "Activation of all layers.", choices=tuple(ACTIVATIONS))
    pooling: str = knob("average", "How maps are made smaller.", choices=POOLINGS)

    @property
    def paper(self) -> PictureShape:
        return PictureShape(32, 32, 1, 10)


class LeNet5(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``; small pictures are brought to 32 × 32."""

    config: LeNetConfig

    def build(self, stack: Stack) -> None:
        c = self.config
        times = DIGIT // max(stack.size)
        if times > 1:
            stack.add("enlarge", Enlarging(times))
        if min(stack.size) < SIDE:
            stack.add("pad", Padding(*stack.size))
        stack.add("c1", Convolution(stack.channels, 6, 5, activation=c.activation))
        stack.add("s2", Pool(c.pooling, 2))
        stack.add("c3", Convolution(6, 16, 5, activation=c.activation))
        stack.add("s4", Pool(c.pooling, 2))
        stack.add("c5", Convolution(16, 120, 5, activation=c.activation))
        stack.add("flatten", nn.Flatten())
        stack.add("f6", Connected(stack.channels, 84, c.activation))
        stack.add("output", Connected(84, c.classes))


class Enlarging(nn.Upsample):
    """``forward(x [B, C, H, W]) -> [B, C, n H, n W]``: bilinear, n times as large."""

    def __init__(self, times: int) -> None:
        super().__init__(scale_factor=times, mode="bilinear")
        self.words = f"enlarged {times} times"


class Padding(nn.ZeroPad2d):
    """``forward(x [B, C, H, W]) -> [B, C, H', W']``: pixels in the middle of at least 32 × 32, zeros around."""

    words = "padding"

    def __init__(self, height: int, width: int) -> None:
        down, right = max(SIDE - height, 0), max(SIDE - width, 0)
        super().__init__((right // 2, right - right // 2, down // 2, down - down // 2))
