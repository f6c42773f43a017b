"""A file of words as pieces of bytes that end between words: what the compiled counting reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .files import read_blocks, read_text
from .records import holds_records

#: Bytes of a piece, about.
PIECE = 1 << 22
LONGEST_WORD = 1 << 26  # bytes; what is longer is no text of words
_MARK = b"\xef\xbb\xbf"  # a byte order mark, which some editors put at the beginning


def read_pieces(path: Path, size: int = PIECE) -> Iterator[NDArray[np.uint8]]:
    """The content of a plain or packed text file in pieces [B], about ``size`` bytes each, checked to be UTF-8.

    A piece ends after a ``\\n``, or where a line is longer than ``size``, after a space. Memory: two pieces, or the
    longest word.

    Raises:
        CorpusError: the file is missing, unreadable, damaged, not text, not UTF-8, or holds records; or a word is
            longer than 64 MB.
    """
    refuse_records(path)
    for _ in read_text(path):  # what is no text at all shows in its first megabyte
        break
    held = b""
    for block in _large_blocks(path, size):
        data = held + block
        cut = data.rfind(b"\n") + 1 or data.rfind(b" ") + 1
        if cut:
            yield _checked(path, data, cut)
        elif len(data) > LONGEST_WORD:
            raise CorpusError(f"{path} has a word of more than {LONGEST_WORD:,} bytes; put white space between words")
        held = data[cut:]
    if held:
        yield _checked(path, held, len(held))


def refuse_records(path: Path) -> None:
    """Raises:
    CorpusError: the file is, by its name, a table of records.
    """
    if holds_records(path):
        raise CorpusError(f"{path} holds records, not lines of words; open it as a corpus and count its texts")


def ends_open(piece: NDArray[np.uint8]) -> bool:
    """Whether a line is still open after a piece."""
    return len(piece) > 0 and int(piece[-1]) not in b"\r\n"


def _large_blocks(path: Path, size: int) -> Iterator[bytes]:
    """The unpacked blocks, small ones put together; the byte order mark is dropped."""
    held: list[bytes] = []
    waiting, first = 0, True
    for block in itertools.chain(read_blocks(path, size), (b"",)):
        held.append(block)
        waiting += len(block)
        if waiting >= size or not block:
            joined = b"".join(held)
            yield joined.removeprefix(_MARK) if first else joined
            held, waiting, first = [], 0, False


def _checked(path: Path, data: bytes, size: int) -> NDArray[np.uint8]:
    view = memoryview(data)[:size]
    try:
        if not data.isascii():
            str(view, "utf-8")
    except UnicodeDecodeError:
        _refuse(path)
    if data.find(b"\0", 0, size) >= 0:
        _refuse(path)
    return np.frombuffer(view, np.uint8)


def _refuse(path: Path) -> None:
    """Read the file once more by the reader that says where the fault is."""
    for _ in read_text(path):
        pass
    raise CorpusError(f"{path} changed while it was read; run it again when nothing writes to it")
