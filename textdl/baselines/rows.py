"""Texts, or pairs of texts, as sparse rows of numbers, and where in a text each of them is from.

Legend: n texts (rows), F features (columns); of a pair the features of the first text, of the second, and of the words
that both have stand side by side, their names marked so.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..config import check, knob
from ..errors import CorpusError
from ..text.known_words import Vocabulary
from ..vectors.counts import BagOfWords
from ..vectors.features import WORDS, checked_texts
from ..vectors.tfidf import TfIdf, scale_rows
from .config import FEATURES, UNITS
from .places import pieces, runs

SINGLE = ("",)
PAIR = FIRST, SECOND, BOTH = ("first: ", "second: ", "both: ")
BETWEEN = "\n"  # of the two texts of a pair, where they are shown as one

Text: TypeAlias = str | Sequence[str]


@dataclass(frozen=True)
class RowsConfig:
    """How texts become rows.

    Raises:
        ConfigError: a value has no such choice, or is out of range.
    """

    features: str = knob("one-hot", "What a number tells of a feature.", choices=FEATURES)
    norm: str | None = knob(None, "What each row, of a pair each part of it, is scaled to have.", choices=("l1", "l2"))
    ngrams: int = knob(2, "Longest run of words or characters that is a feature.", least=1, most=20)
    unit: str = knob("word", "What the runs are of.", choices=UNITS)
    least_documents: int = knob(1, "Features of fewer texts are left out.", least=1)
    most_features: int | None = knob(None, "How many features to keep, of a pair in each part.", least=1)
    lowercase: bool = knob(True, "Take words of any case as one.")

    def __post_init__(self) -> None:
        check(self)


class TextRows:
    """Texts as rows of features that are learnt from the training texts, or given.

    Args:
        config: how.
        pairs: whether a text is a pair.
        given: the features, not to be learnt.

    Attributes:
        vocabulary: the F features in the order of the columns.
        idf: [F], the inverse document frequencies, float32; None where there are none.
    """

    def __init__(self, config: RowsConfig, pairs: bool, given: Vocabulary | None = None) -> None:
        self.config = config
        self.pairs = pairs
        self._given = given
        self._bags: dict[str, BagOfWords] = {}

    def fit(self, texts: Sequence[Text]) -> Any:
        """Learn the features; gives the rows [n, F], CSR float32.

        Raises:
            CorpusError: something is no text, or there is no feature.
        """
        made, reason = [], None
        for part in PAIR if self.pairs else SINGLE:
            bag = self._bag(part, None if self._given is None else self._given.words)
            try:
                made.append(self._scaled(bag.fit_transform(self._texts(part, texts))))
            except CorpusError as error:  # the one text of all pairs may be empty, or they share no word
                reason = error
                continue
            self._bags[part] = bag
        if not made:
            raise reason or CorpusError("there is no text to learn features from; give at least one")
        self.vocabulary = _joined({part: bag.vocabulary_ for part, bag in self._bags.items()})
        idf = [bag.idf_ for bag in self._bags.values() if isinstance(bag, TfIdf)]
        self.idf: NDArray[np.float32] | None = np.concatenate(idf) if idf else None
        return _beside(made)

    @classmethod
    def restored(
        cls, config: RowsConfig, pairs: bool, vocabulary: Vocabulary, idf: NDArray[np.float32] | None
    ) -> TextRows:
        """What has learnt these features elsewhere; nothing is counted."""
        self = cls(config, pairs)
        self.vocabulary, self.idf = vocabulary, idf
        start = 0
        for part, features in _apart(vocabulary, PAIR if pairs else SINGLE).items():
            bag = self._bag(part, None).restore(features)
            if isinstance(bag, TfIdf) and idf is not None:
                bag.idf_ = idf[start : start + len(features)]
            self._bags[part] = bag
            start += len(features)
        return self

    def transform(self, texts: Sequence[Text]) -> Any:
        """The rows of texts [n, F], CSR float32; what is no feature is left out.

        Raises:
            CorpusError: something is no text, or no pair.
        """
        texts, _ = checked(texts, self.pairs)
        return _beside([self._scaled(bag.transform(self._texts(part, texts))) for part, bag in self._bags.items()])

    def parts(self) -> int:
        """How many parts a row has: 1, or of pairs up to 3."""
        return len(self._bags)

    def places(self, text: Text) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Each time that a feature stands in a text: its column, and where its words (or characters) begin.

        Places are those in :func:`shown`; of the words that both texts of a pair have, in either.
        """
        column = 0
        for part, bag in self._bags.items():
            known = bag.vocabulary_.ids
            for name, starts in self._runs(part, text):
                if name in known:
                    yield column + known[name], starts
            column += len(bag.vocabulary_)

    def _runs(self, part: str, text: Text) -> Iterator[tuple[str, tuple[int, ...]]]:
        config = self.config
        if isinstance(text, str):
            yield from runs(text, config.unit, config.ngrams, config.lowercase)
            return
        first, second = text
        later = len(first) + len(BETWEEN)
        if part == BOTH:
            config = replace(config, unit="word", ngrams=1)
        if part != SECOND:
            yield from runs(first, config.unit, config.ngrams, config.lowercase)
        if part != FIRST:
            for name, starts in runs(second, config.unit, config.ngrams, config.lowercase):
                yield name, tuple(later + start for start in starts)

    def _bag(self, part: str, words: Sequence[str] | None) -> BagOfWords:
        config = self.config
        settings: dict[str, Any] = {
            "unit": config.unit,
            "ngrams": (1, config.ngrams),
            "lowercase": config.lowercase,
            "least_documents": config.least_documents,
            "most_words": config.most_features,
            "vocabulary": words,
        }
        if part == BOTH:
            settings |= {"unit": "word", "ngrams": (1, 1), "cut": "space", "lowercase": False}
        if config.features == "tfidf":
            return TfIdf(**settings, norm=config.norm)
        return BagOfWords(**settings, binary=config.features == "one-hot")

    def _texts(self, part: str, texts: Sequence[Any]) -> list[str]:
        """What a part of the row is made of."""
        if part != BOTH:
            return list(texts) if not part else [text[PAIR.index(part)] for text in texts]
        return [" ".join(sorted(self._words(first) & self._words(second))) for first, second in texts]

    def _words(self, text: str) -> set[str]:
        return set(WORDS.findall(text.lower() if self.config.lowercase else text))

    def _scaled(self, rows: Any) -> Any:
        return rows if self.config.features == "tfidf" else scale_rows(rows, self.config.norm)


def checked(texts: Any, pairs: bool | None = None) -> tuple[list[Any], bool]:
    """The texts as a list, and whether they are pairs; that is told by the first of them where it is not said.

    Raises:
        CorpusError: they are no list, or not all of the one kind.
    """
    whole = list(checked_texts(texts))
    if pairs is None:
        pairs = bool(whole) and is_pair(whole[0])
    for number, text in enumerate(whole, 1):
        if not (is_pair(text) if pairs else isinstance(text, str)):
            wanted = "a pair of texts" if pairs else "a text"
            got = "a text" if isinstance(text, str) else "a pair" if is_pair(text) else repr(text)[:40]
            raise CorpusError(f"text {number} must be {wanted}, got {got}; the others are, leave it out or mend it")
    return whole, pairs


def shown(text: Text) -> str:
    """A text as it is; of a pair both, with a line end between them."""
    return text if isinstance(text, str) else BETWEEN.join(text)


def is_pair(text: Any) -> bool:
    """Whether it is two texts."""
    return (
        isinstance(text, (tuple, list, np.ndarray)) and len(text) == 2 and all(isinstance(part, str) for part in text)
    )


def _joined(vocabularies: dict[str, Vocabulary]) -> Vocabulary:
    if SINGLE[0] in vocabularies:
        return vocabularies[SINGLE[0]]
    words = [part + word for part, vocabulary in vocabularies.items() for word in vocabulary.words]
    counts = np.concatenate([vocabulary.counts for vocabulary in vocabularies.values()])
    return Vocabulary(words, counts, seen=sum(vocabulary.seen for vocabulary in vocabularies.values()))


def _apart(vocabulary: Vocabulary, parts: Sequence[str]) -> dict[str, Vocabulary]:
    """What :func:`_joined` has joined."""
    if parts == SINGLE:
        return {SINGLE[0]: vocabulary}
    found = {}
    for part in parts:
        places = [place for place, word in enumerate(vocabulary.words) if word.startswith(part)]
        if places:
            words = [vocabulary.words[place].removeprefix(part) for place in places]
            found[part] = Vocabulary(words, vocabulary.counts[places])
    return found


def _beside(rows: list[Any]) -> Any:
    from scipy.sparse import hstack

    return rows[0] if len(rows) == 1 else hstack(rows, format="csr")


def share(rows: TextRows, text: Text, parts: dict[int, float]) -> tuple[list[str], NDArray[np.float64]]:
    """What each piece of a text has of the parts of a score.

    Args:
        parts: of each column that the text has, what it adds to the score.

    Returns:
        The pieces, words and what is between them, which join to the text, and the share of each; a run of words is
        shared evenly among them, and white space has none.
    """
    whole = shown(text)
    found = list(rows.places(text))
    times = Counter(column for column, _ in found)
    at = np.zeros(len(whole))
    for column, starts in found:
        for start in starts:
            at[start] += parts.get(column, 0.0) / times[column] / len(starts)
    edges = pieces(whole, rows.config.unit)
    parted = [whole[start:end] for start, end in itertools.pairwise(edges)]
    return parted, np.add.reduceat(at, edges[:-1]) if parted else np.zeros(0)


def lower_case(words: Iterable[str]) -> bool:
    """Whether none of the words has a capital letter."""
    return all(word == word.lower() for word in words)
