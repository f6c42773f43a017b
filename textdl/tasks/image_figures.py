"""Figures of pictures and of what is said of them.

Legend: N pictures, H, W and C their height, width and channels, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..images.pictures import background
from .class_figures import class_figures, worst_mistakes

#: Pictures that are counted at once.
_AT_ONCE = 4096
#: Pictures whose borders are looked at.
_MOST_BORDERS = 2000

Pixels = NDArray[np.uint8]
Shape = tuple[int, int, int]


class PixelFigures(NamedTuple):
    """Of the pixels of many pictures in 0..1, by channel: mean [C], standard deviation [C], background [C]."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    background: NDArray[np.float32]


def pixel_figures(pixels: Pixels) -> PixelFigures:
    """The figures of pictures [N, H, W, C], of which few are in memory at once.

    A channel that is one value throughout has the spread 1. The background is the median over pictures, spread evenly,
    of the median of the pixels at their borders.
    """
    channels = pixels.shape[3]
    counts = np.zeros((channels, 256), np.int64)
    for begin in range(0, len(pixels), _AT_ONCE):
        part = pixels[begin : begin + _AT_ONCE]
        for channel in range(channels):
            counts[channel] += np.bincount(part[..., channel].ravel(), minlength=256)
    shares, values = counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), np.arange(256) / 255
    mean = shares @ values
    spread = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(axis=1))
    apart = -(-len(pixels) // _MOST_BORDERS)
    grounds = np.stack([background(picture) for picture in pixels[:: max(1, apart)]])
    ground = np.median(grounds, axis=0) / 255
    spread = np.where(spread > 0, spread, 1.0)
    return PixelFigures(mean.astype(np.float32), spread.astype(np.float32), ground.astype(np.float32))


def picture_figures(
    truth: NDArray[np.int64], probabilities: NDArray[Any], labels: Sequence[str], confusion: bool = True
) -> dict[str, Any]:
    """What :func:`textdl.tasks.class_figures.class_figures` gives, and ``error``, the share that is wrong."""
    figures = class_figures(truth, probabilities, labels, confusion=confusion)
    return {
        "examples": figures["examples"],
        "accuracy": figures["accuracy"],
        "error": 1 - figures["accuracy"],
        **figures,
    }


def validation_figures(figures: Mapping[str, Any]) -> dict[str, float]:
    """Those of the figures that go into the report, where they are numbers."""
    wanted = ("accuracy", "error", "macro_f1", "nats", "calibration_error")
    return {f"validation_{name}": float(figures[name]) for name in wanted if math.isfinite(figures[name])}


def worst_pictures(
    truth: NDArray[np.int64], probabilities: NDArray[Any], labels: Sequence[str], number: int
) -> list[dict[str, Any]]:
    """The mistakes that were surest, at most ``number``, the worst first, equal ones in order.

    Returns:
        Of each ``index``, the place in the split; ``truth`` and ``said``, labels (truth None for one that is no
        class); ``probability`` of what was said.
    """
    named = [str(place) for place in range(len(truth))]
    return [
        {
            "index": int(found["text"]),
            "truth": found["truth"],
            "said": found["predicted"],
            "probability": found["probability"],
        }
        for found in worst_mistakes(truth, probabilities, labels, named, number)
    ]


def spelt(shape: Sequence[int]) -> str:
    """A shape [H, W, C] for people: ``28 × 28 grey``."""
    height, width, channels = shape
    return f"{width} × {height} {'colour' if channels == 3 else 'grey'}"
