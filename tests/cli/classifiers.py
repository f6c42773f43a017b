"""A classifier that is worked by hand: what the commands need of a run, and nothing that is trained."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from textdl.tasks.attribution import Attribution
from textdl.tasks.class_figures import class_figures, worst_mistakes

GOOD, BAD = {"good", "lovely", "fine"}, {"bad", "awful", "dull"}

#: What it is measured on: text, label. "odd" is no class of it.
TEXTS = [
    ("a good film", "pos"),
    ("awful", "neg"),
    ("bad, bad and so dull :cat: [b]", "pos"),  # wrong, and it is sure
    ("dull", "pos"),
    ("a film", "neg"),
    ("fine", "odd"),
]


class HandMade:
    """Logit 1 for each good word, -1 for each bad one; of pairs both texts together. Classes neg, pos."""

    labels = ("neg", "pos")

    def __init__(self, several: bool = False, pairs: bool = False, **data: Any) -> None:
        self.several, self.pairs = several, pairs
        self.config = {"task": "classify", "data": data}
        self.thresholds = np.array([0.8, 0.5])
        self.batches: list[int] = []
        self.asked: tuple[Any, ...] = ()

    def probabilities(self, texts: Sequence[str] | Sequence[tuple[str, str]]) -> np.ndarray:
        self.batches.append(len(texts))
        assert all(isinstance(text, tuple if self.pairs else str) for text in texts)
        scores = np.array([score(text if isinstance(text, str) else " ".join(text)) for text in texts])
        positive = 1 / (1 + np.exp(-scores))
        return np.stack([1 - positive, positive], axis=1)

    def evaluate(
        self,
        corpus: Any = None,
        split: str | None = None,
        text_field: tuple[str, ...] = (),
        label_field: str | None = None,
        errors: int = 0,
    ) -> dict[str, Any]:
        self.asked = (corpus, split, text_field, label_field, errors)
        texts, names = zip(*TEXTS, strict=True)
        if self.several:
            truth = np.array([[name == label for label in self.labels] for name in names])
        else:
            truth = np.array([self.labels.index(name) if name in self.labels else -1 for name in names])
        rows = self.probabilities(texts)
        limits = self.thresholds if self.several else None
        figures = {"corpus": str(corpus or "films"), "split": split or "test", "same_corpus": corpus is None}
        figures |= class_figures(truth, rows, self.labels, self.several, limits)
        if errors:
            figures["errors"] = worst_mistakes(truth, rows, self.labels, texts, errors, limits)
        return figures

    def attribute(self, text: str | tuple[str, str], label: str | None = None, steps: int = 64) -> Attribution:
        self.asked = (text, label, steps)
        whole = text if isinstance(text, str) else "\n".join(text)
        row = self.probabilities([text])[0]
        chosen = self.labels.index(label) if label else int(row.argmax())
        pieces = tuple(re.findall(r"\s+|[^\s]+", whole))
        weights = np.array([score(piece) for piece in pieces], float) * (1 if chosen else -1)
        return Attribution(whole, self.labels[chosen], float(row[chosen]), pieces, weights)


def score(text: str) -> int:
    words = re.findall(r"\w+", text.lower())
    return sum((word in GOOD) - (word in BAD) for word in words)
