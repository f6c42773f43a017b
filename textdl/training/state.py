"""Everything that changes while training, beside the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
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
        """All that the processes have in common, as plain values; :meth:`arrays` has the rest."""
        return {**vars(self), "seconds": seconds, "losses": None, "carry": None, "watch": vars(self.watch)}

    def arrays(self) -> dict[str, np.ndarray]:
        """What each process has of its own: the carry, if there is one, and the losses since the last progress."""
        losses = [(0.0, 0), *((float(mean), units) for mean, units in self.losses)]  # never without a row
        own = {"losses": np.array(losses, dtype=np.float64)}
        if self.carry is not None:
            own["carry"] = self.carry.detach().float().cpu().numpy()
        return own

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray], device: torch.device) -> None:
        """Put back what :meth:`facts` and :meth:`arrays` gave."""
        for name, value in facts.items():
            setattr(self, name, value)
        self.watch = Watch(**facts["watch"])
        self.losses = [(float(mean), int(units)) for mean, units in arrays["losses"][1:]]
        self.carry = torch.from_numpy(arrays["carry"]).to(device) if "carry" in arrays else None
