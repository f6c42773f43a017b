"""Writing text with a language model, token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from ..config import check, knob
from ..errors import PromptError
from ..kernels.packing import LayerWeights, NgramWeights
from ..kernels.recurrent import State, Stepper
from ..kernels.sampling import pick
from ..models.lm import LanguageModel
from ..models.recurrent import Recurrent
from ..text.tokenizers import Tokenizer
from .conditioned_text import MARK

#: Tokens generated between two pieces of a stream.
_CHUNK = 16


@dataclass(frozen=True)
class GenerationConfig:
    """How a text is drawn from the model."""

    length: int = knob(1000, "Most tokens (characters, for a character model) to write.", least=1, most=100_000_000)
    count: int = knob(1, "Texts to write.", least=1, most=1_000_000)
    temperature: float = knob(0.7, "Below 1 safer, above 1 wilder, 0 always the likeliest.", least=0, most=100)
    top_k: int = knob(0, "Draw from the k likeliest tokens only (0: from all).", least=0)
    top_p: float = knob(1.0, "Draw from the likeliest tokens that hold this share of the probability.", above=0, most=1)
    stop: tuple[str, ...] = knob((), "Stop where this text appears (it is left out).")
    seed: int | None = knob(None, "Seed; the same one writes the same text (default: a new one each time).", least=0)

    def __post_init__(self) -> None:
        check(self)


class Steps(Protocol):
    """A model that is run token by token: the numba kernel on a CPU, torch elsewhere."""

    def state(self, hidden: np.ndarray | None = None) -> State:
        """The state before the first token: ``hidden`` [L, S, H], or zeros; and no token read."""

    def feed(self, state: State, ids: Sequence[int] | np.ndarray) -> tuple[State, np.ndarray]:
        """Read ids [N]; returns the state and the scores [V] of the next token."""

    def generate(
        self,
        state: State,
        logits: np.ndarray,
        count: int,
        uniforms: np.ndarray,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        stop_ids: Sequence[int] | np.ndarray = (),
        banned_ids: Sequence[int] | np.ndarray = (),
    ) -> tuple[np.ndarray, State, np.ndarray]:
        """Draw up to ``count`` tokens; returns their ids, the state and the scores of the next one."""


class TorchSteps:
    """``Steps`` by the torch model itself, on whatever device it is on."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self._device = next(model.parameters()).device

    def state(self, hidden: np.ndarray | None = None) -> State:
        """The state before the first token: ``hidden`` [L, S, H], or zeros; and no token read."""
        if hidden is None:
            hidden = np.zeros(self.model.opening.shape, np.float32)
        return State(hidden, np.full(self.model.context, self.model.config.end))

    @torch.no_grad()
    def feed(self, state: State, ids: Sequence[int] | np.ndarray) -> tuple[State, np.ndarray]:
        """Read ids [N]; returns the state and the scores [V] of the next token."""
        read = np.concatenate([state.recent, np.asarray(ids, dtype=np.int64)])
        before = torch.as_tensor(state.hidden, device=self._device).unsqueeze(2)
        logits, after = self.model(torch.as_tensor(read, device=self._device).unsqueeze(1), before)
        recent = read[len(read) - self.model.context :]
        return State(after[:, :, 0].float().cpu().numpy(), recent), logits[-1, 0].float().cpu().numpy()

    def generate(
        self,
        state: State,
        logits: np.ndarray,
        count: int,
        uniforms: np.ndarray,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        stop_ids: Sequence[int] | np.ndarray = (),
        banned_ids: Sequence[int] | np.ndarray = (),
    ) -> tuple[np.ndarray, State, np.ndarray]:
        """Draw up to ``count`` tokens, ending after a stop id."""
        ids = []
        for uniform in uniforms[:count]:
            ids.append(pick(logits, float(uniform), temperature, top_k, top_p, np.asarray(banned_ids, dtype=np.int64)))
            state, logits = self.feed(state, ids[-1:])
            if ids[-1] in stop_ids:
                break
        return np.array(ids, dtype=np.int64), state, logits


def steps_of(model: LanguageModel) -> Steps:
    """The quickest way to run a model token by token: the compiled kernel on a CPU, torch on a GPU."""
    if next(model.parameters()).device.type != "cpu":
        return TorchSteps(model)
    recurrent, arrays = model.recurrent, {n: p.detach().float().numpy() for n, p in model.named_parameters()}
    layers = [_layer_weights(recurrent, arrays, number) for number in range(len(recurrent.layers))]
    embedding, projection, ngrams = arrays["embedding.weight"], arrays.get("projection.weight"), None
    if model.ngrams is not None:
        tables = [arrays[f"ngrams.tables.{number}.weight"] for number in range(len(model.ngrams.orders))]
        ngrams = NgramWeights(tables, model.ngrams.orders, model.config.end)
    return Stepper(
        recurrent.cell,
        embedding,
        layers,
        arrays.get("output.weight", embedding),
        arrays["output.bias"],
        None if projection is None else projection.T,
        ngrams,
        None if recurrent.top is None else (arrays["recurrent.top.weight"], arrays["recurrent.top.bias"]),
    )


def _layer_weights(recurrent: Recurrent, arrays: dict[str, np.ndarray], number: int) -> LayerWeights:
    """One layer's weights as the kernel names them."""
    at, norms = f"recurrent.layers.{number}.", f"recurrent.norms.{number}."
    if recurrent.cell == "sru":
        weight, bias, gain, norm_bias = (arrays[at + part] for part in ("weight", "bias", "norm.weight", "norm.bias"))
        return LayerWeights(weight, None, bias, None, gain_cell=gain, norm_bias_cell=norm_bias)
    return LayerWeights(
        *(arrays[f"{at}{part}_l0"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
        *(
            arrays.get(norms + part)
            for part in ("gain_ih", "bias_ih", "gain_hh", "bias_hh", "memory.weight", "memory.bias")
        ),
    )


def write(
    steps: Steps,
    tokenizer: Tokenizer,
    prompt: str,
    config: GenerationConfig,
    seed: int,
    number: int,
    opening: np.ndarray | None,
    given: Sequence[int] = (),
) -> Iterator[str]:
    """One text, in pieces as it is written, the prompt first.

    Args:
        steps: the model.
        tokenizer: its tokenizer.
        prompt: how the text begins.
        config: how to draw.
        seed: seed of the draw.
        number: which of the texts of that seed this is.
        opening: the state in which a text begins, for a model that has learnt how texts begin; else None.
        given: ids of the condition that the text is written on, the mark last; they are read first and not written.

    Raises:
        PromptError: the prompt holds what the model has never seen.
    """
    refuse_unknown(tokenizer, prompt, "prompt", MARK if given else "")
    read = tokenizer.encode(prompt).tolist()
    ids = [tokenizer.end, *given, *read] if given or opening is not None or not prompt else read
    banned = [*tokenizer.never.tolist(), *given[-1:]]
    uniforms = np.random.default_rng([seed, number]).random(config.length)
    decoder, guard = tokenizer.decoder(), _StopGuard(config.stop)
    if prompt:
        yield prompt
    for token in read:
        decoder.push(token)  # so that the first new word is spaced from the prompt's last one
    state, logits = steps.feed(steps.state(opening), ids)
    written = 0
    while written < config.length and not guard.stopped:
        part = uniforms[written : written + _CHUNK]
        new, state, logits = steps.generate(
            state,
            logits,
            len(part),
            part,
            config.temperature,
            config.top_k,
            config.top_p,
            [tokenizer.end],
            banned,
        )
        written += len(new)
        ended = bool(len(new)) and int(new[-1]) == tokenizer.end
        piece = "".join(decoder.push(int(i)) for i in new if i != tokenizer.end)
        if ended or written >= config.length:
            piece += decoder.flush()
            yield guard.push(piece) + guard.flush()
            return
        if piece := guard.push(piece):
            yield piece


def refuse_unknown(tokenizer: Tokenizer, text: str, what: str, reserved: str = "") -> None:
    """Raise a ``PromptError`` where a text that is given to a model holds what it can not read.

    Args:
        what: what the text is, for the message.
        reserved: a character that has a meaning of its own to the model; "" for none.
    """
    unknown = (reserved,) if reserved and reserved in text else tokenizer.unknown(text)
    if unknown:
        listed = ", ".join(repr(part) for part in unknown[:8]) + (", ..." if len(unknown) > 8 else "")
        raise PromptError(f"the {what} holds {tokenizer.unit}s that the model has never seen: {listed}; leave them out")


class _StopGuard:
    """Cuts a stream at the first of some texts, also when it lies across two pieces."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._keep = max((len(stop) for stop in self._stops), default=1) - 1
        self._held = ""
        self.stopped = False

    def push(self, piece: str) -> str:
        """What may be shown of the text so far; the rest is held until it can not be the start of a stop."""
        if self.stopped:
            return ""
        text = self._held + piece
        at = min((i for i in (text.find(stop) for stop in self._stops) if i >= 0), default=-1)
        if at >= 0:
            self.stopped, self._held = True, ""
            return text[:at]
        keep = min(self._keep, len(text))
        self._held = text[len(text) - keep :] if keep else ""
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What is still held, at the end."""
        held, self._held = self._held, ""
        return "" if self.stopped else held
