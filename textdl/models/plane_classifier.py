"""A multilayer perceptron of points on a plane, which remembers its own training so that it can be watched.

Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors". Legend: B points, W width of a
hidden layer, K classes, P parameters, M moments::

    point [B, 2] → (linear → activation) [B, W] → ... → linear [B, K]

Where a hidden layer is two wide, what it makes of the plane is a plane again, and can be drawn as it is. The layer
before the classes is so by default: there the classes are parted by a straight line, and whatever bending it took has
been done by the layers before it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from ..config import check, knob
from ..errors import ConfigError

#: Activation -> the module, and how much larger weights are drawn for it (Glorot & Bengio 2010; He et al. 2015).
ACTIVATIONS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    "tanh": (nn.Tanh, 5 / 3),
    "relu": (nn.ReLU, math.sqrt(2)),
    "sigmoid": (nn.Sigmoid, 4.0),  # tanh of half its argument, halved: four times as flat
    "leaky-relu": (lambda: nn.LeakyReLU(0.1), math.sqrt(2)),
}
WIDEST, DEEPEST = 256, 12
#: Numbers that all moments together may have; of a large network fewer moments are kept.
MOST_NUMBERS, FEWEST = 2_000_000, 8


@dataclass(frozen=True)
class PlaneClassifierConfig:
    """What the network looks like."""

    widths: tuple[str, ...] = knob(
        ("16", "16", "2"), "Widths of the hidden layers, such as 16,16,2; one of 2 is drawn as it is."
    )
    activation: str = knob("tanh", "Activation of the hidden layers.", choices=tuple(ACTIVATIONS))
    classes: int = knob(2, "Classes.", derived=True, least=2)
    moments: int = knob(62, "Moments of the training that are remembered.", derived=True, least=2)

    def __post_init__(self) -> None:
        check(self)
        parts = tuple(part.strip() for text in self.widths for part in text.split(","))
        if not parts or not all(part.isascii() and part.isdecimal() and 0 < int(part[:9]) <= WIDEST for part in parts):
            got = ",".join(self.widths)
            raise ConfigError(f"widths must be whole numbers from 1 to {WIDEST} such as 16,16,2, got {got!r}")
        if len(parts) > DEEPEST:
            raise ConfigError(f"widths must be of at most {DEEPEST} hidden layers, got {len(parts)}")
        object.__setattr__(self, "widths", tuple(str(int(part)) for part in parts))

    @property
    def sizes(self) -> tuple[int, ...]:
        """What goes in and out of the linear maps: 2, the widths, K."""
        return (2, *map(int, self.widths), self.classes)

    @property
    def parameters(self) -> int:
        """P."""
        return sum((before + 1) * after for before, after in itertools.pairwise(self.sizes))


class PlaneClassifier(nn.Module):
    """``forward(x [B, 2]) -> logits [B, K]``; x has a mean of about 0 and a spread of about 1."""

    def __init__(self, config: PlaneClassifierConfig) -> None:
        super().__init__()
        self.config = config
        make, gain = ACTIVATIONS[config.activation]
        self.linear = nn.ModuleList(nn.Linear(before, after) for before, after in itertools.pairwise(config.sizes))
        self.activation = make()
        for number, linear in enumerate(self.linear):
            last = number == len(self.linear) - 1
            nn.init.xavier_normal_(linear.weight, 1.0 if last else gain)  # type: ignore[arg-type]
            # the first layer's folds lie spread over the plane, not all through its middle
            bound = 0.0 if number else 1.0
            nn.init.uniform_(linear.bias, -bound, bound)  # type: ignore[arg-type]
        self.moments = Moments(config)
        self.remember()

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.moments.batches.add_(1)
        for linear in self.linear[:-1]:
            x = self.activation(linear(x))
        logits: Tensor = self.linear[-1](x)
        return logits

    @torch.no_grad()
    def remember(self) -> None:
        """Keep the weights as they are, as one of the moments of the training."""
        self.moments.keep(parameters_to_vector(self.linear.parameters()))


class Moments(nn.Module):
    """The weights at some moments of the training, the first before its beginning.

    They are buffers, so that they are saved and resumed with the model.

    Attributes:
        weights: [M, P], linear map by linear map, each its matrix [out, in] row by row, then its bias [out].
        after: [M], the batches that had been learned from.
        count: how many of the M are filled.
        batches: batches so far.
    """

    weights: Tensor
    after: Tensor
    count: Tensor
    batches: Tensor

    def __init__(self, config: PlaneClassifierConfig) -> None:
        super().__init__()
        number = max(FEWEST, min(config.moments, MOST_NUMBERS // config.parameters))
        self.register_buffer("weights", torch.zeros(number, config.parameters))
        self.register_buffer("after", torch.zeros(number, dtype=torch.int64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def keep(self, weights: Tensor) -> None:
        """Keep weights [P]; those of the same batch are replaced, and where there is no room every other one goes."""
        count = int(self.count)
        if count and int(self.after[count - 1]) == int(self.batches):
            count -= 1
        elif count == len(self.after):
            kept = torch.arange(0, count, 2)
            count = len(kept)
            self.weights[:count], self.after[:count] = self.weights[kept], self.after[kept]
            self.weights[count:], self.after[count:] = 0, 0
        self.weights[count], self.after[count] = weights, self.batches
        self.count.fill_(count + 1)
