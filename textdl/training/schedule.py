"""The learning rate over a training."""

from __future__ import annotations

import math


def cosine(share: float, highest: float, warmup: float, final: float) -> float:
    """Linear warm-up, then half a cosine down (Loshchilov & Hutter 2017).

    Args:
        share: how much of the training is done, 0 to 1.
        highest: the rate at the end of the warm-up.
        warmup: share of the training that is warm-up.
        final: the rate at the end, as a share of the highest.
    """
    if share < warmup:
        return highest * share / warmup
    along = (share - warmup) / (1 - warmup) if warmup < 1 else 1.0
    return highest * (final + (1 - final) * (1 + math.cos(math.pi * along)) / 2)
