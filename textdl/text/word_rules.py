"""Text to words and words to text: NLTK's word tokenizer, made fast, and the spacing that undoes it.

NLTK's tokenizer (after the Penn Treebank's) wants one sentence at a time, because only a sentence's last
period is a word. Sentences are found by rule here, so that nothing has to be downloaded. Its regular
expressions do not look across white space, but for what follows from being first or last in a sentence; so
what stands between two spaces is tokenized once and remembered, which is many times as fast as line by
line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

BREAK = "\n"
LONGEST_REMEMBERED = 40  # characters
# fmt: off
ABBREVIATIONS = frozenset([
    "mr", "mrs", "ms", "dr", "prof", "st", "rev", "gen", "col", "capt", "lt", "sgt", "sen", "rep",
    "gov", "hon", "mt", "ft", "jr", "sr", "vs", "etc", "fig", "no", "vol", "ed", "inc", "co",
    "corp", "ltd", "dept", "approx", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept",
    "oct", "nov", "dec",
])
# fmt: on
_CLOSERS = frozenset("])}>\"'»”’")  # what may stand between a sentence's period and its end
# What NLTK cuts in two without a mark.
# fmt: off
_TWO_IN_ONE = frozenset([
    ("can", "not"), ("gim", "me"), ("gon", "na"), ("got", "ta"), ("lem", "me"), ("wan", "na"), ("more", "'n"),
    ("d", "'ye"), ("'t", "is"), ("'t", "was"),
])
# fmt: on
_SPLIT_LETTERS = frozenset(a + b for a, b in _TWO_IN_ONE if (a + b).isalpha())
_STOP = re.compile(r"([^.]*)\.[\])}>\"'»”’]*")


def words(text: str) -> list[str]:
    """The words of a text; a line break is a word of its own, other white space is none.

    A lone surrogate becomes U+FFFD. Double quotes become `` and '' as in the Penn Treebank.
    """
    found: list[str] = []
    for number, line in enumerate(text.split(BREAK)):
        if number:
            found.append(BREAK)
        for sentence in sentences(line):
            found += _sentence_words(sentence)
    return found


def sentences(line: str) -> Iterator[list[str]]:
    """The sentences of a line, each as what stands between its white space.

    A sentence ends at a period after a word that is no initial and no abbreviation, before a word that begins
    neither in lower case nor with a digit.
    """
    chunks = line.split()
    start = 0
    for place in range(len(chunks) - 1):
        if "." in chunks[place] and _is_end(chunks[place], chunks[place + 1]):
            yield chunks[start : place + 1]
            start = place + 1
    if chunks:
        yield chunks[start:]


def _is_end(chunk: str, after: str) -> bool:
    stop = _STOP.fullmatch(chunk)  # a chunk with one period only: not "U.S." nor "..."
    if stop is None:
        return False
    word = stop[1].strip("([{<\"'«“‘])}>»”’")
    if not word or (len(word) == 1 and word.isalpha()) or word.lower() in ABBREVIATIONS:
        return False
    first = next((c for c in after if c.isalnum()), "")
    return bool(first) and not first.islower() and not first.isdigit()


def _sentence_words(chunks: list[str]) -> list[str]:
    last = len(chunks) - 1
    while last and _CLOSERS.issuperset(chunks[last]):  # a period may stand before them
        last -= 1
    found: list[str] = []
    for place, chunk in enumerate([*chunks[:last], " ".join(chunks[last:])]):
        if chunk.isalpha() and chunk.isascii() and chunk.lower() not in _SPLIT_LETTERS:
            found.append(chunk)
        else:
            look_up = _remembered if len(chunk) <= LONGEST_REMEMBERED else _chunk_words
            found += look_up(chunk, place == 0, place == last)
    return found


def _chunk_words(chunk: str, first: bool, last: bool) -> tuple[str, ...]:
    """The words of a chunk of a sentence, tokenized between two neighbours where it has some."""
    found = _nltk().tokenize(("" if first else "x ") + chunk + ("" if last else " x"))
    return tuple(found[0 if first else 1 : None if last else -1])


_remembered = functools.lru_cache(maxsize=1 << 16)(_chunk_words)


@functools.cache
def _nltk() -> Any:
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()


_CLOSE_UP = frozenset([*".,;:!?%)]}…”»", "''", "...", "'s", "'m", "'d", "'ll", "'re", "'ve", "n't"])
_OPEN = frozenset([*"([{$#@“‘«„", "``"])
_AFTER_APOSTROPHE = frozenset(["s", "t", "d", "m", "ll", "re", "ve"])  # don’t is three words to NLTK
_ELIDED = frozenset(["tis", "twas", "twere", "twill", "em", "til", "cause"])  # their ' opens no quotation
_QUOTES = {"``": '"', "''": '"'}


class Spacing:
    """The text of words one by one: what :func:`words` took apart is put together as print has it."""

    def __init__(self) -> None:
        self._before: str | None = None
        self._open_quote = False  # a ' that still waits for its closing one

    def piece(self, word: str) -> str:
        """The text that one more word adds: itself, with a space before it where one belongs."""
        space = self._space(word, self._before)
        self._before = word
        return space + _QUOTES.get(word, word)

    def _space(self, word: str, before: str | None) -> str:
        if word == BREAK:
            self._open_quote = False
            return ""
        if word == "'":
            # It closes a quotation, or is the possessive of a plural ("the boys'"), or opens.
            closes = self._open_quote or (before is not None and before[-1:] in ("s", "S"))
            self._open_quote = not closes
            if closes:
                self._before = ""
                return ""
        elif before == "'" and self._open_quote:
            self._open_quote = word.lower() not in _ELIDED
            return ""
        if before is None or before == BREAK or before in _OPEN:
            return ""
        if before == "’" and word.lower() in _AFTER_APOSTROPHE:
            return ""
        joined = word.lower() in _CLOSE_UP or word == "’" or (before.lower(), word.lower()) in _TWO_IN_ONE
        return "" if joined else " "
