"""What is promised of any task, held against each one there is.

The tests know nothing of a task but its example; those of the kind "lm writes text" are in tests/tasks.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textdl
from textdl import artifact
from textdl.config import build, replace, to_json
from textdl.errors import TextdlError, TrainingError
from textdl.tasks import TASKS, find_task
from textdl.tasks.base import config_from_record
from textdl.training.events import Event, Progress, Started
from textdl.training.gradient_task import Loss

from .examples import EXAMPLES, Example

TIMES = ("seconds", "units_per_s")
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
#: A batch learned by heart has at most this share of the loss that it began with.
BY_HEART = 0.05


class Cut(BaseException):
    """Not an Exception, as a kill is none: nothing catches it by accident."""


def train(task: str, example: Example, out: Path, *observers: Callable[[Event], None], **settings: Any) -> Any:
    corpus = settings.pop("corpus", example.corpus)
    resume = settings.pop("resume", False)
    settings = {**example.all_settings, **settings}
    return textdl.train(task, corpus, out=out, observers=observers, progress=False, resume=resume, **settings)


def what_counts(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """The weights, and the log without its times."""
    lines = [json.loads(line) for line in (run / artifact.METRICS).read_text().splitlines()]
    return (run / artifact.MODEL).read_bytes(), [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


def close(left: Any, right: Any) -> bool:
    """Whether two predictions are the same: numbers to five digits, everything else exactly."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(close(value, right[key]) for key, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(close, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-5, abs_tol=1e-7)
    return bool(left == right)


def tensors_of(batch: Any) -> list[np.ndarray]:
    """The tensors of a batch, which is one or a tuple of such, in their order."""
    if isinstance(batch, tuple):
        return [array for part in batch for array in tensors_of(part)]
    return [batch.numpy()] if isinstance(batch, torch.Tensor) else []


def every_number(run: Path) -> np.ndarray:
    """All weights of a run, and all numbers of its newest checkpoint."""
    kept = sorted((run / artifact.RESUME).iterdir())[-1:] if (run / artifact.RESUME).exists() else []
    arrays = [array for path in (run / artifact.MODEL, *kept) for array in artifact.load_arrays(path).values()]
    return np.concatenate([array.astype(np.float64).ravel() for array in arrays])


def kind_of(task: str, example: Example) -> Any:
    """The class of what a task's ``prepare`` gives the trainer."""
    config = replace(find_task(task).config_class(), example.all_settings)
    return type(find_task(task).prepare(example.corpus, config, lambda event: None))


def parts_of(config: Any, part: str) -> tuple[dataclasses.Field[Any], ...]:
    """The settings of a part of a config."""
    return dataclasses.fields(getattr(config, part))


def test_every_task_has_an_example() -> None:
    assert set(EXAMPLES) == set(TASKS), "a task needs a line in tests/contract/examples.py"


def test_it_learns_one_batch_by_heart(task: str, example: Example, tmp_path: Path) -> None:
    losses: list[float] = []

    def watch(event: Event) -> None:
        if isinstance(event, Progress):
            losses.append(event.figures["loss"])

    run = train(task, example, tmp_path / "run", watch, corpus=example.batch, **example.batch_settings)
    assert run.report["epochs"] == run.report["steps"], "the example's corpus is more than one batch"
    assert losses[-1] < BY_HEART * losses[0]


@pytest.mark.parametrize("step", [4, 20])
def test_cut_off_and_resumed_it_ends_as_if_it_had_never_been(
    task: str, example: Example, step: int, tmp_path: Path
) -> None:
    def cut(event: Event) -> None:
        if isinstance(event, Progress) and event.step >= step:
            raise Cut

    train(task, example, tmp_path / "whole")
    with pytest.raises(Cut):
        train(task, example, tmp_path / "cut", cut)
    resumed: list[int] = []

    def watch(event: Event) -> None:
        if isinstance(event, Started):
            resumed.append(event.resumed)

    train(task, example, tmp_path / "cut", watch, resume=True)
    assert resumed == [(step - 1) // 3 * 3], "there is a checkpoint after each third step, but for the one of the cut"
    assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")


@pytest.mark.parametrize("device", DEVICES)
def test_loaded_on_the_cpu_it_predicts_as_the_model_that_was_trained(
    task: str, example: Example, device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls, prepared = find_task(task), []
    prepare = cls.prepare

    def remember(*arguments: Any, **named: Any) -> Any:
        prepared.append(prepare(*arguments, **named))
        return prepared[-1]

    monkeypatch.setattr(cls, "prepare", remember)
    train(task, example, tmp_path / "run", device=device)
    loaded = example.predict(textdl.load(tmp_path / "run"))
    assert close(example.predict(textdl.load(tmp_path / "run")), loaded)

    twin = textdl.load(tmp_path / "run")
    twin.model = prepared[0].model.cpu().eval()
    assert close(example.predict(twin), loaded)

    blank = textdl.load(tmp_path / "run")
    with torch.no_grad():
        for parameter in blank.model.parameters():
            parameter.zero_()
    assert not close(example.predict(blank), loaded), "the example's prediction does not depend on the weights"


def bad_loss(made: Loss) -> Loss:
    """The loss of a batch, made not a number."""
    bad = made.mean * math.nan
    return dataclasses.replace(made, mean=bad, reported=None if made.reported is None else bad.detach())


def bad_gradient(made: Loss) -> Loss:
    """The loss of a batch as it is, with a gradient that is not a number: so are all weights after the step."""
    made.mean.register_hook(lambda gradient: gradient * math.nan)
    return made


@pytest.mark.parametrize(
    "poison, at",
    [
        (bad_loss, 14),
        (bad_gradient, 15),
    ],
)
def test_what_is_not_a_number_is_refused_and_nothing_is_lost(
    task: str,
    example: Example,
    poison: Callable[[Loss], Loss],
    at: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, cls, calls = train(task, example, tmp_path / "whole"), kind_of(task, example), []
    loss = cls.loss

    def poisoned(self: Any, *arguments: Any, **named: Any) -> Loss:
        made: Loss = loss(self, *arguments, **named)
        calls.append(made)
        return poison(made) if len(calls) == at else made

    with monkeypatch.context() as poisoning:
        poisoning.setattr(cls, "loss", poisoned)
        with pytest.raises(TrainingError) as refused:
            train(task, example, tmp_path / "run")
    said = re.search(r"is nan at step (\d+) \(learning rate ([^)]+)\)", str(refused.value))
    assert said, refused.value
    assert at <= int(said[1]) <= at + 3, "the next checkpoint at the latest finds it out"
    assert 0 < float(said[2]) <= whole.config["train"]["lr"]

    run = textdl.load(tmp_path / "run")
    assert 0 < run.report["steps"] < at
    assert np.isfinite(every_number(tmp_path / "run")).all()
    assert example.predict(run)
    train(task, example, tmp_path / "run", resume=True)
    assert what_counts(tmp_path / "run") == what_counts(whole.path), "from the last good checkpoint it goes on as ever"


def test_one_example_is_trained_on_or_refused_in_one_line(task: str, example: Example, tmp_path: Path) -> None:
    if example.refusal is None:
        run = train(task, example, tmp_path / "run", corpus=example.single)
        assert run.report["ended"] == "finished"
        assert np.isfinite(every_number(tmp_path / "run")).all()
        return
    with pytest.raises(TextdlError, match=example.refusal) as refused:
        train(task, example, tmp_path / "run", corpus=example.single)
    assert len(str(refused.value).splitlines()) == 1
    assert not (tmp_path / "run").exists(), "nothing is left behind"


def test_one_seed_gives_one_model_and_another_seed_another(task: str, example: Example, tmp_path: Path) -> None:
    for name, seed in (("first", 5), ("again", 5), ("other", 6)):
        train(task, example, tmp_path / name, seed=seed)
    first, again, other = (what_counts(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert first[0] != other[0]


def test_its_batches_follow_from_seed_and_epoch_and_may_begin_anywhere(task: str, example: Example) -> None:
    def dealt(seed: int, epoch: int, start: int = 0) -> list[list[np.ndarray]]:
        config = replace(find_task(task).config_class(), {**example.all_settings, "seed": seed})
        made = find_task(task).prepare(example.corpus, config, lambda event: None)
        batches = [tensors_of(batch) for batch in made.batches("train", epoch, start)]
        assert len(batches) == made.steps_per_epoch() - start
        return batches

    def same(left: list[list[np.ndarray]], right: list[list[np.ndarray]]) -> bool:
        return len(left) == len(right) and all(
            len(one) == len(other) and all(map(np.array_equal, one, other))
            for one, other in zip(left, right, strict=True)
        )

    whole = dealt(5, 1)
    assert len(whole) > 3
    assert same(whole, dealt(5, 1))
    assert not same(whole, dealt(6, 1))
    assert not same(whole, dealt(5, 2))
    for start in (1, 3, len(whole)):
        assert same(whole[start:], dealt(5, 1, start))


def test_its_settings_are_written_whole_and_read_back(task: str, example: Example, tmp_path: Path) -> None:
    run, cls = train(task, example, tmp_path / "run"), find_task(task)
    record = artifact.read_config(tmp_path / "run")
    config = config_from_record(cls, record)
    assert build(cls.config_class, to_json(config)) == config
    assert to_json(config) == {part: record[part] for part in ("data", "model", "train")}
    assert run.config["task"] == cls.name == task
    everything = {**record["data"], **record["model"], **record["train"]}
    for name, value in example.all_settings.items():
        assert everything[name] == (list(value) if isinstance(value, tuple) else value), name


def test_a_run_made_from_its_own_config_is_the_same(task: str, example: Example, tmp_path: Path) -> None:
    train(task, example, tmp_path / "run")
    record = artifact.read_json(tmp_path / "run" / artifact.CONFIG)
    textdl.train(task, example.corpus, out=tmp_path / "again", config=record, progress=False)
    assert what_counts(tmp_path / "again") == what_counts(tmp_path / "run")


def test_its_help_shows_every_setting(
    task: str, cli: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    code, out, err = cli("train", task, "--help")
    assert (code, err) == (0, "")
    shown, config = re.sub(r"[│\s]+", " ", out), find_task(task).config_class()
    fields = [(part.name, field) for part in dataclasses.fields(config) for field in parts_of(config, part.name)]
    knobs = [(part, field.name, field.metadata["knob"]) for part, field in fields]
    flags = {f"--{name.replace('_', '-')}": knob for _, name, knob in knobs if knob.flag}
    assert len(flags) > 10, "the walk found too few settings to be right"
    for flag, knob in flags.items():
        assert re.search(rf"{flag}[ /]", out), flag
        assert " ".join(knob.help.split()[:4]) in shown, flag
    for part, name, knob in knobs:
        if knob.derived:
            assert f"{part}.{name}" not in shown
            assert f"--{name.replace('_', '-')} " not in out or f"--{name.replace('_', '-')}" in flags
        elif not knob.flag:
            assert f"{part}.{name}" in shown
    for flag in ("--out", "--config", "--set", "--resume", "--json", "--quiet"):
        assert f"{flag} " in out
    assert find_task(task).__doc__.splitlines()[0].rstrip(".") in shown
