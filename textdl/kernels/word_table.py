"""The table of words and counts that the loops of :mod:`.counting` fill and read. Importing it imports numba."""

from __future__ import annotations

import numpy as np

from .counting import (
    EIGHT,
    KINDS,
    LEFT_OUT,
    Bytes,
    Eights,
    Ids,
    Longs,
    Spans,
    count_words,
    encode_words,
    fill_slots,
    merge_words,
    spell,
)

HUGE = 1 << 16  # bytes of a word that is one only by mistake
LEAST = 64  # distinct words that are always remembered


class WordTable:
    """Words with their counts, found by their bytes. Grows as it needs; about 100 bytes a distinct word at the most.

    Args:
        room: distinct words to begin with room for.
        most_bytes: beyond this size it forgets its rarest words instead of growing.

    Attributes:
        pruned: how many of the words seen have been forgotten.
        missed: how much too small a count may be on that account, at the most.
    """

    def __init__(self, room: int = 1 << 12, most_bytes: int | None = None) -> None:
        self.pruned = self.missed = 0
        self._most_bytes = most_bytes
        self._state = np.zeros(4, np.int64)
        empty = np.empty(0, np.int64)
        nothing = np.empty(0, np.uint64)
        self._spans = Spans(np.empty((0, 2), np.uint64), nothing, empty, empty, empty, nothing)
        capacity = max(16, room)
        self._resize(capacity, capacity)

    def __len__(self) -> int:
        """How many distinct words."""
        return int(self._state[0])

    @property
    def seen(self) -> int:
        """How many words were counted, repetitions and forgotten ones included."""
        return int(self._state[3])

    @property
    def counts(self) -> Longs:
        """How often each was seen [V], in order of appearance; a view."""
        return self._spans.counts[: len(self)]

    def count(self, data: Bytes) -> None:
        """Count the words of UTF-8 text [B] that begins and ends between words and holds no zero byte."""
        padded = _padded(data)
        self._state[2] = 0
        while not count_words(padded.view(np.uint8), padded, len(data), KINDS, self._shift, self._state, self._spans):
            self._make_room()

    def merge(self, other: WordTable) -> None:
        """Add the words and counts of another table; both may be too small by as much as either, so that adds up."""
        self._state[2] = 0
        while not merge_words(other._spans, len(other), self._shift, self._state, self._spans):
            self._make_room()
        self._state[3] += other.seen
        self.pruned += other.pruned
        self.missed += other.missed

    def words(self, which: Longs | None = None) -> list[str]:
        """The words of these numbers, or all, in order of appearance."""
        chosen = np.arange(len(self)) if which is None else which
        return self._spelled(chosen).tobytes().decode().split("\n")[:-1]

    def prune(self, most: int) -> None:
        """Forget the rarest words until at most ``most`` are left: all those with a count up to some count."""
        if len(self) <= most:
            return
        counts = self.counts
        rank = len(counts) - most - 1
        edge = int(np.partition(counts, rank)[rank])
        kept = np.flatnonzero(counts > edge)
        left, spelled = counts[kept], self._spelled(kept)
        self.pruned += int(counts.sum() - left.sum())
        self.missed += edge
        at, seen = self._state[2], self._state[3]
        capacity, pool = len(self._spans.starts), len(self._spans.pool)
        self._state[:] = 0
        self._resize(capacity, pool)
        self.count(spelled)
        self.counts[:] = left
        self._state[2], self._state[3] = at, seen

    def encode(self, data: Bytes, ids: Ids, unknown: int = LEFT_OUT) -> Ids:
        """The ids [N] int32 of the words of UTF-8 text [B], with -1 at each line end.

        Args:
            ids: of the table's words, [V].
            unknown: the id of words that are not in the table; -2 leaves them out.
        """
        out, padded = np.empty(len(data), np.int32), _padded(data)
        written = encode_words(
            padded.view(np.uint8), padded, len(data), KINDS, self._shift, ids, unknown, out, self._spans
        )
        return out[:written].copy()

    def _spelled(self, which: Longs) -> Bytes:
        out = np.empty(int(self._spans.lengths[which].sum()) + len(which), np.uint8)
        spell(which, self._spans, out)
        return out

    def _make_room(self) -> None:
        """Grow, or forget the rarer half of the words where that would take too much memory."""
        capacity, pool = len(self._spans.starts), len(self._spans.pool)
        if len(self) == capacity:
            capacity *= 2
        else:
            pool *= 2
        # A pool with so much left was refused by one huge word, for which it is no use to forget others.
        huge = len(self) < len(self._spans.starts) and 8 * (len(self._spans.pool) - self._state[1]) > HUGE
        if self._most_bytes is None or huge or _size(capacity, pool) <= self._most_bytes or len(self) < LEAST:
            self._resize(capacity, pool)
        else:
            self.prune(len(self) // 2)

    def _resize(self, capacity: int, pool: int) -> None:
        """Move everything into arrays of these sizes."""
        before, size = self._spans, len(self)
        slots = _slots(capacity)
        made = Spans(
            slots=np.zeros((slots, 2), np.uint64),
            keys=np.empty(capacity, np.uint64),
            starts=np.empty(capacity, np.int64),
            lengths=np.empty(capacity, np.int64),
            counts=np.empty(capacity, np.int64),
            pool=np.zeros(pool, np.uint64),
        )
        for old, new in zip(before[1:-1], made[1:-1], strict=True):
            new[:size] = old[:size]
        made.pool[: self._state[1]] = before.pool[: self._state[1]]
        self._shift = np.uint64(64 - (slots.bit_length() - 1))
        self._spans = made
        fill_slots(size, self._shift, made)


def _slots(capacity: int) -> int:
    """A power of two that is at least twice as large, so that searches are short."""
    return 1 << (2 * capacity - 1).bit_length()


def _size(capacity: int, pool: int) -> int:
    """Bytes of a table, half as much again for what stood before while it grows."""
    return (16 * _slots(capacity) + 32 * capacity + 8 * pool) * 3 // 2


def _padded(data: Bytes) -> Eights:
    """Bytes as whole eights, with zeros behind them so that reading beyond the end is harmless."""
    eights = np.empty(len(data) // EIGHT + 3, np.uint64)
    eights[-3:] = 0
    eights.view(np.uint8)[: len(data)] = data
    return eights
