"""What a study of the number of examples has found: its rows, the table of them, and what they say of a claim."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..baselines.config import METHODS

#: Models on counts of words.
LINEAR = METHODS
#: Models with recurrent layers that learn from the examples alone; "lm" begins with what another text has taught it.
RECURRENT = ("lstm", "gru", "sru", "rnn", "cnn-rnn")

#: (examples, what that is called, least and greatest relative difference of the error rates): what is to be checked.
CLAIMS = ((1_000, "a thousand", 0.25, 0.50), (1_000_000, "a million", -0.30, 0.0))
CLAIM = (
    "with a thousand labelled examples the RNN does 25 to 50 % worse than the linear model, with a million 0 to 30 % "
    "better"
)
#: A size within this factor of the one that is claimed something of stands for it.
NEAR = 1.5

READING = (
    '"Worse" is read as of error rates: 25 to 50 % worse means that, where the linear model is wrong in 20.0 % of the '
    "texts, the recurrent one is wrong in 25.0 to 30.0 % of them; 30 % better, in 14.0 %. Read as of accuracies, the "
    "same figures are other percentages; they stand in the last column and decide nothing here."
)


@dataclass(frozen=True)
class Row:
    """One training, with ``size`` examples: ``training`` to learn from, ``validation`` held out; shares in [0, 1]."""

    model: str
    size: int
    seed: int
    training: int
    validation: int
    accuracy: float
    macro_f1: float
    epochs: float
    seconds: float


@dataclass(frozen=True)
class Cell:
    """The trainings of one model with one number of examples, over ``seeds`` seeds: means, and (least, greatest)."""

    model: str
    size: int
    seeds: int
    accuracy: float
    accuracy_range: tuple[float, float]
    macro_f1: float
    macro_f1_range: tuple[float, float]
    epochs: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """A recurrent model beside a linear one, over the seeds that both have.

    ``error_difference`` is recurrent error rate / linear error rate - 1, of the means over the seeds, and
    ``error_range`` the least and greatest of single seeds; None where the linear model makes no error.
    ``accuracy_difference`` is the same of the accuracies. Above 0 the first says worse, and the second better.
    """

    size: int
    linear: str
    recurrent: str
    seeds: int
    linear_error: float
    recurrent_error: float
    error_difference: float | None
    error_range: tuple[float, float] | None
    accuracy_difference: float | None


@dataclass(frozen=True)
class Study:
    """Accuracy by number of examples: a row for each model, size and seed that is done."""

    corpus: str
    examples: int  # of the training split
    test_texts: int
    labels: tuple[str, ...]
    most_frequent: float  # accuracy of always saying the label that the test texts have most often
    models: tuple[str, ...]
    sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    settings: tuple[str, ...]  # what was set otherwise than by default, for people
    lasting: str  # how long a neural model is trained, for people
    rows: tuple[Row, ...]

    @property
    def finished(self) -> bool:
        """Whether every training is done."""
        return len(self.rows) == len(self.models) * len(self.sizes) * len(self.seeds)

    def cells(self) -> list[Cell]:
        """The means over the seeds, by size and then in the order of the models."""
        found = []
        for size, model in itertools.product(self.sizes, self.models):
            rows = [row for row in self.rows if (row.size, row.model) == (size, model)]
            if rows:
                accuracy, f1 = [row.accuracy for row in rows], [row.macro_f1 for row in rows]
                epochs, seconds = [row.epochs for row in rows], [row.seconds for row in rows]
                found.append(
                    Cell(
                        model, size, len(rows), _mean(accuracy), (min(accuracy), max(accuracy)), _mean(f1),
                        (min(f1), max(f1)), _mean(epochs), _mean(seconds),
                    )
                )  # fmt: skip
        return found

    def comparisons(self) -> list[Comparison]:
        """Every recurrent model beside every linear one, by size."""
        pairs = [(a, b) for b in self.models if b in RECURRENT for a in self.models if a in LINEAR]
        found = (self._compared(size, *pair) for size in self.sizes for pair in pairs)
        return [comparison for comparison in found if comparison is not None]

    def _compared(self, size: int, linear: str, recurrent: str) -> Comparison | None:
        right = {(row.model, row.seed): row.accuracy for row in self.rows if row.size == size}
        seeds = [seed for seed in self.seeds if (linear, seed) in right and (recurrent, seed) in right]
        if not seeds:
            return None
        ours, theirs = ([right[model, seed] for seed in seeds] for model in (recurrent, linear))
        mean, other = _mean(ours), _mean(theirs)
        single = [_over(1 - a, 1 - b) for a, b in zip(ours, theirs, strict=True)]
        known = [value for value in single if value is not None]
        span = (min(known), max(known)) if len(known) == len(single) else None
        return Comparison(
            size, linear, recurrent, len(seeds), 1 - other, 1 - mean, _over(1 - mean, 1 - other), span,
            _over(mean, other),
        )  # fmt: skip

    def table(self) -> str:
        """A table for people, in Markdown: accuracy and macro F1 by size and model, with their spread."""
        lines = [
            "| examples | model | seeds | accuracy | low to high | macro F1 | low to high | epochs | seconds |",
            "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for cell in self.cells():
            values = (
                f"{cell.size:,}", cell.model, cell.seeds, _percent(cell.accuracy), _span(cell.accuracy_range),
                _percent(cell.macro_f1), _span(cell.macro_f1_range),
                "-" if cell.model in LINEAR else f"{cell.epochs:.3g}", f"{cell.seconds:.1f}",
            )  # fmt: skip
            lines.append("| " + " | ".join(map(str, values)) + " |")
        return "\n".join(lines) + "\n"

    def claim(self) -> str:
        """What was found of the claim, for people, in Markdown; no verdict on a size that was not tried."""
        found = self.comparisons()
        lines = [f'The claim: "{CLAIM}".', "", READING, ""]
        if not found:
            return "\n".join([*lines, "No verdict: at no size both a linear and a recurrent model were tried."])
        lines += [
            "| examples | linear | recurrent | error rates | recurrent's errors | single seeds | its accuracy |",
            "|---:|---|---|---:|---:|---:|---:|",
            *map(_compared_line, found),
            "",
            *(f"- {line}" for claim in CLAIMS for line in _verdicts(found, *claim)),
        ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The whole of it as plain values."""
        plain = {name: value for name, value in asdict(self).items() if name != "rows"}
        return plain | {
            "finished": self.finished,
            "cells": [asdict(cell) for cell in self.cells()],
            "comparisons": [asdict(comparison) for comparison in self.comparisons()],
            "claim": self.claim(),
        }


def report(study: Study) -> str:
    """The study for people, in Markdown."""
    done = "" if study.finished else f"Not finished: {len(study.rows)} trainings are done.\n\n"
    settings = "; ".join(study.settings)
    return (
        f"# Accuracy by number of examples: {study.corpus}\n\n{done}"
        f"- {study.examples:,} training examples, {len(study.labels)} labels. All models are measured on the same "
        f"{study.test_texts:,} held-out texts; to say always the most frequent label would be right in "
        f"{_percent(study.most_frequent)}.\n"
        "- For each seed the training examples are shuffled, one of each label first; a size is the first so many of "
        "them, so that the examples of a smaller size are among those of a larger one. A tenth of them (at most 2,000) "
        "is held out for validation, and nothing is learned from it but how sure the model may be.\n"
        f"- Of recurrent and other neural models each training takes {study.lasting}; a linear model is fitted in one "
        "call.\n"
        f"- Settings: {f'as by default, but {settings}' if settings else 'the defaults'}. The best setting was not "
        "searched for, neither by model nor by size: with one, any of the models may do better.\n"
        "- Seconds are of one training, by the clock.\n\n"
        f"{study.table()}\n## What it says of a claim\n\n{study.claim()}\n"
    )


def _verdicts(found: Sequence[Comparison], size: int, name: str, least: float, most: float) -> Iterator[str]:
    """A line for each pair of models at the size that is nearest to the one of the claim."""
    sizes = {comparison.size for comparison in found}
    near = min(sizes, key=lambda other: abs(math.log(other / size)))
    if abs(math.log(near / size)) > math.log(NEAR):
        yield f"At {name}: no verdict. None of the sizes that were tried, {min(sizes):,} to {max(sizes):,}, is near it."
        return
    for comparison in found:
        if comparison.size == near:
            what = f"At {name} ({near:,} examples) {comparison.recurrent} against {comparison.linear}"
            yield f"{what}: {_verdict(comparison.error_difference, least, most)}"


def _verdict(value: float | None, least: float, most: float) -> str:
    """Whether a relative difference of the error rates is what is claimed."""
    if value is None:
        return "no verdict, as the linear model makes no error."
    ends, what = ((least, most), "more") if least > 0 else ((abs(most), -least), "fewer")
    claimed = f"{ends[0] * 100:.0f} to {ends[1] * 100:.0f} % {what}"
    told = f"{_percent(abs(value))} {'more' if value >= 0 else 'fewer'} errors"
    if least <= value <= most:
        return f"{told}. This agrees with the claim ({claimed})."
    side = "better" if value < least else "worse"
    return f"{told}. This does not agree with the claim ({claimed}): the recurrent model does {side} than that."


def _compared_line(found: Comparison) -> str:
    span = "-" if found.error_range is None else f"{_signed(found.error_range[0])} to {_signed(found.error_range[1])}"
    errors = f"{_percent(found.linear_error)}, {_percent(found.recurrent_error)}"
    values = (
        f"{found.size:,}", found.linear, found.recurrent, errors, _signed(found.error_difference), span,
        _signed(found.accuracy_difference),
    )  # fmt: skip
    return "| " + " | ".join(values) + " |"


def _over(value: float, other: float) -> float | None:
    """The relative difference of a value to another; None where the other is nought but for rounding."""
    return None if abs(other) < 1e-12 else value / other - 1


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:+.1f} %".replace("-", "−")


def _span(bounds: tuple[float, float]) -> str:
    return f"{bounds[0] * 100:.1f} to {bounds[1] * 100:.1f}"
