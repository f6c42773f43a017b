"""How a corpus becomes words, a sentence a line."""

from __future__ import annotations

import errno
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textdl.config import replace
from textdl.corpus import open_corpus
from textdl.errors import CorpusError, RunError
from textdl.tasks.vector_text import SentenceFile, VectorsData, _cutter, write_sentences, write_words
from textdl.text.vocabulary import count_file
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


def test_marks_behind_letters_are_parts_of_words(tmp_path: Path) -> None:
    """Vowel signs of Hindi, Tamil and Hebrew, and an accent that no letter is made of with."""
    text = "हिन्दी भाषा, தமிழ் - שָׁלוֹם עֲלֵיכֶם x̥y’s well-x̥ ́"
    assert written([text], tmp_path) == ["हिन्दी भाषा தமிழ் שָׁלוֹם עֲלֵיכֶם x̥y’s well-x̥"]
    for code in range(0x300, sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == "M":
            assert _cutter("letters")(f"क{chr(code)}क") == [f"क{chr(code)}क"]


def test_a_zero_byte_is_a_broken_character(tmp_path: Path) -> None:
    assert written(["one\0two three"], tmp_path, words="space") == ["one\ufffdtwo three"]
    path = tmp_path / "sentences.txt"
    assert "three" in count_file(path)


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
    path, _, phrases = write_words(
        open_corpus(texts, config), config, tmp_path, lambda e: notes.append(e.text) if isinstance(e, Note) else None
    )
    words = {word for sentence in SentenceFile(path) for word in sentence}
    assert "new_york_city" in words
    assert len(notes) == 2
    assert list(SentenceFile(path)) == list(SentenceFile(path)), "it can be read again"
    plain = [" ".join(sentence).replace("_", " ") for sentence in SentenceFile(path)]
    assert plain == texts
    assert [len(found.phrases_) > 0 for found in phrases] == [True, True]


@pytest.mark.parametrize("full", ["sentences.txt", "joined-sentences.txt"])
def test_no_space_left_is_said(full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the words are written, and while their phrases are joined."""
    opened = Path.open

    def failing(path: Path, mode: str = "r", **settings: Any) -> Any:
        if path.name == full and mode == "w":
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, mode, **settings)

    monkeypatch.setattr(Path, "open", failing)
    config = replace(VectorsData(), {"phrases": 1, "least_count": 1})
    with pytest.raises(RunError, match=r"No space left on device.*TMPDIR"):
        write_words(open_corpus(["new york"] * 9, config), config, tmp_path, lambda event: None)
