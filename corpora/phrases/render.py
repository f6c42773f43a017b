"""Templates to sentences: each gap of a template is put into words as its language agrees.

A gap names a slot, or a verb that stands in the template itself, and says what is wanted of it:

    {n}  {n.the}  {n.a}  {n.this}  {n.some}  {n.any}  {n.all}  {n.which}  {n.much}  {n.poss:s}   a noun (with adjective)
    {n.it}        the pronoun for it                {n?one|more}   by its number        {n!e}   ending that agrees
    {v.present:s} a verb form for a subject         {v.part:n}     French participle that agrees with n
    {a:n}         an adjective that agrees          {a.be:n}       Spanish ser or estar
    {x&1|2|3}     by how x is spoken to: familiar, polite, polite to several
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .conjugate import french, french_form, spanish_form, with_clitic, with_etre
from .lexicon import VOWELS, Adjective, Noun, Person, Phrase, Verb, english_forms

ENGLISH_IRREGULAR = {"be": ("am", "is", "are"), "have": ("have", "has", "have"), "do": ("do", "does", "do")}
ENGLISH_IRREGULAR |= {"go": ("go", "goes", "go"), "don't": ("don't", "doesn't", "don't")}
ENGLISH_IRREGULAR["was"] = ("was", "was", "were")
ASPIRATED = r"(?!haricot|hamburger|huit\b|onze\b|yaourt)"
GAP = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Thing:
    """A noun as it is used: one or more of it, with an adjective or without."""

    noun: Noun
    plural: bool = False
    adjective: Adjective | None = None

    def gender(self, language: str) -> str:
        """ "m" or "f"."""
        return self.noun.genders[language]


Slot = Thing | Person | Verb | Adjective | Phrase
Slots = Mapping[str, Slot]

#: Masculine, feminine, masculine plural, feminine plural.
FORMS = {
    "es": {
        "the": ("~el", "la", "los", "las"),
        "a": ("un", "una", "unos", "unas"),
        "some": ("", "", "unos", "unas"),
        "any": ("", "", "", ""),
        "this": ("este", "esta", "estos", "estas"),
        "that": ("ese", "esa", "esos", "esas"),
        "all": ("todo ~el", "toda la", "todos los", "todas las"),
        "which": ("qué", "qué", "qué", "qué"),
        "much": ("cuánto", "cuánta", "cuántos", "cuántas"),
        "too": ("demasiado", "demasiada", "demasiados", "demasiadas"),
        "enough": ("suficiente", "suficiente", "suficientes", "suficientes"),
        "other": ("otro", "otra", "otros", "otras"),
        "it": ("lo", "la", "los", "las"),
        "mine": ("mío", "mía", "míos", "mías"),
        "ours": ("nuestro", "nuestra", "nuestros", "nuestras"),
        "o": ("o", "a", "os", "as"),
    },
    "fr": {
        "the": ("~le", "~la", "~les", "~les"),
        "a": ("un", "une", "des", "des"),
        "some": ("de ~le", "de ~la", "des", "des"),
        "any": ("de", "de", "de", "de"),
        "this": ("ce", "cette", "ces", "ces"),
        "all": ("tout ~le", "toute ~la", "tous ~les", "toutes ~les"),
        "which": ("quel", "quelle", "quels", "quelles"),
        "other": ("un autre", "une autre", "d'autres", "d'autres"),
        "it": ("le", "la", "les", "les"),
        "e": ("", "e", "s", "es"),
    },
}
ENGLISH_POSSESSIVES = {"1s": "my", "1p": "our", "3p": "their", "2i": "your", "2f": "your", "2p": "your"}
SPANISH_POSSESSIVES = {"1s": ("mi", "mis"), "2i": ("tu", "tus")}
FRENCH_POSSESSIVES = {
    "1s": ("mon", "ma", "mes"),
    "2i": ("ton", "ta", "tes"),
    "3s": ("son", "sa", "ses"),
    "1p": ("notre", "notre", "nos"),
    "3p": ("leur", "leur", "leurs"),
}


def place(slot: Thing | Person, language: str) -> int:
    """Where the form for a slot stands in a row of four."""
    gender = slot.gender if isinstance(slot, Person) else slot.gender(language)
    return 2 * slot.plural + (gender == "f")


def adjective_form(adjective: Adjective, slot: Thing | Person, language: str, next_word: str = "") -> str:
    """An adjective that agrees; before ``next_word`` the short form stands where the language has one."""
    forms = adjective.forms[language]
    if place(slot, language) == 0 and next_word and (language == "es" or starts_with_vowel(next_word)):
        return forms[4]
    return forms[place(slot, language)]


def starts_with_vowel(word: str) -> bool:
    """Whether a French word begins with a vowel or a silent h."""
    return bool(re.match(f"{ASPIRATED}[{VOWELS}h]", word.lower()))


def noun_text(thing: Thing, language: str) -> str:
    """The noun with its adjective where the language puts it."""
    noun = thing.noun.forms[language][thing.plural]
    if thing.adjective is None:
        return noun
    if language == "en":
        return f"{thing.adjective.key} {noun}"
    if language in thing.adjective.before:
        return f"{adjective_form(thing.adjective, thing, language, noun)} {noun}"
    return f"{noun} {adjective_form(thing.adjective, thing, language)}"


def possessive(thing: Thing, owner: Person, language: str, after: str) -> str:
    """My, your, his ... for what is owned."""
    if language == "en":
        return ENGLISH_POSSESSIVES.get(owner.person) or {"m": "his", "f": "her"}[owner.gender]
    if language == "es":
        if owner.person == "1p":
            return "nuestr" + FORMS["es"]["o"][place(thing, "es")]
        return SPANISH_POSSESSIVES.get(owner.person, ("su", "sus"))[thing.plural]
    masculine, feminine, plural = FRENCH_POSSESSIVES.get(owner.person, ("votre", "votre", "vos"))
    if thing.plural:
        return plural
    return feminine if thing.gender("fr") == "f" and not starts_with_vowel(after) else masculine


def thing_text(thing: Thing, wanted: str, language: str, argument: Slot | None) -> str:
    """A noun with what is wanted before it."""
    text = noun_text(thing, language)
    if wanted == "poss":
        assert isinstance(argument, Person)
        return f"{possessive(thing, argument, language, text)} {text}"
    if language == "en":
        return {"it": "them" if thing.plural else "it", "a": f"a {text}"}.get(wanted, text)
    if wanted == "":
        return text
    if wanted == "to":
        return f"{'a' if language == 'es' else 'à'} {thing_text(thing, 'the', language, None)}"
    form = FORMS[language][wanted][place(thing, language)]
    if wanted in ("it", "mine", "ours"):
        return form
    if language == "es" and thing.noun.stressed_a and not thing.plural and wanted in ("the", "a", "all"):
        form = {"the": "~el", "a": "un", "all": "toda el"}[wanted]
    if language == "fr" and wanted == "this" and form == "ce" and starts_with_vowel(text):
        form = "cet"
    return f"{form} {text}"


def person_text(person: Person, wanted: str, language: str) -> str:
    """A person, or the pronoun for one."""
    if wanted == "":
        return person.texts[language]
    if wanted == "it":
        if language == "en":
            return "them" if person.plural else {"m": "him", "f": "her"}[person.gender]
        return FORMS[language]["it"][place(person, language)]
    if wanted in ("dat", "notdat"):  # of gustar
        clitic = {"1s": "me", "1p": "nos"}.get(person.person, "les" if person.plural else "le")
        clitic = clitic if wanted == "dat" else f"no {clitic}"
        return f"a {person.texts['es']} {clitic}" if person.texts["es"] else clitic
    if wanted == "tu":
        return "tu" if person.person == "2i" else "vous"
    row = {"en": ("he", "she", "they", "they"), "fr": ("il", "elle", "ils", "elles"), "es": ("",) * 4}[language]
    return row[place(person, language)]


def person_of(slot: Slot | None) -> str:
    """The grammatical person of a subject."""
    if isinstance(slot, Person):
        return slot.person
    return "3p" if isinstance(slot, Thing) and slot.plural else "3s"


def english_verb(verb: Verb | str, wanted: str, subject: Slot | None) -> str:
    """An English verb form; without a subject, the base."""
    if isinstance(verb, Verb):
        base, third, past, ing = verb.forms
        if wanted in ("past", "ing"):
            return {"past": past, "ing": ing}[wanted]
    else:
        base, third = english_forms(verb)[:2]
    person = person_of(subject)
    if isinstance(verb, str) and verb in ENGLISH_IRREGULAR:
        return ENGLISH_IRREGULAR[verb][{"1s": 0, "3s": 1}.get(person, 2)]
    return third if person == "3s" and subject is not None else base


def spanish_verb(verb: str, wanted: str, subject: Slot | None, slots: Slots) -> str:
    """A Spanish verb form; ``commandit`` and the like: a command with the pronoun for the slot n."""
    if wanted == "inf":
        return verb
    if wanted == "polite":
        return spanish_form(verb, "command", "2f")
    if wanted == "commandit":
        thing = slots["n"]
        assert isinstance(thing, Thing)
        return with_clitic(spanish_form(verb, "command", person_of(subject)), thing_text(thing, "it", "es", None))
    return spanish_form(verb, wanted, person_of(subject))


def french_verb(verb: str, wanted: str, subject: Slot | None) -> str:
    """A French verb form; ``past`` is made with avoir or être, whose participle agrees with the subject."""
    if wanted == "inf":
        return verb
    if wanted == "polite":
        return french_form(verb, "command", "2f")
    participle = french(verb)["participle"][0]
    if wanted == "part":
        if subject is None:
            return participle
        assert isinstance(subject, (Thing, Person))
        return participle + FORMS["fr"]["e"][place(subject, "fr")]
    if wanted == "past":
        helper = french_form("être" if with_etre(verb) else "avoir", "present", person_of(subject))
        return f"{helper} {french_verb(verb, 'part', subject if with_etre(verb) else None)}"
    return french_form(verb, wanted, person_of(subject))


def gap_text(gap: str, slots: Slots, language: str) -> str:
    """What a gap stands for."""
    if match := re.fullmatch(r"(\w+)\?([^|]*)\|(.*)", gap):
        return match[2 + (person_of(slots[match[1]])[1] == "p")]
    if match := re.fullmatch(r"(\w+)&(.*)", gap):
        ways = match[2].split("|")
        return ways[min({"2i": 0, "2f": 1, "2p": 2}[person_of(slots[match[1]])], len(ways) - 1)]
    if match := re.fullmatch(r"(\w+)!(\w)", gap):
        slot = slots[match[1]]
        assert isinstance(slot, (Thing, Person))
        return FORMS[language][match[2]][place(slot, language)]
    head, _, argument = gap.partition(":")
    name, _, wanted = head.partition(".")
    other = slots[argument] if argument else None
    slot_or_none = slots.get(name)
    if isinstance(slot_or_none, Thing):
        return thing_text(slot_or_none, wanted, language, other)
    if isinstance(slot_or_none, Person):
        return person_text(slot_or_none, wanted, language)
    if isinstance(slot_or_none, Phrase):
        return slot_or_none.texts[language]
    if isinstance(slot_or_none, Adjective):
        return adjective_text(slot_or_none, wanted, other, language)
    if language == "en":
        return english_verb(slot_or_none or name, wanted, other)
    if language == "es":
        return spanish_verb(slot_or_none.spanish if slot_or_none else name, wanted, other, slots)
    return french_verb(slot_or_none.french if slot_or_none else name, wanted, other)


def adjective_text(adjective: Adjective, wanted: str, other: Slot | None, language: str) -> str:
    """An adjective after a verb, or the verb itself."""
    if wanted == "be":
        return spanish_form("estar" if adjective.estar else "ser", "present", person_of(other))
    if language == "en":
        return adjective.comparative if wanted == "er" else adjective.key
    assert isinstance(other, (Thing, Person))
    return adjective_form(adjective, other, language)


def joined_spanish(text: str) -> str:
    """Contractions, and "e" for "y" before i."""
    text = re.sub(r"\b([Aa]|[Dd]e) ~el ", lambda match: f"{match[1]}l ", text).replace("~", "")
    return re.sub(r"\by (?=h?i(?!e))", "e ", text)


def joined_french(text: str) -> str:
    """Elisions and contractions."""
    vowel = rf"(?={ASPIRATED}[{VOWELS}h])"
    text = re.sub(rf"(~?)\b([Ll])[ea] {vowel}", r"\1\2'", text)
    text = re.sub(r"\bde ~le ", "du ", text)
    text = re.sub(r"\bde ~les ", "des ", text)
    text = re.sub(r"\bà ~le ", "au ", text)
    text = re.sub(r"\bà ~les ", "aux ", text).replace("~", "")
    text = re.sub(rf"\b([Jj]|[Nn]|[Dd]|[Mm]|[Qq]u|jusqu)e {vowel}", r"\1'", text)
    return re.sub(r"\b([Ss])i (?=ils? )", r"\1'", text)


def joined_english(text: str) -> str:
    """An apple, a pear."""
    return re.sub(r"\b([Aa]) (?=[aeiouAEIOU](?!seful))", r"\1n ", text)


JOINED = {"en": joined_english, "es": joined_spanish, "fr": joined_french}


def render(template: str, slots: Slots, language: str) -> str:
    """A template in words, with capitals where sentences begin."""
    text = GAP.sub(lambda gap: gap_text(gap[1], slots, language), template)
    text = re.sub(r" +", " ", text).strip()
    text = JOINED[language](text)
    return re.sub(r"(^|[.?!] )([¿¡]?)(\w)", lambda match: match[1] + match[2] + match[3].upper(), text)
