"""Handwriting in pixels: a PNG, and a GIF in which the pen moves. Drawn larger than wanted and brought down: smooth."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..artifact import write_atomic
from ..errors import ConfigError
from .drawing_curves import flattened, ways
from .drawing_layout import LETTER, Placed, Places, place
from .drawing_svg import LONGEST, PACE, SHORTEST, Look

if TYPE_CHECKING:
    from PIL.Image import Image

FINER = 4  # times as many pixels a side while drawing
MOST = 4_000_000  # pixels of a PNG; a larger page is drawn smaller
WIDEST, HIGHEST = 1000, 1400  # pixels of a GIF
_SHADES = 32  # of a GIF, from paper to ink
_REST = 2.5  # seconds for which the last frame stands


def png(lines: Sequence[Any], path: str | Path, scale: float = 2.0, look: Look | None = None) -> None:
    """Draw lines [T, 3] as a PNG, atomically.

    Args:
        scale: pixels a unit; a small letter is 16 units high. A page of more than 4 million pixels is drawn smaller.

    Raises:
        ConfigError: as :func:`textdl.strokes.drawing.svg`; or a scale of 0 or less.
        RunError: it can not be written.
    """
    if not 0 < scale < 100:
        raise ConfigError(f"scale must be above 0 and below 100 pixels a unit, got {scale}")
    look, placed = look or Look(), place(lines)
    scale = min(scale, math.sqrt(MOST / (placed.width * placed.height)))
    ink = _Ink(placed, scale, look)
    for curve in _curves(placed, look):
        ink.draw(curve)
    held = io.BytesIO()
    ink.coloured().save(held, "PNG", optimize=True)
    write_atomic(Path(path), held.getvalue())


def gif(
    lines: Sequence[Any],
    path: str | Path,
    seconds: float | None = None,
    frames: int = 120,
    scale: float = 1.5,
    look: Look | None = None,
) -> None:
    """Draw lines [T, 3] as a GIF in which the pen writes them, atomically; it begins anew after a rest.

    Args:
        seconds: how long the writing takes (default: by its length, 1.5 to 30).
        frames: at most so many pictures.
        scale: pixels a unit, less where it would be more than 1000 x 1400 pixels.

    Raises:
        ConfigError: as :func:`textdl.strokes.drawing.svg`; or fewer than 2 frames.
        RunError: it can not be written.
    """
    if not 2 <= frames <= 1000:
        raise ConfigError(f"frames of a GIF must be 2 to 1000, got {frames}")
    if seconds is not None and not 0 < seconds <= 3600:
        raise ConfigError(f"seconds of an animation must be above 0 and at most 3600, got {seconds}")
    look, placed = look or Look(), place(lines)
    scale = min(scale, WIDEST / placed.width, HIGHEST / placed.height)
    curves = _curves(placed, look)
    whole = float((ways(curves) + LETTER / 2).sum())
    total = float(np.clip(whole / (PACE * LETTER), SHORTEST, LONGEST)) if seconds is None else seconds
    count = min(frames, max(2, round(total * 20)))  # 20 a second are smooth enough
    ink, made = _Ink(placed, scale, look), []
    for part in _parts(curves, count):
        for curve in part:
            ink.draw(curve)
        made.append(ink.indexed())
    durations = [max(20, round(1000 * total / count))] * (count - 1) + [round(1000 * _REST)]
    held = io.BytesIO()
    made[0].save(held, "GIF", save_all=True, append_images=made[1:], duration=durations, loop=0, optimize=False)
    write_atomic(Path(path), held.getvalue())


def _curves(placed: Placed, look: Look) -> list[Places]:
    return [flattened(stroke, look.curved) for strokes in placed.lines for stroke in strokes]


def _parts(curves: list[Places], count: int) -> list[list[Places]]:
    """Strokes cut into ``count`` parts of about the same way; each goes on from the point where the last one ended."""
    whole = float((ways(curves) + LETTER / 2).sum())
    parts: list[list[Places]] = [[] for _ in range(count)]
    gone = 0.0
    for curve in curves:
        steps = np.hypot(*np.diff(curve, axis=0).T)
        reached = gone + np.concatenate([[0.0], np.cumsum(steps)])
        gone = float(reached[-1]) + LETTER / 2
        frames = np.minimum((reached / whole * count).astype(int), count - 1)
        for frame in np.unique(frames):
            inside = np.flatnonzero(frames == frame)
            parts[frame].append(curve[max(0, inside[0] - 1) : inside[-1] + 1])
    return parts


class _Ink:
    """How much of each pixel is covered by ink, as it grows."""

    def __init__(self, placed: Placed, scale: float, look: Look) -> None:
        from PIL import Image, ImageColor, ImageDraw

        self.size = max(1, round(placed.width * scale)), max(1, round(placed.height * scale))
        self.scale, self.look = scale * FINER, look
        self.fine = Image.new("L", (self.size[0] * FINER, self.size[1] * FINER))
        self.pen = ImageDraw.Draw(self.fine)
        self.width = max(1.5 * FINER, look.width * LETTER * self.scale)
        try:
            self.ink, self.rule = ImageColor.getrgb(look.ink)[:3], ImageColor.getrgb(look.rule)[:3]
            self.paper = ImageColor.getrgb(look.paper or "#ffffff")[:3]
        except ValueError as error:
            raise ConfigError(f"a colour is written #rrggbb or by its name, got {str(error)[-30:]}") from None
        self.baselines = [round(y * scale) for y in placed.baselines] if look.ruled else []
        self.shades = Image.new("L", self.size)  # the ink so far, in pixels of the picture
        self.dirty: list[float] = []

    def draw(self, curve: Places) -> None:
        """A way of the pen with round ends and joints."""
        points = curve * self.scale
        half = self.width / 2
        flat = [tuple(point) for point in points.tolist()]
        if len(flat) > 1:
            self.pen.line(flat, fill=255, width=max(1, round(self.width)))
        for x, y in flat:
            self.pen.ellipse((x - half, y - half, x + half, y + half), fill=255)
        low, high = points.min(0) - half, points.max(0) + half
        box = [*low.tolist(), *high.tolist()]
        old = self.dirty or box
        self.dirty = [min(old[0], box[0]), min(old[1], box[1]), max(old[2], box[2]), max(old[3], box[3])]

    def covered(self) -> Image:
        """The ink [H, W], 0 to 255; only what has changed is brought down again."""
        if self.dirty:
            left, top = (max(0, int(value // FINER) - 1) for value in self.dirty[:2])
            ends = zip(self.dirty[2:], self.size, strict=True)
            right, bottom = (min(most, int(value // FINER) + 2) for value, most in ends)
            fine = self.fine.crop((left * FINER, top * FINER, right * FINER, bottom * FINER))
            self.shades.paste(fine.reduce(FINER), (left, top))
            self.dirty = []
        return self.shades

    def coloured(self) -> Image:
        """The picture in colours; see-through where there is no paper."""
        from PIL import Image, ImageDraw

        shades = self.covered()
        if self.look.paper is None:
            made = Image.new("RGBA", self.size, (*self.ink, 0))
            made.putalpha(shades)
            return made
        made = Image.new("RGB", self.size, self.paper)
        lines = ImageDraw.Draw(made)
        for y in self.baselines:
            lines.line((0, y, self.size[0], y), fill=self.rule)
        made.paste(Image.new("RGB", self.size, self.ink), mask=shades)
        return made

    def indexed(self) -> Image:
        """The picture in few shades from paper to ink, and the colour of the rules: what a GIF holds."""
        from PIL import Image

        steps = np.arange(256) * (_SHADES - 1) // 255
        shades = steps.astype(np.uint8)[np.asarray(self.covered())]
        for y in self.baselines:
            row = shades[min(y, len(shades) - 1)]
            row[row == 0] = _SHADES
        part = np.linspace(0, 1, _SHADES)[:, None]
        palette = np.round(np.array(self.paper) * (1 - part) + np.array(self.ink) * part).astype(np.uint8)
        made = Image.fromarray(shades, "P")
        made.putpalette(palette.tobytes() + bytes(self.rule))
        return made
