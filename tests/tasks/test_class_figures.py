"""Figures of classifiers, held against scikit-learn, slow obvious ways, and cases worked by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn import metrics

from textdl.errors import CorpusError
from textdl.tasks.class_figures import (
    calibration_error,
    class_figures,
    cross_entropy,
    decisions,
    fit_temperature,
    fit_thresholds,
    worst_mistakes,
)

LABELS = ("ant", "bee", "cat", "dog")


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def one_label(seed: int, unknown: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """500 texts of uneven classes; the last class is rare."""
    draw = np.random.default_rng(seed)
    truth = draw.choice(4, 500, p=[0.5, 0.3, 0.19, 0.01])
    scores = draw.normal(0, 1, (500, 4))
    scores[np.arange(500), truth] += 1.3
    truth[draw.random(500) < unknown] = -1
    return truth, softmax(2 * scores)


def several_labels(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    truth = draw.random((300, 4)) < [0.6, 0.3, 0.1, 0.02]
    return truth, 1 / (1 + np.exp(-(draw.normal(0, 1, (300, 4)) + 2 * truth - 1)))


def slow_calibration(probabilities: np.ndarray, right: np.ndarray) -> float:
    """By its definition, a bin after the other."""
    total = 0.0
    for m in range(1, 16):
        inside = [i for i, p in enumerate(probabilities) if (m - 1) / 15 < p <= m / 15 or (m == 1 and p == 0)]
        if inside:
            accuracy = sum(bool(right[i]) for i in inside) / len(inside)
            confidence = sum(probabilities[i] for i in inside) / len(inside)
            total += len(inside) / len(probabilities) * abs(accuracy - confidence)
    return total


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("unknown", [0.0, 0.1])
def test_one_label_against_scikit_learn(seed: int, unknown: float) -> None:
    truth, rows = one_label(seed, unknown)
    figures = class_figures(truth, rows, LABELS)
    said, known = rows.argmax(axis=1), truth >= 0
    assert figures["examples"] == 500
    assert figures["unknown_labels"] == (~known).sum()
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert figures["macro_f1"] == pytest.approx(metrics.f1_score(truth, said, average="macro", labels=range(4)))
    assert figures["micro_f1"] == pytest.approx(metrics.f1_score(truth, said, average="micro"))
    assert figures["nats"] == pytest.approx(metrics.log_loss(truth[known], rows[known], labels=range(4)))
    assert figures["confusion"]["labels"] == list(LABELS)
    assert figures["confusion"]["counts"] == metrics.confusion_matrix(truth, said, labels=range(4)).tolist()
    assert figures["calibration_error"] == pytest.approx(slow_calibration(rows.max(axis=1), said == truth))
    table = metrics.precision_recall_fscore_support(truth, said, labels=range(4), zero_division=0)
    for number, label in enumerate(LABELS):
        mine = figures["per_class"][label]
        assert [mine[k] for k in ("precision", "recall", "f1", "support")] == pytest.approx([c[number] for c in table])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("thresholds", [None, np.array([0.4, 0.6, 0.3, 0.2])])
def test_several_labels_against_scikit_learn(seed: int, thresholds: np.ndarray | None) -> None:
    truth, rows = several_labels(seed)
    figures = class_figures(truth, rows, LABELS, several=True, thresholds=thresholds)
    said = rows >= (0.5 if thresholds is None else thresholds)
    assert figures["accuracy"] == figures["subset_accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert figures["hamming_loss"] == pytest.approx(metrics.hamming_loss(truth, said))
    assert figures["macro_f1"] == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert figures["micro_f1"] == pytest.approx(metrics.f1_score(truth, said, average="micro"))
    assert figures["nats"] == pytest.approx(
        np.mean([metrics.log_loss(truth[:, c], rows[:, c], labels=[False, True]) for c in range(4)])
    )
    assert figures["calibration_error"] == pytest.approx(
        np.mean([slow_calibration(rows[:, c], truth[:, c]) for c in range(4)])
    )
    table = metrics.precision_recall_fscore_support(truth, said, zero_division=0)
    for number, label in enumerate(LABELS):
        mine = figures["per_class"][label]
        assert [mine[k] for k in ("precision", "recall", "f1", "support")] == pytest.approx([c[number] for c in table])
    assert "confusion" not in figures


def test_worked_by_hand() -> None:
    truth = np.array([0, 0, 1, -1])
    rows = np.array([[0.9, 0.1, 0], [0.3, 0.7, 0], [0.2, 0.8, 0], [0.6, 0.4, 0]])
    figures = class_figures(truth, rows, ("a", "b", "c"))
    assert figures["accuracy"] == figures["micro_f1"] == 0.5
    assert figures["confusion"]["counts"] == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    # a: said twice (once of an unknown label), true twice, hit once; b: said twice, true once, hit once
    assert figures["per_class"]["a"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert figures["per_class"]["b"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1}
    assert figures["per_class"]["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert figures["macro_f1"] == pytest.approx((0.5 + 2 / 3) / 2), "c neither occurs nor was said"
    assert figures["nats"] == pytest.approx(-(math.log(0.9) + math.log(0.3) + math.log(0.8)) / 3)
    # four bins of one text each: 0.9 right, 0.7 wrong, 0.8 right, 0.6 wrong
    assert figures["calibration_error"] == pytest.approx((0.1 + 0.7 + 0.2 + 0.6) / 4)
    assert figures["unknown_labels"] == 1


def test_a_class_that_is_only_said_wrongly_counts_in_the_mean() -> None:
    truth, rows = np.array([0, 0]), np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    expected = metrics.f1_score(truth, [0, 1], average="macro")
    assert class_figures(truth, rows, ("a", "b", "c"))["macro_f1"] == pytest.approx(expected) == pytest.approx(1 / 3)


def test_several_labels_worked_by_hand() -> None:
    truth = np.array([[True, False], [True, True]])
    rows = np.array([[0.9, 0.2], [0.6, 0.4]])
    figures = class_figures(truth, rows, ("a", "b"), several=True)
    assert (figures["accuracy"], figures["hamming_loss"]) == (0.5, 0.25)
    assert (figures["macro_f1"], figures["micro_f1"]) == (0.5, 0.8)
    figures = class_figures(truth, rows, ("a", "b"), True, unknown=np.array([True, False]))
    assert (figures["accuracy"], figures["unknown_labels"]) == (0.0, 1), "the right one has another label too"
    assert figures["hamming_loss"] == 0.25


def test_figures_are_plain_values_also_where_all_is_wrong() -> None:
    """Probabilities of 0 for the truth, no text of a known label: JSON without Infinity or NaN."""
    for truth, several in ((np.array([1, 1]), False), (np.array([-1, -1]), False), (np.zeros((2, 2), bool), True)):
        rows = np.array([[1, 0], [1, 0]], np.float32)
        figures = class_figures(truth, rows, ("a", "b"), several)
        json.dumps(figures, allow_nan=False)
        assert figures["accuracy"] == 0
    assert cross_entropy(np.array([-1]), np.array([[1.0, 0.0]])) == 0.0


def test_no_text_has_no_figures() -> None:
    with pytest.raises(CorpusError, match="at least one text"):
        class_figures(np.zeros(0, int), np.zeros((0, 2)), ("a", "b"))


@pytest.mark.parametrize(
    ("truth", "rows", "several"),
    [
        (np.zeros(3, int), np.zeros((2, 2)), False),
        (np.zeros(2, int), np.zeros((2, 3)), False),
        (np.zeros((2, 2), bool), np.zeros((2, 2)), False),
        (np.zeros(2, int), np.zeros((2, 2)), True),
    ],
)
def test_what_does_not_fit_is_not_measured(truth: np.ndarray, rows: np.ndarray, several: bool) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        class_figures(truth, rows, ("a", "b"), several)


@pytest.mark.parametrize("probability", [0.0, 1 / 15, 0.2, 0.4, 7 / 15, 14 / 15, 1.0])
def test_the_end_of_a_bin_is_in_it(probability: float) -> None:
    """With what is just above it, it is in another bin; with what is just below, in the same."""
    right = np.array([True, False])
    for other, same in ((probability - 1e-9, True), (probability + 1e-9, False)):
        gap = calibration_error(np.array([probability, other]), right)
        together = abs((probability + other) / 2 - 0.5)
        apart = (abs(1 - probability) + abs(other)) / 2
        at_an_end = (probability == 1.0 and other > 1) or (probability == 0.0)
        assert gap == pytest.approx(together if same or at_an_end else apart, abs=1e-8)


def test_what_is_sure_and_right_is_calibrated() -> None:
    draw = np.random.default_rng(5)
    sure = draw.uniform(0.3, 1.0, 200_000)
    assert calibration_error(sure, draw.random(200_000) < sure) < 0.006
    assert calibration_error(np.full(1000, 0.9), np.arange(1000) < 600) == pytest.approx(0.3)


def test_decisions() -> None:
    rows = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    assert decisions(rows).tolist() == [0, 2]
    assert decisions(rows, True).tolist() == [[True, True, False], [False, False, True]]
    assert decisions(rows, True, np.array([0.6, 0.2, 0.7])).tolist() == [[False, True, False], [False, True, True]]


def test_worst_mistakes_worked_by_hand() -> None:
    truth = np.array([0, 1, 1, -1, 0])
    rows = np.array([[0.2, 0.8], [0.1, 0.9], [0.7, 0.3], [0.95, 0.05], [0.2, 0.8]])
    texts = ["first", "right", "third", "strange", "fifth"]
    found = worst_mistakes(truth, rows, ("a", "b"), texts, 3)
    assert found == [
        {"text": "strange", "truth": None, "predicted": "a", "probability": 0.95},
        {"text": "first", "truth": "a", "predicted": "b", "probability": 0.8},
        {"text": "fifth", "truth": "a", "predicted": "b", "probability": 0.8},
    ]
    assert len(worst_mistakes(truth, rows, ("a", "b"), texts, 100)) == 4
    assert worst_mistakes(truth, rows, ("a", "b"), texts, 0) == []
    assert worst_mistakes(np.array([1]), rows[:1], ("a", "b"), ["x"], 5) == []
    pair = worst_mistakes(truth[:1], rows[:1], ("a", "b"), [("one", "two")], 1)[0]
    assert (pair["text"], pair["second"]) == ("one", "two")


def test_worst_mistakes_of_several_labels() -> None:
    truth = np.array([[True, False], [False, False], [True, True]])
    rows = np.array([[0.1, 0.7], [0.2, 0.75], [0.9, 0.8]])
    found = worst_mistakes(truth, rows, ("a", "b"), ["one", "two", "three"], 5)
    assert found == [
        {"text": "one", "truth": ["a"], "predicted": ["b"], "label": "a", "probability": pytest.approx(0.9)},
        {"text": "two", "truth": [], "predicted": ["b"], "label": "b", "probability": pytest.approx(0.75)},
    ]
    found = worst_mistakes(truth, rows, ("a", "b"), ["one", "two", "three"], 5, np.array([0.05, 0.78]))
    assert [(m["text"], m["label"]) for m in found] == [("two", "a")]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_temperature_finds_the_scale_that_logits_were_multiplied_by(scale: float, several: bool) -> None:
    """Labels drawn from a softmax of logits are calibrated at 1; the same logits times 4 need a temperature of 4."""
    draw = np.random.default_rng(3)
    logits = draw.normal(0, 1.5, (20_000, 3))
    if several:
        truth = draw.random(logits.shape) < 1 / (1 + np.exp(-logits))
    else:
        truth = np.array([draw.choice(3, p=p) for p in softmax(logits)])
    assert fit_temperature(scale * logits, truth) == pytest.approx(scale, rel=0.04)


@pytest.mark.parametrize("seed", range(3))
def test_temperature_is_the_best_of_a_fine_grid(seed: int) -> None:
    truth, rows = one_label(seed, unknown=0.1)
    logits = np.log(rows) * 3 + 7
    known = truth >= 0
    grid = np.exp(np.linspace(math.log(0.05), math.log(20), 1001))
    spread = 1 / (known.sum() + 2)
    aims = (1 - spread) * np.eye(rows.shape[1])[truth[known]] + spread / rows.shape[1]
    losses = [-(aims * np.log(softmax(logits[known] / t))).sum(axis=1).mean() for t in grid]
    assert fit_temperature(logits, truth) == pytest.approx(grid[int(np.argmin(losses))], rel=4e-3)


@pytest.mark.parametrize(
    ("logits", "truth", "expected"),
    [
        (np.zeros((0, 2)), np.zeros(0, int), 1.0),
        (np.array([[1.0, 2.0]]), np.array([-1]), 1.0),
        (np.zeros((5, 2)), np.array([0, 1, 0, 1, 1]), 1.0),
        (np.array([[np.nan, 1.0]]), np.array([0]), 1.0),
        # all right, N = 2: the truth counts 1 - 1 / 4 and each class 1 / 8, so that exp(1 / T) = 7
        (np.array([[0.5, -0.5], [-0.5, 0.5]]), np.array([0, 1]), 1 / math.log(7)),
        (np.array([[0.5, -0.5]] * 98), np.zeros(98, int), 1 / math.log(199)),
        (np.array([[5.0, -5.0], [-5.0, 5.0]]), np.array([1, 0]), 20.0),  # all wrong
        (np.array([[1e4, -1e4], [-1e4, 1e4]]), np.array([1, 0]), 20.0),
        (np.array([[5.0, -5.0]]), np.array([[False, True]]), 20.0),
        (np.zeros((0, 2)), np.zeros((0, 2), bool), 1.0),
    ],
)
def test_temperature_at_the_ends(logits: np.ndarray, truth: np.ndarray, expected: float) -> None:
    assert fit_temperature(logits, truth) == pytest.approx(expected, rel=1e-4)


def test_temperature_of_what_is_sure_already() -> None:
    """Logits far too large for two texts, however right they are."""
    assert fit_temperature(np.array([[500.0, -500.0], [-500.0, 500.0]]), np.array([0, 1])) == pytest.approx(20.0)


def f1_at(threshold: float, probabilities: np.ndarray, truth: np.ndarray) -> float:
    return float(metrics.f1_score(truth, probabilities >= threshold, zero_division=0))


@pytest.mark.parametrize("seed", range(20))
def test_thresholds_are_the_best_there_are(seed: int) -> None:
    """Against every threshold that makes a difference, with many equal probabilities."""
    draw = np.random.default_rng(seed)
    truth = draw.random((40, 3)) < [0.5, 0.2, 0.1]
    truth[:1] = True
    rows = np.round(np.clip(draw.normal(0.4, 0.25, (40, 3)) + 0.15 * truth, 0, 1), 1 if seed % 2 else 3)
    found = fit_thresholds(rows, truth)
    for column in range(3):
        p, t = rows[:, column], truth[:, column]
        values = np.unique(np.concatenate([p, [0.5]]))
        scores = [f1_at(v, p, t) for v in values]
        assert f1_at(found[column], p, t) == pytest.approx(max(scores), abs=1e-12)
        best = values[np.isclose(scores, max(scores), atol=1e-12)]
        if 0.5 in best:
            assert found[column] == 0.5


@pytest.mark.parametrize(
    ("probabilities", "truth", "expected"),
    [
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 0.5),  # anything in (0.2, 0.8] is right: 0.5
        ([0.9, 0.8, 0.7, 0.1], [1, 1, 0, 0], 0.75),  # the middle of (0.7, 0.8]
        ([0.4, 0.3, 0.2, 0.1], [1, 1, 0, 0], 0.25),
        ([0.4, 0.3, 0.2, 0.1], [0, 0, 0, 0], 0.5),  # no example
        ([0.2, 0.1], [1, 1], 0.05),  # all texts have it
        ([0.5, 0.3], [1, 0], 0.5),  # 0.5 itself is in (0.3, 0.5]
        ([0.6, 0.5], [1, 0], 0.55),  # 0.5 would give it to both
        # 1 of 1 said and 2 of 4 said are both F1 2/3 of two true ones: (0.8, 0.9] and (0.3, 0.35]; 0.35 is nearer
        ([0.9, 0.8, 0.7, 0.35, 0.3], [1, 0, 0, 1, 0], 0.325),
        # the same of (0.5, 0.6] and (0.3, 0.5]: only the second holds 0.5
        ([0.6, 0.5, 0.5, 0.5, 0.3], [1, 1, 0, 0, 0], 0.5),
        ([], [], 0.5),
    ],
)
def test_thresholds_worked_by_hand(probabilities: list[float], truth: list[int], expected: float) -> None:
    found = fit_thresholds(np.array(probabilities).reshape(-1, 1), np.array(truth, bool).reshape(-1, 1))
    assert found == pytest.approx([expected])


def test_of_very_many_classes_no_table_of_all_with_all_is_made() -> None:
    """A hundred thousand classes would make one of 80 GB."""
    names = [str(number) for number in range(100_000)]
    rows = np.full((4, len(names)), 1e-6)
    rows[[0, 1, 2, 3], [5, 6, 7, 99_999]] = 0.9
    truth = np.array([5, 6, 8, -1])
    figures = class_figures(truth, rows, names, confusion=False)
    assert "confusion" not in figures
    assert figures["accuracy"] == 0.5
    assert figures["macro_f1"] == pytest.approx(2 / 5), "of 5, 6, 7, 8 and 99999 two are right"


def test_the_figures_are_the_same_without_the_confusion_matrix() -> None:
    truth, rows = one_label(4, 0.1)
    whole = class_figures(truth, rows, LABELS)
    assert np.array(whole.pop("confusion")["counts"]).sum() == (truth >= 0).sum()
    assert whole == class_figures(truth, rows, LABELS, confusion=False)
