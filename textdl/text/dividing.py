"""Dividing documents: into pieces that fit in memory, and among splits.

Everything here goes by the text alone: the same text is divided the same way on every machine, today and later.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping

#: Characters of a document that are handed on at a time.
PIECE = 1 << 20


def in_pieces(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """One document, given in parts, as ``(piece, is the last)`` of at most :data:`PIECE` characters.

    A piece ends at a line end where the second half of it has one, else anywhere between characters. Where it
    is cut depends on the document alone, not on the parts. An empty document has no piece.
    """
    held = ""
    for text in texts:
        held += text
        start = 0
        while len(held) - start > PIECE:
            end = held.rfind("\n", start + PIECE // 2, start + PIECE) + 1 or start + PIECE
            yield held[start:end], False
            start = end
        held = held[start:]
    if held:
        yield held, True


def deal(text: str, shares: Mapping[str, float]) -> str:
    """The split a document falls to: one of ``shares`` by a hash of its text, else train.

    ``shares`` are between 0 and 1 and dealt in their order: a later one may change without touching an earlier.
    """
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for split, share in shares.items():
        if place < share:
            return split
        place -= share
    return "train"


def cuts(texts: Callable[[], Iterable[str]], ends: tuple[float, ...]) -> tuple[int, ...]:
    """Where to cut one long text: ``(0, ..., its length)`` in characters, near the shares ``ends`` of its length.

    A cut is at the nearest line end within :data:`PIECE` characters that leaves text on both sides, else between
    any two characters; the first part is never empty. Goes through ``texts()``, parts of the text, twice.
    """
    length = sum(map(len, texts()))
    targets = [max(1, min(math.ceil(length * end), length - 1)) for end in ends]
    below, above = [0] * len(targets), [length] * len(targets)
    start = 0
    for text in texts():
        for i, target in enumerate(targets):
            if found := text.rfind("\n", 0, max(0, target - start)) + 1:
                below[i] = start + found
            if above[i] == length and (found := text.find("\n", max(0, target - start)) + 1):
                above[i] = start + found
        start += len(text)
    # Nothing is held out after an end of 1: a line end before it must not be mistaken for it.
    places = [length if end >= 1 else _nearest(targets[i], below[i], above[i], length) for i, end in enumerate(ends)]
    return (0, *places, length)


def between(texts: Iterable[str], start: int, end: int) -> Iterator[str]:
    """The characters ``[start, end)`` of a text given in parts, in parts."""
    at = 0
    for text in texts:
        if at >= end:
            return
        if part := text[max(0, start - at) : end - at]:
            yield part
        at += len(text)


def _nearest(target: int, below: int, above: int, length: int) -> int:
    inside = [place for place in (below, above) if 0 < place < length and abs(place - target) <= PIECE]
    return min(inside, key=lambda place: abs(place - target), default=target)
