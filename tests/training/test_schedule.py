"""The schedules against torch's own, which go by steps, and by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from textdl.training.config import SCHEDULES as NAMES
from textdl.training.config import TrainConfig
from textdl.training.schedule import SCHEDULES, Moment, cosine, pace
from textdl.training.state import Watch

STEPS, HIGHEST = 1000, 0.3


def ours(**settings: object) -> list[float]:
    config = TrainConfig(lr=HIGHEST, **{"warmup": 0.0, **settings})  # type: ignore[arg-type]
    return [pace(config, Moment((n + 1) / STEPS, n)).lr for n in range(STEPS)]


def torchs(scheduler: object, key: str = "lr") -> list[float]:
    found = []
    for _ in range(STEPS):
        found.append(scheduler.optimizer.param_groups[0][key])  # type: ignore[attr-defined]
        scheduler.optimizer.step()  # type: ignore[attr-defined]
        scheduler.step()  # type: ignore[attr-defined]
    return found


def sgd(**settings: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=HIGHEST, **settings)


def test_the_table_is_what_the_config_offers() -> None:
    assert sorted(SCHEDULES) == sorted(NAMES)


def test_constant() -> None:
    assert set(ours(schedule="constant")) == {HIGHEST}


def test_step() -> None:
    found = ours(schedule="step", decay_steps=150, decay_factor=0.5)
    assert found == pytest.approx(torchs(lr_scheduler.StepLR(sgd(), 150, 0.5)))
    thirds = ours(schedule="step")
    assert [thirds[n] for n in (0, 300, 400, 600, 700, 999)] == pytest.approx([0.3, 0.3, 0.03, 0.03, 0.003, 0.003])


def test_exponential_falls_to_a_tenth_in_tau_steps() -> None:
    found = ours(schedule="exponential", decay_steps=200)
    assert found[0] == HIGHEST
    assert found[200] == pytest.approx(HIGHEST / 10)
    assert found == pytest.approx(torchs(lr_scheduler.ExponentialLR(sgd(), 10 ** (-1 / 200))), rel=1e-6)
    assert ours(schedule="exponential")[-1] == pytest.approx(HIGHEST / 10)


def test_linear() -> None:
    scheduler = lr_scheduler.LinearLR(sgd(), start_factor=1.0, end_factor=0.1, total_iters=STEPS)
    wanted = torchs(scheduler)
    assert ours(schedule="linear", final_lr=0.1)[:-1] == pytest.approx(wanted[1:], rel=1e-6)
    assert ours(schedule="linear")[-1] == pytest.approx(0.0, abs=HIGHEST / STEPS)


def test_cosine() -> None:
    wanted = torchs(lr_scheduler.CosineAnnealingLR(sgd(), STEPS, eta_min=0.1 * HIGHEST))
    # torch's first step is at the full rate, ours is one step on
    assert ours(schedule="cosine", final_lr=0.1)[:-1] == pytest.approx(wanted[1:], rel=1e-6)


def test_cosine_by_hand() -> None:
    assert cosine(0.05, 1.0, 0.1, 0.0) == pytest.approx(0.5)
    assert cosine(0.1, 1.0, 0.1, 0.0) == pytest.approx(1.0)
    assert cosine(0.55, 1.0, 0.1, 0.2) == pytest.approx(0.6)
    assert cosine(1.0, 1.0, 0.1, 0.2) == pytest.approx(0.2)
    assert cosine(0.0, 1.0, 0.0, 0.0) == 1.0
    assert cosine(1.0, 1.0, 1.0, 0.5) == 0.5


def test_one_cycle_with_its_momentum() -> None:
    optimizer = sgd(momentum=0.9)
    scheduler = lr_scheduler.OneCycleLR(optimizer, HIGHEST, total_steps=STEPS)
    rates, momenta = [], []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step() if len(rates) < STEPS else None
    config = TrainConfig(lr=HIGHEST, schedule="one-cycle")
    paces = [pace(config, Moment((n + 1) / STEPS, n)) for n in range(STEPS)]
    # its parts end on a step before ours: equal to within two steps
    assert [p.lr for p in paces] == pytest.approx(rates, abs=HIGHEST * 0.012)
    assert [p.momentum for p in paces] == pytest.approx(momenta, abs=0.1 * 0.012)
    assert max(p.lr for p in paces) == pytest.approx(HIGHEST, rel=1e-4)


def test_warm_up_goes_before_any_other() -> None:
    for name in ("constant", "exponential", "step", "plateau"):
        plain, warmed = ours(schedule=name), ours(schedule=name, warmup=0.1)
        assert warmed[49] == pytest.approx(plain[49] / 2)
        assert warmed[100:] == plain[100:]


def test_plateau_cuts_when_torchs_does() -> None:
    figures = [3.0, 2.0, 2.1, 2.0, 2.2, 1.5, 1.6, 1.6, 1.6, 1.6, 1.4, 1.5]
    scheduler = lr_scheduler.ReduceLROnPlateau(sgd(), factor=0.5, patience=1, threshold=0.0)
    config = TrainConfig(lr=HIGHEST, schedule="plateau", decay_factor=0.5, warmup=0.0)
    watch = Watch()
    for figure in figures:
        scheduler.step(figure)
        watch.see(figure, False, 2)  # torch's patience is the number of evaluations that are forgiven
        assert pace(config, Moment(0.5, 1, watch.cuts)).lr == pytest.approx(scheduler.optimizer.param_groups[0]["lr"])
    assert watch.cuts == 3


def test_the_watch_knows_which_way_is_better() -> None:
    watch = Watch()
    seen = [watch.see(value, True, 99) for value in (0.5, 0.4, 0.6, 0.6, 0.7)]
    assert seen == [True, False, True, False, True]
    assert (watch.best, watch.stale) == (0.7, 0)
