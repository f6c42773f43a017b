"""A trained classifier of points on a plane.

Legend: N points, K classes, M moments of the training, P parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .. import artifact
from ..errors import ConfigError, CorpusError, RunError
from ..models.plane_classifier import PlaneClassifier
from ..plane import PointCorpus, PointsConfig, coordinates, open_points
from .base import Run, command
from .class_figures import class_figures, decisions
from .held_out import held_out, told, unsplit

#: Training points that a run keeps, to be drawn.
MOST_DRAWN = 1000
#: Spreads from the middle beyond which it makes no difference how far off a point is.
FARTHEST = 1e6
#: Points that go through the model at once.
AT_ONCE = 65_536


@dataclass(frozen=True, eq=False)
class Plane:
    """What a run keeps of its points.

    Attributes:
        labels: the K classes.
        fields: the names of the two coordinates.
        centre, spread: [2], mean and standard deviation of the training points, float64.
        xy, truth: [n, 2] and [n], training points to be drawn and their classes.
    """

    labels: tuple[str, ...]
    fields: tuple[str, str]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    xy: NDArray[np.float64]
    truth: NDArray[np.int64]

    @classmethod
    def of(cls, corpus: PointCorpus) -> Plane:
        """That of the training split of a corpus; of many points some, drawn by a seed of its own."""
        xy, truth = corpus.points("train")
        largest = np.abs(xy).max(initial=0.0) or 1.0
        spread = (xy / largest).std(axis=0) * largest  # the squares of the largest are numbers too
        spread[spread <= 1e-12 * largest] = 1.0  # a coordinate that is the same throughout, but for rounding
        some = np.sort(np.random.default_rng(0).permutation(len(xy))[:MOST_DRAWN])
        return cls(corpus.labels, corpus.fields, xy.mean(axis=0), spread, xy[some], truth[some])

    def scaled(self, xy: NDArray[np.float64]) -> NDArray[np.float32]:
        """Points [N, 2] with the mean and the spread of the training points taken away.

        A point farther off than a million spreads is taken for one that far off.
        """
        return np.clip((xy - self.centre) / self.spread, -FARTHEST, FARTHEST).astype(np.float32)


class PointsRun(Run):
    """A trained classifier of points: ``predict_points``, ``probabilities`` and ``evaluate``."""

    model: PlaneClassifier
    several = False  # a point has one label

    def __init__(
        self, path: Path, record: Mapping[str, Any], model: nn.Module, data: PointsConfig, plane: Plane
    ) -> None:
        super().__init__(path, record, model)
        self._data, self.plane = data, plane
        if len(plane.labels) != self.model.config.classes:
            raise RunError(f"{path / artifact.POINTS} does not fit {artifact.CONFIG}: one of them is from another run")

    @property
    def labels(self) -> tuple[str, ...]:
        """The K classes."""
        return self.plane.labels

    @property
    def moments(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The training as it went: batches learned from [M], and the weights then [M, P].

        The weights are laid out as ``textdl.models.plane_classifier.Moments`` says; the last are those of the run.
        """
        kept = self.model.moments
        count = int(kept.count)
        return kept.after[:count].cpu().numpy(), kept.weights[:count].cpu().numpy()

    def next_command(self) -> str:
        """What to try with a new run."""
        return command("plot", self.path, "--out", "bending.html")

    def probabilities(self, points: Any) -> NDArray[np.float64]:
        """The probability of each class for each point: [N, K], rows sum to one.

        Args:
            points: [N, 2], in the units of the training points.

        Raises:
            CorpusError: they are not of two finite numbers each.
        """
        return probabilities(self.model, self.plane.scaled(coordinates(points)))

    def predict_points(self, points: Any) -> list[str]:
        """The label of each point; raises as :meth:`probabilities`."""
        return [self.labels[place] for place in decisions(self.probabilities(points))]

    def predict(self, points: Any) -> list[str]:
        """The same as :meth:`predict_points`."""
        return self.predict_points(points)

    def evaluate(
        self, corpus: Any = None, split: str | None = None, text_field: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Figures on held-out points.

        Args:
            corpus: anything that ``textdl.plane.open_points`` takes; that of the training when none is given.
            split: by default ``test`` of the training's corpus or of one that brings such a split, and all of another.
            text_field: points have no text; nothing else than () is taken.

        Returns:
            What :func:`textdl.tasks.class_figures.class_figures` gives; ``corpus``, ``split``, ``same_corpus``.

        Raises:
            CorpusError: no such corpus or split, it is empty, or none of its labels is a class of the model.
        """
        if text_field:
            raise ConfigError("points have no text; leave --text-field out")
        opened, split = held_out(
            self.config,
            corpus,
            split,
            lambda place: open_points(place, self._data),
            self._other,
            "points",
        )
        xy, truth = opened.points(split, self.labels)
        if not len(truth):
            raise CorpusError(f"the {split} split of {opened.name} is empty; choose from {', '.join(opened.splits)}")
        if (truth < 0).all():
            raise CorpusError(
                f"none of the labels of {opened.name} ({', '.join(opened.labels[:10])}) is one of the run's "
                f"({', '.join(self.labels[:10])}); give a corpus with the same labels"
            )
        return {
            **class_figures(truth, self.probabilities(xy), self.labels),
            "corpus": opened.name,
            "split": told(split, opened, opened.config),
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }

    def _other(self, place: Any, whole: bool) -> PointCorpus:
        """Another corpus, by the columns of the training; points in memory have none."""
        data = replace(self._data, limit=None)
        if not isinstance(place, (str, Path)):
            data = replace(data, x_field=None, y_field=None, label_field=None)
        return open_points(place, unsplit(data) if whole else data, least=1)


def probabilities(model: nn.Module, scaled: NDArray[np.float32]) -> NDArray[np.float64]:
    """The softmax of a model's logits [N, K] for scaled points [N, 2], in evaluation."""
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    rows = []
    with torch.inference_mode():
        for some in torch.from_numpy(scaled).split(AT_ONCE):
            rows.append(torch.softmax(model(some.to(device)).double(), dim=-1).cpu().numpy())
    model.train(was_training)
    return np.concatenate(rows)


def keep_plane(path: Path, plane: Plane) -> None:
    """Write what a run keeps of its points into its folder."""
    arrays = {"centre": plane.centre, "spread": plane.spread, "xy": plane.xy, "truth": plane.truth}
    facts = {"labels": list(plane.labels), "fields": list(plane.fields)}
    artifact.save_arrays(path / artifact.POINTS, arrays, facts)


def kept_plane(path: Path) -> Plane:
    """What a run keeps of its points.

    Raises:
        RunError: missing or damaged.
    """
    arrays, facts = artifact.load_arrays_and_facts(path / artifact.POINTS)
    try:
        x, y = facts["fields"]
        plane = Plane(tuple(facts["labels"]), (x, y), *(arrays[name] for name in ("centre", "spread", "xy", "truth")))
        fits = plane.xy.shape == (len(plane.truth), 2) and plane.centre.shape == plane.spread.shape == (2,)
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise RunError(f"{path / artifact.POINTS} is not what it was; restore it or train again") from None
    return plane
