"""A training that is cut off and resumed is the training that never was: same weights, same log.

Here the cut is an exception at a chosen moment; benchmarks/resume.py does it with SIGKILL at any.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import textdl
from textdl import artifact
from textdl.errors import ConfigError, CorpusError, RunError
from textdl.models.recurrent import CELLS
from textdl.training.events import Evaluated, Event, Note, Progress, Started

TEXTS = [f"{a} {b} {c}." for a in ("a red", "the blue", "one") for b in ("cat", "dog", "owl") for c in ("sits", "runs")]
SMALL = {
    "hidden": 12,
    "embedding": 6,
    "ngram_rows": 64,
    "batch_size": 4,
    "seq_length": 9,
    "steps": 40,
    "evaluations": 4,
    "dropout": 0.2,
    "device": "cpu",
    "threads": 1,
    "checkpoint_steps": 6,
    "progress": False,
}
TIMES = ("seconds", "units_per_s")


class Cut(BaseException):
    """Not an Exception, as a kill is none: nothing catches it by accident."""


def cut_at(step: int, kind: type = Progress) -> Any:
    def watch(event: Event) -> None:
        if isinstance(event, kind) and event.step >= step:
            raise Cut

    return watch


def train(out: Path, **settings: Any) -> Any:
    corpus = settings.pop("corpus", {"train": TEXTS * 8, "validation": TEXTS})
    return textdl.train("lm", corpus, out=out, **{**SMALL, **settings})


def what_counts(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    lines = [json.loads(line) for line in (run / artifact.METRICS).read_text().splitlines()]
    return (run / artifact.MODEL).read_bytes(), [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("step, kind", [(5, Progress), (20, Progress), (30, Evaluated), (40, Progress)])
def test_a_training_cut_off_and_resumed_ends_as_the_one_that_was_not(
    cell: str, step: int, kind: type, tmp_path: Path
) -> None:
    train(tmp_path / "whole", cell=cell)
    with pytest.raises(Cut):
        train(tmp_path / "cut", cell=cell, observers=[cut_at(step, kind)])
    notes: list[Event] = []
    train(tmp_path / "cut", cell=cell, resume=True, observers=[notes.append])
    assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")
    started = next(event for event in notes if isinstance(event, Started))
    assert started.resumed == {5: 0, 20: 18, 30: 24, 40: 36}[step]
    assert not (tmp_path / "cut" / artifact.RESUME).exists()


def test_it_may_be_cut_off_again_and_again(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    for step in (8, 20, 21, 37, 40):
        with pytest.raises(Cut):
            train(tmp_path / "cut", resume=True, observers=[cut_at(step)])
    train(tmp_path / "cut", resume=True)
    assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [halved, flipped, lambda path: path.write_bytes(b"")])
def test_a_damaged_checkpoint_is_said_and_the_one_before_it_used(damage: Any, tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(Cut):
        train(tmp_path / "cut", observers=[cut_at(20)])
    kept = sorted((tmp_path / "cut" / artifact.RESUME).iterdir())
    assert [path.name for path in kept] == ["step-00000012.safetensors", "step-00000018.safetensors"]
    damage(kept[-1])
    events: list[Event] = []
    train(tmp_path / "cut", resume=True, observers=[events.append])
    (note,) = [event.text for event in events if isinstance(event, Note)]
    assert "step-00000018" in note
    assert note.endswith("going on from the checkpoint before it")
    assert next(event for event in events if isinstance(event, Started)).resumed == 12
    assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")


def visible_and_hidden(folder: Path) -> dict[str, int]:
    """The files of a run and when each was written, in nanoseconds."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_is_left_of_a_write_that_was_killed_is_swept_away(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(Cut):
        train(tmp_path / "cut", observers=[cut_at(20)])
    for name in (".model.safetensors.ab12", "resume/.step-00000024.safetensors.x", ".config.json.q"):
        (tmp_path / "cut" / name).write_bytes(b"half")
    train(tmp_path / "cut", resume=True)
    assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")
    assert not [
        path.name for path in (tmp_path / "cut").iterdir() if path.name.startswith(".") and "lock" not in path.name
    ]


def test_a_run_killed_before_its_config_was_there_starts_anew(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    (tmp_path / "cut").mkdir()
    shutil.copy(tmp_path / "whole" / artifact.TOKENIZER, tmp_path / "cut")
    (tmp_path / "cut" / ".config.json.k3").write_text('{"form')
    (tmp_path / "cut" / ".tokenizer.json.k4").write_text('{"form')
    train(tmp_path / "cut", resume=True)
    assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")


def test_a_finished_run_is_given_back_untouched(tmp_path: Path) -> None:
    train(tmp_path / "run")
    before = visible_and_hidden(tmp_path / "run")
    assert train(tmp_path / "run", resume=True).report["ended"] == "finished"
    assert {**visible_and_hidden(tmp_path / "run"), ".lock": 0} == {**before, ".lock": 0}


def test_a_kill_between_the_last_save_and_the_end_of_the_checkpoints_leaves_none(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(Cut):
        train(tmp_path / "run", observers=[cut_at(20)])
    shutil.copytree(tmp_path / "run" / artifact.RESUME, tmp_path / "kept")
    train(tmp_path / "run", resume=True)
    shutil.copytree(tmp_path / "kept", tmp_path / "run" / artifact.RESUME)
    train(tmp_path / "run", resume=True)
    assert not (tmp_path / "run" / artifact.RESUME).exists()
    assert what_counts(tmp_path / "run") == what_counts(tmp_path / "whole")


def test_what_can_not_be_resumed_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    with pytest.raises(Cut):
        train(tmp_path / "run", observers=[cut_at(20)])
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    with pytest.raises(
        ConfigError, match=r"was trained with model\.hidden 12, not 13; to resume leave that setting out"
    ):
        train(tmp_path / "run", resume=True, hidden=13)
    with pytest.raises(CorpusError, match="was trained on another corpus"):
        train(tmp_path / "run", resume=True, corpus={"train": TEXTS * 9, "validation": TEXTS})
    with pytest.raises(RunError, match="--resume to go on with it"):
        train(tmp_path / "run")
    after = {path.name: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert after == before


def test_minutes_used_before_the_cut_count(tmp_path: Path) -> None:
    settings = {"steps": None, "minutes": 0.05, "checkpoint_steps": 1, "evaluations": 1}
    with pytest.raises(Cut):
        train(tmp_path / "run", observers=[cut_at(60)], **settings)
    used = textdl_seconds(tmp_path / "run")
    run = train(tmp_path / "run", resume=True, **settings)
    assert used < 3.0
    assert 3.0 <= run.report["seconds"] < 3.0 + 1.0
    assert run.report["steps"] >= 60


def textdl_seconds(run: Path) -> float:
    newest = max((run / artifact.RESUME).iterdir())
    return float(artifact.load_arrays_and_facts(newest)[1]["state"]["seconds"])
