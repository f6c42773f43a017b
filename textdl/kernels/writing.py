"""The compiled loop that writes by hand: a point a step, drawn and fed back (one line, float32).

Everything compiled is in this one file, as numba looks only at the file of the function that it keeps on disk: a change
elsewhere would not be seen. :mod:`textdl.kernels.pens` is the door; the rules are those of
``textdl.models.text_window``, ``handwriting`` and ``mixture_density``, which the tests hold this against.

Legend: L layers, H width of a layer, C kinds of characters, K Gaussians of the window, M components of the mixture,
U characters of the text, its end among them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiling import Entry, fast_part, part

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

#: How writing ended: at the end of the text, not before there was no more room, or with numbers that are none.
ENDED, CUT, NOT_A_NUMBER = 0, 1, 2
ZERO, ONE, HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)

# tanh as in stepping.py.
TANH_EDGE = np.float32(9.0)
P4, P3, P2 = np.float32(1.335447854e-08), np.float32(2.060895953e-05), np.float32(0.0034955811)
P1, P0 = np.float32(0.1338101986), np.float32(0.9999999795)
Q4, Q3, Q2 = np.float32(7.776486071e-07), np.float32(0.0003285623018), np.float32(0.02587695591)
Q1 = np.float32(0.4671433546)


class Network(NamedTuple):
    """A model's weights laid out for the loop: a product streams rows of outputs."""

    matrix: Floats  # [L, 3 + 2H, 4H]: of the point, of the layer's own state, of the layer below (none of the first)
    seen: Floats  # [L, C, 4H], of the window; C is 0 where there is no text
    bias: Floats  # [L, 4H]
    look: Floats  # [H, 3K]
    look_bias: Floats  # [3K]
    output: Floats  # [L, H, 1 + 6M]
    output_bias: Floats  # [1 + 6M]
    pace: float  # what a step of κ is multiplied by
    least: float  # the edges of the mixture: of the logarithms of deviations, of correlations
    most: float
    strongest: float


class Memory(NamedTuple):
    """What the loop remembers, and its scratch space."""

    hidden: Floats  # [L, H]
    cell: Floats  # [L, H]
    window: Floats  # [C]
    kappa: Floats  # [K]
    phi: Floats  # [U]
    fed: Floats  # [3 + 2H], scratch
    sums: Floats  # [4H], scratch
    raw: Floats  # [3K], scratch
    parameters: Floats  # [1 + 6M], scratch


@fast_part
def add_product(total: Floats, vector: Floats, matrix: Floats) -> None:
    """``total += vector @ matrix``; four rows at a time, as the speed is that of reading the matrix."""
    rows, columns = vector.shape[0], total.shape[0]
    whole = rows - rows % 4
    for j in range(0, whole, 4):
        a, b, c, d = vector[j], vector[j + 1], vector[j + 2], vector[j + 3]
        for i in range(columns):
            total[i] += a * matrix[j, i] + b * matrix[j + 1, i] + c * matrix[j + 2, i] + d * matrix[j + 3, i]
    for j in range(whole, rows):
        a = vector[j]
        for i in range(columns):
            total[i] += a * matrix[j, i]


@fast_part
def copy(target: Floats, source: Floats) -> None:
    """``target[:] = source``, which takes numba a second to compile."""
    for i in range(target.shape[0]):
        target[i] = source[i]


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
def lstm_cell(sums: Floats, hidden: Floats, cell: Floats) -> None:
    """``c' = σ(f) c + σ(i) tanh(g)``, ``h' = σ(o) tanh(c')``, in place."""
    size = cell.shape[0]
    for i in range(size):
        enter = HALF + HALF * tanh(HALF * sums[i])
        keep = HALF + HALF * tanh(HALF * sums[size + i])
        out = HALF + HALF * tanh(HALF * sums[3 * size + i])
        cell[i] = keep * cell[i] + enter * tanh(sums[2 * size + i])
        hidden[i] = out * tanh(cell[i])


@part
def slide(net: Network, memory: Memory, ids: Ids) -> None:
    """Move the window, as the first layer's state says."""
    raw, kappa, phi, window = memory.raw, memory.kappa, memory.phi, memory.window
    number, length = kappa.shape[0], ids.shape[0]
    copy(raw, net.look_bias)
    add_product(raw, memory.hidden[0], net.look)
    for u in range(length):
        phi[u] = ZERO
    for c in range(window.shape[0]):
        window[c] = ZERO
    for k in range(number):
        alpha, beta = softplus(raw[k]), softplus(raw[number + k])
        kappa[k] += np.float32(net.pace) * softplus(raw[2 * number + k])
        for u in range(length):
            off = kappa[k] - np.float32(u)
            phi[u] += alpha * np.exp(-beta * off * off)
    for u in range(length):
        window[ids[u]] += phi[u]


@part
def step(net: Network, memory: Memory, point: Floats, ids: Ids) -> None:
    """Feed one point."""
    size = memory.cell.shape[1]
    fed, sums = memory.fed, memory.sums
    copy(fed[:3], point)
    for layer in range(memory.cell.shape[0]):
        copy(sums, net.bias[layer])
        copy(fed[3 : 3 + size], memory.hidden[layer])
        if layer > 0:
            copy(fed[3 + size :], memory.hidden[layer - 1])
        add_product(sums, fed if layer > 0 else fed[: 3 + size], net.matrix[layer])
        for c in range(memory.window.shape[0]):  # a few characters are in sight only
            if memory.window[c] != ZERO:
                add_product(sums, memory.window[c : c + 1], net.seen[layer, c : c + 1])
        lstm_cell(sums, memory.hidden[layer], memory.cell[layer])
        if layer == 0 and ids.shape[0] > 0:
            slide(net, memory, ids)


@part
def say(net: Network, memory: Memory) -> None:
    """Set ``memory.parameters`` to what the model says of the next point."""
    copy(memory.parameters, net.output_bias)
    for layer in range(memory.hidden.shape[0]):
        add_product(memory.parameters, memory.hidden[layer], net.output[layer])


@part
def deviation(net: Network, raw: Any, bias: float) -> Any:
    """exp of the logarithm of a deviation, kept from its edges, less the bias."""
    least = np.float32(net.least)
    return np.exp(min(least + softplus(raw - least), np.float32(net.most)) - np.float32(bias))


@part
def draw(net: Network, said: Floats, uniforms: Floats, bias: float, point: Floats) -> bool:
    """Draw a point by the rule of ``mixture_density.sample``; whether what was said is numbers."""
    number = (said.shape[0] - 1) // 6
    highest = -np.float32(np.inf)
    for m in range(said.shape[0]):
        if not math.isfinite(said[m]):
            return False
    sharp = np.float32(1.0 + bias)
    for m in range(number):
        highest = max(highest, said[1 + m] * sharp)
    total = ZERO
    for m in range(number):
        total += np.exp(said[1 + m] * sharp - highest)
    which, cumulative = 0, np.exp(said[1] * sharp - highest)
    while which < number - 1 and cumulative <= uniforms[0] * total:
        which += 1
        cumulative += np.exp(said[1 + which] * sharp - highest)
    place = 1 + number + which
    distance = np.sqrt(-np.float32(2.0) * np.log1p(-uniforms[1]))
    angle = np.float32(2 * math.pi) * uniforms[2]
    along, across = distance * np.cos(angle), distance * np.sin(angle)
    correlation = np.float32(net.strongest) * np.tanh(said[place + 4 * number])
    rest = np.sqrt((ONE - correlation) * (ONE + correlation))
    point[0] = said[place] + deviation(net, said[place + 2 * number], bias) * along
    tall = deviation(net, said[place + 3 * number], bias)
    point[1] = said[place + number] + tall * (correlation * along + rest * across)
    point[2] = ONE if uniforms[3] < ONE / (ONE + np.exp(-said[0])) else ZERO
    return math.isfinite(point[0]) and math.isfinite(point[1])


@part
def at_end(phi: Floats) -> bool:
    """Whether the window sees more of the end of the text, its last character, than of all others together."""
    others = ZERO
    for u in range(phi.shape[0] - 1):
        others += phi[u]
    seen: bool = phi[phi.shape[0] - 1] > others
    return seen


@Entry
def run(
    net: Network, memory: Memory, ids: Ids, prime: Floats, uniforms: Floats, bias: float, patience: int, made: Floats
) -> tuple[int, int]:
    """Feed ``prime`` [P, 3], then draw up to N points into ``made`` [N, 3], from ``uniforms`` [N, 4].

    Writing ends at a pen-up after which the window sees the end of the text. (Before it, as in Graves 2013, section
    5.3, the window is often still on the last letter: no next point has ever told it to go on.) When it has seen the
    end for ``patience`` points, the pen is lifted anyhow.

    Returns:
        How many points were drawn, and how it ended.
    """
    if ids.shape[0] > 0:
        memory.phi[0], memory.window[ids[0]] = ONE, ONE
    for t in range(prime.shape[0]):
        step(net, memory, prime[t], ids)
    behind = 0
    for n in range(made.shape[0]):
        say(net, memory)
        if not draw(net, memory.parameters, uniforms[n], bias, made[n]):
            return n, NOT_A_NUMBER
        if behind > patience:
            made[n, 2] = ONE
        step(net, memory, made[n], ids)
        if ids.shape[0] > 0 and at_end(memory.phi):
            behind += 1
            if made[n, 2] == ONE:
                return n + 1, ENDED
    return made.shape[0], CUT
