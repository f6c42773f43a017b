"""From raw units to what a model learns, and back: one number divides all steps, and far too long ones are shortened.

``scaled = clipped / scale``, where a step (dx, dy) longer than ``longest_step`` raw units is shortened to it in its own
direction. No mean is taken off, so a pen at rest stays at 0. All but the clipping is undone by ``raw``; how many steps
were clipped is counted. A density p over scaled steps is a density p / scale**2 over raw ones, so that

    loss in raw units = loss in scaled units + 2 * log(scale)        (nats a point)

and likelihoods of models with different scalings can be compared (of the same, clipped steps).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError, RunError
from .line import Line, Lines, Points

#: Steps longer than this share of all training steps are outliers, if they are also :data:`SLACK` times ...
QUANTILE = 0.9995
#: ... as long: the limit is this many times the quantile, so that of writing without outliers nothing is clipped.
SLACK = 1.5


@dataclass(frozen=True)
class Scaling:
    """How steps are scaled.

    Attributes:
        scale: raw units for one scaled unit: the standard deviation of all training steps, dx and dy together, after
            clipping.
        longest_step: the length, in raw units, that longer steps are shortened to.
    """

    scale: float
    longest_step: float

    def __post_init__(self) -> None:
        for name in ("scale", "longest_step"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise RunError(f"{name} of a scaling must be a number more than 0, got {value!r}; train again")

    @classmethod
    def learn(cls, lines: Iterable[Line]) -> Scaling:
        """The scaling of some lines, those of the training split. The first step of each, always 0, does not count.

        Raises:
            CorpusError: the pen does not move in any of them.
        """
        some = Lines.of(lines)
        inside = np.ones(len(some.deltas), bool)
        inside[some.offsets[:-1]] = False
        steps = some.deltas[inside].astype(np.float64)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        if not lengths.any():
            raise CorpusError("the pen does not move in any training line; give lines with steps that are not 0")
        # The quantile may be 0 where a pen rests nearly always; the longest step then is no outlier.
        longest = SLACK * float(np.quantile(lengths, QUANTILE)) or float(lengths.max())
        clipped = steps * _shares(lengths, longest)[:, None]
        return cls(float(clipped.std()) or longest, longest)

    def clipped(self, points: NDArray[Any]) -> Points:
        """Points [..., 3] in raw units with too long steps shortened; what the raw figures of a loss are of."""
        made = np.array(points, np.float32)
        lengths = np.hypot(made[..., 0].astype(np.float64), made[..., 1])
        made[..., :2] *= _shares(lengths, self.longest_step)[..., None].astype(np.float32)
        return made

    def scaled(self, points: NDArray[Any]) -> Points:
        """Points [..., 3] in raw units as scaled ones, a fresh array; pen_up stays as it is."""
        made = self.clipped(points)
        made[..., :2] /= np.float32(self.scale)
        return made

    def raw(self, points: NDArray[Any]) -> Points:
        """Scaled points [..., 3] in raw units, a fresh array.

        ``raw(scaled(points)) == clipped(points)``, to rounding.
        """
        made = np.array(points, np.float32)
        made[..., :2] *= np.float32(self.scale)
        return made

    def outliers(self, lines: Iterable[Line]) -> int:
        """How many steps of some lines are longer than ``longest_step`` and so are shortened."""
        some = Lines.of(lines)
        lengths = np.hypot(some.deltas[:, 0].astype(np.float64), some.deltas[:, 1])
        lengths[some.offsets[:-1]] = 0
        return int((lengths > self.longest_step).sum())

    @property
    def raw_nats(self) -> float:
        """What to add to a loss in nats a point of scaled steps, to have that of raw ones: ``2 * log(scale)``."""
        return 2 * math.log(self.scale)

    def to_json(self) -> dict[str, float]:
        """As plain values; :meth:`of` undoes it."""
        return {"scale": self.scale, "longest_step": self.longest_step}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Scaling:
        """The scaling that :meth:`to_json` told.

        Raises:
            RunError: a value is missing or no number more than 0.
        """
        if not isinstance(values, Mapping) or not {"scale", "longest_step"} <= set(values):
            raise RunError(f"a scaling must have scale and longest_step, got {str(values)[:60]}; train again")
        return cls(values["scale"], values["longest_step"])


def _shares(lengths: NDArray[np.float64], longest: float) -> NDArray[np.float64]:
    """What each step is multiplied by so that none is longer than ``longest``."""
    return np.minimum(1.0, longest / np.maximum(lengths, longest))
