"""A small example of each task. With a line in ``EXAMPLES`` a task passes through all tests of ``test_every_task.py``.

The examples are cut for speed: a training of one takes less than a second.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textdl.strokes.line import Line

#: Settings of every training here. The steps are few, with a checkpoint after each three and four evaluations.
QUICK: dict[str, Any] = {
    "steps": 24,
    "evaluations": 4,
    "checkpoint_steps": 3,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}


@dataclass(frozen=True)
class Example:
    """What the contract needs to know of a task.

    Attributes:
        corpus: texts or records in memory, with a validation split.
        settings: a tiny model, with dropout and the like where the task has it, on top of ``QUICK``.
        predict: the work of a run, as plain values that change when its weights do.
        batch: a corpus that is one batch under ``batch_settings``, which go on top of ``settings``; they leave dropout
            out and train until that batch is known by heart.
        single: a corpus of one small example.
        refusal: what is said of ``single`` where it is too small, as a pattern; None where it is trained on.
    """

    corpus: Mapping[str, Any]
    settings: Mapping[str, Any]
    predict: Callable[[Any], Any]
    batch: Mapping[str, Any]
    batch_settings: Mapping[str, Any]
    single: Mapping[str, Any]
    refusal: str | None = None
    all_settings: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_settings", {**QUICK, **self.settings})


ANIMALS = [
    f"{a} {b} {c}." for a in ("a red", "the blue", "one") for b in ("cat", "dog", "owl") for c in ("sits", "ran")
]
JUDGED = [(text, "bird" if "owl" in text else "beast") for text in ANIMALS]
_TAGS = {"a": "DET", "the": "DET", "one": "DET", "red": "ADJ", "blue": "ADJ", "sits.": "VERB", "ran.": "VERB"}
TAGGED = [[(word, _TAGS.get(word, "NOUN")) for word in text.split()] for text in ANIMALS]
#: A season of six with a trend, never quite the same.
NUMBERS = [0.2 * n + (0, 3, 5, 4, 1, -1)[n % 6] + (n * n % 7) / 5 for n in range(90)]
TURNED = [(text, " ".join(reversed(text.strip(".").split()))) for text in ANIMALS]
#: Bars that lie or stand on noise: (pixels [N, 5, 5], labels).
BARS = np.random.default_rng(3).integers(0, 90, (24, 5, 5)).astype(np.uint8)
BARS[::2, 2], BARS[1::2, :, 2] = 250, 250
BARRED = (BARS, ["lies", "stands"] * 12)
SENTENCE = "the blue owl sits on a red dog."


def _zigzag(text: str) -> Line:
    """A line whose letters are strokes of three points, each its own way, a gap between."""
    steps = [(ord(letter) % 7 + 3.0, (ord(letter) * k) % 5 - 2.0, float(k == 3)) for letter in text for k in (1, 2, 3)]
    points = np.array(steps, np.float32)
    points[0, :2] = 0
    return Line(points, text)


RINGS = [((1 + 2 * (n % 2)) * math.cos(n), (1 + 2 * (n % 2)) * math.sin(n)) for n in range(48)]
SIDES = ["inner", "outer"] * 24
ZIGZAGS = [_zigzag(a + b + c) for a in "abcd" for b in "eio" for c in ("n", "rt", "")]


def _write_and_measure(run: Any) -> Any:
    texts = run.generate("the ", seed=1, count=2, length=60, temperature=1.0)
    return texts, run.evaluate({"train": ANIMALS, "test": ANIMALS[::2]}, split="test")


def _judge_beginnings(run: Any) -> Any:
    return [run.predict(text[:5]) for text in ANIMALS], run.evaluate({"train": ANIMALS, "test": ANIMALS}, split="test")


def _judge_and_measure(run: Any) -> Any:
    texts = [text for text, _ in JUDGED]
    figures = run.evaluate({"train": JUDGED, "test": JUDGED[::2]}, split="test")
    return run.probabilities(texts).tolist(), run.predict(texts), figures


def _translate_and_measure(run: Any) -> Any:
    figures = run.evaluate({"train": TURNED, "test": TURNED[::2]}, split="test", beam=2)
    texts = [text for text, _ in TURNED]
    return run.translate(texts, beam=1), [some[0].score for some in run.translations(texts[:4])], figures


def _tag_and_measure(run: Any) -> Any:
    found = run.tag([[word for word, _ in sentence] for sentence in TAGGED], probabilities=True)
    figures = run.evaluate({"train": TAGGED, "test": TAGGED[::2]}, split="test")
    return [(some.tags, some.probabilities.tolist()) for some in found], figures


def _foresee_and_measure(run: Any) -> Any:
    found = run.forecast(steps=7)
    figures = run.evaluate({"train": NUMBERS[:60], "test": NUMBERS[60:]}, split="test")
    return found.median.tolist(), found.low.tolist(), found.high.tolist(), figures


def _part_and_measure(run: Any) -> Any:
    figures = run.evaluate({"train": (RINGS, SIDES), "test": (RINGS[::3], SIDES[::3])}, split="test")
    return run.probabilities(RINGS).tolist(), run.predict_points(RINGS), figures


def _pen_and_measure(run: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model that has hardly learned finds no end
        written = [run.write(text, seed=1, most_points=20).tolist() for text in ("ben", "cat")]
    return written, run.evaluate({"train": ZIGZAGS, "test": ZIGZAGS[::3]}, split="test")


def _recognise_and_measure(run: Any) -> Any:
    figures = run.evaluate({"train": BARRED, "test": BARRED}, split="test", errors=2)
    return run.probabilities(BARS).tolist(), run.predict(BARS), figures


def _rank_and_compare(run: Any) -> Any:
    words = run.vectors.words
    return [run.nearest(word, 3) for word in words[:4]], [run.vectors.similarity(words[0], word) for word in words]


EXAMPLES: dict[str, Example] = {
    "vectors": Example(
        corpus={"train": ANIMALS * 8, "validation": ANIMALS},
        settings={"engine": "torch", "dim": 6, "window": 2, "least_count": 1, "batch_size": 60, "lr": 0.05},
        predict=_rank_and_compare,
        batch={"train": ["cat dog " * 10]},  # each word is known by the other one
        batch_settings={"window": 1, "batch_size": 40, "sample": 0, "steps": 200, "lr": 0.1},
        single={"train": ["a"]},
        refusal="no two words stand in one sentence",
    ),
    "classify": Example(
        corpus={"train": JUDGED * 4, "validation": JUDGED},
        settings={"hidden": 6, "embedding": 5, "batch_size": 8, "dropout": 0.2, "lr": 0.01, "min_count": 1},
        predict=_judge_and_measure,
        batch={"train": JUDGED, "validation": JUDGED},
        batch_settings={"batch_size": len(JUDGED), "dropout": 0.0, "steps": 80, "lr": 0.05},
        single={"train": [("a cat", "beast")]},
        refusal="one class only",
    ),
    "translate": Example(
        corpus={"train": TURNED * 4, "validation": TURNED},
        settings={
            "hidden": 8,
            "embedding": 6,
            "tokenizer": "words",
            "batch_size": 40,
            "dropout": 0.2,
            "lr": 0.01,
            "scheduled_sampling": 0.3,
        },
        predict=_translate_and_measure,
        batch={"train": TURNED[:6], "validation": TURNED[:6]},
        batch_settings={
            "batch_size": 100,
            "dropout": 0.0,
            "label_smoothing": 0.0,
            "scheduled_sampling": 0.0,
            "steps": 150,
            "lr": 0.03,
        },
        single={"train": [("a cat", "un chat")]},
    ),
    "tag": Example(
        corpus={"train": TAGGED * 4, "validation": TAGGED},
        settings={
            "hidden": 6,
            "embedding": 5,
            "character_features": 4,
            "batch_size": 8,
            "dropout": 0.2,
            "lr": 0.01,
            "crf": True,
        },
        predict=_tag_and_measure,
        batch={"train": TAGGED, "validation": TAGGED},
        batch_settings={"batch_size": len(TAGGED), "dropout": 0.0, "word_dropout": 0.0, "steps": 80, "lr": 0.05},
        single={"train": [[("a", "DET")]]},
        refusal="one tag only",
    ),
    "forecast": Example(
        corpus={"train": NUMBERS, "validation": NUMBERS[:12]},
        settings={"hidden": 6, "window": 6, "horizon": 3, "season": 6, "batch_size": 8, "dropout": 0.2, "layers": 2},
        predict=_foresee_and_measure,
        batch={"train": NUMBERS[:30], "validation": NUMBERS[30:33], "test": []},
        batch_settings={"batch_size": 16, "dropout": 0.0, "hidden": 24, "lr": 0.02, "steps": 200, "layers": 1},
        single={"train": [1.0, 2.0]},
        refusal="season must be at most the training part",
    ),
    "points": Example(
        corpus={"train": [RINGS, SIDES], "validation": [RINGS[::5], SIDES[::5]]},
        settings={"widths": ("5", "2"), "batch_size": 8},
        predict=_part_and_measure,
        batch={"train": [RINGS, SIDES], "validation": [RINGS[:6], SIDES[:6]], "test": [RINGS[:6], SIDES[:6]]},
        batch_settings={"batch_size": 48, "widths": ("12", "2"), "steps": 150, "lr": 0.05},
        single={"train": [[(0.0, 1.0)], ["inner"]]},
        refusal="one class only",
    ),
    "handwriting": Example(
        corpus={"train": ZIGZAGS, "validation": ZIGZAGS[::4], "test": ZIGZAGS[::5]},
        settings={"hidden": 8, "mixtures": 3, "windows": 2, "batch_size": 8, "dropout": 0.2, "lr": 0.01},
        predict=_pen_and_measure,
        batch={"train": ZIGZAGS[:6], "validation": ZIGZAGS[:6], "test": []},
        batch_settings={
            "hidden": 24,
            "batch_size": 6,
            "dropout": 0.0,
            "slant": 0.0,
            "stretch": 0.0,
            "steps": 120,
            "lr": 0.02,
        },
        single={"train": [ZIGZAGS[0]]},
    ),
    "images": Example(
        corpus={"train": (np.concatenate([BARS, 255 - BARS]), BARRED[1] * 2), "validation": BARRED, "test": BARRED},
        settings={"batch_size": 8, "lr": 0.01, "rotation": 10.0, "elastic": 0.3, "cutout": 1, "mixup": 0.3},
        predict=_recognise_and_measure,
        batch={"train": BARRED, "validation": BARRED, "test": BARRED},
        batch_settings={
            "batch_size": 24,
            "rotation": 0.0,
            "elastic": 0.0,
            "cutout": 0,
            "mixup": 0.0,
            "steps": 60,
            "lr": 0.01,
        },
        single={"train": (BARS[:1], ["lies"])},
        refusal="one class only",
    ),
    "lm": Example(
        corpus={"train": ANIMALS * 8, "validation": ANIMALS},
        settings={
            "hidden": 8,
            "embedding": 6,
            "ngram_rows": 64,
            "batch_size": 4,
            "seq_length": 9,
            "dropout": 0.2,
        },
        predict=_write_and_measure,
        batch={"train": [SENTENCE], "validation": [SENTENCE], "test": [SENTENCE]},
        batch_settings={"batch_size": 1, "seq_length": len(SENTENCE), "dropout": 0.0, "steps": 80, "lr": 0.03},
        single={"train": ["a"]},
        refusal="fewer than one sequence of 9",
    ),
}

#: Tasks that are not in the table of textdl but must keep the same contract: the one of docs/adding-a-task.md.
OUTSIDE: dict[str, Example] = {
    "next-is-vowel": Example(
        corpus={"train": ANIMALS * 2, "validation": ANIMALS},
        settings={"hidden": 8, "batch_size": 16, "lr": 0.02},
        predict=_judge_beginnings,
        batch={"train": ["the blue"], "validation": ["the blue"]},
        batch_settings={"batch_size": 8, "steps": 200, "lr": 0.05},
        single={"train": ["a"]},
    ),
}
