"""Word vectors from counts: co-occurrences, positive pointwise mutual information, truncated SVD."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..text.vocabulary import (
    Vocabulary,
    VocabularyConfig,
    count_file,
    count_sentences,
    encode_file,
    encode_sentences,
)
from .documents import average
from .pairs import cooccurrence_matrix
from .ppmi import ppmi_matrix, reduce_matrix
from .word_vectors import WordVectors

__all__ = ["CoOccurrence", "cooccurrence_matrix", "ppmi_matrix", "read_text", "reduce_matrix"]

Sentences = Iterable[Sequence[str]] | str | Path
_LARGE = 100_000_000  # bytes of a text file, from which on its ids are not kept in memory


class CoOccurrence(TransformerMixin, BaseEstimator):
    """Counts which words stand near each other, and makes vectors of the counts.

    Levy, Goldberg & Dagan 2015, "Improving distributional similarity with lessons learned from word embeddings".
    The result depends on the text and the settings only, not on the number of threads.

    Args:
        window: words on a side that are counted, within the sentence; None for the whole document.
        weighting: what a pair at distance d counts: "flat" 1, "harmonic" 1 / d, "linear" (window + 1 - d) / window;
            "binary" counts the documents that hold both words.
        context: the words "left" of a word, those "right" of it, or "both".
        ppmi: whether the vectors are made of the mutual information, instead of the counts.
        shift: log k, taken off the mutual information.
        smoothing: power of the contexts' counts in their distribution; 1 smoothes nothing.
        dim: D; None makes no vectors.
        power: of the singular values in the vectors.
        least_count: words seen fewer times are left out, as if they did not stand there.
        most_words: the largest vocabulary.
        threads: None takes one a processor.
        memory_mb: millions of bytes for the counting; see :func:`cooccurrence_matrix`.
        seed: of the randomised decomposition.

    Attributes:
        vocabulary_: the V words with their counts, most frequent first.
        matrix_: the counts, scipy CSR [V, V], float32.
        ppmi_: their mutual information, scipy CSR [V, V], float32; only with ``ppmi``.
        vectors_: :class:`WordVectors` [V, D]; not when ``dim`` is None.
    """

    def __init__(
        self,
        window: int | None = 10,
        weighting: str = "harmonic",
        context: str = "both",
        ppmi: bool = True,
        shift: float = 0.0,
        smoothing: float = 0.75,
        dim: int | None = 100,
        power: float = 0.5,
        least_count: int = 5,
        most_words: int | None = None,
        threads: int | None = None,
        memory_mb: float = 1000,
        seed: int = 1,
    ) -> None:
        self.window = window
        self.weighting = weighting
        self.context = context
        self.ppmi = ppmi
        self.shift = shift
        self.smoothing = smoothing
        self.dim = dim
        self.power = power
        self.least_count = least_count
        self.most_words = most_words
        self.threads = threads
        self.memory_mb = memory_mb
        self.seed = seed

    def fit(self, X: Sentences, y: Any = None) -> Self:
        """Count, and make the vectors.

        Args:
            X: sentences (or documents), each a list of words; or the path of a text file with one a line.
            y: not used.

        Raises:
            CorpusError: no text, no word seen ``least_count`` times, or no two words in one sentence.
            ConfigError: a setting out of range.
        """
        self.vocabulary_, ids = read_text(X, self.least_count, self.most_words, self.threads)
        self.matrix_ = cooccurrence_matrix(
            ids,
            len(self.vocabulary_),
            self.window,
            self.weighting,
            self.context,
            threads=self.threads,
            memory_mb=self.memory_mb,
        )
        matrix = self.matrix_
        if self.ppmi:
            matrix = self.ppmi_ = ppmi_matrix(matrix, self.shift, self.smoothing)
        if self.dim is not None:
            vectors = reduce_matrix(matrix, self.dim, self.power, self.seed)
            self.vectors_ = WordVectors(self.vocabulary_.words, vectors, self.vocabulary_.counts)
        return self

    def transform(self, X: Iterable[Sequence[str]]) -> NDArray[np.float32]:
        """The average of the vectors of each sentence's known words [n, D]; zeros where none is known."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "vectors_")
        return average(self.vectors_, X)


def read_text(
    sentences: Sentences, least_count: int, most_words: int | None, threads: int | None
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """The vocabulary of a text and its ids [N], -1 after each sentence; words out of the vocabulary are left out.

    Args:
        sentences: lists of words, or the path of a text file with a sentence a line, its words between white space.
        least_count: words seen fewer times are left out.
        most_words: the largest vocabulary, None for any.
        threads: for a file; None takes one a processor.

    Raises:
        ConfigError: ``least_count``, ``most_words`` or ``threads`` is out of range.
        CorpusError: no text, or no word is seen ``least_count`` times.
    """
    config = VocabularyConfig(least_count=least_count, most_words=most_words)
    if isinstance(sentences, str | Path):
        vocabulary = count_file(sentences, config, threads=threads)
        if Path(sentences).stat().st_size < _LARGE:
            return vocabulary, encode_file(sentences, vocabulary, threads=threads)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "ids"
            length = len(encode_file(sentences, vocabulary, file, threads=threads))
            # The map outlives the file's name. It can be written, for its own memory only: a kernel is compiled once
            # more for arrays that can not.
            return vocabulary, np.memmap(file, np.int32, "c", shape=(length,))
    if iter(sentences) is sentences:  # it is read twice, and can be read but once
        sentences = list(sentences)
    vocabulary = count_sentences(sentences, config)
    return vocabulary, encode_sentences(sentences, vocabulary)
