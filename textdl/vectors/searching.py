"""The largest scores of each row, exactly, without sorting or partitioning what can not be among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Scores are looked at in so many layers; their maxima give the bound below which nothing has to be looked at again.
LAYERS = 64


def largest(scores: NDArray[Any], count: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The ``count`` largest of each row, largest first, the lower column first among equals.

    Args:
        scores: [Q, V], without NaN.
        count: k; at most V of them are given.

    Returns:
        Columns [Q, k] and scores [Q, k].
    """
    rows, width = scores.shape
    count = min(count, width)
    if count == 0 or rows == 0:
        return np.empty((rows, count), np.int64), np.empty((rows, count), scores.dtype)
    row, column = np.nonzero(scores >= _bound(scores, count)[:, None])
    value = scores[row, column]
    order = np.lexsort((column, -value, row))
    first = np.searchsorted(row, np.arange(rows))  # np.nonzero goes row by row, and so does the order
    chosen = order[first[:, None] + np.arange(count)]
    return column[chosen], value[chosen]


def _bound(scores: NDArray[Any], count: int) -> NDArray[Any]:
    """A score [Q] that at least ``count`` of the row reach: the k-th largest of the maxima of disjoint parts."""
    rows, width = scores.shape
    parts = width // LAYERS
    if parts <= count:
        maxima = scores
    else:
        # Part j is every column that leaves j when divided by ``parts``: an elementwise maximum, so vectorised.
        maxima = scores[:, : parts * LAYERS].reshape(rows, LAYERS, parts).max(axis=1)
    place = maxima.shape[1] - count
    bound: NDArray[Any] = np.partition(maxima, place, axis=1)[:, place]
    return bound
