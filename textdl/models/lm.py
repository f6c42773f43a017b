"""A recurrent language model: embedding, recurrent layers, softmax (Mikolov et al. 2010; Graves 2013).

Legend: T time steps, B sequences, V vocabulary, D width of embedding, H width of state, L layers, S state tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError
from ..kernels.ngrams import orders_of
from .ngrams import NgramEmbedding
from .recurrent import CELLS, Recurrent, check_cell, locked_dropout


@dataclass(frozen=True)
class LanguageModelConfig:
    """What the network looks like."""

    cell: str = knob("sru", "Recurrent cell.", choices=tuple(CELLS))
    hidden: int = knob(256, "Width of the recurrent state.", least=1, most=65536)
    layers: int = knob(2, "Recurrent layers.", least=1, most=64)
    embedding: int = knob(64, "Width of the embedding of a token.", least=1, most=65536)
    dropout: float = knob(0.0, "Dropout on the embedding, between layers and before the softmax.", least=0, most=0.95)
    recurrent_dropout: float = knob(0.0, "Dropout on the recurrent weights.", least=0, most=0.95)
    layer_norm: bool = knob(False, "Layer normalisation inside the cell (slower: no fused kernel has it).")
    tied: bool = knob(False, "Share the embedding's weights with the softmax.")
    ngrams: int = knob(13, "Longest n-gram of tokens with a hashed embedding (3, 5, 8, 13; 0: none).", least=0, most=13)
    ngram_rows: int = knob(16384, "Rows of each table of n-grams, a power of two.", least=2, most=2**24, flag=False)
    vocabulary: int = knob(0, "Tokens in the vocabulary.", derived=True, least=0)
    end: int = knob(0, "Id of the end of text.", derived=True, least=0)

    def __post_init__(self) -> None:
        check(self)
        check_cell(self.cell, self.recurrent_dropout, self.layer_norm)
        if self.ngram_rows & (self.ngram_rows - 1):
            raise ConfigError(f"ngram_rows must be a power of two, got {self.ngram_rows}")


class LanguageModel(nn.Module):
    """``forward(ids [C + T, B], state) -> (logits [T, B, V], state [L, S, B, H])``: scores of the next token.

    The first C = ``context`` rows of ids are only context, for the n-grams that end at the first tokens.
    """

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.embedding)
        longest = config.ngrams
        some = orders_of(longest)
        self.ngrams = NgramEmbedding(longest, config.ngram_rows, config.embedding, config.end) if some else None
        self.context = self.ngrams.context if self.ngrams is not None else 0
        self.recurrent = Recurrent(
            config.cell,
            config.embedding,
            config.hidden,
            config.layers,
            config.dropout,
            config.recurrent_dropout,
            config.layer_norm,
        )
        narrow = config.tied and config.embedding != config.hidden
        self.projection = nn.Linear(config.hidden, config.embedding, bias=False) if narrow else None
        self.output = nn.Linear(config.embedding if config.tied else config.hidden, config.vocabulary)
        nn.init.normal_(self.embedding.weight, std=config.embedding**-0.5 if config.tied else 1.0)
        nn.init.zeros_(self.output.bias)
        if config.tied:
            self.output.weight = self.embedding.weight
        # The state [L, S, H] in which a text begins, found after training: that of a reader who has just finished
        # another one. From a state of zeros, which it has hardly ever been in, a model takes long to find its feet.
        self.register_buffer("opening", self.recurrent.zero_state(1, self.output.weight)[:, :, 0])

    opening: Tensor

    def forward(self, ids: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        share = self.config.dropout
        x = self.embedding(ids[self.context :])  # [T, B, D]
        if self.ngrams is not None:
            x = x + self.ngrams(ids)
        x = locked_dropout(x, share, self.training)
        y, state = self.recurrent(x, state)  # [T, B, H]
        y = locked_dropout(y, share, self.training)
        if self.projection is not None:
            y = self.projection(y)  # [T, B, D]
        return self.output(y), state
