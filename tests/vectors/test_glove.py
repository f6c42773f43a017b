"""GloVe against numpy: one update and a pass by hand, gradients by differences, and what training must do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import clone

from textdl.errors import ConfigError, CorpusError, TrainingError
from textdl.kernels.glove import PIECE, WIDTH, glove_pass
from textdl.vectors import cooccurrence
from textdl.vectors.cooccurrence import CoOccurrence
from textdl.vectors.glove import Glove, Weights

DIM = 20  # less than a multiple of the width


def weights_of(size: int, seed: int = 0) -> Weights:
    random = np.random.default_rng(seed)
    width = -(-DIM // WIDTH) * WIDTH

    def vectors() -> NDArray[np.float32]:
        made = np.zeros((size, 2, width), np.float32)
        made[:, 0, :DIM] = random.standard_normal((size, DIM)) / 3
        made[:, 1] = 1 + random.random((size, width))
        return made

    def biases() -> NDArray[np.float32]:
        return (1 + random.random((size, 2))).astype(np.float32)

    return Weights(vectors(), biases(), vectors(), biases())


def pieces_of(matrix: Any) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The row of each piece, and where in the row it begins."""
    counts = -(-np.diff(matrix.indptr) // PIECE)
    rows = [row for row, count in enumerate(counts) for _ in range(count)]
    offsets = [number for count in counts for number in range(count)]
    return np.array(rows, np.int32), np.array(offsets, np.int32)


def run_pass(matrix: Any, weights: Weights, lr: float, most: float = 100.0, power: float = 0.75) -> float:
    rows, offsets = pieces_of(matrix)
    fixed = matrix.indptr, matrix.indices, matrix.data.astype(np.float32), rows, offsets
    return float(glove_pass(*fixed, np.arange(len(rows)), *weights, lr, most, power))


def cost(count: float, word: Any, context: Any, bias: Any, other: Any, most: float, power: float) -> float:
    return 0.5 * min(1.0, (count / most) ** power) * float(word @ context + bias + other - np.log(count)) ** 2


@pytest.mark.parametrize("count", [3.0, 100.0, 250.0])
def test_one_update_is_a_step_of_adagrad_against_the_gradient(count: float) -> None:
    lr, most, power = 0.05, 100.0, 0.75
    matrix = csr_matrix(([count], ([2], [1])), shape=(4, 4))
    weights = weights_of(4)
    before = Weights(*(part.astype(np.float64) for part in weights))
    loss = run_pass(matrix, weights, lr, most, power)
    start = np.concatenate(
        [before.words[2, 0], before.contexts[1, 0], before.word_biases[2, :1], before.context_biases[1, :1]]
    )

    def at(values: Any) -> float:
        word, context = values[:-2].reshape(2, -1)
        return cost(count, word, context, values[-2], values[-1], most, power)

    step = 1e-5 * np.eye(len(start))
    gradient = np.array([(at(start + one) - at(start - one)) / 2e-5 for one in step])
    squares = np.concatenate(
        [before.words[2, 1], before.contexts[1, 1], before.word_biases[2, 1:], before.context_biases[1, 1:]]
    )
    expected = start - lr * gradient / np.sqrt(squares)
    grown = squares + (lr * gradient) ** 2
    assert loss == pytest.approx(at(start), rel=1e-5)
    for place, values in ((0, expected), (1, grown)):
        word, context = values[:-2].reshape(2, -1)
        np.testing.assert_allclose(weights.words[2, place], word, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(weights.contexts[1, place], context, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(weights.word_biases[2, place], values[-2], rtol=1e-5)
        np.testing.assert_allclose(weights.context_biases[1, place], values[-1], rtol=1e-5)
    for part, old in zip(weights, before, strict=True):  # nothing else moves
        own = 2 if part is weights.words or part is weights.word_biases else 1
        rest = np.arange(4) != own
        np.testing.assert_array_equal(part[rest], old[rest])
    assert np.abs(weights.words[2, 0] - before.words[2, 0]).max() > 1e-4


def test_a_pass_sees_every_entry_once() -> None:
    """Rows of no entry, of one, and of many pieces; with no rate the losses are those of one state."""
    counts = np.random.default_rng(1).random((200, 200)) * 150 + 0.1
    counts[np.random.default_rng(2).random((200, 200)) < np.linspace(0, 1.01, 200)[:, None]] = 0
    matrix, weights = csr_matrix(counts.astype(np.float32)), weights_of(200)
    sizes = np.diff(matrix.indptr)
    assert sizes.min() == 0
    assert sizes.max() > 5 * PIECE
    predicted = weights.words[:, 0].astype(float) @ weights.contexts[:, 0].astype(float).T
    predicted += weights.word_biases[:, :1] + weights.context_biases[:, 0]
    some = counts > 0
    losses = 0.5 * np.minimum(1, (counts[some] / 100) ** 0.75) * (predicted[some] - np.log(counts[some])) ** 2
    assert run_pass(matrix, weights, 0.0) == pytest.approx(losses.sum(), rel=1e-5)
    run_pass(matrix, weights, 1e-3)
    moved = weights.word_biases[:, 1] != weights_of(200).word_biases[:, 1]
    np.testing.assert_array_equal(moved, sizes > 0)


def test_a_pass_is_that_of_numpy() -> None:
    """Rows longer than a piece, where the order of the entries tells."""
    matrix = csr_matrix(np.random.default_rng(3).random((3, 3 * PIECE)).astype(np.float32) * 9 + 0.5)
    matrix.resize(3 * PIECE, 3 * PIECE)
    weights = weights_of(3 * PIECE, 1)
    words, biases, contexts, others = (part.astype(np.float64) for part in weights)
    loss = 0.0
    for row, offset in zip(*pieces_of(matrix), strict=True):
        low, high = matrix.indptr[row], matrix.indptr[row + 1]
        for entry in range(low + offset, high, 3):
            column, count = matrix.indices[entry], matrix.data[entry]
            error = words[row, 0] @ contexts[column, 0] + biases[row, 0] + others[column, 0] - np.log(count)
            move = 0.2 * min(1, (count / 5) ** 0.5) * error
            loss += 0.5 * min(1, (count / 5) ** 0.5) * error**2
            of_word, of_context = move * contexts[column, 0], move * words[row, 0]
            for part, gradient in (
                (words[row], of_word),
                (contexts[column], of_context),
                (biases[row], move),
                (others[column], move),
            ):
                part[0] -= gradient / np.sqrt(part[1])
                part[1] += gradient**2
    assert run_pass(matrix, weights, 0.2, 5.0, 0.5) == pytest.approx(loss, rel=1e-4)
    for mine, slow in zip(weights, (words, biases, contexts, others), strict=True):
        np.testing.assert_allclose(mine, slow, rtol=1e-3, atol=1e-4)
    assert not weights.words[:, 0, DIM:].any()


def counts_of(size: int = 60, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    counts = np.exp(4 * random.random((size, size))) * (random.random((size, size)) < 0.3)
    return csr_matrix((counts + counts.T).astype(np.float32))


WORDS = [f"w{number}" for number in range(60)]


def test_the_loss_falls_and_one_thread_gives_the_same_bytes() -> None:
    told: list[tuple[int, float]] = []
    first = Glove(DIM, epochs=8, threads=1).fit_matrix(counts_of(), WORDS, tell=lambda *pair: told.append(pair))
    assert told == list(enumerate(first.losses_, 1))
    assert all(later < earlier for earlier, later in zip(first.losses_, first.losses_[1:], strict=False))
    again = Glove(DIM, epochs=8, threads=1).fit_matrix(counts_of(), WORDS)
    np.testing.assert_array_equal(again.vectors_.matrix, first.vectors_.matrix)
    other = Glove(DIM, epochs=8, threads=1, seed=2).fit_matrix(counts_of(), WORDS)
    assert (other.vectors_.matrix != first.vectors_.matrix).all()
    many = Glove(DIM, epochs=8, threads=3).fit_matrix(counts_of(), WORDS)
    np.testing.assert_allclose(many.losses_, first.losses_, rtol=0.2)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_epoch_sees_every_entry_once(threads: int) -> None:
    """Rows of whole pieces, of a part of one, and of none: with next to no rate the losses are those of one state."""
    counts = np.random.default_rng(4).random((70, 70)) * 9 + 0.5
    counts[:, 2 * PIECE :] = 0
    counts[40:50, 5:] = 0
    counts[50:60] = 0
    names = [f"w{number}" for number in range(70)]
    trained = Glove(DIM, epochs=2, lr=1e-12, x_max=5, threads=threads).fit_matrix(csr_matrix(counts), names)
    words, biases, contexts, others = (part[:, 0].astype(float) for part in trained.weights_)
    some = counts > 0
    errors = (words @ contexts.T + biases[:, None] + others)[some] - np.log(counts[some])
    expected = (0.5 * np.minimum(1, (counts[some] / 5) ** 0.75) * errors**2).mean()
    np.testing.assert_allclose(trained.losses_, expected, rtol=1e-5)


def test_products_become_the_logarithms_of_the_counts() -> None:
    counts = counts_of()
    weights = Glove(64, epochs=400, lr=0.1, threads=1).fit_matrix(counts, WORDS).weights_
    made = weights.words[:, 0] @ weights.contexts[:, 0].T
    made += weights.word_biases[:, :1] + weights.context_biases[:, 0]
    known = counts.toarray() > 5
    assert known.sum() > 300
    assert np.abs(made - np.log(np.maximum(counts.toarray(), 1e-9)))[known].max() < 0.05


def test_the_vectors_are_the_sums_of_both_kinds() -> None:
    trained = Glove(DIM, epochs=2).fit_matrix(counts_of(), WORDS, np.arange(60, 0, -1))
    words, contexts = trained.weights_.words[:, 0, :DIM], trained.weights_.contexts[:, 0, :DIM]
    np.testing.assert_array_equal(trained.vectors_.matrix, words + contexts)
    assert trained.vectors_.words == tuple(WORDS)
    assert trained.vectors_.counts is not None
    assert trained.vectors_.counts[0] == 60


def test_training_goes_on_with_new_words() -> None:
    old = Glove(DIM, epochs=5, threads=1, warm_start=True).fit_matrix(counts_of(), WORDS)
    last, kept = old.losses_[-1], old.vectors_.matrix.copy()
    old.fit_matrix(counts_of(), WORDS)
    assert old.losses_[0] < last
    small = Glove(DIM, epochs=0, threads=1, warm_start=True)
    small.set_params(epochs=5).fit_matrix(counts_of(), WORDS).set_params(epochs=0)
    np.testing.assert_array_equal(small.vectors_.matrix, kept)
    grown = ["new", *WORDS[::-1]]
    matrix = csr_matrix(np.ones((61, 61), np.float32))
    small.fit_matrix(matrix, grown)
    np.testing.assert_array_equal(small.vectors_.matrix[1:], kept[::-1])
    assert small.vectors_["new"].any()
    with pytest.raises(ConfigError, match=f"dim must stay {DIM}"):
        small.set_params(dim=5).fit_matrix(matrix, grown)


TOPICS = [[f"{name}{number}" for number in range(8)] for name in "xy"]


def topics(count: int = 400) -> list[list[str]]:
    random = np.random.default_rng(1)
    return [random.choice(TOPICS[number % 2], 6).tolist() for number in range(count)]


def test_planted_topics_are_found() -> None:
    trained = Glove(8, window=5, epochs=30, x_max=10, threads=1).fit(topics())
    for word in ("x0", "y3"):
        assert {near[0] for near, _ in trained.vectors_.nearest(word, 7)} == {word[0]}
    assert trained.transform([["x0", "x1", "unheard"]])[0] == pytest.approx(
        (trained.vectors_["x0"] + trained.vectors_["x1"]) / 2, rel=1e-4
    )


@pytest.mark.parametrize("large", [False, True])
def test_every_way_of_giving_a_text_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """A large file's ids lie in a file themselves."""
    if large:
        monkeypatch.setattr(cooccurrence, "_LARGE", 0)
    estimator = Glove(4, epochs=2, threads=1)
    expected = clone(estimator).fit(topics()).vectors_
    file = tmp_path / "text.txt"
    file.write_text("\n".join(" ".join(sentence) for sentence in topics()))
    for given in (file, str(file), iter(topics())):
        made = clone(estimator).fit(given).vectors_
        assert made.words == expected.words
        np.testing.assert_array_equal(made.matrix, expected.matrix)
    counts = CoOccurrence(window=10, dim=None).fit(file)
    refitted = clone(estimator).fit_matrix(counts.matrix_.tocoo(), counts.vocabulary_.words)
    np.testing.assert_array_equal(refitted.vectors_.matrix, expected.matrix)
    assert refitted.vocabulary_.words == expected.words
    assert refitted.matrix_.format == "csr"


def test_the_vocabulary_knows_of_the_words_left_out() -> None:
    made = Glove(4, epochs=1, least_count=2).fit([*topics(50), ["unheard", "of"]])
    assert "of" not in made.vocabulary_
    assert made.vocabulary_.seen == 50 * 6 + 2
    assert made.vocabulary_.counts.tolist() == made.vectors_.counts.tolist()


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"dim": 0}, "dim must be a whole number of at least 1, got 0"),
        ({"window": 2.5}, "window must be"),
        ({"epochs": -1}, "epochs must be"),
        ({"lr": 0}, "lr must be more than 0"),
        ({"x_max": float("inf")}, "x_max must be"),
        ({"alpha": 2}, "alpha must lie"),
        ({"threads": 0}, "threads must be"),
        ({"seed": -1}, "seed must be"),
        ({"least_count": 0}, "least_count must be at least 1"),
    ],
)
def test_wrong_settings_are_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Glove(**settings).fit(topics(20))


def test_a_wrong_text_or_matrix_is_said(tmp_path: Path) -> None:
    with pytest.raises(CorpusError):
        Glove().fit([])
    with pytest.raises(CorpusError, match="no two words"):
        Glove(least_count=1).fit([["a"], ["b"]])
    with pytest.raises(CorpusError, match=r"missing\.txt"):
        Glove().fit(tmp_path / "missing.txt")
    with pytest.raises(CorpusError, match="list of words"):
        Glove().fit(["one text", "another"])
    with pytest.raises(ConfigError, match=r"shape \(2, 2\)"):
        Glove().fit_matrix(counts_of(), ["a", "b"])
    told: list[int] = []  # before anything is trained
    with pytest.raises(CorpusError, match="'a' twice"):
        Glove().fit_matrix(csr_matrix(np.ones((2, 2))), ["a", "a"], tell=lambda number, _: told.append(number))
    with pytest.raises(CorpusError, match="as many counts"):
        Glove().fit_matrix(csr_matrix(np.ones((2, 2))), ["a", "b"], np.ones(3, int), tell=lambda n, _: told.append(n))
    assert not told
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ConfigError, match="above 0"):
            Glove().fit_matrix(csr_matrix([[1.0, wrong], [1.0, 1.0]]), ["a", "b"])
    with pytest.raises(TrainingError, match="lower lr"):
        Glove(4, lr=1e30, threads=1).fit_matrix(counts_of(), WORDS)
