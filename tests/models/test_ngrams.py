"""Hashed n-gram embeddings against the slow rule."""

import numpy as np
import pytest
import torch

from textdl.kernels.ngrams import ngram_row, orders_of
from textdl.models.ngrams import NgramEmbedding

END = 7


@pytest.mark.parametrize("longest", [3, 4, 5, 8, 13])
def test_the_sum_of_the_rows_that_the_rule_names(longest):
    torch.manual_seed(0)
    layer = NgramEmbedding(longest, rows=32, width=6, end=END)
    generator = np.random.default_rng(0)
    ids = generator.integers(0, 8, size=(layer.context + 40, 3))  # every eighth token ends a text
    out = layer(torch.from_numpy(ids))
    assert out.shape == (40, 3, 6)
    for t in range(40):
        for b in range(3):
            past = ids[: layer.context + t + 1, b]
            rows = [ngram_row(past, order, 32, END) for order in layer.orders]
            by_hand = sum(table.weight[row] for table, row in zip(layer.tables, rows, strict=True))
            torch.testing.assert_close(out[t, b], by_hand)


def test_nothing_before_an_end_of_text_matters():
    ids = np.array([1, 2, 3, END, 4, 5])
    for before in ([6, 6, 6], [END, END, END], [1, END, 0]):
        other = np.array([*before, END, 4, 5])
        for order in (2, 3, 5):
            assert ngram_row(ids, order, 1024, END) == ngram_row(other, order, 1024, END)
    assert ngram_row(np.array([1, 4, 5]), 3, 1024, END) != ngram_row(np.array([2, 4, 5]), 3, 1024, END)


def test_rows_are_spread_evenly():
    """Of 4096 different 3-grams in 4096 rows, a share of 1/e finds a row of its own empty, as by chance."""
    rows = {ngram_row(np.array([a, b, c]), 3, 4096, -1) for a in range(16) for b in range(16) for c in range(16)}
    assert 0.58 < len(rows) / 4096 < 0.70


def test_orders():
    assert orders_of(8) == (3, 5, 8)
    assert orders_of(6) == (3, 5)
    assert orders_of(1) == ()
