"""Classifiers of raw pixels that are made in one call: what every network is to be measured against.

Legend: N pictures, D values of one, K classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import artifact
from ..baselines.pixels import NeighboursConfig, PixelsConfig, fit_linear, softened, votes
from ..errors import RunError
from ..image_corpus import ImageCorpus, Images
from ..training.events import Note, Observer, Report, Started, Working
from .class_figures import fit_temperature
from .classifier_run import as_probabilities
from .image_figures import Pixels, picture_figures, spelt, validation_figures
from .images_run import ImagesRun, record_of
from .labelled_texts import told_classes

if TYPE_CHECKING:
    from .images import ImageClassificationConfig

#: Pictures that a linear map judges at once.
_AT_ONCE = 4096


class PixelWeights(nn.Module):
    """What a run folder holds of a baseline: weights [D, K] and bias [K] of a linear one; and the temperature."""

    def __init__(self, config: PixelsConfig) -> None:
        super().__init__()
        self.register_buffer("temperature", torch.ones(()))
        if not isinstance(config, NeighboursConfig):
            self.weights = nn.Parameter(torch.zeros(config.size, config.classes), requires_grad=False)
            self.bias = nn.Parameter(torch.zeros(config.classes), requires_grad=False)

    temperature: Tensor


class FittingImages:
    """A baseline on raw pixels."""

    name: ClassVar[str] = "images"
    model: nn.Module

    def __init__(self, config: ImageClassificationConfig, corpus: ImageCorpus, source: Any, tell: Observer) -> None:
        self.corpus, self.source = corpus, source
        for note in corpus.notes:
            tell(Note(note))
        height, width, channels = corpus.shape
        derived = {"height": height, "width": width, "channels": channels, "classes": len(corpus.labels)}
        self.config = replace(config, model=replace(config.model, **derived))  # type: ignore[type-var]
        self.model = PixelWeights(self.config.model)  # type: ignore[arg-type]
        self.facts: dict[str, str | int] = {}
        self._done = False

    @property
    def title(self) -> str:
        """One line for people."""
        return f"{self.config.model.kind} of {len(self.corpus.labels)} classes, on {self.corpus.name}"  # type: ignore[attr-defined]

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        return record_of(self.corpus, self.source)

    def save_parts(self, path: Path) -> None:
        """Write the training pictures of nearest neighbours, once they are read."""
        if self._done and isinstance(self.config.model, NeighboursConfig):
            known = self.corpus.images("train")
            artifact.save_arrays(path / artifact.PICTURES, known._asdict(), {"corpus": self.corpus.digest})

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: ImageClassificationConfig) -> ImagesRun:
        """The run in a folder, its weights still to be read."""
        own: Any = config.model
        model = PixelWeights(own)
        if not isinstance(own, NeighboursConfig):
            return LinearPixelsRun(path, record, model, config.data)
        return NeighboursRun(path, record, model, config.data, _known(path, record, own), own)

    def fit(self, tell: Observer) -> Report:
        """Fit, and find the temperature on the validation pictures."""
        started = time.monotonic()
        train, held_out = self.corpus.images("train"), self.corpus.images("validation")
        self.facts = told_facts(self.corpus)
        tell(Started(self.title, self.facts, None, "picture"))
        tell(Working("fitting", 0.0))
        scores = self._scores(train, held_out, tell)
        figures = self._calibrate(scores, held_out.labels)
        self._done = True
        report = Report("finished", 1, 1.0, time.monotonic() - started, len(train.labels), figures)
        tell(report)
        return report

    def _scores(self, train: Images, held_out: Images, tell: Observer) -> NDArray[np.floating]:
        """Fit, and judge the validation pictures: [N, K]."""
        own: Any = self.config.model
        if isinstance(own, NeighboursConfig):
            return neighbour_scores(own, train, held_out.pixels, lambda share: tell(Working("judging", share)))
        known, settings = _flat(train.pixels), self.config.train
        weights, bias = fit_linear(
            own.kind,
            known,
            train.labels,
            len(self.corpus.labels),
            own.strength,
            settings.class_weights == "balanced",
            settings.seed,
        )
        model: Any = self.model
        model.weights.copy_(torch.from_numpy(weights))
        model.bias.copy_(torch.from_numpy(bias))
        return linear_scores(model, held_out.pixels)

    def _calibrate(self, scores: NDArray[np.floating], truth: NDArray[np.int64]) -> dict[str, float]:
        """Find the temperature on the scores [N, K] of the validation pictures; the figures there."""
        if not len(truth):
            return {}
        temperature = fit_temperature(scores, truth)
        self.model.temperature.fill_(temperature)  # type: ignore[union-attr, operator]
        found = as_probabilities(scores, temperature, several=False)
        return validation_figures(picture_figures(truth, found, self.corpus.labels, confusion=False))


class LinearPixelsRun(ImagesRun):
    """A linear map that has been fitted."""

    model: PixelWeights

    def scores(self, pixels: Pixels) -> NDArray[np.floating]:
        """The scores [N, K]."""
        return linear_scores(self.model, pixels)


class NeighboursRun(ImagesRun):
    """The training pictures, which vote."""

    def __init__(
        self,
        path: Path,
        record: Mapping[str, Any],
        model: nn.Module,
        data: Any,
        known: Images,
        config: NeighboursConfig,
    ) -> None:
        super().__init__(path, record, model, data)
        self.known, self._own = known, config

    def scores(self, pixels: Pixels) -> NDArray[np.floating]:
        """Logarithms of what the neighbours say, [N, K]."""
        return neighbour_scores(self._own, self.known, pixels)


def neighbour_scores(
    config: NeighboursConfig, known: Images, pixels: Pixels, tell: Any = lambda share: None
) -> NDArray[np.float64]:
    """Scores [N, K] of pictures [N, H, W, C] by their neighbours among the known ones."""
    parts = votes(_flat(known.pixels), known.labels, _flat(pixels), config.neighbours, config.classes, tell)
    return softened(parts, min(config.neighbours, len(known.labels)))


def linear_scores(model: Any, pixels: Pixels) -> NDArray[np.float32]:
    """Scores [N, K] of pictures [N, H, W, C] by a linear map."""
    weights, bias = model.weights.detach().cpu().numpy(), model.bias.detach().cpu().numpy()
    scores = np.zeros((len(pixels), len(bias)), np.float32)
    for begin in range(0, len(pixels), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        scores[part] = _flat(pixels[part]).astype(np.float32) @ weights + bias
    return scores


def told_facts(corpus: ImageCorpus) -> dict[str, str | int]:
    """What was read, for people."""
    train, held_out = corpus.images("train"), corpus.images("validation")
    return {
        "training pictures": f"{len(train.labels):,} of {spelt(corpus.shape)}",
        "validation pictures": f"{len(held_out.labels):,}",
        "classes": told_classes(train.labels, corpus.labels),
    }


def _flat(pixels: Pixels) -> Pixels:
    """[N, D]; N may be 0."""
    return pixels.reshape(len(pixels), math.prod(pixels.shape[1:]))


def _known(path: Path, record: Mapping[str, Any], config: NeighboursConfig) -> Images:
    """The training pictures of a run.

    Raises:
        RunError: they are not there, damaged, or of another run.
    """
    arrays, facts = artifact.load_arrays_and_facts(path / artifact.PICTURES)
    pixels, labels = arrays.get("pixels"), arrays.get("labels")
    corpus = record.get("corpus")
    sound = (
        pixels is not None
        and labels is not None
        and pixels.dtype == np.uint8
        and labels.dtype == np.int64
        and pixels.shape == (len(labels), config.height, config.width, config.channels)
        and len(labels) > 0
        and 0 <= labels.min() <= labels.max() < config.classes
        and isinstance(corpus, dict)
        and facts.get("corpus") == corpus.get("digest")
    )
    if not sound:
        raise RunError(f"{path / artifact.PICTURES} does not fit {artifact.CONFIG}: one of them is from another run")
    assert pixels is not None
    assert labels is not None
    return Images(pixels, labels)
