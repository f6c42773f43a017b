"""Baselines on raw pixels: against the slow obvious search, scikit-learn, and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from textdl.baselines import pixels
from textdl.baselines.pixels import fit_linear, mean_and_spread, nearest, softened, votes


def some(count: int, size: int, most: int = 256, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, most, (count, size)).astype(np.uint8)


def slowly(known: np.ndarray, asked: np.ndarray, number: int) -> tuple[list[list[int]], list[list[int]]]:
    """One distance after the other, in Python's whole numbers."""
    places, squares = [], []
    for own in asked.tolist():
        order = sorted(
            (sum((a - b) ** 2 for a, b in zip(own, other, strict=True)), place)
            for place, other in enumerate(known.tolist())
        )[:number]
        places.append([place for _, place in order])
        squares.append([square for square, _ in order])
    return places, squares


@pytest.mark.parametrize("most", [2, 256])  # of two values many pictures are equally near
@pytest.mark.parametrize("number", [1, 4, 100])
def test_the_nearest_are_found_whatever_the_blocks(most: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked = some(53, 9, most), some(17, 9, most, seed=1)
    asked[3] = known[20]
    expected = slowly(known, asked, number)
    whole = nearest(known, asked, number)
    assert (whole[0].tolist(), whole[1].tolist()) == expected
    monkeypatch.setattr(pixels, "ASKED", 5)
    monkeypatch.setattr(pixels, "KNOWN", 7)
    cut = nearest(known, asked, number)
    assert (cut[0].tolist(), cut[1].tolist()) == expected


def test_distances_are_exact_where_float32_is_not() -> None:
    known = np.full((5, 3000), 255, np.uint8)
    for row, picture in enumerate(known):
        picture[: 4 - row] = 254  # squared distances 4, 3, 2, 1, 0 of lengths of 195 million
    places, squares = nearest(known, known[4:], 3)
    assert (places.tolist(), squares.tolist()) == ([[4, 3, 2]], [[0, 1, 2]])


@pytest.mark.parametrize("number", [1, 3, 5])
def test_votes_are_those_of_scikit_learn(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "ASKED", 4)
    known, asked = some(80, 12), some(30, 12, seed=1)
    asked[0] = known[40]  # the very same picture counts alone
    labels = np.arange(80) % 7
    peer = KNeighborsClassifier(number, weights="distance", algorithm="brute").fit(known.astype(float), labels)
    told: list[float] = []
    found = votes(known, labels, asked, number, 7, told.append)
    expected = peer.predict_proba(asked.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found[0].tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert told == [16 / 30, 1.0]
    known[41] = known[40]
    twice = votes(known, labels, asked[:1], 3, 7, told.append)
    assert twice.tolist() == [[0, 0, 0, 0, 0, 0.5, 0.5]], "two of them count alike, and no other"


def test_a_vote_is_softened_by_one_neighbour_that_speaks_for_all() -> None:
    scores = softened(np.array([[1.0, 0.0], [2 / 3, 1 / 3]]), 3)
    np.testing.assert_allclose(np.exp(scores), [[3.5 / 4, 0.5 / 4], [2.5 / 4, 1.5 / 4]])
    assert softened(np.zeros((0, 3)), 2).shape == (0, 3)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("kind", ["softmax", "svm"])
def test_a_linear_map_is_that_of_scikit_learn_on_scaled_pixels(kind: str, balanced: bool) -> None:
    known, asked = some(150, 6), some(40, 6, seed=1)
    labels = (known[:, 0] > 180).astype(np.int64) + (known[:, 1] > 150)
    weights, bias = fit_linear(kind, known, labels, 3, 0.2, balanced, 1)
    assert (weights.shape, bias.shape, str(weights.dtype)) == ((6, 3), (3,), "float32")
    scaled, other = ((rows - known.mean()) / known.std() for rows in (known.astype(float), asked.astype(float)))
    chosen = "balanced" if balanced else None
    scores = asked.astype(np.float32) @ weights + bias
    if kind == "softmax":
        peer = LogisticRegression(C=0.2, max_iter=1000, class_weight=chosen).fit(scaled, labels)
        powers = np.exp(scores - scores.max(1, keepdims=True))
        np.testing.assert_allclose(powers / powers.sum(1, keepdims=True), peer.predict_proba(other), atol=2e-3)
        return
    if balanced:  # each class is weighed once, before it stands against the rest
        each = (150 / (3 * np.bincount(labels)))[labels]
        machines = [
            LinearSVC(C=0.2, random_state=1, max_iter=10_000).fit(scaled, labels == c, sample_weight=each)
            for c in range(3)
        ]
        expected = np.stack([machine.decision_function(other) for machine in machines], 1)
    else:
        whole = OneVsRestClassifier(LinearSVC(C=0.2, random_state=1, max_iter=10_000)).fit(scaled, labels)
        expected = whole.decision_function(other)
    np.testing.assert_allclose(scores, expected, atol=2e-2)


@pytest.mark.parametrize(("kind", "errors"), [("softmax", 1000), ("svm", 40)])
def test_without_a_strength_the_errors_of_all_pictures_together_count_the_same(kind: str, errors: float) -> None:
    for count in (150, 600):
        known = some(count, 6)
        labels = (known[:, 0] > 180).astype(np.int64)
        usual = fit_linear(kind, known, labels, 2, None, False, 1)
        chosen = fit_linear(kind, known, labels, 2, errors / count, False, 1)
        assert all(np.array_equal(a, b) for a, b in zip(usual, chosen, strict=True))


def test_mean_and_spread_are_those_of_all_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "KNOWN", 7)
    rows = some(40, 5)
    assert mean_and_spread(rows) == pytest.approx((rows.mean(), rows.std()))
    assert mean_and_spread(np.full((3, 2), 9, np.uint8)) == (9.0, 1.0)
