"""Batches of texts of about the same length."""

from __future__ import annotations

import numpy as np
import pytest

from textdl.text.buckets import POOL, Ragged, batches_by_tokens, batches_of, by_size, padding_share

LENGTHS = np.random.default_rng(5).geometric(0.02, 3_007) - 1  # from 0 to some hundreds


def dealt(seed: int, epoch: int, size: int = 8) -> list[list[int]]:
    return [batch.tolist() for batch in batches_of(LENGTHS, size, np.random.default_rng([seed, epoch]))]


@pytest.mark.parametrize("order", [None, 3])
@pytest.mark.parametrize("number, size", [(3_007, 8), (16, 8), (3, 8), (0, 8), (5, 1)])
def test_every_text_is_in_one_batch(number: int, size: int, order: int | None) -> None:
    batches = batches_of(LENGTHS[:number], size, None if order is None else np.random.default_rng(order))
    assert sorted(place for batch in batches for place in batch.tolist()) == list(range(number))
    sizes = sorted(map(len, batches), reverse=True)
    assert sizes[:-1] == [size] * max(0, len(sizes) - 1)
    assert len(batches) == -(-number // size)


def test_seed_and_epoch_decide() -> None:
    assert dealt(1, 0) == dealt(1, 0)
    assert dealt(1, 0) != dealt(1, 1) != dealt(2, 1) != dealt(1, 0)
    first = {frozenset(batch) for batch in dealt(1, 0)}
    assert len(first & {frozenset(batch) for batch in dealt(1, 1)}) < 0.05 * len(first), "others meet in each epoch"


def test_batches_come_in_no_order_of_length() -> None:
    means = [LENGTHS[batch].mean() for batch in dealt(1, 0)]
    assert 0.4 < np.mean(np.diff(means) > 0) < 0.6, "the next is as often shorter as longer"
    assert abs(np.corrcoef(means[1:], means[:-1])[0, 1]) < 0.2


def test_for_evaluation_the_longest_come_first() -> None:
    along = np.concatenate(batches_of(LENGTHS, 8, None))
    assert (np.diff(LENGTHS[along]) <= 0).all()


def slow_share(batches: list[list[int]]) -> float:
    tokens = places = 0
    for batch in batches:
        longest = max(LENGTHS[place] for place in batch)
        for place in batch:
            tokens += LENGTHS[place]
            places += longest
    return 1 - tokens / places


def test_the_share_of_padding_is_that_of_a_slow_count() -> None:
    batches = dealt(1, 0)
    share = padding_share(LENGTHS, [np.array(batch) for batch in batches])
    assert share == pytest.approx(slow_share(batches))
    by_chance = np.array_split(np.random.default_rng(1).permutation(len(LENGTHS)), len(batches))
    assert slow_share([batch.tolist() for batch in by_chance]) > 0.5
    assert share < 0.07
    assert len(LENGTHS) > POOL * 8, "there is more than one pool"
    assert padding_share(LENGTHS, []) == 0.0


def test_texts_become_padded_columns() -> None:
    texts = [np.array(ids, np.int32) for ids in ([5, 6], [], [7], [1, 2, 3])]
    ragged = Ragged.of(texts)
    assert len(ragged) == 4
    assert ragged.lengths.tolist() == [2, 0, 1, 3]
    table, lengths = ragged.padded(np.array([2, 0, 1]), 9)
    assert table.T.tolist() == [[7, 9], [5, 6], [9, 9]]
    assert lengths.tolist() == [1, 2, 1], "an empty text is one token of padding"
    table, lengths = ragged.padded(np.array([1]), 9)
    assert (table.tolist(), lengths.tolist()) == ([[9]], [1])
    table, lengths = ragged.padded(np.array([3, 3]), 9)
    assert table.T.tolist() == [[1, 2, 3], [1, 2, 3]]
    assert len(Ragged.of([])) == 0


def pairs(number: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(3)
    lengths = draw.integers(1, 40, number)
    return lengths, np.maximum(1, lengths + draw.integers(-5, 6, number))


@pytest.mark.parametrize("tokens", [1, 100, 1000, 10**6])
def test_batches_of_pairs_hold_so_many_tokens(tokens: int) -> None:
    lengths, others = pairs()
    batches = batches_by_tokens(lengths, others, tokens, np.random.default_rng(1))
    assert sorted(place for batch in batches for place in batch.tolist()) == list(range(len(lengths)))
    for batch in batches:
        places = len(batch) * max(lengths[batch].max(), others[batch].max())
        assert places <= tokens or len(batch) == 1
    full = sum(len(b) * max(lengths[b].max(), others[b].max()) for b in batches)
    if tokens == 1000:
        assert full / len(batches) > 900, "they are filled"
        assert np.maximum(lengths, others).sum() / full > 0.95, "with texts of one size"


def test_every_pass_over_pairs_has_as_many_batches_in_another_order() -> None:
    lengths, others = pairs()
    one, other, again = (batches_by_tokens(lengths, others, 500, np.random.default_rng([1, n])) for n in (0, 1, 0))
    assert len(one) == len(other)
    assert [b.tolist() for b in one] == [b.tolist() for b in again]
    assert {frozenset(b.tolist()) for b in one} != {frozenset(b.tolist()) for b in other}
    assert [len(b) for b in one] != [len(b) for b in other]


def test_no_pairs_make_no_batch() -> None:
    nothing = np.zeros(0, np.int64)
    assert batches_by_tokens(nothing, nothing, 100, np.random.default_rng(0)) == []


@pytest.mark.parametrize("longest", [None, 12])
def test_batches_for_evaluation_hold_so_many_tokens(longest: int | None) -> None:
    lengths = np.random.default_rng(3).integers(0, 30, 200)
    batches = by_size(lengths, 40, longest)
    kept = np.flatnonzero(lengths > 0) if longest else np.arange(200)
    assert sorted(np.concatenate(batches)) == kept.tolist()
    assert np.concatenate([lengths[batch] for batch in batches]).tolist() == sorted(lengths[kept], reverse=True)
    for batch in batches:
        most = lengths[batch].max()
        assert len(batch) == 1 or len(batch) * most <= 40
        assert longest is None or most <= longest or len(batch) == 1
    assert by_size(np.zeros(0, np.int64), 40, longest) == []
