"""Cutting text into sentences by rule: nothing to train, nothing to download.

A sentence ends after ``.``, ``!``, ``?``, ``…`` (several of them, closing quotes and brackets with them) before white
space, unless what stands there says that it goes on: an abbreviation or an initial before a period, or a lower-case
letter after ``...``, after a closed quotation or after a period behind a short word (not after others: many write no
capitals). The marks of Chinese and Japanese (``。！？``) end one without white space. A blank line always ends one,
a single line end only where ``lines`` says so.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..config import check, knob
from ..errors import CorpusError
from .word_rules import ABBREVIATIONS as SHARED

# fmt: off
#: Words that a period shortens and seldom ends a sentence with; lower case, without the period.
ABBREVIATIONS = SHARED | frozenset([
    "e.g", "i.e", "cf", "al", "ca", "viz", "resp", "messrs", "mme", "mlle", "maj", "cmdr", "adm", "pres", "supt",
    "bros", "assn", "univ", "dist", "ave", "blvd", "rd", "pp", "nos", "vols", "eds", "est", "figs", "sec", "ch", "art",
    "eq", "eqs", "ref", "refs", "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri",
])
#: Abbreviations that as often as not end a sentence: they do before a word that begins sentences.
ENDING = frozenset([
    "etc", "inc", "co", "corp", "ltd", "jr", "sr", "a.m", "p.m", "am", "pm", "u.s", "u.k", "u.n", "e.u", "d.c", "al",
    "st", "ave", "rd", "blvd",
])
#: Those that are words as well: they shorten one only before a number.
WORDS = frozenset(["no", "art", "fig", "figs", "ref", "wed", "mar", "sec", "ch", "est", "dist", "ed", "mon", "ca"])
#: Words that begin sentences and hardly ever go on with a name.
OPENERS = frozenset([
    "the", "a", "an", "this", "that", "these", "those", "it", "he", "she", "we", "they", "i", "you", "his", "her",
    "its", "our", "their", "my", "your", "in", "on", "at", "for", "with", "from", "by", "to", "as", "but", "and", "or",
    "so", "if", "when", "while", "after", "before", "although", "though", "because", "since", "however", "there",
    "here", "then", "what", "who", "why", "how", "where", "which", "no", "not", "yes", "some", "many", "most", "all",
    "another", "one",
])
# fmt: on
_MARKS = ".!?…"
_CLOSERS = "\"'”’»)]}›"
_BEFORE = "\"'“‘”’«»([{‹¿¡"  # may stand before the first word of a sentence
_AHEAD, _BACK = 60, 60  # characters that are looked at after and before the marks
# A border, or a run of marks with what closes after it and then white space, or a mark that needs none.
_END = rf"(?<![{re.escape(_MARKS)}])[{re.escape(_MARKS)}]++[{re.escape(_CLOSERS)}]*(?=\s)|[。！？]+[」』”’）]*"
_BLANK = re.compile(rf"(?P<border>\n[^\S\n]*\n)|{_END}")
_LINE = re.compile(rf"(?P<border>\n)|{_END}")
_WHOLE = 4  # letters of a word that is taken for no abbreviation, whatever follows
_ADDRESSES = ("http://", "https://", "www.")
_GAP = re.compile(r"\s*")
_LAST_WORD = re.compile(r"[^\s\"'“‘”’«»()\[\]{}]*$")
_FIRST_WORD = re.compile(r"[^\W\d_]+(?![.\w])")  # "A." is an initial, no article


@dataclass(frozen=True)
class SentencesConfig:
    """How text is cut into sentences."""

    lines: bool = knob(False, "Each line end ends a sentence, not only a blank line.")
    abbreviations: tuple[str, ...] = knob((), "More abbreviations, without their last period.", flag=False)

    def __post_init__(self) -> None:
        check(self)


def split_sentences(text: str, config: SentencesConfig | None = None) -> list[str]:
    """The sentences of a text, without the white space around them; white space within one becomes a space."""
    return list(stream_sentences((text,), config))


def stream_sentences(pieces: Iterable[str], config: SentencesConfig | None = None) -> Iterator[str]:
    """The sentences of a text that comes in pieces, cut anywhere: those of :func:`split_sentences` of them joined.

    Memory: a piece and the longest sentence.

    Raises:
        CorpusError: ``pieces`` is one text.
    """
    config = config or SentencesConfig()
    return _stream(_checked(pieces), _LINE if config.lines else _BLANK, _rules(config))


def _checked(pieces: Iterable[str]) -> Iterable[str]:
    if isinstance(pieces, str):
        raise CorpusError("pieces must be several texts, got one; write split_sentences(text)")
    return pieces


def _rules(config: SentencesConfig) -> frozenset[str]:
    return ABBREVIATIONS.union(word.lower().removesuffix(".") for word in config.abbreviations)


def _stream(pieces: Iterable[str], ends: re.Pattern[str], abbreviations: frozenset[str]) -> Iterator[str]:
    text, scanned = "", 0
    for piece in itertools.chain(pieces, (None,)):
        text += piece or ""
        start, waits = 0, False
        for match in ends.finditer(text, scanned):
            gap = _GAP.match(text, match.end())
            assert gap is not None
            # What follows decides, so it must be there; a border decides by itself.
            waits = piece is not None and match["border"] is None and gap.end() + _AHEAD > len(text)
            if waits:
                scanned = match.start()
                break
            if match["border"] is not None or _ends(text, start, match, gap, ends, abbreviations):
                if sentence := " ".join(text[start : match.end()].split()):
                    yield sentence
                start = match.end()
        if not waits:  # the last word may go on in the next piece, as may the white space after it
            body = text.rstrip()
            scanned = max(start, len(body) - len(_tail(body)))
        text, scanned = text[start:], scanned - start
    if sentence := " ".join(text.split()):
        yield sentence


def _tail(text: str) -> str:
    """The last word of a text that ends in one."""
    return text.rsplit(maxsplit=1)[-1] if text else ""


def _ends(
    text: str,
    start: int,
    match: re.Match[str],
    gap: re.Match[str],
    ends: re.Pattern[str],
    abbreviations: frozenset[str],
) -> bool:
    """Whether a sentence that began at ``start`` ends with the marks of ``match``; ``gap`` is the white space after."""
    marks = match[0].rstrip(_CLOSERS)
    if marks[0] in "。！？":
        return True
    opening = text[gap.end() : gap.end() + _AHEAD].lstrip(_BEFORE)
    if ends.search(gap[0]) is not None or not opening:
        return True
    behind = text[max(start, match.start() - _BACK) : match.start()]
    before = _LAST_WORD.search(behind)
    word = before[0].lower() if before is not None else ""
    if opening[0].islower() and not opening.startswith(_ADDRESSES):
        # Many write no capitals. With a quote closed it is one sentence still, as in "Stop!" he said.
        if match[0] == ".":
            return len(word) >= _WHOLE and word.isalpha() and word not in abbreviations
        return match[0][-1] in "!?"
    if marks != ".":
        return True
    closed = len(match[0]) > 1  # "etc.)" or 'Mr."'
    elided = before is not None and behind[: before.start()].endswith(("'", "’"))  # the t of "can't"
    if len(word) == 1 and word.isalpha() and not elided:
        return _opens(opening)  # an initial goes before a name
    if word in WORDS:
        return not opening[0].isdigit()
    if word in ENDING or _is_dotted(word):
        return _opens(opening) or (closed and opening[0].isupper())
    is_item = word.isdigit() and text[start : match.start()].strip() == word  # the number of an item in a list
    return word not in abbreviations and not is_item


def _opens(text: str) -> bool:
    """Whether the first word of a text is one that sentences begin with."""
    word = _FIRST_WORD.match(text)
    return word is not None and word[0].lower() in OPENERS


def _is_dotted(word: str) -> bool:
    """Whether it is letters with periods between, as in "U.S" or "Ph.D"."""
    parts = word.split(".")
    return len(parts) > 1 and all(part.isalpha() and len(part) <= 2 for part in parts)
