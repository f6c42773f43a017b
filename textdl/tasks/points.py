"""Points on a plane: two numbers in, a label out, and how the hidden layers bend the plane for it.

Legend: N points, K classes, B points of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..config import knob
from ..models.plane_classifier import PlaneClassifier, PlaneClassifierConfig
from ..plane import PointCorpus, PointsConfig, open_points
from ..training.config import TrainConfig
from ..training.events import Observer
from ..training.gradient_task import Loss
from ..training.losses import cross_entropy, smoothed_cross_entropy
from ..training.processes import WHOLE, Shard
from .base import corpus_facts
from .class_figures import class_figures
from .points_run import Plane, PointsRun, keep_plane, kept_plane, probabilities


@dataclass(frozen=True)
class PointsTraining(TrainConfig):
    """How long and how fast it is trained."""

    epochs: float = knob(100.0, "Passes over the training points (unless --steps or --minutes is given).", above=0)
    batch_size: int = knob(64, "Points in a batch (of each process).", least=1, most=1_000_000)
    lr: float = knob(0.03, "Highest learning rate.", above=0, most=1000)
    precision: str = knob(
        "float32", "Precision of the matrix products.", choices=("auto", "float32", "tf32", "bfloat16", "float16")
    )
    evaluations: int = knob(
        60,
        "Evaluations spread over the training; the weights are kept at each, to be drawn.",
        least=1,
        most=10_000,
        flag=False,
    )
    evaluate_at_most: int = knob(
        200_000, "Points of the validation split that an evaluation judges.", least=1, flag=False
    )


@dataclass(frozen=True)
class PointsTaskConfig:
    """Everything that can be set."""

    data: PointsConfig = field(default_factory=PointsConfig)
    model: PlaneClassifierConfig = field(default_factory=PlaneClassifierConfig)
    train: PointsTraining = field(default_factory=PointsTraining)


class Classifying:
    """Train a classifier of points on a plane, and see how its layers bend the plane.

    A batch is points in a shuffled order, scaled to a mean of 0 and a spread of 1 by the training points; the loss is
    the mean cross-entropy. At each evaluation the weights are kept, so that the training can be drawn.
    """

    name: ClassVar[str] = "points"
    config_class: ClassVar[type] = PointsTaskConfig
    example: ClassVar[str] = "spirals --out runs/spirals"
    unit, watched, higher_is_better = "point", "validation_nats", False

    def __init__(self, config: PointsTaskConfig, corpus: PointCorpus, source: Any, shard: Shard) -> None:
        self.corpus, self.source, self._shard = corpus, source, shard
        self._train, self._held = corpus.points("train"), corpus.points("validation")
        self.plane = Plane.of(corpus)
        derived = {"classes": len(corpus.labels), "moments": config.train.evaluations + 2}
        self.config = replace(config, model=replace(config.model, **derived))  # type: ignore[arg-type]
        self._scaled = torch.from_numpy(self.plane.scaled(self._train.xy))
        self._truth = torch.from_numpy(self._train.labels.copy())
        self.model: nn.Module = PlaneClassifier(self.config.model)
        self._accuracy: float | None = None

    @classmethod
    def prepare(cls, source: Any, config: PointsTaskConfig, tell: Observer, shard: Shard = WHOLE) -> Classifying:
        """Read the points, learn their scaling from the training split, and build the model on the CPU."""
        return cls(config, open_points(source, config.data), source, shard)

    @property
    def title(self) -> str:
        """One line for people."""
        model = self.config.model
        return f"{' → '.join(map(str, model.sizes))} ({model.activation}), on {self.corpus.name}"

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        corpus = self.corpus
        return {
            "points": ", ".join(f"{len(corpus.points(split).xy):,} {split}" for split in corpus.splits),
            "classes": ", ".join(corpus.labels[:10]) + (" …" if len(corpus.labels) > 10 else ""),
            "parameters": self.config.model.parameters,
        }

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        source = str(self.source) if isinstance(self.source, (str, Path)) else None
        return {"source": source, **corpus_facts(self.corpus), "labels": list(self.corpus.labels)}  # type: ignore[arg-type]

    def save_parts(self, path: Path) -> None:
        """Write the scaling, and training points enough to be drawn."""
        keep_plane(path, self.plane)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: PointsTaskConfig) -> PointsRun:
        """The run in a folder, its weights still to be read."""
        return PointsRun(path, record, PlaneClassifier(config.model), config.data, kept_plane(path))

    def steps_per_epoch(self) -> int:
        """Batches in a pass."""
        return -(-len(self._truth) // (self._shard.of * self.config.train.batch_size))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Scaled points [B, 2] and their classes [B]; each pass in another order."""
        order = np.random.default_rng([self.config.train.seed, epoch]).permutation(len(self._truth))
        shape = (self.steps_per_epoch(), self._shard.of, self.config.train.batch_size)
        # The last batch is filled up from the beginning of the pass, so that all processes have as many points.
        for which in np.resize(order, shape)[start:, self._shard.rank]:
            places = torch.from_numpy(which)
            yield self._scaled[places], self._truth[places]

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor], carry: Tensor | None) -> Loss:
        """Mean cross-entropy of a batch, in nats a point, in float32."""
        points, truth = batch
        logits, smoothing = model(points), self.config.train.label_smoothing
        if smoothing:
            smoothed, plain = smoothed_cross_entropy(logits, truth, smoothing)
            return Loss(smoothed, len(truth), reported=plain.detach())
        return Loss(cross_entropy(logits, truth), len(truth))

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss as it is."""
        return {"loss": mean_loss}

    def settle(self, model: nn.Module) -> None:
        """Keep the weights as a moment of the training."""
        assert isinstance(model, PlaneClassifier)
        model.remember()

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """How often the validation points are judged rightly, and how surely."""
        xy, truth = self._held.xy[:at_most], self._held.labels[:at_most]
        if not len(truth):
            return {}
        found = probabilities(model, self.plane.scaled(xy))
        figures = class_figures(truth, found, self.corpus.labels, confusion=False)
        self._accuracy = figures["accuracy"]
        return {f"validation_{name}": figures[name] for name in ("accuracy", "nats")}

    def sample(self, model: nn.Module) -> str:
        """What has been reached, in words."""
        if self._accuracy is None:
            return ""
        return f"{self._accuracy:.1%} of the validation points lie on the right side"
