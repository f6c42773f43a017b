"""The words of the phrases: nouns with gender and plural, adjectives with their forms, people and set phrases.

Each class reads one line of a file in ``words/``, where the columns are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

WORDS = Path(__file__).resolve().parent / "words"
#: English, Spanish, French: the order of the columns everywhere.
LANGUAGES = ("en", "es", "fr")
VOWELS = "aeiouáéíóúâêîôûàèëïœ"


@dataclass(frozen=True)
class Noun:
    """A noun: ``forms`` are (singular, plural) by language, ``genders`` "m" or "f"; ``mass`` nouns have no plural."""

    key: str
    domain: str
    mass: bool
    forms: dict[str, tuple[str, str]]
    genders: dict[str, str]
    stressed_a: bool = False


@dataclass(frozen=True)
class Adjective:
    """An adjective: ``forms`` are (m, f, m plural, f plural, m before what follows) by language."""

    key: str
    comparative: str
    forms: dict[str, tuple[str, ...]]
    estar: bool
    before: frozenset[str]
    domains: frozenset[str]
    flags: frozenset[str]


@dataclass(frozen=True)
class Verb:
    """A verb: English ``forms`` are (base, third person, past, -ing); of the others, the infinitives."""

    key: str
    forms: tuple[str, str, str, str]
    spanish: str
    french: str
    domains: frozenset[str]
    tags: frozenset[str]


@dataclass(frozen=True)
class Person:
    """Who does, gets or is spoken to: ``person`` is 1s, 1p, 3s, 3p; 2i (tú, tu), 2f (usted, vous) or 2p."""

    key: str
    texts: dict[str, str]
    person: str
    gender: str = "m"

    @property
    def plural(self) -> bool:
        """Whether more than one."""
        return self.person.endswith("p")


@dataclass(frozen=True)
class Phrase:
    """A set phrase, the same wherever it stands."""

    key: str
    texts: dict[str, str]


def sections(name: str) -> list[tuple[str, list[str]]]:
    """``(heading, columns)`` of each line of a file of words; comments and blank lines are passed over."""
    found: list[tuple[str, list[str]]] = []
    heading = ""
    for line in (WORDS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            heading = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            found.append((heading, [column.strip() for column in line.split("|")]))
    return found


def english_plural(noun: str) -> str:
    """By rule: cherry, cherries; dish, dishes; key, keys."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def spanish_plural(noun: str) -> str:
    """By rule: limón, limones; pan, panes; col, coles; an accent on the last vowel goes."""
    if noun[-1] in "aeiou":
        return noun + "s"
    plain = str.maketrans("áéíóú", "aeiou")
    return noun[:-2] + noun[-2:].translate(plain) + "es"


def french_plural(noun: str) -> str:
    """By rule: pomme, pommes; gâteau, gâteaux; ananas, ananas."""
    if noun[-1] in "sxz":
        return noun
    return noun + ("x" if noun.endswith("eau") else "s")


PLURALS = {"en": english_plural, "es": spanish_plural, "fr": french_plural}


@cache
def nouns() -> tuple[Noun, ...]:
    """All nouns."""
    made = []
    for heading, columns in sections("nouns.txt"):
        domain, *mass = heading.split()
        forms, genders = {}, {}
        for language, column in zip(LANGUAGES, columns, strict=True):
            singular, _, plural = column.partition("/")
            if language != "en":
                singular, genders[language] = singular.removesuffix("+a").rsplit(" ", 1)
            forms[language] = (singular, plural or PLURALS[language](singular))
        made.append(Noun(forms["en"][0], domain, bool(mass), forms, genders, columns[1].endswith("+a")))
    return tuple(made)


def spanish_forms(column: str) -> tuple[tuple[str, ...], bool]:
    """The forms of a Spanish adjective, and whether it goes with estar."""
    masculine, verb, *before = column.split()
    if masculine.endswith("o"):
        feminine = masculine[:-1] + "a"
    elif masculine in ("francés", "español"):
        feminine = {"francés": "francesa", "español": "española"}[masculine]
    else:
        feminine = masculine
    plural = spanish_plural(masculine)
    return (masculine, feminine, plural, spanish_plural(feminine), before[0] if before else masculine), verb == "e"


def french_forms(column: str) -> tuple[str, ...]:
    """The forms of a French adjective; with "=" at its end it never changes."""
    if column.endswith("="):
        return (column[:-1].strip(),) * 5
    masculine, *more = column.split()
    feminine = more[0] if more else masculine if masculine.endswith("e") else masculine + "e"
    return (masculine, feminine, french_plural(masculine), feminine + "s", more[1] if len(more) > 1 else masculine)


@cache
def adjectives() -> tuple[Adjective, ...]:
    """All adjectives."""
    made = []
    for _, (english, spanish, french, rest) in sections("adjectives.txt"):
        key, _, comparative = english.partition("/")
        domains, _, said = rest.partition(";")
        flags = set(said.split())
        forms, estar = spanish_forms(spanish)
        made.append(
            Adjective(
                key,
                comparative or f"more {key}",
                {"en": (key,) * 5, "es": forms, "fr": french_forms(french)},
                estar,
                frozenset(flag[:2] for flag in flags if flag.endswith("<")),
                frozenset(domains.split()),
                frozenset(flags),
            )
        )
    return tuple(made)


@cache
def verbs() -> tuple[Verb, ...]:
    """All verbs."""
    made = []
    for _, (english, spanish, french, rest) in sections("verbs.txt"):
        forms = [form.replace("_", " ") for form in english.split()]
        if len(forms) == 1:
            forms = english_forms(forms[0])
        domains, _, tags = rest.partition(";")
        base, third, past, ing = forms
        groups = frozenset(domains.split()), frozenset(tags.split())
        made.append(Verb(base, (base, third, past, ing), spanish, french, *groups))
    return tuple(made)


def english_forms(verb: str) -> list[str]:
    """By rule: base, third person, past, -ing."""
    third = verb + ("es" if verb.endswith(("sh", "ch", "x")) else "s")
    stem = verb.removesuffix("e")
    return [verb, third, stem + "ed", stem + "ing"]


@cache
def people() -> dict[str, tuple[Person, ...]]:
    """People by heading: pronoun, kin, role, you."""
    made: dict[str, list[Person]] = {}
    for heading, (*texts, about) in sections("people.txt"):
        person, _, gender = about.partition(" ")
        texts = ["" if text == "-" else text for text in texts]
        made.setdefault(heading, []).append(
            Person(texts[0], dict(zip(LANGUAGES, texts, strict=True)), person, gender or "m")
        )
    return {heading: tuple(some) for heading, some in made.items()}


@cache
def phrases() -> dict[str, tuple[Phrase, ...]]:
    """Set phrases by heading: past, future, habit, clock, number, day, month, state, inside."""
    made: dict[str, list[Phrase]] = {}
    for heading, texts in sections("others.txt"):
        made.setdefault(heading, []).append(Phrase(texts[0], dict(zip(LANGUAGES, texts, strict=True))))
    return {heading: tuple(some) for heading, some in made.items()}
