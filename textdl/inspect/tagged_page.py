"""Tagged sentences in colour: in the terminal, and as a page of HTML."""

from __future__ import annotations

import colorsys
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import artifact
from ..tasks.tagger_run import Tagged
from ..text.spans import spans as spans_of
from ..text.visible import visible
from .coloured import page_path
from .page import STYLE

if TYPE_CHECKING:
    from rich.text import Text

_OUTSIDE = "O"
#: One hue after the other is this far round the circle: neighbours in the list of labels are never alike.
_GOLDEN = 0.381966
_MARKS = """
.mark { background: hsl(var(--h) 75% 82%); padding: .1rem .3rem; }
.mark small { margin-inline-start: .35rem; opacity: .75; font-size: .7em; letter-spacing: .02em; }
@media (prefers-color-scheme: dark) { .mark { background: hsl(var(--h) 45% 28%); } }
p.sentence { margin: .5rem 0; line-height: 2.1; overflow-wrap: anywhere; }
"""


class Piece(NamedTuple):
    """Words in a row with one label; "" for words outside of any span. ``sure``: how probable, None if not known."""

    words: tuple[str, ...]
    label: str
    sure: float | None


def pieces(sentence: Tagged, tags: Sequence[str], spans: bool) -> list[Piece]:
    """A sentence in pieces: of spans each span and each word between them, else each word.

    A span is as probable as the least probable of its words' tags.
    """
    place = {tag: number for number, tag in enumerate(tags)}

    def sure(start: int, end: int) -> float | None:
        if sentence.probabilities is None:
            return None
        return min(float(sentence.probabilities[at, place[sentence.tags[at]]]) for at in range(start, end))

    made, done = [], 0
    if not spans:
        both = zip(sentence.tokens, sentence.tags, strict=True)
        return [Piece((word,), tag, sure(at, at + 1)) for at, (word, tag) in enumerate(both)]
    for label, start, end in (*spans_of(sentence.tags), ("", len(sentence.tokens), len(sentence.tokens))):
        made += [Piece((sentence.tokens[at],), "", sure(at, at + 1)) for at in range(done, start)]
        if end > start:
            made.append(Piece(sentence.tokens[start:end], label or "span", sure(start, end)))
        done = end
    return made


def labels_of(tags: Sequence[str], spans: bool) -> tuple[str, ...]:
    """The labels that have a colour, in the order of the tags: of spans what they are of, else the tags."""
    if not spans:
        return tuple(tags)
    named = (tag.partition("-")[2] or "span" for tag in tags if tag != _OUTSIDE)
    return tuple(dict.fromkeys(named))


def coloured_sentence(sentence: Tagged, tags: Sequence[str], spans: bool) -> Text:
    """A sentence for the terminal: each piece on the colour of its label, and the label behind it."""
    from rich.text import Text

    hues, text = _hues(tags, spans), Text()
    for piece in pieces(sentence, tags, spans):
        if text:
            text.append(" ")
        words = visible(" ".join(piece.words))
        if not piece.label:
            text.append(words)
            continue
        text.append(words, style=f"black on {_rgb(hues[piece.label])}")
        told = "" if piece.sure is None else f" {piece.sure:.2f}"
        text.append(f" {visible(piece.label)}{told}", style="dim")
    return text


def write_tagged_page(path: str | Path, sentences: Iterable[Tagged], tags: Sequence[str], spans: bool) -> None:
    """Write tagged sentences as one page of HTML, atomically; see :func:`tagged_page`.

    Raises:
        ConfigError: the name does not end in .html or .htm.
        RunError: no space left, or the folder can not be written.
    """
    artifact.write_atomic(page_path(path), tagged_page(sentences, tags, spans))


def tagged_page(sentences: Iterable[Tagged], tags: Sequence[str], spans: bool) -> str:
    """One page of HTML that needs nothing else: no script, no font, nothing from the net.

    Light or dark as the reader has it; each sentence runs in the direction of its text. A pointer that rests on a word
    shows its tag, with the probability where that is known.
    """
    hues, counts, shown = _hues(tags, spans), dict.fromkeys(labels_of(tags, spans), 0), []
    number = 0
    for sentence in sentences:
        number += 1
        found = pieces(sentence, tags, spans)
        for piece in found:
            if piece.label:
                counts[piece.label] += 1
        shown.append(f'<p class="sentence" dir="auto">{" ".join(_span(piece, hues) for piece in found)}</p>')
    legend = " ".join(
        f'<span class="mark" style="--h:{hues[label]:.0f}"><bdi>{_escaped(label)}</bdi><small>{count:,}</small></span>'
        for label, count in counts.items()
        if count
    )
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<title>Tagged text</title>",
        f"<style>{STYLE}{_MARKS}</style></head>",
        "<body><main>",
        f'<h1>Tagged text</h1><p class="fact">{number:,} sentence{"" if number == 1 else "s"}</p>',
        f'<p class="legend">{legend}</p>',
        *shown,
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _span(piece: Piece, hues: dict[str, float]) -> str:
    words = _escaped(" ".join(piece.words))
    if not piece.label:
        return words
    told = _escaped(piece.label) + ("" if piece.sure is None else f" {piece.sure:.4f}")
    label = f"<small><bdi>{_escaped(piece.label)}</bdi></small>"
    return f'<span class="mark" style="--h:{hues[piece.label]:.0f}" title="{told}"><bdi>{words}</bdi>{label}</span>'


def _hues(tags: Sequence[str], spans: bool) -> dict[str, float]:
    """A hue, 0 to 360, for each label."""
    return {label: 360 * (number * _GOLDEN % 1) for number, label in enumerate(labels_of(tags, spans))}


def _rgb(hue: float) -> str:
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue / 360, 0.72, 0.6))
    return f"rgb({red},{green},{blue})"


def _escaped(text: str) -> str:
    return html.escape(visible(text), quote=True)
