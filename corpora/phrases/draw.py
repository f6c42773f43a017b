"""Draw sentences of a construction: its slots are filled one after the other, each to fit those before it.

A slot is written ``name:kind``. The kinds are

    fruit|drink   a noun of these domains, one of it; with * several, ~ one or several, + with an adjective;
                  food, thing, goods stand for several domains; =soup,rice for these nouns; @n for the domain of n
    n             of a verb or an adjective: one that goes with the noun n; &tag has the tag, -tag has it not
    act, person   a verb without object, an adjective for people
    kin|role      people, by the headings of people.txt; none stands twice in a sentence
    past ...      a phrase, by the headings of others.txt
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from .lexicon import LANGUAGES, Adjective, Noun, Person, Verb, adjectives, nouns, people, phrases, verbs
from .render import Slot, Slots, Thing, render

HERE = Path(__file__).resolve().parent
DOMAINS = {
    "food": ("fruit", "vegetable", "baked", "meal", "store", "drink"),
    "thing": ("utensil", "garment", "luggage", "document"),
}
DOMAINS["goods"] = DOMAINS["food"] + DOMAINS["thing"]


@dataclass(frozen=True)
class Construction:
    """A sentence pattern: ``slots`` are (name, kind) in the order of drawing, ``templates`` by language."""

    name: str
    slots: tuple[tuple[str, str], ...]
    templates: dict[str, str]


@dataclass(frozen=True)
class Sentence:
    """What was drawn: the texts by language, and the words whose company is watched, as (part, key)."""

    construction: str
    texts: dict[str, str]
    words: tuple[tuple[str, str], ...]


@cache
def constructions() -> tuple[Construction, ...]:
    """All constructions, in the order of the file."""
    text = (HERE / "constructions.txt").read_text(encoding="utf-8")
    made = []
    for block in re.split(r"\n\n+", text.strip()):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        name, *slots = lines[0].split()
        pairs = tuple((slot.partition(":")[0], slot.partition(":")[2]) for slot in slots)
        made.append(Construction(name.strip("[]"), pairs, dict(zip(LANGUAGES, lines[1:], strict=True))))
    return tuple(made)


@cache
def nouns_of(kind: str) -> tuple[tuple[Noun, ...], ...]:
    """The nouns of some domains, ``fruit|drink``, or the named ones, ``=soup,rice``; one row a domain."""
    if kind.startswith("="):
        pool = [noun for noun in nouns() if noun.key in kind[1:].split(",")]
    else:
        names = {domain for part in kind.split("|") for domain in DOMAINS.get(part, (part,))}
        pool = [noun for noun in nouns() if noun.domain in names]
    rows: dict[str, list[Noun]] = {}
    for noun in pool:
        rows.setdefault(noun.domain, []).append(noun)
    return tuple(tuple(row) for row in rows.values())


@cache
def verbs_of(domain: str, kind: str) -> tuple[Verb, ...]:
    """The verbs for objects of a domain (any, if it is empty) that have the tags of ``&to-mishap``."""
    has, lacks = tags_of(kind)
    # "I gave the book" wants to whom, and "I left the book" where.
    lacks = lacks | {tag for tag, needs in (("only", "to"), ("left", "place")) if needs not in has}
    return tuple(
        verb
        for verb in verbs()
        if (domain in verb.domains if domain else True) and has <= verb.tags and not lacks & verb.tags
    )


@cache
def adjectives_of(domain: str, kind: str, attributive: bool) -> tuple[Adjective, ...]:
    """The adjectives for a domain, before or beside the noun (attributive) or after a verb."""
    has, lacks = tags_of(kind)
    lacks = lacks | {"pred" if attributive else "attr"}
    return tuple(one for one in adjectives() if domain in one.domains and has <= one.flags and not lacks & one.flags)


def tags_of(kind: str) -> tuple[set[str], set[str]]:
    """The tags that are asked for and those that are refused."""
    return set(re.findall(r"&(\w+)", kind)), set(re.findall(r"-(\w+)", kind))


def draw_thing(kind: str, drawn: dict[str, Slot], source: Random) -> Thing | None:
    """A noun of a kind, with its number and perhaps an adjective."""
    kind, marks = re.findall(r"^(.*?)([*~+]*)$", kind)[0]
    if kind.startswith("@"):
        like = drawn[kind[1:]]
        assert isinstance(like, Thing)
        kind = like.noun.domain
    # By domain first, so that a domain with few nouns is met as often as the others.
    noun = source.choice(source.choice(nouns_of(kind)))
    if any(isinstance(other, Thing) and other.noun is noun for other in drawn.values()):
        return None
    several = "*" in marks or ("~" in marks and source.random() < 0.4)
    fitting = adjectives_of(noun.domain, "", True) if "+" in marks else ()
    if "+" in marks and not fitting:
        return None
    return Thing(noun, several and not noun.mass, source.choice(fitting) if fitting else None)


def draw_slot(name: str, kind: str, drawn: dict[str, Slot], source: Random) -> Slot | None:
    """What fills a slot; None if nothing fits what was drawn before."""
    head = re.split(r"[&-]", kind, maxsplit=1)[0]
    if name in ("v", "w"):
        noun = drawn.get(head)
        domain = noun.noun.domain if isinstance(noun, Thing) else head
        choice: tuple[Slot, ...] = verbs_of(domain, kind[len(head) :])
    elif name in ("a", "b"):
        noun = drawn.get(head)
        domain = noun.noun.domain if isinstance(noun, Thing) else head
        choice = adjectives_of(domain, kind[len(head) :], False)
    elif kind.split("|")[0] in phrases():
        choice = tuple(phrase for group in kind.split("|") for phrase in phrases()[group])
    elif kind.split("|")[0] in people():
        groups = [people()[group] for group in kind.split("|")]
        taken = {other.key for other in drawn.values() if isinstance(other, Person)}
        choice = tuple(person for person in source.choice(groups) if person.key not in taken)
    else:
        return draw_thing(kind, drawn, source)
    if drawn:
        there = set(map(id, drawn.values()))
        choice = tuple(one for one in choice if id(one) not in there)
    return source.choice(choice) if choice else None


def words_of(slots: Slots) -> tuple[tuple[str, str], ...]:
    """The words of a sentence whose company is watched: nouns, verbs, adjectives, and people but pronouns."""
    words = []
    for slot in slots.values():
        if isinstance(slot, Thing):
            words.append(("noun", slot.noun.key))
            if slot.adjective is not None:
                words.append(("adjective", slot.adjective.key))
        elif isinstance(slot, Verb):
            words.append(("verb", slot.key))
        elif isinstance(slot, Adjective):
            words.append(("adjective", slot.key))
        elif isinstance(slot, Person) and slot.key not in ("I", "we", "he", "she"):
            words.append(("person", slot.key))
    return tuple(words)


def draw_slots(construction: Construction, source: Random) -> dict[str, Slot] | None:
    """What fills the slots; None where those drawn first leave no choice for a later one."""
    slots: dict[str, Slot] = {}
    for name, kind in construction.slots:
        slot = draw_slot(name, kind, slots, source)
        if slot is None:
            return None
        slots[name] = slot
    return slots


def write(construction: Construction, slots: Slots) -> Sentence:
    """The sentence that the slots make, in every language."""
    texts = {language: render(template, slots, language) for language, template in construction.templates.items()}
    return Sentence(construction.name, texts, words_of(slots))
