"""The learning-rate range test on a problem whose answer is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from textdl.errors import ConfigError, TrainingError
from textdl.training.config import TrainConfig
from textdl.training.lr_find import plot, range_test
from textdl.training.trainer import Loss, Trainer

from .line import Line


class Bowl(Line):
    """loss = a / 2 |w - noise|² + 1: plain descent creeps below a rate of 1 / a, and runs away above 2 / a."""

    def __init__(self, steepness: float) -> None:
        super().__init__()
        self.steepness = steepness
        self.model = nn.Linear(8, 1, bias=False)
        nn.init.ones_(self.model.weight)

    def batches(self, split: str, epoch: int, start: int = 0) -> Any:
        source = torch.Generator().manual_seed(epoch)
        for _ in range(self.number):
            yield 0.1 * torch.randn(8, generator=source)

    def loss(self, model: nn.Module, batch: Tensor, carry: Any) -> Loss:
        return Loss(self.steepness / 2 * (model.weight - batch).square().sum() + 1, 1)  # type: ignore[operator, union-attr]


def trainer(**settings: Any) -> Trainer:
    return Trainer(
        TrainConfig(**{"device": "cpu", "precision": "float32", "optimizer": "sgd", "clip": None, **settings})
    )


@pytest.mark.parametrize("steepness", [0.1, 1.0, 10.0])
def test_the_suggestion_is_a_tenth_of_where_the_bowl_is_left(steepness: float) -> None:
    found = range_test(trainer(), Bowl(steepness), 1e-4, 1e3, 200)
    assert found.diverged is not None
    assert 1.5 < found.diverged * steepness < 20
    assert 0.3 < found.lowest * steepness < 2
    assert found.suggested == found.lowest / 10
    ratios = [b / a for a, b in zip(found.rates, found.rates[1:], strict=False)]
    assert ratios == pytest.approx([10 ** (7 / 199)] * len(ratios))
    assert len(found.losses) == len(found.smoothed) == len(found.rates)


def test_it_is_the_running_mean_of_the_losses_without_the_weight_of_its_start() -> None:
    found = range_test(trainer(), Bowl(1.0), 1e-4, 0.1, 50)
    memory = 0.8  # a tenth of fifty steps
    weights = [memory ** (len(found.losses) - 1 - n) for n in range(len(found.losses))]
    mean = sum(w * loss for w, loss in zip(weights, found.losses, strict=True)) / sum(weights)
    assert found.smoothed[-1] == pytest.approx(mean)
    assert found.diverged is None


def test_same_seed_same_suggestion_and_no_trace_of_the_schedule() -> None:
    def run(**settings: Any) -> list[float]:
        return range_test(trainer(**settings), Line(), 1e-3, 10, 40).losses

    assert run(seed=1) == run(seed=1, schedule="one-cycle", steps=3, epochs=9)


def test_what_can_not_be_tested_is_refused() -> None:
    for bounds in ((1.0, 0.1, 100), (0.0, 1.0, 100), (0.1, 1.0, 5)):
        with pytest.raises(ConfigError, match="a range test goes from a rate above 0 to a higher one"):
            range_test(trainer(), Line(), *bounds)
    with pytest.raises(TrainingError, match="gives no batch"):
        range_test(trainer(), Line(batches=0))
    with pytest.raises(TrainingError, match="not a number at a rate of 1 already"):
        range_test(trainer(), Line(poison_at=1), 1.0, 2.0, 20)


def test_the_picture_shows_both_curves_and_the_suggestion() -> None:
    torch.manual_seed(0)
    found = range_test(trainer(), Bowl(1.0), 1e-4, 1e3, 100)
    (axes,) = plot(found, "a bowl").axes
    steps, mean, suggested = axes.get_lines()
    assert list(steps.get_xdata()) == found.rates
    assert list(mean.get_ydata()) == found.smoothed[found.lag :]
    assert list(mean.get_xdata()) == found.rates[: -found.lag]
    assert suggested.get_xdata()[0] == found.suggested
    assert axes.get_title() == "a bowl"
