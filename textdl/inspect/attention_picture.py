"""What each word of a translation looked at, as a picture or as a page of HTML.

Legend: W words of the source, X words of the target.
"""

from __future__ import annotations

import html
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from .. import artifact
from ..errors import ConfigError
from ..tasks.alignment import Alignment
from ..text.visible import visible
from ..vectors.drawing import PICTURES, picture_path, write_picture
from .page import STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, MARGIN = 0.42, 0.8  # inches: of a pair of words; around them all
LETTERS = 10.0  # points
LARGEST = 30.0  # inches
LONGEST = 24  # characters of a word that are shown

_PAGE_STYLE = """
.grid { overflow-x: auto; margin-top: 1rem; }
.grid th[scope=col] { writing-mode: vertical-rl; transform: rotate(180deg); padding: .3rem .1rem; text-align: start; }
.grid th[scope=row] { padding: .1rem .8rem .1rem 0; white-space: nowrap; text-align: end; }
.grid td { padding: .25rem .4rem; min-width: 2rem; text-align: center; font-size: .8rem;
  background: rgb(var(--seen) / var(--s)); }
.grid tr + tr { border-top: 0; }
"""


def picture(path: str | Path) -> Path:
    """The path of a picture or a page.

    Raises:
        ConfigError: its suffix is neither.
    """
    if Path(path).suffix.lower() in (".html", ".htm"):
        return Path(path)
    if Path(path).suffix.lower() not in PICTURES:
        raise ConfigError(f"attention is drawn as .html, {', '.join(PICTURES)}, got {Path(path).name!r}")
    return picture_path(path, ConfigError)


def draw_attention(alignment: Alignment, path: str | Path) -> None:
    """Draw the weights [X, W] and write them atomically: a picture, or a page where the path ends in .html.

    A row is a word of the target; the darker a place, the more it looked at the source word of that column.

    Raises:
        ConfigError: an unknown suffix, or a translation without a word.
        RunError: no space left, or the folder can not be written.
    """
    target = picture(path)
    if not alignment.target or not alignment.source:
        raise ConfigError("the translation has no word, so that there is no attention to draw")
    if target.suffix.lower() in PICTURES:
        _picture(alignment, target)
    else:
        artifact.write_atomic(target, page(alignment))


def _picture(alignment: Alignment, target: Path) -> None:
    source, words = (tuple(map(_shown, side)) for side in (alignment.source, alignment.target))
    cell = min(CELL, LARGEST / max(len(source), len(words)))
    beside, above = max(map(_inches, words)), max(map(_inches, source))

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        image = axes.imshow(alignment.weights, cmap="Blues", vmin=0, vmax=1, interpolation="nearest", aspect="equal")
        letters = min(LETTERS, cell * 72 * 0.8)
        for axis, labels in ((axes.xaxis, source), (axes.yaxis, words)):
            axis.set_ticks(range(len(labels)))
            axis.set_ticklabels(labels, fontsize=letters, parse_math=False)
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", rotation=90)
        axes.tick_params(length=0)
        figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02).set_label("attention")

    size = (len(source) * cell + beside + MARGIN + 0.6, len(words) * cell + above + MARGIN)
    write_picture(target, (max(size[0], 3.0), max(size[1], 2.4)), paint, dpi=120, layout="compressed")


def page(alignment: Alignment) -> str:
    """A page of HTML by itself, light and dark."""
    source, words = (tuple(map(_escaped, side)) for side in (alignment.source, alignment.target))
    head = "".join(f'<th scope="col"><bdi>{word}</bdi></th>' for word in source)
    rows = []
    for word, weights in zip(words, alignment.weights.tolist(), strict=True):
        cells = "".join(
            f'<td style="--s: {weight:.3f}" title="{word} ← {other}: {weight:.3f}">{weight:.2f}</td>'
            for weight, other in zip(weights, source, strict=True)
        )
        rows.append(f'<tr><th scope="row"><bdi>{word}</bdi></th>{cells}</tr>')
    text = _escaped(alignment.text)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text}</title>\n<style>{STYLE}{_PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1 dir="auto">{text}</h1>\n<p class="fact" dir="auto">{" ".join(source)}</p>\n'
        '<p class="fact">A row is a word of the translation; the fuller a place, the more it looked at that word '
        f'of the source. Rows sum to one.</p>\n<div class="grid"><table>\n'
        f"<tr><td></td>{head}</tr>\n{chr(10).join(rows)}\n"
        "</table></div>\n</main>\n</body>\n</html>\n"
    )


def _shown(word: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in word)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def _inches(word: str) -> float:
    """About how long a word is; capitals and letters such as those of Chinese are about as wide as they are high."""
    return sum(1.0 if c.isupper() or unicodedata.east_asian_width(c) in "AFW" else 0.6 for c in word) * LETTERS / 72


def _escaped(text: str) -> str:
    return html.escape(visible(text))
