"""Smooth curves through the points of a stroke.

Centripetal Catmull-Rom curves (Catmull & Rom 1974; Yuksel, Schaefer & Keyser 2011): they go through every point, and of
that family they alone have no loops and cusps between points that lie unevenly. Each piece is written as the cubic
Bézier curve that it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .drawing_layout import Places

#: Straight pieces that a piece of curve is drawn with where only straight ones can be.
PIECES = 6


def distinct(stroke: Places) -> Places:
    """The points [t, 2] of a stroke without those that lie on the one before."""
    kept = np.ones(len(stroke), np.bool_)
    kept[1:] = (np.diff(stroke, axis=0) != 0).any(1)
    return stroke[kept]


def controls(stroke: Places) -> tuple[Places, Places]:
    """The inner control points [t - 1, 2] of the Bézier curves from each point [t, 2] to the next, two each.

    No two points that follow each other may be the same.
    """
    # an end goes on as if mirrored, so that the curve leaves it straight
    whole = np.concatenate([[2 * stroke[0] - stroke[1]], stroke, [2 * stroke[-1] - stroke[-2]]])
    root = np.hypot(*np.diff(whole, axis=0).T)[:, None] ** 0.5  # distance to the power 1/2: centripetal
    before, here, after = root[:-2], root[1:-1], root[2:]
    p0, p1, p2, p3 = whole[:-3], whole[1:-2], whole[2:-1], whole[3:]
    first = before**2 * p2 - here**2 * p0 + (2 * before**2 + 3 * before * here + here**2) * p1
    second = after**2 * p1 - here**2 * p3 + (2 * after**2 + 3 * after * here + here**2) * p2
    return first / (3 * before * (before + here)), second / (3 * after * (after + here))


def flattened(stroke: Places, curved: bool = True) -> Places:
    """The way of the pen as points that straight lines join: the stroke's own, and those of the curve between them."""
    points = distinct(stroke)
    if not curved or len(points) < 3:
        return points
    first, second = controls(points)
    t = (np.arange(PIECES) / PIECES)[None, :, None]
    begin, end = points[:-1, None], points[1:, None]
    inner = (1 - t) ** 3 * begin + 3 * (1 - t) ** 2 * t * first[:, None] + 3 * (1 - t) * t**2 * second[:, None]
    curve = (inner + t**3 * end).reshape(-1, 2)
    return np.concatenate([curve, points[-1:]])


def path_data(stroke: Places, curved: bool = True) -> str:
    """A stroke as the data of an SVG path, to a hundredth; one point is a line of no length, drawn as a dot."""
    points = distinct(np.round(stroke, 2))
    begin = f"M{_pairs(points[:1])}"
    if len(points) == 1:
        return begin + "h0"
    if not curved or len(points) == 2:
        return f"{begin}L{_pairs(points[1:])}"
    first, second = controls(points)
    return f"{begin}C{_pairs(np.stack([first, second, points[1:]], 1).reshape(-1, 2))}"


def _pairs(points: Places) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points.tolist())


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def ways(curves: list[Places]) -> NDArray[np.float64]:
    """How long each of some flattened strokes is, [S]."""
    return np.array([np.hypot(*np.diff(curve, axis=0).T).sum() for curve in curves], np.float64)
