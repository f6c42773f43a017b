"""Classification of pictures: from the raw pixels to one of some labels.

Legend: N pictures, B of a batch, H, W and C their height, width and channels, K classes, A auxiliary heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..baselines.pixels import PIXEL_METHODS, PixelsConfig, pixels_config
from ..config import chosen_kind, knob
from ..errors import ConfigError
from ..image_corpus import ImageCorpus, Images, ImagesConfig, open_images
from ..models.image_models import IMAGE_MODELS, build_image_model, image_config
from ..models.lenet import LeNetConfig
from ..training.augmenting import Mixed, Plan, augment, mixup
from ..training.config import SCHEDULES, TrainConfig
from ..training.events import Note, Observer
from ..training.gradient_task import Loss
from ..training.losses import smoothed_cross_entropy
from ..training.processes import WHOLE, Shard
from .base import refuse_trainer_settings
from .classifier_run import as_probabilities
from .image_figures import picture_figures, pixel_figures, validation_figures
from .images_direct import FittingImages, told_facts
from .images_run import ImagesRun, NetRun, as_floats, channels_last, judged, record_of

__all__ = ["ImageClassification", "ImageClassificationConfig", "ImagesRun"]

#: The models there are: those that are learned by the trainer, then those on raw pixels that are made in one call.
MODELS = (*IMAGE_MODELS, *PIXEL_METHODS)
WEIGHTS = ("none", "balanced")
#: What an auxiliary head counts beside the main one (Szegedy et al. 2015, section 5).
AUXILIARY = 0.3


@dataclass(frozen=True)
class ImagesTraining(Plan, TrainConfig):
    """How long and how fast it is trained, and how pictures are changed meanwhile."""

    epochs: float = knob(12.0, "Passes over the training pictures (unless --steps or --minutes is given).", above=0)
    batch_size: int = knob(64, "Pictures in a batch (of each process).", least=1, most=1_000_000)
    lr: float = knob(0.002, "Highest learning rate.", above=0, most=1000)
    schedule: str = knob("cosine", "How the learning rate changes.", choices=SCHEDULES)
    class_weights: str = knob(
        "none", "What a picture counts: the same, or balanced: more, the rarer its class.", choices=WEIGHTS
    )
    evaluate_at_most: int = knob(
        10_000, "Pictures of the validation split that an evaluation judges.", least=1, flag=False
    )

    def __post_init__(self) -> None:
        Plan.__post_init__(self)
        TrainConfig.__post_init__(self)


class Model:
    """The config of the model: that of the network or of the baseline that ``kind`` names."""

    @classmethod
    def variant(cls, values: Mapping[str, Any]) -> type:
        """The class of a config of some values.

        Raises:
            ConfigError: there is no such kind.
        """
        kind = chosen_kind(values, MODELS, "lenet5")
        return pixels_config(kind) or image_config({"kind": kind})


@dataclass(frozen=True)
class ImageClassificationConfig:
    """Everything that can be set about training a classifier of pictures."""

    data: ImagesConfig = field(default_factory=ImagesConfig)
    model: Model = field(default_factory=LeNetConfig)  # type: ignore[assignment]
    train: ImagesTraining = field(default_factory=ImagesTraining)


class ImageClassification:
    """Train a classifier of pictures: pixels go in, what they show comes out."""

    name: ClassVar[str] = "images"
    config_class: ClassVar[type] = ImageClassificationConfig
    models: ClassVar[tuple[str, ...]] = MODELS
    example: ClassVar[str] = "digits --out runs/digits --model lenet5 --minutes 0.5"

    @classmethod
    def training(cls, config: ImageClassificationConfig) -> ImagesTraining | None:
        """The settings of the trainer; None for a baseline, which is made in one call.

        Raises:
            ConfigError: a setting of the trainer is given to a baseline.
        """
        if not isinstance(config.model, PixelsConfig):
            return config.train
        kind = config.model.kind
        own = ("seed", "device", "threads", *(() if kind == "knn" else ("class_weights",)))
        refuse_trainer_settings(config.train, own, kind)
        return None

    @classmethod
    def prepare(
        cls, source: Any, config: ImageClassificationConfig, tell: Observer, shard: Shard = WHOLE
    ) -> LearningImages | FittingImages:
        """Read the pictures and build the model on the CPU."""
        corpus = open_images(source, config.data)
        if isinstance(config.model, PixelsConfig):
            return FittingImages(config, corpus, source, tell)
        return LearningImages(config, corpus, source, tell, shard)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: ImageClassificationConfig) -> ImagesRun:
        """The run in a folder, its weights still to be read."""
        owner = FittingImages if isinstance(config.model, PixelsConfig) else LearningImages
        return owner.load_run(path, record, config)


class Batch(NamedTuple):
    """Pictures uint8 [B, H, W, C] and their labels [B], places of classes."""

    pixels: Tensor
    labels: Tensor


class LearningImages:
    """A network that the trainer teaches."""

    name: ClassVar[str] = "images"
    unit, watched, higher_is_better = "picture", "validation_accuracy", True

    def __init__(
        self, config: ImageClassificationConfig, corpus: ImageCorpus, source: Any, tell: Observer, shard: Shard
    ) -> None:
        self.corpus, self.source, self._shard = corpus, source, shard
        for note in corpus.notes:
            tell(Note(note))
        self._train, held_out = corpus.images("train"), corpus.images("validation")
        # only so many are judged: pictures of all classes, also where the corpus has one class after the other
        some = np.random.default_rng(0).permutation(len(held_out.labels))[: config.train.evaluate_at_most]
        self._held_out = Images(held_out.pixels[some], held_out.labels[some])
        height, width, channels = corpus.shape
        derived = {"height": height, "width": width, "channels": channels, "classes": len(corpus.labels)}
        self.config = replace(config, model=replace(config.model, **derived))  # type: ignore[type-var]
        if config.train.batch_size == 1:
            _check_lone(self.config.model)
        self.model: nn.Module = build_image_model(self.config.model)  # type: ignore[arg-type]
        figures = pixel_figures(self._train.pixels)
        self.model.mean.copy_(torch.from_numpy(figures.mean))  # type: ignore[union-attr, operator]
        self.model.spread.copy_(torch.from_numpy(figures.spread))  # type: ignore[union-attr, operator]
        self._background = torch.from_numpy(figures.background)
        self._weights = _class_weights(self._train.labels, len(corpus.labels), config.train.class_weights)
        self._scores: NDArray[np.float32] | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"{self.config.model.kind} of {len(self.corpus.labels)} classes, on {self.corpus.name}"  # type: ignore[attr-defined]

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        return {**told_facts(self.corpus), "changes": self.config.train.told}

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        return record_of(self.corpus, self.source)

    def save_parts(self, path: Path) -> None:
        """The weights are all that the model needs."""

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: ImageClassificationConfig) -> NetRun:
        """The run in a folder, its weights still to be read."""
        return NetRun(path, record, build_image_model(config.model), config.data)  # type: ignore[arg-type]

    def steps_per_epoch(self) -> int:
        """Batches in a pass."""
        return -(-len(self._train.labels) // (self._shard.of * self.config.train.batch_size))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Pictures and labels in an order that seed and epoch decide; this process's."""
        order = np.random.default_rng([self.config.train.seed, epoch]).permutation(len(self._train.labels))
        shape = (self.steps_per_epoch(), self._shard.of, self.config.train.batch_size)
        # The last batch is filled up from the beginning of the pass, so that all processes have as many pictures.
        for which in np.resize(order, shape)[start:, self._shard.rank]:
            yield Batch(*(torch.from_numpy(values.take(which, axis=0)) for values in self._train))

    def loss(self, model: nn.Module, batch: Batch, carry: Tensor | None) -> Loss:
        """Mean cross-entropy of a batch, in nats a picture, those of auxiliary heads added by their weight."""
        plan = self.config.train
        pixels, mixed = augment(as_floats(batch.pixels), plan, self._background), None
        if plan.mixup:
            mixed = mixup(pixels, plan.mixup)
            pixels = mixed.pixels
        logits = model(channels_last(pixels))
        heads = logits.unbind() if logits.ndim == 3 else (logits,)
        mean, reported = self._nats(heads[0], batch.labels, mixed)
        for head in heads[1:]:
            mean = mean + AUXILIARY * self._nats(head, batch.labels, mixed)[0]
        return Loss(mean, len(batch.labels), None, reported)

    def _nats(self, logits: Tensor, labels: Tensor, mixed: Mixed | None) -> tuple[Tensor, Tensor]:
        """The loss of a head, logits [B, K], that goes down; and the one that is read: plain cross-entropy."""
        smoothing = self.config.train.label_smoothing
        if mixed is None and self._weights is None:
            return smoothed_cross_entropy(logits, labels, smoothing)
        logits = logits.float()
        mean = read = logits.new_zeros(())
        halves = [(labels, torch.ones_like(labels, dtype=torch.float32))]
        if mixed is not None:
            halves = [(labels, mixed.share), (labels[mixed.order], 1 - mixed.share)]
        for aims, share in halves:
            counts = share if self._weights is None else share * self._weights.to(logits.device)[aims]
            each = F.cross_entropy(logits, aims, label_smoothing=smoothing, reduction="none")
            mean = mean + (each * counts).mean()
            read = read + (F.cross_entropy(logits.detach(), aims, reduction="none") * share).mean()
        return mean, read

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss as it is, in nats."""
        return {"loss": mean_loss}

    def settle(self, model: nn.Module) -> None:
        """The weights, and the statistics of batch normalisation with them, are all that inference needs."""
        self._scores = None

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Figures on the validation pictures; nothing when there is none."""
        truth = self._held_out.labels
        if not len(truth):
            return {}
        self._scores = judged(model, self._held_out.pixels)
        found = as_probabilities(self._scores, 1.0, several=False)
        return validation_figures(picture_figures(truth, found, self.corpus.labels, confusion=False))

    def sample(self, model: nn.Module) -> str:
        """What a held-out picture shows, and what is said of it."""
        if self._scores is None or not len(self._scores):
            return ""
        found = as_probabilities(self._scores[:1], 1.0, several=False)[0]
        truth, best, labels = int(self._held_out.labels[0]), int(found.argmax()), self.corpus.labels
        shows = repr(labels[truth]) if truth >= 0 else "something new"
        return f"a picture of {shows}  →  {labels[best]} ({found[best]:.0%})"


def _check_lone(config: Any) -> None:
    """Refuse batches of one picture where a batch normalisation would see one value; worked out without allocating it.

    Raises:
        ConfigError: it would.
    """
    with torch.device("meta"), torch.no_grad():
        model = build_image_model(config)
        try:
            model(torch.zeros(1, config.channels, config.height, config.width))
        except ValueError:  # all that torch says it of
            raise ConfigError(
                f"batch_size must be at least 2 for this {config.kind}: its batch normalisation compares the pictures "
                "of a batch, got 1"
            ) from None


def _class_weights(labels: NDArray[np.int64], classes: int, kind: str) -> Tensor | None:
    """What a picture of each class counts [K]."""
    if kind == "none":
        return None
    counts = np.bincount(labels, minlength=classes)
    return torch.from_numpy((len(labels) / (classes * np.maximum(1, counts))).astype(np.float32))
