"""Points at even steps along the pen's way, for recordings that are too dense, too sparse, or of another speed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .line import Line, Lines, Points, of_strokes, to_strokes

#: Points that one stroke may become: more means that the step is in other units than the strokes.
MOST = 1_000_000


def evenly(points: NDArray[Any], step: float) -> Points:
    """Points [T, 3] with every stroke gone along in equal steps of about ``step`` raw units; its ends stay.

    A stroke of length s becomes ``max(1, round(s / step))`` steps. What lies between two strokes stays one step.

    Raises:
        ConfigError: ``step`` is no number more than 0, or far too small for these strokes.
    """
    if not 0 < step < math.inf:
        raise ConfigError(f"step must be a number more than 0, in the units of the strokes, got {step}")
    return of_strokes(along(stroke, step) for stroke in to_strokes(points))


def along(way: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """The places [t, 2] of one stroke at equal steps of about ``step``."""
    lengths = np.hypot(*np.diff(way, axis=0).T)
    length = float(lengths.sum())
    if length == 0:
        return way[:2]  # a dot, with a point or two as it was
    if length / step > MOST:
        raise ConfigError(f"step must be larger: {step:g} makes more than {MOST:,} points of a stroke {length:g} long")
    walked = np.concatenate([[0], np.cumsum(lengths)])
    places = np.linspace(0, walked[-1], max(1, round(length / step)) + 1)
    return np.stack([np.interp(places, walked, way[:, 0]), np.interp(places, walked, way[:, 1])], 1)


def evenly_all(lines: Lines, step: float) -> Lines:
    """:func:`evenly` of every line."""
    return Lines.of((Line(evenly(line.points, step), line.text, line.group) for line in lines), lines.notes)
