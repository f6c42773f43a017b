"""Verb forms of Spanish and French: rules for the regular ones, tables in ``words/`` for the others."""

from __future__ import annotations

from functools import cache

from .lexicon import sections

#: Where the persons stand in the rows of the tables; of the present, and of what has four forms.
SPANISH_PRESENT = {"1s": 0, "2i": 1, "2f": 2, "3s": 2, "1p": 3, "2p": 4, "3p": 4}
SPANISH_FOUR = {"1s": 0, "2f": 1, "3s": 1, "1p": 2, "2p": 3, "3p": 3}
FRENCH_PRESENT = {"1s": 0, "2i": 1, "3s": 2, "1p": 3, "2f": 4, "2p": 4, "3p": 5}
FRENCH_FOUR = {"1s": 0, "3s": 1, "1p": 2, "3p": 3}
ACCENTS = dict(zip("aeiou", "áéíóú", strict=True))

Table = dict[str, list[str]]


@cache
def irregular(name: str) -> dict[str, Table]:
    """The table of a language: the rows of each verb, and its change of stem under "stem"."""
    tables: dict[str, Table] = {}
    for _, (line,) in sections(name):
        head, *rows = [part.split() for part in line.split(";")]
        tables[head[0]] = {"stem": head[1:]} | {row[0]: row[1:] for row in rows}
    return tables


def before_e(stem: str) -> str:
    """A Spanish stem before e keeps its sound: busc, busqu; pag, pagu; almorz, almorc."""
    for ending, changed in (("c", "qu"), ("g", "gu"), ("z", "c")):
        if stem.endswith(ending):
            return stem[: -len(ending)] + changed
    return stem


@cache
def spanish(verb: str) -> Table:
    """All forms of a Spanish verb, by row."""
    said = irregular("spanish_verbs.txt").get(verb, {})
    stem, ending = verb[:-2], verb[-2:]
    strong = stem
    if said.get("stem"):
        vowel, changed = said["stem"][0].split(">")
        at = stem.rindex(vowel)
        strong = stem[:at] + changed + stem[at + 1 :]
    if ending == "ar":
        soft = before_e(stem)
        table = {
            "present": [strong + "o", strong + "as", strong + "a", stem + "amos", strong + "an"],
            "past": [soft + "é", stem + "ó", stem + "amos", stem + "aron"],
            "command": [strong + "a", before_e(strong) + "e"],
            "gerund": [stem + "ando"],
        }
    else:
        we = "emos" if ending == "er" else "imos"
        table = {
            "present": [strong + "o", strong + "es", strong + "e", stem + we, strong + "en"],
            "past": [stem + "í", stem + "ió", stem + "imos", stem + "ieron"],
            "command": [strong + "e", strong + "a"],
            "gerund": [stem + "iendo"],
        }
    return table | said


def spanish_form(verb: str, tense: str, person: str) -> str:
    """A form of a Spanish verb; of a command, "not" is the negative one."""
    table = spanish(verb)
    if tense == "present":
        return table[tense][SPANISH_PRESENT[person]]
    if tense in ("past", "wish"):
        return table[tense][SPANISH_FOUR[person]]
    if tense == "gerund":
        return table[tense][0]
    familiar, polite = table["command"]
    if tense == "command" and person == "2i":
        return familiar
    return polite + {"2i": "s", "2f": "", "2p": "n"}[person]


def with_clitic(command: str, clitic: str) -> str:
    """A Spanish command with a pronoun behind it: the stress stays, and so gets an accent (compra, cómprala)."""
    stem = command.removesuffix("n")
    if sum(letter in "aeiou" for letter in stem) < 2 or any(letter in "áéíóú" for letter in stem):
        return command + clitic
    stem = stem[:-1]
    tail = len(stem) - 1 if stem.endswith(("i", "u")) else len(stem)
    at = max(stem[:tail].rfind(vowel) for vowel in "aeiou")
    if stem[at] in "iu" and stem[at - 1] in "aeo":  # one syllable: tráigala
        at -= 1
    return stem[:at] + ACCENTS[stem[at]] + command[at + 1 :] + clitic


@cache
def french(verb: str) -> Table:
    """All forms of a French verb, by row."""
    said = irregular("french_verbs.txt").get(verb, {})
    stem, ending = verb[:-2], verb[-2:]
    endings, participle = {
        "er": (("e", "es", "e", "ons", "ez", "ent"), "é"),
        "ir": (("is", "is", "it", "issons", "issez", "issent"), "i"),
        "re": (("s", "s", "", "ons", "ez", "ent"), "u"),
    }.get(ending, ((), ""))
    return {"present": [stem + one for one in endings], "participle": [stem + participle]} | said


def french_form(verb: str, tense: str, person: str) -> str:
    """A form of a French verb; the command of "tu" drops the s after e."""
    table = french(verb)
    if tense == "wish":
        return table[tense][FRENCH_FOUR[person]]
    form = table["present"][FRENCH_PRESENT[person]]
    return form.removesuffix("s") if tense == "command" and person == "2i" and form.endswith("es") else form


def with_etre(verb: str) -> bool:
    """Whether the past of a French verb is made with être."""
    return "être" in french(verb)["participle"]
