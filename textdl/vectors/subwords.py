"""Vectors of the n-grams of a word's letters, so that a word which was never seen has a vector too.

Bojanowski, Grave, Joulin & Mikolov 2017, "Enriching word vectors with subword information". A word is written
``<word>``; its n-grams are hashed, so that their table has a fixed size.

Legend: V words, B rows (buckets) of n-grams, D width of a vector, P n-grams of all words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError

_OPEN, _CLOSE = "<", ">"
# FNV-1a over characters (Fowler, Noll & Vo), and 2 ** 64 / golden ratio to spread its bits.
_BASIS, _PRIME, _SPREAD = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def gram_rows(words: Sequence[str], least: int, most: int, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the n-grams of ``least`` to ``most`` letters of each word.

    Returns:
        starts [V + 1] and rows [P], each below ``buckets``: those of word v are ``rows[starts[v] : starts[v + 1]]``.
    """
    lengths = np.array([len(word) + 2 for word in words], np.int64)
    text = "".join(f"{_OPEN}{word}{_CLOSE}" for word in words)
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    owners = np.repeat(np.arange(len(words)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(letters))  # letters of the word from here on
    hashes = np.full(len(letters), _BASIS)
    found_rows, found_owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in range(1, min(most, int(left.max(initial=0))) + 1):
        hashes = (hashes[: len(letters) - size + 1] ^ letters[size - 1 :]) * _PRIME
        if size >= least:
            fits = np.flatnonzero(left[: len(hashes)] >= size)
            found_rows.append(((((hashes[fits] * _SPREAD) >> _HALF) * np.uint64(buckets)) >> _HALF).astype(np.int64))
            found_owners.append(owners[fits])
    whose = np.concatenate(found_owners)
    starts = np.concatenate([[0], np.cumsum(np.bincount(whose, minlength=len(words)))])
    return starts.astype(np.int64), np.concatenate(found_rows)[np.argsort(whose, kind="stable")]


def word_rows(words: Sequence[str], least: int, most: int, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that make each word: its own first, then those of its n-grams, which lie behind the V words' own.

    Returns:
        starts [V + 1] and rows, as of :func:`gram_rows`.
    """
    starts, grams = gram_rows(words, least, most, buckets)
    size = len(words)
    return starts + np.arange(size + 1), np.insert(grams + size, starts[:-1], np.arange(size))


class GramVectors:
    """The vectors of hashed n-grams; what :class:`.word_vectors.WordVectors` asks for words that have no row.

    Args:
        rows: [B, D] float32.
        least, most: letters of an n-gram.

    Raises:
        ConfigError: no rows, or ``least`` and ``most`` are not 1 <= least <= most.
    """

    def __init__(self, rows: ArrayLike, least: int = 3, most: int = 6) -> None:
        self.rows: NDArray[np.float32] = np.ascontiguousarray(rows, np.float32)
        if self.rows.ndim != 2 or not self.rows.size:
            raise ConfigError(f"rows of n-grams must have the shape (buckets, dimensions), got {self.rows.shape}")
        check_lengths(least, most)
        self.least, self.most = least, most

    def vector(self, word: str) -> NDArray[np.float32] | None:
        """The mean [D] of the vectors of a word's n-grams; None when it is too short to have one."""
        _, rows = gram_rows([word], self.least, self.most, len(self.rows))
        if not len(rows):
            return None
        mean: NDArray[np.float32] = self.rows[rows].mean(axis=0)
        return mean


def check_lengths(least: int, most: int) -> None:
    """Check the lengths of n-grams.

    Raises:
        ConfigError: they are not 1 <= least <= most.
    """
    if not 1 <= least <= most:
        raise ConfigError(
            f"gram_least and gram_most must be 1 <= least <= most, got {least} and {most}; 3 and 6 are usual"
        )
