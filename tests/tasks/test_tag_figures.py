"""Figures of a tagger, against seqeval's own and by hand."""

from __future__ import annotations

import random

import pytest

from textdl.tasks.tag_figures import tag_figures, validation_figures

TAGS = ["O", "O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def drawn(seed: int, number: int = 40) -> list[list[str]]:
    chance = random.Random(seed)
    return [[chance.choice(TAGS) for _ in range(1 + at % 7)] for at in range(number)]


def strict(tags: list[str]) -> set[tuple[str, int, int]]:
    """Spans that begin with B- and go on with I- of the same kind; a plain loop of its own."""
    found, start = set(), None
    for at, tag in enumerate([*tags, "O"]):
        if start is not None and not (tag[:1] == "I" and tag[2:] == tags[start][2:]):
            found.add((tags[start][2:], start, at))
            start = None
        if tag[:1] == "B":
            start = at
    return found


@pytest.mark.parametrize("seed", range(5))
def test_spans_are_those_of_seqeval_and_of_a_plain_loop(seed: int) -> None:
    """Ill-formed spans among them: what has no beginning is none."""
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    truth, found = drawn(seed), drawn(seed + 100)
    found[::2] = truth[::2]
    figures = tag_figures(truth, found, [[False] * len(some) for some in truth], spans=True)
    assert figures["span_f1"] == pytest.approx(f1_score(truth, found, mode="strict", scheme=IOB2), abs=1e-9)
    spans = [(strict(a), strict(b)) for a, b in zip(truth, found, strict=True)]
    right, true, said = (sum(len(x) for x in some) for some in zip(*((a & b, a, b) for a, b in spans), strict=True))
    assert figures["span_precision"] == pytest.approx(right / said)
    assert figures["span_recall"] == pytest.approx(right / true)
    per = figures["per_span"]
    assert sum(row["support"] for row in per.values()) == true
    for kind, row in per.items():
        mine = [[{s for s in side if s[0] == kind} for side in both] for both in spans]
        hits = sum(len(a & b) for a, b in mine)
        assert row["precision"] == pytest.approx(hits / sum(len(b) for _, b in mine))
        assert row["recall"] == pytest.approx(hits / sum(len(a) for a, _ in mine))


def test_accuracy_by_hand() -> None:
    truth = [["D", "N", "V"], ["N", "V"]]
    found = [["D", "N", "N"], ["N", "V"]]
    figures = tag_figures(truth, found, [[False, True, True], [False, False]], spans=False)
    assert figures["accuracy"] == 4 / 5
    assert figures["sentence_accuracy"] == 1 / 2
    assert (figures["unseen_tokens"], figures["unseen_accuracy"]) == (2, 1 / 2)
    assert figures["per_tag"]["N"] == {"precision": 2 / 3, "recall": 1.0, "f1": 0.8, "support": 2}
    assert figures["per_tag"]["V"] == {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "support": 2}
    assert list(figures["per_tag"]) == ["N", "V", "D"]
    assert "span_f1" not in figures
    assert validation_figures(figures) == {"validation_accuracy": 0.8, "validation_unseen_accuracy": 0.5}


def test_a_tag_that_is_no_tag_of_the_run_is_a_mistake() -> None:
    figures = tag_figures([["X", "N"]], [["N", "N"]], [[False, False]], spans=False)
    assert figures["accuracy"] == 1 / 2
    assert figures["per_tag"]["X"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_spans_of_no_kind() -> None:
    """B, I and O without a label: counted as any others, under a name that is a word."""
    truth, found = [["B", "I", "O", "B"], ["O", "B"]], [["B", "I", "O", "O"], ["O", "B"]]
    figures = tag_figures(truth, found, [[False] * len(some) for some in truth], spans=True)
    assert (figures["span_precision"], figures["span_recall"], figures["span_f1"]) == (1.0, 2 / 3, pytest.approx(0.8))
    assert {name: row["support"] for name, row in figures["per_span"].items()} == {"span": 3}


def test_no_spans_at_all(recwarn: pytest.WarningsRecorder) -> None:
    figures = tag_figures([["O", "O"]], [["O", "O"]], [[False, False]], spans=True)
    assert (figures["span_f1"], figures["per_span"], figures["accuracy"]) == (0.0, {}, 1.0)
    assert "unseen_accuracy" not in figures
    half = tag_figures([["B-X", "O"]], [["O", "O"]], [[False, False]], spans=True)
    assert (half["span_precision"], half["span_recall"], half["span_f1"]) == (0.0, 0.0, 0.0)
    assert not recwarn.list
