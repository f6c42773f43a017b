"""What is promised of a task that is done in one call, without a trainer: seeded, and all or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textdl
from textdl import artifact
from textdl.errors import ConfigError, TextdlError
from textdl.tasks import TASKS, find_task, labelled_texts, vector_text
from textdl.tasks.base import find_rate
from textdl.training.events import Event, Reading, Report, Started

from .examples import ANIMALS, BARRED, JUDGED

LOOPS = {"engine": "loops", "device": "cpu", "threads": 1, "dim": 5, "least_count": 1, "epochs": 3, "sentences": "line"}
#: task -> settings of each of its ways without a trainer.
DIRECT: dict[str, dict[str, Mapping[str, Any]]] = {
    "vectors": {
        "skipgram": {**LOOPS, "method": "skipgram"},
        "cbow": {**LOOPS, "method": "cbow"},
        "hierarchical": {**LOOPS, "hierarchical": True},
        "subwords": {**LOOPS, "subwords": True},
        "glove": {**LOOPS, "method": "glove"},
        "cooccurrence": {**LOOPS, "method": "cooccurrence"},
    },
    "classify": {
        name: {"model": name, "threads": 1, "device": "cpu"}
        for name in ("nb-svm", "linear-svm", "logistic", "naive-bayes")
    },
    "images": {name: {"model": name, "threads": 1, "device": "cpu"} for name in ("knn", "softmax", "svm")},
}
#: Ways in which nothing is drawn, so that a seed changes nothing but, at most, signs.
COUNTED = ("cooccurrence", *DIRECT["classify"], *DIRECT["images"])
WAYS = [(task, way) for task, ways in DIRECT.items() for way in ways]
CORPORA = {
    "vectors": {"train": ANIMALS * 8},
    "classify": {"train": JUDGED * 8, "validation": JUDGED},
    "images": {"train": BARRED, "validation": BARRED},
}


class Cut(BaseException):
    """What a kill is here."""


def train(task: str, way: str, out: Path, *observers: Callable[[Event], None], **settings: Any) -> Any:
    corpus, resume = settings.pop("corpus", CORPORA[task]), settings.pop("resume", False)
    settings = {**DIRECT[task][way], **settings}
    return textdl.train(task, corpus, out=out, observers=observers, progress=False, resume=resume, **settings)


def what_counts(run: Path) -> tuple[bytes, bytes, list[float]]:
    """The model, its words, and the losses of the log."""
    lines = [json.loads(line) for line in (run / artifact.METRICS).read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    beside = [run / name for name in (artifact.WORDS, artifact.PICTURES) if (run / name).exists()]
    return (run / artifact.MODEL).read_bytes(), b"".join(path.read_bytes() for path in beside), losses


def test_every_task_without_a_trainer_is_here() -> None:
    always_trained = {"forecast"}  # has a word in the settings of its trainer, but always one
    assert {name for name in TASKS if hasattr(find_task(name), "training")} - always_trained == set(DIRECT)


@pytest.mark.parametrize(("task", "way"), WAYS)
def test_one_seed_gives_one_model_and_another_seed_another(task: str, way: str, tmp_path: Path) -> None:
    for name, seed in (("first", 5), ("again", 5), ("other", 6)):
        train(task, way, tmp_path / name, seed=seed)
    first, again, other = (what_counts(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    if way not in COUNTED:
        assert first[0] != other[0]
        assert len(first[2]) == 3 + 1, "an epoch each, and the report"


@pytest.mark.parametrize(("task", "way"), WAYS)
@pytest.mark.parametrize("moment", [Reading, Started, Report])
def test_cut_off_and_done_again_it_is_the_same(
    task: str, way: str, moment: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if task == "images" and moment is Reading:
        pytest.skip("pictures are read before the task is told of")
    monkeypatch.setattr(vector_text, "TOLD", 100)
    monkeypatch.setattr(labelled_texts, "_TOLD", 100)

    def cut(event: Event) -> None:
        if isinstance(event, moment):
            raise Cut

    whole = train(task, way, tmp_path / "whole")
    with pytest.raises(Cut):
        train(task, way, tmp_path / "cut", cut)
    assert not (tmp_path / "cut" / artifact.MODEL).exists(), "nothing, rather than a part"
    with pytest.raises(TextdlError):
        textdl.load(tmp_path / "cut")
    train(task, way, tmp_path / "cut", resume=True)
    assert what_counts(tmp_path / "cut") == what_counts(whole.path)


@pytest.mark.parametrize(("task", "way"), WAYS)
def test_a_finished_run_stays_as_it_is_and_its_settings_make_it_again(task: str, way: str, tmp_path: Path) -> None:
    run = train(task, way, tmp_path / "run")
    before = (run.path / artifact.MODEL).stat().st_mtime_ns
    train(task, way, tmp_path / "run", resume=True)
    assert (run.path / artifact.MODEL).stat().st_mtime_ns == before
    record = artifact.read_json(run.path / artifact.CONFIG)
    textdl.train(task, CORPORA[task], out=tmp_path / "again", config=record, progress=False)
    assert what_counts(tmp_path / "again") == what_counts(run.path)
    assert np.isfinite(
        np.concatenate([a.ravel() for a in artifact.load_arrays(run.path / artifact.MODEL).values()])
    ).all()


@pytest.mark.parametrize(("task", "way"), WAYS)
def test_too_little_is_refused_and_nothing_is_left(task: str, way: str, tmp_path: Path) -> None:
    for corpus in ({"train": ["a"]}, {"train": [". . !"]}):
        with pytest.raises(TextdlError) as refused:
            train(task, way, tmp_path / "run", corpus=corpus)
        assert len(str(refused.value).splitlines()) == 1
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("task", "way"), [("vectors", "skipgram"), ("classify", "nb-svm")])
def test_a_setting_of_the_trainer_is_refused(task: str, way: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="batch_size is a setting of the trainer"):
        train(task, way, tmp_path / "run", batch_size=7)
    with pytest.raises(ConfigError, match="without a trainer"):
        find_rate(task, CORPORA[task], None, DIRECT[task][way])
