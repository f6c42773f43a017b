"""Cutting one long text into batches for truncated back-propagation through time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def lane_length(tokens: int, lanes: int) -> int:
    """Predictions in each of ``lanes`` equal pieces of a text of so many tokens (the last token is only a target)."""
    return max(0, tokens - 1) // lanes


def window_count(tokens: int, lanes: int, length: int) -> int:
    """Windows that :func:`windows` gives."""
    return -(-lane_length(tokens, lanes) // length)


def windows(
    ids: np.ndarray, lanes: int, length: int, shift: int = 0, context: int = 0, start: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read a text in ``lanes`` places at once, window after window, so that a state may be carried along each lane.

    Args:
        ids: the text, [N].
        lanes: B, equal pieces of the text that lie side by side in a batch; at most N - 1.
        length: T, steps in a window; the last window of a pass may be shorter.
        shift: the text is turned by so many tokens first (its start follows its end), so that the pieces of two
            passes begin in different places.
        context: C, tokens that stand before a window and are given with it.
        start: windows of the pass to leave out.

    Yields:
        inputs [C + T, B] and targets [T, B], int64; a target is the token after its input.
    """
    size = lane_length(len(ids), lanes)
    starts = (np.arange(lanes) * size + shift) % len(ids)
    for at in range(start * length, size, length):
        steps = min(length, size - at)
        places = starts[None, :] + np.arange(at - context, at + steps + 1)[:, None]
        window = ids.take(places, mode="wrap").astype(np.int64)
        yield window[:-1], window[context + 1 :]
