"""What recurrent translators and the Transformer share: the words of both sides, and which places are scored.

Legend: S tokens of the longest source, T of the longest target, B sentences, N target tokens that are scored, D width
of an embedding, H width of what the softmax reads, V target vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..config import knob
from ..errors import ConfigError

#: Which tables of weights are one.
TIES = ("none", "target", "all")


@dataclass(frozen=True)
class TranslatorConfig:
    """The settings of every translator."""

    kind: str = knob("", "Which model.", derived=True)
    embedding: int = knob(256, "Width of the embedding of a token.", least=1, most=65536)
    dropout: float = knob(0.3, "Dropout on embeddings, between layers and before the softmax.", least=0, most=0.95)
    tied: str = knob(
        "none", "Share the softmax's weights with the target embedding, or all with the source's too.", choices=TIES
    )
    source_vocabulary: int = knob(0, "Tokens in the vocabulary of the source.", derived=True, least=0)
    target_vocabulary: int = knob(0, "Tokens in the vocabulary of the target.", derived=True, least=0)
    end: int = knob(0, "Id of the end of a target.", derived=True, least=0)
    joint: bool = knob(False, "Both sides have one vocabulary.", derived=True)


class Words(nn.Module):
    """The embeddings of both sides and the softmax layer (Press & Wolf 2017 for what is tied).

    ``source`` and ``target``: ids [...] -> [..., D]; ``logits``: [..., H] -> [..., V]. A tied softmax that reads
    another width than the embedding's has a projection H -> D before it. ``spread`` is the standard deviation of what
    embeddings begin with, where the softmax does not share them.

    Raises:
        ConfigError: everything is to be tied, but the two sides have two vocabularies.
    """

    def __init__(self, config: TranslatorConfig, width: int, spread: float) -> None:
        super().__init__()
        if config.tied == "all" and not config.joint:
            raise ConfigError("tied 'all' needs a joint vocabulary of both sides; take tied 'target', or a joint one")
        tied = config.tied != "none"
        self.target = nn.Embedding(config.target_vocabulary, config.embedding)
        self.source = self.target if config.tied == "all" else nn.Embedding(config.source_vocabulary, config.embedding)
        narrow = tied and config.embedding != width
        self.projection = nn.Linear(width, config.embedding, bias=False) if narrow else None
        self.output = nn.Linear(config.embedding if tied else width, config.target_vocabulary)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        for table in (self.target, self.source):
            nn.init.normal_(table.weight, std=config.embedding**-0.5 if tied else spread)
        if tied:
            self.output.weight = self.target.weight

    def logits(self, y: Tensor) -> Tensor:
        if self.projection is not None:
            y = self.projection(y)
        scores: Tensor = self.output(y)
        return scores


class Places:
    """The places of targets that hold a token, to leave the work on padding undone.

    Args:
        mask: [T, B], True where there is a token.
    """

    def __init__(self, mask: Tensor) -> None:
        self.shape = mask.shape
        self.by_step = mask.flatten().nonzero().squeeze(1)  # t * B + b
        self.full = len(self.by_step) == mask.numel()

    def of_steps(self, y: Tensor) -> Tensor:
        """y [T, B, H] -> [N, H], those of the first step first."""
        rows = y.flatten(0, 1)
        return rows if self.full else rows.index_select(0, self.by_step)

    def of_sentences(self, y: Tensor) -> Tensor:
        """y [B, T, H] -> [N, H] in the same order."""
        steps, sentences = self.shape
        return y.flatten(0, 1).index_select(0, self.by_step % sentences * steps + self.by_step // sentences)

    def laid_out(self, values: Tensor) -> Tensor:
        """values [N] -> [T, B], zeros at the other places."""
        return values.new_zeros(self.shape.numel()).index_copy(0, self.by_step, values).view(self.shape)
