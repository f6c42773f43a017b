"""VGG: nothing but convolutions of 3 × 3 and poolings, 11 to 19 layers with weights.

Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", configurations A (11),
B (13), D (16) and E (19). With pictures of 224 × 224 × 3::

    stage    convolutions 3 × 3 (11, 13, 16, 19), relu      out of its max pooling 2 × 2
    1        1  2  2  2    of  64                            64 × 112 × 112
    2        1  2  2  2    of 128                           128 × 56 × 56
    3        2  2  3  4    of 256                           256 × 28 × 28
    4        2  2  3  4    of 512                           512 × 14 × 14
    5        2  2  3  4    of 512                           512 × 7 × 7
    fc6, fc7, output                                        4096, 4096, 1000

Parameters: 132,863,336; 133,047,848; 138,357,544; 143,667,240.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from .image_blocks import Connected, Convolution, Pool
from .image_classifier import ImageClassifier, ImageConfig, PictureShape, Stack, one_of

#: Layers with weights -> convolutions of the five stages.
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


@dataclass(frozen=True)
class VggConfig(ImageConfig):
    """VGG."""

    kind: str = knob("vgg", "Which model.", derived=True)
    depth: int = knob(16, "Layers with weights: 11, 13, 16 or 19.")
    filters: int = knob(
        64, "Filters of the first stage; the others have up to eight times as many.", least=1, most=4096
    )
    hidden: int = knob(4096, "Width of the fully connected layers.", least=1, most=65536)
    dropout: float = knob(0.5, "Dropout behind the fully connected layers.", least=0, most=0.95)
    batch_norm: bool = knob(False, "Batch normalisation behind each convolution (not in the paper).")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self, "depth", DEPTHS)

    @property
    def paper(self) -> PictureShape:
        return PictureShape(224, 224, 3, 1000)


class Vgg(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``."""

    config: VggConfig

    def build(self, stack: Stack) -> None:
        c = self.config
        norm = "batch" if c.batch_norm else "none"
        for stage, (times, wide) in enumerate(zip(DEPTHS[c.depth], (1, 2, 4, 8, 8), strict=True), 1):
            for number in range(1, times + 1):
                name = f"conv{stage}_{number}"
                stack.add(name, Convolution(stack.channels, c.filters * wide, 3, 1, 1, norm=norm))
            stack.add(f"pool{stage}", Pool("max", 2))
        stack.add("flatten", nn.Flatten())
        stack.add("fc6", Connected(stack.channels, c.hidden, "relu", c.dropout))
        stack.add("fc7", Connected(c.hidden, c.hidden, "relu", c.dropout))
        stack.add("output", Connected(c.hidden, c.classes))
