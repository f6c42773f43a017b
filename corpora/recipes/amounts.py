"""Amounts, units, and singular and plural: how an ingredient line is read, scaled and printed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction


def word_set(text: str) -> frozenset[str]:
    """The words of a text, to write long sets of words legibly."""
    return frozenset(text.split())


IRREGULAR = {
    "leaf": "leaves",
    "loaf": "loaves",
    "half": "halves",
    "tomato": "tomatoes",
    "potato": "potatoes",
    "mango": "mangoes",
    "fish": "fish",
    "cookie": "cookies",
    "brownie": "brownies",
    "pie": "pies",
    "quiche": "quiches",
    "brioche": "brioches",
    "chilli": "chillies",
}
SINGULAR = {plural: single for single, plural in IRREGULAR.items()}
# Words that end in s and are no plural, so neither form may be cut or lengthened.
UNCHANGED = word_set("bass molasses couscous hummus asparagus watercress lemongrass swiss brussels")
# Words whose plural is no different.
SAME = word_set(
    "anise chicory broccoli fennel mackerel trout salmon cod squid bream okra celeriac garlic tuna "
    "monkfish ginger celery choi radicchio haddock kohlrabi"
)

METRIC = word_set("g kg ml l litre cm")
SPOONS = word_set("tsp tbsp")
WHOLE_UNITS = word_set("clove sprig slice sheet rasher stalk leaf ball fillet cube sachet strip")
HALF_UNITS = word_set("tin handful bunch pinch packet head jar stick block tub knob bag piece")
UNITS = METRIC | SPOONS | WHOLE_UNITS | HALF_UNITS
WITH_OF = word_set("pinch handful knob")
SIZES = word_set("large small medium big thick thin heaped level generous good")
# Things that a cook does cut in half to scale a recipe; all others are counted in whole ones.
HALVED = word_set(
    "onion lemon lime orange cucumber pepper cabbage cauliflower avocado chilli leek aubergine lettuce "
    "bulb fennel apple mango pumpkin squash courgette grapefruit celeriac swede melon pineapple "
    "pomegranate baguette nutmeg pear shallot loaf broccoli"
)

_NUMBER = r"(?:\d+ \d+/\d+|\d+/\d+|\d+(?:\.\d+)?[½¼¾]?|[½¼¾])"
_AMOUNT = re.compile(rf"(?P<low>{_NUMBER})(?:(?:-| to )(?P<high>{_NUMBER}))?(?= |$)")
_FRACTIONS = {"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)}


def singular(word: str) -> str:
    """The singular of a word (words that are no plural come back as they are)."""
    if word in SINGULAR:
        return SINGULAR[word]
    if word in UNCHANGED or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    if word.endswith("oes"):
        return word[:-2]
    return word[:-1]


def plural(word: str) -> str:
    """The plural of a word given in the singular."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in UNCHANGED or word in SAME:
        return word
    if word.endswith(("ch", "sh", "x", "ss", "us")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def in_number(name: str, many: bool) -> str:
    """`name` with its noun in the singular or the plural: the word before " of " or " in ", else the last."""
    head, link, rest = name, "", ""
    for word in (" of ", " in ", " with ", " on "):
        if word in head:
            head, _, tail = head.partition(word)
            link, rest = word, tail + link + rest
    *front, last = head.split(" ")
    changed = singular(last)
    if many:
        changed = plural(changed)
    return " ".join([*front, changed]) + link + rest


def number(text: str) -> Fraction:
    """The value of an amount as people write it: "2", "0.5", "1/2", "1 1/2", "1½"."""
    if text[-1] in _FRACTIONS:
        return Fraction(text[:-1] or 0) + _FRACTIONS[text[-1]]
    return sum((Fraction(part) for part in text.split(" ")), Fraction(0))


def show(value: Fraction) -> str:
    """An amount in print: quarters and halves as fractions, anything else as a decimal."""
    whole, rest = divmod(value, 1)
    for sign, fraction in _FRACTIONS.items():
        if rest == fraction:
            return f"{whole or ''}{sign}"
    return f"{float(value):g}"


@dataclass(frozen=True)
class Ingredient:
    """One ingredient line, taken apart."""

    low: Fraction | None
    high: Fraction | None
    size: str
    unit: str
    name: str
    prep: str

    def text(self, range_word: str = "-") -> str:
        """The line as it is printed; `range_word` stands between the two ends of a range."""
        tail = f", {self.prep}" if self.prep else ""
        if self.low is None:
            return self.name + tail
        many = (self.high or self.low) > 1
        low, unit, name = show(self.low), self.unit, self.name
        if not unit:
            name = in_number(name, many)
        elif unit not in METRIC | SPOONS or unit == "litre":
            unit = plural(unit) if many else unit
        if self.unit in WITH_OF:
            name = f"of {name}"
            low = ("an" if self.size[:1] in set("aeiou") else "a") if self.low == 1 and not self.high else low
        amount = f"{low}{range_word}{show(self.high)}" if self.high else low
        return " ".join(part for part in (amount, self.size, unit, name) if part) + tail


def read(line: str) -> Ingredient:
    """Take an ingredient line apart, as written in a family or as printed."""
    body, _, prep = line.partition(", ")
    for article in ("a ", "an "):
        words = body[len(article) :].split(" ") if body.startswith(article) else []
        if any(singular(word) in WITH_OF for word in words[:2]):
            body = "1 " + body[len(article) :]
    found = _AMOUNT.match(body)
    if not found:
        return Ingredient(None, None, "", "", body, prep)
    low = number(found["low"])
    high = number(found["high"]) if found["high"] else None
    words = body[found.end() :].split()
    size, unit = "", ""
    if len(words) > 2 and words[0] in SIZES and singular(words[1]) in UNITS:
        size = words.pop(0)
    if len(words) > 1 and singular(words[0]) in UNITS:
        unit = singular(words.pop(0))
        if words[0] == "of" and len(words) > 1:
            words.pop(0)
    return Ingredient(low, high, size, "litre" if unit == "l" else unit, " ".join(words), prep)


def _nearest(value: Fraction, step: Fraction | int) -> Fraction:
    """The multiple of `step` nearest to `value`, never none at all; a tie goes up."""
    step = Fraction(step)
    return max(step, (value / step + Fraction(1, 2)).__floor__() * step)


def _round_metric(value: Fraction) -> Fraction:
    for limit, step in ((10, 1), (100, 5), (500, 25), (1000, 50)):
        if value < limit:
            return _nearest(value, step)
    return min(_nearest(value, 100), _nearest(value, 250), key=lambda near: abs(near - value))


def _round_spoons(value: Fraction) -> Fraction:
    for limit, step in ((1, Fraction(1, 4)), (4, Fraction(1, 2))):
        if value < limit:
            return _nearest(value, step)
    return _nearest(value, 1)


def _round_count(value: Fraction, unit: str, name: str) -> Fraction:
    noun = singular(name.split(" ")[-1])
    if value < 3 and (unit in HALF_UNITS - WITH_OF or (not unit and noun in HALVED)):
        return _nearest(value, Fraction(1, 2))
    return _nearest(value, 1)


def _scaled(item: Ingredient, value: Fraction, factor: Fraction) -> tuple[Fraction, str]:
    """One amount times `factor`, in the unit that a cook would use."""
    unit = item.unit
    if unit in ("kg", "litre"):
        value, unit = value * 1000, {"kg": "g", "litre": "ml"}[unit]
    value *= factor
    if unit in ("g", "ml"):
        value = _round_metric(value) if factor != 1 else value
        return (value / 1000, {"g": "kg", "ml": "litre"}[unit]) if value >= 1000 else (value, unit)
    if unit in SPOONS:
        spoons = value * (3 if unit == "tbsp" else 1)
        if factor == 1 and not (unit == "tsp" and value >= 3 and value % 3 == 0):
            return value, unit
        if spoons >= 3 and (unit == "tbsp" or spoons % 3 == 0 or spoons > 5):
            return _round_spoons(spoons / 3), "tbsp"
        if unit == "tbsp" and spoons == Fraction(3, 2):
            return Fraction(1, 2), "tbsp"
        return _round_spoons(spoons), "tsp"
    if unit == "cm" or factor == 1:
        return (_nearest(value, 1), unit) if factor != 1 else (value, unit)
    return _round_count(value, unit, item.name), unit


def vary(item: Ingredient, tenths: int) -> Ingredient:
    """The ingredient with so many tenths more or less of it, in round figures: one cook's amount and another's.

    Only of what is weighed or measured in some quantity; spoons, pieces and ranges stay.
    """
    if item.low is None or item.high or item.unit not in ("g", "ml") or item.low < 40:
        return item
    step = 5 if item.low < 100 else 10 if item.low < 300 else 20 if item.low < 500 else 50
    return replace(item, low=_nearest(item.low * (10 + tenths) / 10, step))


def scale(item: Ingredient, factor: Fraction) -> Ingredient:
    """The ingredient for `factor` times the servings, rounded as a cook rounds."""
    if item.low is None:
        return item
    low, unit = _scaled(item, item.low, factor)
    if item.high is None:
        return replace(item, low=low, unit=unit)
    high, high_unit = _scaled(item, item.high, factor)
    if high_unit != unit:  # a range must not run from 800 g to 1 kg in two units
        low, unit = (low / 1000 if unit in ("g", "ml") else low / 3), high_unit
        low = _nearest(low, Fraction(1, 10) if unit in METRIC else Fraction(1, 2))
    return replace(item, low=low, high=high if high > low else None, unit=unit)
