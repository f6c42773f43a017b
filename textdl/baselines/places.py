"""Where in a text its words and characters stand: the runs of :mod:`textdl.vectors.features`, with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..vectors.features import MARK, WORDS

_CHUNKS = re.compile(r"\S+|\s+")
_BROKEN = re.compile("[\ud800-\udfff]")


class Place(NamedTuple):
    """A word or character of a text."""

    name: str
    start: int
    counts: bool  # False of white space, which no one wants to hear of


def runs(text: str, unit: str, most: int, lowercase: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The features of a text, runs of 1 to ``most``, with the places in it where their parts begin."""
    for group in _groups(text, unit, lowercase):
        for n in range(1, min(most, len(group)) + 1):
            for first in range(len(group) - n + 1):
                run = group[first : first + n]
                name = (" " if unit == "word" else "").join([place.name for place in run])
                yield name, tuple(place.start for place in run if place.counts)


def pieces(text: str, unit: str) -> list[int]:
    """Where the pieces of a text [P] begin, and its end [P + 1]: words, what stands between them, white space."""
    edges = {0, len(text)}
    for chunk in _CHUNKS.finditer(text):
        edges.add(chunk.start())
    if unit == "word":
        for word in WORDS.finditer(text):
            edges |= {word.start(), word.end()}
    return sorted(edges)


def _groups(text: str, unit: str, lowercase: bool) -> Iterator[list[Place]]:
    """What runs do not reach across."""
    plain = _BROKEN.sub("\ufffd", text).replace(MARK, "\ufffd").replace("\0", "\ufffd")
    lowered = plain.lower() if lowercase else plain
    at: list[int] | range = range(len(plain))
    if len(lowered) != len(plain):  # a capital may have two small characters
        at = [place for place, character in enumerate(plain) for _ in character.lower()]
    if unit == "word":
        yield [Place(word[0], at[word.start()], True) for word in WORDS.finditer(lowered)]
        return
    words = [chunk for chunk in _CHUNKS.finditer(lowered) if not chunk[0].isspace()]
    made = [[Place(letter, at[word.start() + n], True) for n, letter in enumerate(word[0])] for word in words]
    if unit == "within":
        yield from ([Place(" ", 0, False), *letters, Place(" ", 0, False)] for letters in made)
        return
    joined = [place for letters in made for place in (Place(" ", 0, False), *letters)]
    yield joined[1:]
