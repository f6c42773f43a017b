"""word2vec's binary format: a line ``V D``, then V times a word in UTF-8, a space, and D little-endian float32.

The first word2vec program writes a newline after each vector, gensim none; both are read, none is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..text.files import read_blocks
from .formats_reading import Table, check_header, room, spell, two_numbers
from .formats_writing import spelled
from .word_vectors import VectorsError

if TYPE_CHECKING:
    from .word_vectors import WordVectors

LONGEST_WORD = 1 << 16  # bytes; what goes on longer without a space is no word
_CELLS = 1 << 18  # numbers written at once


class _Reader:
    """A stream of blocks as bytes that are taken from the front; holds a block and a row at most."""

    def __init__(self, path: Path) -> None:
        self.path, self.blocks, self.held, self.at = path, read_blocks(path), b"", 0

    def more(self) -> bool:
        """Put the next block behind what is held; False at the end of the file."""
        block = next(self.blocks, b"")
        self.held, self.at = self.held[self.at :] + block, 0
        return bool(block)

    def until(self, end: bytes, most: int) -> bytes | None:
        """What stands before ``end``, which is taken too; None when it does not come within ``most`` bytes."""
        looked = self.at
        while (found := self.held.find(end, looked)) < 0:
            seen = len(self.held) - self.at
            if seen > most or not self.more():
                return None
            looked = seen
        taken = self.held[self.at : found]
        self.at = found + len(end)
        return taken

    def exactly(self, size: int) -> memoryview | None:
        """The next ``size`` bytes; None when the file ends before."""
        while len(self.held) - self.at < size:
            if not self.more():
                return None
        self.at += size
        return memoryview(self.held)[self.at - size : self.at]


def read(path: Path, most: int | None) -> Table:
    """Read a file.

    Raises:
        VectorsError: wrong header, truncated, bytes left over, broken UTF-8.
    """
    reader = _Reader(path)
    header = two_numbers(reader.until(b"\n", 200) or b"")
    if header is None:
        raise VectorsError(f"{path} has a wrong header: the first line must be two whole numbers, words and dimensions")
    size, dim = header
    check_header(path, size, dim, 4 * dim + 1)
    count = size if most is None else min(size, most)
    matrix = room(path, count, dim)
    words: list[str] = []
    for place in range(count):
        word = reader.until(b" ", LONGEST_WORD)
        row = None if word is None else reader.exactly(4 * dim)
        if word is None or row is None:
            raise VectorsError(
                f"{path} is truncated, or its header is wrong: {size:,} words of {dim} dimensions are promised, "
                f"and it ends in word {place + 1:,}; fetch it again"
            )
        words.append(spell(word.lstrip(b"\n"), path, f"word {place + 1:,}"))
        matrix[place] = np.frombuffer(row, "<f4")
    if count == size and (reader.held[reader.at :].strip(b"\n") or any(block.strip(b"\n") for block in reader.blocks)):
        raise VectorsError(
            f"{path} has a wrong header: it goes on after the {size:,} words of {dim} dimensions that are promised"
        )
    return Table(words, matrix, lambda place: f"word {place + 1:,}")


def pieces(vectors: WordVectors) -> Iterator[bytes]:
    """The content of a file, in pieces.

    Raises:
        VectorsError: a word with white space, or an empty one.
    """
    yield f"{len(vectors)} {vectors.dim}\n".encode()
    step = max(1, _CELLS // vectors.dim)
    for start in range(0, len(vectors), step):
        rows = vectors.matrix[start : start + step].astype("<f4")
        words = vectors.words[start : start + step]
        yield b"".join(
            spelled(word, "word2vec-binary") + b" " + row.tobytes() for word, row in zip(words, rows, strict=True)
        )
