"""Words as their parts, against textdl.vectors.subwords one word at a time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from textdl.errors import ConfigError
from textdl.vectors.subwords import gram_rows, word_rows
from textdl.vectors.word_parts import WordParts

KNOWN = ("good", "a", "naïve", "漢字", "😀", "überaus")
WORDS = ("good", "goods", "a", "b", "漢字", "漢", "😀", "", "good", "übermäßig", "naïve", "e\u0301")


def listed(parts: WordParts, words: tuple[str, ...]) -> list[list[int]]:
    rows, starts = parts.of(words)
    return [part.tolist() for part in np.split(rows, starts[1:])]


@pytest.mark.parametrize("least, most", [(3, 6), (1, 2), (4, 4), (9, 12)])
def test_parts_are_the_rows_of_each_word_by_itself(least: int, most: int) -> None:
    parts = WordParts({word: row for row, word in enumerate(KNOWN)}, 1000, least, most)
    for word, found in zip(WORDS, listed(parts, WORDS), strict=True):
        grams = (gram_rows([word], least, most, 1000)[1] + len(KNOWN)).tolist()
        own = [KNOWN.index(word)] if word in KNOWN else []
        if own or grams:
            assert found == own + grams, word
        else:
            assert len(found) == 1, "too short for an n-gram: the word as a whole"
            assert len(KNOWN) <= found[0] < len(KNOWN) + 1000


def test_a_known_word_has_the_parts_that_training_gave_it() -> None:
    starts, rows = word_rows(KNOWN, 3, 6, 500)
    parts = WordParts({word: row for row, word in enumerate(KNOWN)}, 500)
    assert listed(parts, KNOWN) == [rows[start:end].tolist() for start, end in pairwise(starts)]


def test_short_words_that_are_not_known_are_told_apart() -> None:
    parts = WordParts({}, 2**16, 6, 6)
    found = listed(parts, ("ab", "ba", "xyz", "ab", ""))
    assert [len(part) for part in found] == [1] * 5
    assert found[0] == found[3]
    assert len({part[0] for part in found}) == 4


def test_nothing_and_nonsense() -> None:
    rows, starts = WordParts({}, 10).of([])
    assert (len(rows), len(starts)) == (0, 0)
    with pytest.raises(ConfigError, match="1 <= least <= most, got 4 and 3"):
        WordParts({}, 10, 4, 3)
