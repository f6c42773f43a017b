"""Reading the word lists (words/*.txt) and the template families (families/*.txt)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: What a review is of; words of ``general`` belong to all of them.
DOMAINS = ("film", "food", "hotel", "gadget")

_WORDS = re.compile(r"(?P<key>[a-z]+)(\.(?P<topic>[a-z ]+))?: (?P<entries>.+)")
_FAMILY = re.compile(r"(?P<name>[a-z0-9-]+)( \((?P<domains>[a-z ]+)\))?: (?P<text>.+?)( <= (?P<side>.+))?")
# Brackets hold choices; braces hold slots; angle brackets hold what the label chooses between.
_PAIRS = {"]": "[", "}": "{", ">": "<"}


class FormatError(Exception):
    """A line of a word list or of a family that cannot be read: ``file:line: what is wrong``."""


@dataclass(frozen=True)
class Entry:
    """Words of one key. Neutral words stand in ``good`` alone, with ``bad`` empty; a topic is said once a review."""

    topic: str
    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """A skeleton with slots; ``{+}`` and ``{-}`` are its ``side`` with the label's polarity and with the other one."""

    name: str
    kind: str
    domains: tuple[str, ...]
    text: str
    side: str
    challenge: bool


#: The entries of each key.
Words = dict[str, list[Entry]]


def _lines(path: Path) -> list[tuple[str, str]]:
    """``(file:line, text)`` of what is neither blank nor a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [(f"{path.name}:{number}", line.strip()) for number, line in enumerate(lines, 1)]
    return [(place, line) for place, line in kept if line and not line.startswith("#")]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def read_words(path: Path) -> Words:
    """The word lists of a file.

    Raises:
        FormatError: a line is no word list.
    """
    words: Words = {}
    for place, line in _lines(path):
        match = _WORDS.fullmatch(line)
        if not match:
            raise FormatError(f"{place}: '{line}' is not like 'key: good; good / bad; bad'")
        good, _, bad = match["entries"].partition(" / ")
        entries = words.setdefault(match["key"], [])
        if entries and not (match["topic"] and entries[0].topic):
            raise FormatError(f"{place}: '{match['key']}' has its line already; only topics have several")
        entries.append(Entry(match["topic"] or "", _split(good), _split(bad)))
    return words


def read_all_words(folder: Path) -> dict[str, Words]:
    """The words of each domain, those of ``general.txt`` included."""
    general = read_words(folder / "general.txt")
    merged = {}
    for domain in DOMAINS:
        own = read_words(folder / f"{domain}.txt")
        keys = sorted({*general, *own})
        merged[domain] = {key: [*own.get(key, []), *general.get(key, [])] for key in keys}
        for key, entries in merged[domain].items():
            if len({bool(entry.bad) for entry in entries}) > 1:
                raise FormatError(f"{domain}.txt: '{key}' has two polarities here and one in general.txt")
    return merged


def check_brackets(text: str) -> str:
    """What is wrong with the brackets of a skeleton; empty if nothing is."""
    held: list[str] = []
    for sign in text:
        if sign in _PAIRS.values():
            held.append(sign)
        elif sign in _PAIRS and (not held or held.pop() != _PAIRS[sign]):
            return f"'{sign}' closes nothing"
    return f"'{held[-1]}' is never closed" if held else ""


def read_families(path: Path) -> list[Family]:
    """The families of a file, under headings ``[kind]``, one a line: ``name (domains): text <= side``.

    Raises:
        FormatError: a line cannot be read.
    """
    families: list[Family] = []
    kind = ""
    for place, line in _lines(path):
        if heading := re.fullmatch(r"\[([a-z]+)\]", line):
            kind = heading[1]
            continue
        match = _FAMILY.fullmatch(line)
        if not match or not kind:
            raise FormatError(f"{place}: '{line}' is not like 'name: text <= side' under a heading [kind]")
        text, side = match["text"], match["side"] or ""
        if wrong := check_brackets(text) or check_brackets(side):
            raise FormatError(f"{place}: {wrong}")
        if bool(side) != ("{+}" in text and "{-}" in text):
            raise FormatError(f"{place}: a side is for {{+}} and {{-}} in the text, and they for a side")
        domains = tuple((match["domains"] or " ".join(DOMAINS)).split())
        families.append(Family(match["name"], kind, domains, text, side, path.stem == "challenge"))
    return families
