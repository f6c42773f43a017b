"""A classifier of texts behind scikit-learn's contract: any model of the task ``classify``, without a run folder.

Legend: N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ..baselines.labels import checked_labels, classes_of, plain_classes, plain_value, share_right
from ..baselines.rows import checked
from ..config import replace
from ..errors import ConfigError
from ..text.dividing import deal
from ..training.events import Observer
from ..training.observers import view
from ..training.trainer import Trainer
from ..vectors.features import TakesTexts
from .classifier_run import ClassifierRun, NeuralRun
from .classify import Classification, ClassificationConfig
from .classify_linear import LinearRun

#: Settings of the estimator that are those of the task, by their names there.
_OWN = ("epochs", "batch_size", "lr", "dropout", "vectors", "seed", "device", "validation")


class TextClassifier(TakesTexts, ClassifierMixin, BaseEstimator):
    """Learns from texts and their labels; takes texts, and no numbers.

    A setting that is None is the model's own default; one that a model does not have is not to be given.

    Args:
        model: a neural one ("lstm", "gru", "sru", "rnn", "cnn", "cnn-rnn", "bag", "lm") or a linear one ("nb-svm",
            "linear-svm", "logistic", "naive-bayes").
        epochs, batch_size, lr, dropout, vectors: of a neural model, see ``textdl train classify --help``.
        settings: any other setting of the task by its name, such as ``{"hidden": 64, "train.clip": 0.5}``.
        several: each text has any number of labels; ``y`` then holds lists of them.
        validation: share of the texts that is held out, to find the temperature of the probabilities; of each class
            one text at least is learnt from.
        seed: of everything random.
        device: where to train: "auto", "cpu", "cuda".
        progress: show how the training goes, on standard error.

    Attributes:
        classes_: [C], the sorted distinct labels.
        run_: the trained model with the verbs of a run: ``run_.attribute(text)``.

    Examples:
        >>> texts, labels = ["good", "fine", "bad", "poor"] * 8, ["yes", "yes", "no", "no"] * 8
        >>> TextClassifier("bag", epochs=20, lr=0.05, validation=0.0).fit(texts, labels).predict(["good"]).tolist()
        ['yes']
    """

    def __init__(
        self,
        model: str = "lstm",
        epochs: float | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        dropout: float | None = None,
        vectors: str | None = None,
        settings: Mapping[str, Any] | None = None,
        several: bool = False,
        validation: float = 0.1,
        seed: int = 1,
        device: str = "auto",
        progress: bool = False,
    ) -> None:
        self.model = model
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.dropout = dropout
        self.vectors = vectors
        self.settings = settings
        self.several = several
        self.validation = validation
        self.seed = seed
        self.device = device
        self.progress = progress

    def fit(self, X: Sequence[Any], y: Sequence[Any]) -> Self:
        """Learn from texts, or pairs ``(text, second)``, and their labels; a list of labels each with ``several``.

        Raises:
            ConfigError: a setting has no such value, or the model has no such setting.
            CorpusError: no texts, something that is none, one class only, or not as many labels as texts.
        """
        texts, _ = checked(X)
        labels = checked_labels(y, len(texts), self.several)
        self.classes_, _ = classes_of(labels, self.several)
        # the task knows labels as text: their numbers, written so that they sort as the labels do
        name = {label: f"{number:09d}" for number, label in enumerate(plain_classes(self.classes_))}
        told = [
            [name[plain_value(one)] for one in label] if self.several else name[plain_value(label)] for label in labels
        ]
        seen = [place for place, text in enumerate(texts) if (text if isinstance(text, str) else text[0]).strip()]
        classes_of([labels[place] for place in seen], self.several)  # no corpus holds blank texts
        self.run_ = self._trained([(texts[place], told[place]) for place in seen])
        return self

    def decision_function(self, X: Sequence[Any]) -> NDArray[np.float64]:
        """The score of each class [N, C], also of two, before it becomes a probability."""
        check_is_fitted(self, "run_")
        return self._of_classes(self.run_.scores(X), -np.inf)

    def predict_proba(self, X: Sequence[Any]) -> NDArray[np.float64]:
        """The probability of each class [N, C]; a row sums to 1, or with ``several`` each entry is by itself."""
        check_is_fitted(self, "run_")
        return self._of_classes(self.run_.probabilities(X), 0.0)

    def predict(self, X: Sequence[Any]) -> Any:
        """The label of each text [N]; with ``several`` a list of tuples of labels."""
        check_is_fitted(self, "run_")
        names = plain_classes(self.classes_)
        found = self.run_.predict(X)
        if self.several:
            return [tuple(names[int(label)] for label in some) for some in found]
        return self.classes_[[int(label) for label in found]]

    def score(self, X: Sequence[Any], y: Sequence[Any], sample_weight: Any = None) -> float:
        """The share of texts whose label, with ``several`` whose whole set of labels, is the predicted one."""
        return share_right(self.predict(X), y, self.several, sample_weight)

    def _of_classes(self, found: NDArray[Any], nothing: float) -> NDArray[np.float64]:
        """The columns of all classes [N, C]; one that only blank texts had is not known to the run."""
        whole = np.full((len(found), len(self.classes_)), nothing)
        whole[:, [int(label) for label in self.run_.labels]] = found
        return whole

    def _config(self) -> ClassificationConfig:
        given = {name: getattr(self, name) for name in _OWN if getattr(self, name) is not None}
        if not isinstance(self.settings, (Mapping, NoneType)):
            raise ConfigError(f"settings must be a dict of names and values, got {self.settings!r}")
        settings = {"model": self.model, "test": 0.0, **given, **(self.settings or {})}
        return replace(ClassificationConfig(), {"several_labels": self.several or None, **settings})

    def _trained(self, examples: list[Any]) -> ClassifierRun:
        config = self._config()
        settled = Classification.training(config)
        splits = _with_every_class(examples, config.data.validation)
        if "validation" not in splits:
            config = replace(config, {"validation": 0.0})
        watcher: Any = view() if self.progress else None
        tell: Observer = watcher or (lambda event: None)
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers are none of ours
            torch.manual_seed(config.train.seed)
            task: Any = Classification.prepare(splits, config, tell)
            if settled is None:
                task.fit(tell)
            else:
                Trainer(settled).fit(task, [tell])
        if hasattr(watcher, "close"):
            watcher.close()
        record = {"corpus": task.corpus_record()}
        if settled is None:
            return LinearRun(Path(), record, task.model, task.vocabulary, task.config)
        return NeuralRun(Path(), record, task.model.cpu(), task.reader, task.config.data)


def _with_every_class(examples: list[Any], share: float) -> dict[str, list[Any]]:
    """The examples by split: dealt as those of any corpus, but for the first of a class that would have none to learn.

    There is no validation split where nothing falls to it.
    """
    texts = [text if isinstance(text, str) else text[0] for text, _ in examples]
    labels = [set(label or ("none",)) if isinstance(label, list) else {label} for _, label in examples]
    held_out = [deal(text, {"validation": share}) == "validation" for text in texts]
    known = {label for some, out in zip(labels, held_out, strict=True) if not out for label in some}
    for place, some in enumerate(labels):
        if not some <= known:
            held_out[place] = False
            known |= some
    splits: dict[str, list[Any]] = {"train": [], "validation": []}
    for example, out in zip(examples, held_out, strict=True):
        splits["validation" if out else "train"].append(example)
    return {name: some for name, some in splits.items() if some}
