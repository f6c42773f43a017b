"""idx files, the form of MNIST: a magic number, the sizes of the dimensions, and the values, all big-endian.

The third byte of the magic number is the type of the values, the fourth the number of dimensions (LeCun, Cortes and
Burges, "The MNIST database of handwritten digits"). A file may be packed by gzip, whatever its name says.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .part import DEFLATED, Part, Pixels, block_size, check_declared, label_numbers, numbered, span_of, split_word

_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
#: Numbers of dimensions of images: [N, H, W] and [N, H, W, C].
_OF_IMAGES = (3, 4)


@dataclass(frozen=True)
class Header:
    """What the head of an idx file declares; ``begin`` is the byte where the values begin."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return self.dtype.itemsize * math.prod(self.shape)


def looks_like_idx(path: Path) -> bool:
    """Whether a file is called as idx files are, or begins as images in one do."""
    name = path.name.lower()
    if "ubyte" in name or "idx1" in name or "idx3" in name or ".idx" in name:
        return True
    try:
        with _opened(path) as file:
            start = file.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return len(start) == 4 and start[:3] == b"\0\0\x08" and start[3] in _OF_IMAGES


def read_header(path: Path) -> Header:
    """The head of an idx file, held against the size of the file before anything is made room for.

    Raises:
        CorpusError: no idx file (magic number), cut short, longer than it declares, or larger than what is allowed.
    """
    with _told(path), _opened(path) as file:
        header = _header(path, file)
    check_declared(header.size, str(path))
    there = path.stat().st_size
    if _packed(path):
        # How long it is shows only when it is unpacked, but deflate has a bound.
        if header.size > there * DEFLATED:
            raise _cut_short(path, header, f"{there:,} bytes packed by gzip can not hold that many")
    elif header.size != there - header.begin:
        raise _cut_short(path, header, f"{there - header.begin:,} follow")
    return header


def read_values(path: Path, header: Header, count: int | None = None) -> Iterator[NDArray[Any]]:
    """The values in blocks [n, ...] of about 16 MB, up to ``count`` of the first dimension; no byte more is unpacked
    than the head declares.

    Raises:
        CorpusError: cut short, damaged, or longer than it declares.
    """
    rows = header.shape[0] if count is None else min(count, header.shape[0])
    row = header.dtype.itemsize * math.prod(header.shape[1:])
    with _told(path), _opened(path) as file:
        file.read(header.begin)
        at = 0
        while at < rows:
            some = min(block_size((row,)), rows - at)
            data = file.read(some * row)
            if len(data) < some * row:
                got = at * row + len(data)
                raise _cut_short(path, header, f"{got:,} follow")
            yield np.frombuffer(data, header.dtype).reshape(some, *header.shape[1:])
            at += some
        if rows == header.shape[0] and file.read(1):
            raise _cut_short(path, header, "more follow")


def read_labels(path: Path, count: int) -> NDArray[np.int64]:
    """The labels [N] of ``count`` images.

    Raises:
        CorpusError: no idx file of labels, another count, a label out of range.
    """
    header = read_header(path)
    if len(header.shape) != 1:
        raise CorpusError(
            f"{path} is an idx file of {len(header.shape)} dimensions, and labels have one; give the file of labels"
        )
    if header.shape[0] != count:
        raise CorpusError(
            f"{path} holds {header.shape[0]:,} labels for {count:,} images; give the labels of these images"
        )
    values = np.concatenate([np.empty(0, header.dtype), *read_values(path, header)])
    return label_numbers(values, count, str(path))


def read_part(images: Path, labels: Path, limit: int | None = None) -> Part:
    """The images of one file with the labels of another.

    Raises:
        CorpusError: either is not what it should be, or they do not fit each other.
    """
    header, (height, width, channels) = _header_of_images(images)
    count = header.shape[0]
    numbers = read_labels(labels, count)
    kept = count if limit is None else min(limit, count)

    def blocks() -> Iterator[Pixels]:
        for block in read_values(images, header, kept):
            yield block.reshape(len(block), height, width, channels)

    def mark() -> str:
        digests = []
        for path in (images, labels):
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        return f"idx {kept} {' '.join(digests)}"

    sizes = ((f"the images of {images}", (height, width)),)
    return Part(str(images), numbered(numbers[:kept]), sizes, channels == 3, blocks, mark, span_of(numbers))


def idx_images(path: Path) -> Iterator[Pixels]:
    """The images of a file without their labels, in blocks [n, H, W, C].

    Raises:
        CorpusError: it holds no images, is damaged, or longer than it declares.
    """
    header, shape = _header_of_images(path)
    for block in read_values(path, header):
        yield block.reshape(len(block), *shape)


def idx_splits(folder: Path) -> dict[str, tuple[Path, Path]]:
    """The idx files of images in a folder with those of their labels, by split; t10k is test. Empty where are none.

    Raises:
        CorpusError: the labels of some are not there; two files of one split; no train.
    """
    found: dict[str, Path] = {}
    with _told(folder):
        there = sorted(folder.iterdir())
    for path in there:
        name = path.name.lower()
        if name.startswith(".") or not path.is_file() or "images" not in name or not looks_like_idx(path):
            continue
        words = name.replace(".", "-").replace("_", "-").split("-")
        split = next(filter(None, map(split_word, words)), "train")
        # The same file may lie there packed and unpacked.
        if split in found and found[split].name != path.name.removesuffix(".gz"):
            raise CorpusError(
                f"{folder} holds two idx files of {split}, {found[split].name} and {path.name}; give the path of one"
            )
        found.setdefault(split, path)
    if found and "train" not in found:
        only = next(iter(found.values()))
        raise CorpusError(
            f"{folder} holds no idx file of images to train on, only {only.name}; give the path of that file to learn "
            "from it, or put train-images-idx3-ubyte beside it"
        )
    return {split: (path, labels_beside(path)) for split, path in found.items()}


def labels_beside(images: Path) -> Path:
    """The file of labels that belongs to a file of images: ``train-labels-idx1-ubyte.gz`` and the like beside it.

    Raises:
        CorpusError: it is not there, or the name is not that of a file of images.
    """
    name = images.name.lower()
    if "images" not in name:
        about = "is a file of labels; give that of its images" if "labels" in name else "does not say that in its name"
        raise CorpusError(
            f"the labels of an idx file are in that called labels where it is called images, and {images} {about}"
        )
    bare = name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    with _told(images.parent):
        # in whatever capitals, but those of the images first
        there = sorted(images.parent.iterdir(), key=lambda path: (path.name[0] != images.name[0], path.name))
    for candidate in (bare, f"{bare}.gz"):
        for path in there:
            if path.name.lower() == candidate and path.is_file():
                return path
    raise CorpusError(f"{images} has no labels: there is no {bare} or {bare}.gz beside it; put it there")


def _header(path: Path, file: IO[bytes]) -> Header:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not magic[3]:
        shown = magic.hex(" ") or "nothing"
        raise CorpusError(
            f"{path} has a wrong magic number ({shown}); an idx file begins with 00 00, a type (08 for uint8) and the "
            "number of dimensions: give an idx file, or fetch it again"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise CorpusError(f"{path} is cut short within its head; fetch it again")
    shape = tuple(map(int, np.frombuffer(sizes, ">u4")))
    return Header(np.dtype(_TYPES[magic[2]]), shape, 4 + 4 * magic[3])


def _header_of_images(path: Path) -> tuple[Header, tuple[int, int, int]]:
    """The head of a file of images, and H, W, C of each."""
    header = read_header(path)
    if len(header.shape) not in _OF_IMAGES or header.dtype.itemsize != 1 or header.dtype.kind != "u":
        raise CorpusError(
            f"{path} has the wrong magic number for images: it holds {len(header.shape)} dimensions of "
            f"{header.dtype.name}, and images are [N, H, W] or [N, H, W, C] of uint8"
        )
    _, height, width, channels = (*header.shape, 1)[:4]
    if not height or not width or channels not in (1, 3):
        raise CorpusError(
            f"{path} declares images of {width} x {height} pixels and {channels} channels; images have at least one "
            "pixel, and 1 or 3 channels"
        )
    return header, (height, width, channels)


def _cut_short(path: Path, header: Header, got: str) -> CorpusError:
    shape = " x ".join(map(str, header.shape))
    return CorpusError(
        f"{path} declares {shape} values, which are {header.size:,} bytes, but {got}; it is damaged or cut short, "
        "fetch it again"
    )


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if _packed(path) else path.open("rb")  # type: ignore[return-value]


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Says which file it is that can not be read."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusError(f"{path} is damaged or cut short ({error}); fetch it again") from None
    except OSError as error:
        raise CorpusError(f"{path} can not be read: {error.strerror or error}") from None
