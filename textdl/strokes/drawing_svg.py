"""The parts of an SVG of handwriting: a path a stroke in the order of writing, and the pen that moves along them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .drawing_curves import flattened, path_data, ways
from .drawing_layout import LETTER, Places


class Look(NamedTuple):
    """What a drawing looks like.

    Attributes:
        ink, paper, rule: colours, as SVG writes them (#rrggbb where it is drawn in pixels); no paper is see-through.
        ruled: whether lines are drawn to write on.
        curved: whether the points are joined by smooth curves through them, instead of straight lines.
        width: of the pen, in heights of a small letter.
    """

    ink: str = "#1f2a4d"
    paper: str | None = "#fffdf8"
    rule: str = "#c9d8e8"
    ruled: bool = False
    curved: bool = True
    width: float = 0.14


class Timing(NamedTuple):
    """When each stroke begins and how long it takes, in seconds, [S] each; and when all are done."""

    begins: NDArray[np.float64]
    durations: NDArray[np.float64]
    seconds: float


#: Of an animation nobody has set the length of: heights of a small letter a second, and how long at least and at most.
PACE, SHORTEST, LONGEST = 24.0, 1.5, 30.0
_TIP = "#c8452f"
_LATER = 0.0002  # percent
_DOT = 0.5 * LETTER  # a dot takes as long as so much of a stroke


def timed(lines: Sequence[Sequence[Places]], seconds: float | None, curved: bool) -> Timing:
    """One stroke after the other, each as long as its way is; the pen needs no time in the air."""
    lengths = ways([flattened(stroke, curved) for strokes in lines for stroke in strokes]) + _DOT
    whole = float(lengths.sum())
    total = float(np.clip(whole / (PACE * LETTER), SHORTEST, LONGEST)) if seconds is None else seconds
    durations = lengths * total / whole
    return Timing(np.cumsum(durations) - durations, durations, total)


def document(width: float, height: float, content: Iterator[str], title: str, description: str, style: str = "") -> str:
    """An SVG as text, with what it is for those who do not see it.

    Args:
        width, height: of the page.
        style: rules of CSS.
    """
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">',
        f'<title id="title">{escaped(title)}</title>',
        f'<desc id="description">{escaped(description)}</desc>',
        *([f"<style>{style}</style>"] if style else []),
        *content,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def paper(width: float, height: float, look: Look) -> Iterator[str]:
    """The ground of the page, where there is one."""
    if look.paper is not None:
        yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="{escaped(look.paper)}"/>'


def rules(heights: Sequence[float], left: float, right: float, colour: str) -> Iterator[str]:
    """Lines to write on, one path."""
    if heights:
        data = "".join(f"M{left:.1f},{y:.1f}H{right:.1f}" for y in heights)
        yield f'<path class="rule" d="{data}" fill="none" stroke="{escaped(colour)}" stroke-width="1"/>'


def group(look: Look, width: float, inner: Iterator[str]) -> Iterator[str]:
    """What is written with one pen of ``width`` units."""
    yield (
        f'<g class="ink" fill="none" stroke="{escaped(look.ink)}" stroke-width="{width:.2f}" stroke-linecap="round" '
        'stroke-linejoin="round">'
    )
    yield from inner
    yield "</g>"


def paths(lines: Sequence[Sequence[Places]], curved: bool, first: tuple[int, int] = (1, 1)) -> Iterator[str]:
    """A path a stroke, numbered from 1 on over all lines, in a group a line."""
    line, stroke_number = first
    for number, strokes in enumerate(lines, line):
        if not strokes:
            continue
        yield f'<g data-line="{number}">'
        for stroke in strokes:
            yield f'<path id="stroke-{stroke_number}" data-stroke="{stroke_number}" d="{path_data(stroke, curved)}"/>'
            stroke_number += 1
        yield "</g>"


def moving(lines: Sequence[Sequence[Places]], timing: Timing, curved: bool) -> Iterator[str]:
    """As :func:`paths`, each stroke with when it is written (its style takes ``--d`` and ``--t``, in seconds)."""
    at = 0
    for number, strokes in enumerate(lines, 1):
        if not strokes:
            continue
        yield f'<g data-line="{number}">'
        for stroke in strokes:
            data = path_data(stroke, curved)
            kind = ' class="dot"' if data.endswith("h0") else ' pathLength="1"'
            when = f"--d:{timing.begins[at]:.3f}s;--t:{timing.durations[at]:.3f}s"
            at += 1
            yield f'<path id="stroke-{at}" data-stroke="{at}"{kind} style="{when}" d="{data}"/>'
        yield "</g>"


#: A stroke is one dash that is shoved in from its beginning. Before its time it is hidden too: a dash of no length
#: has round ends all the same. Who asked the system for less motion sees all of it at once.
MOVING = """
.ink path[pathLength] { stroke-dasharray: 1 2; animation: write var(--t) linear var(--d) both; }
.ink path.dot { animation: dot 1ms linear var(--d) both; }
.tip { animation: tip var(--t) linear both; }
@keyframes write { 0% { stroke-dashoffset: 1; visibility: hidden; } 0.01%, 100% { visibility: visible; }
  100% { stroke-dashoffset: 0; } }
@keyframes dot { 0% { visibility: hidden; } 100% { visibility: visible; } }
@media (prefers-reduced-motion: reduce) { .ink path[pathLength] { stroke-dasharray: none; }
  .ink path { animation: none !important; } .tip { display: none; } }
"""


def tip(width: float, seconds: float) -> Iterator[str]:
    """The point of the pen, on the way of :func:`tip_style`."""
    yield f'<circle class="tip" r="{1.1 * width:.2f}" fill="{_TIP}" style="--t:{seconds:.3f}s"/>'


def tip_style(lines: Sequence[Sequence[Places]], timing: Timing, curved: bool) -> str:
    """Where the point of the pen is at each time, as CSS: on the clock of the strokes (SMIL's runs ahead of it)."""
    curves = [flattened(stroke, curved) for strokes in lines for stroke in strokes]
    frames = []
    for curve, begin, duration in zip(curves, timing.begins, timing.durations, strict=True):
        steps = np.hypot(*np.diff(curve, axis=0).T)
        part = np.concatenate([[0.0], np.cumsum(steps)]) / (steps.sum() or 1.0)
        kept = np.unique(np.r_[0 : len(curve) : 3, len(curve) - 1])
        when = 100 * (begin + part[kept] * duration) / timing.seconds
        when[0] += _LATER  # of two keyframes at one time only the last would count
        frames += [
            f"{at:.4f}% {{ transform: translate({x:.1f}px,{y:.1f}px); }}"
            for at, (x, y) in zip(np.minimum(when, 99.99), curve[kept], strict=True)
        ]
    x, y = curves[-1][-1]
    frames.append(f"100% {{ transform: translate({x:.1f}px,{y:.1f}px); visibility: hidden; }}")
    listed = "\n".join(frames)
    return f"@keyframes tip {{\n{listed}\n}}\n"


def escaped(text: str) -> str:
    """Text as XML takes it; characters that XML has no place for become U+FFFD."""
    clean = re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text)
    return html.escape(clean, quote=True)
