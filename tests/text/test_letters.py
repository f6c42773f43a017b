"""Words of letters, of any script."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textdl.text.letters import WORDS

#: What a word of text without marks is.
PLAIN = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's a well-known _fact_: 3.5 -- don’t!", ["It's", "a", "well-known", "fact", "3", "5", "don’t"]),
        ("हिन्दी भाषा, தமிழ்", ["हिन्दी", "भाषा", "தமிழ்"]),
        ("שָׁלוֹם עֲלֵיכֶם", ["שָׁלוֹם", "עֲלֵיכֶם"]),
        ("x̥y’s well-x̥ ́ -", ["x̥y’s", "well-x̥"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert WORDS.findall(text) == words
    found = list(WORDS.finditer(text))
    assert [match[0] for match in found] == words
    assert [text[match.start() : match.end()] for match in found] == words


@given(st.text(st.characters(codec="utf-8", exclude_categories=["M"])))
def test_without_marks_they_are_what_they_were(text: str) -> None:
    assert WORDS.findall(text) == PLAIN.findall(text)


def test_every_mark_belongs_to_the_letter_before_it() -> None:
    marks = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M"]
    assert len(marks) > 2000
    for mark in marks:
        assert WORDS.findall(f"क{mark}क") == [f"क{mark}क"]
