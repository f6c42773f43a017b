"""The compiled loops that run a recurrent language model one token at a time (batch of one, float32).

Everything compiled is in this one file, as numba looks only at the file of the function that it keeps on disk: a change
elsewhere would not be seen. :mod:`textdl.kernels.recurrent` is the door.

Legend: V vocabulary, D embedding, H hidden, L layers, G gates (rnn 1, lstm 4: i f g o, gru 3: r z n, sru 4:
z f r s), W = G * H.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiling import Entry, fast_part, part
from .sampling import LN2_HIGH, LN2_LOW, LOG2_E, NO_TOKEN, NOT_A_NUMBER, POWERS, SMALLEST, TAYLOR

Floats = NDArray[np.float32]

RNN, LSTM, GRU, SRU = 0, 1, 2, 3
NORM_EPSILON = np.float32(1e-5)
ONE, HALF = np.float32(1.0), np.float32(0.5)
ID_BITS = 0xFFFFFFFF

# tanh(x) = x P(x * x) / Q(x * x) for |x| <= 9, else 1: a least-squares fit, reweighted until its largest relative error
# (2.1e-8) is even; rounding to float32 leaves 3.4e-7. Highest power first.
TANH_EDGE = np.float32(9.0)
P4, P3, P2 = np.float32(1.335447854e-08), np.float32(2.060895953e-05), np.float32(0.0034955811)
P1, P0 = np.float32(0.1338101986), np.float32(0.9999999795)
Q4, Q3, Q2 = np.float32(7.776486071e-07), np.float32(0.0003285623018), np.float32(0.02587695591)
Q1 = np.float32(0.4671433546)


class Ngrams(NamedTuple):
    """The hashed n-grams that are added to a token's embedding, by the rule of ``textdl.kernels.ngrams``.

    Its constants come along as values: a global would be frozen into code that is kept when that file changes.
    """

    tables: Floats  # [orders, R, D], R a power of two; no order where the model has no n-grams
    orders: NDArray[np.int64]  # ascending
    multipliers: NDArray[np.int64]
    shift: int
    end: int  # id of the end of text


class Network(NamedTuple):
    """A model's weights laid out for the loops: inputs first, so that a product streams rows of W outputs.

    The matrices' rows begin at multiples of 64 bytes, one read of the widest registers; zeros fill them up.
    """

    kind: int
    table: Floats  # [V, W] what a token adds to the first layer's sums, or the embedding [V, D]
    first: Floats  # [D, W], or [0, W] where the table is folded
    ngrams: Ngrams
    inputs: Floats  # [L - 1, H, W]; of an sru [L - 1, H, 3 * H], as its s is then the input itself
    hidden: Floats  # [L, H, W], or [L, 0, 0] for an sru
    input_bias: Floats  # [L, W]
    hidden_bias: Floats  # [L, W]
    norm_gain: Floats  # [L, 2, W] of the input and the hidden sums, or [L, 2, 0] without layer normalisation
    norm_bias: Floats
    cell_gain: Floats  # [L, H], or [L, 0] where the cell is not normalised
    cell_bias: Floats
    top_gain: Floats  # [H] of the normalisation of the last layer's output, or [0]
    top_bias: Floats
    projection: Floats  # [H, D], or [0, 0]
    output: Floats  # [H or D, V]
    output_bias: Floats  # [V]


@fast_part
def add_product(total: Floats, vector: Floats, matrix: Floats) -> None:
    """``total += vector @ matrix``; four rows at a time, as the speed is that of reading the matrix."""
    rows, columns = matrix.shape[0], total.shape[0]
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
def tanh_in_place(x: Floats) -> None:
    """NaN stays NaN: both comparisons are false."""
    for i in range(x.shape[0]):
        v = x[i]
        v = TANH_EDGE if v > TANH_EDGE else v
        v = -TANH_EDGE if v < -TANH_EDGE else v
        s = v * v
        top = (((P4 * s + P3) * s + P2) * s + P1) * s + P0
        x[i] = v * top / ((((Q4 * s + Q3) * s + Q2) * s + Q1) * s + ONE)


@fast_part
def sigmoid_in_place(x: Floats) -> None:
    """``1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2``."""
    for i in range(x.shape[0]):
        x[i] *= HALF
    tanh_in_place(x)
    for i in range(x.shape[0]):
        x[i] = HALF + HALF * x[i]


@fast_part
def copy(target: Floats, source: Floats) -> None:
    """``target[:] = source``, which takes numba a second to compile."""
    for i in range(target.shape[0]):
        target[i] = source[i]


@fast_part
def add(target: Floats, source: Floats) -> None:
    """``target += source``, as long as the target is."""
    for i in range(target.shape[0]):
        target[i] += source[i]


@fast_part
def normalise(x: Floats, gain: Floats, bias: Floats, size: int) -> None:
    """Layer normalisation of each run of ``size`` values, in place (Ba et al. 2016); nothing if there is no gain."""
    for start in range(0, gain.shape[0], size):
        mean = np.float32(0.0)
        for i in range(start, start + size):
            mean += x[i]
        mean /= np.float32(size)
        variance = np.float32(0.0)
        for i in range(start, start + size):
            variance += (x[i] - mean) * (x[i] - mean)
        scale = ONE / np.sqrt(variance / np.float32(size) + NORM_EPSILON)
        for i in range(start, start + size):
            x[i] = (x[i] - mean) * scale * gain[i] + bias[i]


@fast_part
def rnn_cell(state: Floats, x: Floats, h: Floats) -> None:
    """``h' = tanh(x + h)``; ``state [1, H]``, ``x`` and ``h`` the sums ``[W]``, overwritten."""
    add(x, h)
    tanh_in_place(x)
    copy(state[0], x)


@fast_part
def lstm_cell(state: Floats, x: Floats, h: Floats, gain: Floats, bias: Floats) -> None:
    """``c' = σ(f) c + σ(i) tanh(g)``, ``h' = σ(o) tanh(norm(c'))``; ``state [2, H]`` holds h and c."""
    size = state.shape[1]
    enter, keep, new, out = x[:size], x[size : 2 * size], x[2 * size : 3 * size], x[3 * size :]
    cell, shown = state[1], h[:size]
    add(x, h)
    sigmoid_in_place(x[: 2 * size])
    tanh_in_place(new)
    sigmoid_in_place(out)
    for i in range(size):
        cell[i] = keep[i] * cell[i] + enter[i] * new[i]
    copy(shown, cell)
    normalise(shown, gain, bias, size)
    tanh_in_place(shown)
    for i in range(size):
        state[0, i] = out[i] * shown[i]


@fast_part
def gru_cell(state: Floats, x: Floats, h: Floats) -> None:
    """``n = tanh(x_n + σ(r) h_n)``, ``h' = n + σ(z) (h - n)``; ``state [1, H]``."""
    size = state.shape[1]
    reset, update, new = x[:size], x[size : 2 * size], x[2 * size :]
    add(x[: 2 * size], h)
    sigmoid_in_place(x[: 2 * size])
    for i in range(size):
        new[i] += reset[i] * h[2 * size + i]
    tanh_in_place(new)
    for i in range(size):
        state[0, i] = new[i] + update[i] * (state[0, i] - new[i])


@fast_part
def sru_cell(state: Floats, x: Floats, shown: Floats, gain: Floats, bias: Floats) -> None:
    """``c' = σ(f) c + (1 - σ(f)) z``, ``y = σ(r) norm(c') + s``; ``state [2, H]`` holds y and c."""
    size = state.shape[1]
    new, keep, show, bypass = x[:size], x[size : 2 * size], x[2 * size : 3 * size], x[3 * size :]
    cell = state[1]
    sigmoid_in_place(x[size : 3 * size])
    for i in range(size):
        cell[i] = new[i] + keep[i] * (cell[i] - new[i])
    copy(shown, cell)
    normalise(shown, gain, bias, size)
    for i in range(size):
        state[0, i] = show[i] * shown[i] + bypass[i]


@part
def embed(net: Network, token: int, recent: NDArray[np.int64], embedded: Floats) -> None:
    """Set ``embedded [D]`` to the embedding of a token and of the n-grams that end at it; ``recent [N - 1]``, the ids
    before it, latest last, moves on by one."""
    ngrams, before = net.ngrams, recent.shape[0]
    copy(embedded, net.table[token])
    behind, total, order = token, (token + 1) * ngrams.multipliers[0], 0
    for back in range(1, before + 1):
        if behind != ngrams.end:  # else all further ones count as ends of text too
            behind = recent[before - back]
        total += (behind + 1) * ngrams.multipliers[back]
        if ngrams.orders[order] == back + 1:
            row = (total * ngrams.multipliers[0] >> ngrams.shift) & (ngrams.tables.shape[1] - 1)
            add(embedded, ngrams.tables[order, row])
            order += 1
    for place in range(before - 1):
        recent[place] = recent[place + 1]
    recent[before - 1] = token


@part
def step(net: Network, token: int, state: Floats, recent: NDArray[np.int64], sums: Floats, embedded: Floats) -> None:
    """Feed one token: ``state [L, 1 or 2, H]`` and ``recent`` change; ``sums [2, W]``, ``embedded [D]`` are scratch."""
    x, h = sums[0], sums[1]
    size = state.shape[2]
    for layer in range(state.shape[0]):
        gain, bias = net.norm_gain[layer], net.norm_bias[layer]
        if layer == 0 and net.first.shape[0] == 0:
            copy(x, net.table[token])
        else:
            copy(x, net.input_bias[layer])
            if layer > 0 and net.kind == SRU:
                add_product(x[: 3 * size], state[layer - 1, 0], net.inputs[layer - 1])
                add(x[3 * size :], state[layer - 1, 0])
            elif layer > 0:
                add_product(x, state[layer - 1, 0], net.inputs[layer - 1])
            elif recent.shape[0] == 0:
                add_product(x, net.table[token], net.first)
            else:
                embed(net, token, recent, embedded)
                add_product(x, embedded, net.first)
            normalise(x, gain[0], bias[0], size)
        if net.kind == SRU:
            sru_cell(state[layer], x, h[:size], net.cell_gain[layer], net.cell_bias[layer])
            continue
        copy(h, net.hidden_bias[layer])
        add_product(h, state[layer, 0], net.hidden[layer])
        normalise(h, gain[1], bias[1], size)
        if net.kind == RNN:
            rnn_cell(state[layer], x, h)
        elif net.kind == LSTM:
            lstm_cell(state[layer], x, h, net.cell_gain[layer], net.cell_bias[layer])
        else:
            gru_cell(state[layer], x, h)


@part
def score(net: Network, state: Floats, top: Floats, projected: Floats, logits: Floats) -> None:
    """The scores ``[V]`` of what follows; ``top [H]`` and ``projected [D]`` are scratch."""
    copy(top, state[state.shape[0] - 1, 0])
    normalise(top, net.top_gain, net.top_bias, top.shape[0])
    copy(logits, net.output_bias)
    if net.projection.shape[0] == 0:
        add_product(logits, top, net.output)
    else:
        for i in range(projected.shape[0]):
            projected[i] = np.float32(0.0)
        add_product(projected, top, net.projection)
        add_product(logits, projected, net.output)


@part
def exponential(x: NDArray[np.float64]) -> None:
    """In place; operation by operation that of ``sampling.exponential``."""
    for i in range(x.shape[0]):
        inside = x[i] if x[i] > SMALLEST else SMALLEST
        n = math.floor(inside * LOG2_E + 0.5)
        r = (inside - n * LN2_HIGH) - n * LN2_LOW
        series = TAYLOR[13]
        for k in range(12, -1, -1):
            series = series * r + TAYLOR[k]
        x[i] = 0.0 if x[i] < SMALLEST else series * POWERS[-int(n)]


@part
def sift(heap: NDArray[np.int64], hole: int, size: int) -> None:
    """Restore the max-heap ``heap[:size]`` below ``hole``."""
    key = heap[hole]
    child = 2 * hole + 1
    while child < size:
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= key:
            break
        heap[hole] = heap[child]
        hole = child
        child = 2 * hole + 1
    heap[hole] = key


@part
def fill_heap(scores: Floats, heap: NDArray[np.int64]) -> None:
    """A max-heap of every token's key: its score above its id turned round, so that whole numbers order the tokens by
    score, then by the lower id."""
    size = scores.shape[0]
    for i in range(size):
        bits = np.int64(np.float32(scores[i] + np.float32(0.0)).view(np.int32))  # + 0: the two zeros are equal
        heap[i] = ((bits if bits >= 0 else bits ^ 0x7FFFFFFF) << 32) | (ID_BITS - i)
    for i in range(size // 2 - 1, -1, -1):
        sift(heap, i, size)


@part
def keep_best(scores: Floats, weights: NDArray[np.float64], heap: NDArray[np.int64], top_k: int, top_p: float) -> None:
    """Set to 0 the weights that top-k and top-p leave out; ``heap [V]`` is scratch.

    The best are taken off a heap, which costs least where few are kept; each goes to the heap's end.
    """
    size = scores.shape[0]
    fill_heap(scores, heap)
    limited = 0 < top_k < size
    allowed = top_k if limited else size
    whole = 0.0
    for i in range(0 if limited else size):
        whole += weights[i]
    taken, share = 0, 0.0
    while taken < allowed and (limited or taken == 0 or share < top_p * whole):
        taken += 1
        heap[0], heap[size - taken] = heap[size - taken], heap[0]
        sift(heap, 0, size - taken)
        share += weights[ID_BITS - (heap[size - taken] & ID_BITS)]
    if limited and top_p < 1:  # only now is the sum of the k known
        whole, allowed = share, taken
        taken, share = 0, 0.0
        while taken < allowed and (taken == 0 or share < top_p * whole):
            taken += 1
            share += weights[ID_BITS - (heap[size - taken] & ID_BITS)]
    for i in range(size - taken):
        weights[ID_BITS - (heap[i] & ID_BITS)] = 0.0


@part
def draw(
    logits: Floats,
    uniform: float,
    temperature: float,
    top_k: int,
    top_p: float,
    banned: NDArray[np.int64],
    scores: Floats,
    weights: NDArray[np.float64],
    heap: NDArray[np.int64],
) -> int:
    """A token by the rule of ``sampling.pick``, or NO_TOKEN or NOT_A_NUMBER; the last three ``[V]`` are scratch."""
    size = logits.shape[0]
    copy(scores, logits)
    for token in banned:
        scores[token] = -np.inf
    best, place, wrong = np.float32(-np.inf), 0, False
    for i in range(size):
        if scores[i] > best:
            best, place = scores[i], i
        wrong |= not scores[i] < np.inf
    if wrong:
        return NOT_A_NUMBER
    if best == -np.inf:
        return NO_TOKEN
    if temperature == 0:
        return place
    for i in range(size):
        weights[i] = (np.float64(scores[i]) - np.float64(best)) / temperature
    exponential(weights)
    if 0 < top_k < size or top_p < 1:
        keep_best(scores, weights, heap, top_k, top_p)
    total = 0.0
    for i in range(size):
        total += weights[i]
    aim, below = uniform * total, 0.0
    for i in range(size):
        below += weights[i]
        if below > aim:
            return i
    return place  # not reached: aim < total


@Entry
def run(
    net: Network,
    state: Floats,
    recent: NDArray[np.int64],
    logits: Floats,
    prompt: NDArray[np.int64],
    uniforms: NDArray[np.float64],
    temperature: float,
    top_k: int,
    top_p: float,
    stops: NDArray[np.int64],
    banned: NDArray[np.int64],
    ids: NDArray[np.int64],
) -> int:
    """Feed the prompt, then draw and feed a token for each of ``uniforms``; ``state``, ``recent`` and ``logits`` change
    in place.

    Returns how many tokens are in ``ids`` or, when ``draw`` finds something wrong, its answer. Prompt and text share
    one function, so that the cells are compiled into one only.
    """
    size: int = logits.shape[0]
    fed: int = prompt.shape[0]
    count: int = uniforms.shape[0]
    sums = np.empty((2, net.hidden_bias.shape[1]), np.float32)
    projected, embedded = np.empty(net.output.shape[0], np.float32), np.empty(net.first.shape[0], np.float32)
    scores, weights, heap = np.empty(size, np.float32), np.empty(size, np.float64), np.empty(size, np.int64)
    for place in range(fed + count):
        made = place - fed
        if made < 0:
            token = int(prompt[place])
        else:
            token = draw(logits, uniforms[made], temperature, top_k, top_p, banned, scores, weights, heap)
            if token < 0:
                return token
            ids[made] = token
        step(net, token, state, recent, sums, embedded)
        if made >= -1:  # within the prompt nobody asks for scores
            score(net, state, sums[0, : state.shape[2]], projected, logits)
        for stop in stops:
            if made >= 0 and token == stop:
                return made + 1
    return count
