"""Phrases: words that stand beside each other more often than chance has it, made one word ("new york": "new_york").

Mikolov et al. 2013, "Distributed representations of words and phrases and their compositionality", section 4. Apply it
to its own result for phrases of three and four words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..errors import ConfigError, CorpusError, near

SCORINGS = ("mikolov", "npmi")
_BLOCK = 2**20  # words between two times that the pairs are summed up

Sentences = Iterable[Sequence[str]]


class Phrases(TransformerMixin, BaseEstimator):
    """Finds phrases of two words in sentences, and joins them.

    Words of a sentence are joined from left to right; a word is in one phrase at most.

    Args:
        threshold: pairs with a higher score are phrases. Of "npmi" from -1 to 1; 0.5 is much.
        least_count: words and pairs seen fewer times make no phrase; delta of the score.
        joiner: what is put between the words of a phrase.
        scoring: "mikolov" is (count(a b) - delta) N / (count(a) count(b)), N words in all; "npmi" is
            ln(P(a b) / (P(a) P(b))) / -ln P(a b) (Bouma 2009, "Normalized (pointwise) mutual information in
            collocation extraction").

    Attributes:
        scores_: ``{(a, b): score}`` of all pairs that are seen often enough.
        phrases_: ``{(a, b): joined}`` of those that are phrases.
        total_: N.
    """

    def __init__(
        self, threshold: float = 10.0, least_count: int = 5, joiner: str = "_", scoring: str = "mikolov"
    ) -> None:
        self.threshold = threshold
        self.least_count = least_count
        self.joiner = joiner
        self.scoring = scoring

    def fit(self, X: Sentences, y: Any = None) -> Self:
        """Count words and pairs, and score these.

        Args:
            X: sentences, each a list of words; read once.
            y: not used.

        Raises:
            ConfigError: a setting out of range.
            CorpusError: no words, or a sentence that is one text.
        """
        if self.scoring not in SCORINGS:
            raise ConfigError(f"scoring has no choice {self.scoring!r}; {near(str(self.scoring), SCORINGS)}")
        if self.least_count < 1:
            raise ConfigError(f"least_count must be at least 1, got {self.least_count!r}")
        if self.scoring == "npmi" and not -1 <= self.threshold <= 1:
            raise ConfigError(f"threshold must lie in -1 to 1 for 'npmi', got {self.threshold!r}; 0.5 is much")
        words, counts, pairs, times = _count(X)
        self.total_ = int(counts.sum())
        often = times >= self.least_count
        first, second, both = pairs[often] >> 32, pairs[often] & (2**32 - 1), times[often].astype(np.float64)
        scores = self._score(counts[first].astype(np.float64), counts[second].astype(np.float64), both)
        named = zip(first.tolist(), second.tolist(), scores.tolist(), strict=True)
        self.scores_ = {(words[a], words[b]): score for a, b, score in named}
        self.phrases_ = {pair: self.joiner.join(pair) for pair, score in self.scores_.items() if score > self.threshold}
        return self

    def transform(self, X: Sentences) -> list[list[str]]:
        """The sentences with their phrases joined."""
        return list(self.stream(X))

    def stream(self, sentences: Sentences) -> Iterable[list[str]]:
        """As :meth:`transform`, a sentence at a time; can be read again as often as ``sentences`` can."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "phrases_")
        return _Joined(self.phrases_, sentences)

    def _score(
        self, first: NDArray[np.float64], second: NDArray[np.float64], both: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if self.scoring == "mikolov":
            return (both - self.least_count) * self.total_ / (first * second)
        share = both / self.total_
        scores = np.ones(len(both))  # where there is nothing but this pair: log 1 / log 1
        some = share < 1
        scores[some] = np.log(share * self.total_**2 / (first * second))[some] / -np.log(share[some])
        return scores


class _Joined:
    """Sentences with their phrases joined, as often as they are read."""

    def __init__(self, phrases: dict[tuple[str, str], str], sentences: Sentences) -> None:
        self.phrases, self.sentences = phrases, sentences

    def __iter__(self) -> Iterator[list[str]]:
        for number, sentence in enumerate(self.sentences):
            _check(number, sentence)
            yield self.join(sentence)

    def join(self, sentence: Sequence[str]) -> list[str]:
        joined, place, last = [], 0, len(sentence) - 1
        while place <= last:
            word = sentence[place]
            phrase = self.phrases.get((word, sentence[place + 1])) if place < last else None
            joined.append(word if phrase is None else phrase)
            place += 1 if phrase is None else 2
        return joined


def _check(number: int, sentence: Any) -> None:
    if isinstance(sentence, str) or not isinstance(sentence, Sequence):
        raise CorpusError(
            f"sentence {number} must be a list of words, got {type(sentence).__name__}; cut it into words"
        )


def _count(sentences: Sentences) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Words, their counts, pairs (number of the first word * 2 ** 32 + that of the second), their counts."""
    numbers: dict[str, int] = {}
    pairs, times = np.empty(0, np.int64), np.empty(0, np.int64)
    counts = np.empty(0, np.int64)
    block: list[int] = []

    def settle() -> None:
        nonlocal pairs, times, counts
        ids = np.array(block, np.int64)
        block.clear()
        seen = np.bincount(ids[ids >= 0], minlength=len(numbers)).astype(np.int64)
        seen[: len(counts)] += counts
        counts = seen
        first, second = ids[:-1], ids[1:]
        inside = (first >= 0) & (second >= 0)
        new, often = np.unique((first[inside] << 32) | second[inside], return_counts=True)
        pairs, places = np.unique(np.concatenate([pairs, new]), return_inverse=True)
        times = np.bincount(places, np.concatenate([times, often]), minlength=len(pairs)).astype(np.int64)

    for number, sentence in enumerate(sentences):
        _check(number, sentence)
        block += [numbers.setdefault(word, len(numbers)) for word in sentence]
        block.append(-1)
        if len(block) >= _BLOCK:
            settle()
    settle()
    if not numbers:
        raise CorpusError("there are no words to find phrases in; give sentences, each a list of words")
    return list(numbers), counts, pairs, times
