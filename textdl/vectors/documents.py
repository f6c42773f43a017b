"""Vectors of documents from those of their words: averages, plain, by TF-IDF, and by smooth inverse frequency.

n documents, each a list of words; V words with vectors of D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone

from ..errors import ConfigError, CorpusError, near
from .word_vectors import WordVectors

WEIGHTINGS = ("mean", "tfidf", "sif")
FREQUENCIES = ("documents", "vectors")

Documents = Iterable[str | Sequence[str]]


def average(vectors: WordVectors, documents: Documents) -> NDArray[np.float32]:
    """The plain average of the vectors of each document's known words [n, D]; zeros where none is known."""
    counts = count_words(vectors, documents, str.split)
    return _weighted(counts, np.ones(len(vectors)), vectors, by_weight=True)


def count_words(vectors: WordVectors, documents: Documents, tokenizer: Callable[[str], Sequence[str]]) -> Any:
    """How often each word that has a vector stands in each document: scipy CSR matrix [n, V], float64.

    Raises:
        CorpusError: the documents are one text, or one of them is no list of words.
    """
    from scipy.sparse import csr_matrix

    if isinstance(documents, str):
        raise CorpusError("the documents must be a list of documents, got one text; put it into a list")
    index = {word: number for number, word in enumerate(vectors.words)}
    found: list[int] = []
    ends = [0]
    for number, document in enumerate(documents):
        words = tokenizer(document) if isinstance(document, str) else document
        try:
            if isinstance(document, bytes):
                raise TypeError
            found += [index[word] for word in words if word in index]
        except TypeError:
            raise CorpusError(
                f"document {number} must be a text or a list of words, got {type(document).__name__}; cut it into words"
            ) from None
        ends.append(len(found))
    matrix = csr_matrix((np.ones(len(found)), np.array(found, np.int64), ends), shape=(len(ends) - 1, len(index)))
    matrix.sum_duplicates()
    return matrix


def _weighted(counts: Any, weights: NDArray[np.float64], vectors: WordVectors, by_weight: bool) -> NDArray[np.float32]:
    """Weighted sums of word vectors [n, D], divided by the weights' sum or by the number of words."""
    weighted = counts.multiply(weights[None, :]).tocsr().astype(np.float32)
    totals = np.asarray((weighted if by_weight else counts).sum(axis=1), np.float64).ravel()
    totals[totals == 0] = 1.0
    made: NDArray[np.float32] = ((weighted @ vectors.matrix) / totals[:, None]).astype(np.float32)
    return made


class DocumentVectors(TransformerMixin, BaseEstimator):
    """Documents as weighted averages of their words' vectors; words without a vector are left out.

    Everything that is learned (frequencies, common components) is learned from the documents given to ``fit``.

    Args:
        vectors: the word vectors, or an estimator without them (``Word2Vec()``, ``Glove()``, ``CoOccurrence()``), which
            is then fitted to the documents.
        weighting: "mean" counts all words alike; "tfidf" weighs a word by ln((1 + n) / (1 + n_w)) + 1, n_w of the n
            documents holding it; "sif" by a / (a + p(w)), smooth inverse frequency, and takes the common components
            off (Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings").
        smoothing: a of "sif".
        components: how many common components "sif" takes off: the first singular vectors of the training documents'.
        frequencies: where p(w) is from: the words of the training "documents", or the counts of the "vectors".
        tokenizer: cuts a document that is a text into words; None cuts at white space.

    Attributes:
        vectors_: the word vectors.
        weights_: [V], of the words.
        components_: [components, D], orthonormal; only of "sif".
    """

    def __init__(
        self,
        vectors: Any,
        weighting: str = "sif",
        smoothing: float = 1e-3,
        components: int = 1,
        frequencies: str = "documents",
        tokenizer: Callable[[str], Sequence[str]] | None = None,
    ) -> None:
        self.vectors = vectors
        self.weighting = weighting
        self.smoothing = smoothing
        self.components = components
        self.frequencies = frequencies
        self.tokenizer = tokenizer

    def __sklearn_clone__(self) -> Self:
        """A copy for a search over settings; it shares the word vectors, which may be large and never change."""
        settings = self.get_params(deep=False)
        if hasattr(self.vectors, "fit"):
            settings["vectors"] = clone(self.vectors)
        return type(self)(**settings)

    def fit(self, X: Documents, y: Any = None) -> Self:
        """Learn the weights of the words and, for "sif", the common components.

        Raises:
            ConfigError: a setting out of range.
            CorpusError: no documents, or something that is none.
        """
        self._learn(X)
        return self

    def fit_transform(self, X: Documents, y: Any = None, **settings: Any) -> NDArray[np.float32]:
        """As ``fit`` and ``transform``, counting the words but once."""
        return self._made(self._learn(X))

    def transform(self, X: Documents) -> NDArray[np.float32]:
        """The vectors of documents [n, D]; zeros where no word has a vector."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "weights_")
        return self._made(count_words(self.vectors_, X, self.tokenizer or str.split))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the D columns."""
        return np.array([f"dimension{number}" for number in range(self.vectors_.dim)], object)

    def _learn(self, X: Documents) -> Any:
        self._check()
        if isinstance(X, str):
            raise CorpusError("the documents must be a list of documents, got one text; put it into a list")
        cut = self.tokenizer or str.split
        if hasattr(self.vectors, "fit"):
            X = [cut(document) if isinstance(document, str) else document for document in X]
            self.vectors_ = clone(self.vectors).fit(X).vectors_
        else:
            self.vectors_ = self.vectors
        counts = count_words(self.vectors_, X, cut)
        if not counts.shape[0]:
            raise CorpusError("there are no documents to learn from; give at least one")
        self.weights_ = self._weights(counts)
        if self.weighting == "sif":
            self.components_ = np.empty((0, self.vectors_.dim), np.float32)
            self.components_ = _first_components(self._made(counts), self.components)
        return counts

    def _check(self) -> None:
        if not hasattr(self.vectors, "fit") and not isinstance(self.vectors, WordVectors):
            raise ConfigError(
                f"vectors must be WordVectors or an estimator of them, got {self.vectors!r}; "
                "those of a file or a run are textdl.open_vectors(path)"
            )
        if self.weighting not in WEIGHTINGS:
            raise ConfigError(f"weighting has no choice {self.weighting!r}; {near(str(self.weighting), WEIGHTINGS)}")
        if self.frequencies not in FREQUENCIES:
            raise ConfigError(
                f"frequencies has no choice {self.frequencies!r}; {near(str(self.frequencies), FREQUENCIES)}"
            )
        if not self.smoothing > 0:
            raise ConfigError(f"smoothing must be more than 0, got {self.smoothing!r}; 1e-3 is usual")
        if not isinstance(self.components, int | np.integer) or self.components < 0:
            raise ConfigError(f"components must be a whole number of at least 0, got {self.components!r}")

    def _weights(self, counts: Any) -> NDArray[np.float64]:
        if self.weighting == "mean":
            return np.ones(counts.shape[1])
        if self.weighting == "tfidf":
            holding = np.bincount(counts.indices, minlength=counts.shape[1])
            inverse: NDArray[np.float64] = np.log((1.0 + counts.shape[0]) / (1.0 + holding)) + 1.0
            return inverse
        if self.frequencies == "documents":
            seen = np.asarray(counts.sum(axis=0), np.float64).ravel()
        elif self.vectors_.counts is None:
            raise ConfigError("these vectors have no counts for frequencies 'vectors'; take 'documents'")
        else:
            seen = np.asarray(self.vectors_.counts, np.float64)
        weights: NDArray[np.float64] = self.smoothing / (self.smoothing + seen / max(seen.sum(), 1.0))
        return weights

    def _made(self, counts: Any) -> NDArray[np.float32]:
        made = _weighted(counts, self.weights_, self.vectors_, by_weight=self.weighting != "sif")
        if self.weighting == "sif":
            made -= (made @ self.components_.T) @ self.components_
        return made


def _first_components(made: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The first right singular vectors [count, D] of the documents' vectors [n, D], not centred."""
    exact = made.astype(np.float64)
    _, directions = np.linalg.eigh(exact.T @ exact)  # ascending
    first: NDArray[np.float32] = directions[:, ::-1][:, :count].T.astype(np.float32)
    return first
