"""Counting which words stand near each other, one row of the matrix after the other.

All places of a word are known (:func:`find_places`); its row is summed in one dense array, and bits say
where in it something is. So nothing is sorted, hashed or merged, and a row is the same whoever counts it.

Ids are int32 ``[N]``, -1 between sentences; V words; R rows that follow each other, counted in one call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiling import Entry, part

_LINE, _GROUP = 6, 9  # powers of two: columns of a word of bits, and of a group of such words, which has a flag
_AHEAD = 64  # places whose surroundings are asked of the memory at once
# The top six bits of the product of a de Bruijn number with 2 ** k differ for every k, and so tell it.
_DE_BRUIJN = 0x03F79D71B4CB0A89
_FACTOR = np.uint64(_DE_BRUIJN)
_EXPONENTS = np.zeros(64, np.int64)
for _k in range(64):
    _EXPONENTS[((_DE_BRUIJN << _k) & (2**64 - 1)) >> 58] = _k


@part
def _row(size: int) -> Any:
    """Sums [V, rounded up], a bit for each of them, and a flag for each group of bits, all 0."""
    groups = (size >> _GROUP) + 1
    lines = np.zeros(groups << (_GROUP - _LINE), np.uint64)
    return np.zeros(groups << _GROUP, np.float64), lines, np.zeros(groups, np.uint8)


@part
def _collect(scale: float, sums: Any, lines: Any, groups: Any, indices: Any, values: Any, at: int) -> int:
    """Write the columns of a row from ``at`` on, ascending, and clear what they were summed in. Returns the end."""
    size = 1 << (_GROUP - _LINE)
    for group in range(len(groups)):
        if not groups[group]:
            continue
        groups[group] = 0
        for line in range(group * size, (group + 1) * size):
            bits = lines[line]
            lines[line] = 0
            while bits:
                lowest = bits & (~bits + np.uint64(1))
                bits ^= lowest
                column = (line << _LINE) + _EXPONENTS[np.int64((lowest * _FACTOR) >> np.uint64(58))]
                indices[at] = column
                values[at] = sums[column] / scale
                sums[column] = 0.0
                at += 1
    return at


@part
def _ask(ids: Any, places: Any, number: int, last: int, window: int) -> int:
    """Read both ends of the windows to come: one after the other the memory would let each of them wait by itself."""
    total = 0
    for ahead in range(number, min(number + _AHEAD, last)):
        place = np.int64(places[ahead])
        total += ids[max(place - window, 0)] + ids[min(place + window, len(ids) - 1)]
    return total


@Entry
def count_words(ids: NDArray[np.int32], counts: NDArray[np.int64]) -> bool:
    """Add to ``counts`` [V] how often each word stands in ``ids`` [N]; False, when one is below -1 or V and above."""
    size = np.uint32(len(counts) + 1)
    for place in range(len(ids)):
        number = np.uint32(ids[place] + 1)
        if number >= size:
            return False
        if number:
            counts[np.uint32(ids[place])] += 1
    return True


@Entry
def find_places(ids: NDArray[np.int32], first: int, starts: NDArray[np.int64], places: NDArray[Any]) -> None:
    """Fill ``places``: where each of the words ``first .. first + R - 1`` stands, ascending.

    Args:
        ids: the text [N].
        first: the first of the words.
        starts: [R + 1], where the places of each word begin and the last one's end.
        places: [starts[R]], int32 or int64, filled.
    """
    ends = starts[:-1].copy()
    count = len(ends)
    for place in range(len(ids)):
        row = ids[place] - first
        if 0 <= row < count:
            places[ends[row]] = place
            ends[row] += 1


@Entry
def count_windows(
    ids: NDArray[np.int32],
    starts: NDArray[np.int64],
    places: NDArray[Any],
    weights: NDArray[np.float64],
    scale: float,
    left: bool,
    right: bool,
    size: int,
    indices: NDArray[np.int32],
    values: NDArray[Any],
    ends: NDArray[np.int64],
) -> int:
    """Rows of the matrix of words and the words around them. What is returned has no meaning (see ``_ask``).

    Args:
        ids: the text [N].
        starts: [R + 1], where the places of each row's word begin and the last one's end.
        places: where the words of the rows stand in the text.
        weights: [window], of the distances 1, 2, ...; above 0.
        scale: what the sums are divided by.
        left: whether the words before are counted.
        right: whether the words behind are counted.
        size: V.
        indices: filled with the columns, ascending in each row; long enough for all of them.
        values: filled with the sums, float32 or float64.
        ends: [R], filled with where each row ends in ``indices``.
    """
    sums, lines, groups = _row(size)
    window, at, seen = len(weights), 0, 0
    for row in range(len(ends)):
        for number in range(starts[row], starts[row + 1]):
            if (number - starts[row]) % _AHEAD == 0:
                seen += _ask(ids, places, number, starts[row + 1], min(window, _AHEAD))
            place: Any = np.int64(places[number])
            if left:
                for distance in range(1, min(window, place) + 1):
                    word = ids[place - distance]
                    if word < 0:
                        break
                    column = np.uint32(word)  # unsigned: no look at whether it counts from the end
                    sums[column] += weights[distance - 1]
                    lines[column >> np.uint32(_LINE)] |= np.uint64(1) << np.uint64(column & np.uint32(63))
                    groups[column >> np.uint32(_GROUP)] = 1
            if right:
                for distance in range(1, min(window, len(ids) - 1 - place) + 1):
                    word = ids[place + distance]
                    if word < 0:
                        break
                    column = np.uint32(word)
                    sums[column] += weights[distance - 1]
                    lines[column >> np.uint32(_LINE)] |= np.uint64(1) << np.uint64(column & np.uint32(63))
                    groups[column >> np.uint32(_GROUP)] = 1
        at = _collect(scale, sums, lines, groups, indices, values, at)
        ends[row] = at
    return seen


@Entry
def count_documents(
    ids: NDArray[np.int32],
    times: NDArray[np.int32],
    starts: NDArray[np.int64],
    places: NDArray[Any],
    binary: bool,
    size: int,
    indices: NDArray[np.int32],
    values: NDArray[Any],
    ends: NDArray[np.int64],
) -> None:
    """Rows of the matrix of words in one document, of what :func:`unite` gave.

    Args:
        ids: the different words of each document, -1 after each [M].
        times: how often each stands there [M].
        binary: count documents that hold the two words, not pairs of their places.
        starts, places, size, indices, values, ends: as in :func:`count_windows`.
    """
    sums, lines, groups = _row(size)
    at = 0
    for row in range(len(ends)):
        for number in range(starts[row], starts[row + 1]):
            place = np.int64(places[number])
            own, start, end = times[place], place, place + 1
            while start > 0 and ids[start - 1] >= 0:
                start -= 1
            while end < len(ids) and ids[end] >= 0:
                end += 1
            for other in range(start, end):
                # A word meets itself where it stands twice.
                near = times[other] - 1 if other == place else times[other]
                if near == 0:
                    continue
                column = np.uint32(ids[other])
                sums[column] += 1.0 if binary else np.float64(own) * near
                lines[column >> np.uint32(_LINE)] |= np.uint64(1) << np.uint64(column & np.uint32(63))
                groups[column >> np.uint32(_GROUP)] = 1
        at = _collect(1.0, sums, lines, groups, indices, values, at)
        ends[row] = at


@Entry
def unite(
    ids: NDArray[np.int32],
    words: NDArray[np.int32],
    times: NDArray[np.int32],
    counts: NDArray[np.int64],
    bounds: NDArray[np.int64],
) -> int:
    """Each document as its different words.

    Args:
        ids: the documents [N], -1 after each.
        words: filled with the words [at most N + 1], -1 after each document.
        times: filled with how often each stands there.
        counts: [V] zeros, filled with the documents that hold each word.
        bounds: [V] zeros, filled with the most columns that each row can have.

    Returns:
        M, how much of ``words`` and ``times`` is filled.
    """
    slots = np.full(len(counts), -1, np.int64)
    start, end = 0, 0
    for place in range(len(ids) + 1):
        word = ids[place] if place < len(ids) else -1
        if word >= 0:
            if slots[word] < start:
                slots[word] = end
                words[end], times[end] = word, 0
                end += 1
            times[slots[word]] += 1
        elif end > start:
            for other in range(start, end):
                counts[words[other]] += 1
                bounds[words[other]] += end - start
            words[end], times[end] = -1, 0
            end += 1
            start = end
    return end
