"""The strokes of an SVG file (W3C, SVG 1.1, chapters 7 to 9): paths, polylines, polygons and lines, in order."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .checks import checked_points
from .line import Line, of_strokes
from .markup import read_markup
from .path_data import NUMBER, Piece, pieces_of
from .resampling import along

Matrix = NDArray[np.float64]  # [3, 3]

#: Steps that the height of a drawing has, where curves become points.
STEPS = 25
#: A drawing is taken to be at least this share of its width high: a dash is no line of large letters.
LOWEST = 1 / 40
#: Places beyond this are slips: their squares are still to be numbers.
HUGE = 1e30
#: What is in these is not drawn where it stands.
_ASIDE = frozenset({"defs", "clipPath", "mask", "marker", "pattern", "symbol", "metadata"})
_TRANSFORM = re.compile(r"\s*,?\s*(\w+)\s*\(([^()]*)\)")


def read_svg(path: Path) -> Line:
    """The line of a file: its shapes in order, each of the strokes that it is drawn in, with all transforms done.

    The text is that of the first ``title``, else the file's name. Straight parts keep their corners and nothing
    between; curves are cut into steps of equal length, about a 25th of the drawing's height. Rectangles, circles and
    letters of fonts are no strokes and left aside.

    Raises:
        CorpusError: no SVG, no strokes, or path data or a transform that can not be read.
    """
    root = read_markup(path, "SVG")
    if root.tag != "svg":
        raise CorpusError(f"{path} begins with <{root.tag}>, and an SVG with <svg>; give such a file")
    strokes: list[list[Piece]] = []
    for number, (element, matrix) in enumerate(_drawn(root, path), 1):
        where = f"{path}, shape {number}"
        strokes += [
            [Piece(_moved(piece.places, matrix), piece.curved) for piece in s] for s in _strokes(element, where)
        ]
    if not strokes:
        raise CorpusError(f"{path} holds no paths, polylines, polygons or lines; draw with these")
    if not all((np.abs(piece.places) < HUGE).all() for stroke in strokes for piece in stroke):
        raise CorpusError(f"{path} has places that are no numbers, or too large for any; mend its numbers")
    flat = _flattened(strokes)
    return Line(checked_points(of_strokes(flat), str(path)), _title(root) or path.stem)


def _title(root: Element) -> str:
    return next((text for one in root.iter("title") if (text := " ".join((one.text or "").split()))), "")


def _drawn(root: Element, path: Path) -> Iterator[tuple[Element, Matrix]]:
    """The shapes that are drawn, in order, with how each is transformed."""
    waiting = [(root, np.eye(3))]
    while waiting:
        element, outer = waiting.pop()
        if element.tag in _ASIDE or element.get("display") == "none":
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            matrix = outer @ _matrix(element.get("transform", ""), path)
        if element.tag in ("path", "polyline", "polygon", "line"):
            yield element, matrix
        waiting.extend((child, matrix) for child in reversed(element))


def _matrix(text: str, path: Path) -> Matrix:
    """What a transform does to a place [x, y, 1]."""
    made, end = np.eye(3), 0
    for found in _TRANSFORM.finditer(text):
        if text[end : found.start()].strip():
            break
        made = made @ _one_transform(found[1], [float(number) for number in NUMBER.findall(found[2])], path)
        end = found.end()
    if text[end:].strip():
        raise CorpusError(
            f"{path} has a transform that can not be read: {text[:60]!r}; write it as matrix(a b c d e f)"
        )
    return made


def _one_transform(name: str, given: list[float], path: Path) -> Matrix:
    a, b, c, d, e, f = 1.0, 0.0, 0.0, 1.0, 0.0, 0.0
    if name == "matrix" and len(given) == 6:
        a, b, c, d, e, f = given
    elif name == "translate" and len(given) in (1, 2):
        e, f = given[0], (given[1] if len(given) == 2 else 0.0)
    elif name == "scale" and len(given) in (1, 2):
        a, d = given[0], given[-1]
    elif name == "rotate" and len(given) in (1, 3):
        turn = math.radians(given[0])
        a, b, c, d = math.cos(turn), math.sin(turn), -math.sin(turn), math.cos(turn)
        x, y = given[1:] or (0.0, 0.0)
        e, f = x - a * x - c * y, y - b * x - d * y
    elif name == "skewX" and len(given) == 1:
        c = math.tan(math.radians(given[0]))
    elif name == "skewY" and len(given) == 1:
        b = math.tan(math.radians(given[0]))
    else:
        raise CorpusError(f"{path} has the transform {name} of {len(given)} numbers; write it as matrix(a b c d e f)")
    return np.array([[a, c, e], [b, d, f], [0, 0, 1]])


def _moved(places: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):  # such places are refused afterwards
        return places @ matrix[:2, :2].T + matrix[:2, 2]


def _strokes(element: Element, where: str) -> list[list[Piece]]:
    """The strokes of a shape, each as pieces that go on from one another."""
    if element.tag == "path":
        return pieces_of(element.get("d", ""), where)
    if element.tag == "line":
        values = [element.get(name, "0") for name in ("x1", "y1", "x2", "y2")]
        text = " ".join(values)
    else:
        text = element.get("points", "")
    numbers = [float(number) for number in NUMBER.findall(text)]
    if NUMBER.sub("", text).replace(",", "").strip() or len(numbers) % 2:
        raise CorpusError(f"{where}, a {element.tag}, must have pairs of numbers, got {text[:60]!r}")
    places = np.array(numbers, np.float64).reshape(-1, 2)
    if element.tag == "polygon" and len(places):
        places = np.concatenate([places, places[:1]])
    return [[Piece(places, False)]] if len(places) else []


def _flattened(strokes: list[list[Piece]]) -> list[NDArray[np.float64]]:
    """The strokes as places, with curves cut into even steps."""
    everything = np.concatenate([piece.places for stroke in strokes for piece in stroke])
    width, height = np.ptp(everything, axis=0)
    step = max(height, width * LOWEST) / STEPS
    made = []
    for stroke in strokes:
        ways = [along(piece.places, step) if piece.curved and step > 0 else piece.places for piece in stroke]
        # Each piece begins where the one before it ends.
        made.append(np.concatenate([ways[0], *(way[1:] for way in ways[1:])]))
    return made
