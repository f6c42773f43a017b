"""Baselines that judge pictures by their raw pixels: k nearest neighbours, linear softmax, linear SVM. No torch.

Legend: N pictures, M of them at once, D values of a picture (height x width x channels), C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import check, knob

#: Names of the methods, with what each is.
PIXEL_METHODS = ("knn", "softmax", "svm")
#: Where nothing else is said: C times the number of training pictures. A fixed C would fit many of them too closely.
STRENGTHS = {"softmax": 1000.0, "svm": 40.0}
#: Pictures whose distances to as many known ones are worked out at once.
ASKED, KNOWN = 256, 4096
#: Values whose products add up exactly in float32: 256 * 255 ** 2 < 2 ** 24.
_EXACT = 256

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class PixelsConfig:
    """What a baseline reads and tells."""

    kind: str = knob("", "Which model.", derived=True)
    classes: int = knob(10, "Classes.", derived=True, least=1)
    height: int = knob(28, "Height of the pictures, in pixels.", derived=True, least=1)
    width: int = knob(28, "Width of the pictures, in pixels.", derived=True, least=1)
    channels: int = knob(1, "Channels of the pictures: 1 grey, 3 colour.", derived=True, least=1)

    def __post_init__(self) -> None:
        check(self)

    @property
    def size(self) -> int:
        """D."""
        return self.height * self.width * self.channels


@dataclass(frozen=True)
class NeighboursConfig(PixelsConfig):
    """k nearest neighbours."""

    kind: str = knob("knn", "Which model.", derived=True)
    neighbours: int = knob(3, "Training pictures that vote, each the more, the nearer it is.", least=1, most=10_000)


@dataclass(frozen=True)
class LinearPixelsConfig(PixelsConfig):
    """A linear map of the pixels."""

    kind: str = knob("softmax", "Which model.", derived=True)
    strength: float | None = knob(
        None, "How closely the training pictures are fitted (C; default: the lower, the more there are).", above=0
    )


def pixels_config(kind: object) -> type[PixelsConfig] | None:
    """The config class of a method; None for what is none."""
    return {"knn": NeighboursConfig, "softmax": LinearPixelsConfig, "svm": LinearPixelsConfig}.get(str(kind))


def nearest(known: Pixels, asked: Pixels, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nearest known pictures of each asked one, by the sum of squared differences of all values; exact.

    Args:
        known: [N, D].
        asked: [M, D].
        number: k; all where fewer are known.

    Returns:
        Their places [M, k], the nearest first and of equally near ones the earlier, and the squared distances [M, k].
    """
    number = min(number, len(known))
    places = np.zeros((len(asked), number), np.int64)
    squares = np.zeros((len(asked), number), np.int64)
    lengths = np.concatenate([_lengths(part) for _, part in _parts(known, KNOWN)] or [np.zeros(0, np.int64)])
    for begin, some in _parts(asked, ASKED):
        own, best = _lengths(some), np.zeros((len(some), 0), np.int64)
        for first, part in _parts(known, KNOWN):
            apart = own[:, None] + lengths[first : first + len(part)] - 2 * _products(some, part)
            # one number that orders by distance, then by place, so that the nearest are always the same ones
            keys = apart * len(known) + np.arange(first, first + len(part))
            best = _least(np.concatenate([best, _least(keys, number)], axis=1), number)
        best.sort(axis=1)
        rows = slice(begin, begin + len(some))
        squares[rows], places[rows] = np.divmod(best, len(known))
    return places, squares


def votes(
    known: Pixels, labels: NDArray[np.integer], asked: Pixels, number: int, classes: int, tell: Callable[[float], None]
) -> NDArray[np.float64]:
    """The part of each class [M, C] in what the nearest pictures say, from 0 to 1; rows add up to 1.

    A neighbour counts one over its distance; where some are the very same picture, they alone count.

    Args:
        tell: is told which share is done, now and then.
    """
    found = np.zeros((len(asked), classes))
    for begin, some in _parts(asked, 4 * ASKED):
        places, squares = nearest(known, some, number)
        same = squares == 0
        weights = np.where(same.any(axis=1, keepdims=True), same, 1 / np.sqrt(np.maximum(squares, 1)))
        weights /= weights.sum(axis=1, keepdims=True)
        rows = np.repeat(np.arange(begin, begin + len(some)), places.shape[1])
        np.add.at(found, (rows, labels[places].ravel()), weights.ravel())
        tell((begin + len(some)) / len(asked))
    return found


def softened(parts: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Votes [M, C] as scores [M, C] whose softmax is never 0: one more neighbour speaks for all classes alike."""
    return np.log((parts * number + 1 / parts.shape[1]) / (number + 1)) if parts.size else parts


def fit_linear(
    kind: str,
    pixels: Pixels,
    labels: NDArray[np.int64],
    classes: int,
    strength: float | None,
    balanced: bool,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a linear map to raw pixels: weights [D, C] and bias [C] of scores ``pixels @ weights + bias``.

    While fitting, all values are moved and scaled to mean 0 and variance 1 (the same for all of them, so that the
    picture keeps its contrast); the map given back takes them as they are, from 0 to 255.

    Args:
        kind: "softmax", multinomial logistic regression, or "svm", one linear SVM against the rest each.
        pixels: [N, D].
        labels: [N], places of classes, each of which occurs.
        strength: C, the weight of the training errors against that of small weights; :data:`STRENGTHS` if None.
        balanced: whether each class weighs the same, however many pictures it has.
    """
    from .methods import Fitting, linear_map

    strength = strength or STRENGTHS[kind] / len(pixels)
    middle, spread = mean_and_spread(pixels)
    rows = (pixels.astype(np.float64) - middle) / spread
    truth = labels[:, None] == np.arange(classes)
    counts = np.maximum(1, truth.sum(axis=0))
    each = (len(labels) / (classes * counts))[labels] if balanced else np.ones(len(labels))
    fitting = Fitting("logistic" if kind == "softmax" else "linear-svm", strength, False, seed)
    weights, bias = linear_map(rows, truth, np.repeat(each[:, None], classes, axis=1), fitting)
    weights = weights / spread
    return weights.astype(np.float32), (bias - middle * weights.sum(axis=0)).astype(np.float32)


def mean_and_spread(pixels: Pixels) -> tuple[float, float]:
    """Mean and standard deviation of all values; the latter 1 where they are all the same."""
    counts = sum((np.bincount(part.ravel(), minlength=256) for _, part in _parts(pixels, KNOWN)), np.zeros(256))
    shares, values = counts / max(1, counts.sum()), np.arange(256)
    middle = float(shares @ values)
    spread = float(np.sqrt(shares @ (values - middle) ** 2))
    return middle, spread or 1.0


def _parts(rows: Pixels, size: int) -> Iterator[tuple[int, Pixels]]:
    for begin in range(0, len(rows), size):
        yield begin, rows[begin : begin + size]


def _lengths(rows: Pixels) -> NDArray[np.int64]:
    """Sums of squares [M]."""
    sums: NDArray[np.int64] = np.einsum("md,md->m", rows, rows, dtype=np.int64)
    return sums


def _products(left: Pixels, right: Pixels) -> NDArray[np.int64]:
    """``left @ right.T``, exactly: float32, which is fast, holds the sums of so few products without rounding."""
    total = np.zeros((len(left), len(right)), np.int64)
    for begin in range(0, left.shape[1], _EXACT):
        columns = slice(begin, begin + _EXACT)
        total += (left[:, columns].astype(np.float32) @ right[:, columns].astype(np.float32).T).astype(np.int64)
    return total


def _least(keys: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """The so many smallest of each row, in any order."""
    return keys if keys.shape[1] <= number else np.partition(keys, number - 1, axis=1)[:, :number]
