"""GoogLeNet: windows of several sizes side by side, and two heads that help the deep layers to learn.

Szegedy et al. 2015, "Going deeper with convolutions", table 1. With pictures of 224 × 224 × 3::

    layer             what                               out
    conv1             7 × 7, stride 2                     64 × 112 × 112
    pool1, norm1      max 3 × 3, stride 2; local norm     64 × 56 × 56
    conv2_reduce      1 × 1                               64 × 56 × 56
    conv2, norm2      3 × 3; local norm                  192 × 56 × 56
    pool2             max 3 × 3, stride 2                192 × 28 × 28
    inception_3a, b                                      256, 480 × 28 × 28
    pool3             max 3 × 3, stride 2                480 × 14 × 14
    inception_4a - e                                     512, 512, 512, 528, 832 × 14 × 14
    pool4             max 3 × 3, stride 2                832 × 7 × 7
    inception_5a, b                                      832, 1024 × 7 × 7
    pool5             global average                          1024
    output            dropout, fully connected                1000

6,998,552 parameters, and 6,379,728 in the two auxiliary heads, which read what comes out of 4a and 4d while training;
their losses count 0.3 each in the paper. Poolings reach over the edge, as in the paper's own network.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from .image_blocks import Connected, Convolution, GlobalPool, Inception, LocalResponse, Pool, small_output
from .image_classifier import ImageClassifier, ImageConfig, PictureShape, Stack

#: name -> channels of 1 × 1; of 1 × 1 and 3 × 3; of 1 × 1 and 5 × 5; of 1 × 1 behind the pooling (table 1).
STAGES: tuple[dict[str, tuple[int, tuple[int, int], tuple[int, int], int]], ...] = (
    {"3a": (64, (96, 128), (16, 32), 32), "3b": (128, (128, 192), (32, 96), 64)},
    {
        "4a": (192, (96, 208), (16, 48), 64),
        "4b": (160, (112, 224), (24, 64), 64),
        "4c": (128, (128, 256), (24, 64), 64),
        "4d": (112, (144, 288), (32, 64), 64),
        "4e": (256, (160, 320), (32, 128), 128),
    },
    {"5a": (256, (160, 320), (32, 128), 128), "5b": (384, (192, 384), (48, 128), 128)},
)
#: Blocks that a head reads.
HEADS = ("4a", "4d")


@dataclass(frozen=True)
class GoogLeNetConfig(ImageConfig):
    """GoogLeNet."""

    kind: str = knob("googlenet", "Which model.", derived=True)
    auxiliary: bool = knob(True, "Two more heads while training.")
    batch_norm: bool = knob(False, "Batch normalisation behind each convolution, in place of the local one.")
    dropout: float = knob(0.4, "Dropout before the last layer.", least=0, most=0.95)

    @property
    def paper(self) -> PictureShape:
        return PictureShape(224, 224, 3, 1000)


class GoogLeNet(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``; while training with its heads [3, B, K], the main one first."""

    config: GoogLeNetConfig
    advice = "for smaller pictures take --no-auxiliary, for small ones --model convnet or resnet --depth 20"

    def build(self, stack: Stack) -> None:
        c = self.config
        norm = "batch" if c.batch_norm else "none"
        stack.add("conv1", Convolution(stack.channels, 64, 7, 2, 3, norm=norm))
        stack.add("pool1", Pool("max", 3, 2, ceil=True))
        if not c.batch_norm:
            stack.add("norm1", LocalResponse())
        stack.add("conv2_reduce", Convolution(64, 64, 1, norm=norm))
        stack.add("conv2", Convolution(64, 192, 3, padding=1, norm=norm))
        if not c.batch_norm:
            stack.add("norm2", LocalResponse())
        for stage, blocks in enumerate(STAGES, 2):
            stack.add(f"pool{stage}", Pool("max", 3, 2, ceil=True))
            for name, widths in blocks.items():
                stack.add(f"inception_{name}", Inception(stack.channels, *widths, norm))
                if c.auxiliary and name in HEADS:
                    stack.head(Auxiliary(stack.channels, stack.size, c.classes, norm), f"auxiliary_{name}")
        stack.add("pool5", GlobalPool())
        if c.dropout:
            stack.add("dropout", nn.Dropout(c.dropout))
        stack.add("output", Connected(stack.channels, c.classes))

    def start(self) -> None:
        super().start()
        for head in self.heads.values():
            assert isinstance(head, Auxiliary)
            small_output(head[-1])


class Auxiliary(nn.Sequential):
    """``forward(x [B, C, H, W]) -> logits [B, K]``: average pooling 5 × 5, a convolution, two layers (section 5)."""

    words = "auxiliary head"

    def __init__(self, inputs: int, size: tuple[int, int], classes: int, norm: str) -> None:
        height, width = ((side - 5) // 3 + 1 for side in size)
        super().__init__(
            Pool("average", 5, 3),
            Convolution(inputs, 128, 1, norm=norm),
            nn.Flatten(),
            Connected(128 * max(height, 1) * max(width, 1), 1024, "relu", 0.7),
            Connected(1024, classes),
        )
