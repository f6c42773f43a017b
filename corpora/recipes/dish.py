"""Reading the dish families: from the lines of a file to templates that `expand` can print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .amounts import read


class FormatError(ValueError):
    """Something that a family file must not say; the message opens with file and line."""


@dataclass(frozen=True)
class Condition:
    """`?name`, `!name` or `?name=option`."""

    name: str
    option: str
    wanted: bool


@dataclass(frozen=True)
class Slot:
    """What stands between braces."""

    text: str


@dataclass(frozen=True)
class Choice:
    """`[a|b]`: one of several wordings."""

    options: tuple[Template, ...]


@dataclass(frozen=True)
class Conditional:
    """`(?name: text)`."""

    condition: Condition
    body: Template


Template = tuple["str | Slot | Choice | Conditional", ...]


@dataclass(frozen=True)
class Option:
    """One alternative of a pick: its text, and the values that go with it."""

    text: str
    keys: dict[str, str] = field(hash=False)

    @property
    def say(self) -> str:
        """How a step says it."""
        return self.keys.get("say") or short_name(self.text)

    def called(self, words: str) -> bool:
        """Whether a test such as `?veg=pumpkin` means this option."""
        return words.lower() in self.names()

    def names(self) -> set[str]:
        """All that a test may call it."""
        names = {
            self.text,
            read(self.text).name,
            short_name(self.text),
            self.say,
            self.keys.get("name", self.say),
        }
        return {name.lower() for name in names}


@dataclass(frozen=True)
class Line:
    """A title, an ingredient or a step, with the conditions under which it stands."""

    number: int
    conditions: tuple[Condition, ...]
    template: Template
    fixed: bool = False


@dataclass
class Family:
    """A dish with all its variations."""

    name: str
    file: str
    number: int
    titles: list[Line] = field(default_factory=list)
    base: int = 0
    counts: tuple[int, ...] = ()
    pieces: str = ""
    picks: dict[str, list[Option]] = field(default_factory=dict)
    maybes: dict[str, float] = field(default_factory=dict)
    ingredients: list[Line] = field(default_factory=list)
    steps: list[Line] = field(default_factory=list)

    def lines(self) -> Iterator[Line]:
        """All lines that hold a template."""
        yield from self.titles
        yield from self.ingredients
        yield from self.steps

    def where(self, number: int | None = None) -> str:
        """The opening of a message about this family, or about one of its lines."""
        return f"{self.file}:{number or self.number}: {self.name}"


def short_name(text: str) -> str:
    """An option without its amount, without the size of what is counted, and without what follows a comma."""
    item = read(text)
    first, _, rest = item.name.partition(" ")
    counted = item.low is not None and not item.unit
    return rest if counted and rest and first in ("large", "small", "medium", "big") else item.name


def split_top(text: str, mark: str) -> list[str]:
    """Split at `mark` where no bracket is open."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "[{(") - (sign in "]})")
        if sign == mark and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


class _Reader:
    """A recursive-descent reader of one template."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def sequence(self, stops: str) -> Template:
        """Everything up to one of `stops` (which is left to the caller) or the end."""
        parts: list[str | Slot | Choice | Conditional] = []
        plain, depth = "", 0
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in stops and not (sign == ")" and depth):
                break
            if sign in "[{" or self.text.startswith(("(?", "(!"), self.at):
                parts += [plain, self.special(sign)]
                plain = ""
                continue
            if sign in "]}":
                raise ValueError(f"'{sign}' closes nothing at '...{self.text[max(0, self.at - 20) : self.at + 1]}'")
            depth += (sign == "(") - (sign == ")")
            plain += sign
            self.at += 1
        return tuple(part for part in [*parts, plain] if part != "")

    def special(self, sign: str) -> Slot | Choice | Conditional:
        """A brace, a bracket or a condition in parentheses."""
        opened = self.at
        self.at += 1
        if sign == "{":
            end = self.text.find("}", opened)
            if end < 0:
                raise ValueError(f"'{{' is never closed at '{self.text[opened : opened + 20]}...'")
            self.at = end + 1
            return Slot(self.text[opened + 1 : end].strip())
        if sign == "[":
            options = [self.sequence("|]")]
            while self.closed(opened) == "|":
                options.append(self.sequence("|]"))
            return Choice(tuple(options))
        head = re.compile(r"([?!])([a-z]\w*)(?:=([^:()]+))?:").match(self.text, self.at)
        if not head:
            raise ValueError(f"no condition such as (?name: text) at '{self.text[opened : opened + 20]}...'")
        self.at = head.end()
        body = self.sequence(")")
        self.closed(opened)
        return Conditional(Condition(head[2], (head[3] or "").strip(), head[1] == "?"), body)

    def closed(self, opened: int) -> str:
        """Take the sign that ended a sequence."""
        if self.at >= len(self.text):
            raise ValueError(f"'{self.text[opened]}' is never closed at '{self.text[opened : opened + 20]}...'")
        self.at += 1
        return self.text[self.at - 1]


@cache
def template(text: str) -> Template:
    """The template that a text stands for."""
    reader = _Reader(text)
    return reader.sequence("")


def _take_conditions(family: Family, text: str) -> tuple[tuple[Condition, ...], str]:
    """The conditions that open a line, and the rest of it."""
    found = []
    while head := re.match(r"([?!])([a-z]\w*)", text):
        name, rest, option = head[2], text[head.end() :], ""
        if rest.startswith("="):
            rest = rest[1:]
            names = {word for choice in family.picks.get(name, []) for word in choice.names()}
            options = [word for word in names if re.match(re.escape(word) + r"(?!\w)", rest.lower())]
            if not options:
                raise ValueError(f"'{head[0]}={rest[:20]}...' is no option of a pick '{name}' defined above")
            option = max(options, key=len)
            rest = rest[len(option) :]
        found.append(Condition(name, option, head[1] == "?"))
        text = rest.removeprefix(":").strip()
    return tuple(found), text


def _line(family: Family, number: int, text: str, fixed: bool = False) -> Line:
    conditions, text = _take_conditions(family, text)
    return Line(number, conditions, template(text), fixed)


def _servings(family: Family, keyword: str, text: str) -> None:
    shape = re.fullmatch(r"(\d+)([^()]*?)\s*(?:\(([\d, ]+)\))?", text)
    if not shape:
        raise ValueError(f"'{keyword}: {text}' should be like 'serves: 4 (2, 4, 6)' or 'makes: 12 biscuits (12, 24)'")
    family.base = int(shape[1])
    family.pieces = shape[2].strip()
    family.counts = tuple(int(count) for count in (shape[3] or shape[1]).split(","))
    if bool(family.pieces) != (keyword == "makes"):
        raise ValueError("'serves:' takes a number alone, 'makes:' a number and what the pieces are called")


def _pick(family: Family, name: str, text: str) -> None:
    if name in family.picks or name in family.maybes:
        raise ValueError(f"'{name}' is defined twice")
    family.picks[name] = []
    for option in split_top(text, "|"):
        body, *pairs = split_top(option, ";")
        keys = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if not body or len(keys) != len(pairs):
            raise ValueError(f"option '{option}' should be like '2 carrots ; say=carrots ; minutes=20'")
        family.picks[name].append(Option(body, {key.strip(): value.strip() for key, value in keys.items()}))


def _read_line(family: Family, number: int, text: str) -> None:
    """Add one line of a family's block to it."""
    if head := re.fullmatch(r"title:\s*(.+)", text):
        family.titles = [_line(family, number, title) for title in split_top(head[1], "|")]
    elif head := re.fullmatch(r"(serves|makes):\s*(.+)", text):
        _servings(family, head[1], head[2])
    elif head := re.fullmatch(r"pick ([a-z]\w*):\s*(.+)", text):
        _pick(family, head[1], head[2])
    elif head := re.fullmatch(r"maybe ([a-z]\w*):?\s+(\d+)\s*%", text):
        if head[1] in family.picks or head[1] in family.maybes:
            raise ValueError(f"'{head[1]}' is defined twice")
        family.maybes[head[1]] = int(head[2]) / 100
    elif text.startswith(("- ", "* ")):
        family.ingredients.append(_line(family, number, text[2:].strip(), text[0] == "*"))
    elif text.startswith("> "):
        family.steps.append(_line(family, number, text[2:].strip()))
    else:
        raise ValueError(f"no line of a family begins like '{text[:30]}'")


def _blocks(lines: list[str]) -> Iterator[list[tuple[int, str]]]:
    """The groups of numbered lines between blank ones, comments left out."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            yield block
            block = []


def _read_family(path: Path, block: list[tuple[int, str]], errors: list[str]) -> Family | None:
    number, first = block[0]
    head = re.fullmatch(r"family:\s*([a-z0-9]+(?:-[a-z0-9]+)*)", first)
    if not head:
        errors.append(f"{path.name}:{number}: a block opens with 'family: name-in-lower-case', not with '{first[:40]}'")
        return None
    family, before = Family(head[1], path.name, number), len(errors)
    later = [(at, text) for at, text in block[1:] if not text.startswith("title:")]
    titles = [(at, text) for at, text in block[1:] if text.startswith("title:")]
    for at, text in [*later, *titles]:  # titles last: their conditions may test picks, which stand below them
        try:
            _read_line(family, at, text)
        except ValueError as error:
            errors.append(f"{family.where(at)}: {error}")
    for what, there in (
        ("title:", family.titles),
        ("serves: or makes:", family.counts),
        ("ingredients", family.ingredients),
        ("steps", family.steps),
    ):
        if not there and len(errors) == before:
            errors.append(f"{family.where()}: no {what}")
    return family if len(errors) == before else None


def read_families(path: Path, errors: list[str]) -> list[Family]:
    """All families of a file; what cannot be read is reported in `errors` and left out."""
    text = path.read_text(encoding="utf-8")
    if "\t" in text:
        errors.append(f"{path.name}:{text[: text.index(chr(9))].count(chr(10)) + 1}: a tab")
    found = [_read_family(path, block, errors) for block in _blocks(text.split("\n"))]
    return [family for family in found if family]


def references(family: Family) -> Iterator[tuple[int, str, Condition | Slot]]:
    """Every condition and slot of a family: line number, where it stands, and the thing itself."""

    def walk(nodes: Template) -> Iterator[Condition | Slot]:
        for node in nodes:
            if isinstance(node, Slot):
                yield node
            elif isinstance(node, Conditional):
                yield node.condition
                yield from walk(node.body)
            elif isinstance(node, Choice):
                for option in node.options:
                    yield from walk(option)

    steps = set(map(id, family.steps))
    for line in family.lines():
        kind = "step" if id(line) in steps else "line"
        for thing in [*line.conditions, *walk(line.template)]:
            yield line.number, kind, thing
