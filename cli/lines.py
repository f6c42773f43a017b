"""Texts that a command is given: as arguments, from a file, from standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def whole(text: str) -> str:
    """An argument with what was no UTF-8 in it replaced, so that it can be printed."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def typed() -> bool:
    """Whether standard input is a person, who waits for an answer to each line."""
    return sys.stdin.isatty()


def lines_of(file: str) -> Iterator[str]:
    """The lines of a file, or of standard input where it is ``-``, each as it comes; only ``\\n`` ends one.

    Raises:
        CorpusError: there is no such file, it is empty, or it is not UTF-8.
    """
    from textdl.errors import CorpusError
    from textdl.text.files import read_exact_lines

    empty = True
    for line in standard_input() if file == "-" else read_exact_lines(Path(file)):
        empty = False
        yield line
    if empty:
        raise CorpusError(f"{'standard input' if file == '-' else file} is empty; write texts into it, one a line")


def standard_input() -> Iterator[str]:
    """The lines of standard input, each as it comes.

    Raises:
        CorpusError: a line is not UTF-8.
    """
    from textdl.errors import CorpusError

    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise CorpusError(
                f"standard input line {number} is not UTF-8 (byte {byte:#04x}); convert it with iconv -t UTF-8"
            ) from None
        yield text.removesuffix("\n").removesuffix("\r")


def batches(some: Iterable[T], size: int) -> Iterator[list[T]]:
    """As many at a time as are worked on at once."""
    rest = iter(some)
    while batch := list(islice(rest, size)):
        yield batch
