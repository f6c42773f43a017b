"""Translation: a text goes in, a text of another length comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ..config import chosen_kind, knob
from ..errors import CorpusError
from ..models.recurrent_translator import RecurrentTranslatorConfig
from ..models.translating import Translator
from ..models.translators import TRANSLATORS, chosen_config, translator
from ..parallel import ParallelCorpus, open_parallel
from ..text.buckets import batches_by_tokens, padding_share
from ..training.config import SCHEDULES, TrainConfig
from ..training.events import Observer
from ..training.gradient_task import Loss
from ..training.losses import smoothed_cross_entropy
from ..training.processes import WHOLE, Shard
from .beam_search import DecodingConfig
from .pair_reader import Batch, PairReader, PairsConfig, Read, read_pairs
from .translation_figures import nats_of, translation_figures
from .translation_run import TranslationRun, hypotheses, record_of

MODELS = tuple(TRANSLATORS)
#: Characters of a source that is told as one to try, and of a text that is shown while training.
_EXAMPLE, _SHOWN = 100, 300


@dataclass(frozen=True)
class TranslationTraining(TrainConfig):
    """How long and how fast a translator is trained."""

    epochs: float = knob(10.0, "Passes over the training pairs (unless --steps or --minutes is given).", above=0)
    batch_size: int = knob(
        500, "Tokens of a side of a batch, padding included (of each process).", least=1, most=10_000_000
    )
    lr: float = knob(0.002, "Highest learning rate.", above=0, most=1000)
    schedule: str = knob("cosine", "How the learning rate changes.", choices=SCHEDULES)
    label_smoothing: float = knob(0.1, "Share of the target that goes to all tokens alike.", least=0, most=0.99)
    scheduled_sampling: float = knob(
        0.0,
        "Share of target tokens that are the model's own choice at the end of --epochs, risen to from 0.",
        least=0,
        most=1,
    )
    evaluate_at_most: int = knob(
        10_000, "Target tokens of the validation split that an evaluation reads.", least=1, flag=False
    )


class Model:
    """The config of the model, of the translator that ``kind`` names."""

    @classmethod
    def variant(cls, values: Mapping[str, Any]) -> type:
        """The class of a config of some values.

        Raises:
            ConfigError: there is no such kind.
        """
        return chosen_config({"kind": chosen_kind(values, MODELS, "lstm")})


@dataclass(frozen=True)
class TranslatingConfig:
    """Everything that can be set about training a translator."""

    data: PairsConfig = field(default_factory=PairsConfig)
    model: Model = field(default_factory=RecurrentTranslatorConfig)  # type: ignore[assignment]
    train: TranslationTraining = field(default_factory=TranslationTraining)


class Translating:
    """Train a translator: pairs of texts, of which the second is learned to be made of the first."""

    name: ClassVar[str] = "translate"
    config_class: ClassVar[type] = TranslatingConfig
    models: ClassVar[tuple[str, ...]] = MODELS
    files_by: ClassVar[tuple[str, ...]] = ("source", "target")
    example: ClassVar[str] = "phrases-en-es --out runs/en-es --minutes 3"
    unit = "token"
    watched, higher_is_better = "validation_chrf", True

    def __init__(
        self,
        config: TranslatingConfig,
        corpus: ParallelCorpus,
        source: Any,
        tell: Observer,
        shard: Shard = WHOLE,
    ) -> None:
        self.config, self.corpus, self.source, self._shard = config, corpus, source, shard
        training = read_pairs(corpus, "train", tell)
        self._empty, self._same = corpus.skipped, corpus.same  # before another split is read
        if not len(training):
            raise CorpusError(f"{corpus.name} has no pair to train on; give one whose sides are not empty")
        self.reader = PairReader.train(training, config.data)
        self._train = self.reader.read(training, config.data.longest)
        self._left_out = len(training) - len(self._train)
        if not len(self._train):
            raise CorpusError(
                f"all {len(training):,} pairs of {corpus.name} have a side of more than {config.data.longest} tokens; "
                "use a larger --longest"
            )
        short = (text for text in training.sources if len(text) <= _EXAMPLE and text.isprintable())
        self._example = next(short, None) or _short(training.sources[0], _EXAMPLE)
        letters = sum(len(training.sources[n].strip()) for n in self._train.kept.tolist())
        self._density = len(self._train.sources.ids) / max(1, letters)
        self._texts = read_pairs(corpus, "validation", tell)
        self._held_out = self.reader.read(self._texts, None)
        if self._shard.of > min(map(len, self._order(0))):
            raise CorpusError(
                f"{corpus.name} is too small for {shard.of} processes; use fewer, or a larger --batch-size"
            )
        derived = {
            "source_vocabulary": self.reader.source.size,
            "target_vocabulary": self.reader.target.size,
            "end": self.reader.target.end,
            "joint": self.reader.joint,
        }
        self.config = replace(config, model=replace(config.model, **derived))  # type: ignore[type-var]
        self.model: nn.Module = translator(self.config.model)  # type: ignore[arg-type]
        self._shown = ""

    @classmethod
    def prepare(cls, source: Any, config: TranslatingConfig, tell: Observer, shard: Shard = WHOLE) -> Translating:
        """Read the pairs, train the tokenizers, encode, and build the model on the CPU."""
        return cls(config, open_parallel(source, config.data), source, tell, shard)

    @property
    def title(self) -> str:
        """One line for people."""
        kind, corpus = self.config.model.kind, self.corpus  # type: ignore[attr-defined]
        return f"{kind} translator, {corpus.source_name} to {corpus.target_name}, on {corpus.name}"

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        reader, part = self.reader, self._train
        sizes = {reader.source.size, reader.target.size} if not reader.joint else {reader.target.size}
        padding = padding_share(part.targets.lengths + 1, self._order(0))
        facts: dict[str, str | int] = {
            "training pairs": f"{len(part):,}",
            "validation pairs": f"{len(self._held_out):,}",
            "vocabulary": f"{' and '.join(f'{size:,}' for size in sorted(sizes))} ({reader.target.kind})",
            "padding": f"{padding:.1%} of the target's places",
        }
        if self._left_out:
            facts["left out"] = f"{self._left_out:,} pairs with a side of more than {self.config.data.longest} tokens"
        if self._empty:
            facts["empty"] = f"{self._empty:,} pairs with an empty side"
        if self._same:
            facts["identical"] = f"{self._same:,} pairs whose sides are the same"
        return facts

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        return record_of(self.corpus, self.source, self._example, self._density)

    def save_parts(self, path: Path) -> None:
        """Write the tokenizers."""
        self.reader.save(path)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: TranslatingConfig) -> TranslationRun:
        """The run in a folder, its weights still to be read."""
        model = translator(config.model)  # type: ignore[arg-type]
        return TranslationRun(path, record, model, PairReader.load(path), config.data)

    def steps_per_epoch(self) -> int:
        """Batches in a pass."""
        return len(self._order(0))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[Batch]:
        """This process's share of each batch of a pass."""
        order, shard = self._order(epoch), self._shard
        most, epochs = self.config.train.scheduled_sampling, self.config.train.epochs
        for number, which in enumerate(order[start:], start):
            own = most * min(1.0, (epoch + number / len(order)) / epochs)
            yield self.reader.batch(self._train, which[shard.rank :: shard.of], own)

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        """Which pairs are in which batch."""
        part, train = self._train, self.config.train
        generator = np.random.default_rng([train.seed, epoch])
        tokens = train.batch_size * self._shard.of
        return batches_by_tokens(part.sources.lengths, part.targets.lengths + 1, tokens, generator)

    def loss(self, model: nn.Module, batch: Batch, carry: Tensor | None) -> Loss:
        """Mean cross-entropy of the target tokens and ends, in nats a token; what is told is without smoothing."""
        scored = model(batch.source, batch.before, batch.own)
        mean, nats = smoothed_cross_entropy(scored.logits, batch.aims, self.config.train.label_smoothing)
        if scored.penalty is not None:
            mean = mean + scored.penalty / len(batch.aims)
        return Loss(mean, len(batch.aims), None, nats)

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss, and the perplexity of a token."""
        return {"loss": mean_loss, "perplexity": float(np.exp(min(mean_loss, 700.0)))}

    def settle(self, model: nn.Module) -> None:
        """The weights are all that inference needs."""

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Perplexity and, of greedy translations, BLEU and chrF of validation pairs; nothing when there are none."""
        assert isinstance(model, Translator)
        part = self._held_out
        if not len(part):
            return {}
        ends = np.cumsum(part.targets.lengths + 1)
        number = len(part) if at_most is None else max(1, int(np.searchsorted(ends, at_most, "right")))
        ids = [part.sources.ids[part.sources.starts[n] : part.sources.starts[n + 1]] for n in range(number)]
        found = hypotheses(model, self.reader, ids, DecodingConfig(beam=1))
        said = [self.reader.decode(some[0].ids) for some in found]
        kept = part.kept[:number].tolist()
        self._shown = f"{_short(self._texts.sources[kept[0]], _SHOWN)}  →  {_short(said[0], _SHOWN)}"
        figures = translation_figures(said, [self._texts.targets[n] for n in kept])
        nats = nats_of(model, self.reader, part, at_most)
        told = {name: figures[name] for name in ("bleu", "chrf", "exact_match")}
        told |= {"perplexity": float(np.exp(min(nats, 700.0))), "loss": nats}
        return {f"validation_{name}": float(value) for name, value in told.items()}

    def sample(self, model: nn.Module) -> str:
        """A held-out text with what is made of it."""
        return self._shown


def _short(text: str, most: int) -> str:
    """A text on one line; of a long one the beginning."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


__all__ = ["Read", "Translating", "TranslatingConfig"]
