"""The pixels of a corpus by split: in memory, or where they are many, in a file that is mapped into it.

Splits that a corpus does not bring are dealt out of train while it is read, so that each lies in one piece and a split
is never copied.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import secrets
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import CorpusError
from .part import Part, Pixels
from .pictures import fitted

#: Bytes of pixels beyond which they are kept in a file.
IN_MEMORY = 256 << 20
#: Environment variable that names the folder of such files, for messages.
VARIABLE = "TEXTDL_CACHE"
FORMAT = 1
STALE_S = 24 * 3600.0  # a temporary file older than this was left behind by a process that was killed

Shape = tuple[int, int, int]
Deal = Callable[[bytes], str]


@dataclass(frozen=True, eq=False)
class Held:
    """The images of a split: pixels [N, H, W, C], read-only; N labels as text; SHA-256 of the pixels, in hex."""

    pixels: Pixels
    labels: tuple[str, ...]
    sha256: str


def gather(parts: Mapping[str, Part], shape: Shape, deal: Deal, key: str, cache: Callable[[], Path]) -> dict[str, Held]:
    """Read all images into one shape.

    Args:
        parts: the splits that the corpus brings, one of them train.
        shape: [H, W, C] of every image.
        deal: the split that an image of train falls to, by a digest of its pixels.
        key: what else the result depends on, for the cache.
        cache: the folder for what is large.

    Raises:
        CorpusError: an image can not be read; the cache can not be written, or has no room.
    """
    total = sum(map(len, parts.values())) * math.prod(shape)
    marks = [part.mark for part in parts.values()]
    if total <= IN_MEMORY or None in marks:
        return _in_memory(parts, shape, deal)
    told = [FORMAT, key, shape, [[split, _mark(part)] for split, part in parts.items()]]
    name = "images-" + hashlib.sha256(json.dumps(told).encode()).hexdigest()
    folder = cache()
    found = _open(folder, name, shape)
    if found is None:
        _store(folder, name, parts, shape, deal, total)
        found = _open(folder, name, shape)
    if found is None:
        raise CorpusError(f"{folder / name} was changed while it was written; try again, or set {VARIABLE}")
    return found


def _mark(part: Part) -> str:
    try:
        return part.mark() if part.mark else ""
    except OSError as error:
        raise CorpusError(f"{part.where} can not be read: {error.strerror or error}") from None


def _dealt(parts: Mapping[str, Part], shape: Shape, deal: Deal) -> Iterator[tuple[str, Pixels, str]]:
    """``(split, image [H, W, C], its label)``, one after another."""
    for split, part in parts.items():
        labels = iter(part.labels)
        for block in part.blocks():
            for image in fitted(block, shape):
                label = next(labels)
                if split != "train":
                    yield split, image, label
                    continue
                content = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
                yield deal(content), image, label


def _in_memory(parts: Mapping[str, Part], shape: Shape, deal: Deal) -> dict[str, Held]:
    images: dict[str, list[Pixels]] = {"train": []}
    labels: dict[str, list[str]] = {"train": []}
    for split, image, label in _dealt(parts, shape, deal):
        images.setdefault(split, []).append(image)
        labels.setdefault(split, []).append(label)
    if not images["train"] and len(parts["train"]):
        return _in_memory(parts, shape, lambda _: "train")
    made = {}
    for split in list(images):
        some = images.pop(split)
        pixels = np.stack(some) if some else np.empty((0, *shape), np.uint8)
        pixels.flags.writeable = False
        sha = hashlib.sha256(pixels.reshape(-1).data).hexdigest() if some else hashlib.sha256().hexdigest()
        made[split] = Held(pixels, tuple(labels[split]), sha)
    return made


@dataclass
class _Sink:
    """The file of a split while it is written."""

    path: Path
    file: IO[bytes]
    sha: Any = field(default_factory=hashlib.sha256)
    labels: list[str] = field(default_factory=list)

    def add(self, image: Pixels, label: str) -> None:
        data = np.ascontiguousarray(image).data
        self.file.write(data)
        self.sha.update(data)
        self.labels.append(label)


def _store(folder: Path, name: str, parts: Mapping[str, Part], shape: Shape, deal: Deal, total: int) -> None:
    """Write a file a split and what is known of them, whole or not at all; what is known comes last."""
    mine = secrets.token_hex(8)
    sinks: dict[str, _Sink] = {}
    with _cache_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        room = shutil.disk_usage(folder).free
    if room < total:
        raise CorpusError(
            f"{folder} has room for {room:,} bytes, and the pixels need {total:,}; make room, bring the images to a "
            f"smaller --size, or set {VARIABLE} to another folder"
        )
    try:
        for split, image, label in _dealt(parts, shape, deal):
            with _cache_errors(folder):
                if split not in sinks:
                    path = folder / f"{name}.{len(sinks)}.{mine}.tmp"
                    sinks[split] = _Sink(path, path.open("xb"))
                sinks[split].add(image, label)
        whole = "train" in sinks
        if whole:
            with _cache_errors(folder):
                _finish(folder, name, mine, sinks)
    finally:
        for sink in sinks.values():
            sink.file.close()
            with contextlib.suppress(OSError):
                sink.path.unlink()
    if not whole:
        _store(folder, name, parts, shape, lambda _: "train", total)


def _finish(folder: Path, name: str, mine: str, sinks: Mapping[str, _Sink]) -> None:
    table = sorted({label for sink in sinks.values() for label in sink.labels})
    places = {label: at for at, label in enumerate(table)}
    meta: dict[str, Any] = {"labels": table, "splits": {}}
    for number, (split, sink) in enumerate(sinks.items()):
        _sync(sink.file)
        sink.path.replace(folder / f"{name}.{number}.pixels")
        meta["splits"][split] = {
            "file": number,
            "sha256": sink.sha.hexdigest(),
            "places": [places[label] for label in sink.labels],
        }
    part = folder / f"{name}.{mine}.json.tmp"
    try:
        with part.open("xb") as file:
            file.write(json.dumps(meta).encode())
            _sync(file)
        part.replace(folder / f"{name}.json")
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _open(folder: Path, name: str, shape: Shape) -> dict[str, Held] | None:
    """What is stored, checked; None if there is nothing, or damaged, which is warned of."""
    try:
        meta = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        made = {}
        for split, said in meta["splits"].items():
            path = folder / f"{name}.{int(said['file'])}.pixels"
            labels = tuple(meta["labels"][place] for place in said["places"])
            with path.open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == said["sha256"]
            if not whole or path.stat().st_size != len(labels) * math.prod(shape):
                raise ValueError(split)
            # A view of the map: an array like any other.
            pixels = np.memmap(path, np.uint8, "r", shape=(len(labels), *shape)).view(np.ndarray)
            made[split] = Held(pixels, labels, said["sha256"])
        return made
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        warnings.warn(f"{folder / name}: stored pixels are damaged; reading them again", RuntimeWarning, stacklevel=3)
        return None


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextlib.contextmanager
def _cache_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CorpusError(
            f"{folder}: can not keep the pixels there: {error.strerror or error}; make room or set the environment "
            f"variable {VARIABLE} to another folder"
        ) from None


def _sweep(folder: Path) -> None:
    """Remove the temporary files of processes that were killed."""
    for leftover in folder.glob("images-*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > STALE_S:
                leftover.unlink()
