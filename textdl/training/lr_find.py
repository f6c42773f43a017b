"""The learning-rate range test (Smith 2017, "Cyclical learning rates for training neural networks")."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import torch

from ..errors import ConfigError, TrainingError
from .descent import Descent
from .device import arithmetic
from .feeding import fed
from .gradient_task import GradientTask
from .state import TrainingState
from .trainer import Trainer

#: Part of the test that the running mean looks back over: a mean over so many steps stands for the one in their middle.
_WINDOW = 0.1
#: A running mean that is so many times the lowest one has diverged.
_DIVERGED = 2.0
#: Steps that are taken before it may have.
_AT_LEAST = 10


@dataclass(frozen=True)
class RangeTest:
    """What a range test has seen.

    Attributes:
        rates: the learning rate of each step, rising by the same factor each time.
        losses: the loss of each step, of the model as the steps before have left it.
        smoothed: its running mean, an exponential one.
        lag: how many steps back the one is that a running mean stands for.
        suggested: the rate to train with.
        lowest: the rate at which the running mean was lowest.
        diverged: the rate at which the loss ran away; None if it never did.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    lag: int
    suggested: float
    lowest: float
    diverged: float | None


def range_test(
    trainer: Trainer,
    task: GradientTask,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    tell: Callable[[int, float, float], None] = lambda step, rate, loss: None,
) -> RangeTest:
    """Train for a few steps with a rate that rises from ``lowest`` to ``highest``, until the loss runs away.

    The suggested rate is a tenth of the one where the running mean was lowest, beyond which steps are too long. (That
    of the steepest fall, which is often taken, jumps about between two tests of one model; this one does not.) A
    running mean stands for a step some way back, in the middle of what it has seen.

    Args:
        trainer: its optimiser, batch, precision, device and seed are used, not its schedule.
        task: its model is changed, and of no more use.
        lowest: the first rate.
        highest: the last one.
        steps: how many steps lie between them.
        tell: called after each step with its number, its rate and the running mean.

    Raises:
        ConfigError: ``lowest`` is not below ``highest``, or fewer than 20 steps.
        TrainingError: the split gives no batch, or the loss is not a number at the lowest rate.
    """
    if not 0 < lowest < highest or steps < 20:
        raise ConfigError(
            f"a range test goes from a rate above 0 to a higher one in at least 20 steps, got {lowest:g} to "
            f"{highest:g} in {steps}"
        )
    torch.manual_seed(trainer.config.seed)
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    total, diverged, state = 0.0, None, TrainingState()
    memory = 1 - 1 / (_WINDOW * steps)  # weight of the losses before
    lag = round(memory / (1 - memory))
    with arithmetic(trainer.config.precision, trainer.device):
        descent = Descent(task, trainer.config, trainer.device, trainer.precision, trainer.processes)
        descent.model.train()
        batches = _endless(trainer, task, state)
        for step in range(steps):
            rate = lowest * (highest / lowest) ** (step / (steps - 1))
            state.losses = []
            descent.step(batches, state, rate, None, 0.0)
            units = sum(number for _, number in state.losses)
            loss = sum(float(mean) * number for mean, number in state.losses) / units
            total = memory * total + (1 - memory) * loss
            mean = total / (1 - memory ** (step + 1))
            if not math.isfinite(mean) or (step >= _AT_LEAST and mean > _DIVERGED * min(smoothed)):
                diverged = rate
                break
            rates.append(rate)
            losses.append(loss)
            smoothed.append(mean)
            tell(step + 1, rate, mean)
    if len(rates) < 3:
        raise TrainingError(f"the loss is not a number at a rate of {lowest:g} already; begin the range test lower")
    bottom = rates[max(smoothed.index(min(smoothed)) - lag, 0)]
    return RangeTest(rates, losses, smoothed, lag, bottom / 10, bottom, diverged)


def _endless(trainer: Trainer, task: GradientTask, state: TrainingState) -> Iterator[Any]:
    """Batches without end; a new pass starts without a carry."""

    def one_pass(epoch: int) -> Iterator[Any]:
        state.carry = None
        found = False
        for batch in fed(task.batches("train", epoch), trainer.device):
            found = True
            yield batch
        if not found:
            raise TrainingError("the training split gives no batch; use more text or a smaller --batch-size")

    return chain.from_iterable(map(one_pass, count()))


def plot(found: RangeTest, title: str) -> Any:
    """The test as a matplotlib figure: the loss over the rate, the suggestion marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(found.rates, found.losses, color="0.75", linewidth=1, label="each step")
    middle = found.rates[: len(found.rates) - found.lag]  # each running mean above the step that it stands for
    axes.plot(middle, found.smoothed[found.lag :], color="tab:blue", linewidth=2, label="running mean")
    axes.axvline(found.suggested, color="tab:red", linestyle="--", label=f"suggested: {found.suggested:.2g}")
    axes.set_xscale("log")
    low, high = min(found.smoothed), found.smoothed[0]
    if high > low:  # single steps run far off near the end: what matters is the fall
        axes.set_ylim(low - 0.1 * (high - low), high + 0.25 * (high - low))
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss (nats)")
    axes.set_title(title)
    axes.legend()
    axes.grid(alpha=0.3)
    return figure
