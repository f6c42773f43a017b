"""From a dish family to recipes: what is drawn, and how it is printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from .amounts import Ingredient, in_number, number, plural, read, scale, show, singular, vary, word_set
from .dish import Choice, Condition, Conditional, Family, FormatError, Line, Option, Slot, Template, template

SMALL_WORDS = {"and", "with", "in", "of", "the", "a", "an", "on", "or", "for", "to", "from", "at", "by"}
TIME_UNITS = {"min": "minute", "h": "hour", "s": "second", "d": "day"}
_NUM = r"\d+(?:\.\d+|/\d+|½|¼|¾)?"
MEASURE = re.compile(rf"({_NUM})(?:\s*-\s*({_NUM}))?\s*(min|h|s|d|C)")
# Stands after a pick's name in a title until `attributive` has looked at what follows.
END_OF_NAME = "\x00"
# After these words "8 to 10 minutes" may also be said as "about 10 minutes".
_ABOUT_AFTER = re.compile(r"(?:^|\s)(?:for|in|after|takes?|needs?|allow)\s*$", re.I)
# What may follow a noun that is the end of its phrase: "the onion and", but not "the onion rings".
_AFTER_PHRASE = (
    "and in into with is are to for over on onto until at by through from or all then together lightly well again "
    "back while if so as has have but up out off under around a an the one very finely thinly coarsely gently "
    "inside between after before when which that along among lengthways crossways roughly first"
)
# And what before it: "the onion", "garlic and red onion", but not "with one onion".
_BEFORE_NOUN = r"(?:\b(?:[Tt]he|and|or|with)|,) (?:(?!(?:an?|one|each|every|another|half|two|three)\b)\w+ )?"
_PHRASE_END = rf"(?=[,.;:)]|$| (?:{_AFTER_PHRASE.replace(' ', '|')})\b)"
# What a cake or a loaf stands on keeps its proportion; a little more or less of the rest makes another cook's recipe.
STRUCTURE = word_set("flour butter sugar eggs egg chocolate yeast water milk cream oats oatmeal")


@dataclass(frozen=True)
class Style:
    """How one recipe writes its times and temperatures."""

    ranges: str  # "to", "-" or "about"
    one: str  # "1" or "a"
    fan: bool


STYLES = [
    Style(ranges, one, fan)
    for ranges, one, fan in (
        ("to", "1", False),
        ("-", "a", False),
        ("about", "1", True),
        ("to", "a", True),
        ("-", "1", False),
        ("about", "a", False),
    )
]


@dataclass
class Draw:
    """The choices that make one recipe of a family."""

    options: dict[str, Option]
    maybes: dict[str, bool]
    count: int
    title: Line
    style: Style
    words: Random = field(default_factory=Random)

    def key(self) -> str:
        """The choices in words, for messages."""
        return " ".join(f"{name}={option.say}" for name, option in self.options.items())


@dataclass(frozen=True)
class Recipe:
    """A printed recipe; `lines` are the line numbers that its ingredients and steps come from."""

    family: str
    title: str
    serves: str
    ingredients: tuple[str, ...]
    steps: tuple[str, ...]
    lines: tuple[tuple[int, ...], tuple[int, ...]] = field(default=((), ()), compare=False)

    def text(self) -> str:
        """The recipe as a reader of the corpus sees it."""
        return "\n\n".join([self.title, self.serves, "\n".join(self.ingredients), "\n".join(self.steps)])

    def record(self) -> dict[str, object]:
        """The recipe as a line of a data file."""
        return {
            "family": self.family,
            "title": self.title,
            "serves": self.serves,
            "ingredients": list(self.ingredients),
            "steps": list(self.steps),
        }


def title_case(text: str) -> str:
    """Capitals for all words but the small ones in the middle."""
    words = text.split(" ")
    inner = [word if word in SMALL_WORDS and at else word[:1].upper() + word[1:] for at, word in enumerate(words)]
    return " ".join(inner)


def attributive(text: str) -> str:
    """A title in which a name before another noun is in the singular: "Mushroom Pie" of mushrooms."""
    noun = rf"{END_OF_NAME} [A-Z](?![\w-]*ed\b)"
    return re.sub(
        rf"(\w+)(?={noun}|{END_OF_NAME} and [^{END_OF_NAME}]+{noun})",
        lambda match: singular(match[1].lower()).capitalize(),
        text,
    ).replace(END_OF_NAME, "")


def _article(match: re.Match[str]) -> str:
    vowel = re.match(r"(?:[aeiou]|hour)(?!ne\b|nce\b|nion|ni[tfq]|se|tensil|ew)", match[2], re.I)
    right = "an" if vowel or match[2].lower().startswith("onion") else "a"
    return (right.capitalize() if match[1][0].isupper() else right) + " " + match[2]


def tidy(text: str) -> str:
    """Mend what dropped and joined wordings leave behind: spaces, commas, articles, capitals."""
    text = re.sub(r"\s+", " ", text.replace(END_OF_NAME, "")).strip()
    text = re.sub(r"\( ", "(", re.sub(r" (?=[,.;:)!?])", "", text))
    text = re.sub(r",(?:,)+", ",", text)
    text = re.sub(r"[,;:]+(?=\.)", "", text)
    text = re.sub(r"(?<!\.)\.\.(?!\.)", ".", text)
    text = re.sub(r"^[,.;: ]+", "", text)
    text = re.sub(r"\b([Aa]n?) (\w+)", _article, text)
    return re.sub(r"(^|[.!?] )([a-zà-ÿ])", lambda match: match[1] + match[2].upper(), text)


class Printer:
    """Prints one draw of a family."""

    def __init__(self, family: Family, draw: Draw) -> None:
        self.family = family
        self.draw = draw

    def holds(self, condition: Condition) -> bool:
        """Whether a condition is true of this draw."""
        if condition.option:
            return self.draw.options[condition.name].called(condition.option) == condition.wanted
        return self.draw.maybes[condition.name] == condition.wanted

    def stands(self, line: Line) -> bool:
        """Whether a line is part of this recipe."""
        return all(self.holds(condition) for condition in line.conditions)

    def render(self, nodes: Template, before: str = "") -> str:
        """The text of a template."""
        text = before
        for node in nodes:
            if isinstance(node, str):
                text += node
            elif isinstance(node, Choice):
                text = self.render(node.options[int(self.draw.words.random() * len(node.options))], text)
            elif isinstance(node, Conditional):
                text = self.render(node.body, text) if self.holds(node.condition) else text
            else:
                text += self.slot(node, text)
        return text

    def slot(self, slot: Slot, before: str) -> str:
        """What braces stand for, after the text `before`."""
        inner = slot.text
        if inner == "servings":
            return str(self.draw.count)
        if inner == "pieces":
            return self.pieces()
        reference = re.fullmatch(r"([a-z]\w*)(?:\.([A-Za-z]\w*))?(?:\s+(min|h|s|d|C))?", inner)
        if reference:
            value = self.value(reference[1], reference[2])
            if not reference[3]:
                return value
            inner = f"{value} {reference[3]}"
        measure = MEASURE.fullmatch(inner)
        if not measure:
            raise FormatError(f"'{{{slot.text}}}' is neither a pick nor a time nor a temperature ('{inner}')")
        if measure[3] == "C":
            return self.heat(measure[1], measure[2], before)
        return self.time(measure[1], measure[2], measure[3], before)

    def pieces(self) -> str:
        """What the recipe makes is called, in the right number; nothing where it serves people."""
        return in_number(self.family.pieces, self.draw.count > 1) if self.family.pieces else ""

    def value(self, name: str, key: str | None) -> str:
        """What a pick says here."""
        option = self.draw.options[name]
        if key is None:
            text = option.text
        elif key == "say":
            text = option.say
        elif key == "Say":
            text = option.say[:1].upper() + option.say[1:]
        elif key in ("name", "Name"):
            text = option.keys.get("name", option.say)
            text = title_case(text) + END_OF_NAME if key == "Name" else text
        elif key in option.keys:
            text = option.keys[key]
        elif key[:1].lower() + key[1:] in option.keys:
            text = title_case(option.keys[key[:1].lower() + key[1:]])
        else:
            raise FormatError(f"option '{option.text}' of pick '{name}' has no '{key}='")
        return self.render(template(text))

    def time(self, low: str, high: str | None, unit: str, before: str) -> str:
        """A time in the recipe's style."""
        first, last = number(low), number(high) if high else None
        if unit == "min" and not last and first >= 60 and first % 15 == 0:
            first, unit = first / 60, "h"
        if unit == "h" and (last or first) < 1:
            first, last, unit = first * 60, last and last * 60, "min"
        word = TIME_UNITS[unit]
        if last:
            if self.draw.style.ranges == "about" and _ABOUT_AFTER.search(before):
                return f"about {show(last)} {plural(word) if last > 1 else word}"
            link = "-" if self.draw.style.ranges == "-" else " to "
            return f"{show(first)}{link}{show(last)} {plural(word)}"
        if first == 1 and self.draw.style.one == "a" and re.search(r"(?:^|\s)for\s*$", before):
            return f"a{'n' if unit == 'h' else ''} {word}"
        return f"{show(first)} {plural(word) if first > 1 else word}"

    def heat(self, low: str, high: str | None, before: str) -> str:
        """A temperature; the fan oven's is added only where the sentence speaks of the oven."""
        if high:
            return f"{low}{'-' if self.draw.style.ranges == '-' else ' to '}{high} °C"
        oven = "oven" in re.split(r"[.!?] ", before)[-1].lower()
        return f"{low} °C" + (f" ({int(low) - 20} °C fan)" if self.draw.style.fan and oven else "")

    def ingredient(self, line: Line) -> tuple[Ingredient, Ingredient]:
        """An ingredient as the family has it, and as this recipe does."""
        item = read(tidy_line(self.render(line.template)))
        if line.fixed:
            return item, item
        tenths = int(self.draw.words.random() * 3) - 1  # drawn for every line, so that no line changes those after it
        built = self.family.pieces and STRUCTURE & set(item.name.lower().split(" "))
        return item, vary(scale(item, Fraction(self.draw.count, self.family.base)), 0 if built else tenths)

    def recipe(self) -> Recipe:
        """The printed recipe."""
        pairs = [(line, *self.ingredient(line)) for line in self.family.ingredients if self.stands(line)]
        link = "-" if self.draw.style.ranges == "-" else " to "
        agree = agreement([before for _, before, _ in pairs], [after for _, _, after in pairs])
        steps: list[tuple[int, str]] = []
        for line in self.family.steps:
            text = agree(tidy(self.render(line.template))) if self.stands(line) else ""
            if text:
                steps.append((line.number, f"{len(steps) + 1}. {text}"))
        pieces = self.pieces()
        return Recipe(
            self.family.name,
            title_case(tidy(attributive(self.render(self.draw.title.template)))),
            f"Makes {self.draw.count} {pieces}" if pieces else f"Serves {self.draw.count}",
            tuple(after.text(link) for _, _, after in pairs),
            tuple(text for _, text in steps),
            (tuple(line.number for line, _, _ in pairs), tuple(at for at, _ in steps)),
        )


def tidy_line(text: str) -> str:
    """The spaces and commas of an ingredient line."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" (?=,)", "", text).rstrip(",")


def _noun(item: Ingredient) -> str:
    return singular(re.split(r" (?:of|in|for|with|to) ", item.name)[0].split(" ")[-1])


def agreement(before: list[Ingredient], after: list[Ingredient]) -> Callable[[str], str]:
    """A function that puts "the egg" or "the eggs" in the number that scaling has made of it."""
    nouns = [_noun(item) for item in before]
    changes = []
    for old, new, noun in zip(before, after, nouns, strict=True):
        if old.low is None or new.low is None or old.unit or nouns.count(noun) > 1:
            continue
        was, now = (old.high or old.low) > 1, (new.high or new.low) > 1
        if was != now:
            form, other = (plural(noun), noun) if was else (noun, plural(noun))
            verbs = (("are", "is"), ("have", "has")) if was else (("is", "are"), ("has", "have"))
            changes.append((re.compile(rf"({_BEFORE_NOUN}){form}{_PHRASE_END}"), other, verbs))

    def agree(text: str) -> str:
        for pattern, other, verbs in changes:
            text = pattern.sub(rf"\1{other}", text)
            for verb, right in verbs:
                text = re.sub(rf"\b(the (?:\w+ )?{other}) {verb}\b", rf"\1 {right}", text, flags=re.I)
        return text

    return agree
