"""Images laid out on one sheet, each with a caption, as a PNG."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..artifact import write_atomic
from ..errors import ConfigError
from .part import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

#: Images on one sheet at most.
MOST = 1000
#: Sides of a picture on the sheet, in pixels: small ones are enlarged to about the first, large ones reduced to the
#: second.
_LEAST_SIDE, _MOST_SIDE = 96, 224
_GAP, _TEXT, _TITLE, _LINES = 12, 14, 20, 3
_PAPER, _INK, _FRAME = (255, 255, 255), (25, 25, 25), (190, 190, 190)


def contact_sheet(
    path: Path | str, images: Pixels, captions: Sequence[str] = (), columns: int = 8, title: str = ""
) -> None:
    """Write images [N, H, W, C] as one PNG, row by row, each in a thin frame above its caption.

    Small images are enlarged by a whole number without smoothing, so that each pixel is seen. A caption has up to three
    lines; what does not fit ends in an ellipsis.

    Raises:
        ConfigError: no image, or more than 1000; another number of captions; columns below 1.
        RunError: the file can not be written.
    """
    if images.ndim != 4 or images.shape[3] not in (1, 3) or not 0 < len(images) <= MOST or not images[0].size:
        raise ConfigError(f"a sheet is of 1 to {MOST} images [N, H, W, 1 or 3], got the shape {list(images.shape)}")
    if captions and len(captions) != len(images):
        raise ConfigError(f"captions must be one an image ({len(images)}) or none, got {len(captions)}")
    if columns < 1:
        raise ConfigError(f"columns must be at least 1, got {columns}")
    file = io.BytesIO()
    _drawn(images, captions, min(columns, len(images)), title).save(file, "PNG")
    write_atomic(Path(path), file.getvalue())


def _drawn(images: Pixels, captions: Sequence[str], columns: int, title: str) -> Image:
    from PIL import Image, ImageDraw

    small, large = _font(_TEXT), _font(_TITLE)
    thumbnails = [_enlarged(image) for image in images]
    wide, high = thumbnails[0].size
    cell = max(wide, _LEAST_SIDE) + 2
    lines = [_wrapped(caption, small, cell) for caption in captions]
    step = _TEXT + 4
    below = step * max((len(some) for some in lines), default=0) + (4 if lines else 0)
    rows = -(-len(images) // columns)
    width = _GAP + columns * (cell + _GAP)
    heading = _wrapped(title, large, width - 2 * _GAP) if title.strip() else []
    top = _GAP + (len(heading) * (_TITLE + 6) + _GAP if heading else 0)
    sheet = Image.new("RGB", (width, top + rows * (high + 2 + below + _GAP)), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(heading):
        pen.text((_GAP, _GAP + number * (_TITLE + 6)), line, _INK, large)
    for number, thumbnail in enumerate(thumbnails):
        left = _GAP + number % columns * (cell + _GAP)
        upper = top + number // columns * (high + 2 + below + _GAP)
        inset = left + (cell - 2 - wide) // 2
        pen.rectangle((inset, upper, inset + wide + 1, upper + high + 1), outline=_FRAME)
        sheet.paste(thumbnail, (inset + 1, upper + 1))
        for place, line in enumerate(lines[number] if lines else ()):
            pen.text((left, upper + high + 6 + place * step), line, _INK, small)
    return sheet


def _enlarged(image: Pixels) -> Image:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image if image.shape[2] == 3 else image[..., 0])).convert("RGB")
    longest = max(picture.size)
    if longest > _MOST_SIDE:
        size = tuple(max(1, side * _MOST_SIDE // longest) for side in picture.size)
        return picture.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    times = max(1, -(-_LEAST_SIDE // longest))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _font(size: int) -> Any:
    """DejaVu Sans, which lies in matplotlib's folder and has Greek and Cyrillic too; else Pillow's own, ASCII only."""
    from PIL import ImageFont

    found = importlib.util.find_spec("matplotlib")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        with contextlib.suppress(OSError):
            return ImageFont.truetype(str(Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")), size - 1)
    return ImageFont.load_default(size)


def _wrapped(text: str, font: Any, width: int) -> list[str]:
    """Text in lines of at most ``width`` pixels, at most three; broken between words, or where it must be within."""
    lines: list[str] = []
    rest = text.split()
    while rest and len(lines) < _LINES:
        line = ""
        while rest and font.getlength(f"{line} {rest[0]}".strip()) <= width:
            line = f"{line} {rest.pop(0)}".strip()
        if not line:  # one word that is too long
            fits = next((n for n in range(len(rest[0]) - 1, 1, -1) if font.getlength(rest[0][:n]) <= width), 1)
            line, rest[0] = rest[0][:fits], rest[0][fits:]
        lines.append(line)
    if rest:
        last = lines[-1]
        while last and font.getlength(f"{last}…") > width:
            last = last[:-1]
        lines[-1] = f"{last}…"
    return lines
