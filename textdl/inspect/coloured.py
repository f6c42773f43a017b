"""A text coloured by what each of its pieces did for a decision: in the terminal, and as a page of HTML."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import artifact
from ..errors import ConfigError
from ..tasks.attribution import Attribution
from ..text.visible import visible
from .page import STYLE

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Colour = tuple[int, int, int]

#: In the terminal strength is how much colour there is, not how light it is: whether the ground of the terminal is
#: light or dark is not known, and on both grey is faint.
GREY, GREEN, RED, BLUE = (168, 168, 168), (60, 190, 90), (245, 110, 100), (95, 160, 245)
FAINT = 0.04  # of the strongest piece: weaker ones are not coloured
STRONGEST = 40  # pieces of a table in the terminal
LISTED = 12  # pieces of the table on a page


def strengths(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values [P] over the largest of them without its sign: -1 to 1; all 0 where all are."""
    plain = np.nan_to_num(np.asarray(values, np.float64), posinf=0.0, neginf=0.0)
    largest = np.abs(plain).max(initial=0.0)
    return plain / largest if largest > 0 else np.zeros(len(plain))


def told(piece: str) -> str:
    """A piece as it stands in a list: without the white space about it; of white space alone a picture."""
    return visible(piece).strip() or "␣"


def strongest(attribution: Attribution, number: int) -> list[int]:
    """The places of the pieces that moved most, at most ``number``, in the order of the text; none of weight 0."""
    size = np.abs(np.nan_to_num(attribution.weights))
    places = np.argsort(-size, kind="stable")[:number]
    return sorted(int(place) for place in places if size[place] > 0)


def has_colours(console: Console) -> bool:
    """Whether a console shows colours: not to a file, not a dumb terminal, not where NO_COLOR is set."""
    return console.color_system is not None and not console.no_color


def show(attribution: Attribution, console: Console) -> None:
    """Print an explanation: coloured text where the console has colours, else a table of words and signed numbers."""
    from rich.text import Text

    head = f"{visible(attribution.label)}: probability {attribution.probability:.4f}"
    console.print(Text(head), highlight=False)
    if has_colours(console):
        console.print()
        console.print(coloured(attribution), highlight=False)
        if attribution.attention is not None:
            console.print(Text("\nattention", style="dim"))
            console.print(attended(attribution), highlight=False)
        console.print()
        console.print(legend(attribution), highlight=False)
    else:
        console.print(table(attribution))
        weaker = int(np.count_nonzero(attribution.weights)) - STRONGEST
        if weaker > 0:
            console.print(f"{weaker:,} weaker pieces are left out", highlight=False)
    console.print(Text(f"in no piece: {attribution.rest:+.4f}"), highlight=False)


def coloured(attribution: Attribution) -> Text:
    """The text, pieces that speak for the label on green, against it on red and underlined, the stronger the fuller."""
    from rich.text import Text

    text = Text()
    for piece, strength in zip(attribution.pieces, strengths(attribution.weights), strict=True):
        text.append(visible(piece), style=_style(GREEN if strength > 0 else RED, float(abs(strength)), strength < 0))
    return text


def attended(attribution: Attribution) -> Text:
    """The text on blue, the fuller the more attention a piece got."""
    from rich.text import Text

    text = Text()
    if attribution.attention is not None:
        for piece, strength in zip(attribution.pieces, strengths(attribution.attention), strict=True):
            text.append(visible(piece), style=_style(BLUE, float(abs(strength))))
    return text


def legend(attribution: Attribution) -> Text:
    """What the colours mean, with the pieces that spoke most for and against."""
    from rich.text import Text

    label = visible(attribution.label)
    text = Text()
    for name, colour, sign in (("for", GREEN, 1), ("against", RED, -1)):
        order = np.argsort(-sign * attribution.weights, kind="stable")[:3]
        most = [place for place in order if sign * attribution.weights[place] > 0]
        text.append(f" {name} {label} ", style=_style(colour, 1.0, sign < 0))
        listed = ", ".join(f"{told(attribution.pieces[p])} {attribution.weights[p]:+.3f}" for p in most)
        text.append(f" {listed or 'nothing'}   ")
    text.rstrip()
    return text


def table(attribution: Attribution) -> Table:
    """The pieces that moved most, in the order of the text, with signed numbers; of a long text the strongest 40."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False)
    made.add_column("weight", justify="right")
    if attribution.attention is not None:
        made.add_column("attention", justify="right")
    made.add_column("piece")
    places = strongest(attribution, STRONGEST)
    for place in places:
        cells = [f"{attribution.weights[place]:+.4f}"]
        if attribution.attention is not None:
            cells.append(f"{attribution.attention[place]:.4f}")
        made.add_row(*cells, Text(told(attribution.pieces[place])))
    return made


def _style(colour: Colour, strength: float, underlined: bool = False) -> str:
    if strength < FAINT:
        return ""
    red, green, blue = (round(grey + (full - grey) * strength) for grey, full in zip(GREY, colour, strict=True))
    return f"{'underline ' if underlined else ''}black on rgb({red},{green},{blue})"


def write_page(attribution: Attribution, path: str | Path) -> None:
    """Write an explanation as one page of HTML, atomically; see :func:`page`.

    Raises:
        ConfigError: the name does not end in .html.
        RunError: no space left, or the folder can not be written.
    """
    artifact.write_atomic(page_path(path), page(attribution))


def page_path(path: str | Path) -> Path:
    """The path of a page.

    Raises:
        ConfigError: the name does not end in .html or .htm.
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"a page ends in .html, got {target.name!r}")
    return target


def page(attribution: Attribution) -> str:
    """One page of HTML that needs nothing else: no script, no font, nothing from the net.

    The text is coloured as in the terminal, each piece with its number as a tooltip; the text by attention stands
    beside it where there is one. Light or dark as the reader has it; each paragraph runs in the direction of its text.
    """
    label = _escaped(attribution.label)
    shown = attribution.text if len(attribution.text) <= 60 else attribution.text[:59] + "…"
    sections = [
        _section(
            f"What speaks for <bdi>“{label}”</bdi>", attribution, attribution.weights, ("for", "against"), "{:+.4f}"
        )
    ]
    if attribution.attention is not None:
        sections.append(_section("Attention", attribution, attribution.attention, ("seen", "seen"), "{:.4f}"))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{label}: {_escaped(' '.join(shown.split()))}</title>",
        f"<style>{STYLE}</style></head>",
        "<body><main>",
        f'<h1><bdi>{label}</bdi></h1><p class="fact">probability {attribution.probability:.4f}</p>',
        _legend_html(label, attribution),
        f'<div class="texts">{"".join(sections)}</div>',
        _listed(attribution),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(
    title: str, attribution: Attribution, values: NDArray[np.float64], names: tuple[str, str], number: str
) -> str:
    """A coloured text; a piece of value 0 (white space between words) stays plain, a faint one shows its number."""
    spans = []
    for piece, value, strength in zip(attribution.pieces, values, strengths(values), strict=True):
        text = _escaped(piece)
        if not strength:
            spans.append(text)
            continue
        name = names[0] if strength > 0 else names[1]
        figure = number.format(float(value))
        look = f'class="{name}" style="--s:{abs(strength):.2f}" ' if abs(strength) >= FAINT else ""
        spans.append(f'<span {look}title="{figure}">{text}</span>')
    # the parser drops a line end that comes first in a <pre>
    return f'<section><h2>{title}</h2><pre dir="auto">\n{"".join(spans)}</pre></section>'


def _legend_html(label: str, attribution: Attribution) -> str:
    marks = [("against", 1.0, f"against <bdi>{label}</bdi>"), ("against", 0.3, "a little"), ("for", 0.3, "a little")]
    marks.append(("for", 1.0, f"for <bdi>{label}</bdi>"))
    if attribution.attention is not None:
        marks.append(("seen", 1.0, "attention"))
    shown = " ".join(f'<span class="{name}" style="--s:{strength:.2f}">{text}</span>' for name, strength, text in marks)
    rest = f"In no piece: {attribution.rest:+.4f}."
    return f'<p class="legend">{shown}</p><p class="fact">Numbers show when the pointer rests on a piece. {rest}</p>'


def _listed(attribution: Attribution) -> str:
    """The strongest pieces as a table, for those who have no pointer."""
    seen = attribution.attention
    head = "<th>weight</th>" + ("<th>attention</th>" if seen is not None else "") + "<th>piece</th>"
    rows = []
    places = strongest(attribution, LISTED)
    for place in sorted(places, key=lambda place: -abs(attribution.weights[place])):
        attention = f"<td>{seen[place]:.4f}</td>" if seen is not None else ""
        piece = _escaped(told(attribution.pieces[place]))
        rows.append(f"<tr><td>{attribution.weights[place]:+.4f}</td>{attention}<td><bdi>{piece}</bdi></td></tr>")
    if not rows:
        return "<p>No piece moved the score.</p>"
    return f"<h2>The strongest pieces</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _escaped(text: str) -> str:
    return html.escape(visible(text), quote=True)
