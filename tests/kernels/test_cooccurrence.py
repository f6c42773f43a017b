"""The counting loops against a slow and obvious way, and each of their parts against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from textdl.kernels.cooccurrence import count_documents, count_windows, count_words, find_places, unite

TEXT = np.array([0, 1, 2, 1, -1, -1, 2, 600, 0, 2, 64, 63, -1, 599, -1], np.int32)
SIZE = 601


def rows_of(words: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Where each row's places begin, and the places, by sorting."""
    known = np.flatnonzero(words >= 0)
    places = known[np.argsort(words[known], kind="stable")].astype(np.int32)
    starts = np.searchsorted(np.sort(words[known]), np.arange(SIZE + 1))
    return starts.astype(np.int64), places


def test_words_are_counted_and_a_wrong_id_is_seen() -> None:
    counts = np.zeros(SIZE, np.int64)
    assert count_words(TEXT, counts)
    np.testing.assert_array_equal(counts, np.bincount(TEXT[TEXT >= 0], minlength=SIZE))
    assert not count_words(np.array([0, SIZE], np.int32), np.zeros(SIZE, np.int64))
    assert not count_words(np.array([0, -2], np.int32), np.zeros(SIZE, np.int64))


@pytest.mark.parametrize("first, last", [(0, SIZE), (1, 65), (600, 601)])
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_places_are_found_ascending(first: int, last: int, kind: type) -> None:
    starts, expected = rows_of(TEXT)
    own = starts[first : last + 1] - starts[first]
    places = np.full(own[-1], -9, kind)
    find_places(TEXT, first, own, places)
    np.testing.assert_array_equal(places, expected[starts[first] : starts[last]])


@pytest.mark.parametrize("left, right", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("window", [1, 3, 20])
def test_windows_stop_at_the_end_of_a_sentence(left: bool, right: bool, window: int) -> None:
    weights = 1.0 + np.arange(window) ** 2
    starts, places = rows_of(TEXT)
    indices, values, ends = np.empty(200, np.int32), np.empty(200), np.empty(SIZE, np.int64)
    count_windows(TEXT, starts, places, weights, 2.0, left, right, SIZE, indices, values, ends)
    expected = np.zeros((SIZE, SIZE))
    sentence = np.cumsum(TEXT < 0)
    for here in range(len(TEXT)):
        for there in range(len(TEXT)):
            distance = there - here
            wanted = ((right and distance > 0) or (left and distance < 0)) and abs(distance) <= window
            if wanted and sentence[here] == sentence[there] and min(TEXT[[here, there]]) >= 0:
                expected[TEXT[here], TEXT[there]] += weights[abs(distance) - 1] / 2.0
    rows, columns = np.nonzero(expected)
    assert len(rows) > 5
    np.testing.assert_array_equal(ends, np.cumsum((expected != 0).sum(axis=1)))
    np.testing.assert_array_equal(indices[: ends[-1]], columns)
    np.testing.assert_array_equal(values[: ends[-1]], expected[rows, columns])


def test_documents_become_their_different_words() -> None:
    text = np.array([5, 3, 5, -1, -1, 3, -1, 2, 2, 2, 5], np.int32)  # the last one is not closed
    words, times = np.empty(len(text) + 1, np.int32), np.empty(len(text) + 1, np.int32)
    counts, bounds = np.zeros(6, np.int64), np.zeros(6, np.int64)
    end = unite(text, words, times, counts, bounds)
    assert words[:end].tolist() == [5, 3, -1, 3, -1, 2, 5, -1]
    assert [n for word, n in zip(words[:end], times[:end], strict=True) if word >= 0] == [2, 1, 1, 3, 1]
    assert counts.tolist() == [0, 0, 1, 2, 0, 2]
    assert bounds.tolist() == [0, 0, 2, 3, 0, 4]


@pytest.mark.parametrize("binary", [True, False])
def test_documents_are_counted_by_pairs_of_places(binary: bool) -> None:
    documents = [[5, 3, 5], [3], [2, 2, 2, 5], [600, 5]]
    words = np.array([5, 3, -1, 3, -1, 2, 5, -1, 600, 5, -1], np.int32)
    times = np.array([2, 1, -1, 1, -1, 3, 1, -1, 1, 1, -1], np.int32)
    starts, places = rows_of(words)
    indices, values, ends = np.empty(50, np.int32), np.empty(50, np.float32), np.empty(SIZE, np.int64)
    count_documents(words, times, starts, places, binary, SIZE, indices, values, ends)
    expected = np.zeros((SIZE, SIZE))
    for document in documents:
        found = np.zeros((SIZE, SIZE))
        for here, one in enumerate(document):
            for there, other in enumerate(document):
                found[one, other] += here != there
        expected += np.minimum(found, 1) if binary else found
    rows, columns = np.nonzero(expected)
    np.testing.assert_array_equal(ends, np.cumsum((expected != 0).sum(axis=1)))
    np.testing.assert_array_equal(indices[: ends[-1]], columns)
    np.testing.assert_array_equal(values[: ends[-1]], expected[rows, columns])
