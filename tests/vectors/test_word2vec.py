"""word2vec on texts with planted structure, and what it promises of losses, seeds, subwords and going on."""

from __future__ import annotations

import heapq
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sklearn.base import clone

from textdl.errors import ConfigError, CorpusError, TrainingError
from textdl.kernels import word2vec_threads
from textdl.vectors import word2vec
from textdl.vectors.huffman import build_tree, grow_tree, word_probabilities
from textdl.vectors.subwords import GramVectors, gram_rows
from textdl.vectors.word2vec import Word2Vec

Text = list[list[str]]


def topics(seed: int = 0, sentences: int = 600, names: str = "xy") -> Text:
    """Sentences of one of two topics, eight words each, that never mix."""
    random = np.random.default_rng(seed)
    return [[f"{names[n % 2]}{random.integers(8)}" for _ in range(8)] for n in range(sentences)]


def kingdom(seed: int = 0, sentences: int = 4000) -> Text:
    """Four words of two traits each; a sentence is one of them among things said of its traits."""
    random = np.random.default_rng(seed)
    traits = {
        "king": ("male", "royal"),
        "queen": ("female", "royal"),
        "man": ("male", "plain"),
        "woman": ("female", "plain"),
    }
    text = []
    for _ in range(sentences):
        word = str(random.choice([*traits]))
        said = [f"{trait}{random.integers(6)}" for trait in traits[word] for _ in range(2)]
        place = int(random.integers(5))
        random.shuffle(said)
        text.append([*said[:place], word, *said[place:]])
    return text


def small(**settings: Any) -> Word2Vec:
    return Word2Vec(**{"dim": 16, "sample": 0.0, "lr": 0.1, "threads": 1, "least_count": 1, "buckets": 500, **settings})


METHODS = [
    {"method": method, "hierarchical": hierarchical, "subwords": subwords}
    for method in ("skipgram", "cbow")
    for hierarchical in (False, True)
    for subwords in (False, True)
]


@pytest.mark.parametrize("settings", METHODS, ids=lambda s: "-".join(map(str, s.values())))
def test_planted_topics_are_found_and_the_loss_falls_every_epoch(settings: dict[str, Any]) -> None:
    told: list[tuple[int, float]] = []
    made = small(epochs=6, **settings).fit(topics(), tell=lambda *said: told.append(said))
    assert [loss for _, loss in told] == made.losses_
    assert [number for number, _ in told] == [1, 2, 3, 4, 5, 6]
    assert (np.diff(made.losses_) < 0).all()
    for word in made.vectors_:
        assert {near[0] for near, _ in made.vectors_.nearest(word, 7)} == {word[0]}


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
@pytest.mark.parametrize("hierarchical", [False, True])
def test_king_less_man_plus_woman_is_queen(method: str, hierarchical: bool) -> None:
    made = small(method=method, hierarchical=hierarchical, epochs=10).fit(kingdom())
    assert made.vectors_.analogy("man", "king", "woman")[0][0] == "queen"
    assert made.vectors_.analogy("queen", "king", "woman")[0][0] == "man"


def test_one_thread_and_a_seed_give_the_same_bytes() -> None:
    text = topics()
    one, same, other = (small(seed=seed, sample=1e-2).fit(text) for seed in (3, 3, 4))
    assert one.vectors_.matrix.tobytes() == same.vectors_.matrix.tobytes()
    assert one.losses_ == same.losses_
    assert one.vectors_.matrix.tobytes() != other.vectors_.matrix.tobytes()


def test_several_threads_learn_the_same() -> None:
    one, three = (small(threads=threads, epochs=6).fit(topics(sentences=6000)) for threads in (1, 3))
    np.testing.assert_allclose(one.losses_, three.losses_, rtol=0.02)
    assert {near[0] for near, _ in three.vectors_.nearest("x3", 7)} == {"x"}


def test_sentences_and_files_are_the_same_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = topics()
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, text)))
    expected = small().fit(text).vectors_
    found = [small().fit(given).vectors_ for given in (iter(text), tmp_path / "text.txt", str(tmp_path / "text.txt"))]
    monkeypatch.setattr(word2vec, "IN_MEMORY", 10)
    found.append(small().fit(tmp_path / "text.txt").vectors_)
    for vectors in found:
        assert vectors.words == expected.words
        np.testing.assert_array_equal(vectors.matrix, expected.matrix)
        np.testing.assert_array_equal(vectors.counts, expected.counts)


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
def test_the_loss_of_untrained_vectors_is_that_of_guessing(method: str) -> None:
    """Outputs of zeros: each of 1 + 5 answers costs ln 2, but for samples that are the word itself, one in 16."""
    made = small(method=method, lr=1e-9, last_lr=0.0, noise_power=0.0, epochs=2).fit(topics())
    np.testing.assert_allclose(made.losses_, math.log(2) * (1 + 5 * 15 / 16), rtol=0.005)


def test_training_ends_when_the_loss_has_settled() -> None:
    assert len(small(epochs=9, patience=1, tolerance=1.0).fit(topics()).losses_) == 2
    assert len(small(epochs=9, patience=3, tolerance=1.0).fit(topics()).losses_) == 4
    assert len(small(epochs=6, patience=1, tolerance=0.0).fit(topics()).losses_) == 6


@pytest.mark.parametrize("settings", METHODS, ids=lambda s: "-".join(map(str, s.values())))
def test_training_goes_on_with_more_words(settings: dict[str, Any]) -> None:
    made = small(epochs=6, **settings).fit(topics())
    before = made.vectors_
    text = [[word.replace("y", "z") for word in sentence] for sentence in topics(seed=1)] + [["x0", "rare"]]
    made.set_params(least_count=2).fit_more(text)
    assert made.vectors_.words[:16] == before.words
    assert set(made.vectors_.words[16:]) == {f"z{n}" for n in range(8)}
    assert made.vocabulary_.id("y3") == before.place("y3")
    counts = dict(zip(made.vectors_.words, made.vectors_.counts.tolist(), strict=True))
    assert counts["x0"] == before.counts[before.place("x0")] + sum(s.count("x0") for s in text)
    assert counts["y3"] == before.counts[before.place("y3")]
    if not settings["subwords"]:
        np.testing.assert_array_equal(made.vectors_["y3"], before["y3"])
    assert not np.array_equal(made.vectors_["x3"], before["x3"])
    assert {near[0] for near, _ in made.vectors_.nearest("x0", 7)} == {"x"}
    assert "x" not in {near[0] for near, _ in made.vectors_.nearest("z1", 7)}
    assert {near[0] for near, _ in before.nearest("x0", 7)} == {"x"}, "the vectors handed out before have changed"


@pytest.mark.parametrize("hierarchical", [False, True])
def test_training_goes_on_where_it_ended(hierarchical: bool) -> None:
    """What follows begins with the loss that the end of the training had, not with that of guessing."""
    made = small(epochs=10, hierarchical=hierarchical).fit(topics())
    first, last = made.losses_[0], made.losses_[-1]
    made.set_params(epochs=1, lr=1e-6).fit_more(topics())
    assert made.losses_[0] < last + 0.05 * (first - last)


def test_going_on_keeps_shapes_and_the_largest_vocabulary() -> None:
    made = small().fit(topics())
    for change in ({"dim": 8}, {"subwords": True}, {"hierarchical": True}):
        with pytest.raises(ConfigError, match="must stay as they were"):
            clone(made).set_params().fit(topics()).set_params(**change).fit_more(topics())
    made.set_params(most_words=18).fit_more([["a", "b", "b", "c", "c", "c", "x1"]])
    assert made.vectors_.words[16:] == ("c", "b")
    with pytest.raises(CorpusError, match="known or seen 9 times"):
        made.set_params(least_count=9).fit_more([["unheard", "of"]])


def test_words_of_subwords_are_means_and_unknown_words_have_vectors() -> None:
    random = np.random.default_rng(1)
    groups = [["walking", "walked", "walker", "walks"], ["singing", "singer", "sings", "singsong"]]
    text = [random.choice(groups[n % 2], 6).tolist() for n in range(600)]
    made = small(subwords=True, epochs=10, buckets=5000).fit(text)
    vectors, rows = made.vectors_, made.weights_.inputs[:, :16]
    place = vectors.place("singer")
    grams = 8 + gram_rows(["singer"], 3, 6, 5000)[1]
    np.testing.assert_allclose(vectors["singer"], rows[[place, *grams]].mean(0), rtol=1e-5)
    assert "walkers" not in vectors
    assert {near[:4] for near, _ in vectors.nearest(vectors["walkers"], 4)} == {"walk"}
    assert vectors.find("a") is not None  # "<a>"
    assert GramVectors(rows[8:], least=4).vector("a") is None


@limits(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=9), max_size=6), st.integers(1, 5), st.integers(0, 4))
def test_n_grams_are_those_of_a_loop(words: list[str], least: int, more: int) -> None:
    most, buckets = least + more, 2**31
    starts, rows = gram_rows(words, least, most, buckets)
    known: dict[str, int] = {}
    for number, word in enumerate(words):
        marked = f"<{word}>"
        grams = [marked[k : k + n] for n in range(least, most + 1) for k in range(len(marked) - n + 1)]
        found = rows[starts[number] : starts[number + 1]].tolist()
        assert len(found) == len(grams)
        for gram, row in zip(grams, found, strict=True):
            assert known.setdefault(gram, row) == row
    assert len(set(known.values())) == len(known), "two n-grams of a few fell together among 2 ** 31"
    assert ((rows >= 0) & (rows < buckets)).all()


def test_n_grams_are_spread_over_the_buckets() -> None:
    _, rows = gram_rows([f"{n:06d}" for n in range(5000)], 6, 6, 1000)
    counts = np.bincount(rows, minlength=1000)
    assert counts.min() > 0
    assert counts.max() < 4 * counts.mean()


@limits(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60), st.lists(st.integers(1, 50), max_size=20))
def test_probabilities_of_a_tree_sum_to_one(counts: list[int], more: list[int]) -> None:
    tree = grow_tree(build_tree(np.array(counts)), np.array(more, np.int64))
    size = len(counts) + len(more)
    scores = np.random.default_rng(size).normal(0, 3, max(size - 1, 0))
    probabilities = word_probabilities(tree, scores)
    assert probabilities.shape == (size,)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.min() > 0
    assert set(tree.nodes.tolist()) == set(range(size - 1))


@limits(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=60))
def test_frequent_words_have_the_shortest_paths(counts: list[int]) -> None:
    heap, least = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        least += both
        heapq.heappush(heap, both)
    assert int((np.diff(build_tree(np.array(counts)).starts) * counts).sum()) == least


def test_a_grown_tree_keeps_what_it_knew() -> None:
    counts, more = np.array([5, 3, 9, 1]), np.array([2, 2, 7])
    tree = build_tree(counts)
    scores = np.array([0.3, -1.0, 2.0, 0.5, 0.1, -0.7])
    before, after = word_probabilities(tree, scores[:3]), word_probabilities(grow_tree(tree, more), scores)
    np.testing.assert_allclose(after[:4] / after[:4].sum(), before)


def test_transform_is_the_average_of_the_known_words() -> None:
    made = small().fit(topics())
    found = made.transform([["x1", "x1", "y2", "unheard"], []])
    np.testing.assert_allclose(found[0], (2 * made.vectors_["x1"] + made.vectors_["y2"]) / 3, rtol=1e-5)
    assert not found[1].any()


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"method": "skipgrams"}, "did you mean 'skipgram'"),
        ({"dim": 0}, "dim must be a whole number of at least 1, got 0"),
        ({"window": 2.5}, "window must be a whole number"),
        ({"negative": 0}, "hierarchical=True"),
        ({"epochs": True}, "epochs must be"),
        ({"threads": 0}, "threads must be"),
        ({"patience": 0}, "patience must be"),
        ({"sample": -1.0}, "sample must be a number from 0 to 1"),
        ({"sample": math.nan}, "sample must be"),
        ({"lr": 0.0}, "lr must be more than 0"),
        ({"lr": "high"}, "lr must be a number"),
        ({"gram_least": 4, "gram_most": 3}, "gram_least and gram_most"),
    ],
)
def test_settings_out_of_range_are_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        small(**settings).fit(topics())


def test_text_that_can_not_be_trained_on_is_said(tmp_path: Path) -> None:
    for text, settings, said in (
        ([], {}, "no word to count"),
        ([["a"], ["b"]], {}, "no two words were left"),
        ([["a", "b"]], {"least_count": 2}, "least_count"),
        (["a text"], {}, "list of words"),
        (tmp_path / "missing.txt", {}, "missing.txt"),
    ):
        with pytest.raises(CorpusError, match=said):
            small(**settings).fit(text)


def test_a_loss_that_is_no_number_ends_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word2vec_threads.Threads, "epoch", lambda *_: (math.nan, 1.0))
    with pytest.raises(TrainingError, match="lower lr"):
        small().fit(topics())


def test_a_vocabulary_of_one_word_is_no_error() -> None:
    for settings in METHODS:
        assert small(**settings).fit([["a"] * 5]).vectors_.words == ("a",)
