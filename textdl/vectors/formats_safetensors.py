"""Our own format: a safetensors file whose matrix is mapped into memory.

``matrix`` [V, D] float32, ``letters`` [N] uint8 (the words in UTF-8, end to end), ``ends`` [V] int64 (where each
ends), and ``counts`` [V] int64 where they are known. Header and digest are those of
:func:`textdl.artifact.save_arrays`, so :func:`textdl.artifact.load_arrays_and_facts` reads the file too;
it is written in pieces here because a matrix may be larger than the memory that is free.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..artifact import array_header, map_array
from ..text.files import unreadable
from .formats_writing import encoded
from .word_vectors import VectorsError, WordVectors

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND, FORMAT = "word vectors", 1
ALIGNED = 64  # bytes; where the matrix begins
PIECE = 1 << 24  # bytes read or written at once
_PLAIN = {"F32": "float32", "U8": "uint8", "I64": "int64"}
_SHAPES = {"matrix": ("F32", 2), "letters": ("U8", 1), "ends": ("I64", 1), "counts": ("I64", 1)}


def pieces(vectors: WordVectors) -> Iterator[bytes]:
    """The content of a file, in pieces.

    Raises:
        VectorsError: a word that is no Unicode text.
    """
    spelt = [encoded(word) for word in vectors.words]
    arrays: dict[str, NDArray[Any]] = {
        "matrix": vectors.matrix,
        "ends": np.cumsum([len(word) for word in spelt], dtype=np.int64),
        "letters": np.frombuffer(b"".join(spelt), np.uint8),
    }
    if vectors.counts is not None:
        arrays["counts"] = vectors.counts
    order = ["matrix", *(name for name in ("ends", "counts", "letters") if name in arrays)]
    text = json.dumps({"kind": KIND, "format": FORMAT})
    yield _header(arrays, order, text)
    for name in order:
        yield from _bytes(arrays[name])


def _header(arrays: Mapping[str, NDArray[Any]], order: Sequence[str], facts: str) -> bytes:
    """The length, and the JSON that says what lies where, filled up by spaces so that the matrix is aligned."""
    kinds = {plain: name for name, plain in _PLAIN.items()}
    at, entries = 0, {}
    for name in order:
        array = arrays[name]
        span = [at, at + array.nbytes]
        entries[name] = {"dtype": kinds[array.dtype.name], "shape": list(array.shape), "data_offsets": span}
        at += array.nbytes
    about = json.dumps({"sha256": _digest(arrays, facts), "facts": facts})
    text = json.dumps({"__metadata__": {"textdl": about}, **entries}).encode()
    text += b" " * (-(len(text) + 8) % ALIGNED)
    return len(text).to_bytes(8, "little") + text


def _digest(arrays: Mapping[str, NDArray[Any]], facts: str) -> str:
    """The digest of ``artifact.save_arrays``, of pieces."""
    total = hashlib.sha256(facts.encode())
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].dtype.name} {arrays[name].shape}\n".encode())
        for piece in _bytes(arrays[name]):
            total.update(piece)
    return total.hexdigest()


def _bytes(array: NDArray[Any]) -> Iterator[bytes]:
    rows = max(1, PIECE // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield array[start : start + rows].astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def read(path: Path, most: int | None, check: bool) -> WordVectors:
    """Read a file, its matrix mapped.

    Raises:
        VectorsError: damaged, cut short, not of vectors, or of a newer format.
        CorpusError: missing or not readable.
    """
    try:
        header, about, start = array_header(path)
        number = _facts(path, about)["format"]
        if number > FORMAT:  # said before its arrays are looked at, which may be others
            raise VectorsError(f"{path} was written by a newer textdl (format {number}); upgrade textdl to read it")
        arrays = _mapped(path, header, start)
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(path) from None
    if check and _digest(arrays, str(about.get("facts", ""))) != about.get("sha256"):
        raise _damaged(path)
    return _vectors(path, arrays, most, check)


def _mapped(path: Path, header: Mapping[str, Any], begin: int) -> dict[str, NDArray[Any]]:
    """The arrays as memory maps. Any error but OSError means damage."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, shape in _SHAPES.items():
        if name in header:
            if (header[name]["dtype"], len(header[name]["shape"])) != shape:
                raise ValueError(name)
            arrays[name] = map_array(path, header[name], begin)
    return arrays


def _facts(path: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    try:
        facts = json.loads(about.get("facts", "{}"))
        if facts.get("kind") == KIND and isinstance(facts["format"], int):
            return dict(facts)
    except (ValueError, TypeError, AttributeError, KeyError):
        pass
    raise VectorsError(
        f"{path} is a safetensors file, but not of word vectors; read its arrays yourself and hand them to "
        "WordVectors(words, matrix)"
    )


def _vectors(path: Path, arrays: Mapping[str, NDArray[Any]], most: int | None, check: bool) -> WordVectors:
    try:
        matrix, ends = arrays["matrix"], arrays["ends"]
        letters = arrays["letters"].tobytes()
        bounds = [0, *ends.tolist()]
        if len(ends) != len(matrix) or bounds[-1] != len(letters) or (np.diff(bounds) < 0).any():
            raise ValueError(len(ends))
        words = [letters[start:end].decode() for start, end in itertools.pairwise(bounds)]
    except (KeyError, ValueError):
        raise _damaged(path) from None
    counts = arrays.get("counts")
    return WordVectors(words[:most], matrix[:most], None if counts is None else counts[:most], check=check)


def _damaged(path: Path) -> VectorsError:
    return VectorsError(f"{path} is damaged or cut short: it is not as it was written; fetch or write it again")
