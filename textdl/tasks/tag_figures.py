"""Figures of a tagger.

Legend: N sentences.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Tags = Sequence[str]
_RATES = ("precision", "recall", "f1", "support")


def tag_figures(
    truth: Sequence[Tags], found: Sequence[Tags], unseen: Sequence[Sequence[bool]], spans: bool
) -> dict[str, Any]:
    """What share of the tags is right, and of the spans.

    Args:
        truth, found: the tags of N sentences; with ``spans`` in IOB2.
        unseen: which of the words were not in the training text.
        spans: whether tags mark spans.

    Returns:
        ``sentences``, ``tokens``, ``accuracy`` (a share of the tokens), ``sentence_accuracy`` (sentences with every tag
        right), ``unseen_tokens`` and, where there are such, ``unseen_accuracy``; with ``spans`` ``span_precision``,
        ``span_recall`` and ``span_f1`` by seqeval, over all spans (micro average), in its strict mode: a span begins
        with B, and is right when its label and both ends are; and ``per_span``. ``per_tag`` and ``per_span`` are
        ``{label: {precision, recall, f1, support}}``, the most frequent first; the label of a bare B is "span".
    """
    pairs: Counter[tuple[str, str]] = Counter()
    unseen_pairs: Counter[bool] = Counter()
    whole = 0
    for true, said, new in zip(truth, found, unseen, strict=True):
        pairs.update(zip(true, said, strict=True))
        whole += tuple(true) == tuple(said)
        unseen_pairs.update(a == b for a, b, is_new in zip(true, said, new, strict=True) if is_new)
    tokens, strange = pairs.total(), unseen_pairs.total()
    right = sum(count for (a, b), count in pairs.items() if a == b)
    figures: dict[str, Any] = {
        "sentences": len(truth),
        "tokens": tokens,
        "accuracy": right / tokens if tokens else math.nan,
        "sentence_accuracy": whole / len(truth) if len(truth) else math.nan,
        "unseen_tokens": strange,
    }
    if strange:
        figures["unseen_accuracy"] = unseen_pairs[True] / strange
    if spans:
        figures |= _span_figures(truth, found)
    return figures | {"per_tag": _per_tag(pairs)}


def validation_figures(figures: Mapping[str, Any]) -> dict[str, float]:
    """Those that go into the report, where they are numbers."""
    wanted = {
        "accuracy": "accuracy",
        "unseen_accuracy": "unseen_accuracy",
        "span_precision": "precision",
        "span_recall": "recall",
        "span_f1": "f1",
    }
    return {
        f"validation_{short}": float(figures[name])
        for name, short in wanted.items()
        if name in figures and math.isfinite(figures[name])
    }


def _span_figures(truth: Sequence[Tags], found: Sequence[Tags]) -> dict[str, Any]:
    from seqeval.metrics.v1 import classification_report
    from seqeval.scheme import IOB2

    given = [list(tags) for tags in truth], [list(tags) for tags in found]
    if not any(tag[0] == "B" for side in given for tags in side for tag in tags):  # seqeval wants some
        return {"span_precision": 0.0, "span_recall": 0.0, "span_f1": 0.0, "per_span": {}}
    report: dict[str, dict[str, float]] = classification_report(
        *given, scheme=IOB2, output_dict=True, zero_division=0, digits=10
    )
    names = dict(zip(("precision", "recall", "f1-score", "support"), _RATES, strict=True))
    rows = {
        "span" if label == "_" else label: {  # "_" is seqeval's name for spans of a bare B
            names[name]: int(value) if name == "support" else float(value) for name, value in row.items()
        }
        for label, row in report.items()
        if not label.endswith(" avg")
    }
    every = report["micro avg"]
    return {
        "span_precision": float(every["precision"]),
        "span_recall": float(every["recall"]),
        "span_f1": float(every["f1-score"]),
        "per_span": dict(sorted(rows.items(), key=lambda item: (-item[1]["support"], item[0]))),
    }


def _per_tag(pairs: Mapping[tuple[str, str], int]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of each tag that is in the truth or was said."""
    true: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for (a, b), count in pairs.items():
        true[a] += count
        said[b] += count
    table = {}
    for tag in sorted(true.keys() | said.keys(), key=lambda tag: (-true[tag], tag)):
        right = pairs.get((tag, tag), 0)
        rates = right / max(1, said[tag]), right / max(1, true[tag]), 2 * right / max(1, true[tag] + said[tag])
        table[tag] = dict(zip(_RATES, (*rates, true[tag]), strict=True))
    return table
