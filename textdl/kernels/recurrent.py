"""Recurrent language models stepped on a CPU, a token at a time: the fast way to generate.

The arithmetic is torch's ``nn.RNN`` (tanh), ``nn.LSTM`` and ``nn.GRU`` in float32, optionally with layer normalisation
inside the cell (Ba et al. 2016, "Layer normalization"), each gate by itself. To the embedding of a token those of the
hashed n-grams that end at it can be added (:mod:`textdl.kernels.ngrams`). The compiled loops are in
:mod:`textdl.kernels.stepping`; the first call on a machine compiles them, later processes load them from disk.

Legend: V vocabulary, D embedding, H hidden, L layers, G gates (rnn 1, lstm 4: i f g o, gru 3: r z n), S states a layer
(h, and the c of an lstm), N the longest n-gram, R rows of its table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, PromptError, RunError, near
from .ngrams import MULTIPLIERS, ORDERS, SHIFT
from .sampling import check_settings, check_uniform, failure, id_array

if TYPE_CHECKING:
    from .stepping import Network, Ngrams

Floats = NDArray[np.float32]

CELLS = {"rnn": (0, 1), "lstm": (1, 4), "gru": (2, 3)}  # the kind as stepping.py counts it, and the gates G
FOLD_LIMIT = 16 * 2**20  # bytes of a folded embedding [V, G * H]; a larger one costs more to make than it saves


class LayerWeights(NamedTuple):
    """One recurrent layer in torch's layout; gains and biases of the layer normalisation are all there or all None."""

    weight_ih: NDArray[Any]  # [G * H, D] in the first layer, [G * H, H] above
    weight_hh: NDArray[Any]  # [G * H, H]
    bias_ih: NDArray[Any]  # [G * H]
    bias_hh: NDArray[Any]  # [G * H]
    gain_ih: NDArray[Any] | None = None  # [G * H], of the normalised W_ih x + b_ih
    norm_bias_ih: NDArray[Any] | None = None
    gain_hh: NDArray[Any] | None = None  # [G * H], of the normalised W_hh h + b_hh
    norm_bias_hh: NDArray[Any] | None = None
    gain_cell: NDArray[Any] | None = None  # [H], lstm only, of the normalised cell before its tanh
    norm_bias_cell: NDArray[Any] | None = None


class NgramWeights(NamedTuple):
    """The hashed n-grams added to a token's embedding."""

    tables: Sequence[NDArray[Any]]  # [R, D] an order, R a power of two
    orders: tuple[int, ...]  # some of ngrams.ORDERS, ascending
    end: int  # id of the end of text


class State(NamedTuple):
    """What a model remembers of the tokens it has read. Make it by :meth:`Stepper.state`, hand it on as it is."""

    hidden: Floats  # [L, S, H]
    recent: NDArray[np.int64]  # [N - 1] ids read last, latest last; empty without n-grams


class Stepper:
    """A recurrent language model ready to be stepped.

    Its methods change none of their arguments, so that one Stepper serves several threads; they run without the GIL.

    Args:
        cell: "rnn" | "lstm" | "gru".
        embedding: ``[V, D]``.
        layers: the L layers, from the embedding up.
        output: ``[V, H]``, or ``[V, D]`` after a projection.
        output_bias: ``[V]``.
        projection: ``[H, D]``, applied as ``h @ projection``; None where the output reads the state itself.
        ngrams: the n-grams added to the embedding; None where there are none.

    Raises:
        ConfigError: an unknown cell, or n-grams of orders or an end that there are not.
        RunError: weights whose shapes do not fit together.
    """

    def __init__(
        self,
        cell: str,
        embedding: NDArray[Any],
        layers: Sequence[LayerWeights],
        output: NDArray[Any],
        output_bias: NDArray[Any],
        projection: NDArray[Any] | None = None,
        ngrams: NgramWeights | None = None,
    ) -> None:
        if cell not in CELLS:
            raise ConfigError(f"cell must be one of {', '.join(CELLS)}, got {cell!r}; {near(cell, CELLS)}")
        self.cell = cell
        self.vocabulary = len(embedding)
        self._net = _pack(cell, embedding, layers, output, output_bias, projection, ngrams)
        depth, size, _ = self._net.hidden.shape
        self._shape = depth, 2 if cell == "lstm" else 1, size
        self._ends = np.full(ngrams.orders[-1] - 1 if ngrams else 0, self._net.ngrams.end, np.int64)

    def state(self, hidden: NDArray[Any] | None = None) -> State:
        """The state before any token, which is one behind an end of text.

        Args:
            hidden: ``[L, S, H]`` to begin with, which is copied; None for zeros. S is 2 (h, c) for an lstm, else 1.

        Raises:
            ConfigError: another shape.
        """
        if hidden is None:
            return State(np.zeros(self._shape, np.float32), self._ends.copy())
        if np.shape(hidden) != self._shape:
            raise ConfigError(
                f"hidden must have shape {self._shape}, got {np.shape(hidden)}; use what this model has made"
            )
        return State(_vectors(hidden), self._ends.copy())

    def feed(self, state: State, ids: Sequence[int] | NDArray[Any]) -> tuple[State, Floats]:
        """Run over a prompt.

        Returns:
            The state after it, and the scores ``[V]`` of what follows.

        Raises:
            PromptError: no ids.
            ConfigError: an id outside the vocabulary, or a state of another model.
        """
        tokens = id_array(ids, self.vocabulary, "ids")
        if not tokens.size:
            raise PromptError(
                "the prompt is empty; it must hold at least one token, so that there is something to go on"
            )
        after, logits = self._state(state), np.empty(self.vocabulary, np.float32)
        nothing = np.empty(0, np.int64)
        self._run(after, logits, tokens, np.empty(0), (0.0, 0, 1.0), nothing, nothing)
        return after, logits

    def generate(
        self,
        state: State,
        logits: NDArray[Any],
        count: int,
        uniforms: NDArray[np.float64],
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        stop_ids: Sequence[int] | NDArray[Any] = (),
        banned_ids: Sequence[int] | NDArray[Any] = (),
    ) -> tuple[NDArray[np.int64], State, Floats]:
        """Draw up to ``count`` tokens by the rule of :mod:`textdl.kernels.sampling`, feeding each back.

        Args:
            state: from :meth:`feed` or an earlier call.
            logits: ``[V]``, that came with it.
            count: the most tokens to draw.
            uniforms: ``[count]`` numbers in [0, 1): the only chance there is, so that the same give the same ids.
            temperature: 0 takes the best token each time.
            top_k: keep the k likeliest; 0 keeps all.
            top_p: keep the likeliest that together have this share; 1 keeps all.
            stop_ids: end after drawing any of these.
            banned_ids: never draw these.

        Returns:
            The ids drawn, a stop id included, and the state and scores after the last one: feeding those back goes on
            as if there had been no break.

        Raises:
            ConfigError: a setting out of range, or no token left to draw.
            RunError: the model's scores are not finite numbers.
        """
        check_settings(temperature, top_k, top_p)
        chance = np.array(uniforms, np.float64)
        if chance.shape != (count,):
            raise ConfigError(f"uniforms must be one number a token, shape ({count},), got {chance.shape}")
        check_uniform(chance)
        after, scores = self._state(state), np.array(logits, np.float32)
        if scores.shape != (self.vocabulary,):
            raise ConfigError(f"logits must have shape ({self.vocabulary},), got {scores.shape}; use those of feed")
        stops = id_array(stop_ids, self.vocabulary, "stop_ids")
        banned = id_array(banned_ids, self.vocabulary, "banned_ids")
        ids = self._run(after, scores, np.empty(0, np.int64), chance, (temperature, top_k, top_p), stops, banned)
        return ids, after, scores

    def _run(
        self,
        state: State,
        logits: Floats,
        prompt: NDArray[np.int64],
        uniforms: NDArray[np.float64],
        settings: tuple[float, int, float],
        stops: NDArray[np.int64],
        banned: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Call the compiled loop, always with the same types: others would have it compiled again."""
        from .stepping import run

        temperature, top_k, top_p = float(settings[0]), min(int(settings[1]), self.vocabulary), float(settings[2])
        ids = np.empty(len(uniforms), np.int64)
        chance = uniforms, temperature, top_k, top_p
        made = run(self._net, *state, logits, prompt, *chance, stops, banned, ids)
        if made < 0:
            raise failure(made)
        return ids[:made]

    def _state(self, state: State) -> State:
        """A copy that the loops may change."""
        if not isinstance(state, State):
            raise ConfigError(f"state must be a State, got {type(state).__name__}; start from Stepper.state()")
        recent = id_array(state.recent, self.vocabulary, "state.recent")
        if recent.shape != self._ends.shape:
            raise ConfigError(
                f"state.recent must hold {len(self._ends)} ids, got {len(recent)}; start from Stepper.state()"
            )
        return State(self.state(state.hidden).hidden, recent)


def _pack(
    cell: str,
    embedding: NDArray[Any],
    layers: Sequence[LayerWeights],
    output: NDArray[Any],
    output_bias: NDArray[Any],
    projection: NDArray[Any] | None,
    ngrams: NgramWeights | None,
) -> Network:
    """Check the shapes, turn the matrices as the products read them, and fold the embedding into the first layer."""
    from .stepping import Network

    kind, gates = CELLS[cell]
    if not layers or np.ndim(embedding) != 2:
        raise RunError(
            "the model needs an embedding [V, D] and at least one recurrent layer; the run's weights lack one"
        )
    vocabulary, width = embedding.shape
    size = layers[0].weight_hh.shape[-1]
    normed = layers[0].gain_ih is not None
    for number, layer in enumerate(layers):
        _check_layer(cell, number, layer, size, width if number == 0 else size, normed)
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
        hidden=_matrices(np.stack([layer.weight_hh.T for layer in layers])),
        input_bias=_vectors([layer.bias_ih for layer in layers]),
        hidden_bias=_vectors([layer.bias_hh for layer in layers]),
        norm_gain=_vectors([(layer.gain_ih, layer.gain_hh) for layer in layers] if normed else np.empty(none)),
        norm_bias=_vectors(
            [(layer.norm_bias_ih, layer.norm_bias_hh) for layer in layers] if normed else np.empty(none)
        ),
        cell_gain=_vectors([() if layer.gain_cell is None else layer.gain_cell for layer in layers]),
        cell_bias=_vectors([() if layer.norm_bias_cell is None else layer.norm_bias_cell for layer in layers]),
        projection=_matrices(np.empty((0, 0)) if projection is None else projection),
        output=_matrices(output.T),
        output_bias=_vectors(output_bias),
    )


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

    wide = layer.weight_hh.shape[0]
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


def _vectors(arrays: Any) -> Floats:
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
