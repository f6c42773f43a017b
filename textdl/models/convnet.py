"""A small net of our own for small pictures, such as 28 × 28, that learns in minutes on a CPU.

With 28 × 28 × 1 and the default knobs::

    layer              what                                      out
    conv1_1, conv1_2   3 × 3 of 32, batch norm, relu              32 × 28 × 28
    pool1              max 2 × 2, dropout                         32 × 14 × 14
    conv2_1, conv2_2   3 × 3 of 64                                64 × 14 × 14
    pool2              max 2 × 2, dropout                         64 × 7 × 7
    conv3_1            3 × 3 of 128                              128 × 7 × 7
    pooled             global average, dropout                        128
    output             fully connected                                 10

The style is that of Simonyan & Zisserman 2015 with the batch normalisation of Ioffe & Szegedy 2015 and the global
pooling of Lin et al. 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from .image_blocks import POOLINGS, Connected, Convolution, GlobalPool, Pool
from .image_classifier import ImageClassifier, ImageConfig, Stack, whole_numbers


@dataclass(frozen=True)
class ConvNetConfig(ImageConfig):
    """A small convolutional net."""

    kind: str = knob("convnet", "Which model.", derived=True)
    filters: tuple[str, ...] = knob(("32", "64", "128"), "Filters of each stage, such as 32,64,128.")
    blocks: int = knob(2, "Convolutions before each pooling; the last stage has one.", least=1, most=16)
    dropout: float = knob(0.2, "Dropout behind each pooling.", least=0, most=0.95)
    pooling: str = knob("max", "How maps are made smaller.", choices=POOLINGS)

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_numbers(self, "filters")


class ConvNet(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``."""

    config: ConvNetConfig
    advice = "give fewer stages, such as --filters 32,64"

    def build(self, stack: Stack) -> None:
        c = self.config
        for stage, filters in enumerate(map(int, c.filters), 1):
            last = stage == len(c.filters)
            for number in range(1, 2 if last else c.blocks + 1):
                name = f"conv{stage}_{number}"
                stack.add(name, Convolution(stack.channels, filters, 3, 1, 1, norm="batch"))
            if not last:
                stack.add(f"pool{stage}", Pool(c.pooling, 2))
                if c.dropout:
                    stack.add(f"dropout{stage}", nn.Dropout2d(c.dropout))
        stack.add("pooled", GlobalPool())
        if c.dropout:
            stack.add("dropout", nn.Dropout(c.dropout))
        stack.add("output", Connected(stack.channels, c.classes))
