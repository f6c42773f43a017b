"""Sentences as a tagger reads them: each word by its row of the embedding and by its letters.

Legend: N sentences, B of a batch, T words of the longest of them, W distinct words, V rows of the embedding, A letters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..models.tagger import Words
from ..text.base import Ids
from ..text.buckets import Ragged
from ..text.known_words import Vocabulary
from ..text.sentences import split_sentences
from ..text.word_rules import words

#: Letters of a word that are read; of a longer one its beginning and its end.
LONGEST_WORD = 40
_DIGIT = re.compile(r"\d")
_QUOTES = ("``", "''")  # what nltk's rules make of "


class Read(NamedTuple):
    """Sentences that have been read.

    Attributes:
        places: the words of each sentence, as places among the distinct ones.
        rows: [W], the row of each distinct word.
        spelled: the letters of each distinct word.
    """

    places: Ragged
    rows: NDArray[np.int64]
    spelled: Ragged

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[N], the words of each sentence."""
        return self.places.lengths


class WordReader:
    """Turns sentences into what the model reads.

    Args:
        vocabulary: the words of the training text as they stand there, with their counts; then, with a count of 0,
            those that only given vectors know.
        least: words seen fewer times are unknown.
        lowercase: look words up in lower case; their letters keep the case.
        digits: look words up with every digit as 0.
    """

    def __init__(self, vocabulary: Vocabulary, least: int, lowercase: bool, digits: bool) -> None:
        self.vocabulary, self._lowercase, self._digits = vocabulary, lowercase, digits
        counts: Counter[str] = Counter()
        letters: Counter[str] = Counter()
        self._usual: dict[str, str] = {}  # how a word that is looked up stands in the text most often
        given = []
        for word, count in zip(vocabulary.words, vocabulary.counts.tolist(), strict=True):
            if not count:
                given.append(word)
                continue
            form = self.form(word)
            counts[form] += count
            self._usual.setdefault(form, word)
            for letter in set(word):
                letters[letter] += count
        known = sorted((-count, form) for form, count in counts.items() if count >= least)
        extra = [word for word in given if self.form(word) not in counts or counts[self.form(word)] < least]
        #: The words that have a row, in its order, and how often each was seen [V - 2].
        self.words = (*(form for _, form in known), *extra)
        self.counts = np.array([-count for count, _ in known] + [0] * len(extra), np.int64)
        self.extra = len(extra)
        self._rows = {word: row for row, word in enumerate(self.words)}
        #: V: behind the words one row without use (:class:`textdl.models.word_input.WordInput` has two) and that of
        #: unknown words.
        self.rows = len(self.words) + 2
        # a letter seen once is unknown, so that something is learned of unknown ones
        self._letters = {letter: place for place, letter in enumerate(sorted(c for c in letters if letters[c] > 1), 3)}
        #: A; 0 begins a word, 1 ends it, 2 is an unknown letter.
        self.letters = len(self._letters) + 3
        #: The words of the training text.
        self.seen = frozenset(w for w, n in zip(vocabulary.words, vocabulary.counts.tolist(), strict=True) if n)
        self._penn = "``" in self.seen and '"' not in self.seen

    def form(self, word: str) -> str:
        """A word as it is looked up."""
        if self._digits and not word.isalpha():
            word = _DIGIT.sub("0", word)
        return word.lower() if self._lowercase else word

    def usual(self, form: str) -> str:
        """How a word that is looked up stands in the training text, most often."""
        return self._usual.get(form, form)

    def sentences(self, text: str) -> list[tuple[str, ...]]:
        """The sentences of a text as words, cut by nltk's rules; " stays what it is where the training text has it."""
        cut = (words(sentence) for sentence in split_sentences(whole(text)))
        return [tuple('"' if w in _QUOTES and not self._penn else w for w in some) for some in cut if some]

    def read(self, sentences: Iterable[Sequence[str]]) -> Read:
        """Sentences as numbers."""
        distinct: dict[str, int] = {}
        places = [np.array([distinct.setdefault(w, len(distinct)) for w in some], np.int32) for some in sentences]
        rows = np.array([self._row(word) for word in distinct], np.int64)
        return Read(Ragged.of(places), rows, Ragged.of([self._spelled(word) for word in distinct]))

    def batch(self, read: Read, which: NDArray[np.int64]) -> Words:
        """Some of the sentences as the model reads them."""
        size = len(read.rows)
        places, lengths = read.places.padded(which, size)
        used, inverse = np.unique(places, return_inverse=True)  # padding, where there is any, is the last of them
        own = used[used < size]
        letters, counts = read.spelled.padded(own if len(own) else np.zeros(0, np.int64), 0)
        if not len(own):  # nothing but empty sentences
            letters, counts = np.zeros((1, 1), np.int64), np.ones(1, np.int64)
            inverse = np.ones_like(inverse)
        ids = np.append(read.rows, self.rows)[places]
        parts = (ids, lengths, inverse.reshape(places.shape), letters, counts)
        return Words(*(torch.from_numpy(np.ascontiguousarray(part, np.int64)) for part in parts))

    def _row(self, word: str) -> int:
        for form in (self.form(word), word, word.lower()):
            row = self._rows.get(form)
            if row is not None:
                return row
        return self.rows - 1

    def _spelled(self, word: str) -> Ids:
        if len(word) > LONGEST_WORD:
            word = word[: LONGEST_WORD // 2] + word[-LONGEST_WORD // 2 :]
        return np.array([0, *(self._letters.get(letter, 2) for letter in word), 1], np.int32)


def vocabulary_of(sentences: Iterable[Sequence[str]], given: Iterable[str] = ()) -> Vocabulary:
    """The words of sentences as they stand there, with their counts; then those of ``given`` that are not there."""
    own = Vocabulary.from_counts(Counter(word for some in sentences for word in some))
    extra = [word for word in dict.fromkeys(given) if word not in own]
    return Vocabulary([*own.words, *extra], [*own.counts.tolist(), *[0] * len(extra)])


def pieces_of(lengths: NDArray[np.int64], longest: int) -> Iterator[tuple[int, int, int]]:
    """``(sentence, start, end)``: sentences in pieces of at most so many words, as equal as can be; no empty ones."""
    for number, length in enumerate(lengths.tolist()):
        parts = -(-length // longest)
        for part in range(parts):
            yield number, part * length // parts, (part + 1) * length // parts


def whole(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which can not be written down."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
