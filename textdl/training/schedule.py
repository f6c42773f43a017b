"""The learning rate over a training, by the name of its schedule.

Legend: η₀ the highest rate (``--lr``), n steps done, s the share of the training that is done (0 to 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from .config import TrainConfig


class Moment(NamedTuple):
    """Where a training stands, as a schedule sees it."""

    share: float  # s, with the step that is to come
    step: int  # n
    cuts: int = 0  # how often the watched figure has made the rate be cut


class Pace(NamedTuple):
    """What the next step is done with; a momentum of None leaves that of the optimiser."""

    lr: float
    momentum: float | None = None


def cosine(share: float, highest: float, warmup: float, final: float) -> float:
    """Linear warm-up, then half a cosine down (Loshchilov & Hutter 2017).

    Args:
        share: how much of the training is done, 0 to 1.
        highest: the rate at the end of the warm-up.
        warmup: share of the training that is warm-up.
        final: the rate at the end, as a share of the highest.
    """
    if share < warmup:
        return highest * share / warmup
    along = (share - warmup) / (1 - warmup) if warmup < 1 else 1.0
    return highest * (final + (1 - final) * (1 + math.cos(math.pi * along)) / 2)


#: One-cycle (Smith & Topin 2018), with the proportions that torch's has: up over the first part, from and to these
#: shares of the highest rate, while the momentum goes the other way.
_RISE, _FROM, _TO, _MOMENTA = 0.3, 1 / 25, 1 / 25e4, (0.85, 0.95)


def _between(start: float, end: float, along: float) -> float:
    """From start to end on half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * along)) / 2


def _one_cycle(config: TrainConfig, now: Moment) -> Pace:
    low, high = _MOMENTA
    if now.share < _RISE:
        along = now.share / _RISE
        return Pace(config.lr * _between(_FROM, 1.0, along), _between(high, low, along))
    along = (now.share - _RISE) / (1 - _RISE)
    return Pace(config.lr * _between(1.0, _TO, along), _between(low, high, along))


def _steps(config: TrainConfig, now: Moment) -> float:
    """η₀ · factor^⌊n / τ⌋; without a τ, three equal parts of the training."""
    done = now.step // config.decay_steps if config.decay_steps else min(int(3 * now.share), 2)
    return config.lr * math.pow(config.decay_factor, done)


def _linear(config: TrainConfig, now: Moment) -> float:
    """From η₀ down to the final rate on a straight line."""
    return config.lr * (1 - now.share * (1 - config.final_lr))


def _exponential(config: TrainConfig, now: Moment) -> float:
    """η₀ · 10^(−n / τ); without a τ, a tenth of η₀ at the end of the training."""
    tenths = now.step / config.decay_steps if config.decay_steps else now.share
    return config.lr * math.pow(10.0, -tenths)


def _warmed(rate: Callable[[TrainConfig, Moment], float]) -> Callable[[TrainConfig, Moment], Pace]:
    """A schedule of rates with a linear rise before it."""

    def pace(config: TrainConfig, now: Moment) -> Pace:
        rise = min(1.0, now.share / config.warmup) if config.warmup else 1.0
        return Pace(rise * rate(config, now))

    return pace


SCHEDULES: dict[str, Callable[[TrainConfig, Moment], Pace]] = {
    "constant": _warmed(lambda config, now: config.lr),
    "step": _warmed(_steps),
    "linear": _warmed(_linear),
    "exponential": _warmed(_exponential),
    "cosine": lambda config, now: Pace(cosine(now.share, config.lr, config.warmup, config.final_lr)),
    "one-cycle": _one_cycle,
    "plateau": _warmed(lambda config, now: config.lr * config.decay_factor**now.cuts),
}


def pace(config: TrainConfig, now: Moment) -> Pace:
    """The learning rate, and where the schedule cycles it the momentum, of the step that is to come."""
    return SCHEDULES[config.schedule](config, now)
