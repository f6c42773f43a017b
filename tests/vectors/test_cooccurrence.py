"""Co-occurrence counts, mutual information and their vectors: by hand, by slow formulas, and by what must hold."""

from __future__ import annotations

import errno
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer

from textdl.errors import ConfigError, CorpusError
from textdl.vectors import pairs
from textdl.vectors.cooccurrence import CoOccurrence, cooccurrence_matrix, ppmi_matrix, reduce_matrix

SENTENCES = [["a", "b", "c", "b"], ["c", "a"], ["d"], [], ["a", "d", "b", "b"]]


def text_of(seed: int, size: int = 40, length: int = 2500) -> NDArray[np.int32]:
    """Ids with Zipf's frequencies and ends of sentences, some of them empty."""
    drawn: NDArray[np.int32] = (np.random.default_rng(seed).zipf(1.4, length) % (size + 1) - 1).astype(np.int32)
    return drawn


def slowly(ids: NDArray[np.int32], size: int, window: int, weighting: str, context: str) -> NDArray[np.float64]:
    matrix = np.zeros((size, size))
    weight = {
        "flat": lambda d: 1.0,
        "harmonic": lambda d: 1.0 / d,
        "linear": lambda d: (window + 1 - d) / window,
    }[weighting]
    sentences: list[list[int]] = [[]]
    for word in ids.tolist():
        sentences.append([]) if word < 0 else sentences[-1].append(word)
    for sentence in sentences:
        for here, one in enumerate(sentence):
            for there, other in enumerate(sentence):
                wanted = (there > here and context != "left") or (there < here and context != "right")
                if wanted and abs(there - here) <= window:
                    matrix[one, other] += weight(abs(there - here))
    return matrix


@pytest.mark.parametrize("weighting", ["flat", "harmonic", "linear"])
@pytest.mark.parametrize("context", ["both", "left", "right"])
def test_counts_are_those_of_the_slow_way(weighting: str, context: str) -> None:
    ids = text_of(1)
    for window, threads in ((1, 1), (7, 3), (45, 2)):  # 45: weights that are no whole numbers
        made = cooccurrence_matrix(ids, 40, window, weighting, context, np.float64, threads=threads)
        assert made.dtype == np.float64
        assert made.has_canonical_format
        np.testing.assert_allclose(made.toarray(), slowly(ids, 40, window, weighting, context), rtol=1e-12)


def test_by_hand() -> None:
    ids = np.array([0, 1, 2, 1, -1, 2, 0, -1], np.int32)  # a b c b . c a .
    made = cooccurrence_matrix(ids, 3, 2, "harmonic", "right").toarray()
    assert made.tolist() == [[0, 1, 0.5], [0, 0.5, 1], [1, 1, 0]]
    assert cooccurrence_matrix(ids, 3, 1, "flat").toarray().tolist() == [[0, 1, 1], [1, 0, 2], [1, 2, 0]]


def test_both_sides_are_symmetric_to_the_last_bit_and_left_is_right_turned() -> None:
    ids = text_of(2)
    both = cooccurrence_matrix(ids, 40, 10, dtype=np.float64)
    assert (both != both.T).nnz == 0
    left, right = (cooccurrence_matrix(ids, 40, 10, context=side, dtype=np.float64) for side in ("left", "right"))
    assert (left != right.T).nnz == 0
    np.testing.assert_allclose((left + right).toarray(), both.toarray(), rtol=1e-13)


@pytest.mark.parametrize("memory_mb", [1e-5, 0.004, 0.05])
@pytest.mark.parametrize("window, weighting", [(5, "harmonic"), (None, "flat"), (None, "binary")])
def test_little_memory_gives_the_same(memory_mb: float, window: int | None, weighting: str, tmp_path: Path) -> None:
    ids = text_of(3, 300, 4000)
    free = cooccurrence_matrix(ids, 300, window, weighting, threads=1)
    tight = cooccurrence_matrix(ids, 300, window, weighting, threads=2, memory_mb=memory_mb, folder=tmp_path)
    assert free.nnz > 1000
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(free, name), getattr(tight, name))
    assert not list(tmp_path.iterdir())  # the files have no names


def test_the_memory_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made of it: places, blocks under way, and the matrix, which goes to files when it is too large."""
    ids = text_of(4, 1000, 20_000)
    taken: list[int] = []
    spilled: list[int] = []
    empty, unnamed = np.empty, pairs._unnamed

    def counting(shape: Any, *more: Any, **named: Any) -> Any:
        made = empty(shape, *more, **named)
        taken.append(made.nbytes)
        return made

    monkeypatch.setattr(pairs.np, "empty", counting)
    monkeypatch.setattr(pairs, "_unnamed", lambda folder: spilled.append(1) or unnamed(folder))
    cooccurrence_matrix(ids, 1000, 10, threads=2, memory_mb=0.2)
    assert spilled
    assert max(taken) <= 0.1e6  # the largest of all: half for the matrix
    taken.clear(), spilled.clear()
    cooccurrence_matrix(ids, 1000, 10, threads=2, memory_mb=100)
    assert not spilled


@pytest.mark.parametrize("window, weighting", [(5, "harmonic"), (None, "flat")])
def test_memory_without_a_limit(window: int | None, weighting: str) -> None:
    ids = text_of(4)
    free = cooccurrence_matrix(ids, 40, window, weighting, memory_mb=math.inf)
    assert (free != cooccurrence_matrix(ids, 40, window, weighting)).nnz == 0


def test_a_full_disk_is_said_before_it_is_mapped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To write to a map that the disk has no room for would end the process without a word."""

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pairs.os, "posix_fallocate", full, raising=False)
    with pytest.raises(ConfigError, match=r"can not be written \(No space left on device\)"):
        cooccurrence_matrix(text_of(3), 40, None, "flat", memory_mb=0.01, folder=tmp_path)


def test_a_huge_window_is_the_whole_sentence() -> None:
    ids = text_of(1)
    longest = cooccurrence_matrix(ids, 40, len(ids), dtype=np.float64)
    weights, scale = pairs.distance_weights(2_000_000, "harmonic")  # at once: no common denominator is looked for
    assert (scale, weights[0], weights[-1]) == (1.0, 1.0, 1 / 2_000_000)
    assert (longest != cooccurrence_matrix(ids, 40, 10 * len(ids), dtype=np.float64)).nnz == 0


@pytest.mark.parametrize("window, scale", [(1, 1), (6, 60), (22, 232_792_560), (23, 1)])
def test_harmonic_weights_are_whole_numbers_as_far_as_sums_are_exact(window: int, scale: int) -> None:
    weights, made = pairs.distance_weights(window, "harmonic")
    assert made == scale
    np.testing.assert_allclose(weights / scale, 1 / np.arange(1, window + 1), rtol=1e-15)
    assert scale == 1 or (weights == np.round(weights)).all()


def test_no_more_blocks_are_under_way_than_memory_is_dealt_out_to(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way: set[int] = set()
    most: list[int] = []

    class Counting(pairs.ThreadPoolExecutor):
        def submit(self, *given: Any, **named: Any) -> Any:
            future = super().submit(*given, **named)
            result, own = future.result, len(most)
            under_way.add(own)
            most.append(len(under_way))
            future.result = lambda: (under_way.discard(own), result())[1]  # type: ignore[method-assign]
            return future

    monkeypatch.setattr(pairs, "ThreadPoolExecutor", Counting)
    cooccurrence_matrix(text_of(4, 1000, 20_000), 1000, 10, threads=2, memory_mb=0.2)
    assert len(most) > 20
    assert max(most) == 3  # one a thread, and one that is copied out


@pytest.mark.parametrize("weighting", ["flat", "binary"])
def test_documents_agree_with_scikit_learn(weighting: str) -> None:
    ids = text_of(5)
    documents = " ".join("\n" if word < 0 else f"w{word}" for word in ids).split("\n")
    counter = CountVectorizer(
        vocabulary=[f"w{word}" for word in range(40)],
        binary=weighting == "binary",
        tokenizer=str.split,
        token_pattern=None,
    )
    counts = counter.fit_transform(documents)
    expected = (counts.T @ counts).toarray().astype(float)
    made = cooccurrence_matrix(ids, 40, None, weighting).toarray()
    off = ~np.eye(40, dtype=bool)
    np.testing.assert_array_equal(made[off], expected[off])
    plain = CountVectorizer(vocabulary=counter.vocabulary, tokenizer=str.split, token_pattern=None)
    twice = plain.fit_transform(documents).toarray().astype(int)
    own = (twice >= 2).sum(axis=0) if weighting == "binary" else (twice * (twice - 1)).sum(axis=0)
    np.testing.assert_array_equal(np.diag(made), own)


def test_an_empty_text_has_no_counts() -> None:
    for ids in ([], [-1, -1], [3, -1, 2]):
        assert cooccurrence_matrix(np.array(ids, np.int32), 5, 3).nnz == 0
        assert cooccurrence_matrix(np.array(ids, np.int32), 5, None, "flat").nnz == 0


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"window": 0}, "window must be"),
        ({"weighting": "harmonics"}, "harmonic"),
        ({"context": "up"}, "context has no choice"),
        ({"window": None}, "whole documents"),
        ({"window": None, "weighting": "flat", "context": "left"}, "whole documents"),
        ({"weighting": "binary"}, "binary"),
        ({"threads": 0}, "threads must be"),
        ({"memory_mb": 0}, "memory_mb must be"),
        ({"dtype": np.int32}, "dtype must be"),
        ({"memory_mb": 1e-5, "folder": "/nowhere/at/all"}, "can not be written"),
    ],
)
def test_wrong_settings_are_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        cooccurrence_matrix(text_of(1), 40, **settings)


def test_ids_outside_the_vocabulary_are_said() -> None:
    with pytest.raises(ConfigError, match="-1 to 38, got -1 to 39"):
        cooccurrence_matrix(text_of(1), 39)


def test_ppmi_by_hand() -> None:
    counts = csr_matrix(np.array([[0, 4], [4, 2]], float))
    # P(w) = .4, .6; smoothing 1: PMI(0, 1) = ln(.4 / (.4 * .6)), PMI(1, 1) = ln(.2 / .36) < 0
    made = ppmi_matrix(counts, smoothing=1.0).toarray()
    np.testing.assert_allclose(made, [[0, math.log(1 / 0.6)], [math.log(1 / 0.6), 0]], rtol=1e-6)
    # log k = ln 1.5 off; smoothing 0.5: P(c) = 2 / (2 + 6 ** .5), 6 ** .5 / (2 + 6 ** .5)
    made = ppmi_matrix(counts, math.log(1.5), 0.5).toarray()
    contexts = np.array([2, 6**0.5]) / (2 + 6**0.5)
    wanted = [[0, math.log(1 / contexts[1] / 1.5)], [math.log(4 / 6 / contexts[0] / 1.5), 0]]
    np.testing.assert_allclose(made, np.maximum(wanted, 0), atol=1e-6)


@pytest.mark.parametrize("block", [7, 2**22])
def test_ppmi_is_that_of_the_slow_formula(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textdl.vectors.ppmi._BLOCK", block)
    counts = cooccurrence_matrix(text_of(6, 50), 60, 4)
    dense = counts.toarray().astype(np.float64)
    assert (dense.sum(axis=1) == 0).any(), "a word that meets none is to be among them"
    total, contexts = dense.sum(), dense.sum(axis=0) ** 0.75
    expected = np.zeros_like(dense)
    for row in range(60):
        for column in range(60):
            if dense[row, column]:
                chance = dense[row].sum() / total * contexts[column] / contexts.sum()
                expected[row, column] = max(0.0, math.log(dense[row, column] / total / chance) - math.log(2))
    made = ppmi_matrix(counts, math.log(2))
    assert made.nnz == (expected > 0).sum() > 50
    assert made.has_sorted_indices
    np.testing.assert_allclose(made.toarray(), expected, rtol=1e-5, atol=1e-7)


def test_all_singular_values_give_the_matrix_back() -> None:
    matrix = ppmi_matrix(cooccurrence_matrix(text_of(7, 30), 30, 5))
    vectors = reduce_matrix(matrix, 30, power=1.0).astype(np.float64)
    dense = matrix.toarray().astype(np.float64)
    np.testing.assert_allclose(vectors @ vectors.T, dense @ dense.T, atol=1e-4)  # U S S U^T
    left, singular, _ = np.linalg.svd(dense)
    half = reduce_matrix(matrix, 4).astype(np.float64)
    np.testing.assert_allclose(np.abs(half), np.abs(left[:, :4] * singular[:4] ** 0.5), atol=1e-3)
    np.testing.assert_array_equal(reduce_matrix(matrix, 4, seed=5), reduce_matrix(matrix, 4, seed=5))


def test_the_estimator_counts_ids_of_its_vocabulary(tmp_path: Path) -> None:
    estimator = CoOccurrence(window=2, weighting="flat", dim=2, least_count=1).fit(SENTENCES)
    place = estimator.vocabulary_.id
    matrix = estimator.matrix_.toarray()
    assert matrix[place("a"), place("b")] == 2  # beside, and over d; the second b of the first sentence is 3 away
    assert matrix[place("b"), place("b")] == 4  # over c, and beside; each both ways
    assert estimator.vectors_.matrix.shape == (4, 2)
    assert estimator.vectors_.words == estimator.vocabulary_.words
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, SENTENCES)))
    for given in (tmp_path / "text.txt", str(tmp_path / "text.txt"), iter(SENTENCES)):
        again = clone(estimator).fit(given)
        assert (again.matrix_ != estimator.matrix_).nnz == 0
        np.testing.assert_array_equal(again.vectors_.matrix, estimator.vectors_.matrix)


def test_rare_words_count_as_if_they_did_not_stand_there() -> None:
    made = CoOccurrence(window=1, least_count=3, dim=None).fit([["a", "rare", "b"]] + [["a", "b"]] * 2)
    assert made.vocabulary_.words == ("a", "b")
    assert made.matrix_.toarray().tolist() == [[0, 3], [3, 0]]
    assert not hasattr(made, "vectors_")


def test_planted_topics_are_found() -> None:
    random = np.random.default_rng(1)
    topics = [[f"{name}{number}" for number in range(8)] for name in "xy"]
    sentences = [random.choice(topics[number % 2], 6).tolist() for number in range(400)]
    vectors = CoOccurrence(window=5, dim=2).fit(sentences).vectors_
    for word in ("x0", "y3"):
        assert {near[0] for near, _ in vectors.nearest(word, 7)} == {word[0]}


def test_transform_is_the_average_of_the_known_words() -> None:
    estimator = CoOccurrence(least_count=1, dim=2).fit(SENTENCES)
    made = estimator.transform([["a", "b", "b", "unheard"], ["unheard"], []])
    vectors = estimator.vectors_
    np.testing.assert_allclose(made[0], (vectors["a"] + 2 * vectors["b"]) / 3, rtol=1e-5)
    assert not made[1:].any()


def test_too_many_dimensions_and_no_text_are_said() -> None:
    with pytest.raises(ConfigError, match="dim must be from 1 to 4"):
        CoOccurrence(least_count=1).fit(SENTENCES)
    with pytest.raises(CorpusError):
        CoOccurrence().fit([])
    with pytest.raises(CorpusError):
        CoOccurrence(least_count=100).fit(SENTENCES)
    for settings in ({"dim": 1.5}, {"dim": 0}, {"dim": 2, "seed": -1}):
        with pytest.raises(ConfigError, match=r"(dim|seed) must be"):
            CoOccurrence(least_count=1, **settings).fit(SENTENCES)
    for shift in (0.0, 99.0):  # no pair at all, or none that is above the shift
        with pytest.raises(CorpusError, match="no two words"):
            CoOccurrence(least_count=1, dim=2, shift=shift).fit(SENTENCES if shift else [["a"], ["b"]])
    with pytest.raises(ConfigError, match="smoothing"):
        CoOccurrence(least_count=1, smoothing=2.0).fit(SENTENCES)
