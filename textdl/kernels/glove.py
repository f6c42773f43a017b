"""One pass of GloVe over a part of a co-occurrence matrix, with AdaGrad.

Pennington, Socher & Manning 2014, "GloVe: Global vectors for word representation"; Duchi, Hazan & Singer 2011,
"Adaptive subgradient methods".

The order of the entries is random by *pieces*: of a row of n entries, every m-th one from a place below m on,
m = n / :data:`PIECE` rounded up. A row's vector stays in the cache for a piece, and the columns of a piece are spread.

As in the authors' program, the rate is inside the squares that are summed: a step is r g / sqrt(1 + sum of (r g')^2).

V words; S is D rounded up to whole vector registers, the columns behind D are 0 and stay so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiling import Entry, fast_part

Floats = NDArray[np.float32]

PIECE = 32
WIDTH = 16  # S is a multiple of it


@fast_part
def _dot(word: Any, context: Any) -> Any:
    total = np.float32(0.0)
    for k in range(len(word)):
        total += word[k] * context[k]
    return total


@fast_part
def _step(move: Any, word: Any, word_squares: Any, context: Any, context_squares: Any) -> None:
    """Move both vectors against their gradients; ``move`` is the error by the rate."""
    for k in range(len(word)):
        of_word, of_context = move * context[k], move * word[k]
        word[k] -= of_word / np.sqrt(word_squares[k])
        context[k] -= of_context / np.sqrt(context_squares[k])
        word_squares[k] += of_word * of_word
        context_squares[k] += of_context * of_context


@fast_part
def _step_bias(move: Any, bias: Any) -> None:
    bias[0] -= move / np.sqrt(bias[1])
    bias[1] += move * move


@Entry
def glove_pass(
    starts: NDArray[Any],
    columns: NDArray[np.int32],
    counts: Floats,
    rows: NDArray[np.int32],
    offsets: NDArray[np.int32],
    order: NDArray[np.int64],
    words: Floats,
    word_biases: Floats,
    contexts: Floats,
    context_biases: Floats,
    lr: float,
    most: float,
    power: float,
) -> float:
    """Descend on ``f(x) (w . c + b + b' - ln x)^2 / 2`` for entries x, with f(x) = min(1, (x / most) ** power).

    Args:
        starts, columns, counts: the CSR matrix; counts above 0.
        rows: [P], the row of each piece.
        offsets: [P], the place in its row where each piece begins.
        order: the pieces of this pass, one after the other.
        words: [V, 2, S], each word's vector and the sums of its gradients' squares; changed.
        word_biases: [V, 2], likewise.
        contexts: [V, 2, S], likewise, of the words as contexts.
        context_biases: [V, 2], likewise.
        lr: the learning rate.
        most: the count from which on entries weigh 1.
        power: alpha.

    Returns:
        The sum of the losses, each before its step.
    """
    rate, total = np.float32(lr), 0.0
    for piece in order:
        row = rows[piece]
        low, high = np.int64(starts[row]), np.int64(starts[row + 1])
        step = (high - low + PIECE - 1) // PIECE
        word, word_squares, bias = words[row, 0], words[row, 1], word_biases[row]
        for entry in range(low + offsets[piece], high, step):
            column, count = columns[entry], counts[entry]
            context, other = contexts[column, 0], context_biases[column]
            difference = _dot(word, context) + bias[0] + other[0] - np.log(count)
            weight = np.float32(1.0) if count >= most else np.float32((count / most) ** power)
            error = weight * difference
            total += 0.5 * np.float64(error) * np.float64(difference)
            move = rate * error
            _step(move, word, word_squares, context, contexts[column, 1])
            _step_bias(move, bias)
            _step_bias(move, other)
    return total
