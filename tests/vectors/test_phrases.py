"""Phrases by hand, and against gensim."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from gensim.models.phrases import Phrases as Gensim
from sklearn.pipeline import make_pipeline

from textdl.errors import ConfigError, CorpusError
from textdl.vectors import phrases
from textdl.vectors.cooccurrence import CoOccurrence
from textdl.vectors.phrases import Phrases

CITY = [["new", "york", "is", "new"], ["new", "york", "times"], ["new", "york", "times"], ["is", "it"]]


def sentences_of(seed: int, count: int = 300, words: int = 30) -> list[list[str]]:
    """Words by Zipf's law, of which some like to follow each other."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        ids = (random.zipf(1.3, random.integers(0, 12)) % words).tolist()
        made.append([f"w{word}" for id in ids for word in ([id, id + 1] if id % 3 == 0 else [id])])
    return made


def test_scores_by_hand() -> None:
    # new 4, york 3, is 2, times 2, it 1: 12 words; new york 3, york times 2
    made = Phrases(threshold=1.9, least_count=1).fit(CITY)
    assert made.total_ == 12
    assert made.scores_["new", "york"] == pytest.approx((3 - 1) * 12 / (4 * 3))
    assert made.scores_["york", "times"] == pytest.approx((2 - 1) * 12 / (3 * 2))
    assert made.scores_["is", "it"] == 0
    assert ("york", "new") not in made.scores_
    assert ("times", "new") not in made.scores_  # no pair over the end of a sentence
    assert made.phrases_ == {("new", "york"): "new_york", ("york", "times"): "york_times"}
    assert Phrases(threshold=2.0, least_count=1).fit(CITY).phrases_ == {}  # a phrase is above it
    npmi = Phrases(0.5, 2, scoring="npmi").fit(CITY)
    assert npmi.scores_["new", "york"] == pytest.approx(math.log(3 / 12 / (4 / 12 * 3 / 12)) / -math.log(3 / 12))
    assert set(npmi.scores_) == {("new", "york"), ("york", "times")}


def test_words_are_joined_from_left_to_right() -> None:
    made = Phrases(threshold=1.9, least_count=1, joiner="+").fit(CITY)
    assert made.transform([["in", "new", "york", "times"], ["york", "times"], ["new", "new", "york"], [], ["new"]]) == [
        ["in", "new+york", "times"],
        ["york+times"],
        ["new", "new+york"],
        [],
        ["new"],
    ]


def test_two_passes_give_phrases_of_three_words() -> None:
    once = Phrases(threshold=1.2, least_count=1).fit(CITY)
    joined = once.stream(CITY)  # can be read again and again
    twice = Phrases(threshold=1.2, least_count=1).fit(joined)
    assert twice.transform(joined)[1] == ["new_york_times"]
    piped = make_pipeline(Phrases(1.2, 1), Phrases(1.2, 1)).fit(CITY)
    assert piped.transform(CITY) == twice.transform(joined)
    with_vectors = make_pipeline(Phrases(1.2, 1), CoOccurrence(dim=2, least_count=1)).fit(CITY)
    assert "new_york" in with_vectors[-1].vectors_


@pytest.mark.parametrize("least", [1, 4])
@pytest.mark.parametrize("scoring, threshold", [("mikolov", 0.3), ("npmi", 0.05)])
def test_scores_and_phrases_agree_with_gensim(scoring: str, threshold: float, least: int) -> None:
    sentences = sentences_of(1)
    named = {"mikolov": "default", "npmi": "npmi"}[scoring]
    theirs = Gensim(sentences, min_count=least, threshold=threshold, scoring=named, delimiter="~")
    # Where the paper has the number of words, gensim has that of the different words and pairs.
    factor = theirs.corpus_word_count / len(theirs.vocab) if scoring == "mikolov" else 1.0
    ours = Phrases(threshold * factor, least, "~", scoring).fit(sentences)
    pairs = {pair for sentence in sentences for pair in itertools.pairwise(sentence)}
    compared = 0
    for one, other in pairs:
        _, score = theirs.score_candidate(one, other, [])
        if score is None:  # not above the threshold
            assert (one, other) not in ours.phrases_
        else:
            assert ours.scores_[one, other] == pytest.approx(score * factor)
            compared += 1
    assert compared > 10
    assert len(ours.phrases_) == compared < len(pairs)
    fresh = sentences_of(2)
    assert ours.transform(fresh) == [theirs[sentence] for sentence in fresh]


def test_counting_by_blocks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Phrases(least_count=1).fit(sentences_of(3))
    monkeypatch.setattr(phrases, "_BLOCK", 10)
    parts = Phrases(least_count=1).fit(iter(sentences_of(3)))
    assert parts.scores_ == whole.scores_
    assert len(whole.scores_) > 100


def test_nothing_but_one_pair_has_the_highest_score() -> None:
    made = Phrases(0.5, 1, scoring="npmi").fit([["a"], ["b"], ["a", "b"]] * 3)
    assert -1 <= made.scores_["a", "b"] <= 1
    assert Phrases(0.5, 1, scoring="npmi").fit([["a", "b"]]).scores_["a", "b"] == pytest.approx(
        math.log(1 / 2 / (1 / 2 * 1 / 2)) / -math.log(1 / 2)
    )


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"scoring": "mikolow"}, "did you mean 'mikolov'"),
        ({"least_count": 0}, "least_count must be at least 1"),
        ({"scoring": "npmi", "threshold": 10}, "-1 to 1"),
    ],
)
def test_wrong_settings_are_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Phrases(**settings).fit(CITY)


def test_wrong_sentences_are_said() -> None:
    with pytest.raises(CorpusError, match="no words"):
        Phrases().fit([])
    with pytest.raises(CorpusError, match="no words"):
        Phrases().fit([[], []])
    with pytest.raises(CorpusError, match="sentence 1 must be a list of words, got str"):
        Phrases().fit([["a"], "a b"])
    with pytest.raises(CorpusError, match="sentence 0"):
        Phrases(1.2, 1).fit(CITY).transform("new york")
