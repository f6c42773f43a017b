"""Hashed n-grams: which row of its table the n-gram that ends at a token has.

The rule is the same in numpy here, in torch in ``textdl.models.ngrams``, and in the compiled stepping. With the tokens
read backwards from the last one, i_0, i_1, ..., the n-gram of order n has the row
``(sum over k < n of (i_k + 1) * M_k) * M_0 >> 40``, cut to its lowest bits, in 64-bit integers that wrap. Behind an end
of text every token counts as an end of text, so that no n-gram reaches over the border of two texts.
"""

from __future__ import annotations

import numpy as np

#: The orders there are; a model uses those up to its ``ngrams``.
ORDERS = (3, 5, 8, 13)

#: Odd constants with evenly spread bits (from the golden ratio and from well-known mixing functions).
MULTIPLIERS = np.array(
    [
        0x9E3779B97F4A7C15,
        0xBF58476D1CE4E5B9,
        0x94D049BB133111EB,
        0xD6E8FEB86659FD93,
        0xA5A3564E27F8862D,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x27D4EB2F165667C5,
        0xFF51AFD7ED558CCD,
        0xC4CEB9FE1A85EC53,
        0x85EBCA77C2B2AE63,
        0xD1B54A32D192ED03,
        0x2545F4914F6CDD1D,
    ],
    dtype=np.uint64,
).view(np.int64)

SHIFT = 40


def orders_of(longest: int) -> tuple[int, ...]:
    """The orders of a model whose longest n-gram has so many tokens."""
    return tuple(order for order in ORDERS if order <= longest)


def ngram_row(tokens: np.ndarray, order: int, rows: int, end: int) -> int:
    """The row of the n-gram at the end of ``tokens`` [at least ``order``], slowly and plainly.

    Args:
        tokens: ids, the last one last.
        order: n.
        rows: rows of the table, a power of two.
        end: id of the end of text.
    """
    total, behind = 0, False
    for k in range(order):
        token = end if behind else int(tokens[-1 - k])
        total += (token + 1) * int(MULTIPLIERS[k])
        behind = token == end
    wrapped = (total * int(MULTIPLIERS[0])) & (2**64 - 1)
    return (wrapped >> SHIFT) & (rows - 1)
