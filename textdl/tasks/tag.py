"""Tagging: each word of a sentence gets a tag (its part of speech, or whether it is part of a name)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import artifact
from ..config import knob
from ..errors import ConfigError, RunError
from ..models.tagger import Tagger, TaggerConfig, Words
from ..models.word_input import WordInput
from ..tagged import TaggedConfig, open_tagged
from ..text.buckets import Ragged, batches_of, padding_share
from ..text.known_words import Vocabulary
from ..text.spans import to_iob2
from ..training.config import SCHEDULES, TrainConfig
from ..training.events import Observer
from ..training.gradient_task import Loss
from ..training.losses import cross_entropy
from ..training.processes import WHOLE, Shard
from ..vectors.opening import open_vectors
from .base import corpus_facts
from .tag_figures import validation_figures
from .tag_reader import WordReader, pieces_of, vocabulary_of
from .tagged_sentences import Sentences, forbidden_of, numbers_of, read_sentences, tags_of
from .tagger_run import TaggerRun, figures_of, judged

__all__ = ["TaggerRun", "Tagging", "TaggingConfig"]

#: Words of given vectors that are known beside those of the training text.
_MOST_EXTRA = 100_000
_NO_TAG = -1  # behind the end of a sentence


@dataclass(frozen=True)
class TaggedTextsConfig(TaggedConfig):
    """What is read, and which words are known."""

    min_count: int = knob(1, "Words seen fewer times are unknown.", least=1)
    lowercase: bool = knob(True, "Look words up in lower case; their characters keep the case.")
    digits: bool = knob(True, "Look words up with each digit as 0.", flag=False)
    longest: int = knob(
        150, "Words of a training sentence; a longer one is cut into pieces.", least=2, most=1_000_000, flag=False
    )


@dataclass(frozen=True)
class TaggerTraining(TrainConfig):
    """How long and how fast a tagger is trained."""

    epochs: float = knob(25.0, "Passes over the training sentences (unless --steps or --minutes is given).", above=0)
    batch_size: int = knob(32, "Sentences in a batch (of each process).", least=1, most=1_000_000)
    lr: float = knob(0.003, "Highest learning rate.", above=0, most=1000)
    schedule: str = knob("cosine", "How the learning rate changes.", choices=SCHEDULES)
    evaluate_at_most: int = knob(
        2_000_000, "Words of the validation split that an evaluation reads.", least=1, flag=False
    )


@dataclass(frozen=True)
class TaggingConfig:
    """Everything that can be set about training a tagger."""

    data: TaggedTextsConfig = field(default_factory=TaggedTextsConfig)
    model: TaggerConfig = field(default_factory=TaggerConfig)
    train: TaggerTraining = field(default_factory=TaggerTraining)


class Tagging:
    """Train a tagger: a sentence goes in, a tag for each of its words comes out."""

    name: ClassVar[str] = "tag"
    config_class: ClassVar[type] = TaggingConfig
    unit = "word"
    higher_is_better = True
    model: nn.Module

    def __init__(self, config: TaggingConfig, source: Any, tell: Observer, shard: Shard = WHOLE) -> None:
        self.corpus, self.source, self._shard = open_tagged(source, config.data), source, shard
        training = read_sentences(self.corpus, "train", tell=tell)
        self._scheme, self.tags = training.scheme, tags_of(training, self.corpus.name)
        self._held_out = _first(
            read_sentences(self.corpus, "validation", training.scheme is not None, tell), config.train.evaluate_at_most
        )
        vectors = None if config.model.vectors is None else open_vectors(config.model.vectors)
        vocabulary = vocabulary_of(training.tokens, () if vectors is None else vectors.words[:_MOST_EXTRA])
        self.reader = reader_of(vocabulary, config.data)
        self._facts = _facts_of(training, self._held_out, self.tags, self.reader)
        training = _cut(training, config.data.longest)
        self._train, self._truth = self.reader.read(training.tokens), Ragged.of(numbers_of(training, self.tags))
        self._validation = self.reader.read(self._held_out.tokens)
        derived = {
            "vocabulary": self.reader.rows,
            "extra": self.reader.extra,
            "letters": self.reader.letters,
            "tags": len(self.tags),
            "spans": training.scheme is not None,
            **({} if vectors is None else {"embedding": vectors.dim}),
        }
        self.config = replace(config, model=replace(config.model, **derived))  # type: ignore[arg-type]
        if config.train.label_smoothing and self.config.model.chained:
            raise ConfigError(
                f"label_smoothing is for --no-crf, which judges each tag alone, got {config.train.label_smoothing}"
            )
        model = Tagger(self.config.model)
        self.model: nn.Module = model
        model.forget(torch.from_numpy(np.append(self.reader.counts, [0, 0])))
        if self.config.model.spans:
            model.chain.forbid(*map(torch.from_numpy, forbidden_of(self.tags)))
        if vectors is not None:
            self._facts["words with a vector"] = _begin_with(model.input, self.reader, vectors)
        self.watched = "validation_f1" if self.config.model.spans else "validation_accuracy"

    @classmethod
    def prepare(cls, source: Any, config: TaggingConfig, tell: Observer, shard: Shard = WHOLE) -> Tagging:
        """Read the tagged sentences, count the words, and build the model on the CPU."""
        return cls(config, source, tell, shard)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: TaggingConfig) -> TaggerRun:
        """The run in a folder, its weights still to be read."""
        reader, model = reader_of(Vocabulary.load(path / artifact.WORDS), config.data), config.model
        if (reader.rows, reader.extra, reader.letters) != (model.vocabulary, model.extra, model.letters):
            raise RunError(
                f"the settings in {path / artifact.CONFIG} do not go with {artifact.WORDS}: one of them was changed; "
                "train again or restore it"
            )
        return TaggerRun(path, record, Tagger(config.model), reader, config.data)

    @property
    def title(self) -> str:
        """One line for people."""
        model = self.config.model
        kind = f"{model.cell} tagger with a CRF" if model.chained else f"{model.cell} tagger"
        return f"{kind} of {len(self.tags)} tags, on {self.corpus.name}"

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        spelling = {None: {}, "iob2": {"spans": "IOB2"}}.get(
            self._scheme, {"spans": f"{str(self._scheme).upper()} in the corpus, IOB2 in the model and its figures"}
        )
        share = padding_share(self._train.lengths, self._order(0))
        return {**self._facts, **spelling, "padding": f"{share:.1%} of the computed places"}

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        facts = {**corpus_facts(self.corpus.corpus), "digest": self.corpus.digest}
        named = str(self.source) if isinstance(self.source, (str, Path)) else None
        return {"source": named, **facts, "tags": list(self.tags), "scheme": self._scheme}

    def save_parts(self, path: Path) -> None:
        """Write the words."""
        self.reader.vocabulary.save(path / artifact.WORDS)

    def steps_per_epoch(self) -> int:
        """Batches in a pass."""
        return len(self._order(0))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[tuple[Words, Tensor]]:
        """Sentences and their tags [T, B], -1 behind their ends; this process's."""
        shard = self._shard
        for which in self._order(epoch)[start:]:
            own = which[shard.rank :: shard.of]
            yield self.reader.batch(self._train, own), torch.from_numpy(self._truth.padded(own, _NO_TAG)[0])

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        """Which sentences are in which batch; none so small that a process would have nothing of it."""
        size = self.config.train.batch_size * self._shard.of
        generator = np.random.default_rng([self.config.train.seed, epoch])
        return [batch for batch in batches_of(self._train.lengths, size, generator) if len(batch) >= self._shard.of]

    def loss(self, model: nn.Module, batch: Any, carry: Tensor | None) -> Loss:
        """Minus the log-probability of the tags, in nats a word."""
        words, tags = Words(*batch[0]), batch[1]
        smoothing, number = self.config.train.label_smoothing, int(words.lengths.sum())
        if self.config.model.chained:
            return Loss(-model(words, tags.clamp_min(0)).sum() / number, number)
        logits = model(words)
        mean = cross_entropy(logits, tags, smoothing, ignore=_NO_TAG)
        return Loss(mean, number, None, cross_entropy(logits.detach(), tags, 0.0, _NO_TAG) if smoothing else mean)

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss as it is, in nats a word."""
        return {"loss": mean_loss}

    def settle(self, model: nn.Module) -> None:
        """Nothing beside the weights is needed."""

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Figures on the validation sentences; nothing when there is none."""
        assert isinstance(model, Tagger)
        if not len(self._held_out):
            return {}
        places, _ = judged(model, self.reader, self._validation)
        spans = self.config.model.spans
        return validation_figures(figures_of(self._held_out, places, self.tags, self.reader, spans))

    def sample(self, model: nn.Module) -> str:
        """A held-out sentence with its tags."""
        assert isinstance(model, Tagger)
        shown = next((tokens for tokens in self._held_out.tokens if len(tokens) > 3), None)
        if shown is None:
            return ""
        places, _ = judged(model, self.reader, self.reader.read([shown[:25]]))
        return " ".join(f"{word}/{self.tags[place]}" for word, place in zip(shown, places[0].tolist(), strict=False))


def reader_of(vocabulary: Vocabulary, config: TaggedTextsConfig) -> WordReader:
    """What reads sentences as these settings say."""
    return WordReader(vocabulary, config.min_count, config.lowercase, config.digits)


def _first(sentences: Sentences, most: int) -> Sentences:
    """The first sentences, at most so many words of them, but one sentence at least."""
    ends = np.cumsum([len(tokens) for tokens in sentences.tokens])
    number = max(1, int(np.searchsorted(ends, most, "right")))
    return Sentences(sentences.tokens[:number], sentences.tags[:number], sentences.scheme)


def _cut(sentences: Sentences, longest: int) -> Sentences:
    """The sentences in pieces of at most so many words; those without words are left out.

    A span that is cut begins afresh in the next piece: none goes on that has not begun.
    """
    lengths = np.array([len(tokens) for tokens in sentences.tokens], np.int64)
    pieces = list(pieces_of(lengths, longest))
    tokens = [sentences.tokens[number][start:end] for number, start, end in pieces]
    tags = [tuple(to_iob2(sentences.tags[number][start:end], sentences.scheme)) for number, start, end in pieces]
    return Sentences(tokens, tags, sentences.scheme)


def _facts_of(
    training: Sentences, held_out: Sentences, tags: tuple[str, ...], reader: WordReader
) -> dict[str, str | int]:
    return {
        "training sentences": f"{len(training):,} ({training.words:,} words)",
        "validation sentences": f"{len(held_out):,} ({held_out.words:,} words)",
        "tags": f"{len(tags)} ({', '.join(tags[:20])}{', …' if len(tags) > 20 else ''})",
        "vocabulary": f"{len(reader.words):,} words, {reader.letters:,} characters",
    }


def _begin_with(part: WordInput, reader: WordReader, vectors: Any) -> str:
    """Put the vectors into the embedding; says how many of the words have one."""
    rows, known = np.zeros((reader.rows, vectors.dim), np.float32), np.zeros(reader.rows, bool)
    for row, word in enumerate(reader.words):
        found = vectors.find(word)
        found = vectors.find(reader.usual(word)) if found is None else found
        if found is not None:
            rows[row], known[row] = found, True
    part.start_from(torch.from_numpy(rows), torch.from_numpy(known))
    return f"{known.sum():,} of {len(reader.words):,}"
