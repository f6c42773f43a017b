"""The task ``points``: it learns what no line parts, remembers how, and is measured."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textdl
from textdl import artifact
from textdl.config import replace
from textdl.errors import ConfigError, CorpusError, RunError, TextdlError
from textdl.tasks.points import Classifying, PointsTaskConfig
from textdl.training.events import Evaluated, Event

QUICK = {"device": "cpu", "threads": 1, "progress": False}
RING = [(math.cos(n) * r, math.sin(n) * r) for n in range(60) for r in (1, 3)]
CORPUS = {"train": (RING, ["in", "out"] * 60), "validation": (RING[::7], (["in", "out"] * 60)[::7])}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("points") / "circles"
    return textdl.train("points", "circles", out=out, widths=("8", "2"), steps=130, evaluations=5, **QUICK)


def test_it_learns_what_no_line_parts(run: Any) -> None:
    figures = run.evaluate()
    assert (figures["corpus"], figures["split"], figures["same_corpus"]) == ("circles", "test", True)
    assert figures["examples"] == 109
    assert figures["accuracy"] > 0.95
    assert run.predict_points([[0, 0], [0, 2.2]]) == run.predict(np.array([[0.0, 0], [0, 2.2]])) == ["inner", "outer"]


def test_its_probabilities_are_the_softmax_of_scaled_points(run: Any) -> None:
    points = np.array([[0.1, 0.2], [2.0, -1.0], [30.0, 4.0]])
    train = run.plane.xy  # all 775 points of the training are kept
    assert len(train) == 775
    x = torch.from_numpy((points - train.mean(axis=0)) / train.std(axis=0))
    with torch.no_grad():
        expected = torch.softmax(run.model(x.float()).double(), dim=-1).numpy()
    np.testing.assert_allclose(run.probabilities(points), expected, rtol=1e-5)
    assert run.probabilities([]).shape == (0, 2)


def test_it_remembers_its_training(tmp_path: Path) -> None:
    seen: list[tuple[int, np.ndarray]] = []
    made: list[Any] = []

    def watch(event: Event) -> None:
        if isinstance(event, Evaluated):
            weights = artifact.load_arrays(tmp_path / "run" / artifact.MODEL) if event.step < 20 else None
            made.append((event.step, weights))

    settings = {"widths": ("3",), "batch_size": 30, "steps": 20, "evaluations": 4}
    run = textdl.train("points", CORPUS, out=tmp_path / "run", observers=[watch], **settings, **QUICK)
    after, weights = run.moments
    assert after.tolist() == [0, *(step for step, _ in made)] == [0, 5, 10, 15, 20]
    for place, (_, arrays) in enumerate(made[:-1], 1):
        flat = [arrays[f"linear.{layer}.{part}"].ravel() for layer in (0, 1) for part in ("weight", "bias")]
        np.testing.assert_array_equal(weights[place], np.concatenate(flat))
        seen.append((place, weights[place]))
    assert len(seen) == 3
    last = torch.cat([parameter.detach().ravel() for parameter in run.model.parameters()]).numpy()
    np.testing.assert_array_equal(weights[-1], last)
    assert len(np.unique(weights, axis=0)) == 5


def test_the_best_model_ends_its_own_history(tmp_path: Path) -> None:
    settings = {"widths": ("3",), "steps": 40, "evaluations": 40, "patience": 3, "lr": 1000.0, "clip": None}
    run = textdl.train("points", CORPUS, out=tmp_path / "run", **settings, schedule="constant", **QUICK)
    after, weights = run.moments
    assert run.report["steps"] > after[-1], "it had become worse"
    last = torch.cat([parameter.detach().ravel() for parameter in run.model.parameters()]).numpy()
    np.testing.assert_array_equal(weights[-1], last)


def test_a_pass_holds_each_point_once_and_shards_share_it() -> None:
    from textdl.training.processes import Shard

    config = replace(PointsTaskConfig(), {"batch_size": 20, "test": 0.0})
    whole = Classifying.prepare(CORPUS, config, lambda event: None)
    rows = torch.cat([torch.cat([x, y[:, None].float()], dim=1) for x, y in whole.batches("train", 3)])
    assert sorted(map(tuple, rows.tolist())) == sorted(
        (*x, float(y)) for x, y in zip(whole._scaled.tolist(), whole._truth.tolist(), strict=True)
    )
    np.testing.assert_allclose(rows[:, :2].mean(dim=0), 0, atol=1e-6)
    np.testing.assert_allclose(rows[:, :2].std(dim=0, correction=0), 1, rtol=1e-5)
    parts = [Classifying.prepare(CORPUS, config, lambda event: None, Shard(rank, 3)) for rank in range(3)]
    assert {part.steps_per_epoch() for part in parts} == {2}
    dealt = torch.cat([x for part in parts for x, _ in part.batches("train", 3)])
    assert set(map(tuple, dealt.tolist())) == set(map(tuple, rows[:, :2].tolist()))


def test_far_off_and_flat_points_are_scaled(tmp_path: Path) -> None:
    xy = np.array([[1e9 + n, 5.0] for n in range(40)])
    settings = {"widths": ("2",), "steps": 60, "lr": 0.1, "batch_size": 40, "validation": 0.0, "test": 0.0}
    run = textdl.train("points", (xy, np.arange(40) >= 20), out=tmp_path / "run", **settings, **QUICK)
    assert run.labels == ("false", "true")
    assert run.predict_points(xy[[3, 36]]) == ["false", "true"]
    assert np.isfinite(run.plane.scaled(np.array([[1e100, -1e100]]))).all()


def test_it_is_measured_on_other_points_by_their_own_labels(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("x,y,label\n0,0,inner\n0,2.2,outer\n0.1,0,outer\n0,0.1,elsewhere\n")
    figures = run.evaluate(path)
    assert (figures["examples"], figures["unknown_labels"], figures["accuracy"]) == (4, 1, 0.5)
    assert (figures["split"], figures["same_corpus"]) == ("all", False)
    assert figures["confusion"] == {"labels": ["inner", "outer"], "counts": [[1, 0], [1, 1]]}
    assert run.evaluate({"train": ([[0, 0]], ["x"]), "test": ([[0, 2.2]], ["outer"])})["accuracy"] == 1.0
    with pytest.raises(
        CorpusError, match=r"none of the labels of points \(a, b\) is one of the run's \(inner, outer\)"
    ):
        run.evaluate(([[0, 0], [1, 1]], ["b", "a"]))


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        (([[0, 0], [1, 1]], ["a", "a"]), "one class only, 'a'"),
        (([[0, 0], [float("inf"), 1]], ["a", "b"]), "point 1 must be finite"),
    ],
)
def test_what_can_not_be_learned_leaves_nothing_behind(corpus: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(TextdlError, match=said):
        textdl.train("points", corpus, out=tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()


def test_bad_questions_are_refused(run: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"two numbers each, \[N, 2\]"):
        run.predict_points([1, 2, 3])
    with pytest.raises(CorpusError, match="point 0 must be finite"):
        run.predict_points([[float("nan"), 0]])
    with pytest.raises(ConfigError, match="points have no text"):
        run.evaluate(text_field=("x",))
    small = textdl.train("points", CORPUS, out=tmp_path / "run", widths=("2",), steps=2, **QUICK)
    with pytest.raises(CorpusError, match="trained on points from memory"):
        small.evaluate()
    path = tmp_path / "run" / artifact.POINTS
    arrays, facts = artifact.load_arrays_and_facts(path)
    artifact.save_arrays(path, {**arrays, "truth": arrays["truth"][1:]}, facts)
    with pytest.raises(RunError, match=r"points\.safetensors is not what it was"):
        textdl.load(tmp_path / "run")
    artifact.save_arrays(path, arrays, {**facts, "labels": ["a", "b", "c"]})
    with pytest.raises(RunError, match="from another run"):
        textdl.load(tmp_path / "run")
