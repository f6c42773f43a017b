"""What the readers of vector files share: the table that they fill, and the errors that say where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..text.files import packing
from .word_vectors import VectorsError

#: No packing makes a file so many times smaller than random numbers in it could be; bounds what a header may promise.
MOST_PACKED = 1100


@dataclass(frozen=True)
class Table:
    """What a file holds: N words, their vectors [N, D], and where in the file the n-th word stands."""

    words: list[str]
    matrix: NDArray[np.float32]
    where: Callable[[int], str]


def check_header(path: Path, words: int, dim: int, least_bytes: int) -> None:
    """Whether a file can hold what its header promises.

    Args:
        least_bytes: of the smallest row.

    Raises:
        VectorsError: the header promises nothing, or more than the file can hold.
    """
    if words < 1 or dim < 1:
        raise VectorsError(f"{path} has a wrong header: {words} words of {dim} dimensions; both must be at least 1")
    size = path.stat().st_size * (MOST_PACKED if packing(path) else 1)
    if words * least_bytes > size + 1:
        raise VectorsError(
            f"{path} has a wrong header or is truncated: {words:,} words of {dim:,} dimensions take at least "
            f"{words * least_bytes:,} bytes, the file can hold {size:,}; fetch it again, or mend its first line"
        )


def room(path: Path, words: int, dim: int) -> NDArray[np.float32]:
    """An unfilled matrix [words, dim].

    Raises:
        VectorsError: it is too large for the memory.
    """
    try:
        return np.empty((words, dim), np.float32)
    except (MemoryError, ValueError):
        raise VectorsError(
            f"{path} holds {words:,} words of {dim:,} dimensions, more than fits into memory; read fewer by most=N"
        ) from None


def two_numbers(line: bytes) -> tuple[int, int] | None:
    """Words and dimensions of a header; None when it is none."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 16 for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def spell(word: bytes, path: Path, where: str) -> str:
    """A word of a file as text.

    Raises:
        VectorsError: it is not UTF-8.
    """
    try:
        return word.decode()
    except UnicodeDecodeError as error:
        raise VectorsError(
            f"{path} {where}: the word {word[:40]!r} is not UTF-8 (byte {word[error.start]:#04x}); "
            "the file is damaged, or of another encoding: write it again in UTF-8"
        ) from None
