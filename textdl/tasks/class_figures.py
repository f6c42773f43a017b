"""Figures of classifiers: how often they are right, how sure they are of it, and where they go wrong.

Everywhere N texts, C classes. The truth of one label a text is int64 [N], numbers of classes, -1 for a label that is
no class; of several labels it is bool [N, C]. Probabilities are float [N, C]; of one label a row sums to one, of
several each entry is by itself. Nothing here knows what model they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError

BINS = 15  # of the calibration error, as in its paper
COLDEST, HOTTEST = 0.05, 20.0  # temperatures that are looked at

Truth = NDArray[Any]
Probabilities = NDArray[Any]


def decisions(probabilities: Probabilities, several: bool = False, thresholds: NDArray[Any] | None = None) -> Truth:
    """What a classifier says: the most probable class, int64 [N]; of several labels those at their threshold, [N, C].

    Args:
        thresholds: [C], of several labels: a label is given where its probability is at least that (0.5).
    """
    rows = np.asarray(probabilities, np.float64)
    if several:
        return np.asarray(rows >= (0.5 if thresholds is None else np.asarray(thresholds, np.float64)))
    return np.asarray(rows.argmax(axis=1), np.int64)


def class_figures(
    truth: Truth,
    probabilities: Probabilities,
    labels: Sequence[str],
    several: bool = False,
    thresholds: NDArray[Any] | None = None,
    unknown: NDArray[np.bool_] | None = None,
    confusion: bool = True,
) -> dict[str, Any]:
    """The figures of a classifier on N texts, as plain values for JSON.

    Args:
        truth: int64 [N], -1 where the label is no class; of several labels bool [N, C].
        probabilities: [N, C].
        labels: the C names of the classes.
        several: whether a text has any number of labels.
        thresholds: [C], of several labels; 0.5 where none are given.
        unknown: bool [N], of several labels: texts that have one that is no class.
        confusion: count what was taken for what; of many classes C times C numbers are a lot.

    Returns:
        ``examples`` N; ``accuracy``, of several labels the share of texts with exactly the right ones (also as
        ``subset_accuracy``) and ``hamming_loss``, the share of wrong yes or no; ``macro_f1``, the mean over the classes
        that occur in the truth or in what was said; ``micro_f1``, from all counts together; ``nats``, the mean
        cross-entropy of a text with a known label, of several labels that of a yes or no; ``calibration_error``, see
        :func:`calibration_error`; ``unknown_labels``, texts with a label that is no class, which count as wrong;
        ``per_class`` ``{label: {precision, recall, f1, support}}``; ``confusion`` (one label) ``{"labels", "counts"
        [C][C]}``, rows truth, columns what was said, texts of an unknown label not among them.

    Raises:
        CorpusError: there is no text.
    """
    rows = np.asarray(probabilities, np.float64)
    answers = np.asarray(truth)
    expected = (len(rows), len(labels)) if several else (len(rows),)
    if answers.shape != expected or rows.shape != (len(rows), len(labels)):
        raise ValueError(f"truth {answers.shape} and probabilities {rows.shape} do not fit {len(labels)} classes")
    if not len(rows):
        raise CorpusError("figures of a classifier need at least one text with a label, got none; name another split")
    if several:
        return _of_several(answers.astype(bool), rows, labels, thresholds, unknown)
    return _of_one(answers.astype(np.int64), rows, labels, confusion)


def _of_one(truth: Truth, rows: Probabilities, labels: Sequence[str], confusion: bool) -> dict[str, Any]:
    count, known = len(labels), truth >= 0
    said = decisions(rows)
    right = said == truth
    hits, given, support = (np.bincount(some, minlength=count) for some in (said[right], said, truth[known]))
    per_class, macro = _per_class(hits, given, support, labels)
    accuracy = float(right.mean())
    figures = {
        "examples": len(truth),
        "accuracy": accuracy,
        "macro_f1": macro,
        # Every wrong text is once said wrongly and once missed (also one of an unknown label): precision, recall and
        # F1 of all counts together are the accuracy.
        "micro_f1": accuracy,
        "nats": cross_entropy(truth, rows),
        "calibration_error": calibration_error(rows.max(axis=1), right),
        "unknown_labels": int((~known).sum()),
        "per_class": per_class,
    }
    if confusion:
        pairs = np.bincount(truth[known] * count + said[known], minlength=count * count)
        figures["confusion"] = {"labels": list(labels), "counts": pairs.reshape(count, count).tolist()}
    return figures


def _of_several(
    truth: Truth,
    rows: Probabilities,
    labels: Sequence[str],
    thresholds: NDArray[Any] | None,
    unknown: NDArray[np.bool_] | None,
) -> dict[str, Any]:
    said = decisions(rows, True, thresholds)
    hits, given, support = (truth & said).sum(axis=0), said.sum(axis=0), truth.sum(axis=0)
    per_class, macro = _per_class(hits, given, support, labels)
    strange = np.zeros(len(rows), bool) if unknown is None else np.asarray(unknown, bool)
    exact = float(((said == truth).all(axis=1) & ~strange).mean())
    both = int(given.sum() + support.sum())
    return {
        "examples": len(truth),
        "accuracy": exact,
        "subset_accuracy": exact,
        "hamming_loss": float((said != truth).mean()),
        "macro_f1": macro,
        "micro_f1": 2 * int(hits.sum()) / both if both else 0.0,
        "nats": cross_entropy(truth, rows),
        "calibration_error": float(np.mean([calibration_error(*pair) for pair in zip(rows.T, truth.T, strict=True)])),
        "unknown_labels": int(strange.sum()),
        "per_class": per_class,
    }


def _per_class(
    hits: NDArray[Any], given: NDArray[Any], support: NDArray[Any], labels: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], float]:
    """The table by class and the mean F1, from counts [C]: said rightly, said, true."""
    precision = np.divide(hits, given, out=np.zeros(len(labels)), where=given > 0)
    recall = np.divide(hits, support, out=np.zeros(len(labels)), where=support > 0)
    occurs = given + support > 0
    f1 = np.divide(2 * hits, given + support, out=np.zeros(len(labels)), where=occurs)
    table = {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(labels, precision, recall, f1, support, strict=True)
    }
    return table, float(f1[occurs].mean()) if occurs.any() else 0.0


def cross_entropy(truth: Truth, probabilities: Probabilities) -> float:
    """Mean of minus the logarithm of the probability of what is true, in nats.

    Over the texts with a known label (0 where there is none); of several labels (``truth`` [N, C]) over all N times C
    answers yes or no. A probability of 0 counts as 2e-16, so that the mean stays a number.
    """
    rows = np.asarray(probabilities, np.float64)
    if truth.ndim == 2:
        chosen = np.where(truth, rows, 1 - rows).ravel()
    else:
        chosen = rows[truth >= 0, truth[truth >= 0]]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).eps)).mean()) if chosen.size else 0.0


def calibration_error(probabilities: NDArray[Any], right: NDArray[Any], bins: int = BINS) -> float:
    """Expected calibration error (Guo, Pleiss, Sun & Weinberger 2017, "On calibration of modern neural networks").

    Probabilities fall into bins of equal width, each with its upper end; the error is the mean over the texts of the
    distance, in the bin of each, between the mean probability and the share of what was right. Of one label a text
    take the probability of what was said; of several, that of the class itself and whether it is true, class by class
    (Kull et al. 2019, "Beyond temperature scaling").

    Args:
        probabilities: [N].
        right: bool [N].
    """
    sure = np.asarray(probabilities, np.float64)
    bin_of = np.searchsorted(np.arange(1, bins) / bins, sure, side="left")
    gaps = np.bincount(bin_of, sure - np.asarray(right, np.float64), minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def worst_mistakes(
    truth: Truth,
    probabilities: Probabilities,
    labels: Sequence[str],
    texts: Sequence[str] | Sequence[tuple[str, str]],
    number: int,
    thresholds: NDArray[Any] | None = None,
) -> list[dict[str, Any]]:
    """The mistakes that the classifier was surest of, at most ``number``, the worst first; equal ones in text order.

    Args:
        truth: [N], or of several labels [N, C].
        texts: N texts, or N pairs of them.
        thresholds: [C], of several labels.

    Returns:
        Of each ``text`` (``second`` too of a pair), ``truth`` and ``predicted`` (a label; None for one that is no
        class), ``probability`` of the wrong prediction. Of several labels ``truth`` and ``predicted`` are lists, and
        ``label`` is the one that it was surest to give or to leave out wrongly, with that probability.
    """
    rows = np.asarray(probabilities, np.float64)
    answers = np.asarray(truth)
    several = answers.ndim == 2
    said = decisions(rows, several, thresholds)
    if several:
        sure_of = np.where(said != answers, np.where(said, rows, 1 - rows), -1.0)
        wrong, sure = (said != answers).any(axis=1), sure_of.max(axis=1, initial=-1.0)
    else:
        wrong, sure = said != answers, rows.max(axis=1, initial=0.0)
    places = np.flatnonzero(wrong)
    found = []
    for place in places[np.argsort(-sure[places], kind="stable")][:number]:
        text = texts[place]
        mistake: dict[str, Any] = {"text": text} if isinstance(text, str) else {"text": text[0], "second": text[1]}
        if several:
            mistake["truth"] = [label for label, is_so in zip(labels, answers[place], strict=True) if is_so]
            mistake["predicted"] = [label for label, is_so in zip(labels, said[place], strict=True) if is_so]
            mistake["label"] = labels[int(sure_of[place].argmax())]
        else:
            mistake["truth"] = labels[answers[place]] if answers[place] >= 0 else None
            mistake["predicted"] = labels[said[place]]
        mistake["probability"] = float(sure[place])
        found.append(mistake)
    return found


def fit_temperature(logits: NDArray[Any], truth: Truth) -> float:
    """The temperature by which logits are divided so that held-out cross-entropy is least (Guo et al. 2017).

    One number for all classes, so that no decision of one label changes. Between 0.05 and 20; 1 where nothing can be
    learnt: no text with a known label, logits that are not numbers, or a cross-entropy that no temperature moves.

    Of N texts that were all judged rightly the least cross-entropy would be that of boundless sureness. So each truth
    counts 1 - ε and ε = 1 / (N + 2) is spread over all classes (Platt 2000, "Probabilistic outputs for support vector
    machines", section 2.2): N right answers do not make one surer than that of the next.

    Args:
        logits: [N, C], unscaled.
        truth: int64 [N]; of several labels bool [N, C].
    """
    scores, answers = np.asarray(logits, np.float64), np.asarray(truth)
    several = answers.ndim == 2
    if not several:
        scores, answers = scores[answers >= 0], answers[answers >= 0].astype(np.int64)
    if not scores.size or not np.isfinite(scores).all():
        return 1.0
    from scipy.optimize import minimize_scalar

    # Logits relative to what the truth gives on average: the loss is then a logarithm of a sum of exponentials, and in
    # the logarithm of the temperature it has one valley, for it is convex in 1 / temperature.
    spread = 1 / (len(scores) + 2)
    if several:
        signed = np.where(answers.astype(bool), -scores, scores).ravel()
        pair = np.stack([np.zeros_like(signed), signed], axis=1)
    else:
        pair = scores - np.take_along_axis(scores, answers[:, None], axis=1)
    margins = pair - spread * pair.mean(axis=1, keepdims=True)

    def loss(log_temperature: float) -> float:
        scaled = margins / np.exp(log_temperature)
        top = scaled.max(axis=1)
        return float((top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))).mean())

    bounds = (float(np.log(COLDEST)), float(np.log(HOTTEST)))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    # an end of the range is never tried by itself
    best = min((0.0, float(found.x), *bounds), key=loss)
    return float(np.exp(best))


def fit_thresholds(probabilities: Probabilities, truth: Truth) -> NDArray[np.float64]:
    """Of several labels, for each class the threshold with the best F1 on held-out texts, [C].

    Thresholds between the same two neighbouring probabilities do the same: 0.5 is taken where it is among the best,
    else the middle of the best range; of equally good ranges that nearest to 0.5. A class without an example has 0.5.

    Args:
        probabilities: [N, C].
        truth: bool [N, C].
    """
    rows, answers = np.asarray(probabilities, np.float64), np.asarray(truth, bool)
    return np.array([_threshold(*pair) for pair in zip(rows.T, answers.T, strict=True)], np.float64)


def _threshold(probabilities: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    if not truth.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    values, hits = probabilities[order], np.cumsum(truth[order])
    last = np.flatnonzero(np.append(values[1:] < values[:-1], True))  # where equal probabilities end
    tops, hit = values[last], hits[last]
    floors = np.append(tops[1:], 0.0)  # a threshold in (floor, top] gives the label to the same texts
    f1 = 2 * hit / (last + 1 + int(truth.sum()))
    best = np.flatnonzero(f1 == f1.max())
    far = np.maximum(np.maximum(floors[best] - 0.5, 0.5 - tops[best]), 0.0)
    far[(floors[best] < 0.5) & (tops[best] >= 0.5)] = -1.0
    place = best[int(far.argmin())]
    low, high = float(floors[place]), float(tops[place])
    if low < 0.5 <= high:
        return 0.5
    middle = (low + high) / 2
    return middle if low < middle else high
