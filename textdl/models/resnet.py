"""ResNet: layers that learn what to add to their input; and the same nets without that, to see what it is worth.

He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition". For ImageNet (table 1), with 224 × 224 × 3::

    layer     18           34           50            101           152         out
    stem      7 × 7, stride 2, of 64                                             64 × 112 × 112
    pool      max 3 × 3, stride 2                                                64 × 56 × 56
    stage1    2 basic      3 basic      3 bottleneck  3             3            64 (256) × 56 × 56
    stage2    2            4            4             4             8           128 (512) × 28 × 28
    stage3    2            6            6             23            36          256 (1024) × 14 × 14
    stage4    2            3            3             3             3           512 (2048) × 7 × 7
    pooled    global average, then the output
              11,689,512   21,797,672   25,557,032    44,549,160    60,192,808  parameters

Where the shape changes, the shortcut is a convolution of 1 × 1 (option B). For small pictures (section 4.2), of 20, 32,
44, 56 or 110 = 6 n + 2 layers, with 32 × 32 × 3::

    stem      3 × 3 of 16                       16 × 32 × 32
    stage1    n basic blocks                    16 × 32 × 32
    stage2    n                                 32 × 16 × 16
    stage3    n                                 64 × 8 × 8
    pooled    global average, then the output

with shortcuts that have no parameters (option A): 0.27, 0.46, 0.66, 0.85 and 1.7 million parameters in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..config import knob
from .image_blocks import Connected, Convolution, GlobalPool, Pool, basic, bottleneck
from .image_classifier import ImageClassifier, ImageConfig, PictureShape, Stack, big_enough, one_of

#: Layers with weights -> blocks of the four stages, for ImageNet.
IMAGENET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
#: The same of the three stages, for small pictures.
SMALL = {depth: ((depth - 2) // 6,) * 3 for depth in (20, 32, 44, 56, 110)}


@dataclass(frozen=True)
class ResNetConfig(ImageConfig):
    """ResNet."""

    kind: str = knob("resnet", "Which model.", derived=True)
    depth: int = knob(20, "Layers with weights: 20, 32, 44, 56, 110; for large pictures 18, 34, 50, 101, 152.")
    plain: bool = knob(False, "The plain twin: the same layers without shortcuts.")
    filters: int | None = knob(None, "Filters of the first stage (16; for large pictures 64).", least=1, most=4096)

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self, "depth", {**SMALL, **IMAGENET})

    @property
    def imagenet(self) -> bool:
        """Whether it is the form for large pictures."""
        return self.depth in IMAGENET

    @property
    def paper(self) -> PictureShape:
        return PictureShape(224, 224, 3, 1000) if self.imagenet else PictureShape(32, 32, 3, 10)


class ResNet(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``."""

    config: ResNetConfig

    def build(self, stack: Stack) -> None:
        c = self.config
        if c.imagenet:
            big_enough(stack, f"resnet --depth {c.depth}", "resnet --depth 20, 32, 44, 56 or 110")
            filters = c.filters or 64
            stack.add("stem", Convolution(stack.channels, filters, 7, 2, 3, norm="batch"))
            stack.add("pool", Pool("max", 3, 2, 1))
        else:
            filters = c.filters or 16
            stack.add("stem", Convolution(stack.channels, filters, 3, 1, 1, norm="batch"))
        block, wide = (bottleneck, 4) if c.imagenet and c.depth >= 50 else (basic, 1)
        shortcut = "none" if c.plain else "projection" if c.imagenet else "padding"
        for name, outputs, stride in self._blocks(filters * wide):
            stack.add(name, block(stack.channels, outputs, stride, shortcut))
        stack.add("pooled", GlobalPool())
        stack.add("output", Connected(stack.channels, c.classes))

    def _blocks(self, outputs: int) -> Iterator[tuple[str, int, int]]:
        """Name, channels and stride of each block; a stage has twice the channels of the one before, on half the
        side."""
        stages = {**IMAGENET, **SMALL}[self.config.depth]
        for stage, times in enumerate(stages):
            for number in range(times):
                stride = 2 if stage and not number else 1
                yield f"stage{stage + 1}_{number + 1}", outputs * 2**stage, stride
