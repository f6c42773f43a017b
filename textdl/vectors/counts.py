"""Texts as rows of counts: one-hot words and bags of words, in scikit-learn's way.

Legend: n texts (rows), T words in a row of their own, V features (columns), most frequent first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..errors import ConfigError, CorpusError, near
from ..text.known_words import Vocabulary, VocabularyConfig
from ..text.vocabulary import count_sentences
from .features import MARK, Cut, Features, StopWords, TakesTexts, checked_texts, cutter, line_batches

if TYPE_CHECKING:
    from ..kernels.word_table import WordTable

__all__ = ["BagOfWords", "OneHot", "TextVectorizer"]

UNKNOWN = ("zeros", "error")


class TextVectorizer(TakesTexts, TransformerMixin, BaseEstimator):
    """What the vectorizers of texts share: they take a list of texts, and no numbers."""

    def _features(self) -> Features:
        names = ("unit", "ngrams", "cut", "lowercase", "stop_words", "stem", "prepare")
        return Features(**{name: getattr(self, name) for name in names if hasattr(self, name)})


class BagOfWords(TextVectorizer):
    """How often each word (or run of words or characters) stands in a text, in whatever order.

    Args:
        unit: what is counted: "word"; "character", white space as one space; or "within" for characters that do not
            reach over a word, with a space before and after it.
        ngrams: shortest and longest run of these that is a feature.
        cut: what a word is: "words", letters and digits with apostrophes and hyphens between them; "space", what stands
            between white space, the fastest; "nltk", the Penn Treebank's; or a function of a text.
        lowercase: count words of any case as one.
        stop_words: words left out, before runs are made: "english", a :class:`~pathlib.Path`, or a list.
        stem: a function of a word whose result is counted instead, such as ``Stemmer()``.
        prepare: a function of a text that comes before all else, such as ``normalizer(config)``.
        least_count: features seen fewer times in all texts are left out.
        least_documents: features of fewer texts are left out; a float below 1 is a share of the texts.
        most_documents: features of more texts are left out; a float up to 1 is a share of the texts.
        most_words: how many features to keep, the most frequent.
        vocabulary: the features themselves; then nothing is left out.
        binary: whether a feature is there (1) instead of how often.

    Attributes:
        vocabulary_: the V features with their counts, in the order of the columns.
        document_counts_: [V], in how many texts each was, int64.

    Examples:
        >>> BagOfWords().fit_transform(["The cat and the dog", "a dog"]).toarray().tolist()
        [[1.0, 2.0, 0.0, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        unit: str = "word",
        ngrams: tuple[int, int] = (1, 1),
        cut: Cut = "words",
        lowercase: bool = True,
        stop_words: StopWords = None,
        stem: Callable[[str], str] | None = None,
        prepare: Callable[[str], str] | None = None,
        least_count: int = 1,
        least_documents: float = 1,
        most_documents: float = 1.0,
        most_words: int | None = None,
        vocabulary: Vocabulary | Sequence[str] | None = None,
        binary: bool = False,
    ) -> None:
        self.unit = unit
        self.ngrams = ngrams
        self.cut = cut
        self.lowercase = lowercase
        self.stop_words = stop_words
        self.stem = stem
        self.prepare = prepare
        self.least_count = least_count
        self.least_documents = least_documents
        self.most_documents = most_documents
        self.most_words = most_words
        self.vocabulary = vocabulary
        self.binary = binary

    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Learn the features of texts.

        Raises:
            CorpusError: ``X`` is no list of texts, or no feature is left.
            ConfigError: a setting has no such value.
        """
        self._fit(X)
        return self

    def restore(self, vocabulary: Vocabulary) -> Self:
        """Take the features that another has learnt, to ``transform`` with; there are no ``document_counts_`` then."""
        self._settle(vocabulary)
        return self

    def fit_transform(self, X: Iterable[str], y: Any = None) -> Any:
        """The counts of the texts that the features are learnt from: as ``fit(X).transform(X)``, in one pass."""
        return self._values(self._fit(X))

    def transform(self, X: Iterable[str]) -> Any:
        """The counts of texts: scipy CSR matrix [n, V], float32. What is no feature is left out."""
        check_is_fitted(self, "vocabulary_")
        ids = np.arange(len(self.vocabulary_), dtype=np.int32)
        return self._values(_counted(X, self._features(), self._table, lambda: ids, len(ids)))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the V columns; in those of runs of words a space stands between them."""
        check_is_fitted(self, "vocabulary_")
        return np.array(self.vocabulary_.words, object)

    def inverse_transform(self, X: Any) -> list[NDArray[Any]]:
        """The features that each row [V] of a matrix has, in the order of the columns."""
        from scipy.sparse import csr_matrix

        names, rows = self.get_feature_names_out(), csr_matrix(X)
        if rows.shape[1] != len(names):
            raise CorpusError(f"X must have {len(names)} columns, one a feature, got {rows.shape[1]}")
        rows.eliminate_zeros()
        rows.sort_indices()
        if not rows.shape[0]:
            return []
        return [names[part] for part in np.split(rows.indices, rows.indptr[1:-1])]

    def _values(self, counts: Any) -> Any:
        """What the counts [n, V] become."""
        if self.binary:
            counts.data[:] = 1
        return counts

    def _fit(self, texts: Iterable[str]) -> Any:
        """Learn, and give the counts [n, V]."""
        from ..kernels.word_table import WordTable

        features = self._features()
        self._check()
        if self.vocabulary is None:
            table = WordTable()
            counts = _counted(texts, features, table, lambda: np.arange(len(table), dtype=np.int32), None)
            counts = _columns(counts, self._select(table, counts))
        else:
            given = self.vocabulary
            if isinstance(given, (str, Mapping)):
                raise CorpusError(f"vocabulary must be a list of words, got {type(given).__name__}; write ['a', 'b']")
            words = given.words if isinstance(given, Vocabulary) else tuple(given)
            if not words:
                raise CorpusError("vocabulary must have a word, got none; leave it out to take those of the texts")
            self._settle(Vocabulary(words, np.zeros(len(words), np.int64)))
            ids = np.arange(len(words), dtype=np.int32)
            counts = _counted(texts, features, self._table, lambda: ids, len(ids))
            self._settle(Vocabulary(words, np.asarray(counts.sum(axis=0, dtype=np.int64)).ravel()))
        self.document_counts_ = np.bincount(counts.indices, minlength=counts.shape[1])
        return counts

    def _check(self) -> None:
        _vocabulary_config(self)
        for name in ("least_documents", "most_documents"):
            value = getattr(self, name)
            if isinstance(value, bool) or not (isinstance(value, (int, float, np.integer)) and value >= 0):
                raise ConfigError(f"{name} must be a number of texts or a share from 0 to 1, got {value!r}")
            if isinstance(value, float) and value > 1:
                raise ConfigError(f"{name} as a share must be at most 1.0, got {value}; write {round(value)} for texts")

    def _select(self, table: WordTable, counts: Any) -> NDArray[np.int64]:
        """The features to keep out of those of a table, in order; they become the vocabulary."""
        texts = counts.shape[0]
        if not texts:
            raise CorpusError("there is no text to learn features from; give at least one")
        if not len(table):
            raise CorpusError(f"the {texts:,} texts have no feature ({self.unit}); give texts with words in them")
        documents = np.bincount(counts.indices, minlength=counts.shape[1])
        few, many = (
            value * texts if isinstance(value, float) else value
            for value in (self.least_documents, self.most_documents)
        )
        kept = np.flatnonzero((table.counts >= self.least_count) & (documents >= few) & (documents <= many))
        if not len(kept):
            raise CorpusError(
                f"none of {len(table):,} features is left with least_count={self.least_count}, least_documents="
                f"{self.least_documents}, most_documents={self.most_documents}; loosen them or add texts"
            )
        names = [name.replace(MARK, " ") for name in table.words(kept)]
        by_name = np.array(sorted(range(len(names)), key=names.__getitem__))
        order = by_name[np.argsort(-table.counts[kept[by_name]], kind="stable")][: self.most_words]
        chosen: NDArray[np.int64] = kept[order]
        self._settle(Vocabulary([names[place] for place in order], table.counts[chosen], seen=table.seen))
        return chosen

    def _settle(self, vocabulary: Vocabulary) -> None:
        self.vocabulary_ = vocabulary
        self._table = _table_of(vocabulary.words)


class OneHot(TextVectorizer):
    """A row for each word, with a one in its column and zeros elsewhere.

    Args:
        cut: how one text is cut into words (see :class:`BagOfWords`); a list of words is taken as it is.
        least_count: words seen fewer times have no column.
        most_words: how many columns there are at the most, for the most frequent words.
        unknown: rows of words without a column are "zeros", or an "error".
        sparse: whether the result is a scipy CSR matrix; else a numpy array.

    Attributes:
        vocabulary_: the V words with their counts, in the order of the columns.

    Examples:
        >>> OneHot(sparse=False).fit_transform("a rose is a rose").tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        cut: Cut = "space",
        least_count: int = 1,
        most_words: int | None = None,
        unknown: str = "zeros",
        sparse: bool = True,
    ) -> None:
        self.cut = cut
        self.least_count = least_count
        self.most_words = most_words
        self.unknown = unknown
        self.sparse = sparse

    def fit(self, X: str | Iterable[str], y: Any = None) -> Self:
        """Learn the words of a text, or of a list of words.

        Raises:
            CorpusError: there is no word, or none is seen ``least_count`` times; or one is no text.
            ConfigError: a setting has no such value.
        """
        if self.unknown not in UNKNOWN:
            raise ConfigError(f"unknown has no choice {self.unknown!r}; {near(str(self.unknown), UNKNOWN)}")
        self.vocabulary_ = count_sentences([self._words(X)], _vocabulary_config(self))
        return self

    def transform(self, X: str | Iterable[str]) -> Any:
        """The rows of the words of a text, or of a list of words: [T, V], float32.

        Raises:
            CorpusError: a word has no column, with ``unknown="error"``.
        """
        from scipy.sparse import csr_matrix

        check_is_fitted(self, "vocabulary_")
        find = self.vocabulary_.id if self.unknown == "error" else lambda word: self.vocabulary_.get(word, -1)
        ids = np.array([find(word) for word in self._words(X)], np.int64)
        ends = np.concatenate([[0], np.cumsum(ids >= 0)])
        known = ids[ids >= 0]
        shape = len(ids), len(self.vocabulary_)
        rows = csr_matrix((np.ones(len(known), np.float32), known, ends), shape=shape)
        return rows if self.sparse else rows.toarray()

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """The words of the V columns."""
        check_is_fitted(self, "vocabulary_")
        return np.array(self.vocabulary_.words, object)

    def inverse_transform(self, X: Any) -> list[str | None]:
        """The word of each row [V]: that of its largest number; None for a row of zeros."""
        from scipy.sparse import csr_matrix

        words, rows = self.get_feature_names_out(), csr_matrix(X)
        if rows.shape[1] != len(words):
            raise CorpusError(f"X must have {len(words)} columns, one a word, got {rows.shape[1]}")
        if not rows.shape[0]:
            return []
        best = np.asarray(rows.argmax(axis=1)).ravel()
        largest = rows.max(axis=1).toarray().ravel()
        return [str(words[id]) if value > 0 else None for id, value in zip(best, largest, strict=True)]

    def _words(self, X: str | Iterable[str]) -> list[str]:
        if isinstance(X, str):
            checked = Features(cut=self.cut)
            return [word.replace(MARK, " ") for word in cutter(checked.cut)(X)]
        words = list(checked_texts(X))
        for number, word in enumerate(words, 1):
            if not isinstance(word, str):
                raise CorpusError(f"word {number} must be a text, got {type(word).__name__}; give a list of words")
        return words


def _vocabulary_config(settings: BagOfWords | OneHot) -> VocabularyConfig:
    """The checked settings; numbers may be numpy's, as a grid made by ``np.arange`` has them."""
    least, most = (
        int(value) if isinstance(value, np.integer) else value for value in (settings.least_count, settings.most_words)
    )
    return VocabularyConfig(least_count=cast(int, least), most_words=most)


def _columns(counts: Any, chosen: NDArray[np.int64]) -> Any:
    """Columns of a CSR matrix in another order, others left out; scipy's own way takes several times as long."""
    from scipy.sparse import csr_matrix

    places = np.full(counts.shape[1], -1, np.int32)
    places[chosen] = np.arange(len(chosen))
    indices = places[counts.indices]
    kept = indices >= 0
    ends = np.concatenate([[0], np.cumsum(kept)])[counts.indptr]
    made = csr_matrix((counts.data[kept], indices[kept], ends), shape=(counts.shape[0], len(chosen)))
    made.sort_indices()
    return made


def _table_of(names: Sequence[str]) -> WordTable:
    """A table whose n-th word is the n-th name; a name that no line can hold is never met."""
    from ..kernels.word_table import WordTable

    table = WordTable(len(names))
    plain = "\n".join(names)
    text = plain.replace(" ", MARK)
    if "\0" in plain or MARK in plain or len(words := text.split()) != len(names) or words != text.split("\n"):
        text = "\n".join(_word(name, number) for number, name in enumerate(names))
    table.count(np.frombuffer(text.encode(), np.uint8))
    return table


def _word(name: str, number: int) -> str:
    word = name.replace(" ", MARK)
    is_sound = word.split() == [word] and "\0" not in word and MARK not in name
    return word if is_sound else f"{MARK * 2}{number}{MARK * 2}"


def _counted(
    texts: Iterable[str],
    features: Features,
    table: WordTable,
    ids: Callable[[], NDArray[np.int32]],
    columns: int | None,
) -> Any:
    """Counts of the table's words in texts: scipy CSR [n, columns]; without ``columns`` the table learns new ones."""
    from scipy.sparse import csr_matrix

    found, ends, size = [np.empty(0, np.int32)], [np.zeros(1, np.int64)], 0
    for data in line_batches(texts, features.line()):
        if columns is None:
            table.count(data)
        row_ids = table.encode(data, ids())
        stops = np.flatnonzero(row_ids < 0)
        found.append(row_ids[row_ids >= 0])
        ends.append(size + stops - np.arange(len(stops)))
        size += len(found[-1])
    indices, starts = np.concatenate(found), np.concatenate(ends)
    shape = len(starts) - 1, len(table) if columns is None else columns
    counts = csr_matrix((np.ones(len(indices), np.float32), indices, starts), shape=shape)
    counts.sum_duplicates()
    return counts
