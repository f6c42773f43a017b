"""Linear classifiers of texts behind scikit-learn's contract; what they learn is one linear map and a vocabulary.

Legend: n texts, F features, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ..errors import ConfigError, CorpusError, RunError, near
from ..text.known_words import Vocabulary
from ..vectors.features import TakesTexts
from ..vectors.opening import open_vectors
from ..vectors.word_vectors import WordVectors
from .config import FEATURES, METHODS
from .labels import checked_labels, classes_of, label_weights, plain_classes, plain_value, share_right
from .methods import Fitting, linear_map
from .rows import RowsConfig, Text, TextRows, checked, lower_case, share

__all__ = ["METHODS", "LinearClassifier"]

CLASS_WEIGHTS = ("none", "balanced")
#: Where nothing else is said: which features a method takes, and how strong it is; measured on held-out texts.
DEFAULTS = {
    "nb-svm": ("one-hot", 1.0),
    "linear-svm": ("tfidf", 1.0),
    "logistic": ("tfidf", 10.0),
    "naive-bayes": ("one-hot", 1.0),
}
_KEPT = (
    "method", "features", "ngrams", "unit", "least_documents", "most_features", "strength", "class_weights", "several",
    "seed",
)  # fmt: skip


class LinearClassifier(TakesTexts, ClassifierMixin, BaseEstimator):
    """A linear model of the words in a text, or in a pair of texts; it takes texts, and no numbers.

    Args:
        method: "nb-svm", an SVM on features that weigh what naive Bayes says of them (Wang & Manning 2012, "Baselines
            and bigrams"); "linear-svm"; "logistic" regression; or multinomial "naive-bayes".
        features: "one-hot", whether a feature is there; "counts", how often; "tfidf", rows of length 1; "vectors", the
            mean of the vectors of the words; None what suits the method. "nb-svm" takes "counts" as "one-hot", rows
            scaled to length 1.
        ngrams: longest run of words (or characters) that is a feature.
        unit: what the runs are of: "word", "character", or "within" for characters that do not reach over a word.
        least_documents: features of fewer texts are left out.
        most_features: how many features to keep, the most frequent; of pairs in each part.
        strength: weight of the training errors against that of a simple model (C); of "naive-bayes" one over the count
            that each feature has beforehand. None what suits the method.
        class_weights: "none"; or "balanced", so that each class weighs the same, however many texts it has.
        several: each text has any number of labels.
        vectors: word vectors, or a path to some, of features "vectors".
        seed: of the order in which the SVM goes through the texts.

    Attributes:
        classes_: [C], the sorted distinct labels.
        weights_, bias_: [F, C] and [C], float32; of two classes, one of which each text has, one's are the other's
            negative.
        pairs_: whether the texts are pairs.
        temperature_: what scores are divided by before they are made probabilities; 1 until it is set.

    Of a pair there are the features of the first text, of the second, and of the words that are in both.

    Examples:
        >>> texts = ["a good film", "good fun", "a bad film", "bad and dull"]
        >>> LinearClassifier().fit(texts, ["yes", "yes", "no", "no"]).predict(["good and fun"]).tolist()
        ['yes']
    """

    def __init__(
        self,
        method: str = "nb-svm",
        features: str | None = None,
        ngrams: int = 2,
        unit: str = "word",
        least_documents: int = 1,
        most_features: int | None = None,
        strength: float | None = None,
        class_weights: str = "none",
        several: bool = False,
        vectors: WordVectors | str | Path | None = None,
        seed: int = 1,
    ) -> None:
        self.method = method
        self.features = features
        self.ngrams = ngrams
        self.unit = unit
        self.least_documents = least_documents
        self.most_features = most_features
        self.strength = strength
        self.class_weights = class_weights
        self.several = several
        self.vectors = vectors
        self.seed = seed

    def __sklearn_clone__(self) -> Self:
        """A copy for a search over settings; it shares the word vectors, which may be large and never change."""
        return type(self)(**self.get_params(deep=False))

    def fit(self, X: Sequence[Text], y: Sequence[Any]) -> Self:
        """Learn from texts, or pairs ``(text, second)``, and their labels; a list of labels each with ``several``.

        Raises:
            ConfigError: a setting has no such value, or does not go with another.
            CorpusError: no texts, something that is none, no feature, one class only, or not as many labels as texts.
        """
        config, strength = self._config()
        texts, pairs = checked(X)
        labels = checked_labels(y, len(texts), self.several)
        classes, truth = classes_of(labels, self.several)
        if self.features == "vectors":
            rows, weights, bias = self._fit_vectors(config, texts, pairs, truth, strength)
        else:
            rows = TextRows(config, pairs)
            weights, bias = self._map(rows.fit(texts), truth, strength)
        self.classes_, self.pairs_, self.temperature_, self._rows = classes, pairs, 1.0, rows
        self.weights_, self.bias_ = weights.astype(np.float32), bias.astype(np.float32)
        return self

    def decision_function(self, X: Sequence[Text]) -> NDArray[np.float64]:
        """The score of each class [n, C], also of two; the largest is the prediction, or with ``several`` all above 0.

        Raises:
            CorpusError: something is no text, or no pair where there were pairs, or a pair where there were none.
        """
        check_is_fitted(self, "weights_")
        scores: NDArray[np.float64] = (self._rows.transform(X) @ self.weights_ + self.bias_).astype(np.float64)
        return scores

    def predict_proba(self, X: Sequence[Text]) -> NDArray[np.float64]:
        """The probability of each class [n, C]; with ``several`` each entry by itself, else each row sums to 1.

        Those of "logistic" and "naive-bayes" are their own; an SVM has none, and its scores are taken as such. All are
        divided by ``temperature_`` before; where this is fitted to held-out texts they are calibrated.
        """
        scores = self.decision_function(X) / self.temperature_
        if self.several:
            return np.exp(-np.logaddexp(0, -scores))
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        made: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return made

    def predict(self, X: Sequence[Text]) -> Any:
        """The label of each text [n]; with ``several`` a list of tuples of labels."""
        scores = self.decision_function(X)
        if self.several:
            names = plain_classes(self.classes_)
            return [tuple(name for name, score in zip(names, row, strict=True) if score > 0) for row in scores.tolist()]
        return self.classes_[scores.argmax(axis=1)]

    def score(self, X: Sequence[Text], y: Sequence[Any], sample_weight: Any = None) -> float:
        """The share of texts whose label, with ``several`` whose whole set of labels, is the predicted one."""
        return share_right(self.predict(X), y, self.several, sample_weight)

    @property
    def vocabulary_(self) -> Vocabulary:
        """The F features in the order of the weights; of pairs marked with the part that they are of."""
        check_is_fitted(self, "weights_")
        return self._rows.vocabulary

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """All that was learnt, beside the vocabulary: ``weights`` [F, C], ``bias`` [C], of "tfidf" ``idf`` [F].

        A row is scaled to length 1 after it is weighed by ``idf``, so this can not be a part of the weights.
        """
        check_is_fitted(self, "weights_")
        arrays = {"weights": self.weights_, "bias": self.bias_}
        return arrays if self._rows.idf is None else arrays | {"idf": self._rows.idf}

    def facts(self) -> dict[str, Any]:
        """What :meth:`restored` needs beside the arrays and the vocabulary, as plain JSON values."""
        check_is_fitted(self, "weights_")
        settings = {name: plain_value(getattr(self, name)) for name in _KEPT}
        return settings | {
            "classes": plain_classes(self.classes_),
            "pairs": self.pairs_,
            "temperature": float(self.temperature_),
        }

    @classmethod
    def restored(
        cls, vocabulary: Vocabulary, arrays: Mapping[str, NDArray[np.float32]], facts: Mapping[str, Any]
    ) -> Self:
        """The classifier that has learnt these, to the bit. Word vectors are in the weights and not needed again.

        Raises:
            RunError: they do not fit each other.
        """
        settings = dict(facts)
        try:
            classes, pairs = settings.pop("classes"), settings.pop("pairs")
            temperature = settings.pop("temperature")
            self = cls(**settings)
            config, _ = self._config(restored=True)
            weights, bias = arrays["weights"], arrays["bias"]
            idf = arrays["idf"] if config.features == "tfidf" else None
        except (KeyError, TypeError, ConfigError) as error:
            raise RunError(f"this is no linear classifier ({error}); train again or restore it") from None
        wanted = len(vocabulary), len(classes)
        if weights.shape != wanted or bias.shape != wanted[1:] or (idf is not None and idf.shape != wanted[:1]):
            raise RunError(f"weights must be {wanted}, features by classes, got {weights.shape}; train again")
        self.classes_ = np.array(classes)
        self.weights_, self.bias_, self.pairs_, self.temperature_ = weights, bias, pairs, temperature
        if self.features == "vectors":
            config = _of_vectors(config, vocabulary.words)
        self._rows = TextRows.restored(config, pairs, vocabulary, idf)
        return self

    def contributions(self, text: Text) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """The k features that a text, or a pair, has, and what each adds to the score of each class [k, C].

        They and ``bias_`` add up to :meth:`decision_function`.
        """
        row = self._row(text)
        names = tuple(self._rows.vocabulary.words[column] for column in row.indices)
        return names, row.data[:, None].astype(np.float64) * self.weights_[row.indices]

    def token_weights(self, text: Text, label: Any = None) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """The pieces [P] of a text, which join to it, and what each adds to the score of a label [P].

        What a run of words adds is shared evenly among them. White space and what is no feature have 0; of features
        that are runs of characters the white space in them has none either. A pair is shown as both its texts with a
        line end between them.

        Args:
            label: one of the classes; the one with the largest score when not said.

        Raises:
            CorpusError: it is none of the classes.
        """
        row = self._row(text)
        names = plain_classes(self.classes_)
        if label is None:
            place = int(self.decision_function([text])[0].argmax())
        elif label in names:
            place = names.index(label)
        else:
            raise CorpusError(f"there is no class {label!r}; {near(str(label), map(str, names))}")
        parts = row.data.astype(np.float64) * self.weights_[row.indices, place]
        pieces, weights = share(self._rows, text, dict(zip(row.indices.tolist(), parts.tolist(), strict=True)))
        return tuple(pieces), weights

    def _row(self, text: Text) -> Any:
        check_is_fitted(self, "weights_")
        return self._rows.transform([text])

    def _config(self, restored: bool = False) -> tuple[RowsConfig, float]:
        """How texts become rows, and the strength.

        Raises:
            ConfigError: a setting has no such value, or does not go with another.
        """
        if self.method not in METHODS:
            raise ConfigError(f"method has no choice {self.method!r}; {near(str(self.method), METHODS)}")
        if self.class_weights not in CLASS_WEIGHTS:
            raise ConfigError(
                f"class_weights has no choice {self.class_weights!r}; {near(str(self.class_weights), CLASS_WEIGHTS)}"
            )
        usual, strength = DEFAULTS[self.method]
        features = usual if self.features is None else self.features
        if features not in FEATURES:
            raise ConfigError(f"features has no choice {features!r}; {near(str(features), FEATURES)}")
        if features == "vectors" and self.method in ("nb-svm", "naive-bayes"):
            raise ConfigError(f"method {self.method!r} counts words, which vectors have none of; take 'logistic'")
        if (features == "vectors") != (self.vectors is not None) and not restored:
            raise ConfigError("features 'vectors' go with word vectors; give both, or neither")
        if self.strength is not None:
            strength = plain_value(self.strength)
        if not isinstance(strength, (int, float)) or not (strength > 0 and math.isfinite(strength)):
            raise ConfigError(f"strength must be a number more than 0, got {strength!r}")
        norm = "l2" if features == "tfidf" else None
        if self.method == "nb-svm":
            features, norm = "one-hot" if features == "counts" else features, "l2"
        names = ("ngrams", "unit", "least_documents", "most_features")
        rest = {name: plain_value(getattr(self, name)) for name in names}  # a grid's numbers may be numpy's
        return RowsConfig(features, norm, **rest), float(strength)

    def _map(
        self, rows: Any, truth: NDArray[np.bool_], strength: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        fitting = Fitting(self.method, strength, self.several, self.seed)
        return linear_map(rows, truth, label_weights(truth, self.class_weights == "balanced", self.several), fitting)

    def _fit_vectors(
        self, config: RowsConfig, texts: list[Any], pairs: bool, truth: NDArray[np.bool_], strength: float
    ) -> tuple[TextRows, NDArray[np.float64], NDArray[np.float64]]:
        """Fit to the means of word vectors, and make of it a weight for each word."""
        vectors = self.vectors if isinstance(self.vectors, WordVectors) else open_vectors(str(self.vectors))
        counts = np.zeros(len(vectors), np.int64)
        rows = TextRows(_of_vectors(config, vectors.words), pairs, Vocabulary(vectors.words, counts))
        means, size = rows.fit(texts), len(vectors)
        if not means.nnz:
            raise CorpusError(f"no word of the {len(texts):,} texts has a vector; give vectors of their language")
        dense = np.concatenate(
            [means[:, size * part : size * (part + 1)] @ vectors.matrix for part in range(rows.parts())], axis=1
        ).astype(np.float64)
        middle, spread = dense.mean(axis=0), dense.std(axis=0)
        spread[spread == 0] = 1
        weights, bias = self._map((dense - middle) / spread, truth, strength)
        weights /= spread[:, None]
        by_part = np.split(weights, rows.parts())
        return rows, np.concatenate([vectors.matrix @ part for part in by_part]), bias - middle @ weights


def _of_vectors(config: RowsConfig, words: Sequence[str]) -> RowsConfig:
    """Means of word vectors: counts of single words, as they stand if the vectors know capitals."""
    return RowsConfig("vectors", "l1", 1, "word", lowercase=lower_case(words))
