"""How every picture is made and written: the same input gives the same file, all of it or nothing."""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import artifact
from ..errors import TextdlError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (".png", ".svg", ".pdf")
#: Fonts for letters that the first lacks, where they are installed; they come with the common systems.
FONTS = (
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Hiragino Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Arial Unicode MS",
)


def picture_path(path: str | Path, error: type[TextdlError]) -> Path:
    """The path of a picture.

    Raises:
        error: its suffix is none of those that are drawn.
    """
    target = Path(path)
    if target.suffix.lower() not in PICTURES:
        raise error(f"a picture ends in {', '.join(PICTURES)}, got {target.name!r}")
    return target


def wrapped(title: str, inches: float, points: float) -> str:
    """A title on as many lines as it takes to fit a width, in letters of so many points."""
    return "\n".join(textwrap.wrap(title, max(12, int(inches * 72 / (0.6 * points)))))


def write_picture(
    target: Path,
    size: tuple[float, float],
    paint: Callable[[Figure], None],
    dpi: int,
    layout: Literal["constrained", "compressed"] | None = "constrained",
) -> None:
    """Make a figure of ``size`` inches, have it painted, and write it atomically, without a date.

    Raises:
        RunError: no space left, or the folder can not be written.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    style = {"svg.hashsalt": "textdl", "text.usetex": False}
    style["font.family"] = [name for name in FONTS if name in installed]
    kind = target.suffix[1:].lower()
    undated: dict[str, Any] = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context(style), _letters_missing():
        figure = Figure(figsize=size, dpi=dpi, layout=layout)
        FigureCanvasAgg(figure)
        paint(figure)
        held = io.BytesIO()
        figure.savefig(held, format=kind, metadata=undated[kind])
    artifact.write_atomic(target, held.getvalue())


@contextlib.contextmanager
def _letters_missing() -> Iterator[None]:
    """Of the warnings about letters that no font has, two a letter, one is made."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    missing = 0
    for warning in {str(one.message): one for one in caught}.values():
        if str(warning.message).startswith("Glyph "):
            missing += 1
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if missing:
        warnings.warn(
            f"{missing} letters are drawn as boxes because no font has them; install one, such as Noto Sans CJK",
            stacklevel=5,
        )
