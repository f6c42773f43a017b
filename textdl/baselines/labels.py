"""Labels as truth: which of the C classes each of n texts has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError


def checked_labels(labels: Any, texts: int, several: bool) -> list[Any]:
    """The labels, one of each text, or a tuple of each.

    Raises:
        CorpusError: not as many as texts, or of the other kind.
    """
    if isinstance(labels, (str, bytes)) or not hasattr(labels, "__iter__"):
        raise CorpusError(f"labels must be a list, one of each text, got {labels!r}; write [label]")
    if several and isinstance(labels, np.ndarray) and labels.ndim == 2:
        raise CorpusError("labels must be lists of labels, got a table of which are there; write the labels themselves")
    whole = list(labels)
    if len(whole) != texts:
        raise CorpusError(f"there must be as many labels as texts, got {len(whole):,} of {texts:,} texts")
    if not texts:
        raise CorpusError("there is no text to learn from; give some of each class")
    for number, label in enumerate(whole, 1):
        is_list = isinstance(label, (list, tuple, set, frozenset, np.ndarray))
        if several and not is_list:
            raise CorpusError(f"the labels of text {number} must be a list, got {label!r}; or leave several out")
        if is_list and not several:
            raise CorpusError(f"the label of text {number} must be one, got {label!r}; or say several=True")
    return [tuple(label) for label in whole] if several else whole


def classes_of(labels: Sequence[Any], several: bool) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The sorted distinct labels [C], and which of them each text has [n, C].

    Raises:
        CorpusError: fewer than two, one that is missing (not a number), or labels of kinds that have no order.
    """
    flat = [label for labels_ in labels for label in labels_] if several else list(labels)
    for place, label in enumerate(flat, 1):
        if isinstance(label, (float, np.floating)) and label != label:
            raise CorpusError(f"label {place} is missing (nan); leave out the texts that have no label")
    try:
        names = sorted({plain_value(label) for label in flat})
    except TypeError:
        kinds = ", ".join(sorted({type(label).__name__ for label in flat}))
        raise CorpusError(f"labels must be all of one kind, text or numbers, got {kinds}; write them alike") from None
    if len(names) < 2 and not (several and names and not all(labels)):
        got = f"all are {names[0]!r}" if names else "there is none"
        raise CorpusError(f"a classifier needs texts of at least two classes, but {got}; add texts of another")
    number = {name: place for place, name in enumerate(names)}
    truth = np.zeros((len(labels), len(names)), np.bool_)
    for row, label in zip(truth, labels, strict=True):
        row[[number[plain_value(one)] for one in (label if several else (label,))]] = True
    return np.array(names), truth


def label_weights(truth: NDArray[np.bool_], balanced: bool, several: bool) -> NDArray[np.float64]:
    """How much each text counts for each class [n, C].

    Balanced, all texts that have a label weigh as much together as those that have another, or with ``several`` as
    those that have it not; the sum stays n.
    """
    weights = np.ones(truth.shape)
    if not balanced:
        return weights
    texts, having = len(truth), truth.sum(axis=0)
    if several:
        lacking = np.maximum(texts - having, 1)
        return np.asarray(np.where(truth, texts / (2 * having), texts / (2 * lacking)))
    weights *= (texts / (truth.shape[1] * having))[truth.argmax(axis=1)][:, None]
    return weights


def plain_classes(classes: NDArray[Any]) -> list[Any]:
    """The labels as plain values: text, numbers, truth values."""
    plain: list[Any] = classes.tolist()
    return plain


def plain_value(value: Any) -> Any:
    """A value of numpy's as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def share_right(said: Sequence[Any], labels: Sequence[Any], several: bool, weights: Any = None) -> float:
    """The share of texts whose label, with ``several`` whose whole set of labels, is the one that was said."""
    right = [set(a) == set(b) if several else a == b for a, b in zip(said, labels, strict=True)]
    return float(np.average(right, weights=weights))
