"""Spans that tags spell token by token: names, chunks, amounts.

Four spellings are known. IOB1 (Ramshaw & Marcus 1995) writes ``I-X`` for every token of a span of type X, and ``B-X``
only where it follows another of the same type at once; IOB2 begins every span with ``B-X``; IOBES adds ``E-X`` for the
last token and ``S-X`` for a span of one; BILOU calls these ``L-X`` and ``U-X``. Tokens outside have ``O``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: Type, first token, and the one after the last.
Span = tuple[str, int, int]

_TAG = re.compile(r"O|[BIESLU](-.+)?", re.DOTALL)
_LAST = frozenset("ESLU")
_FIRST = frozenset("BSU")


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans of one sentence, in order: ``[(type, start, end)]`` with ``end`` behind the last token.

    Any of the four spellings, and what is ill-formed in them, is read as CoNLL's evaluation does: a span begins where
    its spelling says so, where the tag before is outside or ends one, and where the type changes.
    """
    found: list[Span] = []
    before, held, start = "O", "", 0
    for at, tag in enumerate((*tags, "O")):
        letter, kind = _parts(tag)
        begins = letter in _FIRST or before == "O" or before in _LAST or kind != held
        if before != "O" and (letter == "O" or begins):
            found.append((held, start, at))
        if begins:
            start = at
        before, held = letter, kind
    return found


def spells_span(tag: str) -> bool:
    """Whether a tag is one of those of spans, in any spelling; "O" is."""
    return _TAG.fullmatch(tag) is not None


def scheme_of(sentences: Iterable[Sequence[str]]) -> str | None:
    """How all these tags spell spans: "iob1", "iob2", "iobes" or "bilou"; None where they spell none.

    Few spans may fit several spellings; then it is the commonest, IOB2. Where some are ill-formed, it is the one that
    their other tags are of.
    """
    letters: set[str] = set()
    bare = other_begin = False
    for tags in sentences:
        before, held = "O", ""
        for tag in tags:
            if not spells_span(tag):
                return None
            letter, kind = _parts(tag)
            letters.add(letter)
            follows = before != "O" and kind == held
            bare = bare or (letter == "I" and not follows)
            other_begin = other_begin or (letter == "B" and not follows)
            before, held = letter, kind
    if letters <= {"O"} or (letters & {"E", "S"} and letters & {"L", "U"}):
        return None
    if letters & {"E", "S"}:
        return "iobes"
    if letters & {"L", "U"}:
        return "bilou"
    return "iob1" if bare and not other_begin else "iob2"


def to_iob2(tags: Sequence[str], scheme: str | None) -> list[str]:
    """The tags of one sentence in IOB2; where they spell no spans (``scheme`` is None) as they are.

    Spans that are ill-formed in their spelling are read as :func:`spans` does, and come out well-formed.
    """
    if scheme is None:
        return list(tags)
    written = ["O"] * len(tags)
    for kind, start, end in spans(tags):
        for at in range(start, end):
            letter = "B" if at == start else "I"
            written[at] = f"{letter}-{kind}" if kind else letter
    return written


def _parts(tag: str) -> tuple[str, str]:
    """The letter and the type: ``("B", "PER")`` of ``B-PER``."""
    letter, _, kind = tag.partition("-")
    return letter, kind
