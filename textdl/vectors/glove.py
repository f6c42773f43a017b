"""GloVe: word vectors whose products are the logarithms of co-occurrence counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..errors import ConfigError, CorpusError, TrainingError
from ..text.known_words import Vocabulary
from .cooccurrence import Sentences, cooccurrence_matrix, read_text
from .documents import average
from .pairs import thread_count
from .word_vectors import WordVectors

Floats = NDArray[np.float32]


class Weights(NamedTuple):
    """What is trained, each with the sums of its gradients' squares beside it; S is D rounded up."""

    words: Floats  # [V, 2, S]
    word_biases: Floats  # [V, 2]
    contexts: Floats  # [V, 2, S]
    context_biases: Floats  # [V, 2]


class Glove(TransformerMixin, BaseEstimator):
    """GloVe (Pennington, Socher & Manning 2014, "GloVe: Global vectors for word representation").

    Weighted least squares over the entries of the co-occurrence matrix, by AdaGrad, in random order. With one thread
    a seed gives the same bytes each time; several threads share the vectors without locks, and do not.

    Args:
        dim: D.
        window: words on a side that are counted, within the sentence; a pair at distance d counts 1 / d.
        epochs: passes over the matrix.
        lr: learning rate.
        x_max: the count from which on entries weigh 1. The paper's 100 is for billions of words; of some millions 10
            makes better vectors.
        alpha: an entry x weighs (x / x_max) ** alpha below it.
        least_count: words seen fewer times are left out, as if they did not stand there.
        most_words: the largest vocabulary.
        threads: None takes one a processor.
        memory_mb: millions of bytes for the counting; see :func:`cooccurrence_matrix`.
        warm_start: whether ``fit`` goes on from the vectors of the last one, with those of new words added.
        seed: of the first vectors and of the order.

    Attributes:
        vocabulary_: the V words with their counts.
        vectors_: :class:`WordVectors` [V, D], the sums of the words' vectors and of those as contexts.
        losses_: of each epoch, the mean over the entries of f(x) (w . c + b + b' - ln x)^2 / 2.
        matrix_: what it was trained on, scipy CSR [V, V].
        weights_: what a later ``fit`` goes on from.
    """

    def __init__(
        self,
        dim: int = 100,
        window: int = 10,
        epochs: int = 25,
        lr: float = 0.05,
        x_max: float = 100.0,
        alpha: float = 0.75,
        least_count: int = 5,
        most_words: int | None = None,
        threads: int | None = None,
        memory_mb: float = 1000,
        warm_start: bool = False,
        seed: int = 1,
    ) -> None:
        self.dim = dim
        self.window = window
        self.epochs = epochs
        self.lr = lr
        self.x_max = x_max
        self.alpha = alpha
        self.least_count = least_count
        self.most_words = most_words
        self.threads = threads
        self.memory_mb = memory_mb
        self.warm_start = warm_start
        self.seed = seed

    def fit(self, X: Sentences, y: Any = None, *, tell: Callable[[int, float], None] | None = None) -> Self:
        """Count co-occurrences and train on them.

        Args:
            X: sentences, each a list of words; or the path of a text file with one a line.
            y: not used.
            tell: called after each epoch with its number, from 1 on, and its loss.

        Raises:
            CorpusError: no text, no word seen ``least_count`` times, or no two words in one sentence.
            ConfigError: a setting out of range.
            TrainingError: the loss is not a number.
        """
        self._check()
        vocabulary, ids = read_text(X, self.least_count, self.most_words, self.threads)
        matrix = cooccurrence_matrix(ids, len(vocabulary), self.window, threads=self.threads, memory_mb=self.memory_mb)
        self.fit_matrix(matrix, vocabulary.words, vocabulary.counts, tell=tell)
        self.vocabulary_ = vocabulary  # which also knows how many words were left out
        return self

    def fit_matrix(
        self,
        matrix: Any,
        words: Sequence[str],
        counts: NDArray[np.int64] | None = None,
        *,
        tell: Callable[[int, float], None] | None = None,
    ) -> Self:
        """Train on a co-occurrence matrix that is there already.

        Args:
            matrix: scipy sparse matrix [V, V]; entries above 0.
            words: the V words, each once.
            counts: [V], how often each stood in the text, for the vectors.
            tell: as of :meth:`fit`.

        Raises:
            ConfigError, CorpusError, TrainingError: as :meth:`fit`, or the matrix does not fit the words.
        """
        from scipy.sparse import csr_matrix

        self._check()
        entries = csr_matrix(matrix, dtype=np.float32)
        if entries.shape != (len(words), len(words)):
            raise ConfigError(f"matrix must have shape {(len(words),) * 2} for these words, got {entries.shape}")
        if not entries.nnz:
            raise CorpusError("no two words stand beside each other; give more text, or a lower least_count")
        if not (entries.data.min() > 0 and entries.data.max() < math.inf):
            raise ConfigError("matrix must hold counts above 0 only, got another value; take co-occurrence counts")
        random = np.random.default_rng(self.seed)
        vocabulary = Vocabulary(words, np.zeros(len(words), np.int64) if counts is None else counts)
        weights = self._first_weights(words, random)
        self.losses_: list[float] = []
        for epoch, loss in enumerate(self._train(entries, weights, random), 1):
            if not math.isfinite(loss):
                raise TrainingError(f"the loss of epoch {epoch} is {loss}, not a number; train with a lower lr")
            self.losses_.append(loss)
            if tell is not None:
                tell(epoch, loss)
        self.vocabulary_, self.matrix_, self.weights_ = vocabulary, entries, weights
        vectors = weights.words[:, 0, : self.dim] + weights.contexts[:, 0, : self.dim]
        self.vectors_ = WordVectors(words, vectors, counts)
        return self

    def transform(self, X: Iterable[Sequence[str]]) -> Floats:
        """The average of the vectors of each sentence's known words [n, D]; zeros where none is known."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "vectors_")
        return average(self.vectors_, X)

    def _check(self) -> None:
        for name, least in (("dim", 1), ("window", 1), ("epochs", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < least:
                raise ConfigError(f"{name} must be a whole number of at least {least}, got {value!r}")
        for name in ("lr", "x_max"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be more than 0, got {getattr(self, name)!r}")
        if not 0 <= self.alpha <= 1:
            raise ConfigError(f"alpha must lie in 0 to 1, got {self.alpha!r}; 0.75 is usual")
        if not isinstance(self.seed, int | np.integer) or self.seed < 0:
            raise ConfigError(f"seed must be a whole number of at least 0, got {self.seed!r}")
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads must be at least 1, got {self.threads!r}")

    def _first_weights(self, words: Sequence[str], random: np.random.Generator) -> Weights:
        """Random vectors and biases, their sums of squares 1; with ``warm_start`` those of the last training."""
        from ..kernels.glove import WIDTH

        size, width = len(words), -(-self.dim // WIDTH) * WIDTH

        def vectors() -> Floats:
            made = np.zeros((size, 2, width), np.float32)
            made[:, 0, : self.dim] = (random.random((size, self.dim), np.float32) - 0.5) / self.dim
            made[:, 1] = 1.0
            return made

        def biases() -> Floats:
            made = np.ones((size, 2), np.float32)
            made[:, 0] = (random.random(size, np.float32) - 0.5) / self.dim
            return made

        weights = Weights(vectors(), biases(), vectors(), biases())
        if self.warm_start and hasattr(self, "weights_"):
            if self.vectors_.dim != self.dim:
                raise ConfigError(f"dim must stay {self.vectors_.dim} to go on training, got {self.dim}")
            known = {word: row for row, word in enumerate(self.vectors_.words)}
            both = [(row, known[word]) for row, word in enumerate(words) if word in known]
            here, there = np.array(both, np.int64).reshape(-1, 2).T
            for new, old in zip(weights, self.weights_, strict=True):
                new[here] = old[there]
        return weights

    def _train(self, entries: Any, weights: Weights, random: np.random.Generator) -> Iterable[float]:
        """Train an epoch after the other; the mean loss of each."""
        from ..kernels.glove import PIECE, glove_pass

        threads = thread_count(self.threads)
        pieces = -(-np.diff(entries.indptr) // PIECE)
        rows = np.repeat(np.arange(len(pieces), dtype=np.int32), pieces)
        firsts = np.repeat(np.cumsum(pieces) - pieces, pieces)
        offsets = (np.arange(len(rows)) - firsts).astype(np.int32)
        fixed = entries.indptr, entries.indices, entries.data, rows, offsets
        settings = self.lr, self.x_max, self.alpha
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(self.epochs):
                parts = np.array_split(random.permutation(len(rows)), threads)
                losses = pool.map(lambda part: glove_pass(*fixed, part, *weights, *settings), parts)
                yield sum(losses) / entries.nnz
