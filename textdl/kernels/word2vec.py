"""word2vec on a CPU: skip-gram and continuous bag of words, with negative samples or a tree, in compiled loops.

Mikolov et al. 2013, "Efficient Estimation of Word Representations in Vector Space" and "Distributed Representations of
Words and Phrases and their Compositionality". The negative samples are drawn once a centre word and shared over its
window, which makes of the vector products small matrix products (Ji et al. 2016, "Parallelizing Word2Vec in Shared and
Distributed Memory"). Several threads may train the same matrices at once, without locks (Niu et al. 2011, "Hogwild!").

Legend: V words, D width of a row (a multiple of LANES), W words of a window, N ids, P inner nodes of paths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .compiling import Entry, part
from .word2vec_tiles import (
    ROWS,
    STEP,
    TILE,
    add_difference,
    average_rows,
    change_pairs,
    change_tile,
    prefetch_row,
    score_pairs,
    score_tile,
)

Floats = NDArray[np.float32]
F = TypeVar("F", bound=Callable[..., Any])

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_FIRST = np.uint64(0xBF58476D1CE4E5B9)
MIX_SECOND = np.uint64(0x94D049BB133111EB)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)

LONGEST = 1024  # words of a sentence; a longer one is cut
POOL = 64  # centre words whose negative samples are drawn at once
GROUP = 4  # centre words that are trained together
SHARED = 4  # of them, for bags: those that share their negative samples
LOSS, PAIRS, WORDS = 0, 1, 2  # places in the totals


def within(function: F) -> F:
    """Compile a function into those that call it: to hand over arrays costs as much as the work of a short one."""
    compiled: F = njit(error_model="numpy", forceinline=True)(function)
    return compiled


class Job(NamedTuple):
    """What does not change while a model is trained; an array that a method has no use for is empty."""

    inputs: Floats  # [V, D], or [V + buckets, D] with subwords
    outputs: Floats  # [V, D]; with a tree the V - 1 inner nodes, and one that is not used
    keep: NDArray[np.uint32]  # [V], of 2 ** 32: how often a word is kept; 2 ** 32 - 1 is always
    noise: NDArray[np.uint32]  # [V, 2], alias table of the negative samples: threshold of 2 ** 32, other word
    path_starts: NDArray[np.int64]  # [V + 1], where the path of a word lies in nodes and turns
    nodes: NDArray[np.int32]  # [P]
    turns: NDArray[np.int8]  # [P], 0 or 1
    piece_starts: NDArray[np.int64]  # [V + 1], where the input rows that make a word lie in pieces
    pieces: NDArray[np.int64]
    window: int
    negative: int  # 0: the tree
    bag: bool  # continuous bag of words
    drawn: int  # of these: negative samples that some words share; together they weigh as much as ``negative``
    tiles: int  # of TILE output rows, of a centre word at most


class Scratch(NamedTuple):
    """What the steps of a thread are written in. A slot is a centre word's share of the output rows, T tiles."""

    random: NDArray[np.uint64]  # [1]
    pool: NDArray[np.int64]  # negative samples drawn ahead
    taken: NDArray[np.int64]  # [1], how many of the pool are used up
    words: NDArray[np.int64]  # [LONGEST], a sentence
    rows: NDArray[np.int64]  # [GROUP * 2 * window], the input rows of each window
    counts: NDArray[np.int64]  # [GROUP]
    mean_rows: NDArray[np.int64]  # [GROUP], rows of means
    means: Floats  # [2 * GROUP, D], each twice: to be changed, and as it was
    columns: NDArray[np.int64]  # [2 * GROUP * T * TILE], the output rows of each slot
    tiles: NDArray[np.int64]  # [2 * GROUP]
    targets: NDArray[np.int64]  # [2 * GROUP], the centre words of each slot, where a group shares its samples
    signs: Floats  # [2 * GROUP * T, STEP]
    weights: Floats  # [2 * GROUP * T, ROWS * STEP]
    factors: Floats  # the same
    pair_factors: Floats  # [1, STEP]
    hidden: Floats  # [2 * LONGEST, D], with subwords the vectors of a sentence, each twice like the means


@within
def draw(random: NDArray[np.uint64]) -> Any:
    """64 even bits; ``random [1]`` counts on (Steele et al. 2014, "Fast Splittable Pseudorandom Number Generators")."""
    random[0] += GOLDEN
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * MIX_FIRST
    z = (z ^ (z >> np.uint64(27))) * MIX_SECOND
    return z ^ (z >> np.uint64(31))


@part
def fill_pool(noise: NDArray[np.uint32], random: NDArray[np.uint64], pool: NDArray[np.int64]) -> None:
    """Draw negative samples, by the alias method (Walker 1977); many at once, so that the reads overlap."""
    size = np.uint64(noise.shape[0])
    for k in range(pool.shape[0]):
        bits = draw(random)
        place = np.int64(((bits >> HALF) * size) >> HALF)
        pool[k] = place if (bits & LOW) < np.uint64(noise[place, 0]) else np.int64(noise[place, 1])


@within
def sample(job: Job, scratch: Scratch, word: int, slot: int) -> Any:
    """A centre word and its negative samples as output rows; returns how many. One that is the word itself weighs 0."""
    columns, weights, pool = scratch.columns, scratch.weights, scratch.pool
    tile = slot * job.tiles
    place = tile * TILE
    start = scratch.taken[0]
    if start + job.negative > pool.shape[0]:
        fill_pool(job.noise, scratch.random, pool)
        start = 0
    scratch.taken[0] = start + job.negative
    columns[place] = word
    lane = 0
    for k in range(job.negative):
        lane += 1
        if lane == TILE:
            tile, lane = tile + 1, 0
        other = pool[start + k]
        columns[place + k + 1] = other
        weights[tile, lane] = np.float32(0.0) if other == word else np.float32(1.0)
    return 1 + job.negative


@within
def descend(job: Job, scratch: Scratch, word: int, slot: int) -> Any:
    """The inner nodes on a centre word's path as output rows, with their signs; returns how many."""
    start = job.path_starts[word]
    used = job.path_starts[word + 1] - start
    tile = slot * job.tiles
    for k in range(used):
        scratch.columns[tile * TILE + k] = np.int64(job.nodes[start + k])
        scratch.signs[tile + k // TILE, k % TILE] = np.float32(1 - 2 * job.turns[start + k])
        scratch.weights[tile + k // TILE, k % TILE] = np.float32(1.0)
    return used


@within
def share(job: Job, scratch: Scratch, first: int, size: int, slot: int) -> None:
    """Negative samples for some centre words as output rows, for all of them the same."""
    pool, weights, targets = scratch.pool, scratch.weights, scratch.targets
    for k in range(size):
        targets[slot + k] = scratch.words[first + k]
        prefetch_row(job.outputs, targets[slot + k])
    start = scratch.taken[0]
    if start + job.drawn > pool.shape[0]:
        fill_pool(job.noise, scratch.random, pool)
        start = 0
    scratch.taken[0] = start + job.drawn
    weight = np.float32(job.negative) / np.float32(job.drawn)
    tile, lane, place = slot * job.tiles, 0, slot * job.tiles * TILE
    for k in range(job.drawn):
        other = pool[start + k]
        scratch.columns[place + k] = other
        prefetch_row(job.outputs, other)
        for w in range(size):
            weights[tile, w * STEP + lane] = np.float32(0.0) if other == targets[slot + w] else weight
        lane += 1
        if lane == TILE:
            tile, lane = tile + 1, 0
    scratch.tiles[slot] = job.tiles


@within
def choose(job: Job, scratch: Scratch, word: int, slot: int) -> None:
    """Fill a slot with the output rows of a centre word; the last tile is filled with a row that weighs nothing."""
    used = sample(job, scratch, word, slot) if job.negative > 0 else descend(job, scratch, word, slot)
    first = slot * job.tiles
    for k in range(used):
        prefetch_row(job.outputs, scratch.columns[first * TILE + k])
    tiles = (used + TILE - 1) // TILE
    for k in range(used, tiles * TILE):
        scratch.columns[first * TILE + k] = scratch.columns[first * TILE]
        scratch.weights[first + k // TILE, k % TILE] = np.float32(0.0)
    scratch.tiles[slot] = tiles


@within
def score(
    job: Job,
    scratch: Scratch,
    inputs: Floats,
    rows: NDArray[np.int64],
    start: int,
    count: int,
    slot: int,
    stride: int,
    lr: np.float32,
) -> np.float32:
    """The loss of ``count`` input rows against a slot, and the factors of the change."""
    loss, first = np.float32(0.0), slot * job.tiles
    for tile in range(first, first + scratch.tiles[slot]):
        loss += score_tile(
            inputs,
            rows,
            start,
            count,
            job.outputs,
            scratch.columns,
            tile,
            scratch.signs,
            scratch.weights,
            stride,
            lr,
            scratch.factors,
        )
    return loss


@within
def change(
    job: Job, scratch: Scratch, inputs: Floats, rows: NDArray[np.int64], start: int, count: int, slot: int
) -> None:
    """One step down: the input rows and the slot's output rows. A tile sees what those before it changed."""
    first = slot * job.tiles
    for tile in range(first, first + scratch.tiles[slot]):
        change_tile(inputs, rows, start, count, job.outputs, scratch.columns, tile, scratch.factors)


@within
def read_sentence(job: Job, scratch: Scratch, ids: NDArray[np.int32], at: int) -> tuple[int, int, int]:
    """The words of the sentence at ``at`` that are not left out as too frequent: how many, the place behind it, and
    how many words it had."""
    size, seen, words = 0, 0, scratch.words
    while at < ids.shape[0] and size < words.shape[0]:
        word = np.int64(ids[at])
        at += 1
        if word < 0:
            break
        seen += 1
        if (draw(scratch.random) >> HALF) <= np.uint64(job.keep[word]):
            words[size] = word
            size += 1
            prefetch_row(job.inputs, word)
    return size, at, seen


@within
def open_window(job: Job, scratch: Scratch, place: int, length: int, start: int) -> int:
    """The input rows of the words around a centre word, within a reach that is drawn evenly from 1 to ``window``."""
    bits = draw(scratch.random) >> HALF
    reach: Any = job.window - np.int64((bits * np.uint64(job.window)) >> HALF)
    count = 0
    for other in range(max(0, place - reach), min(length, place + reach + 1)):
        if other != place:
            scratch.rows[start + count] = 2 * other if job.piece_starts.shape[0] else scratch.words[other]
            count += 1
    return count


@within
def train_bags(
    job: Job, scratch: Scratch, inputs: Floats, first: int, size: int, length: int, slot: int, lr: np.float32
) -> float:
    """A group of centre words, each against the mean of its window; returns the loss.

    The words of a group do not see each other's changes: no step then waits for the one before.
    """
    loss, means = np.float32(0.0), scratch.means
    for k in range(size):
        start = k * 2 * job.window
        scratch.counts[k] = open_window(job, scratch, first + k, length, start)
        average_rows(inputs, scratch.rows, start, scratch.counts[k], means, 2 * k)
    if job.negative > 0:
        for k in range(0, size, SHARED):
            loss += score(job, scratch, means, scratch.mean_rows, k, min(SHARED, size - k), slot + k, STEP, lr)
        loss += score_pairs(means, size, job.outputs, scratch.targets, slot, lr, scratch.pair_factors)
        for k in range(0, size, SHARED):
            change(job, scratch, means, scratch.mean_rows, k, min(SHARED, size - k), slot + k)
        change_pairs(means, size, job.outputs, scratch.targets, slot, scratch.pair_factors)
    else:
        for k in range(size):
            loss += score(job, scratch, means, scratch.mean_rows, k, 1, slot + k, 0, lr)
        for k in range(size):
            change(job, scratch, means, scratch.mean_rows, k, 1, slot + k)
    for k in range(size):
        add_difference(inputs, scratch.rows, k * 2 * job.window, scratch.counts[k], means, 2 * k)
    return float(loss)


@within
def train_pairs(
    job: Job, scratch: Scratch, inputs: Floats, place: int, length: int, slot: int, lr: np.float32
) -> tuple[float, int]:
    """A centre word against each word of its window; returns the loss and how many words that are."""
    loss = np.float32(0.0)
    count = open_window(job, scratch, place, length, 0)
    for start in range(0, count, ROWS):
        some = min(ROWS, count - start)
        loss += score(job, scratch, inputs, scratch.rows, start, some, slot, 0, lr)
        change(job, scratch, inputs, scratch.rows, start, some, slot)
    return float(loss), count


@within
def compose(job: Job, scratch: Scratch, length: int) -> None:
    """With subwords: the vector of each word of a sentence, the mean of the rows that make it."""
    for place in range(length):
        word = scratch.words[place]
        start = job.piece_starts[word]
        scratch.counts[0] = job.piece_starts[word + 1] - start
        average_rows(job.inputs, job.pieces, start, scratch.counts[0], scratch.hidden, 2 * place)


@within
def decompose(job: Job, scratch: Scratch, length: int) -> None:
    """Add what a sentence changed of its words' vectors to each of the rows that make them."""
    for place in range(length):
        word = scratch.words[place]
        start = job.piece_starts[word]
        add_difference(job.inputs, job.pieces, start, job.piece_starts[word + 1] - start, scratch.hidden, 2 * place)


@within
def choose_group(job: Job, scratch: Scratch, first: int, length: int, slot: int) -> None:
    """Fill the slots of the group that begins at ``first``, if there is one."""
    size = min(GROUP, length - first)
    if job.bag and job.negative > 0:
        for k in range(0, size, SHARED):
            share(job, scratch, first + k, min(SHARED, size - k), slot + k)
    else:
        for k in range(size):
            choose(job, scratch, scratch.words[first + k], slot + k)


@within
def train_sentence(
    job: Job, scratch: Scratch, inputs: Floats, length: int, lr: np.float32, totals: NDArray[np.float64]
) -> None:
    """A sentence in groups; while one is trained, the rows of the next one are fetched."""
    loss, pairs = 0.0, 0
    slot = GROUP
    for first in range(-GROUP, length, GROUP):
        following = GROUP - slot
        choose_group(job, scratch, first + GROUP, length, following)
        if first < 0:
            slot = following
            continue
        size = min(GROUP, length - first)
        if job.bag:
            loss += train_bags(job, scratch, inputs, first, size, length, slot, lr)
            pairs += size
        else:
            for k in range(size):
                more, count = train_pairs(job, scratch, inputs, first + k, length, slot + k, lr)
                loss += more
                pairs += count
        slot = following
    totals[LOSS] += loss
    totals[PAIRS] += pairs


@Entry
def train(
    job: Job,
    scratch: Scratch,
    ids: NDArray[np.int32],
    lr: float,
    last_lr: float,
    seed: int,
    totals: NDArray[np.float64],
) -> None:
    """Train on some sentences, ids ``[N]`` with -1 behind each; the learning rate goes from ``lr`` to ``last_lr``.

    Adds to ``totals [3]`` the loss, the pairs (or bags) that it is a sum over, and the words read.
    """
    scratch.random[0] = np.uint64(seed)
    scratch.taken[0] = scratch.pool.shape[0]
    at, size = 0, ids.shape[0]
    with_pieces = job.piece_starts.shape[0] > 0
    while at < size:
        rate = np.float32(lr + (last_lr - lr) * (at / size))
        length, at, seen = read_sentence(job, scratch, ids, at)
        totals[WORDS] += seen
        if length < 2:
            continue
        if with_pieces:
            compose(job, scratch, length)
        train_sentence(job, scratch, scratch.hidden if with_pieces else job.inputs, length, rate, totals)
        if with_pieces:
            decompose(job, scratch, length)
