"""What all models of pictures have in common: their config, the stack of named layers they are, and its checks.

Legend: B pictures, C channels, H and W height and width of a picture or of a map, K classes, A auxiliary heads.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError
from .image_blocks import initialise, size_after, small_output

#: Least side of pictures for the forms of models that are made for ImageNet.
LARGE = 64
#: Largest side of pictures.
_LARGEST = 16384


class PictureShape(NamedTuple):
    """What a model reads and tells."""

    height: int
    width: int
    channels: int
    classes: int


@dataclass(frozen=True)
class ImageConfig:
    """What a model of pictures reads and tells; its own settings are in the classes below this one."""

    kind: str = knob("", "Which model.", derived=True)
    classes: int = knob(10, "Classes.", derived=True, least=1, most=1_000_000)
    height: int = knob(28, "Height of the pictures, in pixels.", derived=True, least=1, most=_LARGEST)
    width: int = knob(28, "Width of the pictures, in pixels.", derived=True, least=1, most=_LARGEST)
    channels: int = knob(1, "Channels of the pictures: 1 grey, 3 colour.", derived=True, least=1, most=1024)

    def __post_init__(self) -> None:
        check(self)

    @property
    def paper(self) -> PictureShape:
        """The pictures and classes of the paper that the model is from."""
        return PictureShape(28, 28, 1, 10)


class TooSmallError(ConfigError):
    """A layer leaves nothing of its input."""

    def __init__(self, layer: str, before: tuple[int, int], after: tuple[int, int]) -> None:
        super().__init__(f"layer {layer} would make {_by(after)} of {_by(before)}")


class Stack:
    """Layers laid one on another: their names, and the shape of what comes out of the last.

    Attributes:
        shape: (C, H, W), or (features,) once the maps are flattened or pooled into one value each.
        layers: name -> layer, in order.
        heads: name of a layer -> the auxiliary head that reads what comes out of it.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        self.shape: tuple[int, ...] = (channels, height, width)
        self.layers: dict[str, nn.Module] = {}
        self.heads: dict[str, nn.Module] = {}

    @property
    def channels(self) -> int:
        """Channels of the maps, or features of a vector: what the next layer reads."""
        return self.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the maps."""
        return self.shape[1], self.shape[2]

    def add(self, name: str, layer: nn.Module) -> None:
        """Put a layer on top.

        A layer that gives another number of channels than it reads has it as ``outputs``.

        Raises:
            TooSmallError: it leaves nothing of its input.
        """
        assert name not in self.layers, name
        self.shape = self._after(name, layer)
        self.layers[name] = layer

    def head(self, head: nn.Module, name: str) -> None:
        """Let an auxiliary head read what comes out of the layer that is on top now.

        Raises:
            TooSmallError: the head leaves nothing of it.
        """
        self._after(name, head)
        self.heads[list(self.layers)[-1]] = head

    def _after(self, name: str, layer: nn.Module) -> tuple[int, ...]:
        outputs = getattr(layer, "outputs", self.channels)
        if len(self.shape) == 1:
            return (outputs,)
        if isinstance(layer, nn.Flatten):
            return (math.prod(self.shape),)
        size = size_after(layer, self.size)
        if size is None:
            return (outputs,)
        if min(size) < 1:
            raise TooSmallError(name, self.size, size)
        return (outputs, *size)


class ImageClassifier(nn.Module):
    """``forward(x [B, C, H, W] in 0..1) -> logits [B, K]``; a model says in :meth:`build` which layers it is.

    While training, a model with A auxiliary heads gives [1 + A, B, K], the logits of the main one first. In evaluation
    the heads are not worked out.

    ``mean`` [C] and ``spread`` [C], of the pixels of the training split, are taken out of x first; a task sets them.

    Raises:
        ConfigError: the pictures are too small for the model; it says the layer, and the least size.
    """

    #: What to do instead when pictures are too small.
    advice: ClassVar[str] = "for small pictures take --model convnet or resnet --depth 20"

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.channels))
        self.register_buffer("spread", torch.ones(config.channels))
        stack = Stack(config.channels, config.height, config.width)
        try:
            self.build(stack)
        except TooSmallError as error:
            side, given = _least_side(self), _by((config.height, config.width))
            needs = f"it needs at least {_by((side, side))}" if side else "no picture is large enough for it"
            raise ConfigError(f"{config.kind}: {error} for pictures of {given}; {needs}; {self.advice}") from None
        self.layers = nn.Sequential()
        for name, layer in stack.layers.items():
            self.layers.add_module(name, layer)
        self.heads = nn.ModuleDict(stack.heads)
        self.start()

    mean: Tensor
    spread: Tensor

    def build(self, stack: Stack) -> None:
        """Put the layers onto a stack; the last gives the logits. What pictures measure is known from the stack."""
        raise NotImplementedError

    def start(self) -> None:
        """Draw the first weights from torch's seeded generator."""
        initialise(self, getattr(self.config, "activation", "relu"))
        small_output(self.layers[-1])

    def forward(self, x: Tensor) -> Tensor:
        x = self.normalised(x)
        if not (self.training and len(self.heads)):
            logits: Tensor = self.layers(x)
            return logits
        said = []
        for name, layer in self.layers.named_children():
            x = layer(x)
            if name in self.heads:
                said.append(self.heads[name](x))
        return torch.stack([x, *said])

    def normalised(self, x: Tensor) -> Tensor:
        """Pixels [B, C, H, W] in 0..1, with mean 0 and spread 1 over the training split."""
        return (x - self.mean.view(-1, 1, 1)).div_(self.spread.view(-1, 1, 1))

    def feature_maps(self, x: Tensor) -> dict[str, Tensor]:
        """The maps that each layer makes of pictures [B, C, H, W] in 0..1: name of the layer -> [B, C', H', W'].

        Layers that give no maps (fully connected ones) are not among them, nor is dropout, which has none of its own.
        """
        x, maps = self.normalised(x), {}
        for name, layer in self.layers.named_children():
            x = layer(x)
            if x.ndim == 4 and not isinstance(layer, nn.Dropout | nn.Dropout2d):
                maps[name] = x
        return maps

    def filters(self) -> Tensor | None:
        """The weights of the first convolution [out, in, h, w]; of a model without any, the first layer's as pictures
        [out, C, H, W]."""
        c = self.config
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                return module.weight
        for module in self.modules():
            if isinstance(module, nn.Linear):
                return module.weight.view(-1, c.channels, c.height, c.width)
        return None


def paper_config(config: ImageConfig) -> ImageConfig:
    """The config with the pictures and classes of its paper."""
    return dataclasses.replace(config, **config.paper._asdict())


def whole_numbers(config: ImageConfig, name: str) -> None:
    """Bring a setting of several whole numbers into one form: ``("512,256",)`` and ``("512", "256")`` are the same.

    Raises:
        ConfigError: it is none.
    """
    given: tuple[str, ...] = getattr(config, name)
    parts = tuple(part.strip() for text in given for part in text.split(","))
    if not parts or not all(part.isascii() and part.isdecimal() and 0 < int(part[:9]) <= 65536 for part in parts):
        raise ConfigError(f"{name} must be whole numbers from 1 to 65536 such as 512,256, got {','.join(given)!r}")
    object.__setattr__(config, name, parts)


def one_of(config: ImageConfig, name: str, known: Iterable[int]) -> None:
    """Check a setting that has some whole numbers as its values.

    Raises:
        ConfigError: it has another.
    """
    value = getattr(config, name)
    if value not in known:
        numbers = ", ".join(map(str, sorted(known)))
        raise ConfigError(f"{name} of {config.kind} must be one of {numbers}, got {value}")


def big_enough(stack: Stack, model: str, instead: str) -> None:
    """Refuse small pictures for a model that would run, but whose last maps would be next to nothing.

    Raises:
        ConfigError: a side is shorter than 64 pixels; it says what to take instead.
    """
    if min(stack.size) < LARGE:
        raise ConfigError(
            f"{model} is for pictures of at least {_by((LARGE, LARGE))}: its maps become 32 times smaller, "
            f"got {_by(stack.size)}; take {instead}"
        )


def _least_side(model: ImageClassifier) -> int:
    """The side of the least square pictures that a model can read, 0 if there is none; nothing is allocated."""

    def fits(side: int) -> bool:
        with torch.device("meta"):
            try:
                model.build(Stack(model.config.channels, side, side))
            except TooSmallError:
                return False
        return True

    low, high = 0, _LARGEST
    if not fits(high):
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _by(size: tuple[int, int]) -> str:
    return f"{max(size[0], 0)} × {max(size[1], 0)}"
