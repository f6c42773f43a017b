"""How sentences are read: which row a word has, how it is spelled, how a text is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from textdl.tasks.tag_reader import LONGEST_WORD, WordReader, pieces_of, vocabulary_of
from textdl.text.known_words import Vocabulary

SENTENCES = [("The", "cat", "of", "1998"), ("the", "CAT", "of", "2024"), ("the", "dog", '"')]


def reader(least: int = 1, lowercase: bool = True, digits: bool = True, given: tuple[str, ...] = ()) -> WordReader:
    return WordReader(vocabulary_of(SENTENCES, given), least, lowercase, digits)


def row(made: WordReader, word: str) -> str:
    """The word in whose row a word is looked up; "" for the row of unknown ones."""
    place = int(made.read([(word,)]).rows[0])
    assert place < len(made.words) or place == made.rows - 1
    return made.words[place] if place < len(made.words) else ""


def test_rows() -> None:
    made = reader()
    assert made.words == ("the", "0000", "cat", "of", '"', "dog")
    assert made.counts.tolist() == [3, 2, 2, 2, 1, 1]
    assert [row(made, word) for word in ("THE", "1234", "Cat", "owl", "😀")] == ["the", "0000", "cat", "", ""]
    assert reader(least=2).words == ("the", "0000", "cat", "of")
    assert set(reader(lowercase=False, digits=False).words) == {word for some in SENTENCES for word in some}


def test_words_that_only_given_vectors_know() -> None:
    made = reader(least=2, given=("the", "owl", "Paris", "dog", "owl"))
    assert made.words[-made.extra :] == ("owl", "Paris")
    assert made.counts[-2:].tolist() == [0, 0]
    assert [row(made, word) for word in ("OWL", "Paris", "PARIS", "dog")] == ["owl", "Paris", "", ""]
    assert "owl" not in made.seen
    assert "CAT" in made.seen
    assert "Cat" not in made.seen


def test_what_is_written_down_reads_the_same(tmp_path: Path) -> None:
    made = reader(given=("owl",))
    made.vocabulary.save(tmp_path / "words.json")
    again = WordReader(Vocabulary.load(tmp_path / "words.json"), 1, True, True)
    assert (again.words, again.letters, again.extra) == (made.words, made.letters, made.extra)
    text = ("the", "owl", "of", "Cats")
    batches = [some.batch(some.read([text]), np.zeros(1, np.int64)) for some in (made, again)]
    assert all(one.equal(other) for one, other in zip(*batches, strict=True))


def test_a_batch_by_hand() -> None:
    made = reader()
    read = made.read([("the", "cat"), ("dog", "the", "The")])
    batch = made.batch(read, np.array([1, 0]))
    known = {word: place for place, word in enumerate(made.words)}
    assert batch.ids.T.tolist() == [[known["dog"], known["the"], known["the"]], [known["the"], known["cat"], made.rows]]
    assert batch.lengths.tolist() == [3, 2]
    spelled = {}
    for place in range(batch.letters.shape[1]):
        spelled[place] = batch.letters[: batch.counts[place], place].tolist()
    words = [["dog", "the", "The"], ["the", "cat"]]
    for column, some in enumerate(words):
        for at, word in enumerate(some):
            letters = spelled[int(batch.places[at, column])]
            assert (letters[0], letters[-1], len(letters)) == (0, 1, len(word) + 2)
    assert int(batch.places[2, 1]) == batch.letters.shape[1] == 4, "distinct words: the, cat, dog, The"
    assert spelled[int(batch.places[1, 0])] == spelled[int(batch.places[0, 1])]


def test_letters_that_were_never_seen_and_long_words() -> None:
    made = reader()
    batch = made.batch(made.read([("쀍", "t" * 1000)]), np.zeros(1, np.int64))
    assert batch.counts.tolist() == [3, LONGEST_WORD + 2]
    assert batch.letters[:3, 0].tolist() == [0, 2, 1]


def test_empty_sentences_in_a_batch() -> None:
    made = reader()
    for sentences in ([()], [(), ("the",)]):
        batch = made.batch(made.read(sentences), np.arange(len(sentences)))
        assert batch.lengths.tolist() == [1] * len(sentences)
        assert int(batch.ids[0, 0]) == made.rows
        assert int(batch.places[0, 0]) == batch.letters.shape[1]


def test_texts_are_cut() -> None:
    made = reader()
    spoken = ('"', "Do", "n't", "!", '"', "she", "said", ".")
    assert made.sentences('He went. "Don\'t!" she said.') == [("He", "went", "."), spoken]
    assert made.sentences(" \n ") == []
    assert made.sentences("a\ud800b 😀") == [("a\ufffdb", "😀")]
    penn = WordReader(vocabulary_of([("``", "Go", "''")]), 1, True, True)
    assert penn.sentences('"Go"') == [("``", "Go", "''")]
    other = WordReader(vocabulary_of([("``", "Go", "''")], ['"']), 1, True, True)
    assert other.sentences('"Go"') == [("``", "Go", "''")], "whatever stands in given vectors"
    bare = WordReader(vocabulary_of([("Go",)], ["``"]), 1, True, True)
    assert bare.sentences('"Go"') == [('"', "Go", '"')]


@pytest.mark.parametrize("longest", [1, 2, 3, 7, 100])
def test_pieces(longest: int) -> None:
    lengths = np.array([0, 1, 7, 20, 3])
    found = list(pieces_of(lengths, longest))
    assert all(0 < end - start <= longest for _, start, end in found)
    for number, length in enumerate(lengths.tolist()):
        assert [at for n, start, end in found for at in range(start, end) if n == number] == list(range(length))
