"""The gated running average of a simple recurrent unit on a CPU: compiled loops over time, forward and backward.

Nothing but multiply-adds over arrays that fit a core's cache, so that the speed is that of memory. The door is
:mod:`textdl.models.sru`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiling import Entry

Floats = NDArray[np.float32]


@Entry
def scan(keep: Floats, new: Floats, start: Floats, memory: Floats) -> None:
    """``memory[t] = keep[t] * memory[t - 1] + (1 - keep[t]) * new[t]``; all ``[T, N]``, ``start [N]`` stands at -1."""
    before = start
    for t in range(keep.shape[0]):
        f, z, c = keep[t], new[t], memory[t]
        for n in range(c.shape[0]):
            c[n] = z[n] + f[n] * (before[n] - z[n])
        before = c


@Entry
def scan_backward(
    keep: Floats,
    new: Floats,
    start: Floats,
    memory: Floats,
    gradient: Floats,
    of_keep: Floats,
    of_new: Floats,
    of_start: Floats,
) -> None:
    """From the gradient of the memory ``[T, N]`` those of what it was made of; the last three are written."""
    for n in range(of_start.shape[0]):
        of_start[n] = np.float32(0.0)
    for t in range(keep.shape[0] - 1, -1, -1):
        before = memory[t - 1] if t > 0 else start
        f, z, g, to_f, to_z = keep[t], new[t], gradient[t], of_keep[t], of_new[t]
        for n in range(g.shape[0]):
            error = of_start[n] + g[n]
            to_f[n] = error * (before[n] - z[n])
            to_z[n] = error * (np.float32(1.0) - f[n])
            of_start[n] = error * f[n]
