"""Pictures of handwriting: SVG whose strokes are in order, PNG, a GIF of the pen, and a page of several sizes.

All take lines as points [T, 3] (dx, dy, pen_up) and lay them one below another; a line of no points is left blank.
Whatever units the strokes are in, a small letter is 16 units high on the page. What is drawn is what was written: no
baseline is made straight, no letter moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..artifact import write_atomic
from ..errors import ConfigError
from .drawing_layout import LETTER, Placed, place
from .drawing_page import CARD, Block, page
from .drawing_raster import gif, png
from .drawing_svg import MOVING, Look, Timing, document, group, moving, paper, paths, rules, timed, tip, tip_style

__all__ = ["svg", "png", "gif", "page", "Block", "Look", "CARD"]


def svg(
    lines: Sequence[Any],
    path: str | Path | None = None,
    animate: bool = False,
    title: str = "",
    description: str = "",
    look: Look | None = None,
    seconds: float | None = None,
) -> str:
    """Draw lines as an SVG, one path a stroke in the order of writing (``id="stroke-1"``, ``data-stroke="1"`` …).

    Args:
        path: where to write it too, atomically.
        animate: let the strokes appear one after the other, each as long as its way is, with the point of a pen.
        title, description: for those who do not see it, and above the pointer; what it is where nothing is said.
        seconds: how long the animation takes (default: by the length of the writing, 1.5 to 30).

    Raises:
        ConfigError: no line with strokes, one that is not [T, 3] or not finite, or seconds of 0 or less.
        RunError: it can not be written.
    """
    look = look or Look()
    check_seconds(seconds)
    placed = place(lines)
    written = sum(1 for strokes in placed.lines if strokes)
    count = sum(map(len, placed.lines))
    told = description or f"{count} strokes of a pen in the order of writing, on {written} line{'s'[: written != 1]}."
    timing = timed(placed.lines, seconds, look.curved) if animate else None
    style = "" if timing is None else MOVING + tip_style(placed.lines, timing, look.curved)
    content = _content(placed, look, timing)
    made = document(placed.width, placed.height, content, title or "Handwriting", told, style)
    if path is not None:
        write_atomic(Path(path), made)
    return made


def _content(placed: Placed, look: Look, timing: Timing | None) -> Iterator[str]:
    width = look.width * LETTER
    yield from paper(placed.width, placed.height, look)
    if look.ruled:
        yield from rules(placed.baselines, LETTER, placed.width - LETTER, look.rule)
    if timing is None:
        yield from group(look, width, paths(placed.lines, look.curved))
        return
    yield from group(look, width, moving(placed.lines, timing, look.curved))
    yield from tip(width, timing.seconds)


def check_seconds(seconds: float | None) -> None:
    """Raise ConfigError unless an animation can take so long."""
    if seconds is not None and not 0 < seconds <= 3600:
        raise ConfigError(f"seconds of an animation must be above 0 and at most 3600, got {seconds}")
