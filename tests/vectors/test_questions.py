"""All questions in one call, and the sets that come with gensim."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath

from textdl.vectors.evaluate import evaluate_analogies, evaluate_similarity
from textdl.vectors.questions import ask
from textdl.vectors.word_vectors import VectorsError, WordVectors


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    """Random vectors of some words of the sets."""
    words = ["king", "queen", "man", "woman", "boy", "girl", "he", "she", "tiger", "cat", "love", "sex", "old", "new"]
    return WordVectors(words, np.random.default_rng(1).normal(size=(len(words), 5)).astype(np.float32))


def test_the_named_sets_are_gensims(vectors: WordVectors) -> None:
    answers = ask(vectors, "google", ["wordsim353", "simlex999"])
    assert answers.analogies == evaluate_analogies(vectors, datapath("questions-words.txt"))
    assert answers.similarities[0] == evaluate_similarity(vectors, datapath("wordsim353.tsv"))
    assert answers.similarities[1].pairs == 999
    assert all(line in str(answers) for line in map(str, answers.similarities))


def test_figures_are_valid_json_also_where_nothing_was_answered() -> None:
    figures = ask(WordVectors(["zz"], np.ones((1, 2), np.float32)), "google", "wordsim353").figures()
    json.dumps(figures, allow_nan=False)
    assert figures["analogies"]["accuracy"] is None
    assert figures["analogies"]["unknown_share"] == 1
    assert figures["similarity"]["wordsim353"]["spearman"] is None


def test_what_is_not_there(vectors: WordVectors, tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match="google, wordsim353, simlex999"):
        ask(vectors, tmp_path / "nowhere")
    with pytest.raises(VectorsError, match="give --analogies"):
        ask(vectors)
    with pytest.raises(VectorsError, match="'sum'"):
        ask(vectors, similarity="wordsim353", method="sum")  # type: ignore[arg-type]


def test_sets_of_one_name_are_told_apart(vectors: WordVectors, tmp_path: Path) -> None:
    files = [tmp_path / part / "set.txt" for part in ("a", "b")]
    for number, file in enumerate(files):
        file.parent.mkdir()
        file.write_text("king queen 1\n" * (2 + number))
    figures = ask(vectors, similarity=[*files, "simlex999"]).figures()["similarity"]
    assert {name: each["pairs"] for name, each in figures.items()} == {
        str(files[0]): 2,
        str(files[1]): 3,
        "simlex999": 999,
    }
