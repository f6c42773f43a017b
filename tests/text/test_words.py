from __future__ import annotations

import pytest

from textdl.errors import CorpusError
from textdl.text.base import TokenizerConfig
from textdl.text.words import WordTokenizer

TEXTS = ["the cat saw the dog.\n", "the Dog ran\n"]


def train(**settings: object) -> WordTokenizer:
    return WordTokenizer.train(TEXTS, TokenizerConfig(tokenizer="words", **settings))  # type: ignore[arg-type]


def test_most_frequent_first_and_ties_by_the_word() -> None:
    # the 3, line break 2, then once each, in the order of code points
    expected = ["the", "\n", ".", "Dog", "cat", "dog", "ran", "saw"]
    assert train().to_json()["words"] == expected
    assert (train().size, train().unknown_id, train().end) == (10, 8, 9)
    assert train().encode("the cat saw\na Dog").tolist() == [0, 4, 7, 1, 8, 3]


def test_vocabulary_counts_all_ids_and_keeps_the_line_break() -> None:
    small = train(vocabulary=5)
    assert small.size == 5
    assert small.to_json()["words"] == ["the", "\n", "."]
    bare = WordTokenizer.train(["a b c"], TokenizerConfig(tokenizer="words", vocabulary=4))
    assert bare.to_json()["words"] == ["a", "\n"]
    assert bare.size == 4


def test_min_count_and_lower_case() -> None:
    assert train(min_count=2).to_json()["words"] == ["the", "\n"]
    assert train(lowercase=True).to_json()["words"] == ["the", "\n", "dog", ".", "cat", "ran", "saw"]
    assert train(lowercase=True).encode("THE DOG").tolist() == [0, 2]
    with pytest.raises(CorpusError, match="no word is seen 9 times"):
        train(min_count=9)
    with pytest.raises(CorpusError, match="no word is seen"):
        WordTokenizer.train([" \n "], TokenizerConfig(tokenizer="words"))


def test_unknown_words() -> None:
    tokenizer = train()
    assert tokenizer.never.tolist() == [tokenizer.unknown_id]
    assert tokenizer.unknown("a cat and a bird.\nthe dog") == ("a", "and", "bird")
    assert tokenizer.decode(tokenizer.encode("the bird ran.")) == "the <unk> ran."


def test_pairs_of_lone_surrogates_do_not_change_in_storage() -> None:
    tokenizer = WordTokenizer.train(["\ud83d\ude00 \udc00"], TokenizerConfig(tokenizer="words"))
    assert WordTokenizer.from_json(tokenizer.to_json()).digest == tokenizer.digest
    assert tokenizer.unknown("\udc00") == ()
    tokenizer.decode(tokenizer.encode("\udc00")).encode()  # can be printed
