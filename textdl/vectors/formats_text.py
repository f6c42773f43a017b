"""Text formats: a word and its numbers a line; with a line ``V D`` before them word2vec's, without GloVe's.

Fields are parted by spaces or tabs. A word may itself hold spaces, as some of GloVe's published ones do, where what
follows its first space is no number: the last D fields are the vector.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..text.files import read_blocks
from .formats_reading import Table, check_header, room, spell, two_numbers
from .formats_writing import spelled
from .word_vectors import VectorsError

if TYPE_CHECKING:
    from .word_vectors import WordVectors

BOM = b"\xef\xbb\xbf"
LONGEST_LINE = 1 << 24  # bytes
_CELLS = 1 << 15  # numbers written at once
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|nan|inf(inity)?)\r?", re.IGNORECASE)


def is_number(field: bytes) -> bool:
    """Whether a field is a number as these files spell them; NaN and infinity are."""
    return _NUMBER.fullmatch(field) is not None


def read(path: Path, most: int | None, header: bool) -> Table:
    """Read a file.

    Raises:
        VectorsError: wrong header, a short or long row, a field that is no number, broken UTF-8.
    """
    lines = _lines(path)
    first = next(lines, [b""])
    if header:
        size, dim = _header(path, first[0])
        check_header(path, size, dim, 2 * dim + 2)
        first = first[1:]
    else:
        size, dim = sum(block.count(b"\n") for block in read_blocks(path)) + 1, _dimensions(path, first[0])
    count = size if most is None else min(size, most)
    matrix = room(path, count, dim)
    skip = 2 if header else 1
    words = _fill(path, itertools.chain([first], lines), matrix, skip, may_end=most is not None or not header)
    if header and len(words) < count:
        raise VectorsError(
            f"{path} is truncated, or its header is wrong: {size:,} words are promised, {len(words):,} are there; "
            "fetch it again, or mend its first line"
        )
    return Table(words, matrix[: len(words)], lambda place: f"line {place + skip:,}")


def _fill(
    path: Path, blocks: Iterator[list[bytes]], matrix: NDArray[np.float32], skip: int, may_end: bool
) -> list[str]:
    """Read the rows into the matrix. Returns the words.

    Args:
        skip: the number of the first row's line.
        may_end: whether there may be more rows than the matrix has.
    """
    words: list[str] = []
    blank = 0  # number of the first blank line: only at the end of the file may there be some
    for block in blocks:
        stripped = [line for line in block if line.strip()]
        if len(stripped) < len(block) or blank:
            blank = _only_last_blank(path, block, len(words) + skip, blank)
        if len(stripped) > len(matrix) - len(words):
            if not may_end:
                raise VectorsError(
                    f"{path} has a wrong header: line {len(matrix) + skip:,} is one word more than the "
                    f"{len(matrix):,} that it promises; mend the first line"
                )
            stripped = stripped[: len(matrix) - len(words)]
        start = len(words)
        words += _rows(path, stripped, matrix[start : start + len(stripped)], start + skip)
        if may_end and len(words) == len(matrix):
            break
    return words


def _only_last_blank(path: Path, block: list[bytes], line: int, blank: int) -> int:
    """The number of the first blank line, after which only blank ones may come."""
    for place, content in enumerate(block):
        if content.strip():
            if blank:
                raise VectorsError(f"{path} line {blank:,} is blank; every line must be a word and its numbers")
        else:
            blank = blank or line + place
    return blank


def _rows(path: Path, lines: list[bytes], out: NDArray[np.float32], number: int) -> list[str]:
    """Read lines into [N, D]; all at once where each has one word and D numbers, else one by one."""
    dim = out.shape[1]
    parted = [line.partition(b" ") for line in lines]
    if all(word and numbers.count(b" ") == dim - 1 for word, _, numbers in parted):
        values = _numbers(b" ".join(numbers for _, _, numbers in parted))
        if values is not None and len(values) == len(lines) * dim:
            out[:] = values.reshape(out.shape)
            return _words(path, [word for word, _, _ in parted], number)
    return [_row(path, line, out[place], number + place) for place, line in enumerate(lines)]


def _numbers(text: bytes) -> NDArray[np.float32] | None:
    """Numbers parted by single spaces; None when something among them is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # so says an older numpy that it stopped early
            return np.fromstring(text.decode("ascii"), np.float32, sep=" ")
    except (ValueError, DeprecationWarning):
        return None


def _words(path: Path, words: list[bytes], number: int) -> list[str]:
    """The words as text; decoded together, and one by one where that fails, to say which it was."""
    try:
        whole = b"\n".join(words).decode()
    except UnicodeDecodeError:
        return [spell(word, path, f"line {number + place:,}") for place, word in enumerate(words)]
    return whole.split("\n") if words else []


def _row(path: Path, line: bytes, out: NDArray[np.float32], number: int) -> str:
    """Read one line into [D], as slowly and carefully as it takes. Returns its word."""
    dim = len(out)
    fields = [field for field in line.split(b" ") if field]
    start = max(1, len(fields) - dim)
    if start > 1 and is_number(fields[1]):
        start = 1  # a word that holds spaces goes on with something that is no number; this row is too long
    values = fields[start:]
    wrong = next((field for field in values if not is_number(field)), None)
    if wrong is not None:
        raise VectorsError(
            f"{path} line {number:,}: {wrong[:40].decode('utf-8', 'replace')!r} is not a number; every line must be a "
            f"word and its {dim} numbers"
        )
    if len(values) != dim:
        kind = "short" if len(values) < dim else "long"
        raise VectorsError(
            f"{path} line {number:,} is too {kind}: {len(values)} numbers, where the vectors have {dim}; "
            f"every line must be a word and its {dim} numbers"
        )
    with np.errstate(over="ignore"):  # infinity is told later, with its line
        out[:] = np.array([float(value) for value in values])
    return spell(b" ".join(fields[:start]), path, f"line {number:,}")


def _header(path: Path, line: bytes) -> tuple[int, int]:
    header = two_numbers(line)
    if header is None:
        shown = line[:40].decode("utf-8", "replace")
        raise VectorsError(
            f"{path} has a wrong header: the first line must be two whole numbers, words and dimensions, got {shown!r}"
            "; vectors without a header are of format 'glove'"
        )
    return header


def _dimensions(path: Path, line: bytes) -> int:
    """How many numbers stand at the end of the first line, where no header says it."""
    fields = [field for field in line.split(b" ") if field]
    count = len(list(itertools.takewhile(is_number, reversed(fields))))
    if min(count, len(fields) - 1) < 1:
        shown = line[:40].decode("utf-8", "replace")
        raise VectorsError(f"{path} line 1 must be a word and its numbers, got {shown!r}")
    return min(count, len(fields) - 1)


def _lines(path: Path) -> Iterator[list[bytes]]:
    """The lines, block by block, without their ends and the space that some writers leave before them."""
    held = b""
    for number, block in enumerate(read_blocks(path)):
        held += block.removeprefix(BOM) if number == 0 else block
        *whole, held = held.replace(b"\t", b" ").split(b"\n")
        if len(held) > LONGEST_LINE:
            raise VectorsError(f"{path} is no text of vectors: it has a line of more than {LONGEST_LINE >> 20} MB")
        if whole:
            yield [line.rstrip(b" \r") for line in whole]
    if held:
        yield [held.rstrip(b" \r")]


def pieces_with_header(vectors: WordVectors) -> Iterator[bytes]:
    """The content of a word2vec text file; raises as :func:`pieces` does."""
    yield f"{len(vectors)} {vectors.dim}\n".encode()
    yield from pieces(vectors)


def pieces(vectors: WordVectors) -> Iterator[bytes]:
    """The content of a GloVe file, in pieces. Nine digits tell every float32 from its neighbours.

    Raises:
        VectorsError: a word with white space, or an empty one.
    """
    form = b" %.9g" * vectors.dim + b"\n"
    step = max(1, _CELLS // vectors.dim)
    for start in range(0, len(vectors), step):
        rows = vectors.matrix[start : start + step].tolist()
        words = vectors.words[start : start + step]
        yield b"".join(spelled(word, "text") + form % tuple(row) for word, row in zip(words, rows, strict=True))
