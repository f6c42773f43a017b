"""The steps of word2vec against slow numpy ones in float64, and what is drawn against what it should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from textdl.kernels import word2vec
from textdl.kernels.word2vec import LONGEST, LOSS, PAIRS, SHARED, WORDS, Job, Scratch, train
from textdl.kernels.word2vec_threads import Threads, alias_table, aligned_rows, cut_ids, prepare
from textdl.kernels.word2vec_tiles import TILE
from textdl.vectors.huffman import build_tree

V = 40
ALWAYS = 2**32 - 1
Matrix = NDArray[np.float64]


def filled(random: np.random.Generator, rows: int, dim: int, size: float = 0.5) -> NDArray[np.float32]:
    matrix = aligned_rows(rows, dim)
    matrix[:, :dim] = random.normal(0, size, (rows, dim))
    return matrix


def job_of(
    bag: bool = False,
    negative: int = 5,
    drawn: int | None = None,
    dim: int = 20,
    window: int = 1,
    noise: NDArray[np.uint32] | None = None,
    keep: int = ALWAYS,
    pieces: list[list[int]] | None = None,
) -> Job:
    """A job over V words; without negative samples it has a tree."""
    random = np.random.default_rng(dim)
    tree = build_tree(np.arange(1, V + 1) ** 2)
    none = np.empty(0, np.int64)
    starts = none if pieces is None else np.cumsum([0, *map(len, pieces)])
    drawn = drawn or -(-negative // TILE) * TILE
    used = (drawn if bag else 1 + negative) if negative else int(np.diff(tree.starts).max())
    return Job(
        filled(random, V if pieces is None else 1 + max(map(max, pieces)), dim),
        filled(random, V, dim),
        np.full(V, keep, np.uint32),
        alias_table(np.arange(1.0, V + 1)) if noise is None else noise,
        tree.starts,
        tree.nodes,
        tree.turns,
        starts,
        none if pieces is None else np.concatenate(pieces),
        window,
        negative,
        bag,
        drawn,
        -(-used // TILE),
    )


def only(word: int) -> NDArray[np.uint32]:
    """The noise of which nothing but this word is drawn."""
    return np.array([[0, word]] * V, np.uint32)


def run(job: Job, *sentences: list[int], lr: float = 0.1, seed: int = 1) -> tuple[NDArray[np.float64], Scratch]:
    ids = np.concatenate([[*words, -1] for words in sentences]).astype(np.int32)
    totals, scratch = np.zeros(3), prepare(job)
    train(job, scratch, ids, lr, lr, seed, totals)
    return totals, scratch


def errors_of(x: Matrix, y: Matrix, labels: Matrix, weights: Matrix) -> tuple[Matrix, float]:
    """The weighted errors [W, K] of x [W, D] against y [K, D], and the loss; labels and weights [W, K]."""
    probability = 1 / (1 + np.exp(-x @ y.T))
    loss = -weights * (labels * np.log(probability) + (1 - labels) * np.log(1 - probability))
    return weights * (labels - probability), float(loss.sum())


def move(x: Matrix, outputs: Matrix, rows: NDArray[np.int64], steps: Matrix) -> None:
    """A step of both sides, ``steps`` [W, K] the errors times the rate; a tile sees what the ones before it changed."""
    for start in range(0, len(rows), TILE):
        some, part = rows[start : start + TILE], steps[:, start : start + TILE]
        y, to_y = outputs[some], part.T @ x
        x += part @ y
        np.add.at(outputs, some, to_y)


def targets_of(job: Job, scratch: Scratch, word: int, slot: int) -> tuple[NDArray[np.int64], Matrix, Matrix]:
    """The output rows of a centre word [K], their labels, and their weights."""
    if job.negative == 0:
        path = slice(job.path_starts[word], job.path_starts[word + 1])
        rows = job.nodes[path].astype(np.int64)
        return rows, 1.0 - job.turns[path], np.ones(len(rows))
    if job.bag:
        first = job.tiles * TILE * (slot // SHARED * SHARED)
        others = scratch.columns[first : first + job.drawn]
        weights = np.where(others == word, 0.0, job.negative / job.drawn)
    else:
        first = job.tiles * TILE * slot + 1
        others = scratch.columns[first : first + job.negative]
        weights = np.where(others == word, 0.0, 1.0)
    labels = np.array([1.0, *[0.0] * len(others)])
    return np.array([word, *others]), labels, np.array([1.0, *weights])


def windows(words: list[int]) -> list[list[int]]:
    """The neighbours of each word, one on a side."""
    return [words[max(0, k - 1) : k] + words[k + 1 : k + 2] for k in range(len(words))]


def slow_skipgram(job: Job, scratch: Scratch, words: list[int], lr: float) -> tuple[Matrix, Matrix, float]:
    """A centre word after the other against all of its window at once."""
    inputs, outputs, total = job.inputs.astype(np.float64), job.outputs.astype(np.float64), 0.0
    for slot, (word, around) in enumerate(zip(words, windows(words), strict=True)):
        rows, labels, weights = targets_of(job, scratch, word, slot)
        x = inputs[around]
        errors, loss = errors_of(x, outputs[rows], labels[None], np.ones((len(around), 1)) * weights)
        move(x, outputs, rows, lr * errors)
        inputs[around] = x
        total += loss
    return inputs, outputs, total


def slow_cbow(job: Job, scratch: Scratch, words: list[int], lr: float) -> tuple[Matrix, Matrix, float]:
    """All centre words of the sentence, one group; the errors are those of the values before."""
    inputs, outputs, total = job.inputs.astype(np.float64), job.outputs.astype(np.float64), 0.0
    means = np.array([inputs[around].mean(0) for around in windows(words)])
    found, steps = means.copy(), []
    for slot, word in enumerate(words):
        rows, labels, weights = targets_of(job, scratch, word, slot)
        errors, loss = errors_of(means[slot : slot + 1], outputs[rows], labels[None], weights[None])
        steps.append((rows, lr * errors[0]))
        total += loss
    if job.negative:
        for k in range(0, len(words), SHARED):  # the samples of these are the same
            both = slice(k, k + SHARED)
            move(found[both], outputs, steps[k][0][1:], np.array([step[1:] for _, step in steps[both]]))
        for k, (rows, step) in enumerate(steps):
            found[k] += step[0] * outputs[rows[0]]
            outputs[rows[0]] += step[0] * means[k]
    else:
        for k, (rows, step) in enumerate(steps):
            move(found[k : k + 1], outputs, rows, step[None])
    for around, mean, new in zip(windows(words), means, found, strict=True):
        inputs[around] += new - mean
    return inputs, outputs, total


SLOW: dict[bool, Callable[[Job, Scratch, list[int], float], tuple[Matrix, Matrix, float]]] = {
    False: slow_skipgram,
    True: slow_cbow,
}


@pytest.mark.parametrize("bag", [False, True], ids=["skipgram", "cbow"])
@pytest.mark.parametrize("negative, dim", [(5, 20), (1, 100), (7, 16), (14, 33), (0, 20)])
def test_a_sentence_moves_the_vectors_down_the_gradient(bag: bool, negative: int, dim: int) -> None:
    words = [3, 17, 39, 8]
    job = job_of(bag, negative, dim=dim)
    before = Job(*[np.array(value) if isinstance(value, np.ndarray) else value for value in job])
    totals, scratch = run(job, words)
    inputs, outputs, loss = SLOW[bag](before, scratch, words, 0.1)
    np.testing.assert_allclose(job.inputs, inputs, atol=2e-6)
    np.testing.assert_allclose(job.outputs, outputs, atol=2e-6)
    assert totals[LOSS] == pytest.approx(loss, rel=1e-5)
    assert totals[PAIRS] == (4 if bag else 6)
    assert totals[WORDS] == 4
    assert np.abs(job.inputs - before.inputs).max() > 0.01, "nothing was trained"
    assert not job.inputs[:, dim:].any()
    assert not job.outputs[:, dim:].any()


@pytest.mark.parametrize("bag", [False, True])
def test_a_negative_sample_that_is_the_word_itself_is_none(bag: bool) -> None:
    job = job_of(bag, noise=only(3))
    x, y = job.inputs[7, :20].astype(float), job.outputs[3, :20].astype(float)
    # Of the words 7 and 3, the sample 3 is one of the first only.
    totals, _ = run(job, [7, 3], lr=0.0)
    of_7, of_3 = (job.inputs[3] @ job.outputs[7], job.inputs[3] @ job.outputs[3]), x @ y
    expected = np.logaddexp(0, -of_7[0]) + 5 * np.logaddexp(0, of_7[1]) + np.logaddexp(0, -of_3)
    assert totals[LOSS] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("margin", [-80.0, -20.0, -3.0, 0.0, 0.01, 3.0, 9.0, 20.0, 80.0])
def test_loss_and_slope_of_large_and_small_scores(margin: float) -> None:
    job = job_of(noise=only(1))
    job.inputs[:], job.outputs[:] = 0, 0
    job.inputs[2, 0], job.outputs[1, 0] = margin, 1.0  # the word 2 tells of 1; of the word 2 nothing is known: ln 2
    totals, _ = run(job, [1, 2], lr=1e-3)
    assert totals[LOSS] == pytest.approx(np.logaddexp(0, -margin) + 6 * np.log(2), rel=1e-5)
    slope = np.exp(-np.logaddexp(0, margin))
    assert job.inputs[2, 0] - margin == pytest.approx(1e-3 * slope, abs=4e-7 * max(1, abs(margin)))


def test_words_made_of_pieces_move_each_piece_by_the_whole_change() -> None:
    pieces = [[word, V + word % 3, V + 3] for word in range(V)]
    job = job_of(pieces=pieces, dim=16)
    before = job.inputs.astype(np.float64)
    whole = job._replace(inputs=np.array([job.inputs[rows].mean(0) for rows in pieces]), outputs=job.outputs.copy())
    whole = whole._replace(piece_starts=np.empty(0, np.int64), pieces=np.empty(0, np.int64))
    expected = whole.inputs.astype(np.float64)
    words = [5, 6, 7]
    assert run(job, words)[0][LOSS] == pytest.approx(run(whole, words)[0][LOSS], rel=1e-5)
    np.testing.assert_allclose(job.outputs, whole.outputs, atol=1e-6)
    for word in words:
        np.add.at(before, pieces[word], whole.inputs[word] - expected[word])
    np.testing.assert_allclose(job.inputs, before, atol=1e-6)


def test_alias_table_holds_the_distribution() -> None:
    weights = np.random.default_rng(1).random(1000) ** 5
    table = alias_table(weights)
    held = table[:, 0] / 2.0**32
    shares = held + np.bincount(table[:, 1], 1 - held, minlength=1000)
    np.testing.assert_allclose(shares / 1000, weights / weights.sum(), atol=1e-9)


def test_negative_samples_follow_the_noise() -> None:
    weights = np.arange(1.0, V + 1) ** 2
    pool = np.zeros(400_000, np.int64)
    word2vec.fill_pool(alias_table(weights), np.array([7], np.uint64), pool)
    found = np.bincount(pool, minlength=V)
    expected = weights / weights.sum() * len(pool)
    assert ((found - expected) ** 2 / expected).sum() < 80  # chi square of 39 degrees: 1 in 10,000 is above


def test_each_sentence_draws_other_samples() -> None:
    job = job_of(negative=5, noise=alias_table(np.ones(V)))
    seen = {tuple(run(job, *[[1, 2]] * n)[1].columns[:6]) for n in range(1, 30)}
    assert len(seen) > 25


@pytest.mark.parametrize("window", [1, 3, 8, 20])
def test_the_reach_is_even_from_one_to_the_window(window: int) -> None:
    job = job_of(window=window, noise=only(V - 1))
    job.outputs[:] = 0  # each of the 1 + 5 answers costs ln 2
    words = np.random.default_rng(0).integers(0, V - 1, 1000).tolist()
    totals, _ = run(job, *[words] * 20, lr=0.0)
    assert totals[PAIRS] == pytest.approx(20_000 * (window + 1), rel=0.025)
    assert totals[LOSS] == pytest.approx(6 * np.log(2) * totals[PAIRS], rel=1e-4)


def test_frequent_words_are_left_out_at_their_rate() -> None:
    totals, _ = run(job_of(keep=2**31), *[[1, 2]] * 20_000, lr=0.0)
    assert totals[PAIRS] == pytest.approx(2 * 20_000 / 4, rel=0.05)
    assert totals[WORDS] == 40_000


def test_sentences_do_not_mix_and_a_lone_word_is_nothing() -> None:
    job = job_of()
    before = job.inputs.copy()
    totals, _ = run(job, [1], [2], [], [3])
    assert totals.tolist() == [0, 0, 3]
    np.testing.assert_array_equal(job.inputs, before)


@pytest.mark.parametrize("bag", [False, True])
def test_a_sentence_too_long_is_cut(bag: bool) -> None:
    words = np.random.default_rng(0).integers(0, V, 2 * LONGEST + 10).tolist()
    totals, _ = run(job_of(bag), words)
    assert totals[WORDS] == len(words)
    assert totals[PAIRS] == (len(words) if bag else 2 * len(words) - 6)


def test_ids_are_cut_behind_sentences() -> None:
    random = np.random.default_rng(3)
    ids = random.integers(0, 9, 70_000).astype(np.int32)
    ids[random.random(len(ids)) < 0.05] = -1
    ids[-1] = -1
    cuts = cut_ids(lambda start, end: ids[start:end], len(ids))
    assert cuts[0] == 0
    assert cuts[-1] == len(ids)
    assert len(cuts) > 50
    assert (np.diff(cuts) >= 1).all()
    assert (ids[np.array(cuts[1:]) - 1] == -1).all()
    assert cut_ids(lambda start, end: ids[:0], 0) == [0, 0]
    endless = np.zeros(10_000, np.int32)
    assert len(cut_ids(lambda start, end: endless[start:end], len(endless))) == 11


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_read_every_word_once(threads: int, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    ids = random.integers(0, V, 30_000).astype(np.int32)
    ids[9::10] = -1
    (tmp_path / "ids").write_bytes(ids.tobytes())
    job = job_of()

    def read(start: int, end: int) -> NDArray[np.int32]:
        return np.fromfile(tmp_path / "ids", np.int32, end - start, offset=4 * start)

    done = Threads(job, read, cut_ids(read, len(ids)), threads, 1)
    loss, pairs = done.epoch(0, lambda share: 0.0)
    assert pairs == 3000 * 16
    assert done.epoch(0, lambda share: 0.0) == pytest.approx(
        (loss, pairs)
    )  # the order of the sums is up to the threads
    for seed, number in ((2, 0), (1, 1)):
        other = Threads(job, read, cut_ids(read, len(ids)), threads, seed).epoch(number, lambda share: 0.0)
        assert other != pytest.approx((loss, pairs))
    alone = sum(run(job, ids[start : start + 9].tolist(), lr=0.0)[0][LOSS] for start in range(0, 3000, 10))
    assert loss / pairs == pytest.approx(alone / (300 * 16), rel=0.03)
