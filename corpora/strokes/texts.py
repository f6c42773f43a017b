"""Reading the word lists and the templates, and drawing texts from them."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
SHORTEST, LONGEST = 3, 30
_SLOT = re.compile(r"\{(\w+)\}")


def _lines(name: str) -> list[str]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@functools.cache
def words() -> dict[str, tuple[str, ...]]:
    """The entries of each key."""
    split = (line.partition(": ") for line in _lines("words.txt"))
    return {key: tuple(entry.strip() for entry in entries.split(";")) for key, _, entries in split}


@functools.cache
def templates() -> tuple[str, ...]:
    """The templates, in their order."""
    return tuple(_lines("templates.txt"))


def _number(key: str, draw: Random) -> str | None:
    """What a slot of numbers and signs becomes; None for a slot of words."""
    if set(key) == {"n"}:
        return str(draw.randrange(10 ** (len(key) - 1), 10 ** len(key)))
    if key == "year":
        return str(draw.randrange(1840, 2031))
    if key == "date":
        return str(draw.randrange(1, 29))
    if key == "heat":
        return str(draw.randrange(140, 250, 10))
    if key == "sum":
        one, other = draw.randrange(2, 100), draw.randrange(2, 100)
        return f"{one} + {other} = {one + other}" if draw.random() < 0.5 else f"{one} x {other} = {one * other}"
    if key == "clock":
        return f"{draw.randrange(1, 13)}:{draw.randrange(0, 60, 5):02d}"
    if key == "phone":  # of the numbers that are set aside for stories
        return f"01632 960{draw.randrange(1000):03d}"
    if key == "letter":
        return draw.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
    if key == "postcode":
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        outer = f"{draw.choice(letters)}{draw.choice(letters)}{draw.randrange(1, 30)}"
        return f"{outer} {draw.randrange(1, 10)}{draw.choice(letters)}{draw.choice(letters)}"
    return None


def drawn(template: str, draw: Random) -> str:
    """A template with its slots filled, "an" before a vowel."""

    def fill(found: re.Match[str]) -> str:
        key = found[1]
        number = _number(key, draw)
        if number is not None:
            return number
        entry = draw.choice(words()[key[0].lower() + key[1:]])
        return entry[0].upper() + entry[1:] if key[0].isupper() else entry

    text = _SLOT.sub(fill, template)
    text = re.sub(r"\b([Aa]) (?=[aeio]|u(?!n[ai]))", r"\1n ", text)
    return re.sub(r"\b([Aa])n? (a |(?:boots|gloves|flowers|stamps|pencils|scales)\b)", r"\2", text)


def texts(count: int, draw: Random, seen: set[str]) -> list[str]:
    """``count`` texts of 3 to 30 characters, each new; ``seen`` (small letters) grows by them."""
    made: list[str] = []
    while len(made) < count:
        text = drawn(draw.choice(templates()), draw)
        if SHORTEST <= len(text) <= LONGEST and text.lower() not in seen:
            seen.add(text.lower())
            made.append(text)
    return made
