"""Everything that changes while training, beside the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass
class Watch:
    """The memory of early stopping and of reduce-on-plateau: the watched figure so far.

    Attributes:
        best: its best value; None before the first.
        stale: evaluations since that one.
        since_cut: evaluations since it was better, or the rate cut.
        cuts: how often the rate was cut.
    """

    best: float | None = None
    stale: int = 0
    since_cut: int = 0
    cuts: int = 0

    def see(self, value: float, higher_is_better: bool, cut_after: int) -> bool:
        """Take in the figure of another evaluation; True when it is the best so far.

        ``cut_after`` evaluations without a better one are a cut of the rate.
        """
        better = self.best is None or (value > self.best if higher_is_better else value < self.best)
        if better:
            self.best, self.stale, self.since_cut = value, 0, 0
            return True
        self.stale, self.since_cut = self.stale + 1, self.since_cut + 1
        if self.since_cut >= cut_after:
            self.cuts, self.since_cut = self.cuts + 1, 0
        return False


@dataclass
class TrainingState:
    """Where a training stands."""

    step: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch that are done
    units: int = 0
    seconds: float = 0.0  # used before this process began
    evaluations: int = 0
    evaluated: int = -1  # the step of the last evaluation
    carry: Tensor | None = None
    figures: dict[str, float] = field(default_factory=dict)
    losses: list[tuple[Tensor | float, int]] = field(default_factory=list)  # mean and units, since the last progress
    watch: Watch = field(default_factory=Watch)

    def facts(self, seconds: float) -> dict[str, Any]:
        """All but the carry, as plain values."""
        losses = [(float(mean), units) for mean, units in self.losses]
        return {**vars(self), "seconds": seconds, "losses": losses, "carry": None, "watch": vars(self.watch)}

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Put back what :meth:`facts` gave."""
        for name, value in facts.items():
            setattr(self, name, value)
        self.losses = [(mean, units) for mean, units in facts["losses"]]
        self.watch = Watch(**facts["watch"])
