"""Small corpora whose labels can be told from their words, and classifiers fitted to them."""

import random

import numpy as np

from textdl.baselines.linear import METHODS, LinearClassifier
from textdl.vectors.word_vectors import WordVectors

KNOWN = [f"w{n}" for n in range(40)] + ["über", "it's", "well-known", "x"]


def a_corpus(seed: int, classes: int = 2, texts: int = 120) -> tuple[list[str], list[str]]:
    """Texts whose words lean to their class, of classes of different sizes."""
    draw = random.Random(seed)
    found, labels = [], []
    for number in range(texts):
        label = min(number % (classes + 1), classes - 1)
        weights = [3.0 if place % classes == label else 1.0 for place in range(len(KNOWN))]
        found.append(" ".join(draw.choices(KNOWN, weights, k=draw.randint(2, 25))))
        labels.append(f"label {label}")
    return found, labels


def several_of(texts: list[str]) -> list[tuple[str, ...]]:
    """Up to three labels, each told by a word."""
    return [tuple(f"has {word}" for word in ("w0", "w1", "über") if word in text.split()) for text in texts]


def pairs_of(texts: list[str]) -> list[tuple[str, str]]:
    return list(zip(texts, reversed(texts), strict=True))


def some_vectors(seed: int = 1) -> WordVectors:
    words = [word for word in KNOWN if word != "w7"] + ["never"]
    return WordVectors(words, np.random.default_rng(seed).normal(size=(len(words), 5)).astype(np.float32))


MANY = [
    {"method": method, "features": features}
    for method in METHODS
    for features in (None, "one-hot", "counts", "tfidf", "vectors")
    if features != "vectors" or method in ("linear-svm", "logistic")
]
MANY += [{"method": "nb-svm", "unit": unit, "ngrams": 3} for unit in ("character", "within")]
MANY += [{"method": "logistic", "least_documents": 2, "most_features": 50, "class_weights": "balanced"}]


def fitted(settings: dict, kind: str) -> tuple[LinearClassifier, list]:
    """A classifier of texts, of three classes, of several labels or of pairs; and new texts for it."""
    vectors = some_vectors() if settings.get("features") == "vectors" else None
    (texts, labels), (new, _) = a_corpus(15, 3 if kind == "three" else 2), a_corpus(16)
    model = LinearClassifier(**settings, vectors=vectors, several=kind == "several")
    new = [*new[:9], "", "W1 w1 ... never!", "İW1 � x\x01"]
    if kind == "several":
        return model.fit(texts, several_of(texts)), new
    if kind == "pairs":
        return model.fit(pairs_of(texts), labels), pairs_of(new)
    return model.fit(texts, labels), new
