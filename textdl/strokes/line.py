"""A line of handwriting (or one drawing) as the way of a pen, and many of them side by side in a few arrays.

Legend: T points of a line, P points of all lines, N lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]


class Line(NamedTuple):
    """One line: its points with what they say and who wrote them.

    Attributes:
        points: [T, 3]: dx, dy (from the point before, in the corpus's raw units; y grows downwards) and pen_up, 1 at
            the last point of a stroke. The first point's dx and dy are 0.
        text: what is written; "" of a drawing.
        group: the form or the writer; lines of one group never straddle splits. "" where it is not known.
    """

    points: Points
    text: str
    group: str = ""


class Lines(Sequence[Line]):
    """N lines held as arrays, each made into a :class:`Line` when it is asked for.

    Attributes:
        deltas: [P, 2], int16 or float32.
        pen_up: uint8 [P].
        offsets: int64 [N + 1], where each line begins; the last is P.
        texts, groups: N each.
        notes: what people should know of how they were read, a line each.
    """

    def __init__(
        self,
        deltas: NDArray[Any],
        pen_up: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        texts: Sequence[str],
        groups: Sequence[str],
        notes: Sequence[str] = (),
    ) -> None:
        self.deltas, self.pen_up, self.offsets = deltas, pen_up, offsets
        self.texts, self.groups, self.notes = tuple(texts), tuple(groups), tuple(notes)

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> Lines: ...
    def __getitem__(self, place: int | slice) -> Line | Lines:
        if isinstance(place, slice):
            return self.take(range(len(self))[place])
        at = range(len(self))[place]
        return Line(self.points(at), self.texts[at], self.groups[at])

    def __iter__(self) -> Iterator[Line]:
        return (self[at] for at in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Points of each line, [N]."""
        return np.diff(self.offsets)

    def points(self, at: int) -> Points:
        """The points [T, 3] of a line, a fresh array."""
        begin, end = int(self.offsets[at]), int(self.offsets[at + 1])
        made = np.empty((end - begin, 3), np.float32)
        made[:, :2] = self.deltas[begin:end]
        made[:, 2] = self.pen_up[begin:end]
        made[0, :2] = 0  # where a line begins on its page is no part of it
        return made

    def take(self, places: Iterable[int]) -> Lines:
        """Some of the lines, in the order of ``places``."""
        kept = np.fromiter(places, np.int64)
        lengths = self.lengths[kept]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        index = np.repeat(self.offsets[kept] - offsets[:-1], lengths) + np.arange(offsets[-1])
        texts, groups = [self.texts[at] for at in kept], [self.groups[at] for at in kept]
        return Lines(self.deltas[index], self.pen_up[index], offsets, texts, groups, self.notes)

    @classmethod
    def of(cls, lines: Iterable[Line], notes: Sequence[str] = ()) -> Lines:
        """The same lines as arrays; int16 where every delta is whole and fits, else float32."""
        if isinstance(lines, Lines):
            return lines
        some = list(lines)
        points = np.concatenate([line.points for line in some]) if some else np.zeros((0, 3), np.float32)
        offsets = np.cumsum([0, *(len(line.points) for line in some)]).astype(np.int64)
        deltas = points[:, :2].astype(np.float32)
        with np.errstate(invalid="ignore"):
            whole = deltas.astype(np.int16)
        narrow = whole if np.array_equal(whole, deltas) else deltas
        texts, groups = [line.text for line in some], [line.group for line in some]
        return cls(narrow, points[:, 2].astype(np.uint8), offsets, texts, groups, notes)


def of_strokes(strokes: Iterable[NDArray[Any]]) -> Points:
    """The points [T, 3] of strokes given by their places, each [t, 2] (x, y downwards); strokes of no point count not.

    Differences are taken in float64, so that rounding does not add up along the line.
    """
    some = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes]
    some = [stroke for stroke in some if len(stroke)]
    if not some:
        return np.zeros((0, 3), np.float32)
    places = np.concatenate(some)
    made = np.zeros((len(places), 3), np.float32)
    made[1:, :2] = np.diff(places, axis=0)
    made[np.cumsum([len(stroke) for stroke in some]) - 1, 2] = 1
    return made


def to_strokes(points: NDArray[Any]) -> list[NDArray[np.float64]]:
    """The strokes of points [T, 3] by their places, each [t, 2]; the line begins at 0, 0. Undoes :func:`of_strokes`."""
    places = np.cumsum(np.asarray(points[:, :2], np.float64), axis=0)
    ends = np.flatnonzero(np.asarray(points[:, 2]) > 0.5) + 1
    return [stroke for stroke in np.split(places, ends) if len(stroke)]
