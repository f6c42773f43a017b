"""How the tokens of a text become vectors: an embedding, vectors learned elsewhere, parts of words; or a mix.

Legend: T tokens, B texts, D width of the result, V vocabulary, U distinct words of a batch, P rows of their parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import knob

#: What may be done with vectors that were learned elsewhere (Kim 2014, section 3).
USES = ("tuned", "frozen", "both")


class Tokens(NamedTuple):
    """Some texts as a model reads them.

    Attributes:
        ids: [T, B], padded behind the end of each text with V, a row of zeros.
        lengths: [B], tokens of each text, at least 1.
        parts: [P], where words are made of parts: the rows of the table that make each word of the batch. ``ids`` are
            then places among these words, and padding is U.
        starts: [U], where each word begins in ``parts``.
    """

    ids: Tensor
    lengths: Tensor
    parts: Tensor
    starts: Tensor


@dataclass(frozen=True)
class WordInputConfig:
    """The input of a model that reads tokens."""

    embedding: int = knob(100, "Width of the embedding (with --vectors: theirs).", least=1, most=65536)
    vectors: str | None = knob(
        None, "Word vectors to begin with: a run of textdl train vectors, or a file (word2vec, GloVe, ...)."
    )
    vectors_use: str = knob(
        "tuned", "What is done with them: trained on, kept, or both side by side.", choices=USES, flag=False
    )
    dropout: float = knob(0.3, "Dropout on what goes into and out of the layers.", least=0, most=0.95)
    vocabulary: int = knob(0, "Rows of the embedding.", derived=True, least=0)
    subwords: bool = knob(False, "Words are made of parts.", derived=True)

    @property
    def width(self) -> int:
        """D, of what the layers read."""
        return self.embedding * (2 if self.vectors_use == "both" and self.vectors is not None else 1)


class WordInput(nn.Module):
    """``forward(tokens) -> x [T, B, D]``, zeros where there is padding.

    ``vectors_use`` "frozen" keeps the given vectors, "both" lays a copy that is trained beside them (the two channels of
    Kim 2014, here side by side and not summed, so that any layer can read them). A word made of parts is the mean of
    their rows (Bojanowski et al. 2017).
    """

    def __init__(self, config: WordInputConfig) -> None:
        super().__init__()
        self.subwords = config.subwords
        shape = config.vocabulary, config.embedding
        frozen = config.vectors is not None and config.vectors_use != "tuned"
        trained = config.vectors is None or config.vectors_use != "frozen"
        self.trained = nn.Parameter(torch.empty(shape)) if trained else None
        self.register_buffer("frozen", torch.zeros(shape) if frozen else None)
        if self.trained is not None:
            nn.init.normal_(self.trained, std=0.1)

    frozen: Tensor | None

    @torch.no_grad()
    def start_from(self, vectors: Tensor, known: Tensor) -> None:
        """Begin with given vectors [V, D]; rows that are not ``known`` [V] stay as they are, at their spread.

        The vectors are scaled as a whole, to the spread of an embedding that was drawn.
        """
        scaled = vectors * (0.1 / vectors[known].std().clamp_min(1e-12)) if known.any() else vectors
        for table in (self.trained, self.frozen):
            if table is not None:
                table[known] = scaled[known].to(table.device)

    def forward(self, tokens: Tokens) -> Tensor:
        channels = [self._read(table, tokens) for table in (self.trained, self.frozen) if table is not None]
        return channels[0] if len(channels) == 1 else torch.cat(channels, dim=-1)

    def _read(self, table: Tensor, tokens: Tokens) -> Tensor:
        """The vectors of a table [T, B, D]; padding has none."""
        if self.subwords:
            table = F.embedding_bag(tokens.parts, table, tokens.starts, mode="mean")  # [U, D]
        inside = tokens.ids < len(table)
        x = F.embedding(torch.where(inside, tokens.ids, 0), table)
        return x * inside.unsqueeze(-1)


def inside(tokens: Tokens) -> Tensor:
    """Where a token is of its text and not padding: [T, B, 1]."""
    steps = torch.arange(len(tokens.ids), device=tokens.ids.device)
    return (steps.unsqueeze(1) < tokens.lengths).unsqueeze(-1)
