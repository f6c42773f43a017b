"""A corpus as one array of ids, kept on disk when there is a cache folder.

Memory: one piece of the text at a time; what is kept on disk is mapped, not read.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .base import Tokenizer

Progress = Callable[[int], None]

VARIABLE = "TEXTDL_CACHE"
BATCH = 1 << 20  # characters encoded and written at once
FORMAT = 1
STALE_S = 24 * 3600.0  # a temporary file older than this was left behind by a process that was killed
_COUNTS = ("length", "characters", "documents", "unknown")


@dataclass(frozen=True, eq=False)
class Encoded:
    """The ids of a corpus, documents one after another, each followed by the tokenizer's end.

    Attributes:
        ids: [N] uint8, uint16 or uint32, the smallest that holds V ids; read-only, a memory map when on disk.
        characters: the characters of the text and one for the end of each document, so that bits per
            character of a character model are its nats per id / ln 2.
        documents: how many.
        unknown: how many characters or words are outside the vocabulary.
    """

    ids: NDArray[Any]
    characters: int
    documents: int
    unknown: int

    def __len__(self) -> int:
        return len(self.ids)


def default_cache() -> Path:
    """Where encoded corpora are kept: $TEXTDL_CACHE, else $XDG_CACHE_HOME/textdl, else ~/.cache/textdl.

    Raises:
        CorpusError: none is set and there is no home folder.
    """
    try:
        if os.environ.get(VARIABLE):
            return Path(os.environ[VARIABLE]).expanduser()
        if os.environ.get("XDG_CACHE_HOME"):
            return Path(os.environ["XDG_CACHE_HOME"]).expanduser() / "textdl"
        return Path.home() / ".cache" / "textdl"
    except RuntimeError:
        raise CorpusError(f"there is no home folder to keep encoded corpora in; set {VARIABLE} to a folder") from None


def encode_pieces(
    pieces: Iterable[tuple[str, bool]],
    tokenizer: Tokenizer,
    *,
    cache: Path | None = None,
    key: str = "",
    progress: Progress | None = None,
) -> Encoded:
    """Encode a corpus that comes in pieces.

    Each piece is encoded by itself. Words and BPE tokens do not reach over the line ends at which readers cut
    (only the white space around a cut may be cut differently), so that is good enough for them; characters
    and bytes may be cut anywhere.

    Args:
        pieces: (text, whether it is the last of its document); a document left open at the end is closed.
        tokenizer: what encodes them.
        cache: a folder to keep the ids in; without it they stay in memory. A later call with the same key and
            tokenizer maps them and does not touch ``pieces``. Damaged files are encoded again, with a
            RuntimeWarning.
        key: what the pieces are, for the cache: another text needs another key.
        progress: called with the characters encoded so far.

    Raises:
        CorpusError: the cache folder can not be written, or is full.
    """
    if cache is None:
        memory = io.BytesIO()
        meta = _write(pieces, tokenizer, memory, progress, contextlib.nullcontext)
        return _encoded(np.frombuffer(memory.getbuffer(), meta["dtype"]), meta)
    cache = Path(cache)
    name = hashlib.sha256(f"{FORMAT}\0{key}\0{tokenizer.digest}".encode("utf-8", "surrogatepass")).hexdigest()
    found = _open(cache / f"{name}.ids", _dtype(tokenizer))
    if found is not None:
        return found
    meta = _store(cache, name, pieces, tokenizer, progress)
    with _cache_errors(cache):
        return _encoded(_map(cache / f"{name}.ids", meta), meta)


def _dtype(tokenizer: Tokenizer) -> str:
    """The smallest little-endian type of V ids."""
    return "|u1" if tokenizer.size <= 1 << 8 else "<u2" if tokenizer.size <= 1 << 16 else "<u4"


def _encoded(ids: NDArray[Any], meta: dict[str, Any]) -> Encoded:
    ids.flags.writeable = False
    return Encoded(ids, meta["characters"], meta["documents"], meta["unknown"])


def _write(
    pieces: Iterable[tuple[str, bool]],
    tokenizer: Tokenizer,
    sink: BinaryIO,
    progress: Progress | None,
    guard: Callable[[], contextlib.AbstractContextManager[None]],
) -> dict[str, Any]:
    """Encode into a sink; returns what there is to know of it. ``guard`` is around every write."""
    dtype = _dtype(tokenizer)
    end = np.array([tokenizer.end], dtype).tobytes()
    digest = hashlib.sha256()
    meta: dict[str, Any] = dict.fromkeys(_COUNTS, 0) | {"dtype": dtype}
    for batch in _batches(pieces):
        parts: list[bytes] = []
        for ids, (_, last) in zip(tokenizer.encode_many([text for text, _ in batch]), batch, strict=True):
            if tokenizer.unknown_id is not None:
                meta["unknown"] += int(np.count_nonzero(ids == tokenizer.unknown_id))
            parts.append(ids.astype(dtype).tobytes())
            if last:
                parts.append(end)
        data = b"".join(parts)
        digest.update(data)
        with guard():
            sink.write(data)
        documents = sum(last for _, last in batch)
        meta["length"] += len(data) // len(end)
        meta["documents"] += documents
        meta["characters"] += documents + sum(len(text) for text, _ in batch)
        if progress is not None:
            progress(meta["characters"])
    return meta | {"sha256": digest.hexdigest()}


def _batches(pieces: Iterable[tuple[str, bool]]) -> Iterator[list[tuple[str, bool]]]:
    """The pieces in lists of about BATCH characters, the last document closed."""
    batch: list[tuple[str, bool]] = []
    waiting = 0
    last = True
    for text, last in pieces:
        batch.append((text, last))
        waiting += len(text) + 1
        if waiting >= BATCH:
            yield batch
            batch, waiting = [], 0
    if not last:
        batch.append(("", True))
    if batch:
        yield batch


def _open(path: Path, dtype: str) -> Encoded | None:
    """The ids stored at a path, checked; None if there are none, or damaged ones, which is warned of."""
    try:
        meta = json.loads(path.with_suffix(".json").read_text(encoding="ascii"))
        sound = (
            isinstance(meta, dict)
            and all(type(meta.get(name)) is int and meta[name] >= 0 for name in _COUNTS)
            and meta.get("dtype") == dtype
            and path.stat().st_size == meta["length"] * np.dtype(dtype).itemsize
        )
        if sound and _sha256(path) == meta.get("sha256"):
            return _encoded(_map(path, meta), meta)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        pass
    warnings.warn(f"{path}: the stored ids are damaged; encoding the corpus again", RuntimeWarning, stacklevel=3)
    return None


def _map(path: Path, meta: dict[str, Any]) -> NDArray[Any]:
    if not meta["length"]:  # an empty file can not be mapped
        return np.empty(0, meta["dtype"])
    return np.memmap(path, meta["dtype"], "r", shape=(meta["length"],))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _store(
    cache: Path,
    name: str,
    pieces: Iterable[tuple[str, bool]],
    tokenizer: Tokenizer,
    progress: Progress | None,
) -> dict[str, Any]:
    """Encode into two files, whole or not at all. Processes that do so at once write the same."""
    part = cache / f"{name}.{secrets.token_hex(8)}.tmp"
    meta_part = part.with_suffix(".json.tmp")

    def guard() -> contextlib.AbstractContextManager[None]:
        return _cache_errors(cache)

    try:
        with guard():
            cache.mkdir(parents=True, exist_ok=True)
            _sweep(cache)
            file = part.open("xb")
        with contextlib.closing(file):
            meta = _write(pieces, tokenizer, file, progress, guard)
            with guard():
                file.flush()
                os.fsync(file.fileno())
        with guard():
            with meta_part.open("x", encoding="ascii") as meta_file:
                json.dump(meta, meta_file)
                meta_file.flush()
                os.fsync(meta_file.fileno())
            part.replace(cache / f"{name}.ids")
            meta_part.replace(cache / f"{name}.json")  # last: it says that the ids are whole
        return meta
    finally:
        for leftover in (part, meta_part):
            with contextlib.suppress(OSError):
                leftover.unlink()


@contextlib.contextmanager
def _cache_errors(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CorpusError(
            f"{cache}: can not keep the encoded corpus there: {error.strerror or error};"
            f" make room or set the environment variable {VARIABLE} to another folder"
        ) from None


def _sweep(cache: Path) -> None:
    """Remove the temporary files of processes that were killed."""
    for leftover in cache.glob("*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > STALE_S:
                leftover.unlink()
