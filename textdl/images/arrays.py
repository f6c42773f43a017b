"""Arrays of numbers as images: their shape, their type and what is in them.

Images are [N, H, W] or [N, H, W, C] with C 1 or 3, whole numbers from 0 to 255, or fractions from 0 to 1 (they become
the nearest of 256 steps). Which of both is told by the type, not by the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .part import Part, Pixels, Sizes, block_size, label_numbers, numbered, span_of


def shape_of_images(shape: Sequence[int], dtype: np.dtype[Any], where: str) -> tuple[int, int, int, int]:
    """N, H, W, C of images in an array.

    Raises:
        CorpusError: they are no images.
    """
    if dtype.kind not in "uifb" or dtype.itemsize > 8:
        raise CorpusError(
            f"{where} is an array of {dtype}; images are whole numbers from 0 to 255 or fractions from 0 to 1"
        )
    count, height, width, channels = (*shape, 1)[:4] if len(shape) in (3, 4) else (0, 0, 0, 0)
    if channels not in (1, 3) or not height or not width:
        shown = "[" + ", ".join(map(str, shape)) + "]"
        hint = "; put the channels last: np.moveaxis(images, 1, -1)" if len(shape) == 4 and shape[1] in (1, 3) else ""
        raise CorpusError(f"{where} has the shape {shown}; images are [N, H, W] or [N, H, W, C] with C 1 or 3{hint}")
    return count, height, width, channels


def as_pixels(values: NDArray[Any], where: str, first: int = 0) -> Pixels:
    """Images of any type that is allowed as uint8; ``first`` is the number of images before them, for a message.

    Raises:
        CorpusError: a value is out of range, or not a number.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * 255
    most = 1 if values.dtype.kind == "f" else 255
    wrong = ~((values >= 0) & (values <= most))
    if wrong.any():
        at = np.unravel_index(int(wrong.argmax()), values.shape)
        kind = "fractions from 0 to 1" if most == 1 else "whole numbers from 0 to 255"
        remedy = "divide by the largest value there can be, or convert with astype('uint8')" if most == 1 else "scale"
        raise CorpusError(
            f"{where}: image {first + int(at[0]) + 1} holds {values[at]}, and pixels of type {values.dtype} are "
            f"{kind}; {remedy}"
        )
    return np.rint(values * 255.0).astype(np.uint8) if most == 1 else values.astype(np.uint8)


def array_part(images: Any, labels: Any, where: str, limit: int | None = None) -> Part:
    """Images and their labels from Python: numpy arrays, or what becomes one.

    Labels are whole numbers or texts, one an image.

    Raises:
        CorpusError: the images differ in size, are no numbers, or there is another count of labels.
    """
    pixels = _array(images, where)
    count, height, width, channels = shape_of_images(pixels.shape, pixels.dtype, where)
    texts, span = labels_of(labels, count, where)
    pixels = pixels.reshape(count, height, width, channels)[:limit]

    def blocks() -> Iterator[Pixels]:
        step = block_size(pixels.shape[1:])
        for at in range(0, len(pixels), step):
            yield as_pixels(pixels[at : at + step], where, at)

    sizes: Sizes = ((where, (height, width)),) if count else ()
    return Part(where, texts[:limit], sizes, channels == 3, blocks, span=span)


def labels_of(labels: Any, count: int, where: str) -> tuple[tuple[str, ...], tuple[int, int] | None]:
    """Labels from Python as text, and where they are numbers, the smallest and the largest.

    Raises:
        CorpusError: another count, or neither whole numbers from 0 nor texts.
    """
    try:
        values = np.asarray(labels)
    except (ValueError, TypeError, RuntimeError) as error:
        raise CorpusError(f"{where}: the labels are no array ({error}); give one label an image") from None
    if values.dtype.kind == "O" and all(isinstance(one, str) for one in values.ravel()):
        values = values.astype(str)
    if values.dtype.kind == "U":
        if values.shape != (count,):
            raise CorpusError(f"{where} holds {values.size:,} labels for {count:,} images; give one label an image")
        texts = tuple(str(one).strip() for one in values)
        if "" in texts:
            raise CorpusError(f"{where}: the label of image {texts.index('') + 1} is empty; give it one")
        return texts, None
    numbers = label_numbers(values, count, where)
    return numbered(numbers), span_of(numbers)


def _array(images: Any, where: str) -> NDArray[Any]:
    try:
        pixels = np.asarray(images)
    except (ValueError, TypeError, RuntimeError) as error:
        shapes = _different(images)
        if shapes:
            raise CorpusError(
                f"{where}: images must be of one size, but image 1 has the shape {list(shapes[1])} and image "
                f"{shapes[0]} {list(shapes[2])}; bring them to one size before"
            ) from None
        raise CorpusError(f"{where}: the images are no array of numbers ({error}); give one [N, H, W]") from None
    return pixels


def _different(images: Any) -> tuple[int, tuple[int, ...], tuple[int, ...]] | None:
    """The first image whose shape is not that of image 1: its number, the shape of image 1, and its own."""
    try:
        shapes = [np.shape(image) for image in images]
    except (ValueError, TypeError):
        return None
    found = next((at for at, shape in enumerate(shapes) if shape != shapes[0]), 0)
    return (found + 1, shapes[0], shapes[found]) if found else None
