"""Handwriting: the next point of a pen, given those before and the text that is to be written.

Legend: B lines of a batch, T points of the longest one.
"""

from __future__ import annotations

import json
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
from ..errors import CorpusError
from ..models.handwriting import Handwriting, HandwritingConfig
from ..stroke_corpus import StrokesConfig, open_strokes
from ..strokes.line import Lines
from ..strokes.scaling import Scaling
from ..text.buckets import batches_of, padding_share
from ..training.config import TrainConfig
from ..training.events import Note, Observer
from ..training.gradient_task import Loss
from ..training.processes import WHOLE, Shard
from .handwriting_batches import (
    HandwritingBatch,
    Written,
    batch_of,
    drawn_changes,
    figures_of,
    first_of,
    letters_of,
    line_by_line,
    line_nats,
    read_written,
    step_of,
    stepped,
)
from .handwriting_run import HandwritingRun, kept_of, pen_of, room_for, written_by

__all__ = ["HandwritingRun", "HandwritingTask", "HandwritingTaskConfig"]


@dataclass(frozen=True)
class HandwritingData(StrokesConfig):
    """What is read, and how it is varied while training."""

    coarser: float = knob(
        1.5,
        "Points are set anew along the pen's way, at even steps of so many times the mean one; 0 leaves them, as "
        "--unconditional does.",
        least=0,
        most=100,
    )
    slant: float = knob(
        0.05,
        "Each training line is slanted anew: the deviation of how far, as a share of its height.",
        least=0,
        most=2,
    )
    stretch: float = knob(
        0.05, "Each training line is made wider and taller anew: the deviation of how much.", least=0, most=1
    )


@dataclass(frozen=True)
class HandwritingTraining(TrainConfig):
    """How long and how fast it is trained."""

    epochs: float = knob(20.0, "Passes over the training lines (unless --steps or --minutes is given).", above=0)
    batch_size: int = knob(16, "Lines in a batch (of each process).", least=1, most=1_000_000)
    lr: float = knob(0.006, "Highest learning rate.", above=0, most=1000)
    evaluate_at_most: int = knob(
        60_000, "Points of the validation split that an evaluation during training reads.", least=1, flag=False
    )


@dataclass(frozen=True)
class HandwritingTaskConfig:
    """Everything that can be set about training a writer."""

    data: HandwritingData = field(default_factory=HandwritingData)
    model: HandwritingConfig = field(default_factory=HandwritingConfig)
    train: HandwritingTraining = field(default_factory=HandwritingTraining)


class HandwritingTask:
    """Train a writer: a text goes in, the way of a pen comes out.

    A batch is lines of about as many points, padded at their ends. The loss is minus the log-density of each point
    given those before it, in nats a point of scaled steps (:mod:`textdl.strokes.scaling`); it may be below 0.
    """

    name: ClassVar[str] = "handwriting"
    config_class: ClassVar[type] = HandwritingTaskConfig
    example: ClassVar[str] = "strokes --minutes 10 --out runs/hand"
    unit, watched, higher_is_better = "point", "validation_nats_per_point", False

    def __init__(self, config: HandwritingTaskConfig, source: Any, tell: Observer, shard: Shard = WHOLE) -> None:
        alone = config.model.unconditional
        self.corpus = open_strokes(source, config.data, texts=not alone)
        self.source, self._shard = source, shard
        for note in self.corpus.notes:
            tell(Note(note))
        lines = self.corpus.lines("train")
        if len(lines) < shard.of:
            raise CorpusError(
                f"{self.corpus.name} has {len(lines)} training lines, fewer than the {shard.of} processes; give more"
            )
        self._step = None if alone else step_of(lines, config.data.coarser)
        self._letters = None if alone else letters_of(lines)
        lines = Lines.of(stepped(lines, self._step))
        self.scaling = Scaling.learn(lines)
        self.alphabet = "" if alone else self.corpus.alphabet
        self._train = read_written(lines, self.alphabet, self.scaling, alone)
        self._held = self._read("validation", alone, tell)
        self._clipped = self.scaling.outliers(lines)
        self._longest_text = 0 if alone else max(map(len, lines.texts))
        characters = sum(map(len, lines.texts))
        pace = len(self._train.points) / characters if characters else float(self._train.sizes.mean())
        derived: dict[str, Any] = {"characters": len(self.alphabet) + 1, "pace": pace}
        self.config = replace(config, model=replace(config.model, **derived))
        self.model: nn.Module = Handwriting(self.config.model)
        self._shown = min(lines.texts, key=lambda text: abs(len(text) - 12)) if not alone else None

    @classmethod
    def prepare(
        cls, source: Any, config: HandwritingTaskConfig, tell: Observer, shard: Shard = WHOLE
    ) -> HandwritingTask:
        """Read the lines, learn their scaling from the training split, and build the model on the CPU."""
        return cls(config, source, tell, shard)

    @property
    def title(self) -> str:
        """One line for people."""
        model = self.config.model
        what = "strokes alone" if model.unconditional else f"{len(self.alphabet)} characters"
        return f"{model.layers} layers of {model.hidden}, {model.mixtures} Gaussians, {what}, on {self.corpus.name}"

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        batches = batches_of(self._train.sizes, self.config.train.batch_size, np.random.default_rng(0))
        sizes = {"train": self._train, "validation": self._held}
        return {
            "lines": ", ".join(f"{len(some.sizes):,} {name}" for name, some in sizes.items()),
            "training points": len(self._train.points),
            "points a character": f"{self.config.model.pace:.1f}",
            "alphabet": self.alphabet,
            "points set anew": "no" if self._step is None else f"every {self._step:.4g} raw units of the way",
            "one scaled unit": f"{self.scaling.scale:.4g} raw units",
            "steps shortened": f"{self._clipped} (longer than {self.scaling.longest_step:.4g} raw units)",
            "padding": f"{padding_share(self._train.sizes, batches):.1%}",
        }

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        source = str(self.source) if isinstance(self.source, (str, Path)) else None
        card = self.corpus.card
        return {"source": source, "name": self.corpus.name, "licence": card.licence, "digest": self.corpus.digest}

    def save_parts(self, path: Path) -> None:
        """Write the alphabet and the scaling."""
        values = {
            "alphabet": self.alphabet,
            "scaling": self.scaling.to_json(),
            "step": self._step,
            "letters": self._letters,
            "longest_text": self._longest_text,
            "usual_points": int(np.median(self._train.sizes)),
        }
        artifact.write_atomic(path / artifact.STROKES, json.dumps(values, ensure_ascii=False) + "\n")

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: HandwritingTaskConfig) -> HandwritingRun:
        """The run in a folder, its weights still to be read."""
        return HandwritingRun(
            path, record, Handwriting(config.model), config.data, kept_of(path, config.model.characters)
        )

    def _read(self, split: str, alone: bool, tell: Observer) -> Written:
        """The lines of a held-out split."""
        lines = self.corpus.lines(split) if split in self.corpus.splits else []
        read = read_written(stepped(lines, self._step), self.alphabet, self.scaling, alone)
        if read.left_out:
            tell(
                Note(f"left {read.left_out} of {len(lines)} {split} lines out: they have characters that train has not")
            )
        return read

    def steps_per_epoch(self) -> int:
        """Batches in a pass."""
        return len(self._order(0))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[HandwritingBatch]:
        """Lines of about as many points; this process's part of each batch."""
        shard, data, seed = self._shard, self.config.data, self.config.train.seed
        for number, which in enumerate(self._order(epoch)[start:], start):
            generator = np.random.default_rng([seed, epoch, number, shard.rank])
            own = which[shard.rank :: shard.of]
            yield batch_of(self._train, own, drawn_changes(generator, len(own), data.slant, data.stretch))

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        """Which lines are in which batch; none so small that a process would have nothing of it."""
        size = self.config.train.batch_size * self._shard.of
        generator = np.random.default_rng([self.config.train.seed, epoch])
        return [batch for batch in batches_of(self._train.sizes, size, generator) if len(batch) >= self._shard.of]

    def loss(self, model: nn.Module, batch: Any, carry: Tensor | None) -> Loss:
        """Minus the log-density, in nats a point."""
        lines = HandwritingBatch(*batch)
        points = int((lines.sizes - 1).sum())
        return Loss(line_nats(model, lines).sum() / points, points)

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss as it is, in nats a point of scaled steps."""
        return {"loss": mean_loss}

    def settle(self, model: nn.Module) -> None:
        """The weights are all that inference needs."""

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Figures on the validation lines; nothing when there is none."""
        some = first_of(self._held, at_most)
        if not len(some.sizes):
            return {}
        figures = figures_of(line_by_line(model, some), some.sizes, self.scaling)
        return {f"validation_{name}": value for name, value in figures.items()}

    def sample(self, model: nn.Module) -> str:
        """How much of the pen a training text takes, in words."""
        assert isinstance(model, Handwriting)
        room = room_for(self._shown or "", self.config.model.pace) if self._shown else 200
        uniforms = np.random.default_rng(self.config.train.seed).random((room, 4))
        if not all(torch.isfinite(weight).all() for weight in model.parameters()):
            return ""
        drawn = written_by(pen_of(model), self._shown, self.alphabet, uniforms, 0.5, self.config.model.pace)
        strokes, end = int(drawn.points[:, 2].sum()), "" if drawn.ended or not self._shown else ", without an end"
        return f"{self._shown or 'strokes alone'!r}: {strokes} strokes, {len(drawn.points)} points{end}"
