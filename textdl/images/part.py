"""What every reader of images gives: the labels at once, the pixels when they are asked for, in blocks.

Legend: N images of H x W pixels and C channels, n of them in a block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError

#: [N, H, W, C], C 1 (grey) or 3 (red, green, blue), 0 is black.
Pixels = NDArray[np.uint8]
#: The first images of different sizes: ``(name of the image, (H, W))``. Two are enough to refuse them.
Sizes = tuple[tuple[str, tuple[int, int]], ...]

#: Bytes that one file may declare to hold. A few kilobytes can be made to unpack to any size.
MOST_BYTES = 8 << 30
#: Bytes of pixels handed on at a time.
BLOCK = 16 << 20
#: Bytes that one byte packed by deflate (gzip, zip) can at most become, rounded up.
DEFLATED = 1033
#: Largest label where labels are numbers.
LARGEST_LABEL = 65_535

_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "t10k"), "test"),
}


@dataclass(frozen=True, eq=False)
class Part:
    """The images of one split, as they lie.

    Attributes:
        where: what to call it in a message.
        labels: N labels as text.
        sizes: the sizes that there are, up to two; see :data:`Sizes`.
        colour: whether any image has colours.
        blocks: gives the N images in order, from the first at each call, as arrays [n, H, W, 1 or 3].
        mark: a digest of the content, for the cache; None for what is in memory anyway.
        span: where labels are numbers, the smallest and the largest that there are, beyond any limit too.
        notes: what people should know of it, a line each.
    """

    where: str
    labels: tuple[str, ...]
    sizes: Sizes
    colour: bool
    blocks: Callable[[], Iterator[Pixels]]
    mark: Callable[[], str] | None = None
    span: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


def split_word(name: str) -> str:
    """The split that a word means: validation for valid, val and dev, test for t10k; "" for none."""
    return _SPLIT_WORDS.get(name.lower(), "")


def block_size(shape: Sequence[int]) -> int:
    """How many images of a shape [H, W, C] make a block."""
    return max(1, BLOCK // max(1, math.prod(shape)))


def numbered(labels: Iterable[int]) -> tuple[str, ...]:
    """Whole numbers as labels."""
    return tuple(map(str, labels))


def label_numbers(values: NDArray[Any], count: int, where: str) -> NDArray[np.int64]:
    """Labels that are whole numbers, checked: [N] or [N, 1] -> [N].

    Raises:
        CorpusError: another count than of images, not whole, below 0 or above :data:`LARGEST_LABEL`.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise CorpusError(
            f"{where}: labels must be one whole number an image, got an array of {values.dtype} with the shape "
            f"{list(values.shape)}; of one-hot rows give the place of the 1 (argmax)"
        )
    if len(values) != count:
        raise CorpusError(f"{where} holds {len(values):,} labels for {count:,} images; give as many as images")
    wrong = ~((values >= 0) & (values <= LARGEST_LABEL) & (values == np.floor(values)))
    if wrong.any():
        at = int(wrong.argmax())
        raise CorpusError(
            f"{where}: the label of image {at + 1} is {values[at]}, out of the range of whole numbers from 0 to "
            f"{LARGEST_LABEL}; mend the labels"
        )
    return values.astype(np.int64)


def span_of(labels: NDArray[np.int64]) -> tuple[int, int] | None:
    """The smallest and the largest label."""
    return (int(labels.min()), int(labels.max())) if len(labels) else None


def check_declared(size: int, where: str) -> None:
    """Refuse what declares more than :data:`MOST_BYTES`.

    Raises:
        CorpusError: it does.
    """
    if size > MOST_BYTES:
        raise CorpusError(
            f"{where} declares {size:,} bytes of content, of which {MOST_BYTES:,} are allowed; cut it into several "
            "files, or give the pixels from Python"
        )
