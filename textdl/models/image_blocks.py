"""The blocks that models of pictures are built from, and how they change the size of what goes through them.

A convolution or a pooling of F × F pixels with stride S, after P pixels of padding at each side, makes of a width W::

    W' = (W - F + 2 P) / S + 1, rounded down

Legend: B pictures, C channels in, D channels out, H and W height and width of the maps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: name -> a new layer that works value by value.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": functools.partial(nn.ReLU, inplace=True),
    "leaky-relu": functools.partial(nn.LeakyReLU, 0.01, inplace=True),
}
POOLINGS = ("max", "average", "sum")
NORMS = ("none", "batch", "local")


class Convolution(nn.Sequential):
    """``forward(x [B, C, H, W]) -> [B, D, H', W']``: convolution, normalisation, activation.

    Args:
        norm: ``batch`` (Ioffe & Szegedy 2015), ``local`` (:class:`LocalResponse`, after the activation), or ``none``.
            Before a batch normalisation, which has a bias of its own, the convolution has none.
        activation: of :data:`ACTIVATIONS`, or ``none``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        norm: str = "none",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.outputs = outputs
        bias = norm != "batch"
        self.add_module("convolution", nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=bias))
        if norm == "batch":
            self.add_module("norm", nn.BatchNorm2d(outputs))
        if activation != "none":
            self.add_module("activation", ACTIVATIONS[activation]())
        if norm == "local":
            self.add_module("norm", LocalResponse())
        self.words = f"convolution {_window(kernel, stride, padding)}" + (f", {groups} groups" if groups > 1 else "")


class LocalResponse(nn.LocalResponseNorm):
    """``forward(x [B, C, H, W]) -> [B, C, H, W]``: a value is made smaller by those of the channels beside its own.

    ::

        y_c = x_c / (2 + 10^-4 Σ x_j²)^0.75,   j from c - 2 to c + 2

    Krizhevsky et al. 2012, section 3.3. (Torch's own divides the sum by the five channels, as Caffe's does; the paper
    does not.)
    """

    words = "local response normalisation"

    def __init__(self) -> None:
        super().__init__(5, alpha=5 * 1e-4, beta=0.75, k=2.0)


class Pool(nn.Module):
    """``forward(x [B, C, H, W]) -> [B, C, H', W']``: the largest, the mean or the sum of each window.

    Args:
        method: ``max``, ``average`` or ``sum`` (the average times the window's area).
        kernel: side of the window; it moves by ``stride``, by default its own side.
        ceil: a window that reaches over the edge counts too; W' is rounded up then.
    """

    def __init__(
        self, method: str, kernel: int, stride: int | None = None, padding: int = 0, ceil: bool = False
    ) -> None:
        super().__init__()
        self.method, self.kernel, self.stride = method, kernel, kernel if stride is None else stride
        self.padding, self.ceil = padding, ceil
        self.words = f"{method} pooling {_window(kernel, self.stride, padding)}"

    def forward(self, x: Tensor) -> Tensor:
        if self.method == "max":
            return F.max_pool2d(x, self.kernel, self.stride, self.padding, ceil_mode=self.ceil)
        divisor = 1 if self.method == "sum" else None
        return F.avg_pool2d(x, self.kernel, self.stride, self.padding, self.ceil, divisor_override=divisor)


class GlobalPool(nn.Module):
    """``forward(x [B, C, H, W]) -> [B, C]``: the mean, the largest value or the sum of each whole map.

    Lin et al. 2014, "Network in network".
    """

    def __init__(self, method: str = "average") -> None:
        super().__init__()
        self.method = method
        self.words = f"global {method} pooling"

    def forward(self, x: Tensor) -> Tensor:
        if self.method == "max":
            return x.amax((2, 3))
        return x.sum((2, 3)) if self.method == "sum" else x.mean((2, 3))


class Connected(nn.Sequential):
    """``forward(x [B, C]) -> [B, D]``: a linear layer, an activation (of :data:`ACTIVATIONS`, or ``none``), dropout."""

    def __init__(self, inputs: int, outputs: int, activation: str = "none", dropout: float = 0.0) -> None:
        super().__init__()
        self.outputs = outputs
        self.add_module("linear", nn.Linear(inputs, outputs))
        if activation != "none":
            self.add_module("activation", ACTIVATIONS[activation]())
        if dropout:
            self.add_module("dropout", nn.Dropout(dropout))
        self.words = "fully connected"


class Residual(nn.Module):
    """``forward(x [B, C, H, W]) -> [B, D, H', W']``: y = relu(main(x) + shortcut(x)).

    He et al. 2016, "Deep residual learning for image recognition". Without a shortcut (None) it is the paper's plain
    net: y = relu(main(x)), with the very same layers.
    """

    def __init__(self, main: nn.Sequential, shortcut: nn.Module | None, outputs: int, words: str) -> None:
        super().__init__()
        self.main, self.shortcut, self.outputs, self.words = main, shortcut, outputs, words

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.main(x)
        if self.shortcut is not None:
            y += self.shortcut(x)
        return F.relu_(y)


class PaddedShortcut(nn.Module):
    """``forward(x [B, C, H, W]) -> [B, D, H', W']``: every S-th pixel, and channels of zeros behind those there are.

    The shortcut without parameters: option A of He et al. 2016.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.more, self.stride = outputs - inputs, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))


def basic(inputs: int, outputs: int, stride: int = 1, shortcut: str = "projection") -> Residual:
    """A residual block of two convolutions of 3 × 3; the first moves by ``stride``.

    Args:
        shortcut: what is done where the shape changes: ``projection`` (option B of the paper), ``padding`` (option A);
            or ``none`` for a plain block.
    """
    main = nn.Sequential(
        Convolution(inputs, outputs, 3, stride, 1, norm="batch"),
        Convolution(outputs, outputs, 3, 1, 1, norm="batch", activation="none"),
    )
    return Residual(main, _shortcut(inputs, outputs, stride, shortcut), outputs, _block("basic", stride, shortcut))


def bottleneck(inputs: int, outputs: int, stride: int = 1, shortcut: str = "projection") -> Residual:
    """A residual block of convolutions of 1 × 1, 3 × 3 and 1 × 1, the first two a quarter as wide; as :func:`basic`.

    The convolution of 3 × 3 moves by ``stride``, where the paper's first one does: it loses no pixel unseen, and is
    what everybody's weights are of today. ResNet-50 then takes 4.1 billion multiply-adds, not 3.8.
    """
    inner = outputs // 4
    main = nn.Sequential(
        Convolution(inputs, inner, 1, norm="batch"),
        Convolution(inner, inner, 3, stride, 1, norm="batch"),
        Convolution(inner, outputs, 1, norm="batch", activation="none"),
    )
    return Residual(main, _shortcut(inputs, outputs, stride, shortcut), outputs, _block("bottleneck", stride, shortcut))


def _shortcut(inputs: int, outputs: int, stride: int, kind: str) -> nn.Module | None:
    if kind == "none":
        return None
    if inputs == outputs and stride == 1:
        return nn.Identity()
    if kind == "padding":
        return PaddedShortcut(inputs, outputs, stride)
    return Convolution(inputs, outputs, 1, stride, norm="batch", activation="none")


def _block(name: str, stride: int, shortcut: str) -> str:
    what = "plain" if shortcut == "none" else "residual"
    return f"{what} block, {name}" + (f", stride {stride}" if stride > 1 else "")


class Preactivated(nn.Sequential):
    """``forward(x [B, C, H, W]) -> [B, D, H, W]``: batch normalisation, ReLU, a convolution that keeps the size."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        super().__init__(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), convolution)
        self.outputs = outputs


class DenseLayer(nn.Module):
    """``forward(x [B, C, H, W]) -> [B, C + G, H, W]``: what it makes of all that came before is put behind it.

    Huang et al. 2017, "Densely connected convolutional networks": G is the growth rate. With a bottleneck a convolution
    of 1 × 1 first makes 4 G channels of all there are.
    """

    def __init__(self, inputs: int, growth: int, bottleneck: bool, dropout: float = 0.0) -> None:
        super().__init__()
        self.outputs = inputs + growth
        self.main = nn.Sequential()
        if bottleneck:
            self.main.append(Preactivated(inputs, 4 * growth, 1))
            inputs = 4 * growth
        self.main.append(Preactivated(inputs, growth, 3))
        if dropout:
            self.main.append(nn.Dropout(dropout))
        self.words = "dense layer" + (", bottleneck" if bottleneck else "")

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.main(x)], 1)


class Transition(nn.Sequential):
    """``forward(x [B, C, H, W]) -> [B, D, H / 2, W / 2]``: what stands between two dense blocks (Huang et al. 2017)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(Preactivated(inputs, outputs, 1), Pool("average", 2))
        self.outputs = outputs
        self.words = "transition: 1×1, average pooling 2×2, stride 2"


class Inception(nn.Module):
    """``forward(x [B, C, H, W]) -> [B, D, H, W]``: windows of several sizes side by side, their channels put together.

    Szegedy et al. 2015, "Going deeper with convolutions", figure 2b.

    Args:
        one: channels of the convolution of 1 × 1.
        three: of the one of 1 × 1 before the one of 3 × 3, and of this one.
        five: of the one of 1 × 1 before the one of 5 × 5, and of this one.
        pooled: of the one of 1 × 1 behind the max pooling.
        norm: as of :class:`Convolution`.
    """

    words = "inception"

    def __init__(
        self, inputs: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int, norm: str = "none"
    ) -> None:
        super().__init__()
        conv = functools.partial(Convolution, norm=norm)
        self.one = conv(inputs, one, 1)
        self.three = nn.Sequential(conv(inputs, three[0], 1), conv(three[0], three[1], 3, padding=1))
        self.five = nn.Sequential(conv(inputs, five[0], 1), conv(five[0], five[1], 5, padding=2))
        self.pooled = nn.Sequential(Pool("max", 3, 1, 1), conv(inputs, pooled, 1))
        self.outputs = one + three[1] + five[1] + pooled

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pooled(x)], 1)


def size_after(layer: nn.Module, size: tuple[int, int]) -> tuple[int, int] | None:
    """Height and width of what a layer makes of maps of this size, worked out by the formula above, without running it.

    A side below 1 says that nothing is left; None, that there are no maps any more.
    """
    if isinstance(layer, nn.Conv2d):
        return _moved(size, layer.kernel_size[0], layer.stride[0], int(layer.padding[0]))
    if isinstance(layer, Pool):
        return _moved(size, layer.kernel, layer.stride, layer.padding, layer.ceil)
    if isinstance(layer, nn.ZeroPad2d):
        left, right, top, bottom = layer.padding
        return size[0] + top + bottom, size[1] + left + right
    if isinstance(layer, nn.Upsample):
        times = int(layer.scale_factor)  # type: ignore[arg-type]
        return size[0] * times, size[1] * times
    if isinstance(layer, GlobalPool | nn.Flatten):
        return None
    if isinstance(layer, Residual | DenseLayer):
        return size_after(layer.main, size)
    if isinstance(layer, nn.Sequential):
        for part in layer:
            after = size_after(part, size)
            if after is None or min(after) < 1:
                return after
            size = after
    return size


def _moved(size: tuple[int, int], kernel: int, stride: int, padding: int, ceil: bool = False) -> tuple[int, int]:
    sides = []
    for side in size:
        room = side - kernel + 2 * padding
        steps = -(-room // stride) if ceil else room // stride
        if ceil and steps * stride >= side + padding:  # a window that would begin beyond the picture
            steps -= 1
        sides.append(steps + 1 if room >= 0 or ceil else 0)
    return sides[0], sides[1]


def initialise(module: nn.Module, activation: str = "relu") -> None:
    """Draw the weights of every convolution and linear layer; biases begin at 0.

    For ReLU and its like a normal distribution of variance 2 / inputs (He et al. 2015, "Delving deep into rectifiers"),
    for tanh and sigmoid a uniform one of variance 2 / (inputs + outputs) (Glorot & Bengio 2010).
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear) and not part.weight.is_meta:
            if activation in ("tanh", "sigmoid"):
                nn.init.xavier_uniform_(part.weight)
            else:
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def small_output(layer: nn.Module) -> None:
    """Let the last layer begin near 0, so that all classes begin equally probable."""
    for part in layer.modules():
        if isinstance(part, nn.Linear) and not part.weight.is_meta:
            nn.init.normal_(part.weight, std=0.01)


def _window(kernel: int, stride: int, padding: int) -> str:
    notes = [f"{kernel}×{kernel}"]
    notes += [f"stride {stride}"] if stride != 1 else []
    notes += [f"padding {padding}"] if padding else []
    return ", ".join(notes)
