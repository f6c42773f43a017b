"""Images in an npz file of numpy, read in blocks and never unpickled.

An npz is a zip archive of arrays. An array of Python objects in it is a pickle, and to load a pickle is to run whatever
its author wrote into it; such a file is refused. How much is unpacked is known beforehand, from the directory of the
archive and the head of each array, which have to agree.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .arrays import as_pixels, labels_of, shape_of_images
from .part import DEFLATED, Part, Pixels, block_size, check_declared, split_word

# Spellings of the names of images and labels; {} is train, test and so on.
_SPELLINGS = (("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}_x", "{}_y"), ("images_{}", "labels_{}"))
_WHOLE = (("images", "labels"), ("x", "y"), ("data", "target"), ("arr_0", "arr_1"))


@dataclass(frozen=True)
class Entry:
    """An array in the archive, by its head; ``begin`` is where the values begin within it."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    columns_first: bool
    begin: int

    @property
    def called(self) -> str:
        """The name that numpy shows."""
        return self.name.removesuffix(".npy")


def npz_parts(path: Path, limit: int | None = None) -> dict[str, Part]:
    """The images of an npz file by split: ``x_train, y_train, x_test, y_test`` and the like, or ``images, labels``.

    Raises:
        CorpusError: no npz, damaged, or larger than what is allowed; it holds no such arrays; they are no images and
            labels; an array would need pickle.
    """
    with _told(path), zipfile.ZipFile(path) as archive:
        entries = {info.filename.removesuffix(".npy"): info for info in archive.infolist() if not info.is_dir()}
        pairs = _pairs(path, tuple(entries))
        check_declared(sum(entries[name].file_size for pair in pairs.values() for name in pair), str(path))
        heads = {name: _entry(path, archive, entries[name]) for pair in pairs.values() for name in pair}
    return {split: _part(path, heads[images], heads[labels], limit) for split, (images, labels) in pairs.items()}


def npz_images(path: Path) -> Iterator[tuple[str, Pixels]]:
    """The images of an npz file without their labels: of every array that holds images ([N, H, W] or [N, H, W, C])
    its name and a block [n, H, W, C], until all are given.

    Raises:
        CorpusError: no npz, damaged, or larger than what is allowed; it holds no images; an array would need pickle.
    """
    with _told(path), zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir() and info.filename.endswith(".npy")]
        check_declared(sum(info.file_size for info in files), str(path))
        heads = [_entry(path, archive, info) for info in files]
    heads = [head for head in heads if len(head.shape) in (3, 4)]
    if not heads:
        raise CorpusError(f"{path} holds no images; give an array [N, H, W] or [N, H, W, C] with C 1 or 3")
    for head in heads:
        where, at = f"{path} ({head.called})", 0
        _, height, width, channels = shape_of_images(head.shape, head.dtype, where)
        for block in _values(path, head):
            yield head.called, as_pixels(block, where, at).reshape(len(block), height, width, channels)
            at += len(block)


def _part(path: Path, images: Entry, labels: Entry, limit: int | None) -> Part:
    where = f"{path} ({images.called})"
    count, height, width, channels = shape_of_images(images.shape, images.dtype, where)
    values = np.concatenate([np.empty((0, *labels.shape[1:]), labels.dtype), *_values(path, labels)])
    texts, span = labels_of(values, count, f"{path} ({labels.called})")
    kept = count if limit is None else min(limit, count)

    def blocks() -> Iterator[Pixels]:
        at = 0
        for block in _values(path, images, kept):
            pixels = as_pixels(block, where, at)
            yield pixels.reshape(len(block), height, width, channels)
            at += len(block)

    def mark() -> str:
        with path.open("rb") as file:
            return f"npz {images.name} {kept} {hashlib.file_digest(file, 'sha256').hexdigest()}"

    notes = () if images.dtype.kind != "f" else (f"{where} holds fractions; they become the nearest of 256 steps",)
    sizes = ((where, (height, width)),)
    return Part(where, texts[:kept], sizes, channels == 3, blocks, mark, span, notes)


def _pairs(path: Path, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """The names of images and labels by split."""
    for image_form, label_form in _SPELLINGS:
        found: dict[str, tuple[str, str]] = {}
        for name in names:
            before, after = image_form.split("{}")
            split = split_word(name.removeprefix(before).removesuffix(after))
            if not split or not name.startswith(before) or not name.endswith(after):
                continue
            word = name[len(before) : len(name) - len(after)]
            labels = label_form.format(word)
            if labels not in names:
                raise CorpusError(f"{path} holds {name} but no {labels}; add the labels")
            found[split] = (name, labels)
        if "train" in found:
            return found
    for images, labels in _WHOLE:
        if images in names and labels in names:
            return {"train": (images, labels)}
    there = ", ".join(names[:8]) or "nothing"
    raise CorpusError(
        f"{path} holds {there}; images are read from x_train and y_train (x_test, y_test), or from images and labels: "
        "save them under these names with np.savez"
    )


def _entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Entry:
    """The head of an array, held against what the directory of the archive says."""
    name = info.filename.removesuffix(".npy")
    if info.flag_bits & 1:
        raise CorpusError(f"{path} is encrypted; unpack it with its password and save it again with np.savez")
    if info.file_size > max(info.compress_size, 1) * DEFLATED:
        raise CorpusError(
            f"{path}: {info.compress_size:,} packed bytes of {name} can not hold the {info.file_size:,} that it "
            "declares; it is damaged"
        )
    with archive.open(info) as file:
        try:
            version = np.lib.format.read_magic(file)
            if version == (1, 0):
                shape, columns_first, dtype = np.lib.format.read_array_header_1_0(file)
            elif version == (2, 0):
                shape, columns_first, dtype = np.lib.format.read_array_header_2_0(file)
            else:
                raise ValueError(f"version {version}")
        except (ValueError, SyntaxError, TypeError, tokenize.TokenError, MemoryError, RecursionError) as error:
            # it is parsed as Python
            reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
            raise CorpusError(f"{path}: {name} is no array of numpy ({reason}); save it again with np.savez") from None
        begin = file.tell()
    if dtype.hasobject:
        raise CorpusError(
            f"{path}: {name} is an array of Python objects, and to read it would mean to unpickle it, which runs "
            f"whatever code its author put there; save plain numbers: np.savez(file, {name}=np.stack(list(array)))"
        )
    if begin + dtype.itemsize * math.prod(shape) != info.file_size:
        raise CorpusError(
            f"{path}: {name} declares the shape {list(shape)} of {dtype}, but {info.file_size - begin:,} bytes follow; "
            "it is damaged, save it again"
        )
    return Entry(info.filename, dtype, tuple(shape), bool(columns_first and len(shape) > 1), begin)


def _values(path: Path, entry: Entry, count: int | None = None) -> Iterator[NDArray[Any]]:
    """The values of an array in blocks [n, ...], up to ``count`` of the first dimension."""
    if not entry.shape:
        raise CorpusError(f"{path}: {entry.called} is one number; give an array")
    rows = entry.shape[0] if count is None else min(count, entry.shape[0])
    row = entry.dtype.itemsize * math.prod(entry.shape[1:])
    with _told(path), zipfile.ZipFile(path) as archive, archive.open(entry.name) as file:
        file.read(entry.begin)
        if entry.columns_first:  # the images lie interleaved: all or none
            data = _read(file, path, row * entry.shape[0])
            yield np.frombuffer(data, entry.dtype).reshape(entry.shape[::-1]).T[:rows]
            return
        at = 0
        while at < rows:
            some = min(block_size((row,)), rows - at)
            yield np.frombuffer(_read(file, path, some * row), entry.dtype).reshape(some, *entry.shape[1:])
            at += some
        if rows == entry.shape[0]:
            file.read(1)  # at the end the sum of all is checked


def _read(file: IO[bytes], path: Path, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise CorpusError(f"{path} is cut short; fetch or save it again")
    return data


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Says which file it is that can not be read."""
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise CorpusError(f"{path} is no npz file, or damaged ({error}); save it again with np.savez") from None
    except OSError as error:
        raise CorpusError(f"{path} can not be read: {error.strerror or error}") from None
