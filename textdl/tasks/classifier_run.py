"""A trained classifier: it judges texts, is measured, and says what moved it.

Legend: N texts, C classes.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .. import artifact
from ..baselines.rows import is_pair
from ..errors import ConfigError, CorpusError, RunError, near
from ..labelled import LabelledConfig, LabelledCorpus, open_labelled
from ..models.classifier import Classifier
from ..text.buckets import by_size
from ..vectors.features import checked_texts
from .attribution import Attribution
from .base import Run, command, corpus_facts
from .class_figures import class_figures, decisions, worst_mistakes
from .held_out import held_out, told, unsplit
from .labelled_texts import read_texts, truth_of, unknown_of
from .text_reader import Read, TextReader

#: Tokens, padding included, that are judged at once: few enough to stay in the caches.
_TOKENS_AT_ONCE = 16_384

#: A text, or a pair of texts.
OneOrPair = str | tuple[str, str]


class ClassifierRun(Run):
    """A trained classifier: ``predict``, ``probabilities``, ``evaluate`` and ``attribute``."""

    def __init__(self, path: Path, record: Mapping[str, Any], model: nn.Module, data: LabelledConfig) -> None:
        super().__init__(path, record, model)
        facts = _facts(path, record, classes=len(self.thresholds))
        self.labels: tuple[str, ...] = tuple(facts["labels"])
        self.several, self.pairs = facts["several"], facts["pairs"]
        self._data = data

    @abstractmethod
    def scores(self, texts: Iterable[OneOrPair]) -> NDArray[np.float32]:
        """What the model makes of texts, before it becomes probabilities: logits [N, C]."""

    @abstractmethod
    def attribute(self, text: OneOrPair, label: str | None = None, steps: int = 64) -> Attribution:
        """What each word of a text moved the score of a label by; of the most probable label, when none is named.

        Raises:
            ConfigError: there is no such label.
        """

    @property
    def temperature(self) -> float:
        """What scores are divided by, so that probabilities mean what they say; found on the validation texts."""
        return float(self.model.temperature)  # type: ignore[arg-type]

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """[C], of several labels: from which probability on a label is given."""
        return np.asarray(self.model.thresholds.cpu().numpy())  # type: ignore[union-attr, operator]

    def next_command(self) -> str:
        """What to try with a new run."""
        second = ("--second", "Another.") if self.pairs else ()
        return command("predict", self.path, "Not bad at all.", *second)

    def probabilities(self, texts: Iterable[OneOrPair]) -> NDArray[np.float64]:
        """The probability of each label for each text: [N, C], a row of one label sums to one.

        Args:
            texts: N texts; of pairs, N times (text, second text).

        Raises:
            CorpusError: they are no texts, or no pairs where the model judges pairs.
        """
        return as_probabilities(self.scores(texts), self.temperature, self.several)

    def predict(self, texts: Iterable[OneOrPair]) -> list[Any]:
        """The label of each text; of several labels, a tuple of those that it has.

        Raises:
            CorpusError: as :meth:`probabilities`.
        """
        found = decisions(self.probabilities(texts), self.several, self.thresholds)
        if self.several:
            return [tuple(self.labels[place] for place in np.flatnonzero(row)) for row in found]
        return [self.labels[place] for place in found]

    def evaluate(  # type: ignore[override]
        self,
        corpus: Any = None,
        split: str | None = None,
        text_field: tuple[str, ...] = (),
        label_field: str | None = None,
        errors: int = 0,
    ) -> dict[str, Any]:
        """Figures on held-out texts.

        Args:
            corpus: anything that ``textdl.labelled.open_labelled`` takes; that of the training when none is given.
            split: by default ``test`` of the training's corpus or of one that brings such a split, and all of
                another corpus.
            text_field: field(s) of the corpus that hold the text.
            label_field: field of the corpus that holds the label.
            errors: how many of the worst mistakes to show.

        Returns:
            What :func:`textdl.tasks.class_figures.class_figures` gives; ``corpus``, ``split``, and ``same_corpus``:
            whether this is, by its digest, the corpus of the training; with ``errors``, the worst mistakes.

        Raises:
            CorpusError: no such corpus or split, it is empty, or none of its labels is a class of the model.
        """
        opened, split = self._held_out(corpus, split, text_field, label_field)
        texts = read_texts(opened, split)
        if not len(texts):
            raise CorpusError(f"the {split} split of {opened.name} is empty; choose from {', '.join(opened.splits)}")
        truth, unknown = truth_of(texts, self.labels, self.several), unknown_of(texts, self.labels)
        if unknown.all():
            theirs = sorted({label for some in texts.labels for label in some})
            raise CorpusError(
                f"none of the labels of {opened.name} ({', '.join(theirs[:10])}) is one of the run's "
                f"({', '.join(self.labels[:10])}); give a corpus with the same labels"
            )
        given: Sequence[Any] = list(zip(texts.texts, texts.seconds, strict=True)) if self.pairs else texts.texts
        found = self.probabilities(given)
        figures = class_figures(
            truth, found, self.labels, self.several, self.thresholds, unknown if self.several else None
        )
        figures |= {
            "corpus": opened.name,
            "split": told(split, opened, opened.corpus.config),
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }
        if errors:
            thresholds = self.thresholds if self.several else None
            figures["errors"] = worst_mistakes(truth, found, self.labels, given, errors, thresholds)
        return figures

    def _held_out(
        self, corpus: Any, split: str | None, text_field: tuple[str, ...], label_field: str | None
    ) -> tuple[LabelledCorpus, str]:
        read = self._data
        trained = replace(read, text_field=text_field or read.text_field, label_field=label_field or read.label_field)
        config = LabelledConfig(
            text_field=text_field,
            label_field=label_field,
            second_field=read.second_field,
            several_labels=self.several or None,
            label_separator=read.label_separator,
            documents=read.documents,
        )
        opened, split = held_out(
            self.config,
            corpus,
            split,
            lambda place: open_labelled(place, trained),
            lambda place, whole: open_labelled(place, unsplit(config) if whole else config, least=1),
        )
        return self._of_run(opened), split

    def _of_run(self, opened: LabelledCorpus) -> LabelledCorpus:
        """The corpus, once it is sure that it is one of texts of the kind the model judges.

        Raises:
            CorpusError: it is of pairs and the model of single texts, or the other way round; or of several labels.
        """
        if opened.pairs != self.pairs:
            ours, theirs = (f"{'pairs of texts' if pairs else 'single texts'}" for pairs in (self.pairs, opened.pairs))
            raise CorpusError(f"the run judges {ours}, and {opened.name} holds {theirs}; see --second-field")
        if opened.several != self.several:
            ours, theirs = ("any number of labels" if s else "one label" for s in (self.several, opened.several))
            raise CorpusError(f"the run gives a text {ours}, and in {opened.name} it has {theirs}")
        return opened

    def _place(self, label: str) -> int:
        """The number of a label.

        Raises:
            ConfigError: the run has no such label.
        """
        if label not in self.labels:
            raise ConfigError(f"the run has no label {label!r}; {near(label, self.labels)}")
        return self.labels.index(label)

    def _checked(self, texts: Iterable[OneOrPair]) -> tuple[list[str], list[str]]:
        """First and second texts."""
        first, second = [], []
        every: Iterable[Any] = checked_texts(texts)  # type: ignore[arg-type]
        for number, text in enumerate(every, 1):
            if not (is_pair(text) if self.pairs else isinstance(text, str)):
                what = "a pair of texts (text, second)" if self.pairs else "a text"
                raise CorpusError(f"text {number} must be {what}, got {type(text).__name__}")
            pair = text if self.pairs else (text, "")
            first.append(pair[0])
            second.append(pair[1])
        return first, second


def _facts(path: Path, record: Mapping[str, Any], classes: int) -> dict[str, Any]:
    """What ``config.json`` says of the corpus, once it is sure that it goes with the model.

    Raises:
        RunError: something is not there, is of another kind, or not what the model was made for.
    """
    found = record.get("corpus")
    facts = found if isinstance(found, dict) else {}
    labels, pairs = facts.get("labels"), facts.get("pairs")
    sound = (
        facts.keys() >= {"source", "digest"}
        and isinstance(labels, (list, tuple))
        and all(isinstance(label, str) for label in labels)
        and len(set(labels)) == len(labels) == classes
        and isinstance(facts.get("several"), bool)
        and isinstance(pairs, bool)
        and pairs == record.get("model", {}).get("pairs", pairs)
    )
    if not sound:
        raise RunError(
            f"what {path / artifact.CONFIG} says of the corpus does not go with the model of {classes} classes; it was "
            "changed, train again or restore it"
        )
    return facts


class NeuralRun(ClassifierRun):
    """A classifier that the trainer taught."""

    model: Classifier

    def __init__(
        self, path: Path, record: Mapping[str, Any], model: Classifier, reader: TextReader, data: LabelledConfig
    ) -> None:
        super().__init__(path, record, model, data)
        self.reader = reader

    def scores(self, texts: Iterable[OneOrPair]) -> NDArray[np.float32]:
        """Logits [N, C]."""
        first, second = self._checked(texts)
        read = self.reader.read(first)
        return judged(self.model, self.reader, read, self.reader.read(second) if self.pairs else None)

    def attribute(self, text: OneOrPair, label: str | None = None, steps: int = 64) -> Attribution:
        """By integrated gradients (Sundararajan et al. 2017); see :func:`textdl.tasks.attributing.attribute`."""
        from .attributing import attribute

        found = self.probabilities([text])[0]
        place = int(found.argmax()) if label is None else self._place(label)
        return attribute(self, text, place, float(found[place]), steps)


def judged(
    model: Classifier, reader: TextReader, first: Read, second: Read | None, most: int | None = None
) -> NDArray[np.float32]:
    """The logits [N, C] of texts, of the first ``most`` of them; in evaluation, in float32."""
    lengths = first.tokens.lengths if second is None else np.maximum(first.tokens.lengths, second.tokens.lengths)
    lengths = lengths[:most]
    device, was_training = model.head.weight.device, model.training
    scores = np.zeros((len(lengths), model.config.classes), np.float32)
    if was_training:  # going through all modules takes longer than a short text
        model.eval()
    with torch.inference_mode():
        for which in by_size(lengths, _TOKENS_AT_ONCE):
            tokens = [reader.batch(read, which) for read in (first, second) if read is not None]
            moved = [type(some)(*(tensor.to(device) for tensor in some)) for some in tokens]
            scores[which] = model(*moved).float().cpu().numpy()
    if was_training:
        model.train()
    return scores


def as_probabilities(scores: NDArray[Any], temperature: float, several: bool) -> NDArray[np.float64]:
    """Logits [N, C] as probabilities: a softmax, or of several labels a sigmoid of each, of scores / temperature."""
    scaled = np.asarray(scores, np.float64) / temperature
    if several:
        return 1 / (1 + np.exp(-np.clip(scaled, -700, 700)))
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True)) if scaled.size else scaled
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def validation_figures(figures: Mapping[str, Any]) -> dict[str, float]:
    """Those of the figures of a classifier that go into the report, where they are numbers."""
    wanted = ("accuracy", "macro_f1", "micro_f1", "nats", "calibration_error")
    return {f"validation_{name}": float(figures[name]) for name in wanted if math.isfinite(figures[name])}


def records_of(corpus: LabelledCorpus, source: Any, labels: Sequence[str]) -> dict[str, Any]:
    """What ``config.json`` says of a corpus of labelled texts."""
    named = str(source) if isinstance(source, (str, Path)) else None
    facts = {**corpus_facts(corpus.corpus), "digest": corpus.digest}
    return {"source": named, **facts, "labels": list(labels), "several": corpus.several, "pairs": corpus.pairs}
