"""Writing large files in pieces, and what the formats of word2vec can hold."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

from .word_vectors import VectorsError

_BREAKS = re.compile(r"[ \t\n\r\v\f]")


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as one gzip stream, without name and time: the same content gives the same bytes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def spelled(word: str, format: str) -> bytes:
    """A word as the bytes of a word2vec or GloVe file.

    Raises:
        VectorsError: it is empty, or holds white space, which ends a word there, or is no Unicode text.
    """
    if not word or _BREAKS.search(word):
        raise VectorsError(
            f"the word {word!r} can not be written as {format}, where white space ends a word and none is empty; "
            "write .safetensors, or put _ for each space"
        )
    return encoded(word)


def encoded(word: str) -> bytes:
    """A word in UTF-8.

    Raises:
        VectorsError: it holds half of a surrogate pair.
    """
    try:
        return word.encode()
    except UnicodeEncodeError:
        raise VectorsError(
            f"the word {word!r} can not be written: it holds half of a surrogate pair, which is no text; take it out"
        ) from None
