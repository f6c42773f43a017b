"""A recurrent language model's weights, as torch lays them out, checked and laid out anew for the loops of
:mod:`textdl.kernels.stepping`.

Legend: V vocabulary, D embedding, H hidden, L layers, G gates, N the longest n-gram, R rows of its table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, RunError
from .ngrams import MULTIPLIERS, ORDERS, SHIFT

if TYPE_CHECKING:
    from .stepping import Network, Ngrams

Floats = NDArray[np.float32]

#: The kind of a cell as stepping.py counts it, and its gates G.
CELLS = {"rnn": (0, 1), "lstm": (1, 4), "gru": (2, 3), "sru": (3, 4)}
FOLD_LIMIT = 16 * 2**20  # bytes of a folded embedding [V, G * H]; a larger one costs more than it saves


class LayerWeights(NamedTuple):
    """One recurrent layer in torch's layout; gains and biases of the layer normalisation are all there or all None.

    Of an sru: ``weight_ih``, ``bias_ih [3 * H]``, ``gain_cell`` and ``norm_bias_cell``; where the width of what
    it reads is H, ``weight_ih`` has 3 * H rows.
    """

    weight_ih: NDArray[Any]  # [G * H, D] in the first layer, [G * H, H] above
    weight_hh: NDArray[Any] | None  # [G * H, H]
    bias_ih: NDArray[Any]  # [G * H]
    bias_hh: NDArray[Any] | None  # [G * H]
    gain_ih: NDArray[Any] | None = None  # [G * H], of the normalised W_ih x + b_ih
    norm_bias_ih: NDArray[Any] | None = None
    gain_hh: NDArray[Any] | None = None  # [G * H], of the normalised W_hh h + b_hh
    norm_bias_hh: NDArray[Any] | None = None
    gain_cell: NDArray[Any] | None = None  # [H], lstm and sru, of the normalised cell
    norm_bias_cell: NDArray[Any] | None = None


class NgramWeights(NamedTuple):
    """The hashed n-grams added to a token's embedding."""

    tables: Sequence[NDArray[Any]]  # [R, D] an order, R a power of two
    orders: tuple[int, ...]  # some of ngrams.ORDERS, ascending
    end: int  # id of the end of text


def pack(
    cell: str,
    embedding: NDArray[Any],
    layers: Sequence[LayerWeights],
    output: NDArray[Any],
    output_bias: NDArray[Any],
    projection: NDArray[Any] | None,
    ngrams: NgramWeights | None,
    top: tuple[NDArray[Any], NDArray[Any]] | None,
) -> Network:
    """Check the shapes, turn the matrices as the products read them, and fold the embedding into the first layer."""
    from .stepping import Network

    kind, gates = CELLS[cell]
    if not layers or np.ndim(embedding) != 2:
        raise RunError(
            "the model needs an embedding [V, D] and at least one recurrent layer; the run's weights lack one"
        )
    vocabulary, width = embedding.shape
    hidden = layers[0].gain_cell if cell == "sru" else layers[0].weight_hh
    size = np.shape(hidden)[-1] if hidden is not None else 0  # type: ignore[arg-type]
    normed = layers[0].gain_ih is not None
    for number, layer in enumerate(layers):
        _check_layer(cell, number, layer, size, width if number == 0 else size, normed)
    if cell == "sru":
        layers = [_like_the_others(layer, size, first=number == 0) for number, layer in enumerate(layers)]
    if top is not None:
        _check("top gain", top[0], (size,))
        _check("top bias", top[1], (size,))
    _check("output", output, (vocabulary, size if projection is None else width))
    _check("output_bias", output_bias, (vocabulary,))
    if projection is not None:
        _check("projection", projection, (size, width))
    table, first = _first_layer(embedding, layers[0], size, fold=ngrams is None)
    upper, none = [layer.weight_ih.T for layer in layers[1:]], (len(layers), 2, 0)
    return Network(
        kind=kind,
        table=table,
        first=first,
        ngrams=_pack_ngrams(ngrams, vocabulary, width),
        inputs=_matrices(np.stack(upper) if upper else np.empty((0, size, gates * size))),
        hidden=_matrices(np.stack([np.transpose(layer.weight_hh) for layer in layers])),  # type: ignore[arg-type]
        input_bias=vectors([layer.bias_ih for layer in layers]),
        hidden_bias=vectors([layer.bias_hh for layer in layers]),
        norm_gain=vectors([(layer.gain_ih, layer.gain_hh) for layer in layers] if normed else np.empty(none)),
        norm_bias=vectors([(layer.norm_bias_ih, layer.norm_bias_hh) for layer in layers] if normed else np.empty(none)),
        cell_gain=vectors([() if layer.gain_cell is None else layer.gain_cell for layer in layers]),
        cell_bias=vectors([() if layer.norm_bias_cell is None else layer.norm_bias_cell for layer in layers]),
        top_gain=vectors(() if top is None else top[0]),
        top_bias=vectors(() if top is None else top[1]),
        projection=_matrices(np.empty((0, 0)) if projection is None else projection),
        output=_matrices(output.T),
        output_bias=vectors(output_bias),
    )


def _like_the_others(layer: LayerWeights, size: int, first: bool) -> LayerWeights:
    """An sru's layer as one of four gates without recurrent weights. Above the first layer s is the input itself, which
    the loop adds; in the first one it is a product, if need be with 1, so that it can be folded into the table."""
    matrix = np.asarray(layer.weight_ih, np.float32)
    if first and len(matrix) == 3 * size:
        matrix = np.concatenate([matrix, np.eye(size, dtype=np.float32)])
    bias = np.concatenate([np.asarray(layer.bias_ih, np.float32), np.zeros(size, np.float32)])
    return layer._replace(weight_ih=matrix, weight_hh=np.empty((0, 0)), bias_ih=bias, bias_hh=np.zeros_like(bias))


def _pack_ngrams(ngrams: NgramWeights | None, vocabulary: int, width: int) -> Ngrams:
    """Check the n-grams and put their tables into one array; none is an array without an order."""
    from .stepping import Ngrams

    if ngrams is None:
        return Ngrams(_aligned(0, 1, width), np.empty(0, np.int64), MULTIPLIERS.copy(), SHIFT, 0)
    orders, most = tuple(ngrams.orders), 2 ** (64 - SHIFT)
    if not orders or orders != tuple(order for order in ORDERS if order in orders):
        raise ConfigError(f"orders must be some of {', '.join(map(str, ORDERS))}, ascending, got {ngrams.orders!r}")
    if not isinstance(ngrams.end, int | np.integer) or not 0 <= ngrams.end < vocabulary:
        raise ConfigError(
            f"end must be an id from 0 to {vocabulary - 1}, got {ngrams.end!r}; use that of the run's own tokenizer"
        )
    if len(ngrams.tables) != len(orders):
        raise RunError(f"the model needs a table for each of the orders {orders}, got {len(ngrams.tables)} tables")
    rows = len(ngrams.tables[0]) if np.ndim(ngrams.tables[0]) else 0
    if not 0 < rows <= most or rows & (rows - 1):
        raise RunError(f"the rows of an n-gram table must be a power of two, at most {most}, got {rows}")
    for order, table in zip(orders, ngrams.tables, strict=True):
        _check(f"table of {order}-grams", table, (rows, width))
    tables = _aligned(len(orders), rows, width)
    for target, table in zip(tables, ngrams.tables, strict=True):
        target[:, :width] = table
    return Ngrams(tables, np.array(orders, np.int64), MULTIPLIERS.copy(), SHIFT, int(ngrams.end))


def _first_layer(embedding: NDArray[Any], layer: LayerWeights, size: int, fold: bool) -> tuple[Floats, Floats]:
    """The table ``[V, G * H]`` of what each token adds to the first layer's sums, its normalisation included, and no
    matrix; or the embedding and the matrix, where the table would be large or there is more to add to the embedding:
    a product with the n-grams' part alone takes as long as one with both."""
    from .stepping import NORM_EPSILON

    wide = len(layer.weight_ih)
    if not fold or len(embedding) * wide * 4 > FOLD_LIMIT:
        return _matrices(embedding), _matrices(layer.weight_ih.T)
    table = np.asarray(embedding, np.float32) @ np.asarray(layer.weight_ih, np.float32).T
    table += np.asarray(layer.bias_ih, np.float32)
    if layer.gain_ih is not None:
        runs = table.reshape(len(table), -1, size)
        runs -= runs.mean(-1, keepdims=True)
        runs /= np.sqrt((runs * runs).mean(-1, keepdims=True) + NORM_EPSILON)
        table *= np.asarray(layer.gain_ih, np.float32)
        table += np.asarray(layer.norm_bias_ih, np.float32)
    return _matrices(table), _matrices(np.empty((0, wide)))


def _check_layer(cell: str, number: int, layer: LayerWeights, size: int, width: int, normed: bool) -> None:
    wide = CELLS[cell][1] * size
    shapes: dict[str, tuple[int, ...]] = {
        "weight_ih": (wide, width),
        "weight_hh": (wide, size),
        "bias_ih": (wide,),
        "bias_hh": (wide,),
    }
    norms = dict.fromkeys(("gain_ih", "norm_bias_ih", "gain_hh", "norm_bias_hh"), (wide,))
    if cell == "sru":
        rows = 3 if width == size else 4
        shapes = {"weight_ih": (rows * size, width), "bias_ih": (3 * size,)}
        shapes |= {"gain_cell": (size,), "norm_bias_cell": (size,)}
    if cell == "lstm":
        norms |= {"gain_cell": (size,), "norm_bias_cell": (size,)}
    if normed:
        shapes |= norms
    for name in LayerWeights._fields:
        value = getattr(layer, name)
        if name in shapes:
            _check(f"layer {number} {name}", value, shapes[name])
        elif value is not None:
            raise RunError(f"layer {number} has a {name}, which a {cell} whose layers have no such norm has no use for")


def _check(name: str, value: NDArray[Any] | None, shape: tuple[int, ...]) -> None:
    if np.shape(value) != shape:  # type: ignore[arg-type]
        got = "nothing" if value is None else f"shape {np.shape(value)}"
        raise RunError(f"{name} must have shape {shape}, got {got}; the run's weights do not fit its config")


def vectors(arrays: Any) -> Floats:
    """A fresh copy as the loops want it, one type for all: float32, contiguous, writeable."""
    return np.array(arrays, np.float32, order="C", copy=True)


def _matrices(array: NDArray[Any]) -> Floats:
    """A copy ``[..., rows, columns]``, aligned."""
    made = _aligned(*array.shape)
    made[..., : array.shape[-1]] = array
    return made


def _aligned(*shape: int) -> Floats:
    """Zeros ``[..., rows, columns]``, of so many columns more that each row begins at a multiple of 64 bytes.

    It makes the products 10 to 25 % faster than numpy's multiples of 16 bytes.
    """
    filled = (*shape[:-1], -(-shape[-1] // 16) * 16)
    buffer = np.zeros(math.prod(filled) + 16, np.float32)
    start = -buffer.ctypes.data // 4 % 16
    return buffer[start : start + math.prod(filled)].reshape(filled)
