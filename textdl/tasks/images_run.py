"""A trained classifier of pictures: it names what they show, and is measured.

Legend: N pictures, H, W and C their height, width and channels, K classes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import artifact
from ..errors import ConfigError, CorpusError, RunError
from ..image_corpus import ImageCorpus, Images, ImagesConfig, open_images, read_image
from ..images.arrays import as_pixels, shape_of_images
from ..models.image_classifier import ImageClassifier
from .base import Run, command
from .class_figures import decisions
from .classifier_run import as_probabilities
from .held_out import held_out, told, unsplit
from .image_figures import Pixels, Shape, picture_figures, spelt, worst_pictures

#: Pictures that are judged at once: at most so many, and of at most so many values together.
_AT_ONCE, _VALUES = 256, 1 << 20


class ImagesRun(Run):
    """A trained classifier of pictures: ``predict``, ``probabilities``, ``evaluate`` and ``images``.

    Attributes:
        labels: the K labels, in the order of the probabilities.
        shape: H, W, C of the pictures that it judges.
    """

    #: A picture has one label.
    several = False

    def __init__(self, path: Path, record: Mapping[str, Any], model: nn.Module, data: ImagesConfig) -> None:
        super().__init__(path, record, model)
        facts = _facts(path, record)
        self.labels: tuple[str, ...] = tuple(facts["labels"])
        height, width, channels = facts["shape"]
        self.shape: Shape = (height, width, channels)
        self._data = data

    @abstractmethod
    def scores(self, pixels: Pixels) -> NDArray[np.floating]:
        """What the model makes of pictures [N, H, W, C] before it becomes probabilities: [N, K]."""

    @property
    def temperature(self) -> float:
        """What scores are divided by, so that probabilities mean what they say; 1 of a network."""
        return float(getattr(self.model, "temperature", 1.0))

    def next_command(self) -> str:
        """What to try with a new run."""
        return command("evaluate", self.path, "--errors", "5", "--confusion", "confusion.png")

    def probabilities(self, pixels: Any) -> NDArray[np.float64]:
        """The probability of each label for each picture: [N, K], rows sum to one.

        Args:
            pixels: [N, H, W, C] from 0 to 255, in the run's shape; or whatever :meth:`pictures` takes.

        Raises:
            CorpusError: as :meth:`pictures`.
        """
        return as_probabilities(self.scores(self.pictures(pixels)), self.temperature, several=False)

    def predict(self, given: Any) -> list[str]:
        """The label of each picture: of files, one or several, or of pixels; see :meth:`pictures`.

        Raises:
            CorpusError: as :meth:`pictures`.
        """
        return [self.labels[place] for place in decisions(self.probabilities(given))]

    def pictures(self, given: Any) -> Pixels:
        """Pictures as the model reads them: uint8 [N, H, W, C].

        Args:
            given: the path of a file, or several: they are brought to the run's shape. Or pixels in that shape,
                [N, H, W, C] or of grey ones [N, H, W]: whole numbers from 0 to 255, or fractions from 0 to 1.

        Raises:
            CorpusError: a file can not be read, or pixels are of another shape.
        """
        if isinstance(given, (str, Path)):
            given = [given]
        elif not isinstance(given, np.ndarray):
            given = list(given) if isinstance(given, Iterable) else given
        if isinstance(given, list) and (not given or any(isinstance(one, (str, Path)) for one in given)):
            return self._read(given)
        try:
            pixels = np.asarray(given)
        except (ValueError, TypeError, RuntimeError):
            raise CorpusError(
                f"the pictures are no array of one shape; the run judges {spelt(self.shape)}, give them in that shape"
            ) from None
        shape = shape_of_images(pixels.shape, pixels.dtype, "the pictures")
        self._check(shape[1:], "the pictures are", "scale them, or give their files, which are scaled")
        return as_pixels(pixels, "the pictures").reshape(shape)

    def images(
        self,
        corpus: Any = None,
        split: str | None = None,
        label_field: str | None = None,
        size: int | None = None,
    ) -> Images:
        """The pictures that :meth:`evaluate` with the same arguments judges, and their labels as places in
        :attr:`labels`, -1 for one that is none of these.

        Raises:
            CorpusError: as :meth:`evaluate`.
        """
        return self._opened(corpus, split, label_field, size)[0]

    def evaluate(  # type: ignore[override]
        self,
        corpus: Any = None,
        split: str | None = None,
        text_field: tuple[str, ...] = (),
        label_field: str | None = None,
        errors: int = 0,
        size: int | None = None,
    ) -> dict[str, Any]:
        """Figures on held-out pictures.

        Args:
            corpus: anything that ``textdl.image_corpus.open_images`` takes; that of the training when none is given.
            split: by default ``test`` of the training's corpus or of one that brings such a split, and all of
                another corpus.
            text_field: pictures have no text; nothing else than () is taken.
            label_field: field of a dataset of the Hub that holds the label.
            errors: how many of the worst mistakes to show.
            size: side in pixels that the pictures of another corpus are brought to.

        Returns:
            What :func:`textdl.tasks.image_figures.picture_figures` gives; ``corpus``, ``split``, and ``same_corpus``:
            whether this is, by its digest, the corpus of the training; with ``errors``, the worst mistakes
            (``index``, the place in :meth:`images`; ``truth``, ``said``, ``probability``).

        Raises:
            CorpusError: no such corpus or split, it is empty, its pictures are of another shape, or none of its labels
                is a class of the model.
            ConfigError: a size is given for the training's own corpus, and it is not the run's.
        """
        if text_field:
            raise ConfigError("pictures have no text; leave --text-field out")
        some, opened, where = self._opened(corpus, split, label_field, size)
        if (some.labels < 0).all():
            raise CorpusError(
                f"none of the labels of {opened.name} ({', '.join(opened.labels[:10])}) is one of the run's "
                f"({', '.join(self.labels[:10])}); give a corpus with the same labels"
            )
        found = self.probabilities(some.pixels)
        figures = picture_figures(some.labels, found, self.labels)
        figures |= {
            "corpus": opened.name,
            "split": where,
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }
        if errors:
            figures["errors"] = worst_pictures(some.labels, found, self.labels, errors)
        return figures

    def _opened(
        self, corpus: Any, split: str | None, label_field: str | None, size: int | None
    ) -> tuple[Images, ImageCorpus, str]:
        """The pictures of a split with the run's labels, their corpus, and what the split is called."""
        used = trained = replace(self._data, label_field=label_field or self._data.label_field)
        like_ours = ImagesConfig(
            label_field=label_field,
            size=size or self._data.size,
            channels="colour" if self.shape[2] == 3 else "grey",
        )

        def own(place: Any) -> ImageCorpus:
            if size is not None and (size, size) != self.shape[:2]:
                raise ConfigError(
                    f"size is of another corpus, and the run has its own as {spelt(self.shape)}; leave it out (--size)"
                )
            return open_images(place, trained)

        def other(place: Any, whole: bool) -> ImageCorpus:
            nonlocal used
            used = unsplit(like_ours) if whole else like_ours
            return open_images(place, used, least=1)

        opened, split = held_out(self.config, corpus, split, own, other, what="pictures")
        side = f"bring them to that (--size {self.shape[0]})" if self.shape[0] == self.shape[1] else "scale them"
        self._check(opened.shape, f"the pictures of {opened.name} are", side)
        some = opened.images(split)
        if not len(some.labels):
            raise CorpusError(f"the {split} split of {opened.name} is empty; choose from {', '.join(opened.splits)}")
        known = {label: place for place, label in enumerate(self.labels)}
        # one more, for the place -1 of what that corpus does not know either
        places = np.array([known.get(label, -1) for label in opened.labels] + [-1], np.int64)
        return Images(some.pixels, places[some.labels]), opened, told(split, opened, used)

    def _read(self, paths: Sequence[Any]) -> Pixels:
        found = np.zeros((len(paths), *self.shape), np.uint8)
        for number, path in enumerate(paths):
            if not isinstance(path, (str, Path)):
                raise CorpusError(f"picture {number + 1} must be a path as the others are, got {type(path).__name__}")
            found[number] = read_image(path, self.shape)
        return found

    def _check(self, shape: Sequence[int], what: str, remedy: str) -> None:
        """Raise a ``CorpusError`` where a shape [H, W, C] is not the run's."""
        if tuple(shape) != self.shape:
            raise CorpusError(f"{what} {spelt(shape)}, and the run judges {spelt(self.shape)}; {remedy}")


class NetRun(ImagesRun):
    """A network that the trainer taught."""

    model: ImageClassifier

    def scores(self, pixels: Pixels) -> NDArray[np.floating]:
        """Logits [N, K]."""
        return judged(self.model, pixels)


def judged(model: nn.Module, pixels: Pixels) -> NDArray[np.float32]:
    """The logits [N, K] of pictures uint8 [N, H, W, C]; in evaluation, in float32."""
    device, was_training = next(model.buffers()).device, model.training
    size = max(1, min(_AT_ONCE, _VALUES // max(1, int(np.prod(pixels.shape[1:])))))
    classes: int = model.config.classes  # type: ignore[union-attr, assignment]
    scores = np.zeros((len(pixels), classes), np.float32)
    if was_training:
        model.eval()
    with torch.inference_mode():
        for begin in range(0, len(pixels), size):
            part = torch.from_numpy(np.array(pixels[begin : begin + size])).to(device)
            scores[begin : begin + size] = model(channels_last(as_floats(part))).float().cpu().numpy()
    if was_training:
        model.train()
    return scores


def as_floats(pixels: Tensor) -> Tensor:
    """Pictures uint8 [B, H, W, C] as a model reads them: float32 [B, C, H, W] in 0..1."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)


def channels_last(pixels: Tensor) -> Tensor:
    """The same pictures [B, C, H, W], the channels of a pixel side by side in memory.

    Convolutions on a CPU are a quarter faster so, and go on in that order; the weights stay in their own.
    """
    if pixels.shape[1] != 1:
        return pixels.contiguous(memory_format=torch.channels_last)
    # of one channel both orders are the same, and only the strides tell a convolution which is meant
    return pixels.reshape(len(pixels), *pixels.shape[2:], 1).permute(0, 3, 1, 2)


def _facts(path: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """What ``config.json`` says of the corpus, once it is sure that it goes with the model.

    Raises:
        RunError: something is not there, is of another kind, or not what the model was made for.
    """
    found, model = record.get("corpus"), record.get("model")
    facts, own = found if isinstance(found, dict) else {}, model if isinstance(model, dict) else {}
    labels, shape = facts.get("labels"), facts.get("shape")
    sound = (
        facts.keys() >= {"source", "digest"}
        and isinstance(labels, (list, tuple))
        and all(isinstance(label, str) for label in labels)
        and len(set(labels)) == len(labels) == own.get("classes")
        and isinstance(shape, (list, tuple))
        and list(shape) == [own.get(name) for name in ("height", "width", "channels")]
    )
    if not sound:
        raise RunError(
            f"what {path / artifact.CONFIG} says of the corpus does not go with the model of {own.get('classes')} "
            "classes; it was changed, train again or restore it"
        )
    return facts


def record_of(corpus: ImageCorpus, source: Any) -> dict[str, Any]:
    """What ``config.json`` says of a corpus of pictures."""
    return {
        "source": str(source) if isinstance(source, (str, Path)) else None,
        "name": corpus.name,
        "licence": corpus.card.licence,
        "digest": corpus.digest,
        "labels": list(corpus.labels),
        "shape": list(corpus.shape),
    }
