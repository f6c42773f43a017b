"""The training loop, with a task small enough to work by hand."""

import json
import math
import os
import signal
import threading

import pytest
import torch
from torch import nn

from textdl.errors import ConfigError, TrainingError
from textdl.training.config import TrainConfig
from textdl.training.device import pick_device, pick_precision
from textdl.training.events import Evaluated, Progress, Started
from textdl.training.observers import MetricsFile, TensorBoard, view
from textdl.training.trainer import Trainer

from .line import Line


def fit(task, save=None, **settings):
    events = []
    settings = {"lr": 0.1, "device": "cpu", "precision": "float32"} | settings
    report = Trainer(TrainConfig(**settings)).fit(task, [events.append], save)
    return report, events


def test_it_learns_and_reports_what_it_did():
    task = Line()
    report, events = fit(task, epochs=40)
    assert float(task.model.weight.detach()) == pytest.approx(3, abs=0.01)
    assert float(task.model.bias.detach()) == pytest.approx(-1, abs=0.01)
    assert (report.ended, report.steps, report.epochs, report.units) == ("finished", 200, 40.0, 800)
    assert isinstance(events[0], Started)
    assert events[0].steps == 200
    assert events[-1] is report
    assert sum(isinstance(e, Evaluated) for e in events) == 8
    assert [e.step for e in events if isinstance(e, Progress)][:7] == [1, 2, 3, 4, 5, 20, 40]
    assert task.model.training


def test_the_carry_runs_through_a_pass_and_no_further():
    task = Line(batches=3)
    fit(task, epochs=2)
    assert [c if c is None else int(c) for c in task.carries] == [None, 1, 2, None, 4, 5]
    assert task.seen == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_steps_replace_epochs_and_may_end_inside_a_pass():
    report, _ = fit(Line(), steps=7)
    assert (report.steps, report.epochs) == (7, 1.4)


def test_minutes_end_it_by_the_clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    task = Line()
    plain = task.loss

    def slow(model, batch, carry):
        now[0] += 1.0
        return plain(model, batch, carry)

    task.loss = slow
    report, events = fit(task, minutes=0.5)
    assert report.steps == 30
    assert report.seconds == pytest.approx(30)
    halfway = next(e for e in events if isinstance(e, Progress) and e.step == 20)
    assert halfway.share == pytest.approx(20 / 30)
    assert halfway.seconds_left == pytest.approx(10)


def test_a_step_is_adam_by_hand():
    """One step of Adam moves every weight by the learning rate, against the sign of its gradient (Kingma & Ba 2015)."""
    task = Line()
    before = [p.detach().clone() for p in task.model.parameters()]
    batch = next(iter(task.batches("train", 0)))
    task.loss(task.model, batch, None).mean.backward()
    signs = [p.grad.sign() for p in task.model.parameters()]
    task.model.zero_grad()
    fit(task, steps=1, lr=0.05, warmup=0.0, final_lr=1.0)
    for parameter, start, sign in zip(task.model.parameters(), before, signs, strict=True):
        torch.testing.assert_close(parameter.detach(), start - 0.05 * sign, atol=1e-4, rtol=0)


def test_the_gradient_is_clipped_by_its_norm(monkeypatch):
    seen = []
    monkeypatch.setattr(
        torch.optim.AdamW,
        "step",
        lambda self: seen.append([p.grad.clone() for g in self.param_groups for p in g["params"]]),
    )
    fit(Line(), steps=1, clip=0.25)
    assert math.sqrt(sum(float(g.square().sum()) for g in seen[0])) == pytest.approx(0.25, rel=1e-4)


def test_nan_is_refused_with_step_and_rate_and_is_never_saved():
    saved = []
    task = Line(poison_at=13)
    with pytest.raises(TrainingError, match=r"the loss is nan at step \d+ \(learning rate .*smaller --lr"):
        fit(task, save=lambda report: saved.append(task.model.weight.detach().clone()), epochs=10, evaluations=50)
    assert saved, "there were evaluations before the loss went wrong"
    assert all(torch.isfinite(weight).all() for weight in saved)


def test_nan_is_never_saved_where_nothing_is_held_out():
    saved, task = [], Line(poison_at=13)  # between two progress events
    task.metrics = lambda model, at_most: {}
    with pytest.raises(TrainingError, match="the loss is nan at step 13 "):
        fit(task, save=lambda report: saved.append(report.steps), epochs=10, evaluations=50)
    assert saved == list(range(1, 13))


def test_saves_follow_evaluations_and_the_last_says_how_it_ended():
    reports = []
    fit(Line(), save=reports.append, epochs=4, evaluations=4)
    assert [r.ended for r in reports] == ["running"] * 3 + ["finished"]
    assert "validation_loss" in reports[-1].figures


def test_ctrl_c_ends_after_the_step_and_saves():
    reports = []

    def interrupt(event):
        if isinstance(event, Progress) and event.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    trainer = Trainer(TrainConfig(device="cpu", lr=0.1, epochs=100))
    report = trainer.fit(Line(), [interrupt], reports.append)
    assert report.ended == "interrupted"
    assert report.steps == 4
    assert reports[-1] == report
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_in_a_thread_that_gets_no_signals():
    reports = []
    thread = threading.Thread(target=lambda: reports.append(fit(Line(), steps=2)[0]))
    thread.start()
    thread.join()
    assert reports[0].ended == "finished"


def test_same_seed_same_bits():
    class Dropped(Line):
        def __init__(self):
            super().__init__()
            self.model = nn.Sequential(nn.Linear(1, 16), nn.Dropout(0.5), nn.Linear(16, 1))

        def settle(self, model):
            pass

        def metrics(self, model, at_most):
            return {}

        def sample(self, model):
            return ""

    def weights(seed):
        task = Dropped()
        fit(task, steps=30, seed=seed)
        return torch.cat([p.detach().flatten() for p in task.model.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_an_empty_split_is_refused():
    with pytest.raises(TrainingError, match="gives no batch"):
        fit(Line(batches=0), steps=3)


def test_devices_and_precisions():
    assert pick_device("cpu").type == "cpu"
    assert pick_precision("bfloat16", torch.device("cpu")) == torch.bfloat16
    assert pick_precision("float32", torch.device("cpu")) == torch.float32
    with pytest.raises(ConfigError, match="device 'cuda:99' is not there"):
        pick_device("cuda:99")
    with pytest.raises(ConfigError, match="device must be"):
        TrainConfig(device="gpu")


def test_metrics_file_holds_every_event_that_has_figures(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with MetricsFile(path) as observer:
        Trainer(TrainConfig(device="cpu", steps=25)).fit(Line(), [observer])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines if line["event"] == "progress"] == [1, 2, 3, 4, 5, 20, 25]
    assert all({"loss", "lr", "seconds", "units_per_s"} <= set(line) for line in lines if line["event"] == "progress")
    assert lines[-1]["event"] == "report"
    assert "validation_loss" in lines[-2]


def test_tensorboard_writes_an_event_file(tmp_path):
    pytest.importorskip("tensorboard")
    Trainer(TrainConfig(device="cpu", steps=3)).fit(Line(), [TensorBoard(tmp_path)])
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path)).Reload()
    assert [e.step for e in events.Scalars("train/loss")] == [1, 2, 3]


def test_on_a_pipe_the_view_is_plain_lines(tmp_path):
    with (tmp_path / "log").open("w+") as file:
        Trainer(TrainConfig(device="cpu", steps=40)).fit(Line(), [view(file)])
        file.seek(0)
        text = file.read()
    assert "\x1b" not in text
    assert "a line\n  points: 20\n" in text
    assert "| y = " in text
    assert "finished after 40 steps" in text


def test_in_a_terminal_the_view_is_live_and_leaves_it_clean():
    import io

    from rich.console import Console

    from textdl.training.observers import LiveView

    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    Trainer(TrainConfig(device="cpu", steps=40)).fit(Line(), [live := LiveView(console)])
    live.close()
    text = console.file.getvalue()
    assert "a sample" in text
    assert "100%  step 40" in text
    assert text.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in text, "the cursor is shown again"
