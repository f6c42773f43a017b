"""What the training tells those who watch it.

An observer is any callable that takes one event. It sees what happens and can change nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """A corpus is being read and encoded: ``done`` characters so far, of about ``total`` (None: not known)."""

    split: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Started:
    """Training begins, or goes on after step ``resumed``."""

    title: str
    facts: Mapping[str, str | int]
    steps: int | None
    unit: str
    resumed: int = 0


@dataclass(frozen=True)
class Progress:
    """So many steps are done. ``figures`` hold the mean over the steps since the last such event."""

    step: int
    epoch: float
    share: float
    figures: Mapping[str, float]
    lr: float
    units_per_s: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class Working:
    """A task without steps is on its way: ``share`` of it is done. For the eye only; it is not logged."""

    text: str
    share: float


@dataclass(frozen=True)
class Evaluated:
    """The model has been evaluated on a held-out split, and the run folder holds it as it is now."""

    step: int
    epoch: float
    figures: Mapping[str, float]
    sample: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """Training is over. ``ended`` says why: "finished", or "interrupted" by the user."""

    ended: str
    steps: int
    epochs: float
    seconds: float
    units: int
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """Something that the user should know, in words."""

    text: str


Event = Note | Working | Reading | Started | Progress | Evaluated | Report
Observer = Callable[[Event], None]
