"""Early stopping, the best model, and the schedule that goes by the held-out figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import textdl
from textdl.errors import RunError, TrainingError
from textdl.training.config import TrainConfig
from textdl.training.events import Evaluated, Note, Progress
from textdl.training.trainer import Trainer

from .line import Line

#: The held-out figure of each evaluation; the third is the best.
FIGURES = [5.0, 4.0, 3.0, 3.5, 3.2, 3.1, 2.0, 1.0]


class Given(Line):
    """A line whose held-out figures are given."""

    def __init__(self, figures: list[float]) -> None:
        super().__init__()
        self.given, self.weights = list(figures), list[float]()

    def metrics(self, model: torch.nn.Module, at_most: int | None) -> dict[str, float]:
        self.weights.append(float(model.weight))  # type: ignore[arg-type]
        return {"validation_loss": self.given[min(len(self.weights), len(self.given)) - 1]}


def fit(task: Line, **settings: Any) -> tuple[Any, list[Any]]:
    events: list[Any] = []
    config = TrainConfig(**{"lr": 0.1, "device": "cpu", "epochs": 8, "evaluations": 8, "warmup": 0.0, **settings})
    return Trainer(config).fit(task, [events.append]), events


def test_it_stops_when_patience_is_out_and_gives_the_best_back() -> None:
    task = Given([*FIGURES[:6], 3.0])
    report, events = fit(task, patience=3)
    assert (report.ended, report.steps) == ("finished", 30)  # the sixth of the evaluations, 5 steps apart
    assert task.model.weight.item() == task.weights[2]
    assert report.figures["validation_loss"] == 3.0
    assert [e.text for e in events if isinstance(e, Note)] == [
        "stopped early: validation_loss has not been better for 3 evaluations",
        "the run is the best model, of 3 evaluations before the last",
    ]


def test_with_enough_patience_it_goes_on_to_a_better_one() -> None:
    task = Given(FIGURES)
    report, events = fit(task, patience=4)
    assert report.steps == 40
    assert task.model.weight.item() == task.weights[-1]
    assert not [e for e in events if isinstance(e, Note)]


def test_without_patience_the_last_model_stays() -> None:
    task = Given(FIGURES[:6])
    fit(task)
    assert task.model.weight.item() == task.weights[-1]


def test_more_may_be_better() -> None:
    task = Given([-figure for figure in FIGURES[:6]])
    task.higher_is_better = True
    assert fit(task, patience=3)[0].steps == 30


def test_nothing_to_go_by_is_refused() -> None:
    for settings in ({"patience": 2}, {"schedule": "plateau"}):
        task = Line()
        task.metrics = lambda model, at_most: {}  # type: ignore[method-assign]
        with pytest.raises(TrainingError, match="go by a held-out figure, and nothing is held out"):
            fit(task, **settings)


def test_on_a_plateau_the_rate_is_cut() -> None:
    _, events = fit(Given(FIGURES), schedule="plateau", decay_factor=0.5, plateau_patience=2)
    rates = {e.step: e.lr for e in events if isinstance(e, Progress)}
    assert rates[20] == 0.1
    assert rates[40] == 0.05  # two evaluations, after steps 20 and 25, were no better


TEXTS = [f"{a} {b} {c}." for a in ("a red", "the blue", "one") for b in ("cat", "dog", "owl") for c in ("sits", "runs")]
SMALL = {
    "hidden": 12, "embedding": 6, "ngram_rows": 64, "batch_size": 4, "seq_length": 9, "device": "cpu", "threads": 1,
    "progress": False, "lr": 0.05, "evaluations": 10, "checkpoint_steps": 7, "steps": 60,
}  # fmt: skip
#: Other sentences than those that are learned: after a while the model knows these less and less.
OTHERS = {"train": TEXTS * 4, "validation": ["two green frogs swim.", "my grey horse stands there."]}


def test_the_best_is_kept_apart_and_can_be_loaded(tmp_path: Path) -> None:
    events: list[Any] = []
    run = textdl.train("lm", OTHERS, out=tmp_path / "run", observers=[events.append], **SMALL)
    figures = [e.figures["validation_bits_per_character"] for e in events if isinstance(e, Evaluated)]
    assert min(figures) < figures[-1] - 0.1, "the corpus is made so that the last is not the best"
    best = textdl.load(tmp_path / "run", best=True)
    held_out = {"train": TEXTS, "test": OTHERS["validation"]}
    at_best = best.evaluate(held_out, split="test")["bits_per_character"]
    assert at_best == pytest.approx(min(figures), abs=0.03)  # bfloat16 there, float32 here
    assert run.evaluate(held_out, split="test")["bits_per_character"] == pytest.approx(figures[-1], abs=0.03)


def test_a_run_with_patience_is_its_best_also_when_cut_off_and_resumed(tmp_path: Path) -> None:
    settings = {**SMALL, "patience": 2}

    class Cut(BaseException):
        pass

    def cut_at(step: int) -> Any:
        def watch(event: Any) -> None:
            if isinstance(event, Evaluated) and event.step >= step:
                raise Cut

        return watch

    whole = textdl.train("lm", OTHERS, out=tmp_path / "whole", **settings)
    assert whole.report["steps"] < 60
    for step in (6, 18, whole.report["steps"]):
        with pytest.raises(Cut):
            textdl.train("lm", OTHERS, out=tmp_path / "cut", resume=True, observers=[cut_at(step)], **settings)
    textdl.train("lm", OTHERS, out=tmp_path / "cut", resume=True, **settings)
    for name in ("model.safetensors", "best.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    best, last = textdl.load(tmp_path / "whole", best=True), textdl.load(tmp_path / "whole")
    for name, tensor in last.model.state_dict().items():
        assert torch.equal(best.model.state_dict()[name], tensor)


def test_no_best_without_held_out_text_is_said(tmp_path: Path) -> None:
    textdl.train("lm", {"train": TEXTS}, out=tmp_path / "run", validation=0.0, test=0.0, **SMALL)
    with pytest.raises(RunError, match=r"holds no best\.safetensors: nothing was held out"):
        textdl.load(tmp_path / "run", best=True)
