"""Reading the word lists (words/*.txt) and the families of notes (families/*.txt), and drawing notes from them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

TAGS = (
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "VERB",
)
ENTITIES = ("INGREDIENT", "PERSON", "QUANTITY", "TEMPERATURE", "TIME", "TOOL")
# Of these the words of a list are that are no part of its matter: "a" in "a pinch", "of" and "and".
_SMALL = ("DET", "ADP", "CCONJ", "NUM", "PUNCT")

#: A token with its part of speech and its entity in IOB2.
Token = tuple[str, str, str]


class FormatError(Exception):
    """A line that cannot be read: ``file:line: what is wrong``."""


@dataclass(frozen=True)
class Part:
    """What stands at a place of a family or an entry: a word with its tags, or a slot (a key in ``slot``)."""

    slot: str = ""
    word: str = ""
    tag: str = ""
    entity: str = ""  # "" for none, "+" to go on with the one before


@dataclass(frozen=True)
class WordList:
    """The entries of a key; one that is ``open`` has its entries dealt to the splits."""

    key: str
    entity: str
    open: bool
    entries: dict[str, tuple[Part, ...]]  # by how they are written


@dataclass(frozen=True)
class Family:
    """A note with slots."""

    name: str
    parts: tuple[Part, ...]


def _lines(path: Path) -> list[tuple[str, str]]:
    """``(file:line, text)`` of what is neither blank nor a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [(f"{path.name}:{number}", line.strip()) for number, line in enumerate(lines, 1)]
    return [(place, line) for place, line in kept if line and not line.startswith("#")]


def read_closed(path: Path) -> dict[str, str]:
    """The words that have one part of speech in this corpus: ``{word: tag}``."""
    closed: dict[str, str] = {}
    for place, line in _lines(path):
        tag, _, words = line.partition(": ")
        if tag not in TAGS:
            raise FormatError(f"{place}: {tag!r} is no part of speech")
        for word in words.split():
            if closed.setdefault(word, tag) != tag:
                raise FormatError(f"{place}: {word!r} is {closed[word]} already")
    return closed


def _part(text: str, place: str, default: Callable[[str], str | None]) -> Part:
    if text.startswith("{") and text.endswith("}"):
        return Part(slot=text[1:-1])
    word, *said = text.split("/")
    tag, entity = (*said, "", "")[:2]
    tag = tag or default(word) or ""
    if tag not in TAGS:
        raise FormatError(f"{place}: {word!r} needs its part of speech, as in {word}/NOUN")
    if entity not in ("", "+", *ENTITIES):
        raise FormatError(f"{place}: {entity!r} is no entity")
    return Part(word=word, tag=tag, entity=entity)


_HEAD = re.compile(r"(?P<key>[a-z]+)(?P<open>!?)( (?P<entity>-|[A-Z]+)( (?P<tag>[A-Z]+))?)?: (?P<entries>.+)")


def read_words(path: Path, closed: dict[str, str]) -> dict[str, WordList]:
    """The word lists of a file, by key."""
    lists: dict[str, WordList] = {}
    for place, line in _lines(path):
        if (found := _HEAD.fullmatch(line)) is None:
            raise FormatError(f"{place}: {line[:30]!r} is not like 'key ENTITY TAG: entry; entry'")
        key, entity, tag = found["key"], found["entity"] or "-", found["tag"] or "NOUN"
        if key in lists:
            raise FormatError(f"{place}: {key!r} has its line already")
        if entity not in ("-", *ENTITIES):
            raise FormatError(f"{place}: {entity!r} is no entity")

        def default(word: str, tag: str = tag) -> str:
            return closed[word] if closed.get(word) in _SMALL else tag

        entries = {
            entry.strip(): tuple(_part(text, place, default) for text in entry.split())
            for entry in found["entries"].split(";")
        }
        lists[key] = WordList(key, "" if entity == "-" else entity, bool(found["open"]), entries)
    return lists


def read_families(path: Path, lists: dict[str, WordList], closed: dict[str, str]) -> list[Family]:
    """The families of a file, in its order."""
    families = []
    for place, line in _lines(path):
        name, colon, text = line.partition(": ")
        if not colon or not re.fullmatch(r"[a-z0-9-]+", name):
            raise FormatError(f"{place}: {line[:30]!r} is not like 'name: tokens'")
        parts = tuple(_part(token, place, closed.get) for token in text.split())
        for part in parts:
            if part.slot and part.slot not in lists:
                raise FormatError(f"{place}: there is no list {part.slot!r}")
        families.append(Family(name, parts))
    return families


def share(*names: str) -> float:
    """A number in [0, 1) that hangs on the names alone."""
    return int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:4], "big") / 2**32


class Drawer:
    """Draws notes; ``allowed(key)`` gives the entries that an open slot may take."""

    def __init__(self, lists: dict[str, WordList], allowed: Callable[[str], list[str]]) -> None:
        self._lists, self._allowed = lists, allowed

    def draw(self, family: Family, source: Random) -> tuple[list[Token], list[tuple[str, str]]]:
        """A note, and the ``(key, entry)`` of its open slots."""
        tokens: list[Token] = []
        taken: list[tuple[str, str]] = []
        for part in family.parts:
            if not part.slot:
                tokens.append(_token(part, tokens))
                continue
            some = self._lists[part.slot]
            entries = self._allowed(part.slot) if some.open else list(some.entries)
            # Two knives, or one person twice, would be odd in one note.
            fresh = [entry for entry in entries if (part.slot, entry) not in taken]
            entry = source.choice(fresh or entries)
            if some.open:
                taken.append((part.slot, entry))
            tokens += self._entry(some, entry, source)
        return _in_print(tokens, source.random() < 0.75), taken

    def _entry(self, some: WordList, entry: str, source: Random) -> list[Token]:
        tokens: list[Token] = []
        for part in some.entries[entry]:
            if part.slot:
                inner = self._lists[part.slot]
                tokens += self._entry(inner, source.choice(list(inner.entries)), source)
            else:
                tokens.append((part.word, part.tag, "O"))
        if not some.entity:
            return tokens
        marked = ["B-" + some.entity] + ["I-" + some.entity] * (len(tokens) - 1)
        return [(word, tag, mark) for (word, tag, _), mark in zip(tokens, marked, strict=True)]


def _token(part: Part, before: list[Token]) -> Token:
    if part.entity == "+":
        return part.word, part.tag, "I-" + before[-1][2][2:]
    return part.word, part.tag, "B-" + part.entity if part.entity else "O"


def _in_print(tokens: list[Token], capital: bool) -> list[Token]:
    """With "an" before a vowel, and most often a capital at the beginning."""
    made = []
    for at, (word, tag, entity) in enumerate(tokens):
        following = tokens[at + 1][0] if at + 1 < len(tokens) else ""
        if word in ("a", "an"):
            word = "an" if re.match(r"(?i)([aeio]|hour|u(?!ni))", following) and following != "one" else "a"
        made.append((word[:1].upper() + word[1:] if capital and not at else word, tag, entity))
    return made
