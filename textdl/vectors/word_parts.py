"""Words as the parts that make them, for models that learn: its own row where a word has one, and its letters' n-grams.

Bojanowski et al. 2017, "Enriching word vectors with subword information". Legend: V words with a row of their own, G
rows of n-grams, U words, P parts of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .subwords import check_lengths, gram_rows


class WordParts:
    """The rows of a table [V + G, D] that make a word: row v < V of a known one, and those of its n-grams.

    Args:
        known: the V words with their rows.
        grams: G.
        least, most: letters of an n-gram.

    Raises:
        ConfigError: ``least`` and ``most`` are not 1 <= least <= most.
    """

    def __init__(self, known: Mapping[str, int], grams: int, least: int = 3, most: int = 6) -> None:
        check_lengths(least, most)
        self._known, self.grams, self._least, self._most = known, grams, least, most

    def of(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The parts [P] of some words, and where each of them begins [U]; each word has at least one.

        A word without a row and too short for an n-gram gets that of the whole word.
        """
        size = len(self._known)
        starts, rows = gram_rows(words, self._least, self._most, self.grams)
        found: list[NDArray[np.int64]] = []
        for number, word in enumerate(words):
            own = self._known.get(word)
            parts = rows[starts[number] : starts[number + 1]] + size
            if own is not None:
                parts = np.concatenate([[own], parts])
            elif not len(parts):
                parts = gram_rows([word], 1, self._most, self.grams)[1][-1:] + size
            found.append(parts)
        lengths = np.array([len(parts) for parts in found], np.int64)
        return np.concatenate([np.empty(0, np.int64), *found]), np.cumsum(lengths) - lengths
