"""Labelled texts in memory, and their labels as numbers.

Legend: N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from ..labelled import LabelledCorpus
from ..training.events import Observer, Reading

_TOLD = 1_000_000  # characters between two events


@dataclass(frozen=True)
class Texts:
    """N texts with their labels; ``seconds`` are the other texts of pairs, and empty where there are none."""

    texts: list[str]
    seconds: list[str]
    labels: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.texts)

    def every(self) -> Iterator[str]:
        """All texts, the first and the second ones."""
        yield from self.texts
        yield from self.seconds

    def shuffled(self) -> Texts:
        """The same texts in an order that is always the same one, drawn by chance."""
        order = np.random.default_rng(0).permutation(len(self)).tolist()
        seconds = [self.seconds[place] for place in order] if self.seconds else []
        return Texts([self.texts[place] for place in order], seconds, [self.labels[place] for place in order])


def read_texts(corpus: LabelledCorpus, split: str, tell: Observer = lambda event: None) -> Texts:
    """The texts of a split, in their order."""
    found, done, told = Texts([], [], []), 0, 0
    hint = corpus.corpus.size_hint(split)
    for text, second, labels in corpus.examples(split):
        found.texts.append(text)
        found.labels.append(labels)
        if corpus.pairs:
            found.seconds.append(second)
        done += len(text) + len(second)
        if done - told >= _TOLD:
            told = done
            tell(Reading(f"reading {split}", done, hint))
    return found


def classes_of(texts: Texts, name: str) -> tuple[str, ...]:
    """The classes: the distinct labels of the training texts, sorted.

    Raises:
        CorpusError: there is none, or only one that every text has.
    """
    labels = tuple(sorted({label for some in texts.labels for label in some}))
    if not labels:
        raise CorpusError(f"no training text of {name} has a label; a classifier needs labelled texts")
    if len(labels) == 1 and all(texts.labels):
        raise CorpusError(
            f"the training texts of {name} have one class only, {labels[0]!r}; a classifier needs two to tell apart"
        )
    return labels


def truth_of(texts: Texts, labels: Sequence[str], several: bool) -> NDArray[Any]:
    """The labels as numbers of classes [N], -1 for one that is no class; of several labels yes or no, bool [N, C]."""
    place = {label: number for number, label in enumerate(labels)}
    if not several:
        return np.array([place.get(some[0], -1) for some in texts.labels], np.int64)
    truth = np.zeros((len(texts), len(labels)), bool)
    for row, some in zip(truth, texts.labels, strict=True):
        row[[place[label] for label in some if label in place]] = True
    return truth


def unknown_of(texts: Texts, labels: Sequence[str]) -> NDArray[np.bool_]:
    """Which texts have a label that is no class: bool [N]."""
    known = set(labels)
    return np.array([not known.issuperset(some) for some in texts.labels], bool)


def told_classes(truth: NDArray[Any], labels: Sequence[str]) -> str:
    """The classes with their numbers of texts, the most frequent first, for people."""
    counts = truth.sum(0) if truth.ndim == 2 else np.bincount(truth, minlength=len(labels))
    told = [f"{labels[place]} {counts[place]:,}" for place in np.argsort(-counts, kind="stable").tolist()]
    return ", ".join(told[:6]) + (f" and {len(told) - 6} more" if len(told) > 6 else "")
