"""What an LSTM with a window over a text does at each step beside its products, forward and backward, on a CPU.

The products are torch's; what is left is a few numbers a unit, for which torch would need some thirty small calls a
step. The door is :mod:`textdl.models.text_window`, where the rule stands and what the arrays mean.

Legend: T steps, B texts, H width of the state, C characters, K Gaussians, U characters of the longest text. The
fed-back rows [T + 1, B, H + C] hold state and window *before* each step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiling import Entry, fast_part

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

ZERO, ONE, TWO, HALF = np.float32(0.0), np.float32(1.0), np.float32(2.0), np.float32(0.5)
#: A Gaussian is not looked at where it is less than exp(-FAINT).
FAINT = np.float32(30.0)

# tanh as in stepping.py (numba keeps what it compiled by the file of the function, so it stands here again).
TANH_EDGE = np.float32(9.0)
P4, P3, P2 = np.float32(1.335447854e-08), np.float32(2.060895953e-05), np.float32(0.0034955811)
P1, P0 = np.float32(0.1338101986), np.float32(0.9999999795)
Q4, Q3, Q2 = np.float32(7.776486071e-07), np.float32(0.0003285623018), np.float32(0.02587695591)
Q1 = np.float32(0.4671433546)


@fast_part
def tanh(x: Any) -> Any:
    """NaN stays NaN: both comparisons are false."""
    v = TANH_EDGE if x > TANH_EDGE else x
    v = -TANH_EDGE if v < -TANH_EDGE else v
    s = v * v
    return v * ((((P4 * s + P3) * s + P2) * s + P1) * s + P0) / ((((Q4 * s + Q3) * s + Q2) * s + Q1) * s + ONE)


@fast_part
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return x if x > np.float32(20.0) else np.log1p(np.exp(x))


@fast_part
def reach(kappa: Any, beta: Any, length: int) -> tuple[int, int]:
    """The characters, from and to, at which a Gaussian is more than exp(-FAINT)."""
    if not beta > ZERO:
        return 0, length
    far = min(np.sqrt(FAINT / beta), np.float32(1e6))
    if not abs(kappa) < np.float32(1e9):  # a state that is not a number any more: the loss will tell
        return 0, length
    begin, end = math.ceil(kappa - far), math.floor(kappa + far) + 1
    return max(0, begin), min(length, end)


@Entry
def cell_forward(gates: Floats, cells: Floats, shown: Floats, fed: Floats, t: int) -> None:
    """Sums ``gates[t]`` [B, 4H] (i f g o) become their activations; sets ``cells[t + 1]``, ``shown[t] = tanh(c)``
    and the state in ``fed[t + 1]``."""
    size = cells.shape[2]
    for b in range(gates.shape[1]):
        row, before, after, top, state = gates[t, b], cells[t, b], cells[t + 1, b], shown[t, b], fed[t + 1, b]
        for i in range(size):
            enter = HALF + HALF * tanh(HALF * row[i])
            keep = HALF + HALF * tanh(HALF * row[size + i])
            new = tanh(row[2 * size + i])
            out = HALF + HALF * tanh(HALF * row[3 * size + i])
            memory = keep * before[i] + enter * new
            row[i], row[size + i], row[2 * size + i], row[3 * size + i] = enter, keep, new, out
            after[i] = memory
            top[i] = tanh(memory)
            state[i] = out * top[i]


@Entry
def cell_backward(gates: Floats, cells: Floats, shown: Floats, of_state: Floats, of_cell: Floats, t: int) -> None:
    """From the gradient of the state ``of_state`` [B, H or more] and of the cell ``of_cell`` [B, H] those of the sums,
    which take the place of ``gates[t]``, and of the cell before, in place."""
    size = cells.shape[2]
    for b in range(gates.shape[1]):
        row, before, top, error, carried = gates[t, b], cells[t, b], shown[t, b], of_state[b], of_cell[b]
        for i in range(size):
            enter, keep, new, out = row[i], row[size + i], row[2 * size + i], row[3 * size + i]
            inner = carried[i] + error[i] * out * (ONE - top[i] * top[i])
            row[i] = inner * new * enter * (ONE - enter)
            row[size + i] = inner * before[i] * keep * (ONE - keep)
            row[2 * size + i] = inner * enter * (ONE - new * new)
            row[3 * size + i] = error[i] * top[i] * out * (ONE - out)
            carried[i] = inner * keep


@Entry
def window_forward(
    raw: Floats, kappas: Floats, ids: Ids, lengths: Ids, fed: Floats, size: int, pace: float, t: int
) -> None:
    """From ``raw[t]`` [B, 3K] (of α, β and the step of κ) ``kappas[t + 1]``, and the window in ``fed[t + 1]``."""
    number = kappas.shape[2]
    for b in range(raw.shape[1]):
        window, numbers, said = fed[t + 1, b, size:], raw[t, b], ids[b]
        for i in range(window.shape[0]):
            window[i] = ZERO
        for k in range(number):
            alpha, beta = softplus(numbers[k]), softplus(numbers[number + k])
            kappa = kappas[t, b, k] + np.float32(pace) * softplus(numbers[2 * number + k])
            kappas[t + 1, b, k] = kappa
            begin, end = reach(kappa, beta, lengths[b])
            for u in range(begin, end):
                off = kappa - np.float32(u)
                window[said[u]] += alpha * np.exp(-beta * off * off)


@Entry
def window_backward(
    raw: Floats,
    kappas: Floats,
    ids: Ids,
    lengths: Ids,
    of_fed: Floats,
    of_kappa: Floats,
    size: int,
    pace: float,
    t: int,
) -> None:
    """From the gradient of the window, in ``of_fed`` [B, H + C] behind the state's, those of ``raw[t]``, in its place,
    and of κ, added to ``of_kappa`` [B, K], which is that of all later ones."""
    number = kappas.shape[2]
    for b in range(raw.shape[1]):
        error, numbers, said = of_fed[b, size:], raw[t, b], ids[b]
        for k in range(number):
            alpha, beta = softplus(numbers[k]), softplus(numbers[number + k])
            step, kappa = softplus(numbers[2 * number + k]), kappas[t + 1, b, k]
            begin, end = reach(kappa, beta, lengths[b])
            to_alpha, to_beta, to_kappa = ZERO, ZERO, ZERO
            for u in range(begin, end):
                off = kappa - np.float32(u)
                part = error[said[u]] * np.exp(-beta * off * off)
                to_alpha += part
                to_beta -= part * off * off
                to_kappa -= part * off
            of_kappa[b, k] += TWO * alpha * beta * to_kappa
            # the derivative of softplus is a sigmoid, 1 - exp(-softplus)
            numbers[k] = to_alpha * (ONE - np.exp(-alpha))
            numbers[number + k] = alpha * to_beta * (ONE - np.exp(-beta))
            numbers[2 * number + k] = np.float32(pace) * of_kappa[b, k] * (ONE - np.exp(-step))
