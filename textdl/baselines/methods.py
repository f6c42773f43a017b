"""The linear methods, each from rows of numbers and truth to one linear map: scores [n, C] = rows @ weights + bias.

Legend: n texts, F features, C classes. Scores are such that softmax gives the probabilities of one label a text, and
sigmoid those of several.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[np.bool_]

MOST_STEPS = 1000
#: How much of NB-SVM is the SVM; the rest is naive Bayes. A quarter in the paper, whose rows are not scaled to one
#: length; of such rows a half was best on held-out texts, short and long.
INTERPOLATION = 0.5


@dataclass(frozen=True)
class Fitting:
    """What a method is told.

    Attributes:
        strength: C, the weight of the training errors against that of small weights; of naive Bayes one over the
            count that each feature has beforehand.
        several: any number of labels a text.
        seed: of the order in which the SVM's solver goes through the texts.
    """

    method: str
    strength: float
    several: bool
    seed: int


def linear_map(rows: Any, truth: Truth, weights: Array, fitting: Fitting) -> tuple[Array, Array]:
    """Fit a method.

    Args:
        rows: [n, F], sparse or not; of naive Bayes and NB-SVM none below 0.
        truth: [n, C], which labels each text has.
        weights: [n, C] of each text for each label; where a text has one label, the same in each row.

    Returns:
        The map's weights [F, C] and bias [C].
    """
    rows = rows.astype(np.float64)
    if not fitting.several and fitting.method in ("logistic", "naive-bayes"):
        whole = _logistic if fitting.method == "logistic" else _naive_bayes
        return _of_one_label(whole, rows, truth, weights[:, 0], fitting)
    against_rest = {"nb-svm": _nb_svm, "linear-svm": _svm, "logistic": _log_odds, "naive-bayes": _count_odds}
    method = against_rest[fitting.method]
    if not fitting.several and truth.shape[1] == 2:
        weight, bias = method(rows, truth[:, 1], weights[:, 1], fitting)
        return np.stack([-weight, weight], axis=1), np.array([-bias, bias])
    made = [_against_rest(method, rows, truth[:, c], weights[:, c], fitting) for c in range(truth.shape[1])]
    return np.stack([weight for weight, _ in made], axis=1), np.array([bias for _, bias in made])


def log_count_ratio(rows: Any, truth: Truth, before: float = 1.0) -> Array:
    """The log-count ratio r [F]: how much more frequent each feature is in the texts that have a label.

    ``r = ln(p / |p|) - ln(q / |q|)``, p and q the sums of the rows that have the label and of those that have it not,
    plus ``before`` (Wang & Manning 2012, "Baselines and bigrams: simple, good sentiment and topic classification").
    """
    with_label = before + np.asarray(rows[truth].sum(axis=0), np.float64).ravel()
    without = before + np.asarray(rows[~truth].sum(axis=0), np.float64).ravel()
    ratio: Array = np.log(with_label / with_label.sum()) - np.log(without / without.sum())
    return ratio


Binary: TypeAlias = Callable[[Any, Truth, Array, Fitting], tuple[Array, float]]


def _against_rest(method: Binary, rows: Any, truth: Truth, weights: Array, fitting: Fitting) -> tuple[Array, float]:
    if truth.all():  # nothing tells the label from its absence, which was never seen
        return np.zeros(rows.shape[1]), float(np.log(len(truth) + 1))
    return method(rows, truth, weights, fitting)


def _nb_svm(rows: Any, truth: Truth, weights: Array, fitting: Fitting) -> tuple[Array, float]:
    """A linear SVM on rows times the log-count ratio of where they are not 0; Wang & Manning 2012."""
    ratio = log_count_ratio(rows > 0, truth)
    scaled = rows.copy()
    scaled.data *= ratio[scaled.indices]
    weight, bias = _svm(scaled, truth, weights, fitting)
    mixed = (1 - INTERPOLATION) * np.abs(weight).mean() + INTERPOLATION * weight
    return ratio * mixed, bias


def _svm(rows: Any, truth: Truth, weights: Array, fitting: Fitting) -> tuple[Array, float]:
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=fitting.strength, random_state=fitting.seed, max_iter=MOST_STEPS)
    _quietly(machine, rows, truth, weights)
    return machine.coef_[0].astype(np.float64), float(machine.intercept_[0])


def _log_odds(rows: Any, truth: Truth, weights: Array, fitting: Fitting) -> tuple[Array, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=fitting.strength, max_iter=MOST_STEPS)
    _quietly(model, rows, truth, weights)
    return model.coef_[0].astype(np.float64), float(model.intercept_[0])


def _count_odds(rows: Any, truth: Truth, weights: Array, fitting: Fitting) -> tuple[Array, float]:
    weight, bias = _naive_bayes(rows, truth.astype(np.int64), weights, fitting)
    return weight[:, 1] - weight[:, 0], float(bias[1] - bias[0])


def _of_one_label(
    whole: Callable[[Any, NDArray[np.int64], Array, Fitting], tuple[Array, Array]],
    rows: Any,
    truth: Truth,
    weights: Array,
    fitting: Fitting,
) -> tuple[Array, Array]:
    weight, bias = whole(rows, truth.argmax(axis=1), weights, fitting)
    # What is added to all classes alike changes no probability, but hides what speaks for which.
    return weight - weight.mean(axis=1, keepdims=True), bias - bias.mean()


def _logistic(rows: Any, numbers: NDArray[np.int64], weights: Array, fitting: Fitting) -> tuple[Array, Array]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=fitting.strength, max_iter=MOST_STEPS)
    _quietly(model, rows, numbers, weights)
    if len(model.classes_) == 2:
        return np.stack([-model.coef_[0], model.coef_[0]], 1) / 2, np.repeat(model.intercept_, 2) * [-0.5, 0.5]
    return model.coef_.T.astype(np.float64), model.intercept_.astype(np.float64)


def _naive_bayes(rows: Any, numbers: NDArray[np.int64], weights: Array, fitting: Fitting) -> tuple[Array, Array]:
    from sklearn.naive_bayes import MultinomialNB

    model = MultinomialNB(alpha=1 / fitting.strength).fit(rows, numbers, sample_weight=weights)
    return model.feature_log_prob_.T, model.class_log_prior_


def _quietly(model: Any, rows: Any, truth: NDArray[Any], weights: Array) -> None:
    """Fit without a warning where the steps are used up: what the last of them would still gain is no accuracy."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, truth, sample_weight=weights)
