"""Reading tagged sentences: a token a line with columns (CoNLL, CoNLL-U), or a sentence a line as ``word/TAG``.

The columns of CoNLL's shared tasks (Tjong Kim Sang & Buchholz 2000) stand apart by spaces or tabs, and a blank line
ends a sentence. CoNLL-U (https://universaldependencies.org/format.html) has ten columns with names, comments, and lines
for several words in one token (``1-2``) or for words that are not written (``1.1``), which are left out here.

The readers take lines, from wherever they are, and are generators: an error names the line that it is of.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import CorpusError, near

#: The columns of CoNLL-U.
UD_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
#: Tokens that a sentence may have: beyond it the blank lines between sentences are missing.
MOST_TOKENS = 10_000
#: The line before each document of CoNLL-2003 begins so.
DOCUMENT = "-DOCSTART-"

#: The tokens of a sentence and as many tags.
Tagged = tuple[list[str], list[str]]

_SLASHES = "of word/TAG text set tagged_form to slashes"
_NUMBER = re.compile(r"[-+]?[0-9]+")
_WORD_NUMBER = re.compile(r"[0-9]+([-.][0-9]+)?")


@dataclass(frozen=True)
class Columns:
    """Which columns are wanted: numbers from 1, negative ones from the end, or names; None for the usual ones.

    ``names`` are those of a file's columns where something beside the file tells them.
    """

    token: str | None = None
    tag: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Layout:
    """What the lines of a file are like: how many columns, apart by tabs or spaces, and the two that are wanted."""

    width: int
    tabs: bool
    numbered: bool  # CoNLL-U: the first column counts the words
    token: int
    tag: int

    def cells(self, line: str) -> list[str]:
        return _cells(line, self.tabs)


def read_columns(lines: Iterable[str], where: str, columns: Columns = Columns()) -> Iterator[Tagged]:
    """The sentences of lines with a token each.

    What is usual: of CoNLL-U ``form`` and ``upos``, else the first column and the last. A line is a comment when it
    begins with ``#`` in CoNLL-U; elsewhere, where ``#`` may be a token, only before a sentence and when its number of
    columns is not that of the other lines.

    Raises:
        CorpusError: a line with too few or too many columns, an empty token or tag, a column that is not there, a
            sentence of more than :data:`MOST_TOKENS`.
    """
    numbered_lines = enumerate(lines, 1)
    head, first = _head(numbered_lines)
    if first is None:
        return
    layout = _layout(*first, where, columns)
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in itertools.chain(head, numbered_lines):
        if not line or line.isspace() or line.startswith(DOCUMENT):
            if tokens:
                yield tokens, tags
                tokens, tags = [], []
            continue
        cells = layout.cells(line)
        if line[0] == "#" and _is_comment(line, cells, layout, bool(tokens)):
            continue
        if len(cells) != layout.width:
            raise _uneven(f"{where}:{number}", line, len(cells), layout)
        if layout.numbered and not cells[0].isdecimal():
            _check_word_number(cells[0], f"{where}:{number}")
            continue
        token, tag = cells[layout.token].strip(" "), cells[layout.tag].strip(" ")
        if not token or not tag:
            raise CorpusError(f"{where}:{number} has an empty {'tag' if token else 'token'}; write it or take it out")
        tokens.append(token)
        tags.append(tag)
        if len(tokens) > MOST_TOKENS:
            raise CorpusError(
                f"{where}:{number} is still in a sentence that began {MOST_TOKENS:,} tokens before; a blank line must "
                "stand behind each sentence"
            )
    if tokens:
        yield tokens, tags


def read_slashes(lines: Iterable[str], where: str) -> Iterator[Tagged]:
    """The sentences of lines with one each, ``The/DET can/NOUN``; the last slash of each part is the one.

    Raises:
        CorpusError: a part without a token or without a tag.
    """
    for number, line in enumerate(lines, 1):
        tokens, tags = [], []
        for part in _cells(line, tabs=False):
            token, _, tag = part.rpartition("/")
            if not token or not tag:
                raise CorpusError(f"{where}:{number} has {_short(part)} where word/TAG should be; mend that word")
            tokens.append(token)
            tags.append(tag)
        if len(tokens) > MOST_TOKENS:
            raise CorpusError(f"{where}:{number} is a sentence of {len(tokens):,} tokens; a line is to be a sentence")
        if tokens:
            yield tokens, tags


def looks_slashed(line: str) -> bool:
    """Whether every part of a line is like ``word/TAG``."""
    parts = line.split()
    return bool(parts) and all(len(part.rpartition("/")[0]) and not part.endswith("/") for part in parts)


def _cells(line: str, tabs: bool) -> list[str]:
    if tabs:
        return line.rstrip(" \t").split("\t")
    # Not all white space: a token may hold a space that does not break.
    return [cell for cell in line.replace("\t", " ").split(" ") if cell]


def _head(lines: Iterator[tuple[int, str]]) -> tuple[list[tuple[int, str]], tuple[int, str] | None]:
    """The lines up to the first that is surely a token, and that one; None where there is none."""
    head: list[tuple[int, str]] = []
    for number, line in lines:
        head.append((number, line))
        if line and not line.isspace() and line[0] != "#" and not line.startswith(DOCUMENT):
            return head, (number, line)
    return head, None


def _layout(number: int, line: str, where: str, columns: Columns) -> _Layout:
    tabs = "\t" in line.strip(" \t")
    cells = _cells(line, tabs)
    width = len(cells)
    if width < 2:
        if looks_slashed(line):
            remedy = _SLASHES
        else:
            remedy = "a line must hold a token and its tag, apart by a space or a tab"
        raise CorpusError(f"{where}:{number} has one column, {_short(line.strip())}; {remedy}")
    numbered = width == len(UD_COLUMNS) and bool(_WORD_NUMBER.fullmatch(cells[0]))
    names = columns.names or (UD_COLUMNS if numbered else ())
    token = _place(columns.token or ("form" if numbered else "1"), names, width, where)
    tag = _place(columns.tag or ("upos" if numbered else "-1"), names, width, where)
    if token == tag:
        raise CorpusError(f"{where}: column {token + 1} is both the token and the tag; choose another tag_column")
    return _Layout(width, tabs, numbered, token, tag)


def _place(column: str, names: tuple[str, ...], width: int, where: str) -> int:
    """The place, from 0, of a column that is a number or a name."""
    if column in names and names.index(column) < width:
        return names.index(column)
    if _NUMBER.fullmatch(column) and 1 <= abs(int(column)) <= width:
        return int(column) - 1 if int(column) > 0 else width + int(column)
    known = f"it has {width}, 1 to {width} (-1 is the last)"
    if names:
        close = near(column, names)
        listed = f"known: {', '.join(names)}"
        known += f"; {listed if close.startswith('known') else f'{close} {listed}'}"
    raise CorpusError(f"{where} has no column {column!r}; {known}")


def _is_comment(line: str, cells: list[str], layout: _Layout, within: bool) -> bool:
    if layout.numbered:
        return True
    return not within and line[1:2] in (" ", "\t") and len(cells) != layout.width


def _uneven(place: str, line: str, cells: int, layout: _Layout) -> CorpusError:
    apart = "tabs" if layout.tabs else "spaces"
    columns = f"{cells} column{'s' * (cells != 1)}"
    remedy = _SLASHES if looks_slashed(line) else "mend that line"
    return CorpusError(
        f"{place} has {columns} where the file's first line has {layout.width}, apart by {apart}; {remedy}"
    )


def _check_word_number(cell: str, place: str) -> None:
    if not _WORD_NUMBER.fullmatch(cell):
        raise CorpusError(f"{place} begins with {_short(cell)}, where CoNLL-U has the number of a word; mend that line")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
