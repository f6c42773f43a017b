"""Lines that the capture page recorded: what it sends, checked and made into lines, and the file they go into."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from ..strokes.checks import FARTHEST, checked_points
from ..strokes.drawing_layout import measure
from ..strokes.line import Line, of_strokes
from ..strokes.npz import read_lines, write_lines

#: What a file of the page says that it is.
FORMAT = "textdl capture"
#: Points of one line, and characters of its text, that are taken.
MOST_POINTS, MOST_CHARACTERS = 100_000, 1000
#: Bytes of a file of the page that are read.
LARGEST = 256 << 20
#: Points that lie nearer to the one before than this part of the height of a small letter are left out: pens report up
#: to 240 times a second, far more than a model needs.
STEP = 0.125


def line_of(record: Any, step: float = STEP) -> Line:
    """A line as the page sends it: ``{"text": ..., "strokes": [[[x, y, ...], ...], ...]}``.

    Args:
        step: see :data:`STEP`; 0 keeps all points that differ from the one before.

    Raises:
        CorpusError: no such record, no text, numbers that are none, fewer than two points, or too much of anything.
    """
    if not isinstance(record, dict):
        raise CorpusError(f"a line must be an object with text and strokes, got {_kind(record)}; send it so")
    text, strokes = record.get("text"), record.get("strokes")
    if not isinstance(text, str) or not text.strip():
        raise CorpusError("a line must have a text, got none; say what is written")
    if len(text) > MOST_CHARACTERS or not text.isprintable():
        raise CorpusError(f"a text must be one line of at most {MOST_CHARACTERS:,} characters, got {text[:40]!r}")
    if not isinstance(strokes, list) or not all(isinstance(stroke, list) for stroke in strokes):
        raise CorpusError("strokes must be a list of strokes, each a list of points; send them so")
    if sum(map(len, strokes)) > MOST_POINTS:
        raise CorpusError(f"a line must have at most {MOST_POINTS:,} points, got {sum(map(len, strokes)):,}; divide it")
    places = [np.array([_place(point) for point in stroke], np.float64) for stroke in strokes if stroke]
    if sum(map(len, places)) < 2:
        raise CorpusError(f"a line needs at least two points, got {sum(map(len, places))}; write the text")
    return Line(checked_points(of_strokes(thinned(places, step)), "the line"), text.strip())


def _place(point: Any) -> tuple[float, float]:
    if isinstance(point, list) and len(point) >= 2 and all(type(number) in (int, float) for number in point[:2]):
        x, y = point[:2]
        if -FARTHEST <= x <= FARTHEST and -FARTHEST <= y <= FARTHEST:  # NaN is in no range
            return float(x), float(y)
        raise CorpusError(f"a point must be numbers from -1e6 to 1e6, got {str(point[:2])[:40]}; leave the line out")
    raise CorpusError(f"a point must be [x, y, ...], got {_kind(point)}; send it so")


def thinned(strokes: Sequence[NDArray[np.float64]], step: float = STEP) -> list[NDArray[np.float64]]:
    """Strokes [t, 2] without the points that lie nearer than ``step`` small letters to the last one that was kept.

    The first and the last point of each stroke stay, those on top of the one before go.
    """
    least = step * measure(strokes).letter
    made = []
    for stroke in strokes:
        kept = [0]
        for at in range(1, len(stroke)):
            far = math.dist(stroke[at], stroke[kept[-1]])
            if far > 0 and far >= least:
                kept.append(at)
        if kept[-1] != len(stroke) - 1 and math.dist(stroke[-1], stroke[kept[-1]]) > 0:
            kept[-1:] = [len(stroke) - 1] if len(kept) > 1 else [0, len(stroke) - 1]
        made.append(stroke[kept])
    return made


def read_captured(path: Path, step: float = STEP) -> list[Line]:
    """The lines of a file that the page gave (its button "Save as a file").

    Raises:
        CorpusError: no such file, none of the page, or a line in it that is not as it must be, with its number.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise CorpusError(f"{path} is larger than {LARGEST >> 20} MB; divide it into several files")
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise CorpusError(f"{path} can not be read ({error.strerror}); give the file that the page saved") from None
    except (ValueError, RecursionError):
        raise CorpusError(f"{path} is no JSON, or was cut short; give the file that the page saved") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT or not isinstance(values.get("lines"), list):
        raise CorpusError(f"{path} is no file of the capture page (format {FORMAT!r}); give the one that it saved")
    if not values["lines"]:
        raise CorpusError(f"{path} holds no line; write some and save it again")
    made = []
    for number, record in enumerate(values["lines"], 1):
        try:
            made.append(line_of(record, step))
        except CorpusError as error:
            raise CorpusError(f"{path}, line {number}: {error}") from None
    return made


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _kind(value: Any) -> str:
    return json.dumps(value)[:40]


class Notebook:
    """The npz that captured lines go into, one at a time, after those that are there already."""

    def __init__(self, path: Path) -> None:
        """Open or begin one.

        Raises:
            CorpusError: the file there is none of strokes, or has lines that would be lost if it were written anew.
        """
        there = read_lines(path) if path.exists() else None
        if there is not None and there.notes:  # the file is written anew with each line
            raise CorpusError(f"{there.notes[0]}, which new lines would wipe out; give another name")
        self.path = path
        self.before: list[Line] = list(there or [])
        self.own: dict[str, Line] = {}
        self._stamp = self._now()

    @property
    def texts(self) -> set[str]:
        """What has been written already."""
        return {line.text for line in [*self.before, *self.own.values()]}

    def __len__(self) -> int:
        return len(self.before) + len(self.own)

    def save(self, line: Line, name: str) -> None:
        """Put a line in, and the file onto the disk. One of a name that was there takes its place: written anew.

        Raises:
            CorpusError: another program has changed the file meanwhile.
            RunError: it can not be written; the line is then not in it.
        """
        if self._now() != self._stamp:
            raise CorpusError(f"{self.path} was changed by another program; end this capture and begin it again")
        own = self.own | {name: line}
        write_lines(self.path, [*self.before, *own.values()])
        self.own, self._stamp = own, self._now()

    def append(self, lines: Sequence[Line]) -> int:
        """Put in those lines that are not in it yet, all at once. Returns how many.

        Raises:
            RunError: it can not be written.
        """
        there = {(line.text, line.points.tobytes()) for line in self.before}
        new = [line for line in lines if (line.text, line.points.tobytes()) not in there]
        if new:
            write_lines(self.path, [*self.before, *new])
            self.before += new
        return len(new)

    def _now(self) -> tuple[int, int] | None:
        """What tells that the file is the one it was."""
        if not self.path.exists():
            return None
        found = self.path.stat()
        return found.st_mtime_ns, found.st_size
