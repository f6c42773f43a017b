"""Recurrent language models stepped on a CPU, a token at a time: the fast way to generate.

The arithmetic is torch's ``nn.RNN`` (tanh), ``nn.LSTM`` and ``nn.GRU`` in float32, optionally with layer normalisation
inside the cell (Ba et al. 2016, "Layer normalization"), each gate by itself. To the embedding of a token those of the
hashed n-grams that end at it can be added (:mod:`textdl.kernels.ngrams`). The compiled loops are in
:mod:`textdl.kernels.stepping`; the first call on a machine compiles them, later processes load them from disk.

Legend: V vocabulary, D embedding, H hidden, L layers, G gates (rnn 1, lstm 4: i f g o, gru 3: r z n), S states a layer
(h, and the c of an lstm), N the longest n-gram, R rows of its table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, PromptError, near
from .packing import CELLS, Floats, LayerWeights, NgramWeights, pack, vectors
from .sampling import check_settings, check_uniform, failure, id_array


class State(NamedTuple):
    """What a model remembers of the tokens it has read. Make it by :meth:`Stepper.state`, hand it on as it is."""

    hidden: Floats  # [L, S, H]
    recent: NDArray[np.int64]  # [N - 1] ids read last, latest last; empty without n-grams


class Stepper:
    """A recurrent language model ready to be stepped.

    Its methods change none of their arguments, so that one Stepper serves several threads; they run without the GIL.

    Args:
        cell: "rnn" | "lstm" | "gru" | "sru".
        embedding: ``[V, D]``.
        layers: the L layers, from the embedding up.
        output: ``[V, H]``, or ``[V, D]`` after a projection.
        output_bias: ``[V]``.
        projection: ``[H, D]``, applied as ``h @ projection``; None where the output reads the state itself.
        ngrams: the n-grams added to the embedding; None where there are none.
        top: gain and bias ``[H]`` of the normalisation of the last layer's output; None where it is not normalised.

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
        top: tuple[NDArray[Any], NDArray[Any]] | None = None,
    ) -> None:
        if cell not in CELLS:
            raise ConfigError(f"cell must be one of {', '.join(CELLS)}, got {cell!r}; {near(cell, CELLS)}")
        self.cell = cell
        self.vocabulary = len(embedding)
        self._net = pack(cell, embedding, layers, output, output_bias, projection, ngrams, top)
        depth, size = len(layers), self._net.inputs.shape[1]
        self._shape = depth, 2 if cell in ("lstm", "sru") else 1, size
        self._ends = np.full(ngrams.orders[-1] - 1 if ngrams else 0, self._net.ngrams.end, np.int64)

    def state(self, hidden: NDArray[Any] | None = None) -> State:
        """The state before any token, which is one behind an end of text.

        Args:
            hidden: ``[L, S, H]`` to begin with, which is copied; None for zeros. S is 2 for an lstm (h, c) and an
                sru (y, c), else 1.

        Raises:
            ConfigError: another shape.
        """
        if hidden is None:
            return State(np.zeros(self._shape, np.float32), self._ends.copy())
        if np.shape(hidden) != self._shape:
            raise ConfigError(
                f"hidden must have shape {self._shape}, got {np.shape(hidden)}; use what this model has made"
            )
        return State(vectors(hidden), self._ends.copy())

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
