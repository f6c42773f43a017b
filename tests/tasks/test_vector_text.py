"""How a corpus becomes words, a sentence a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from textdl.config import replace
from textdl.corpus import open_corpus
from textdl.errors import CorpusError
from textdl.tasks.vector_text import SentenceFile, VectorsData, write_sentences, write_words
from textdl.training.events import Note


def written(texts: list[str], tmp_path: Path, **settings: object) -> list[str]:
    config = replace(VectorsData(), settings)
    path = tmp_path / "sentences.txt"
    write_sentences(open_corpus(texts, config), config, path, lambda event: None)
    return path.read_text(encoding="utf-8").splitlines()


TEXT = "Mr. Smith's <b>well-known</b> café<br />was open. It's 3.50&nbsp;now!\nWas it?"


def test_by_default_letters_and_digits_in_small_letters_without_markup(tmp_path: Path) -> None:
    assert written([TEXT], tmp_path) == ["mr smith's well-known café was open", "it's 3 50 now", "was it"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"lowercase": False}, ["Mr Smith's well-known café was open", "It's 3 50 now", "Was it"]),
        ({"accents": True}, ["mr smith's well-known cafe was open", "it's 3 50 now", "was it"]),
        ({"numbers": "num"}, ["mr smith's well-known café was open", "it's num now", "was it"]),
        ({"sentences": "line"}, ["mr smith's well-known café", "was open it's 3 50 now", "was it"]),
        ({"sentences": "document"}, ["mr smith's well-known café was open it's 3 50 now was it"]),
        ({"markup": False}, ["mr smith's b well-known b café br was open", "it's 3 50 nbsp now", "was it"]),
        ({"words": "space"}, ["mr. smith's well-known café was open.", "it's 3.50 now!", "was it?"]),
        ({"words": "nltk"}, ["mr. smith 's well-known café was open .", "it 's 3.50 now !", "was it ?"]),
    ],
)
def test_the_settings(settings: dict[str, object], expected: list[str], tmp_path: Path) -> None:
    assert written([TEXT], tmp_path, **settings) == expected


def test_sentences_do_not_run_over_the_end_of_a_document(tmp_path: Path) -> None:
    assert written(["one two", "three four"], tmp_path) == ["one two", "three four"]
    assert written(["one two", "three four"], tmp_path, sentences="line") == ["one two", "three four"]


def test_a_long_document_comes_in_pieces_and_is_cut_nowhere_else(tmp_path: Path) -> None:
    sentences = [f"Sentence number {n} is here." for n in range(100_000)]
    found = written([" ".join(sentences)], tmp_path)  # more than a piece of a corpus
    assert found == [sentence.lower().rstrip(".") for sentence in sentences]


def test_nothing_to_read(tmp_path: Path) -> None:
    corpus = open_corpus([". . . !"], VectorsData())
    with pytest.raises(CorpusError, match="holds no word"):
        write_words(corpus, VectorsData(), tmp_path, lambda event: None)


def test_phrases_are_joined_pass_after_pass(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rest = [f"word{n}" for n in range(30)]
    texts = [
        " ".join([*random.choice(rest, 4), *["new york city"] * (n % 4 == 0), *random.choice(rest, 4)])
        for n in range(400)
    ]
    config = replace(VectorsData(), {"phrases": 2, "phrase_score": 5.0, "sentences": "line"})
    notes: list[str] = []
    path, _ = write_words(
        open_corpus(texts, config), config, tmp_path, lambda e: notes.append(e.text) if isinstance(e, Note) else None
    )
    words = {word for sentence in SentenceFile(path) for word in sentence}
    assert "new_york_city" in words
    assert len(notes) == 2
    assert list(SentenceFile(path)) == list(SentenceFile(path)), "it can be read again"
    plain = [" ".join(sentence).replace("_", " ") for sentence in SentenceFile(path)]
    assert plain == texts
