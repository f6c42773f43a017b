"""One id a word: the most frequent words of the training text, and one id for all the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from ..errors import CorpusError, RunError
from .base import Decoder, Ids, Tokenizer, TokenizerConfig, checked_texts, stored, stored_words
from .word_rules import BREAK, Spacing, words

UNKNOWN = "<unk>"


class WordTokenizer(Tokenizer):
    """Words of NLTK's tokenizer (:mod:`.word_rules`), a line break among them; most frequent first.

    Ids: the words, then <unk>, then the end; ``vocabulary`` counts them all. Not lossless: a word outside the
    vocabulary is decoded as "<unk>", and white space as print has it.
    """

    kind = "words"
    unit = "word"
    lossless = False

    def __init__(self, vocabulary: Sequence[str], *, lowercase: bool = False) -> None:
        """
        Args:
            vocabulary: the known words, the line break among them.
        """
        super().__init__(len(vocabulary) + 2, lowercase, unknown_id=len(vocabulary))
        self._words = tuple(vocabulary)
        self._ids = {word: id for id, word in enumerate(vocabulary)}

    @classmethod
    def train(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Count the words. Memory grows with the number of distinct words, about 150 bytes each.

        Raises:
            CorpusError: there is no text, or no word is seen ``min_count`` times.
        """
        counts: Counter[str] = Counter()
        for text in checked_texts(texts):
            counts.update(_words(text, config.lowercase))
        breaks = counts.pop(BREAK, 0)
        # Equal counts by the word itself, so that the order of the texts does not matter.
        known = sorted((-count, word) for word, count in counts.items() if count >= config.min_count)
        if not known:
            raise CorpusError(f"no word is seen {config.min_count} times (min_count); lower it or add text")
        known = known[: config.vocabulary - 3]
        # The line break is always known: a prompt may hold one though the training text has none.
        return cls([word for _, word in sorted([*known, (-breaks, BREAK)])], lowercase=config.lowercase)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        vocabulary = stored_words(data, "words")
        if BREAK not in vocabulary:
            raise RunError("the stored tokenizer is damaged: 'words' has no line break; train again")
        return cls(vocabulary, lowercase=stored(data, "lowercase", bool))

    @property
    def words(self) -> tuple[str, ...]:
        """The known words, in the order of their ids."""
        return self._words

    def cut(self, text: str) -> list[str]:
        """The words of a text, known or not, as they are looked up."""
        return _words(text, self.lowercase)

    @property
    def never(self) -> Ids:
        return np.array([self.unknown_id], np.int32)

    def decoder(self) -> Decoder:
        return _WordDecoder(self._words)

    def unknown(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for word in _words(text, self.lowercase) if word not in self._ids))

    def _normal(self, text: str) -> str:
        return text  # case tells where sentences end; see _words

    def _encode(self, text: str) -> Ids:
        known, unknown = self._ids.get, self.unknown_id
        return np.array([known(word, unknown) for word in _words(text, self.lowercase)], np.int32)

    def _content(self) -> dict[str, Any]:
        return {"words": list(self._words)}


class _WordDecoder(Decoder):
    def __init__(self, vocabulary: Sequence[str]) -> None:
        super().__init__(len(vocabulary) + 2)
        self._words = vocabulary
        self._spacing = Spacing()

    def flush(self) -> str:
        self._spacing = Spacing()
        return ""

    def _piece(self, id: int) -> str:
        return self._spacing.piece(self._words[id] if id < len(self._words) else UNKNOWN)


def _words(text: str, lowercase: bool) -> list[str]:
    """The words, the text with U+FFFD for lone surrogates: JSON would join two neighbours."""
    whole = text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [word.lower() for word in words(whole)] if lowercase else words(whole)
