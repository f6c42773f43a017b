"""DenseNet: each layer reads what all layers of its block before it have made.

Huang, Liu, van der Maaten & Weinberger 2017, "Densely connected convolutional networks". For ImageNet (table 1), growth
32, with bottlenecks, 224 × 224 × 3::

    layer          121   169   201   264     out (121)
    stem           7 × 7, stride 2             64 × 112 × 112
    pool           max 3 × 3, stride 2         64 × 56 × 56
    block1           6     6     6     6      256 × 56 × 56
    transition1    1 × 1, average 2 × 2       128 × 28 × 28
    block2          12    12    12    12      512 × 28 × 28
    transition2                               256 × 14 × 14
    block3          24    32    48    64     1024 × 14 × 14
    transition3                               512 × 7 × 7
    block4          16    32    32    48     1024 × 7 × 7
    pooled         global average, then the output; 7,978,856 parameters (121)

For small pictures of 40, 100, 190 or 250 layers: a convolution 3 × 3, three equal blocks, two transitions between them.
There growth 12 without bottleneck has 1.0 (40) and 7.0 (100) million parameters; with bottlenecks, and transitions that
keep half of the channels (DenseNet-BC), 0.8 million (100).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from ..errors import ConfigError
from .image_blocks import Connected, Convolution, DenseLayer, GlobalPool, Pool, Transition
from .image_classifier import ImageClassifier, ImageConfig, PictureShape, Stack, big_enough, one_of

#: Layers with weights -> dense layers of the four blocks, for ImageNet.
IMAGENET = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32), 264: (6, 12, 64, 48)}
#: Layers with weights, for small pictures.
SMALL = (40, 100, 190, 250)


@dataclass(frozen=True)
class DenseNetConfig(ImageConfig):
    """DenseNet."""

    kind: str = knob("densenet", "Which model.", derived=True)
    depth: int = knob(40, "Layers with weights: 40, 100, 190, 250; for large pictures 121, 169, 201, 264.")
    growth: int | None = knob(None, "Channels that a layer adds (12; for large pictures 32).", least=1, most=4096)
    bottleneck: bool | None = knob(
        None, "A convolution of 1 × 1 before each of 3 × 3, and transitions that halve (for large pictures always)."
    )
    dropout: float = knob(
        0.0, "Dropout behind each convolution of a dense layer (0.2 in the paper).", least=0, most=0.95
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self, "depth", (*SMALL, *IMAGENET))
        if self.imagenet and self.bottleneck is False:
            raise ConfigError(f"densenet --depth {self.depth} is made of bottlenecks; leave --no-bottleneck out")

    @property
    def imagenet(self) -> bool:
        """Whether it is the form for large pictures."""
        return self.depth in IMAGENET

    @property
    def paper(self) -> PictureShape:
        return PictureShape(224, 224, 3, 1000) if self.imagenet else PictureShape(32, 32, 3, 10)


class DenseNet(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``."""

    config: DenseNetConfig

    def build(self, stack: Stack) -> None:
        c = self.config
        growth, halved = c.growth or (32 if c.imagenet else 12), c.imagenet or bool(c.bottleneck)
        if c.imagenet:
            big_enough(stack, f"densenet --depth {c.depth}", "densenet --depth 40 or 100, or resnet --depth 20")
            stack.add("stem", Convolution(stack.channels, 2 * growth, 7, 2, 3, norm="batch"))
            stack.add("pool", Pool("max", 3, 2, 1))
            blocks: tuple[int, ...] = IMAGENET[c.depth]
        else:
            stack.add("stem", Stem(stack.channels, 2 * growth if halved else 16))
            blocks = ((c.depth - 4) // (6 if halved else 3),) * 3
        for block, times in enumerate(blocks, 1):
            if block > 1:
                kept = stack.channels // 2 if halved else stack.channels
                stack.add(f"transition{block - 1}", Transition(stack.channels, kept))
            for number in range(1, times + 1):
                stack.add(f"block{block}_{number}", DenseLayer(stack.channels, growth, halved, c.dropout))
        stack.add("norm", nn.Sequential(nn.BatchNorm2d(stack.channels), nn.ReLU(inplace=True)))
        stack.add("pooled", GlobalPool())
        stack.add("output", Connected(stack.channels, c.classes))


class Stem(nn.Conv2d):
    """``forward(x [B, C, H, W]) -> [B, D, H, W]``: a convolution 3 × 3 alone; the first dense layer normalises."""

    words = "convolution 3×3, padding 1"

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        self.outputs = outputs
