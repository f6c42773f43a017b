"""What must hold of the points of a line before anything learns from it or draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .line import Line, Lines, Points

#: Longer steps (raw units) are no handwriting, and their squares are to be numbers in float32.
FARTHEST = 1e6


def checked_points(points: Any, where: str) -> Points:
    """Points of one line as float32 [T, 3], its first step set to 0, 0.

    Raises:
        CorpusError: not [T, 3], fewer than two points, a number that is not finite or beyond 1e6, a pen_up that is
            neither 0 nor 1, or no pen_up at the end; begins with ``where``.
    """
    array = np.asarray(points)
    if array.dtype.kind not in "iufb" or array.ndim != 2 or array.shape[1] != 3:
        got = f"an array of {array.dtype} {list(array.shape)}"
        raise CorpusError(f"{where}: points must be numbers [T, 3] (dx, dy, pen_up), got {got}; give it so")
    offsets = np.array([0, len(array)])
    check_arrays(array[:, :2], array[:, 2], offsets, lambda _: where)
    made = array.astype(np.float32)
    made[0, :2] = 0
    return made


def check_arrays(
    deltas: NDArray[Any], pen_up: NDArray[Any], offsets: NDArray[Any], where: Callable[[int], str]
) -> None:
    """Check the points of N lines at once: deltas [P, 2], pen_up [P], offsets [N + 1] that fit them.

    Args:
        where: the name of a line by its place, for the message.

    Raises:
        CorpusError: as of :func:`checked_points`.
    """
    lengths = np.diff(offsets)
    if (short := np.flatnonzero(lengths < 2)).size:
        at = int(short[0])
        what = "one point" if lengths[at] == 1 else "no point"
        raise CorpusError(f"{where(at)} has {what}; a line needs at least two, leave it out")

    def of_point(wrong: NDArray[np.bool_]) -> tuple[str, int] | None:
        if not wrong.any():
            return None
        at = int(wrong.argmax())
        line = int(np.searchsorted(offsets, at, "right")) - 1
        return f"{where(line)}, point {at - int(offsets[line]) + 1}", at

    if deltas.dtype.kind == "f" and (found := of_point(~np.isfinite(deltas).all(1))):
        got = "NaN" if np.isnan(deltas[found[1]]).any() else "an infinite number"
        raise CorpusError(f"{found[0]} has {got} for a step; mend it or leave the line out")
    wide: NDArray[Any] = deltas.astype(np.float64)  # a far too large whole number has no size in its own type
    if found := of_point((np.abs(wide) > FARTHEST).any(1)):
        far = np.abs(wide[found[1]]).max()
        raise CorpusError(f"{found[0]} has a step of {far:g} units; at most {FARTHEST:g} are taken, leave the line out")
    if found := of_point(~((pen_up == 0) | (pen_up == 1))):
        raise CorpusError(f"{found[0]} has pen_up {pen_up[found[1]]!s}; it is 1 at the last point of a stroke, else 0")
    if (open_ends := np.flatnonzero(pen_up[offsets[1:] - 1] != 1)).size:
        raise CorpusError(
            f"{where(int(open_ends[0]))} has no pen-up at its end; set pen_up to 1 at the last point of each stroke"
        )


def checked_lines(lines: Iterable[Any], where: str) -> Lines:
    """Lines given in Python, as arrays: each a :class:`Line`, or ``(points, text)``, or ``(points, text, group)``.

    Raises:
        CorpusError: one is of another kind, or its points are not as they must be.
    """
    if isinstance(lines, Lines):
        return lines
    made = []
    for number, line in enumerate(lines, 1):
        place = f"{where}, line {number}"
        if not isinstance(line, tuple) or len(line) not in (2, 3) or not all(isinstance(x, str) for x in line[1:]):
            raise CorpusError(f"{place} must be Line(points, text, group), got {str(line)[:40]}")
        made.append(Line(checked_points(line[0], place), *line[1:]))
    return Lines.of(made)


def check_texts(lines: Lines, where: str) -> None:
    """Refuse lines without a text, for who learns to write given ones.

    Raises:
        CorpusError: with the number of the first.
    """
    for number, text in enumerate(lines.texts, 1):
        if not text.strip():
            raise CorpusError(
                f"{where}, line {number} has no text; give it one, leave it out, or train on strokes alone "
                "(--unconditional)"
            )
