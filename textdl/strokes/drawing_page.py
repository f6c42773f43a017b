"""A page written by hand: blocks of several sizes on a ruled card with a border. One SVG."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ..artifact import write_atomic
from ..errors import ConfigError
from .drawing_layout import LETTER, SPACING, Places, clearance, hand, put, strokes_of
from .drawing_svg import Look, document, escaped, group, paths

#: Ink on a card, with rules of the usual light blue.
CARD = Look(ink="#23305a", paper="#fffcf3", rule="#c3d5e6", ruled=True)
_HEAD = "#d98478"  # the rule below the head of a card
_EDGE = "#d9cdb4"
WIDTH = 900.0
_MARGIN = 56.0
#: Letters may reach so far (of the way between two rules) into those of the line above before a rule is left free.
_TOUCHING = 0.15
#: The most from rule to rule, in heights of a small letter.
_WIDEST = 5.5


class Block(NamedTuple):
    """Lines of one size.

    Attributes:
        lines: points [T, 3] each; a line of no points is left blank.
        size: of its letters, in those of the page: a title has more than 1.
        indent: from the left margin, in heights of a small letter.
        mark: what stands before its first line: nothing, or a dot as in a list.
        head: whether a coloured rule closes it off from what follows, as below the title of a card.
    """

    lines: Sequence[Any]
    size: float = 1.0
    indent: float = 0.0
    mark: Literal["", "dot"] = ""
    head: bool = False


def page(
    blocks: Sequence[Block | tuple[Any, ...]],
    path: str | Path | None = None,
    title: str = "",
    description: str = "",
    look: Look = CARD,
    least_height: float = 560.0,
) -> str:
    """Write blocks below each other on a ruled card, 900 units wide and as high as they need. Returns the SVG.

    All letters are brought to one height by the median of all lines, and then to the sizes of the blocks. Where a line
    would reach beyond the right margin, all are written smaller together; the rules then lie closer.

    Args:
        blocks: see :class:`Block`; plain tuples (lines, size, indent) do.
        path: where to write it too, atomically.
        least_height: a card with little on it is so high all the same.

    Raises:
        ConfigError: no strokes at all, a line that is not [T, 3] or not finite, a size of 0 or less, an indent below 0.
        RunError: it can not be written.
    """
    some = [Block(*block) for block in blocks]
    drawn = _drawn(some)
    letter = _fitting(some, drawn)
    pitch = _pitch(some, drawn) * letter
    rows = _rows(some, drawn, letter, pitch)
    height = max(least_height, rows[-1].baseline + pitch + _MARGIN / 2)
    card = _card(rows, some, letter, pitch, height, look)
    content = itertools.chain(card, _content(some, rows, letter, look))
    count = sum(len(row.strokes) for row in rows)
    told = description or f"A card of {count} strokes of a pen in the order of writing."
    made = document(WIDTH, height, content, title or "Handwritten card", told)
    if path is not None:
        write_atomic(Path(path), made)
    return made


class _Row(NamedTuple):
    """One line on the card: where it stands and what is on it, in units of the page."""

    block: int
    last: bool
    strokes: list[Places]
    left: float
    baseline: float


def _drawn(blocks: Sequence[Block]) -> list[list[list[Places]]]:
    """Of each block the strokes of each line, all in units of one height of a small letter."""
    for number, block in enumerate(blocks, 1):
        if not (0 < block.size <= 10 and 0 <= block.indent <= 30):
            got = f"size {block.size} and indent {block.indent}"
            raise ConfigError(f"block {number}: size must be above 0, at most 10, and indent 0 to 30, got {got}")
    numbers = itertools.count(1)
    drawn = [[strokes_of(points, next(numbers)) for points in block.lines] for block in blocks]
    if not any(strokes for lines in drawn for strokes in lines):
        raise ConfigError("a page needs a line with strokes, got none; give blocks of points [T, 3]")
    unit = hand([strokes for lines in drawn for strokes in lines])
    return [[[stroke / unit for stroke in strokes] for strokes in lines] for lines in drawn]


def _fitting(blocks: Sequence[Block], drawn: Sequence[Sequence[Sequence[Places]]]) -> float:
    """Height of a small letter on the page: as in every drawing, or less where the widest line asks for it."""
    widest = 0.0
    for block, lines in zip(blocks, drawn, strict=True):
        for strokes in filter(None, lines):
            across = np.concatenate([stroke[:, 0] for stroke in strokes])
            widest = max(widest, block.indent + block.size * float(np.ptp(across)))
    return min(LETTER, (WIDTH - 2 * _MARGIN) / widest) if widest else LETTER


def _pitch(blocks: Sequence[Block], drawn: Sequence[Sequence[Sequence[Places]]]) -> float:
    """From rule to rule, in heights of a small letter: so that lines of size 1 rarely need to leave one free."""
    plain = [
        put(strokes, block.indent, 0.0)
        for block, lines in zip(blocks, drawn, strict=True)
        if block.size == 1
        for strokes in lines
    ]
    needed = [clearance(upper, lower, 1.0) for upper, lower in itertools.pairwise(plain)]
    return float(np.clip(max(needed, default=0.0), SPACING, _WIDEST))


def _rows(
    blocks: Sequence[Block], drawn: Sequence[Sequence[Sequence[Places]]], letter: float, pitch: float
) -> list[_Row]:
    """All lines on the rules of the card; large letters take as many rules as keep them off the line above."""
    baseline = _MARGIN - pitch / 8
    before: list[Places] = []  # the line above, on a baseline at 0
    rows: list[_Row] = []
    for number, (block, lines) in enumerate(zip(blocks, drawn, strict=True)):
        for at, strokes in enumerate(lines):
            sized = [stroke * letter * block.size for stroke in strokes]
            left = _MARGIN + block.indent * letter
            level = put(sized, left, 0.0)
            if rows:
                needed = clearance(before, level, letter)
            else:
                needed = -min((float(stroke[:, 1].min()) for stroke in level), default=0.0)
            baseline += pitch * max(1, int(np.ceil(round(needed / pitch - _TOUCHING, 3))))
            before = level
            placed = [stroke + np.array([0.0, baseline]) for stroke in level]
            rows.append(_Row(number, at == len(lines) - 1, placed, left, baseline))
    return rows


def _content(blocks: Sequence[Block], rows: list[_Row], letter: float, look: Look) -> Iterator[str]:
    """What is written."""
    line = stroke = 1
    for number, block in enumerate(blocks):
        own = [row for row in rows if row.block == number]
        width = look.width * letter * block.size**0.75  # a large letter is not written with a pen as much thicker
        yield from group(look, width, paths([row.strokes for row in own], look.curved, (line, stroke)))
        line += len(own)
        stroke += sum(len(row.strokes) for row in own)
        if block.mark == "dot" and own:
            x, y = own[0].left - 1.5 * letter, own[0].baseline - 0.55 * letter
            yield f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{0.2 * letter:.2f}" fill="{escaped(look.ink)}"/>'


def _card(
    rows: list[_Row], blocks: Sequence[Block], letter: float, pitch: float, height: float, look: Look
) -> Iterator[str]:
    """Paper, border and rules."""
    edge, ground = escaped(_EDGE), escaped(look.paper or "none")
    yield (
        f'<rect x="3" y="3" width="{WIDTH - 6:.0f}" height="{height - 6:.0f}" rx="14" fill="{ground}" '
        f'stroke="{edge}" stroke-width="2"/>'
        f'<rect x="11" y="11" width="{WIDTH - 22:.0f}" height="{height - 22:.0f}" rx="9" fill="none" stroke="{edge}"/>'
    )
    if not look.ruled:
        return
    below = letter * 0.25  # letters stand a little above their rule, as on paper
    heads = {round(row.baseline, 1) for row in rows if row.last and blocks[row.block].head}
    first = max((row.baseline for row in rows if blocks[row.block].head), default=rows[0].baseline - pitch)
    y = first
    while y + below < height - _MARGIN / 2:
        colour = _HEAD if round(y, 1) in heads else look.rule
        if y >= rows[0].baseline or not heads:
            width = 1.6 if colour == _HEAD else 1
            yield (
                f'<path class="rule" d="M12,{y + below:.1f}H{WIDTH - 12:.0f}" fill="none" stroke="{escaped(colour)}" '
                f'stroke-width="{width}"/>'
            )
        y += pitch
