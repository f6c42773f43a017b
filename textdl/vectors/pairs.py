"""Which words stand near each other: the matrix of their counts, in several threads and bounded memory.

V words; the matrix is a scipy CSR of ``[V, V]``, a row for a word, a column for a word in its context.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, near

WEIGHTINGS = ("flat", "harmonic", "linear", "binary")
CONTEXTS = ("both", "left", "right")
MEGABYTE = 1_000_000
_BLOCK = 2**22  # entries of the matrix that are counted at once by a thread
_EXACT = 2**31  # whole-number weights up to here are summed exactly in float64
_WHOLE = 23  # the smallest window whose common denominator is above it
_MOST = 2.0**62  # bytes


class _Text(NamedTuple):
    """A text as its words are looked up: places of each word in ``ids``."""

    ids: NDArray[np.int32]  # [N], -1 between sentences or documents
    counts: NDArray[np.int64]  # [V], places of each word
    bounds: NDArray[np.int64]  # [V], the most columns that the row of each word can have
    work: NDArray[np.int64]  # [V], additions that the row of each word takes, about
    count_rows: Callable[..., None]  # (starts, places, indices, values, ends): counts some rows


def cooccurrence_matrix(
    ids: NDArray[np.int32],
    size: int,
    window: int | None = 10,
    weighting: str = "harmonic",
    context: str = "both",
    dtype: Any = np.float32,
    threads: int | None = None,
    memory_mb: float = 1000,
    folder: str | Path | None = None,
) -> Any:
    """Count how often each word has each other one in its context.

    Sums are in float64, those of windows up to 22 words exact whatever their order; the result is the same with any
    number of threads and any memory.

    Args:
        ids: the text [N], int32, -1 between sentences (documents); may be a memory map.
        size: V, the number of words; ids are below it.
        window: words on a side that are counted, within the sentence; None for the whole document.
        weighting: what a pair at distance d counts: "flat" 1, "harmonic" 1 / d (as GloVe), "linear"
            (window + 1 - d) / window. Of whole documents: "flat" counts the pairs of their places, "binary" the
            documents that hold the two words; a word meets itself in a document where it stands twice.
        context: the words "left" of the row's word, those "right" of it, or "both", which is symmetric.
        dtype: float32 or float64, of the result.
        threads: None takes one a processor.
        memory_mb: millions of bytes that the counting may take, about, ids not counted; a matrix that would take
            more than half of it is written to an unnamed file and mapped into memory.
        folder: where that file is made, which must not be a disk in memory; None takes the system's temporary one.

    Returns:
        scipy CSR matrix [V, V], columns ascending in each row.

    Raises:
        ConfigError: a setting out of range, or ids outside the vocabulary.
    """
    from scipy.sparse import csr_matrix

    _check(window, weighting, context, dtype, threads, memory_mb)
    ids = np.ascontiguousarray(np.asarray(ids), np.int32).reshape(-1)
    workers = thread_count(threads)
    limit = int(min(memory_mb * MEGABYTE, _MOST))  # also where it is infinite
    text = (
        _documents(ids, size, weighting == "binary", limit, folder)
        if window is None
        else _windows(ids, size, window, weighting, context)
    )
    rows = _Rows(size, int(text.bounds.sum()), dtype, limit // 2, folder)
    for indices, values, ends in _count(text, np.dtype(dtype), workers, limit):
        rows.append(indices, values, ends)
    return csr_matrix(rows.arrays(), shape=(size, size), copy=False)


def thread_count(threads: int | None) -> int:
    """So many, or one a processor that this process may use."""
    if threads is not None:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(window: int | None, weighting: str, context: str, dtype: Any, threads: int | None, memory_mb: float) -> None:
    for name, value in (("window", window), ("threads", threads)):
        if value is not None and (not isinstance(value, int | np.integer) or value < 1):
            raise ConfigError(f"{name} must be a whole number of at least 1, got {value!r}")
    if not memory_mb > 0:
        raise ConfigError(f"memory_mb must be more than 0, got {memory_mb!r}")
    if weighting not in WEIGHTINGS:
        raise ConfigError(f"weighting has no choice {weighting!r}; {near(str(weighting), WEIGHTINGS)}")
    if context not in CONTEXTS:
        raise ConfigError(f"context has no choice {context!r}; {near(str(context), CONTEXTS)}")
    if window is None and (weighting not in ("flat", "binary") or context != "both"):
        raise ConfigError(
            f"whole documents (window None) have no distances or sides, got weighting {weighting!r}, context "
            f"{context!r}; take 'flat' or 'binary' and 'both', or give a window"
        )
    if window is not None and weighting == "binary":
        raise ConfigError("weighting 'binary' counts documents, got a window; give window None, or 'flat'")
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ConfigError(f"dtype must be float32 or float64, got {dtype!r}")


def distance_weights(window: int, weighting: str) -> tuple[NDArray[np.float64], float]:
    """Weights [window] of the distances 1, 2, ..., and what their sums are divided by: whole numbers where possible."""
    distances = np.arange(1, window + 1, dtype=np.float64)
    if weighting == "flat":
        return np.ones(window), 1.0
    if weighting == "linear":
        return window + 1 - distances, float(window)
    common = math.lcm(*range(1, min(window, _WHOLE) + 1))  # of a huge window it would take minutes
    return (common / distances, float(common)) if common < _EXACT else (1 / distances, 1.0)


def _windows(ids: NDArray[np.int32], size: int, window: int, weighting: str, context: str) -> _Text:
    from ..kernels.cooccurrence import count_windows

    weights, scale = distance_weights(window, weighting)
    left, right = context != "right", context != "left"
    counts = _occurrences(ids, size)
    work = counts * (window * (left + right))

    def count(starts: Any, places: Any, indices: Any, values: Any, ends: Any) -> None:
        count_windows(ids, starts, places, weights, scale, left, right, size, indices, values, ends)

    return _Text(ids, counts, np.minimum(work, size), work, count)


def _documents(ids: NDArray[np.int32], size: int, binary: bool, limit: int, folder: str | Path | None) -> _Text:
    from ..kernels.cooccurrence import count_documents, unite

    _occurrences(ids, size)  # for its check
    counts, bounds = np.zeros(size, np.int64), np.zeros(size, np.int64)
    words, times = (_room(len(ids) + 1, np.dtype(np.int32), limit // 8, folder) for _ in range(2))
    end = unite(ids, words, times, counts, bounds)
    words, times = words[:end], times[:end]

    def count(starts: Any, places: Any, indices: Any, values: Any, ends: Any) -> None:
        count_documents(words, times, starts, places, binary, size, indices, values, ends)

    return _Text(words, counts, np.minimum(bounds, size), bounds, count)


def _occurrences(ids: NDArray[np.int32], size: int) -> NDArray[np.int64]:
    """How often each word stands in the text [V].

    Raises:
        ConfigError: an id is no word.
    """
    from ..kernels.cooccurrence import count_words

    counts = np.zeros(size, np.int64)
    if not count_words(ids, counts):
        raise ConfigError(
            f"ids must be from -1 to {size - 1}, got {ids.min()} to {ids.max()}; encode the text with this vocabulary"
        )
    return counts


def _room(length: int, dtype: np.dtype[Any], limit: int, folder: str | Path | None) -> NDArray[Any]:
    """An array of that length, in an unnamed file when it would take more than ``limit`` bytes."""
    if length * dtype.itemsize <= limit:
        return np.empty(length, dtype)
    with _unnamed(folder, length * dtype.itemsize) as file:
        return np.asarray(np.memmap(file, dtype, "w+", shape=(length,)))


def _unnamed(folder: str | Path | None, size: int = 0) -> Any:
    """An unnamed file, with room on the disk for what will be written by a map: without it that ends the process."""
    try:
        with contextlib.ExitStack() as opened:
            file = opened.enter_context(tempfile.TemporaryFile(dir=folder))
            if size and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            opened.pop_all()
            return file
    except OSError as error:
        raise ConfigError(
            f"folder {str(folder or tempfile.gettempdir())!r} can not be written ({error.strerror}), and the counts "
            "need it; give another one, or a larger memory_mb"
        ) from None


Block = tuple[NDArray[np.int32], NDArray[Any], NDArray[np.int64]]


def _count(text: _Text, dtype: np.dtype[Any], threads: int, limit: int) -> Iterator[Block]:
    """Blocks of rows in their order: columns, values, and where each row ends among them."""
    kind = np.dtype(np.int32 if len(text.ids) < 2**31 else np.int64)
    # A quarter of the memory for places; a quarter for what the threads write, and as much again is copied out.
    most_places = max(1, limit // 4 // kind.itemsize)
    most_entries = max(1, min(_BLOCK, limit // 4 // (2 * threads + 1) // (4 + dtype.itemsize)))
    most_work = max(1, int(text.work.sum()) // (16 * threads))
    with ThreadPoolExecutor(threads) as pool:
        for first, last in _groups([(text.counts, most_places)], 0, len(text.counts)):
            starts = np.concatenate([[0], np.cumsum(text.counts[first:last])])
            places = np.empty(starts[-1], kind)
            _find(pool, threads, text, first, starts, places)
            parts = list(_groups([(text.bounds, most_entries), (text.work, most_work)], first, last))
            room = max(int(text.bounds[start:end].sum()) for start, end in parts)
            one = _counter(text, dtype, room, first, starts, places)
            waiting: deque[Future[Block]] = deque()
            for part in parts:
                waiting.append(pool.submit(one, *part))
                if len(waiting) > threads:  # no more under way than the memory is dealt out to
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def _find(
    pool: ThreadPoolExecutor, threads: int, text: _Text, first: int, starts: NDArray[np.int64], places: NDArray[Any]
) -> None:
    """Fill ``places`` with those of the words from ``first`` on; each thread reads the text for words of its own."""
    from ..kernels.cooccurrence import find_places

    share = max(1, -(-int(starts[-1]) // threads))
    found = [
        pool.submit(find_places, text.ids, start, starts[start - first : end - first + 1], places)
        for start, end in _groups([(text.counts, share)], first, first + len(starts) - 1)
    ]
    for future in found:
        future.result()


def _counter(
    text: _Text, dtype: np.dtype[Any], room: int, first: int, starts: NDArray[np.int64], places: NDArray[Any]
) -> Callable[[int, int], Block]:
    """What counts the rows of a block, on any thread."""
    own = threading.local()  # what a thread writes to, block after block

    def one(start: int, end: int) -> Block:
        if not hasattr(own, "arrays"):
            own.arrays = np.empty(room, np.int32), np.empty(room, dtype)
        indices, values = own.arrays
        ends = np.empty(end - start, np.int64)
        text.count_rows(starts[start - first : end - first + 1], places, indices, values, ends)
        return indices[: ends[-1]].copy(), values[: ends[-1]].copy(), ends

    return one


def _groups(costs: list[tuple[NDArray[np.int64], int]], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut the rows ``first .. last - 1`` into runs that cost no more than a limit each, or are of one row."""
    sums = [(np.cumsum(cost[first:last]), limit) for cost, limit in costs]
    start = 0
    while start < last - first:
        end = last - first
        for total, limit in sums:
            before = total[start - 1] if start else 0
            end = min(end, int(np.searchsorted(total, before + limit, side="right")))
        end = max(end, start + 1)
        yield first + start, first + end
        start = end


class _Rows:
    """The arrays of a CSR matrix that grow block by block; in memory up to a limit of bytes, then in unnamed files."""

    def __init__(self, size: int, most: int, dtype: Any, limit: int, folder: str | Path | None) -> None:
        self.ends = np.zeros(size + 1, np.int64)
        self.rows, self.filled = 0, 0
        # As large as they can become: the system gives memory for what is written of them only.
        most = min(most, limit // (4 + np.dtype(dtype).itemsize))
        self.kept: list[NDArray[Any]] = [np.empty(most, np.int32), np.empty(most, dtype)]
        self.folder = folder
        self.files: list[Any] = []

    def append(self, indices: NDArray[np.int32], values: NDArray[Any], ends: NDArray[np.int64]) -> None:
        """Add the next rows: their columns, their values, and where each ends in these."""
        self.ends[self.rows + 1 : self.rows + 1 + len(ends)] = ends + self.filled
        self.rows += len(ends)
        total = self.filled + len(indices)
        if not self.files and total > len(self.kept[0]):
            self._leave_memory()
        for number, new in enumerate((indices, values)):
            if self.files:
                self._write(number, new)
            else:
                self.kept[number][self.filled : total] = new
        self.filled = total

    def _leave_memory(self) -> None:
        self.files = [_unnamed(self.folder) for _ in self.kept]
        for number, array in enumerate(self.kept):
            self._write(number, array[: self.filled])
            self.kept[number] = np.empty(0, array.dtype)

    def _write(self, number: int, array: NDArray[Any]) -> None:
        try:
            self.files[number].write(array.view(np.uint8).data)
        except OSError as error:
            raise ConfigError(
                f"the counts can not be written to {str(self.folder or tempfile.gettempdir())!r} ({error.strerror}); "
                "give another folder, a larger memory_mb, or fewer words"
            ) from None

    def arrays(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
        """``(data, indices, indptr)``; rows that were not added are empty."""
        self.ends[self.rows + 1 :] = self.filled
        for number, array in enumerate(self.kept):
            if self.files:
                self.files[number].flush()
                mapped = np.memmap(self.files[number], array.dtype, "r+", shape=(self.filled,))
                self.kept[number] = np.asarray(mapped)
                self.files[number].close()
            else:
                array.resize(self.filled, refcheck=False)
        return self.kept[1], self.kept[0], self.ends
