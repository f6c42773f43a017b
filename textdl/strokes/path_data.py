"""The data of an SVG path (W3C, SVG 1.1, chapter 8): M L H V C S Q T A Z, relative and absolute."""

from __future__ import annotations

import itertools
import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_GAP = re.compile(r"[\s,]*")
#: Numbers of each command.
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
#: Points that a curve is first worked out at; its steps are taken along these.
DENSE = 64


class Piece(NamedTuple):
    """A part of a stroke: the corners of straight lines, or a curve by many points [t, 2]."""

    places: NDArray[np.float64]
    curved: bool


class _Reader:
    """Takes commands and numbers off path data, one after the other."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where, self.at = text, where, 0
        self._skip()

    def _skip(self) -> None:
        found = _GAP.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def wrong(self) -> CorpusError:
        return CorpusError(f"{self.where} has path data that can not be read from {self.text[self.at :][:30]!r} on")

    @property
    def done(self) -> bool:
        return self.at >= len(self.text)

    def command(self) -> str:
        """The letter that stands here, or "" where numbers go on."""
        letter = self.text[self.at]
        if letter.upper() in _COUNTS:
            self.at += 1
            self._skip()
            return letter
        return ""

    def numbers(self, command: str) -> list[float]:
        """The numbers of one command. The two flags of an arc may stand without a gap."""
        made = []
        for place in range(_COUNTS[command.upper()]):
            flag = command in "Aa" and place in (3, 4)
            found = re.compile("[01]").match(self.text, self.at) if flag else NUMBER.match(self.text, self.at)
            if not found or not math.isfinite(float(found[0])):
                raise self.wrong()
            made.append(float(found[0]))
            self.at = found.end()
            self._skip()
        return made


def pieces_of(text: str, where: str) -> list[list[Piece]]:
    """The strokes of path data: a new one at each M, and after each Z. Those of an M alone are none.

    Raises:
        CorpusError: a command or number that is none.
    """
    reader = _Reader(text, where)
    strokes: list[list[Piece]] = []
    here, begin, handle = 0j, 0j, 0j
    command, curve = "", ""
    fresh = True
    if not reader.done and text[reader.at] not in "Mm":
        raise reader.wrong()
    while not reader.done:
        letter = reader.command()
        if not letter and command in ("Z", "z"):
            raise reader.wrong()
        command = letter or {"M": "L", "m": "l"}.get(command, command)
        numbers = reader.numbers(command)
        kind = command.upper()
        origin = here if command.islower() else 0j
        if kind == "M":
            here = begin = origin + complex(*numbers)
            fresh, curve = True, ""
            continue
        piece, end, handle = _drawn(kind, numbers, origin, here, begin, handle if curve else here, curve)
        if fresh:
            strokes.append([])
        strokes[-1].append(piece)
        fresh, here, curve = kind == "Z", end, {"C": "C", "S": "C", "Q": "Q", "T": "Q"}.get(kind, "")
    return strokes


def _drawn(
    kind: str, numbers: list[float], origin: complex, here: complex, begin: complex, handle: complex, curve: str
) -> tuple[Piece, complex, complex]:
    """What a command draws from ``here``, where it ends, and the handle that a smooth curve after it mirrors."""
    if kind == "A":
        end = origin + complex(*numbers[5:])
        return Piece(_arc(here, end, numbers), True), end, end
    if kind in "CSQT":
        given = [origin + complex(*numbers[at : at + 2]) for at in range(0, len(numbers), 2)]
        mirrored = 2 * here - handle
        if kind == "S":
            given.insert(0, mirrored if curve == "C" else here)
        elif kind == "T":
            given.insert(0, mirrored if curve == "Q" else here)
        return Piece(_bezier([here, *given]), True), given[-1], given[-2]
    if kind == "H":
        end = complex(origin.real + numbers[0], here.imag)
    elif kind == "V":
        end = complex(here.real, origin.imag + numbers[0])
    else:
        end = begin if kind == "Z" else origin + complex(*numbers)
    return Piece(_plane(np.array([here, end])), False), end, end


def _plane(places: NDArray[np.complex128]) -> NDArray[np.float64]:
    return np.stack([places.real, places.imag], 1)


def _bezier(handles: list[complex]) -> NDArray[np.float64]:
    """A Bezier curve of any degree, by de Casteljau's way: each pass draws on between neighbours."""
    t = np.linspace(0, 1, DENSE + 1)
    level = [np.full(DENSE + 1, handle) for handle in handles]
    while len(level) > 1:
        level = [(1 - t) * one + t * other for one, other in itertools.pairwise(level)]
    return _plane(level[0])


def _arc(here: complex, end: complex, numbers: list[float]) -> NDArray[np.float64]:
    """An elliptical arc, from its ends to its centre as in appendix F.6 of SVG 1.1."""
    rx, ry, turn = abs(numbers[0]), abs(numbers[1]), math.radians(numbers[2])
    large, sweep = bool(numbers[3]), bool(numbers[4])
    if not rx or not ry or here == end:
        return _plane(np.array([here, end]))
    around = complex(math.cos(turn), math.sin(turn))
    half = (here - end) / 2 * around.conjugate()
    grown = math.hypot(half.real / rx, half.imag / ry)
    if grown > 1:  # radii too small to reach
        rx, ry = rx * grown, ry * grown
    x, y = half.real / rx, half.imag / ry  # on a circle of radius 1
    if not math.isfinite(rx + ry) or math.hypot(x, y) < 1e-8:  # so large that what is seen of it is straight
        return _plane(np.array([here, end]))
    rest = math.sqrt(max(0.0, 1 / (x * x + y * y) - 1)) * (1 if large != sweep else -1)
    middle = complex(rest * y, -rest * x)
    first = math.atan2(y - middle.imag, x - middle.real)
    last = math.atan2(-y - middle.imag, -x - middle.real)
    if sweep and last < first:
        last += 2 * math.pi
    elif not sweep and last > first:
        last -= 2 * math.pi
    angles = np.linspace(first, last, DENSE + 1)
    circle = rx * (np.cos(angles) + middle.real) + 1j * ry * (np.sin(angles) + middle.imag)
    made = circle * around + (here + end) / 2
    made[0], made[-1] = here, end
    return _plane(made)
