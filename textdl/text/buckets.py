"""Batches of texts of about the same length, so that little is computed that is only padding.

Legend: N texts, B texts in a batch, T tokens of the longest text in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .base import Ids

#: Batches whose texts are sorted by length together: more means less padding and less chance in who meets whom.
POOL = 50


@dataclass(frozen=True)
class Ragged:
    """Texts of different lengths as one array: text n is ``ids[starts[n] : starts[n + 1]]``."""

    ids: Ids
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[Ids]) -> Ragged:
        """The texts behind one another."""
        lengths = np.array([len(text) for text in texts], np.int64)
        ids = np.concatenate([np.empty(0, np.int32), *texts]).astype(np.int32, copy=False)
        return cls(ids, np.concatenate([[0], np.cumsum(lengths)]))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[N], the tokens of each text."""
        return np.diff(self.starts)

    def padded(self, which: NDArray[np.int64], padding: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Some texts as columns [T, B], ``padding`` behind their ends; and their lengths [B].

        An empty text is one token of padding long, so that there is something to read.
        """
        lengths = self.lengths[which]
        table = np.full((max(1, int(lengths.max(initial=0))), len(which)), padding, np.int64)
        steps = np.arange(len(table))[:, None]
        places = self.starts[which] + steps
        inside = steps < lengths
        table[inside] = self.ids[places[inside]]
        return table, np.maximum(lengths, 1)


def batches_of(lengths: NDArray[np.int64], size: int, order: np.random.Generator | None) -> list[NDArray[np.int64]]:
    """Which texts are in which batch.

    Args:
        lengths: [N].
        size: texts in a batch; the last ones may be fewer.
        order: who meets whom, and when, is drawn from it: texts are shuffled, sorted by length in pools of
            :data:`POOL` batches, and the batches shuffled. None: all are sorted, the longest first, for evaluation.
    """
    number = len(lengths)
    if order is None:
        by_length = np.argsort(-lengths, kind="stable")
        return [by_length[start : start + size] for start in range(0, number, size)]
    shuffled = order.permutation(number)
    batches = []
    for start in range(0, number, size * POOL):
        pool = shuffled[start : start + size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[at : at + size] for at in range(0, len(pool), size)]
    return [batches[place] for place in order.permutation(len(batches))]


def by_size(lengths: NDArray[np.int64], tokens: int, longest: int | None = None) -> list[NDArray[np.int64]]:
    """Which texts are read together where nothing is learned from them: the longest first.

    Args:
        lengths: [N].
        tokens: about the most places of a batch, padding included; a text that is longer is a batch by itself.
        longest: a text of more tokens is a batch by itself too, and empty ones are in none; None: all are alike.
    """
    order = np.argsort(-lengths, kind="stable")
    if longest is not None:
        order = order[lengths[order] > 0]
    batches, start = [], 0
    while start < len(order):
        length = int(lengths[order[start]])
        size = 1 if longest is not None and length > longest else max(1, tokens // max(1, length))
        batches.append(order[start : start + size])
        start += size
    return batches


def batches_by_tokens(
    lengths: NDArray[np.int64], others: NDArray[np.int64], tokens: int, order: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Which pairs are in which batch, none of more than about so many tokens on either side, padding included.

    All pairs are sorted by the longer of their sides, then by both together; who stands beside whom among those of
    one size, and the order of the batches, is drawn. Where batches end depends on the lengths alone, so that each
    pass has as many.

    Args:
        lengths, others: [N], of the two sides.
        tokens: the most places of a side of a batch; a pair that is longer is a batch by itself.
        order: drawn from.
    """
    number = len(lengths)
    longer = np.maximum(lengths, others)
    shuffled = order.permutation(number)
    by_size = shuffled[np.lexsort((lengths[shuffled] + others[shuffled], longer[shuffled]))]
    sizes = np.maximum(longer[by_size], 1).tolist()
    batches, start = [], 0
    for at, size in enumerate(sizes):
        if at > start and (at - start + 1) * size > tokens:
            batches.append(by_size[start:at])
            start = at
    batches.append(by_size[start:])
    return [batches[place] for place in order.permutation(len(batches)) if len(batches[place])]


def padding_share(lengths: NDArray[np.int64], batches: Sequence[NDArray[np.int64]]) -> float:
    """How much of what is computed is padding: the share of the places [T, B] of all batches that hold no token."""
    places = sum(int(lengths[batch].max(initial=0)) * len(batch) for batch in batches)
    return 1 - int(lengths.sum()) / places if places else 0.0
