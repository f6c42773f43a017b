"""One id a byte of UTF-8: no training, no unknown, 257 ids; and what byte-level BPE shares with it."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from .base import Decoder, Ids, Tokenizer, TokenizerConfig, checked_texts, stored


def _surrogate_or_replacement(error: UnicodeError) -> tuple[str, int]:
    """Like the codec handler "surrogatepass", with U+FFFD for what is broken."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    three = error.object[error.start : error.start + 3]
    if len(three) == 3 and three[0] == 0xED and three[1] in range(0xA0, 0xC0) and three[2] in range(0x80, 0xC0):
        return three.decode("utf-8", "surrogatepass"), error.start + 3
    return "\N{REPLACEMENT CHARACTER}", error.end


PASS = "textdl.surrogates"
codecs.register_error(PASS, _surrogate_or_replacement)


class ByteTokenizer(Tokenizer):
    """Ids 0 to 255 are the bytes of the UTF-8 of the text, 256 is the end.

    Lone surrogates are written as Python's "surrogatepass" does; broken UTF-8 is decoded as U+FFFD.
    """

    kind = "bytes"
    unit = "byte"
    lossless = True

    def __init__(self, *, lowercase: bool = False) -> None:
        super().__init__(257, lowercase)

    @classmethod
    def train(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        next(checked_texts(texts))
        return cls(lowercase=config.lowercase)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(lowercase=stored(data, "lowercase", bool))

    def decoder(self) -> Decoder:
        return BytesDecoder([bytes([value]) for value in range(256)], PASS)

    def _encode(self, text: str) -> Ids:
        return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int32)

    def _decode(self, ids: Ids) -> str:
        return ids.astype(np.uint8).tobytes().decode("utf-8", PASS)

    def _content(self) -> dict[str, Any]:
        return {}


class BytesDecoder(Decoder):
    """Ids that each stand for some bytes of UTF-8; incomplete characters are held back."""

    def __init__(self, pieces: Sequence[bytes], errors: str) -> None:
        super().__init__(len(pieces) + 1)
        self._pieces = pieces
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors)

    def flush(self) -> str:
        text = self._utf8.decode(b"", final=True)
        self._utf8.reset()
        return text

    def _piece(self, id: int) -> str:
        return self._utf8.decode(self._pieces[id])
