"""From the counts of a co-occurrence matrix to positive pointwise mutual information, and from that to vectors.

V words; matrices are scipy CSR ``[V, V]``, a row for a word, a column for a word in its context.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, CorpusError

_BLOCK = 2**22  # entries worked on at once


def ppmi_matrix(counts: Any, shift: float = 0.0, smoothing: float = 0.75) -> Any:
    """Shifted positive pointwise mutual information, max(0, log(P(w, c) / (P(w) P(c))) - shift).

    Levy & Goldberg 2014, "Neural word embedding as implicit matrix factorization"; the contexts' distribution P(c) is
    that of their counts to the power of ``smoothing`` (Levy, Goldberg & Dagan 2015, "Improving distributional
    similarity with lessons learned from word embeddings").

    Args:
        counts: scipy sparse matrix [V, C], not below 0.
        shift: log k, for k negative samples of word2vec; at least 0.
        smoothing: 1 leaves the distribution as it is; less makes rare contexts count for less.

    Returns:
        scipy CSR matrix [V, C], float32, of the entries above 0.

    Raises:
        ConfigError: a shift below 0, or a smoothing not in 0 to 1.
    """
    from scipy.sparse import csr_matrix

    if not 0 <= shift < np.inf:
        raise ConfigError(f"shift must be a number of at least 0 (log k), got {shift!r}")
    if not 0 <= smoothing <= 1:
        raise ConfigError(f"smoothing must lie in 0 to 1, got {smoothing!r}; 1 smoothes nothing")
    matrix = csr_matrix(counts)
    rows, columns = _sums(matrix)
    with np.errstate(divide="ignore", invalid="ignore"):  # log 0 of words that meet none: they have no entry
        by_row = -np.log(rows) - shift
        by_column = -np.log(columns**smoothing) + np.log((columns[columns > 0] ** smoothing).sum())
    kept, values, ends = [], [], [np.zeros(1, np.int64)]
    for start, end in _row_blocks(matrix.indptr):
        low, high = matrix.indptr[start], matrix.indptr[end]
        indices = matrix.indices[low:high]
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.log(matrix.data[low:high], dtype=np.float64)
            scores += np.repeat(by_row[start:end], np.diff(matrix.indptr[start : end + 1]))
            scores += by_column[indices]
        positive = scores > 0
        kept.append(indices[positive])
        values.append(scores[positive].astype(np.float32))
        before = np.concatenate([[0], np.cumsum(positive)])
        ends.append(before[matrix.indptr[start + 1 : end + 1] - low] + ends[-1][-1])
    if not kept:
        return csr_matrix(matrix.shape, dtype=np.float32)
    return csr_matrix((np.concatenate(values), np.concatenate(kept), np.concatenate(ends)), shape=matrix.shape)


def _sums(matrix: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of the rows [V] and of the columns [C], in float64 without a copy of the matrix in it."""
    rows, columns = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[1])
    for start, end in _row_blocks(matrix.indptr):
        low, high = matrix.indptr[start], matrix.indptr[end]
        values = matrix.data[low:high].astype(np.float64)
        numbers = np.repeat(np.arange(end - start), np.diff(matrix.indptr[start : end + 1]))
        rows[start:end] = np.bincount(numbers, values, minlength=end - start)
        columns += np.bincount(matrix.indices[low:high], values, minlength=len(columns))
    return rows, columns


def _row_blocks(starts: NDArray[Any]) -> list[tuple[int, int]]:
    """Runs of rows with ``_BLOCK`` entries or fewer, or of one row."""
    blocks, start, last = [], 0, len(starts) - 1
    while start < last:
        end = int(np.searchsorted(starts, starts[start] + _BLOCK, side="right")) - 1
        end = min(max(end, start + 1), last)
        blocks.append((start, end))
        start = end
    return blocks


def reduce_matrix(matrix: Any, dim: int, power: float = 0.5, seed: int = 1, rounds: int = 5) -> NDArray[np.float32]:
    """Vectors from the truncated singular value decomposition U S V^T of a matrix: U S ** power, [V, dim].

    The decomposition is randomised (Halko, Martinsson & Tropp 2011, "Finding structure with randomness"); a seed gives
    the same vectors each time. The power 0.5 and 0 do better than 1 on word similarities (Levy, Goldberg & Dagan 2015).

    Args:
        matrix: scipy sparse matrix [V, C].
        dim: how many singular values are kept, at most the smaller of V and C.
        power: of the singular values.
        seed: of the random start.
        rounds: power iterations; more are nearer to the exact decomposition.

    Raises:
        ConfigError: ``dim`` is not from 1 to the size of the matrix, or ``seed`` below 0.
        CorpusError: the matrix has no entries.
    """
    from sklearn.utils.extmath import randomized_svd

    most = min(matrix.shape)
    if not isinstance(dim, int | np.integer) or not 1 <= dim <= most:
        raise ConfigError(f"dim must be from 1 to {most}, the number of words, got {dim!r}; give another, or more text")
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed must be a whole number from 0 to {2**32 - 1}, got {seed!r}")
    if not matrix.nnz:
        raise CorpusError(
            "no two words stand beside each other more often than chance has it; "
            "give more text, a lower least_count, or a lower shift"
        )
    left, singular, _ = randomized_svd(matrix, dim, n_iter=rounds, random_state=seed)
    vectors: NDArray[np.float32] = (left * singular**power).astype(np.float32)
    return vectors
