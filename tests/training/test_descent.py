"""A step of descent: accumulation, precision, compiling, averages, label smoothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from textdl.training.config import TrainConfig
from textdl.training.events import Note
from textdl.training.trainer import Loss, Trainer

from .line import Line

SETTINGS = {"lr": 0.1, "device": "cpu", "precision": "float32", "warmup": 0.0}


class Uneven(Line):
    """Batches of one, two, three ... points."""

    def batches(self, split: str, epoch: int, start: int = 0) -> Any:
        for n in range(start, self.number):
            yield torch.linspace(-1, 2, n + 1).unsqueeze(1)


class Joined(Line):
    """The same points as one batch."""

    def steps_per_epoch(self) -> int:
        return 1

    def batches(self, split: str, epoch: int, start: int = 0) -> Any:
        if start == 0:
            yield torch.cat(list(Uneven(self.number).batches(split, epoch)))


def fit(task: Any, **settings: Any) -> tuple[Any, list[Any]]:
    events: list[Any] = []
    report = Trainer(TrainConfig(**{**SETTINGS, **settings})).fit(task, [events.append])
    return report, events


def weights(task: Any) -> Tensor:
    return torch.cat([p.detach().flatten() for p in task.model.parameters()])


def test_accumulated_batches_are_one_large_batch_whatever_their_sizes() -> None:
    apart, together = Uneven(4), Joined(4)
    report, _ = fit(apart, accumulate=4, epochs=6)
    whole, _ = fit(together, epochs=6)
    torch.testing.assert_close(weights(apart), weights(together))
    assert (report.steps, report.epochs, report.units) == (whole.steps, whole.epochs, whole.units) == (6, 6.0, 60)
    assert report.figures["loss"] == pytest.approx(whole.figures["loss"])


def test_accumulation_runs_on_over_the_end_of_a_pass_without_the_carry() -> None:
    task = Line(batches=3)
    fit(task, accumulate=2, steps=3)
    assert [c if c is None else int(c) for c in task.carries] == [None, 1, 2, None, 4, 5]


def test_penalties_draw_the_weights_in_and_leave_the_bias() -> None:
    free, drawn = Line(), Line()
    fit(free, epochs=40, optimizer="sgd")
    fit(drawn, epochs=40, optimizer="sgd", l2=1.0)
    assert 0 < drawn.model.weight.item() < 0.8 * free.model.weight.item()
    sparse = Line()
    fit(sparse, epochs=40, optimizer="sgd", l1=50.0, lr=0.01, schedule="constant")
    assert abs(sparse.model.weight.item()) < 1.0


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_in_narrow_precision_the_weights_stay_float32_and_the_line_is_found(precision: str) -> None:
    task = Line()
    _, events = fit(task, epochs=40, precision=precision)
    assert task.model.weight.dtype == torch.float32
    assert task.model.weight.item() == pytest.approx(3, abs=0.05)
    assert precision in events[0].facts["device"]


def test_float16_takes_gradients_that_would_vanish() -> None:
    """1e-8 is zero in float16; scaled up it is not."""

    class Tiny(Line):
        def loss(self, model: nn.Module, batch: Tensor, carry: Any) -> Loss:
            return Loss(model(batch).float().mean() * 1e-8, len(batch))

    task = Tiny()
    before = weights(task)
    fit(task, steps=1, precision="float16", schedule="constant")
    assert (weights(task) - before).abs().max() > 0.01  # Adam steps by the rate, however small the gradient


def test_compiled_or_not_the_training_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, compiled, refused = Line(), Line(), Line()
    fit(plain, epochs=3)

    def compile_(model: nn.Module, **how: Any) -> Any:
        return lambda *inputs: model(*inputs)

    monkeypatch.setattr(torch, "compile", compile_)
    _, events = fit(compiled, epochs=3, compile=True)
    assert torch.equal(weights(plain), weights(compiled))
    assert not [e for e in events if isinstance(e, Note)]

    def broken(model: nn.Module, **how: Any) -> Any:
        def call(*inputs: Any) -> Any:
            raise RuntimeError("no compiler here\nand much more")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    _, events = fit(refused, epochs=3, compile=True)
    (note,) = [e.text for e in events if isinstance(e, Note)]
    assert note == "torch.compile does not work here (no compiler here); training goes on without it"
    assert torch.equal(weights(plain), weights(refused))


@pytest.mark.parametrize("kind", [{"ema": 0.9}, {"swa": 0.5}])
def test_the_average_is_what_is_evaluated_and_what_remains(kind: dict[str, float]) -> None:
    task, saved = Line(), []
    config = TrainConfig(**{**SETTINGS, "epochs": 8, "evaluations": 4, **kind})  # type: ignore[arg-type]
    Trainer(config).fit(task, (), lambda report: saved.append((task.model.weight.item(), task.settled)))
    assert all(weight == settled for weight, settled in saved)
    assert task.model.weight.item() == saved[-1][0]
    last = Line()
    fit(last, epochs=8, evaluations=4)
    assert last.model.weight.item() != task.model.weight.item()


def test_the_loss_that_is_read_may_be_another_than_the_one_that_goes_down() -> None:
    class Smoothed(Line):
        def loss(self, model: nn.Module, batch: Tensor, carry: Any) -> Loss:
            plain = super().loss(model, batch, carry)
            return Loss(plain.mean + 100, plain.units, plain.carry, plain.mean)

    report, _ = fit(Smoothed(), epochs=40)
    assert report.figures["loss"] < 0.1
