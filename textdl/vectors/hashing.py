"""Texts as rows of counts without a vocabulary: a feature's column is a hash of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .counts import TextVectorizer
from .features import MARK, Cut, StopWords, checked_texts, line_batches
from .tfidf import check_norm, scale_rows

__all__ = ["Hashing", "feature_hash"]

#: Distinct features that are remembered while texts are read; then it begins anew, so that memory is bounded.
REMEMBERED = 1 << 20


class Hashing(TextVectorizer):
    """A bag of words whose columns need not be learnt, so that texts may come in a stream and nothing is kept.

    Weinberger et al. 2009, "Feature hashing for large scale multitask learning". Different features may share a column;
    with ``signed`` half of them count negative, so that they cancel instead of adding up, on average. The columns are
    the same in every run and on every machine (:func:`feature_hash`).

    Args:
        columns: V, how many columns there are.
        signed: count half of the features negative.
        norm: what each row is scaled to have: "l2" length 1, "l1" sum of absolute values 1; None leaves the counts.
        unit, ngrams, cut, lowercase, stop_words, stem, prepare, binary: see :class:`.counts.BagOfWords`.
    """

    def __init__(
        self,
        columns: int = 1 << 20,
        signed: bool = True,
        norm: str | None = "l2",
        unit: str = "word",
        ngrams: tuple[int, int] = (1, 1),
        cut: Cut = "words",
        lowercase: bool = True,
        stop_words: StopWords = None,
        stem: Callable[[str], str] | None = None,
        prepare: Callable[[str], str] | None = None,
        binary: bool = False,
    ) -> None:
        self.columns = columns
        self.signed = signed
        self.norm = norm
        self.unit = unit
        self.ngrams = ngrams
        self.cut = cut
        self.lowercase = lowercase
        self.stop_words = stop_words
        self.stem = stem
        self.prepare = prepare
        self.binary = binary

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {**super()._more_tags(), "requires_fit": False, "stateless": True}

    def fit(self, X: Iterable[str] | None = None, y: Any = None) -> Self:
        """Check the settings; there is nothing to learn.

        Raises:
            ConfigError: a setting has no such value.
            CorpusError: ``X`` is no list of texts.
        """
        self._check()
        if X is not None:
            checked_texts(X)
        return self

    def partial_fit(self, X: Iterable[str] | None = None, y: Any = None) -> Self:
        """As :meth:`fit`."""
        return self.fit(X, y)

    def transform(self, X: Iterable[str]) -> Any:
        """The counts of texts: scipy CSR matrix [n, V], float32.

        Raises:
            ConfigError: a setting has no such value.
            CorpusError: ``X`` is no list of texts.
        """
        from scipy.sparse import csr_matrix, vstack

        self._check()
        hashes = _Hashes(self.columns, self.signed)
        parts = []
        for data in line_batches(X, self._features().line()):
            ids, columns, signs = hashes.of(data)
            stops = np.flatnonzero(ids < 0)
            known = ids[ids >= 0]
            ends = np.concatenate([[0], stops - np.arange(len(stops))])
            counts = csr_matrix((np.ones(len(known), np.float32), known, ends), shape=(len(stops), len(columns)))
            if self.binary:  # by feature, not by column: two that share one are two
                counts.sum_duplicates()
                counts.data[:] = 1
            shape = len(stops), self.columns
            found = csr_matrix(
                (counts.data * signs[counts.indices], columns[counts.indices], counts.indptr), shape=shape
            )
            found.sum_duplicates()
            parts.append(found)
        rows = vstack(parts, "csr", np.float32) if parts else csr_matrix((0, self.columns), dtype=np.float32)
        rows.eliminate_zeros()
        return scale_rows(rows, self.norm)

    def _check(self) -> None:
        self._features()
        check_norm(self.norm)
        if isinstance(self.columns, bool) or not isinstance(self.columns, (int, np.integer)):
            raise ConfigError(f"columns must be a whole number, got {self.columns!r}")
        if not 1 <= self.columns < 1 << 31:
            raise ConfigError(f"columns must be from 1 to 2**31 - 1, got {self.columns}")


class _Hashes:
    """The column and sign of features, each worked out once."""

    def __init__(self, columns: int, signed: bool) -> None:
        self._size, self._signed = columns, signed
        self._columns: NDArray[np.int64]
        self._signs: NDArray[np.float32]
        self._forget()

    def of(self, data: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
        """Ids of the features of lines, with -1 after each; and of the features known so far column and sign."""
        if len(self._columns) > REMEMBERED:
            self._forget()
        self._table.count(data)
        known = len(self._columns)
        new = np.arange(known, len(self._table))
        # The lowest bit is the sign, the others are the column.
        hashes = np.array([feature_hash(name.replace(MARK, " ")) for name in self._table.words(new)], np.uint64)
        columns = ((hashes >> np.uint64(1)) % np.uint64(self._size)).astype(np.int64)
        signs = np.where(hashes & np.uint64(1), -1, 1) if self._signed else np.ones(len(new))
        self._columns = np.concatenate([self._columns, columns])
        self._signs = np.concatenate([self._signs, signs.astype(np.float32)])
        ids = self._table.encode(data, np.arange(len(self._table), dtype=np.int32))
        return ids, self._columns, self._signs

    def _forget(self) -> None:
        from ..kernels.word_table import WordTable

        self._table = WordTable()
        self._columns = np.empty(0, np.int64)
        self._signs = np.empty(0, np.float32)


def feature_hash(name: str) -> int:
    """The hash of a feature, from 0 to 2**64 - 1: BLAKE2b with 8 bytes of its UTF-8, little-endian.

    Its lowest bit gives the sign, the rest modulo V the column.
    """
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
