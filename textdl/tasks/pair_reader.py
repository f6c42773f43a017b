"""Pairs of texts as a translator reads them: cut into tokens, the long ones left out, in batches.

Legend: N pairs, B pairs of a batch, S and T tokens of its longest source and target.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import artifact
from ..config import knob
from ..errors import ConfigError, CorpusError
from ..models.translating import Side
from ..parallel import ParallelConfig, ParallelCorpus
from ..text.base import KINDS, LEAST_BPE, Ids, Tokenizer, TokenizerConfig
from ..text.buckets import Ragged
from ..text.tokenizers import load_tokenizer, train_tokenizer
from ..text.word_rules import Spacing
from ..text.words import WordTokenizer
from ..training.events import Observer, Reading

_TOLD = 1_000_000  # characters between two events


@dataclass(frozen=True)
class PairsConfig(ParallelConfig, TokenizerConfig):
    """What is read, and how a text is cut."""

    tokenizer: str = knob("bpe", "What one token is.", choices=KINDS)
    vocabulary: int = knob(8000, "Largest vocabulary, for words and bpe.", least=4)
    joint: bool | None = knob(None, "One vocabulary for both sides (default: yes, but for words).")
    longest: int = knob(100, "Pairs with a side of more tokens are left out of training.", least=1, most=100_000)

    def __post_init__(self) -> None:
        ParallelConfig.__post_init__(self)
        if self.tokenizer == "bpe" and self.vocabulary < LEAST_BPE:
            raise ConfigError(f"vocabulary must be at least {LEAST_BPE} for bpe, got {self.vocabulary}")

    @property
    def one_vocabulary(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.tokenizer != "words" if self.joint is None else self.joint

    def tokenizing(self) -> TokenizerConfig:
        """How the tokenizers are trained."""
        return TokenizerConfig(self.tokenizer, self.vocabulary, self.min_count, self.lowercase)


@dataclass(frozen=True)
class Texts:
    """N pairs in memory."""

    sources: list[str]
    targets: list[str]

    def __len__(self) -> int:
        return len(self.sources)


def read_pairs(corpus: ParallelCorpus, split: str, tell: Observer = lambda event: None) -> Texts:
    """The pairs of a split, in their order."""
    found, done, told = Texts([], []), 0, 0
    hint = corpus.corpus.size_hint(split)
    for source, target in corpus.pairs(split):
        found.sources.append(source)
        found.targets.append(target)
        done += len(source)
        if done - told >= _TOLD:
            told = done
            tell(Reading(f"reading {split}", done, hint))
    return found


@dataclass(frozen=True)
class Read:
    """Pairs as tokens.

    Attributes:
        sources, targets: the ids of each, without an end.
        kept: which of the pairs that were read these are, [N].
    """

    sources: Ragged
    targets: Ragged
    kept: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kept)


class Batch(NamedTuple):
    """Some pairs as the trainer is given them.

    Attributes:
        source: B sources.
        before: what stands before each target token and the end: [T + 1, B].
        aims: [N], the target tokens and ends in the order in which the model scores them.
        own: the share of tokens that are the model's own choice.
    """

    source: Side
    before: Side
    aims: Tensor
    own: float


class PairReader:
    """Turns texts into what the model reads, and its tokens into texts.

    Args:
        source, target: the tokenizers, one and the same where there is one vocabulary.
    """

    def __init__(self, source: Tokenizer, target: Tokenizer) -> None:
        self.source, self.target = source, target

    @classmethod
    def train(cls, texts: Texts, config: PairsConfig) -> PairReader:
        """Train the tokenizers on pairs."""
        settings = config.tokenizing()
        if config.one_vocabulary:
            both = train_tokenizer(map(_spaced(settings.tokenizer), [*texts.sources, *texts.targets]), settings)
            return cls(both, both)
        sides = (
            train_tokenizer(map(_spaced(settings.tokenizer), side), settings) for side in (texts.sources, texts.targets)
        )
        return cls(*sides)

    @classmethod
    def load(cls, path: Path) -> PairReader:
        """Those in a run folder."""
        source = load_tokenizer(path)
        apart = (path / artifact.TARGET_TOKENIZER).exists()
        return cls(source, load_tokenizer(path, artifact.TARGET_TOKENIZER) if apart else source)

    def save(self, path: Path) -> None:
        """Write them into a run folder."""
        self.source.save(path)
        if self.target is not self.source:
            self.target.save(path, artifact.TARGET_TOKENIZER)

    @property
    def joint(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.source is self.target

    def read(self, texts: Texts, longest: int | None) -> Read:
        """Pairs as tokens; those with a side longer than ``longest``, or without a token, are left out."""
        sources = self.encode(self.source, texts.sources)
        targets = self.encode(self.target, texts.targets)
        most = longest or np.inf
        kept = [n for n, pair in enumerate(zip(sources, targets, strict=True)) if all(0 < len(s) <= most for s in pair)]
        return Read(
            Ragged.of([sources[n] for n in kept]), Ragged.of([targets[n] for n in kept]), np.array(kept, np.int64)
        )

    def encode(self, tokenizer: Tokenizer, texts: Sequence[str]) -> list[Ids]:
        """The ids of texts."""
        return tokenizer.encode_many(list(map(_spaced(tokenizer.kind), texts)))

    def words_of(self, text: str) -> list[str]:
        """The words of a source, known or not, one for each of its ids; of word tokenizers only."""
        assert isinstance(self.source, WordTokenizer)
        return self.source.cut(_spaced(self.source.kind)(text))

    @staticmethod
    def side(texts: Ragged, which: NDArray[np.int64], filling: int) -> Side:
        """Some texts side by side."""
        return Side(*map(torch.from_numpy, texts.padded(which, filling)))

    def batch(self, read: Read, which: NDArray[np.int64], own: float = 0.0) -> Batch:
        """Some of the pairs."""
        end = self.target.end
        targets, lengths = read.targets.padded(which, end)
        ends = np.full((1, len(which)), end)
        before, after = np.concatenate([ends, targets]), np.concatenate([targets, ends])
        inside = np.arange(len(before))[:, None] <= lengths
        return Batch(
            self.side(read.sources, which, self.source.end),
            Side(torch.from_numpy(before), torch.from_numpy(lengths + 1)),
            torch.from_numpy(after[inside]),
            own,
        )

    def decode(self, ids: Sequence[int]) -> str:
        """The text of target tokens."""
        return self.target.decode(np.asarray(ids, np.int64)).strip()

    def decode_with(self, ids: Sequence[int], words: Sequence[str], looked_at: NDArray[np.int64]) -> str:
        """The text of target words, each unknown one replaced by the source word that was looked at for it, [T]."""
        assert isinstance(self.target, WordTokenizer)
        known, spacing, text = self.target.words, Spacing(), ""
        for id, place in zip(ids, looked_at.tolist(), strict=True):
            text += spacing.piece(words[place] if id >= len(known) and place < len(words) else known[id])
        return text.strip()

    @functools.cached_property
    def copies(self) -> bool:
        """Whether unknown words of the source can be copied: both sides are words."""
        return isinstance(self.source, WordTokenizer) and isinstance(self.target, WordTokenizer)


def _spaced(kind: str) -> Callable[[str], str]:
    """What makes of a text the one that is cut: no blanks around it; of BPE with the space before its first word that
    all its other words have, so that it is one of them."""
    before = " " if kind == "bpe" else ""
    return lambda text: before + text.strip()


def checked(texts: Iterable[str]) -> list[str]:
    """Texts to translate.

    Raises:
        CorpusError: it is one text, or something that is no text.
    """
    if isinstance(texts, str):
        raise CorpusError("texts must be a list of texts, got one text; write [text]")
    found = list(texts)
    for number, text in enumerate(found, 1):
        if not isinstance(text, str):
            raise CorpusError(f"text {number} must be a text, got {type(text).__name__}")
    return found
