"""A recurrent encoder and decoder, with attention or without.

Legend: B sentences, S tokens of the longest source, T of the longest target, K hypotheses of each sentence, D width of
an embedding, H width of the decoder's state, E width of what is remembered of a source token, L layers of the decoder,
P tensors in a cell's state, N target tokens that are scored, V target vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError
from .bidirectional import Reading
from .recurrent import CELLS, Recurrent, locked_dropout
from .source_attention import SCORES, SourceAttention
from .translating import Memory, Scored, Side, State, Step, Translator, inside
from .translator_parts import Places, TranslatorConfig, Words


@dataclass(frozen=True)
class RecurrentTranslatorConfig(TranslatorConfig):
    """A recurrent encoder and decoder; their cell is the kind: lstm, gru, rnn or sru."""

    kind: str = knob("lstm", "Which model.", choices=tuple(CELLS), derived=True)
    hidden: int = knob(
        256, "Width of the decoder's state, and of the encoder's (both directions).", least=1, most=65536
    )
    layers: int = knob(1, "Recurrent layers of the encoder, and of the decoder.", least=1, most=64)
    bidirectional: bool = knob(True, "Read the source from both ends.")
    attention: str = knob("additive", "How the decoder looks at the source.", choices=("none", *SCORES))
    input_feeding: bool = knob(False, "The decoder also reads what it last made of the source (slower).")
    coverage: float = knob(
        0.0, "Weight of the loss of looking at the same words again (0: none, and no record of it).", least=0
    )

    def __post_init__(self) -> None:
        check(self)
        if self.bidirectional and self.hidden % 2:
            raise ConfigError(f"hidden must be even for an encoder of two directions, got {self.hidden}; add one")
        for name in ("input_feeding", "coverage"):
            if self.attention == "none" and getattr(self, name):
                raise ConfigError(f"{name} needs attention, and attention is 'none'; leave it out, or take 'general'")


class RecurrentTranslator(Translator):
    """Encoder and decoder after Sutskever et al. 2014 and Cho et al. 2014, attention after Luong et al. 2015.

    The decoder begins with states made of the encoder's last ones, by a linear layer and tanh. Without attention that
    is all that it knows of the source. With it, its state h looks at the source and finds c, and the softmax reads
    tanh(W [c; h]). It looks with its state after it has read the token before, for every kind of score, as Luong did;
    Bahdanau's first model looked with the state before that. Input feeding (Luong's, section 3.3) hands this vector to
    the next step beside the token. Coverage adds See et al.'s loss (2017), Σ min(attention, attention so far).

    Where nothing is handed on but the state, all T steps run at once, fused. Scheduled sampling finds its own choices
    first, without gradient, step by step; what is learned from is then an ordinary pass over the tokens so mixed.
    """

    def __init__(self, config: RecurrentTranslatorConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        each = hidden // 2 if config.bidirectional else hidden
        fed = hidden if config.input_feeding else 0
        # Embeddings are drawn large, so that states differ from the first step on: attention must tell them apart
        # before it can learn where to look.
        self.words = Words(config, hidden, spread=1.0)
        self.encoder = Reading(config.kind, config.embedding, each, config.layers, config.bidirectional, config.dropout)
        self.decoder = Recurrent(config.kind, config.embedding + fed, hidden, config.layers, config.dropout)
        # An SRU begins with its c alone: the y of its state is only told, never read.
        self.given = 1 if config.kind == "sru" else self.decoder.state_tensors
        self.bridge = nn.Linear(self.encoder.width, config.layers * self.given * hidden)
        nn.init.xavier_uniform_(self.bridge.weight)
        nn.init.zeros_(self.bridge.bias)
        self.attention: SourceAttention | None = None
        if config.attention != "none":
            self.attention = SourceAttention(config.attention, hidden, self.encoder.width, config.coverage > 0)
            self.combine = nn.Linear(self.encoder.width + hidden, hidden, bias=False)
            nn.init.xavier_uniform_(self.combine.weight)

    def encode(self, source: Side) -> Memory:
        x = locked_dropout(self.words.source(source.ids), self.config.dropout, self.training)  # [S, B, D]
        y = self.encoder(x, source.lengths)  # [S, B, E]
        sentences = torch.arange(y.shape[1], device=y.device)
        last = y[source.lengths - 1, sentences]  # [B, E]
        if self.config.bidirectional:
            half = y.shape[2] // 2
            last = torch.cat([last[:, :half], y[0, :, half:]], dim=-1)
        values = y.transpose(0, 1)
        keys = values[..., :0] if self.attention is None else self.attention.keys(values)
        return Memory(values, keys, inside(source).T, (last,))

    def begin(self, memory: Memory) -> State:
        """The recurrent state [B, L, P, H]; then the vector that is fed [B, H] and the coverage [B, S], where used."""
        first = torch.tanh(self.bridge(memory.last[0])).float()
        first = first.view(len(first), self.config.layers, self.given, self.config.hidden)
        state = [first.expand(-1, -1, self.decoder.state_tensors, -1)]
        if self.config.input_feeding:
            state.append(first.new_zeros(len(first), self.config.hidden))
        if self.config.coverage:
            state.append(first.new_zeros(memory.mask.shape))
        return tuple(state)

    def step(self, ids: Tensor, state: State, memory: Memory) -> Step:
        y, state, attention = self._advance(self.words.target(ids.flatten()), state, memory)
        return Step(self.words.logits(y).view(*ids.shape, -1), state, attention)

    def forward(self, source: Side, before: Side, own: float = 0.0) -> Scored:
        memory = self.encode(source)
        mask = inside(before)
        ids = before.ids if own <= 0 else self._mixed(before.ids, memory, own)
        x = locked_dropout(self.words.target(ids), self.config.dropout, self.training)  # [T, B, D]
        places, state, penalty = Places(mask), self.begin(memory), None
        if self.config.input_feeding or self.config.coverage:
            outputs, penalty = self._by_steps(x, state, memory, mask)
            y = places.of_steps(outputs)
        else:
            h = self.decoder(x, _inner(state[0]))[0]  # [T, B, H]
            y = places.of_steps(h)
            if self.attention is not None:
                context = self.attention(h.transpose(0, 1), memory)[0]  # [B, T, E]
                y = self._combined(places.of_sentences(context), y)
        return Scored(self.words.logits(F.dropout(y, self.config.dropout, self.training)), penalty)

    def _advance(self, x: Tensor, state: State, memory: Memory) -> tuple[Tensor, State, Tensor | None]:
        """One step of all hypotheses, x [B * K, D] -> what the softmax reads [B * K, H], state, attention [B, K, S]."""
        config, (inner, *others) = self.config, state
        if config.input_feeding:
            x = torch.cat([x, others[0]], dim=-1)
        h, inner = self.decoder(x.unsqueeze(0), _inner(inner))
        y, after = h[0], [inner.permute(2, 0, 1, 3)]
        if self.attention is None:
            return y, tuple(after), None
        sentences = len(memory.mask)
        coverage = others[-1].view(sentences, -1, memory.mask.shape[1]) if config.coverage else None
        context, weights = self.attention(y.view(sentences, -1, y.shape[-1]), memory, coverage)
        y = self._combined(context.flatten(0, 1), y)
        if config.input_feeding:
            after.append(y.float())
        if coverage is not None:
            after.append((coverage + weights).flatten(0, 1))
        return y, tuple(after), weights

    def _combined(self, context: Tensor, h: Tensor) -> Tensor:
        """What the softmax reads, of what was seen [..., E] and the state [..., H]: [..., H]."""
        return torch.tanh(self.combine(torch.cat([context, h], dim=-1)))

    def _by_steps(self, x: Tensor, state: State, memory: Memory, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """All steps of x [T, B, D], one after the other: what the softmax reads [T, B, H], and the penalty."""
        outputs, penalty = [], torch.zeros((), device=x.device)
        for here, there in zip(x, mask, strict=True):
            before = state[-1]
            y, state, attention = self._advance(here, state, memory)
            outputs.append(y)
            if self.config.coverage and attention is not None:
                again = torch.minimum(attention.squeeze(1), before).sum(-1)  # [B]
                penalty = penalty + (again * there).sum()
        return torch.stack(outputs), self.config.coverage * penalty if self.config.coverage else None

    @torch.no_grad()
    def _mixed(self, ids: Tensor, memory: Memory, own: float) -> Tensor:
        """ids [T, B] with a share of them replaced by what the model itself would say there (Bengio et al. 2015)."""
        read, state = ids.clone(), self.begin(memory)
        drawn = torch.rand(ids.shape, device=ids.device) < own
        for here in range(len(ids) - 1):
            y, state, _ = self._advance(self.words.target(read[here]), state, memory)
            rows = drawn[here + 1].nonzero().squeeze(1)
            read[here + 1, rows] = self.words.logits(y[rows]).argmax(-1)
        torch.clear_autocast_cache()  # an older torch would take the weights cast here, without gradient, again later
        return read


def _inner(state: Tensor) -> Tensor:
    """The state as recurrent layers have it: [B, L, P, H] -> [L, P, B, H]."""
    return state.permute(1, 2, 0, 3).contiguous()
