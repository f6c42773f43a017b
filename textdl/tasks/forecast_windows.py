"""Windows over a series, as a network reads them: what is taken away from each, and put back to what it says.

Legend: N times, C columns, W numbers in a window, H numbers ahead, M numbers in a season (0: none), L = W + M numbers
that must be known, B windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: A window's own scale is at least this share of the spread of the training part: quiet windows are not blown up.
QUIET = 0.05
#: Units of the targets are at least this, in scales of the window.
LEAST_UNIT = 1e-6
#: Training windows by which the units are found, at most.
MEASURED = 20_000
#: Longest season looked for, least autocorrelation of one, and how many must lie in the training part.
LONGEST_SEASON, LEAST_CORRELATION, LEAST_SEASONS = 2000, 0.4, 3


class Places(NamedTuple):
    """Windows of a series: each one's column [n], and the place of the first number after it [n]."""

    columns: NDArray[np.int64]
    ends: NDArray[np.int64]


class Framed(NamedTuple):
    """Windows as the network reads them, and the way back.

    Attributes:
        features: [B, W, D], float32: the scaled numbers and, where there is a season, how much each is above the one a
            season before it.
        base: [B, H], the forecast that the network corrects.
        unit: [B, H], what one is worth that the network says.
    """

    features: NDArray[np.float32]
    base: Numbers
    unit: Numbers

    def back(self, said: NDArray[Any]) -> Numbers:
        """What the network says, [B, H, Q], as numbers of the series."""
        return self.base[..., None] + self.unit[..., None] * np.asarray(said, np.float64)

    def scaled(self, truth: Numbers) -> NDArray[np.float32]:
        """Numbers of the series [B, H] as the network is to say them; ``back`` undoes it."""
        return ((truth - self.base) / self.unit).astype(np.float32)


@dataclass(frozen=True)
class Framing:
    """How windows are scaled; all of it is learned from the training part.

    With ``scaling`` "window" a window loses its last value and is divided by its own standard deviation (after the
    instance normalisation of Kim et al. 2022), so that a level or an amplitude never seen is no obstacle; with "train"
    it loses the mean of the training part and is divided by that one's deviation. ``around`` is the forecast that the
    network corrects: "last" repeats the last value, "season" the last season.
    """

    window: int
    horizon: int
    season: int
    around: str
    scaling: str
    centre: tuple[float, ...]  # of each column, the mean of its training part
    spread: tuple[float, ...]  # its standard deviation
    step: tuple[float, ...]  # its mean absolute change from one number to the next, which MASE is in units of
    units: tuple[float, ...]  # [H], mean absolute correction to the baseline, in scales of the window

    @property
    def lookback(self) -> int:
        """L."""
        return self.window + self.season

    @property
    def features(self) -> int:
        """D."""
        return 2 if self.season else 1

    def frame(self, history: Numbers, columns: NDArray[np.int64]) -> Framed:
        """What is known before each forecast, [B, L], of columns [B], as the network reads it."""
        recent, spread = history[:, self.season :], np.asarray(self.spread)[columns]
        if self.scaling == "window":
            shift = recent[:, -1]
            scale = np.sqrt(recent.var(axis=1) + (QUIET * spread) ** 2)
        else:
            shift, scale = np.asarray(self.centre)[columns], spread
        features = [(recent - shift[:, None]) / scale[:, None]]
        if self.season:
            features.append((recent - history[:, : self.window]) / scale[:, None])
        base = last_value(history, self.horizon)
        if self.around == "season":
            base = seasonal(history, self.horizon, self.season)
        unit = scale[:, None] * np.asarray(self.units)
        return Framed(np.stack(features, axis=-1).astype(np.float32), base, unit)

    def to_json(self) -> dict[str, Any]:
        """As plain values; ``Framing.of`` reads them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Framing:
        """The one that ``to_json`` wrote."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**plain)


def last_value(history: Numbers, horizon: int) -> Numbers:
    """The naive forecast: the last of history [B, L] again and again, [B, H]."""
    return np.repeat(history[:, -1:], horizon, axis=1)


def seasonal(history: Numbers, horizon: int, season: int) -> Numbers:
    """The seasonal naive forecast: the last season of history [B, L] again and again, [B, H]."""
    return history[:, history.shape[1] - season + np.arange(horizon) % season]


def places(begin: int, end: int, columns: int, lookback: int, horizon: int) -> Places:
    """The windows whose H numbers ahead all lie in ``begin`` to ``end``; what is known may lie before it."""
    ends = np.arange(max(begin, lookback), end - horizon + 1, dtype=np.int64)
    return Places(np.repeat(np.arange(columns, dtype=np.int64), len(ends)), np.tile(ends, columns))


def cut(values: Numbers, which: Places, lookback: int, horizon: int) -> tuple[Numbers, Numbers]:
    """Of windows over values [N, C], what is known, [B, L], and what comes, [B, H]."""
    reach = which.ends[:, None] + np.arange(-lookback, horizon)
    both = values[reach, which.columns[:, None]]
    return both[:, :lookback], both[:, lookback:]


def learn_framing(train: Numbers, window: int, horizon: int, season: int, around: str, scaling: str) -> Framing:
    """The framing of a training part [n, C] that has at least one window and no constant column."""
    spread, step = train.std(axis=0), np.abs(np.diff(train, axis=0)).mean(axis=0)
    plain = Framing(
        window, horizon, season, around, scaling,
        tuple(map(float, train.mean(axis=0))), tuple(map(float, spread)), tuple(map(float, step)), (1.0,) * horizon,
    )  # fmt: skip
    which = places(0, len(train), train.shape[1], plain.lookback, horizon)
    apart = -(-len(which.ends) // MEASURED)
    some = Places(which.columns[::apart], which.ends[::apart])
    total = np.zeros(horizon)
    for start in range(0, len(some.ends), 1024):
        piece = Places(some.columns[start : start + 1024], some.ends[start : start + 1024])
        known, truth = cut(train, piece, plain.lookback, horizon)
        framed = plain.frame(known, piece.columns)
        total += np.abs((truth - framed.base) / framed.unit).sum(axis=0)
    units = np.maximum(total / len(some.ends), LEAST_UNIT)
    return Framing.of(plain.to_json() | {"units": list(map(float, units))})


def find_season(values: Numbers) -> int:
    """The length of the season of a training part [n, C], by its autocorrelation; 0 where there is none.

    A season is a lag at which the autocorrelation has a peak, after it has first fallen below zero: of the numbers
    without their straight line, or of their changes, whichever peak is higher (a trend that bends hides a season in the
    first, noise in the second). The mean over the columns; of peaks that differ by no more than chance the shortest.
    """
    number = len(values)
    longest = min(LONGEST_SEASON, number // LEAST_SEASONS)
    if longest < 2:
        return 0
    at = np.arange(number)
    lines = [np.polynomial.Polynomial.fit(at, column, 1)(at) for column in values.T]
    level = _autocorrelation(values - np.stack(lines, axis=1), longest + 1)
    changes = _autocorrelation(np.diff(values, axis=0), longest + 1)
    return max(_peak(level, longest, number), _peak(changes, longest, number))[1]


def _autocorrelation(values: Numbers, longest: int) -> Numbers:
    """The autocorrelation [longest + 1] of values [n, C] without their mean; the mean over the columns."""
    centred = values - values.mean(axis=0)
    largest = np.abs(centred).max(axis=0)
    centred = centred / np.where(largest > 0, largest, 1.0)  # huge numbers have no squares
    size = 1 << (2 * len(values) - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size, axis=0)) ** 2
    sums = np.fft.irfft(power, size, axis=0)[: longest + 1]
    usable = sums[0] > 1e-9
    if not usable.any():
        return np.zeros(longest + 1)
    correlation = sums[:, usable] / sums[0, usable]
    number = len(values)  # of lag l there are n - l products: without this long seasons would look weak
    mean: Numbers = correlation.mean(axis=1) * number / (number - np.arange(len(sums)))
    return mean


def _peak(correlation: Numbers, longest: int, number: int) -> tuple[float, int]:
    """The highest peak of the autocorrelation of so many numbers, and its lag; (0, 0) where none is high enough."""
    below = np.flatnonzero(correlation < 0)
    first = max(2, int(below[0])) if len(below) else longest + 1
    lags = np.arange(first, min(longest, len(correlation) - 2) + 1)
    there = correlation[lags]
    chance = 1 / np.sqrt(number - lags)  # the deviation of the autocorrelation of noise
    least = np.maximum(LEAST_CORRELATION, 3.5 * chance)
    is_peak = (there > correlation[lags - 1]) & (there >= correlation[lags + 1]) & (there >= least)
    if not is_peak.any():
        return 0.0, 0
    best = float(there[is_peak].max())
    return best, int(lags[is_peak & (there >= best - np.maximum(0.05, 2 * chance))][0])
