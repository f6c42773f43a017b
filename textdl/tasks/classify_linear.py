"""Linear classifiers, fitted in one call: the opponents that every network is to be measured against.

Legend: N texts, F features, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .. import artifact
from ..baselines.config import LinearConfig
from ..baselines.linear import LinearClassifier
from ..labelled import LabelledCorpus
from ..text.known_words import Vocabulary
from ..training.events import Observer, Report, Started, Working
from .attribution import Attribution
from .class_figures import class_figures, fit_temperature, fit_thresholds
from .classifier_run import ClassifierRun, OneOrPair, as_probabilities, records_of, validation_figures
from .labelled_texts import Texts, classes_of, read_texts, told_classes, truth_of
from .text_reader import TextReader

if TYPE_CHECKING:
    from .classify import ClassificationConfig


class LinearWeights(nn.Module):
    """What a linear model has learned, as a run folder holds it: weights [F, C], bias [C], idf [F] of TF-IDF."""

    def __init__(self, rows: int, classes: int, idf: bool) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(rows, classes), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(classes), requires_grad=False)
        self.idf = nn.Parameter(torch.ones(rows), requires_grad=False) if idf else None
        self.register_buffer("temperature", torch.ones(1))
        self.register_buffer("thresholds", torch.full((classes,), 0.5))

    temperature: torch.Tensor
    thresholds: torch.Tensor

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.float32]]) -> LinearWeights:
        """Those of a fitted classifier."""
        rows, classes = arrays["weights"].shape
        made = cls(rows, classes, "idf" in arrays)
        for name, array in arrays.items():
            made.get_parameter(name).copy_(torch.from_numpy(np.array(array)))
        return made

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The same as arrays."""
        return {name: parameter.detach().cpu().numpy() for name, parameter in self.named_parameters()}


class CountingClasses:
    """A linear classifier."""

    name: ClassVar[str] = "classify"
    model: nn.Module

    def __init__(self, config: ClassificationConfig, corpus: LabelledCorpus, source: Any) -> None:
        self.config, self.corpus, self.source = config, corpus, source
        self.labels: tuple[str, ...] = ()
        self.facts: dict[str, str | int] = {}
        self.model = LinearWeights(1, 1, False)
        self.vocabulary: Vocabulary | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"{self.config.model.kind} classifier, on {self.corpus.name}"  # type: ignore[attr-defined]

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        return records_of(self.corpus, self.source, self.labels)

    def save_parts(self, path: Path) -> None:
        """Write the features, once they are known."""
        if self.vocabulary is not None:
            self.vocabulary.save(path / artifact.WORDS)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: ClassificationConfig) -> LinearRun:
        """The run in a folder, its weights still to be read."""
        own: Any = config.model
        model = LinearWeights(own.rows, own.classes, _has_idf(own))
        return LinearRun(path, record, model, Vocabulary.load(path / artifact.WORDS), config)

    def fit(self, tell: Observer) -> Report:
        """Read the texts, fit, and find the temperature on the validation texts."""
        started, data = time.monotonic(), self.config.data
        training, held_out = (read_texts(self.corpus, split, tell) for split in ("train", "validation"))
        self.labels = classes_of(training, self.corpus.name)
        truth = truth_of(training, self.labels, self.corpus.several)
        self.facts = {
            "training texts": f"{len(training):,}",
            "validation texts": f"{len(held_out):,}",
            "classes": told_classes(truth, self.labels),
        }
        tell(Started(self.title, self.facts, None, "text"))
        tell(Working("counting words and fitting", 0.0))
        classifier = estimator(self.config, self.corpus.several)
        clean = TextReader.cleaning(data)
        answers = training.labels if self.corpus.several else [some[0] for some in training.labels]
        classifier.fit(given(training, clean, self.corpus.pairs), answers)
        self.vocabulary = classifier.vocabulary_
        self.facts["features"] = f"{len(self.vocabulary):,}"
        model = LinearWeights.of(classifier.arrays())
        self.model = model
        derived = {"rows": len(self.vocabulary), "classes": len(self.labels), "pairs": self.corpus.pairs}
        self.config = replace(self.config, model=replace(self.config.model, **derived))  # type: ignore[type-var]
        scores = classifier.decision_function(given(held_out, clean, self.corpus.pairs)) if len(held_out) else None
        figures = self._calibrate(model, scores, truth_of(held_out, self.labels, self.corpus.several))
        seconds = time.monotonic() - started
        report = Report(
            "finished", 1, 1.0, seconds, len(training), {"features": float(len(self.vocabulary)), **figures}
        )
        tell(report)
        return report

    def _calibrate(
        self, model: LinearWeights, scores: NDArray[np.float64] | None, truth: NDArray[Any]
    ) -> dict[str, float]:
        """Find temperature and thresholds on the scores [N, C] of the validation texts; the figures there."""
        if scores is None:
            return {}
        several = self.corpus.several
        model.temperature.fill_(fit_temperature(scores, truth))
        found = as_probabilities(scores, float(model.temperature), several)
        if several:
            model.thresholds.copy_(torch.from_numpy(fit_thresholds(found, truth)))
        thresholds = np.asarray(model.thresholds.numpy())
        return validation_figures(class_figures(truth, found, self.labels, several, thresholds, confusion=False))


class LinearRun(ClassifierRun):
    """A linear classifier that has been fitted."""

    model: LinearWeights

    def __init__(
        self,
        path: Path,
        record: Mapping[str, Any],
        model: LinearWeights,
        vocabulary: Vocabulary,
        config: ClassificationConfig,
    ) -> None:
        super().__init__(path, record, model, config.data)
        self._vocabulary, self._config = vocabulary, config
        self._clean = TextReader.cleaning(config.data)

    @cached_property
    def classifier(self) -> LinearClassifier:
        """The estimator, as it was fitted."""
        settings = estimator(self._config, self.several).get_params()
        settings.pop("vectors")
        facts = {**settings, "classes": list(self.labels), "pairs": self.pairs, "temperature": 1.0}
        return LinearClassifier.restored(self._vocabulary, self.model.arrays(), facts)

    def scores(self, texts: Iterable[OneOrPair]) -> NDArray[np.float32]:
        """The scores [N, C]."""
        first, second = self._checked(texts)
        if not first:
            return np.zeros((0, len(self.labels)), np.float32)
        every = Texts(first, second, [])
        return self.classifier.decision_function(given(every, self._clean, self.pairs)).astype(np.float32)

    def attribute(self, text: OneOrPair, label: str | None = None, steps: int = 64) -> Attribution:
        """Exact: what each word, and each run of words shared among them, adds to the score."""
        found = self.probabilities([text])[0]
        place = int(found.argmax()) if label is None else self._place(label)
        first, second = self._checked([text])
        (cleaned,) = given(Texts(first, second, []), self._clean, self.pairs)
        pieces, weights = self.classifier.token_weights(cleaned, self.labels[place])
        rest = float(self.classifier.decision_function([cleaned])[0, place]) - float(weights.sum())
        shown = "".join(pieces)
        return Attribution(shown, self.labels[place], float(found[place]), tuple(pieces), weights, None, rest)


def estimator(config: ClassificationConfig, several: bool) -> LinearClassifier:
    """The estimator that the settings describe."""
    own: Any = config.model
    names = ("features", "ngrams", "unit", "least_documents", "most_features", "strength", "vectors")
    chosen = {name: getattr(own, name) for name in names}
    weights, seed = config.train.class_weights, config.train.seed
    return LinearClassifier(own.kind, class_weights=weights, several=several, seed=seed, **chosen)


def given(texts: Texts, clean: Any, pairs: bool) -> list[Any]:
    """The texts, or pairs of texts, without markup."""
    first = [clean(text) for text in texts.texts]
    return list(zip(first, map(clean, texts.seconds), strict=True)) if pairs else first


def _has_idf(config: LinearConfig) -> bool:
    from ..baselines.linear import DEFAULTS

    return (config.features or DEFAULTS[config.kind][0]) == "tfidf"
