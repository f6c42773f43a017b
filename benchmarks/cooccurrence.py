"""Counting which words stand near each other, against a plain way of doing it with scipy, on the same ids.

    python -m benchmarks.cooccurrence --data DIR [--limit 5000000 --window 10 --threads 2 --rounds 3 --memory-mb 1000]

The text is what lies in DIR (*.tsv.xz of reviews as `imdb` has them; the last column is the text), lower case, cut
into words, a review a line; words seen five times. Both sides count the first --limit ids, pairs at distance d by
1 / d, both ways, into one CSR matrix in float32; they take turns, and the median of the rounds is given. The matrices
are compared. scipy: for each distance the text beside itself moved by it, pairs within a sentence as a COO matrix,
turned into CSR and added; at the end its transpose added. --documents counts whole reviews instead, against
scikit-learn's way: the document-word matrix X of a CountVectorizer, X^T X (ours leaves out each place beside itself).
--peak counts but once, on our side only, and tells the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.vocabulary import LEAST, write_text


def by_scipy(ids: Any, size: int, window: int) -> Any:
    from scipy.sparse import coo_matrix, csr_matrix

    sentence = np.cumsum(ids < 0)
    total = csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, window + 1):
        first, second = ids[:-distance], ids[distance:]
        inside = (first >= 0) & (second >= 0) & (sentence[:-distance] == sentence[distance:])
        values = np.full(int(inside.sum()), 1 / distance, np.float32)
        total = total + coo_matrix((values, (first[inside], second[inside])), shape=(size, size)).tocsr()
    return total + total.T.tocsr()


def by_products(ids: Any, size: int) -> Any:
    """As scikit-learn's CountVectorizer makes X, but of ids, which is faster."""
    from scipy.sparse import csr_matrix

    known = ids >= 0
    documents = np.cumsum(~known)[known]
    values = np.ones(len(documents), np.float32)
    counts = csr_matrix((values, (documents, ids[known])), shape=(int(documents[-1]) + 1, size))
    return counts.T @ counts


def timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Seconds by the clock, seconds of the processors, and what was made."""
    start, used = time.perf_counter(), time.process_time()
    made = work()
    return (time.perf_counter() - start, time.process_time() - used), made


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare(ours: Any, theirs: Any, documents: bool) -> float:
    """The largest relative difference of what both counted; their sums are in float32."""
    if documents:
        ours.setdiag(0)
        theirs.setdiag(0)
        ours.eliminate_zeros()
        theirs.eliminate_zeros()
    theirs.sort_indices()
    assert ours.nnz == theirs.nnz
    assert (ours.indices == theirs.indices).all()
    return float(np.max(np.abs(ours.data - theirs.data) / theirs.data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=5_000_000)
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-mb", type=float, default=1000)
    parser.add_argument("--documents", action="store_true")
    parser.add_argument("--peak", action="store_true")
    options = parser.parse_args()

    from textdl.text.vocabulary import VocabularyConfig, count_file, encode_file
    from textdl.vectors.pairs import cooccurrence_matrix

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "text.txt"
        write_text(options.data, path, 1)
        vocabulary = count_file(path, VocabularyConfig(least_count=LEAST), threads=options.threads)
        ids = encode_file(path, vocabulary, threads=options.threads)[: options.limit].copy()
    size = len(vocabulary)
    how: dict[str, Any] = {"threads": options.threads, "memory_mb": options.memory_mb}
    how |= {"window": None, "weighting": "flat"} if options.documents else {"window": options.window}
    (loading, _), _ = timed(lambda: cooccurrence_matrix(ids[:1000], size, **how))
    before = peak()
    print(f"{len(ids):,} ids, {size:,} words; kernels loaded or compiled in {loading:.2f} s", flush=True)
    if options.peak:
        (seconds, _), matrix = timed(lambda: cooccurrence_matrix(ids, size, **how))
        print(
            f"{seconds:.2f} s, {matrix.nnz:,} entries ({matrix.nnz * 8 / 1e6:,.0f} MB); memory_mb {options.memory_mb:g}"
        )
        print(f"peak memory {peak():,.0f} MiB, {before:,.0f} before")
        return

    def plain() -> Any:
        return by_products(ids, size) if options.documents else by_scipy(ids, size, options.window)

    ours, theirs = [], []
    for number in range(options.rounds):
        took, mine = timed(lambda: cooccurrence_matrix(ids, size, **how))
        ours.append(took)
        took, other = timed(plain)
        theirs.append(took)
        if not number:
            print(f"{mine.nnz:,} entries; largest relative difference {compare(mine, other, options.documents):.1e}")
        del mine, other
    peer = "scikit-learn's way" if options.documents else "scipy"
    for number, kind in enumerate(("by the clock", "of the processors")):
        a, b = [our[number] for our in ours], [their[number] for their in theirs]
        ratios = [their / our for their, our in zip(b, a, strict=True)]
        print(f"seconds {kind}: textdl, {options.threads} threads: {statistics.median(a):.2f}; ", end="")
        print(f"{peer}: {statistics.median(b):.2f}; ", end="")
        print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print("at least 5 by the clock is asked, of windows")


if __name__ == "__main__":
    main()
