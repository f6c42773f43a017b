"""Writing large files in pieces, atomically, and what the formats of word2vec can hold."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from ..errors import RunError
from .word_vectors import VectorsError

_BREAKS = re.compile(r"[ \t\n\r\v\f]")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write in pieces that takes the place of ``path`` when it is whole, and never otherwise.

    As :func:`textdl.artifact.write_atomic`, for what should not be in memory at once.

    Raises:
        RunError: no space left, or the folder can not be written.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
        temporary = None
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(f"{path} can not be written ({reason}); name a file in a folder that is yours") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


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
