"""Where lines of strokes stand on a page: how large a hand writes, its baseline, and lines one below another.

Legend: T points of a line, t points of a stroke.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .line import to_strokes

Places = NDArray[np.float64]

#: Height of a small letter (x-height) on a page, in its units: all drawings are brought to it, whatever units the
#: strokes are in.
LETTER = 16.0
#: At most so many columns of two lines are looked at; of a line without end they are wider.
COLUMNS = 100_000
#: From baseline to baseline, in heights of a small letter.
SPACING = 3.6
MARGIN = 2.0
#: A turn of the pen that goes back by less than this part of the line's height is tremor, no letter's top or bottom.
_TREMOR = 0.12


class Measure(NamedTuple):
    """Of a line, in its own units, y downwards from where the line begins."""

    letter: float
    baseline: float


class Placed(NamedTuple):
    """Lines on a page, in its units.

    Attributes:
        lines: of each line its strokes by their places, each [t, 2].
        baselines: y of each line.
        width, height: of the page.
    """

    lines: list[list[Places]]
    baselines: list[float]
    width: float
    height: float


def strokes_of(points: Any, number: int) -> list[Places]:
    """The strokes of a line [T, 3] by their places, each [t, 2]; none of a blank line (T = 0).

    Raises:
        ConfigError: not [T, 3], or not all of it finite; with the line's number.
    """
    array = np.asarray(points)
    if array.dtype.kind not in "iufb" or array.ndim != 2 or array.shape[1] != 3:
        got = f"{array.dtype} {list(array.shape)}"
        raise ConfigError(f"line {number} to draw must be points [T, 3] (dx, dy, pen_up), got {got}; give it so")
    if not np.isfinite(array).all():
        raise ConfigError(f"line {number} to draw has NaN or an infinite number; leave the line out")
    return to_strokes(array)


def measure(strokes: Sequence[Places]) -> Measure:
    """How large a line is written and where it stands: by the medians of where the pen turns at top and bottom.

    Most tops are those of small letters and most bottoms stand on the baseline, so that a few capitals or tails do
    not count. Where the pen never turns (a dash), the extent of the strokes; of a dot 1.
    """
    if not strokes:
        return Measure(1.0, 0.0)
    every = np.concatenate(strokes)
    heights = every[:, 1] - _slope(every) * every[:, 0]
    least = _TREMOR * float(np.ptp(heights))
    tops, bottoms = [], []
    for stroke in strokes:
        some = _turns(stroke[:, 1], least) if least else []
        tops += [y for y, is_top in some if is_top]
        bottoms += [y for y, is_top in some if not is_top]
    if tops and bottoms:
        high, low = float(np.median(tops)), float(np.median(bottoms))
        if low - high > least:
            return Measure(low - high, low)
    return Measure(float(np.ptp(every, axis=0).max()) or 1.0, float(every[:, 1].max()))


def _slope(places: Places) -> float:
    """How much a line climbs a unit of its way; 0 of one that is not long."""
    across = places[:, 0] - places[:, 0].mean()
    if np.ptp(places[:, 0]) <= 4 * np.ptp(places[:, 1]):
        return 0.0
    return float(across @ places[:, 1] / (across @ across))


def _turns(heights: NDArray[np.float64], least: float) -> list[tuple[float, bool]]:
    """Where a stroke turns: (y, whether at a top), its ends too; ways shorter than ``least`` are not seen."""
    found: list[tuple[float, bool]] = []
    low = high = float(heights[0])
    down: bool | None = None  # which way the pen goes; y grows downwards
    for y in map(float, heights[1:]):
        low, high = min(low, y), max(high, y)
        if down is None and high - low >= least:
            down = y == high
            found.append((low if down else high, down))
            low = high = y
        elif down and high - y >= least:
            found.append((high, False))
            down, low, high = False, y, y
        elif down is False and y - low >= least:
            found.append((low, True))
            down, low, high = True, y, y
    if down is not None:
        found.append((high, False) if down else (low, True))
    return found


def hand(lines: Sequence[Sequence[Places]]) -> float:
    """Height of a small letter over all lines: the median of the lines that are not blank."""
    letters = [measure(strokes).letter for strokes in lines if strokes]
    return float(np.median(letters)) if letters else 1.0


def place(lines: Sequence[Any]) -> Placed:
    """Lay lines [T, 3] one below another on a page, all by the same factor, their left ends under each other.

    The lines stand evenly; further apart than usual where letters of two would touch. A blank line is left free.

    Raises:
        ConfigError: there is no line, nothing in any, or one is not as it must be.
    """
    drawn = [strokes_of(points, number) for number, points in enumerate(lines, 1)]
    if not any(drawn):
        raise ConfigError("a drawing needs a line with strokes, got none; give points [T, 3]")
    factor = LETTER / hand(drawn)
    scaled = [[stroke * factor for stroke in strokes] for strokes in drawn]
    level = [put(strokes, MARGIN * LETTER, 0.0) for strokes in scaled]
    needed = [clearance(upper, lower) for upper, lower in itertools.pairwise(level)]
    spacing = max([SPACING * LETTER, *needed])
    every = [(spacing * number, stroke) for number, strokes in enumerate(level) for stroke in strokes]
    first = MARGIN * LETTER - min(0.0, *(y + float(stroke[:, 1].min()) for y, stroke in every))
    baselines = [first + spacing * number for number in range(len(level))]
    placed = [
        [stroke + np.array([0.0, baseline]) for stroke in strokes]
        for strokes, baseline in zip(level, baselines, strict=True)
    ]
    right = max(float(stroke[:, 0].max()) for _, stroke in every)
    bottom = max(baselines[-1], *(first + y + float(stroke[:, 1].max()) for y, stroke in every))
    return Placed(placed, baselines, right + MARGIN * LETTER, bottom + MARGIN * LETTER)


def clearance(upper: Sequence[Places], lower: Sequence[Places], column: float = LETTER) -> float:
    """How far apart the baselines of two lines must be for nothing of the one to touch the other.

    Letters that reach down and letters that reach up may pass each other side by side.

    Args:
        upper, lower: the strokes as they stand across the page, each line's baseline at 0.
        column: width of what is looked at together.
    """
    if not upper or not lower:
        return 0.0
    over, under = np.concatenate(upper), np.concatenate(lower)
    begin = min(float(over[:, 0].min()), float(under[:, 0].min()))
    wide = max(float(over[:, 0].max()), float(under[:, 0].max())) - begin
    column = max(column, wide / COLUMNS)
    count = int(wide / column) + 3
    reaches = np.full((2, count), -np.inf)
    for reach, places, sign in ((reaches[0], over, 1.0), (reaches[1], under, -1.0)):
        at = ((places[:, 0] - begin) / column).astype(np.int64) + 1
        for near in (-1, 0, 1):
            np.maximum.at(reach, at + near, sign * places[:, 1])
    return max(0.0, float(reaches.sum(0).max()) + column / 4)


def put(strokes: Sequence[Places], left: float, baseline: float) -> list[Places]:
    """The strokes of a line moved so that its left end is at ``left`` and it stands on ``baseline``."""
    if not strokes:
        return []
    move = np.array([left - min(float(stroke[:, 0].min()) for stroke in strokes), baseline - measure(strokes).baseline])
    return [stroke + move for stroke in strokes]
