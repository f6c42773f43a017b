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
from ..errors import ConfigError

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
    extra: int = knob(0, "Rows, before the last two, of words that only the given vectors know.", derived=True, least=0)
    subwords: bool = knob(False, "Words are made of parts.", derived=True)

    @property
    def width(self) -> int:
        """D, of what the layers read."""
        return self.embedding * (2 if self.vectors_use == "both" and self.vectors is not None else 1)


class WordInput(nn.Module):
    """``forward(tokens) -> x [T, B, D]``, zeros where there is padding.

    ``vectors_use`` "frozen" keeps the given vectors, "both" lays a copy that is trained beside them (the two channels
    of Kim 2014, here side by side and not summed, so that any layer can read them). A word made of parts is the mean
    of their rows (Bojanowski et al. 2017).

    Words that only the given vectors know have no text to be trained on: their rows are kept apart from the trained
    ones, which an optimiser goes over at every step.
    """

    def __init__(self, config: WordInputConfig) -> None:
        super().__init__()
        self.subwords = config.subwords
        self.extra, self.known = config.extra, config.vocabulary - config.extra - 2
        if self.extra and self.known < 0:
            raise ConfigError(f"extra must be at most vocabulary - 2, {config.vocabulary - 2}, got {self.extra}")
        shape = config.vocabulary, config.embedding
        frozen = config.vectors is not None and config.vectors_use != "tuned"
        trained = config.vectors is None or config.vectors_use != "frozen"
        self.trained = nn.Parameter(torch.empty(shape[0] - self.extra, shape[1])) if trained else None
        self.register_buffer("frozen", torch.zeros(shape) if frozen else None)
        self.register_buffer("kept", torch.zeros(self.extra, shape[1]) if trained and self.extra else None)
        if self.trained is not None:
            nn.init.normal_(self.trained, std=0.1)

    frozen: Tensor | None
    kept: Tensor | None

    @torch.no_grad()
    def start_from(self, vectors: Tensor, known: Tensor) -> None:
        """Begin with given vectors [V, D]; rows that are not ``known`` [V] stay as they are, at their spread.

        The vectors are scaled as a whole, to the spread of an embedding that was drawn.
        """
        scaled = vectors * (0.1 / vectors[known].std().clamp_min(1e-12)) if known.any() else vectors
        own = torch.ones(len(known), dtype=torch.bool)
        own[self.known : self.known + self.extra] = False
        for table, rows in ((self.trained, own), (self.kept, ~own), (self.frozen, torch.ones_like(own))):
            if table is not None:
                table[known[rows]] = scaled[rows][known[rows]].to(table.device)

    def forward(self, tokens: Tokens) -> Tensor:
        channels = []
        if self.trained is not None:
            channels.append(self._parts(tokens) if self.subwords else self._own(self.trained, tokens.ids))
        if self.frozen is not None:
            channels.append(_rows(self.frozen, tokens.ids))
        return channels[0] if len(channels) == 1 else torch.cat(channels, dim=-1)

    def _own(self, table: Tensor, ids: Tensor) -> Tensor:
        """The trained vectors [T, B, D]; of words that only the given vectors know, those that are kept."""
        if self.kept is None:
            return _rows(table, ids)
        behind = ids >= self.known + self.extra  # the last two rows, and padding
        apart = (ids >= self.known) & ~behind
        own = _rows(table, torch.where(behind, ids - self.extra, torch.where(apart, len(table), ids)))
        return own + _rows(self.kept, torch.where(apart, ids - self.known, len(self.kept)))

    def _parts(self, tokens: Tokens) -> Tensor:
        """The vectors [T, B, D] of words that are made of parts."""
        assert self.trained is not None
        return _rows(F.embedding_bag(tokens.parts, self.trained, tokens.starts, mode="mean"), tokens.ids)


def _rows(table: Tensor, ids: Tensor) -> Tensor:
    """The rows [T, B, D] of a table [R, D]; zeros for an id of R, which is padding."""
    inside = ids < len(table)
    x = F.embedding(torch.where(inside, ids, 0), table)
    return x * inside.unsqueeze(-1)


def inside(tokens: Tokens) -> Tensor:
    """Where a token is of its text and not padding: [T, B, 1]."""
    steps = torch.arange(len(tokens.ids), device=tokens.ids.device)
    return (steps.unsqueeze(1) < tokens.lengths).unsqueeze(-1)
