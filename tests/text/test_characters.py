from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textdl.errors import CorpusError
from textdl.text.base import TokenizerConfig
from textdl.text.characters import CharacterTokenizer

ABC = CharacterTokenizer(["a", "b", "c"], escapes=False)  # 0 1 2, escape 3, digits 4 to 19, end 20


def slow_ids(known: str, text: str) -> list[int]:
    """The definition, character by character."""
    order = sorted(known)
    ids: list[int] = []
    for character in text:
        if character in order:
            ids.append(order.index(character))
        else:
            digits = f"{ord(character):06x}"
            ids += [len(order), *(len(order) + 1 + "0123456789abcdef".index(digit) for digit in digits)]
    return ids


def test_ids_worked_by_hand() -> None:
    assert (ABC.size, ABC.end, ABC.unknown_id) == (21, 20, 3)
    assert ABC.encode("cab").tolist() == [2, 0, 1]
    # U+00E9 is 00 00 e9
    assert ABC.encode("aéb").tolist() == [0, 3, 4, 4, 4, 4, 4 + 14, 4 + 9, 1]
    assert ABC.encode("").tolist() == []


@given(
    known=st.text(st.characters(exclude_categories=()), min_size=1), text=st.text(st.characters(exclude_categories=()))
)
def test_encoding_is_as_the_slow_definition(known: str, text: str) -> None:
    tokenizer = CharacterTokenizer(sorted(set(known)), escapes=False)
    assert tokenizer.encode(text).tolist() == slow_ids("".join(sorted(set(known))), text)
    assert tokenizer.unknown(text) == tuple(dict.fromkeys(c for c in text if c not in known))


@pytest.mark.parametrize(
    "ids, text",
    [
        ([3, 4, 4, 4, 4, 18, 13], "é"),
        ([3, 4, 4, 4, 4, 18], "\ufffd"),  # five digits, then nothing
        ([3, 4, 0], "\ufffda"),  # cut short by a character
        ([3, 3, 4, 4, 4, 4, 18, 13], "\ufffdé"),  # an escape in an escape
        ([4, 0], "\ufffda"),  # a digit alone
        ([3, 5, 5, 4, 4, 4, 4], "\ufffd"),  # 0x110000 is past the last code point
        ([3, 4, 4, 20, 0], "\ufffda"),  # cut short by the end
        ([3, 4, 4, 4, 4, 10, 5], "a"),  # a known character may be escaped
    ],
)
def test_malformed_escapes(ids: list[int], text: str) -> None:
    assert ABC.decode(ids) == text


def test_training_counts_and_min_count() -> None:
    texts = ["aaab", "bbc", "é" * 70_000]
    every = CharacterTokenizer.train(texts, TokenizerConfig())
    assert every.to_json()["characters"] == ["a", "b", "c", "é"]
    assert every.never.tolist() == list(range(4, 21))  # the escape and its digits, but not the end
    twice = CharacterTokenizer.train(texts, TokenizerConfig(min_count=2))
    assert twice.to_json()["characters"] == ["a", "b", "é"]
    assert twice.never.tolist() == []
    assert twice.unknown("cabcd") == ("c", "d")
    assert (twice.encode("cabcd") == twice.unknown_id).sum() == 3
    with pytest.raises(CorpusError, match="no character is seen 9 times"):
        CharacterTokenizer.train(["abc"], TokenizerConfig(min_count=9))


def test_lower_case() -> None:
    tokenizer = CharacterTokenizer.train(["Abba"], TokenizerConfig(lowercase=True))
    assert tokenizer.size == 2 + 18
    assert tokenizer.encode("BA").tolist() == [1, 0]
    assert tokenizer.unknown("AC") == ("c",)


def test_neighbouring_surrogates_stay_two_characters() -> None:
    pair = "\ud83d\ude00"  # two lone ones, which JSON would read as one emoji
    tokenizer = CharacterTokenizer.train([pair], TokenizerConfig())
    assert tokenizer.size == 2 + 18
    assert CharacterTokenizer.from_json(tokenizer.to_json()).encode(pair).tolist() == [0, 1]


def test_a_long_text() -> None:
    text = "".join(map(chr, np.random.default_rng(0).integers(32, 1000, 100_000)))
    tokenizer = CharacterTokenizer.train([text[:50]], TokenizerConfig())
    assert tokenizer.decode(tokenizer.encode(text)) == text
