"""A classifier that begins with the layers of a language model (Howard & Ruder 2018, "ULMFiT").

Legend: T tokens, B texts, D width of the embedding, H width of a state, L layers, S state tensors, E width of what is
known of a text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..config import check, knob
from ..kernels.ngrams import orders_of
from .classifier_config import ClassifierConfig
from .lm import LanguageModel, LanguageModelConfig
from .ngrams import NgramEmbedding
from .pooling import POOLINGS, Pooling
from .recurrent import Recurrent, locked_dropout
from .word_input import Tokens


@dataclass(frozen=True)
class TransferConfig(ClassifierConfig):
    """A language model's layers, what they know of a text pooled, and a layer that is new."""

    kind: str = knob("lm", "Which model.", derived=True)
    encoder: str | None = knob(None, "Run of textdl train lm (words, BPE, ...) whose layers it begins with.")
    hidden: int = knob(50, "Width of the new layer below the last one.", least=1, most=65536)
    pooling: str = knob("all", "What becomes of the states of all tokens.", choices=POOLINGS)
    embedding: int = knob(64, "That of the language model.", derived=True, least=1)
    vectors: str | None = knob(None, "None: the language model has its own.", derived=True)
    vectors_use: str = knob("tuned", "Of no meaning here.", derived=True)
    language_model: LanguageModelConfig = field(default_factory=LanguageModelConfig)

    def __post_init__(self) -> None:
        check(self)


class LanguageInput(nn.Module):
    """``forward(tokens) -> x [T, B, D]``: what the recurrent layers of the language model read."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocabulary, config.embedding)
        self.end = config.end
        longest, rows = config.ngrams, config.ngram_rows
        some = orders_of(longest)
        self.ngrams = NgramEmbedding(longest, rows, config.embedding, config.end) if some else None

    def forward(self, tokens: Tokens) -> Tensor:
        inside = tokens.ids < self.embedding.num_embeddings
        ids = torch.where(inside, tokens.ids, self.end)
        x: Tensor = self.embedding(ids)
        if self.ngrams is not None:
            x = x + self.ngrams(nn.functional.pad(ids, (0, 0, self.ngrams.context, 0), value=self.end))
        return x * inside.unsqueeze(-1)


class TransferEncoder(nn.Module):
    """``forward(x [T, B, D], mask [T, B, 1], lengths [B]) -> [B, E]``."""

    opening: Tensor

    def __init__(self, config: TransferConfig) -> None:
        super().__init__()
        model = config.language_model
        self.share = config.dropout
        self.recurrent = Recurrent(
            model.cell,
            model.embedding,
            model.hidden,
            model.layers,
            config.dropout,
            model.recurrent_dropout,
            model.layer_norm,
        )
        self.pooling = Pooling(config.pooling, model.hidden)
        last = nn.Linear(self.pooling.width, config.hidden)
        self.new = nn.Sequential(nn.LayerNorm(self.pooling.width), last, nn.ReLU())
        self.width = config.hidden
        self.register_buffer("opening", self.recurrent.zero_state(1, last.weight)[:, :, 0])

    def forward(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        y = locked_dropout(self._states(x), self.share, self.training)
        known: Tensor = self.new(self.pooling(y, mask))
        return known

    def attention(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor | None:
        """The weights of the tokens [T, B, 1], where pooling is by attention."""
        if self.pooling.kind != "attention":
            return None
        return self.pooling.attention(self._states(x), mask)

    def _states(self, x: Tensor) -> Tensor:
        """What the last layer says after each token, read from the beginning of a text: [T, B, H]."""
        state = self.opening.unsqueeze(2).expand(-1, -1, x.shape[1], -1)  # [L, S, B, H]
        y: Tensor = self.recurrent(x, state.contiguous())[0]
        return y


@torch.no_grad()
def begin_with(part: LanguageInput, encoder: TransferEncoder, model: LanguageModel) -> None:
    """Copy the weights of a language model, and the state in which it begins a text."""
    part.embedding.load_state_dict(model.embedding.state_dict())
    if part.ngrams is not None and model.ngrams is not None:
        part.ngrams.load_state_dict(model.ngrams.state_dict())
    encoder.recurrent.load_state_dict(model.recurrent.state_dict())
    encoder.opening.copy_(model.opening)


def depths(part: LanguageInput, encoder: TransferEncoder) -> list[list[nn.Parameter]]:
    """The parameters that come from the language model, layer by layer, the highest first, its input last."""
    recurrent = encoder.recurrent
    found: list[list[nn.Parameter]] = []
    for number in reversed(range(len(recurrent.layers))):
        own = list(recurrent.layers[number].parameters())
        if recurrent.norms is not None:
            own += list(recurrent.norms[number].parameters())
        found.append(own)
    if recurrent.top is not None:
        found[0] += list(recurrent.top.parameters())
    return [*found, list(part.parameters())]
