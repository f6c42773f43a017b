"""One id a character (Unicode code point), lossless also for characters that training never saw.

Ids: the known characters by code point, then the escape, the sixteen hexadecimal digits and the end. An
unknown character is the escape and six digits, so that it costs its bits instead of vanishing into one
"unknown" symbol, and bits per character compare honestly between tokenizers.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError, RunError
from .base import Decoder, Ids, Tokenizer, TokenizerConfig, checked_texts, stored, stored_words

DIGITS = 6  # hexadecimal, enough for 0x10FFFF
CODES = 0x110000
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class CharacterTokenizer(Tokenizer):
    """See :mod:`.characters`. Lone surrogates are characters like any other."""

    kind = "characters"
    unit = "character"
    lossless = True

    def __init__(self, characters: Sequence[str], *, escapes: bool, lowercase: bool = False) -> None:
        """
        Args:
            characters: the known ones, each a string of one code point.
            escapes: whether training needed the escape, that is, whether ``min_count`` dropped a character.
        """
        codes = np.array(sorted(map(ord, characters)), np.int64)
        super().__init__(len(codes) + 18, lowercase, unknown_id=len(codes))
        self._known = len(codes)
        self._escapes = escapes
        self._codes = codes.astype("<u4")
        # The last entry stands for every code point above the vocabulary, see take(mode="clip").
        self._table = np.full(int(codes[-1]) + 2, -1, np.int32)
        self._table[codes] = np.arange(len(codes))

    @classmethod
    def train(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        counts = np.zeros(CODES, np.int64)
        for text in _joined(checked_texts(texts)):
            found = np.bincount(_code_points(text.lower() if config.lowercase else text))
            counts[: len(found)] += found
        known = np.flatnonzero(counts >= config.min_count)
        if not len(known):
            raise CorpusError(f"no character is seen {config.min_count} times (min_count); lower it or add text")
        return cls(
            [chr(code) for code in known],
            escapes=len(known) < int(np.count_nonzero(counts)),
            lowercase=config.lowercase,
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        characters = stored_words(data, "characters")
        if max(map(len, characters)) > 1:
            raise RunError("the stored tokenizer is damaged: 'characters' must be single ones; train again")
        return cls(characters, escapes=stored(data, "escapes", bool), lowercase=stored(data, "lowercase", bool))

    @property
    def never(self) -> Ids:
        return np.arange(self._known, self._known if self._escapes else self.end, dtype=np.int32)

    def decoder(self) -> Decoder:
        return _CharacterDecoder(self._characters, self.size)

    def unknown(self, text: str) -> tuple[str, ...]:
        codes = _code_points(self._normal(text))
        strange = codes[self._table.take(codes, mode="clip") < 0]
        return tuple(dict.fromkeys(map(chr, strange.tolist())))

    @functools.cached_property
    def _characters(self) -> list[str]:
        return [chr(code) for code in self._codes]

    def _encode(self, text: str) -> Ids:
        codes = _code_points(text)
        ids: Ids = self._table.take(codes, mode="clip")
        return ids if not len(ids) or ids.min() >= 0 else self._escaped(codes, ids)

    def _escaped(self, codes: NDArray[Any], ids: Ids) -> Ids:
        """The ids with those below zero written as escapes."""
        strange = ids < 0
        ends = np.cumsum(np.where(strange, 1 + DIGITS, 1))
        out = np.empty(ends[-1], np.int32)
        out[ends[~strange] - 1] = ids[~strange]
        for place in range(DIGITS):  # the last digit first
            digit = (codes[strange].astype(np.int64) >> 4 * place) & 15
            out[ends[strange] - 1 - place] = self._known + 1 + digit
        out[ends[strange] - 1 - DIGITS] = self._known
        return out

    def _decode(self, ids: Ids) -> str:
        if len(ids) and ids.max() >= self._known:
            return super()._decode(ids)
        return self._codes[ids].tobytes().decode("utf-32-le", "surrogatepass")

    def _content(self) -> dict[str, Any]:
        # A list, not one string: JSON would read two neighbouring surrogates as one character.
        return {"characters": self._characters, "escapes": self._escapes}


class _CharacterDecoder(Decoder):
    def __init__(self, characters: Sequence[str], size: int) -> None:
        super().__init__(size)
        self._characters = characters
        self._digits: list[int] | None = None  # those of an escape that is being read

    def flush(self) -> str:
        broken = self._digits is not None
        self._digits = None
        return REPLACEMENT if broken else ""

    def _piece(self, id: int) -> str:
        known = len(self._characters)
        if id == known:
            broken, self._digits = self.flush(), []
            return broken
        if id < known:
            return self.flush() + self._characters[id]
        if self._digits is None:  # a digit outside an escape
            return REPLACEMENT
        self._digits.append(id - known - 1)
        if len(self._digits) < DIGITS:
            return ""
        code = functools.reduce(lambda value, digit: 16 * value + digit, self._digits)
        self._digits = None
        return chr(code) if code < CODES else REPLACEMENT


def _code_points(text: str) -> NDArray[Any]:
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _joined(texts: Iterable[str], characters: int = 1 << 16) -> Iterator[str]:
    """Short texts in batches, because counting has a cost per call."""
    batch: list[str] = []
    length = 0
    for text in texts:
        batch.append(text)
        length += len(text)
        if length >= characters:
            yield "".join(batch)
            batch, length = [], 0
    yield "".join(batch)
