"""InkML (W3C 2011): the traces of a file as one line of strokes."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .checks import checked_points
from .line import Line, of_strokes
from .markup import inside, read_markup

_VALUE = re.compile(r"([!'\"]?)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|#[0-9A-Fa-f]+|[*?TF])")
#: Traces in these are brushes and examples, not ink on the page.
_ASIDE = frozenset({"definitions"})


def read_inkml(path: Path) -> Line:
    """The line of a file: its traces in order, without those of a raised pen.

    The text is the annotation ``truth`` of the ink, else the file's name; the channels X and Y are found by the trace
    format, and stand first where there is none. Values may be differences (``'``) and differences of these (``"``).

    Raises:
        CorpusError: no InkML, no traces, a value that is no number, or fewer than two points.
    """
    root = read_markup(path, "InkML")
    if root.tag != "ink":
        raise CorpusError(f"{path} begins with <{root.tag}>, and InkML with <ink>; give such a file")
    channels = _channels(root, path)
    traces = [element for element in inside(root, _ASIDE) if element.tag == "trace"]
    ink = [trace for trace in traces if trace.get("type", "penDown") == "penDown"]
    if not ink:
        raise CorpusError(f"{path} holds no traces; give a file with ink")
    strokes = [_places(trace.text or "", channels, f"{path}, trace {number}") for number, trace in enumerate(ink, 1)]
    return Line(checked_points(of_strokes(strokes), str(path)), _truth(root) or path.stem)


def _truth(root: Element) -> str:
    """What is written, of the whole ink before any group in it."""
    some = [*root.findall("annotation"), *root.iter("annotation")]
    truths = (" ".join((one.text or "").split()) for one in some if one.get("type") == "truth")
    return next((truth for truth in truths if truth), "")


def _channels(root: Element, path: Path) -> tuple[int, int]:
    """The places of X and Y among the values of a point."""
    form = next((element for element in root.iter("traceFormat")), None)
    names = [] if form is None else [channel.get("name", "").upper() for channel in form.iter("channel")]
    if not names:
        return 0, 1
    if "X" not in names or "Y" not in names:
        raise CorpusError(f"{path} has the channels {', '.join(names)}; strokes need X and Y")
    return names.index("X"), names.index("Y")


def _places(text: str, channels: tuple[int, int], where: str) -> NDArray[np.float64]:
    """The places [t, 2] of a trace."""
    points: list[list[float]] = []
    orders: dict[int, int] = {}  # of each channel, whether it holds values, differences or differences of these
    pace: dict[int, float] = {}
    for number, part in enumerate(filter(str.strip, text.split(",")), 1):
        if _VALUE.sub("", part).strip() or not _VALUE.search(part):
            raise CorpusError(f"{where}, point {number} must be numbers, got {part.strip()[:40]!r}")
        point = []
        for channel, (mark, value) in enumerate(_VALUE.findall(part)):
            if mark:
                orders[channel] = "!'\"".index(mark)
            before = points[-1][channel] if points and channel < len(points[-1]) else 0.0
            point.append(_value(value, orders.get(channel, 0), before, pace, channel))
        if len(point) <= max(channels) or not all(math.isfinite(point[channel]) for channel in channels):
            raise CorpusError(f"{where}, point {number} must have an x and a y, got {part.strip()[:40]!r}")
        points.append(point)
    return np.array([[point[channel] for channel in channels] for point in points], np.float64).reshape(-1, 2)


def _value(value: str, order: int, before: float, pace: dict[int, float], channel: int) -> float:
    """A value of a channel, from what is written and the one before."""
    if value in "?TF":
        return math.nan  # not known, or a truth value: no place
    if value == "*":
        return before + (pace.get(channel, 0.0) if order else 0.0)
    number = float(value) if value[0] != "#" else float(int(value[1:], 16)) if len(value) < 200 else math.inf
    if order == 0:
        made = number
    elif order == 1:
        made = before + number
    else:
        made = before + pace.get(channel, 0.0) + number
    pace[channel] = made - before
    return made
