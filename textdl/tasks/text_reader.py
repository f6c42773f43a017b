"""Texts as a classifier reads them: without markup, cut into tokens, the longest shortened, in batches.

Legend: N texts, B texts of a batch, T tokens of the longest of them, V rows of the embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..config import knob
from ..errors import ConfigError
from ..labelled import LabelledConfig
from ..models.word_input import Tokens
from ..text.base import KINDS, LEAST_BPE, Ids, Tokenizer, TokenizerConfig
from ..text.buckets import Ragged
from ..text.normalizing import FORMS, NormalizingConfig, normalizer
from ..text.words import WordTokenizer
from ..vectors.word_parts import WordParts

SUBWORDS = "subwords"


@dataclass(frozen=True)
class TextsConfig(LabelledConfig, TokenizerConfig):
    """What is read, and how a text is cut."""

    validation: float = knob(
        0.1, "Share held out for validation where the corpus has no such split.", least=0, most=0.9
    )
    tokenizer: str = knob("words", "What one token is; subwords: words made of parts.", choices=(*KINDS, SUBWORDS))
    vocabulary: int = knob(30_000, "Largest vocabulary, for words, subwords and bpe.", least=4)
    min_count: int = knob(2, "Characters and words seen fewer times are unknown.", least=1)
    lowercase: bool = knob(True, "Turn the text into lower case first.")
    longest: int = knob(
        400, "Tokens of a text that are read; of a longer one its beginning and its end.", least=2, most=1_000_000
    )
    markup: bool = knob(True, "Take HTML tags and entities out.", flag=False)
    form: str = knob("NFC", "Unicode normal form that a text is brought into.", choices=FORMS, flag=False)
    grams: int = knob(2**16, "Rows of the table of parts of words (subwords).", least=1, most=2**26, flag=False)

    def __post_init__(self) -> None:
        LabelledConfig.__post_init__(self)
        if self.tokenizer == "bpe" and self.vocabulary < LEAST_BPE:
            raise ConfigError(f"vocabulary must be at least {LEAST_BPE} for bpe, got {self.vocabulary}")

    def tokenizing(self) -> TokenizerConfig:
        """How a tokenizer is trained for it."""
        kind = "words" if self.tokenizer == SUBWORDS else self.tokenizer
        return TokenizerConfig(kind, self.vocabulary, self.min_count, self.lowercase)


class Read(NamedTuple):
    """Texts that have been read.

    Attributes:
        tokens: the ids of each; of subwords, places in ``words``.
        words: the distinct words of all texts, where they are made of parts.
        shortened: texts that were longer than is read.
    """

    tokens: Ragged
    words: tuple[str, ...]
    shortened: int


class TextReader:
    """Turns texts into what the model reads.

    Args:
        tokenizer: cuts a text.
        config: what else is done to it.
    """

    def __init__(self, tokenizer: Tokenizer, config: TextsConfig) -> None:
        self.tokenizer, self._longest = tokenizer, config.longest
        self.clean = self.cleaning(config)
        self._parts: WordParts | None = None
        if config.tokenizer == SUBWORDS:
            assert isinstance(tokenizer, WordTokenizer)
            self._parts = WordParts({word: row for row, word in enumerate(tokenizer.words)}, config.grams)
        #: V; padding has this id.
        self.rows = len(tokenizer.words) + config.grams if self._parts is not None else tokenizer.size  # type: ignore[attr-defined]

    @staticmethod
    def cleaning(config: TextsConfig) -> Callable[[str], str]:
        """What makes of a text the one that is cut: without markup, in one Unicode form."""
        return normalizer(NormalizingConfig(tags=config.markup, entities=config.markup, form=config.form))

    def read(self, texts: Iterable[str]) -> Read:
        """Texts as tokens."""
        if self._parts is not None:
            return self._read_words(texts)
        encoded = self.tokenizer.encode_many([self.clean(text) for text in texts])
        shortened = sum(len(ids) > self._longest for ids in encoded)
        return Read(Ragged.of([self._shorter(ids) for ids in encoded]), (), shortened)

    def batch(self, read: Read, which: NDArray[np.int64]) -> Tokens:
        """Some of the texts as the model reads them."""
        nothing = torch.empty(0, dtype=torch.int64)
        if self._parts is None:
            ids, lengths = read.tokens.padded(which, self.rows)
            return Tokens(torch.from_numpy(ids), torch.from_numpy(lengths), nothing, nothing)
        ids, lengths = read.tokens.padded(which, len(read.words))
        used, places = np.unique(ids, return_inverse=True)  # padding, where there is any, is the last of them
        words = [read.words[place] for place in used.tolist() if place < len(read.words)]
        if not words:  # nothing but empty texts
            words, places = [""], np.ones_like(ids)
        parts, starts = self._parts.of(words)
        return Tokens(*map(torch.from_numpy, (places.reshape(ids.shape), lengths, parts, starts)))

    def _read_words(self, texts: Iterable[str]) -> Read:
        assert isinstance(self.tokenizer, WordTokenizer)
        places: dict[str, int] = {}
        tokens, shortened = [], 0
        for text in texts:
            words = self.tokenizer.cut(self.clean(text))
            shortened += len(words) > self._longest
            ids = np.array([places.setdefault(word, len(places)) for word in words], np.int32)
            tokens.append(self._shorter(ids))
        return Read(Ragged.of(tokens), tuple(places), shortened)

    def _shorter(self, ids: Ids) -> Ids:
        """At most so many tokens as are read: the first and the last of a text."""
        if len(ids) <= self._longest:
            return ids
        head = (self._longest + 1) // 2
        return np.concatenate([ids[:head], ids[len(ids) - (self._longest - head) :]])
