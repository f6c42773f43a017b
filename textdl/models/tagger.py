"""A tagger: each word of a sentence gets a tag (Huang et al. 2015; Lample et al. 2016; Ma & Hovy 2016).

Legend: T places, B sentences, C tags, D width of what is known of a word, U distinct words of a batch, L letters of the
longest of them, V rows of the embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError
from .bidirectional import Reading
from .crf import Chain
from .recurrent import CELLS, check_cell, locked_dropout
from .spelling_input import SPELLINGS, SpellingInput
from .word_input import Tokens, WordInput, WordInputConfig


@dataclass(frozen=True)
class TaggerConfig(WordInputConfig):
    """What the network looks like."""

    cell: str = knob("lstm", "Recurrent cell.", choices=tuple(CELLS))
    hidden: int = knob(200, "Width of the recurrent state, of each direction.", least=1, most=65536)
    layers: int = knob(1, "Recurrent layers.", least=1, most=64)
    bidirectional: bool = knob(True, "Read from both ends.")
    characters: str = knob("cnn", "How the spelling of a word is read.", choices=SPELLINGS)
    character_features: int = knob(60, "Numbers that tell the spelling of a word.", least=2, most=65536, flag=False)
    character_embedding: int = knob(30, "Width of the embedding of a character.", least=1, most=65536, flag=False)
    crf: bool | None = knob(
        None, "Judge the tags of a sentence together (a conditional random field; default: where tags mark spans)."
    )
    dropout: float = knob(0.5, "Dropout on what goes into and out of the layers.", least=0, most=0.95)
    recurrent_dropout: float = knob(0.0, "Dropout on the recurrent weights.", least=0, most=0.95, flag=False)
    word_dropout: float = knob(
        0.5,
        "While training a word seen n times is taken for unknown with the probability x / (x + n).",
        least=0,
        most=1e6,
        flag=False,
    )
    tags: int = knob(2, "Tags.", derived=True, least=1)
    letters: int = knob(2, "Characters that are known.", derived=True, least=1)
    spans: bool = knob(False, "Tags mark spans (B-, I- and O).", derived=True)

    def __post_init__(self) -> None:
        check(self)
        check_cell(self.cell, self.recurrent_dropout, False)
        if self.characters == "lstm" and self.character_features % 2:
            raise ConfigError(
                f"character_features must be even for --characters lstm (half a direction), "
                f"got {self.character_features}"
            )

    @property
    def chained(self) -> bool:
        """Whether there is a conditional random field."""
        return self.spans if self.crf is None else self.crf


class Words(NamedTuple):
    """Some sentences as a tagger reads them.

    Attributes:
        ids: [T, B], the row of each word; V behind the end of a sentence.
        lengths: [B], words of each sentence, at least 1.
        places: [T, B], which of the distinct words it is; U behind the end.
        letters: [L, U], their spelling.
        counts: [U], letters of each.
    """

    ids: Tensor
    lengths: Tensor
    places: Tensor
    letters: Tensor
    counts: Tensor


class Tagger(nn.Module):
    """``forward(words) -> emissions [T, B, C]``; with tags [T, B] the log-probability of these [B], in nats.

    What is known of a word (its embedding, the features of its spelling) is read by recurrent layers in both
    directions; a linear layer scores the tags; the chain makes paths of them. Dropout is locked: one mask for all
    places of a sentence. The row before padding, V - 1, is that of unknown words.
    """

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__()
        self.config = config
        self.input = WordInput(config)
        self.spelling = (
            SpellingInput(config.characters, config.letters, config.character_embedding, config.character_features)
            if config.characters != "none"
            else None
        )
        width = config.width + (config.character_features if self.spelling is not None else 0)
        self.reading = Reading(
            config.cell,
            width,
            config.hidden,
            config.layers,
            config.bidirectional,
            config.dropout,
            config.recurrent_dropout,
        )
        self.head = nn.Linear(self.reading.width, config.tags)
        nn.init.zeros_(self.head.bias)
        self.chain = Chain(config.tags, config.chained)
        self.register_buffer("chances", torch.zeros(config.vocabulary + 1))

    chances: Tensor

    def forget(self, counts: Tensor) -> None:
        """How often each row's word was seen [V], which says how often it is taken for unknown while training.

        The rarer, the oftener, as in Kiperwasser & Goldberg 2016; so that the row of unknown words is learned, on words
        that are like those to come.
        """
        share = self.config.word_dropout
        seen = counts.to(self.chances)
        self.chances[:-1] = torch.where(seen > 0, share / (share + seen).clamp_min(1e-9), 0.0)

    def forward(self, words: Words, tags: Tensor | None = None) -> Tensor:
        words = Words(*words)
        x = locked_dropout(self.known(words), self.config.dropout, self.training)
        y = locked_dropout(self.reading(x, words.lengths), self.config.dropout, self.training)
        emissions: Tensor = self.head(y)
        return emissions if tags is None else self.chain.log_prob(emissions, tags, words.lengths)

    def known(self, words: Words) -> Tensor:
        """What is known of each word by itself: [T, B, D], zeros behind the end of a sentence."""
        ids = words.ids
        if self.training and self.config.word_dropout:
            drawn = torch.rand(ids.shape, device=ids.device) < F.embedding(ids, self.chances.unsqueeze(-1)).squeeze(-1)
            ids = torch.where(drawn, self.config.vocabulary - 1, ids)
        nothing = words.lengths[:0]
        x: Tensor = self.input(Tokens(ids, words.lengths, nothing, nothing))
        if self.spelling is None:
            return x
        features = self.spelling(words.letters, words.counts)
        features = torch.cat([features, features.new_zeros(1, features.shape[1])])  # of padding
        return torch.cat([x, F.embedding(words.places, features).to(x.dtype)], dim=-1)
