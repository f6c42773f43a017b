"""What the trainer asks of a task, and what a task makes of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class Layer:
    """Parameters that are trained together.

    Attributes:
        parameters: each parameter of the model is in one layer.
        rate: what the learning rate is multiplied by.
        start: the share of the training after which they are trained; until then they stay as they are.
    """

    parameters: Sequence[nn.Parameter]
    rate: float = 1.0
    start: float = 0.0


@dataclass(frozen=True)
class Loss:
    """What a task makes of a batch.

    Attributes:
        mean: the loss to go down, a scalar, mean over the batch's units (nats a token).
        units: predictions in the batch (tokens), the unit of speed.
        carry: what the next batch starts from (a recurrent state, detached), or None.
        reported: the loss that people read, where the one that goes down is another (label smoothing).
    """

    mean: Tensor
    units: int
    carry: Tensor | None = None
    reported: Tensor | None = None


class GradientTask(Protocol):
    """A kind of job that is learned by gradient descent.

    One that trains some layers later or slower than others has beside these a method ``layers(model)``, which gives a
    list of :class:`Layer`.

    Attributes:
        watched: the figure of ``metrics`` that tells how good the model is; an empty text for none.
        higher_is_better: whether more of it is better.
    """

    model: nn.Module
    title: str
    unit: str
    facts: dict[str, str | int]
    watched: str
    higher_is_better: bool

    def steps_per_epoch(self) -> int:
        """Batches of one pass over the training split."""

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterable[Any]:
        """The batches of a pass from number ``start`` on, in an order that seed and epoch alone decide, on the CPU."""

    def loss(self, model: nn.Module, batch: Any, carry: Tensor | None) -> Loss:
        """The loss of a batch; ``carry`` is that of the batch before it in the same pass."""

    def figures(self, mean_loss: float) -> dict[str, float]:
        """What people read in a mean training loss (bits per character)."""

    def settle(self, model: nn.Module) -> None:
        """Work out what inference needs beside the weights; called without gradients before each evaluation."""

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Figures on held-out data, of at most so many units."""

    def sample(self, model: nn.Module) -> str:
        """A short piece of the model's work, or an empty string. Must not draw from torch's global generator."""
