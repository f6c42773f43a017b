"""Averages of the weights against plain sums."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from textdl.training.averaging import Average

STEPS = 20


def walked(average: Average, model: nn.Linear) -> list[np.ndarray]:
    """The weights after each of some steps, which the average has taken in."""
    torch.manual_seed(3)
    seen = []
    for step in range(1, STEPS + 1):
        with torch.no_grad():
            model.weight += torch.randn_like(model.weight)
        seen.append(model.weight.detach().numpy().copy())
        average.update(step / STEPS)
    return seen


def test_ema_is_the_recursion_that_it_names() -> None:
    model = nn.Linear(3, 2)
    average = Average(model, ema=0.8)
    seen = walked(average, model)
    wanted = seen[0]
    for n, weights in enumerate(seen):
        keep = min(0.8, (1 + n) / (10 + n))
        wanted = keep * wanted + (1 - keep) * weights
    with average.applied():
        np.testing.assert_allclose(model.weight.detach().numpy(), wanted, rtol=1e-5)
    np.testing.assert_array_equal(model.weight.detach().numpy(), seen[-1])


def test_swa_is_the_mean_of_the_last_part() -> None:
    model = nn.Linear(3, 2)
    average = Average(model, swa=0.25)
    seen = walked(average, model)
    with average.applied():
        np.testing.assert_allclose(model.weight.detach().numpy(), np.mean(seen[-5:], axis=0), rtol=1e-5)
    average.stay()
    np.testing.assert_allclose(model.weight.detach().numpy(), np.mean(seen[-5:], axis=0), rtol=1e-5)
    assert average.arrays() == {}


def test_without_either_nothing_is_kept() -> None:
    model = nn.Linear(3, 2)
    average = Average(model)
    last = walked(average, model)[-1]
    with average.applied():
        np.testing.assert_array_equal(model.weight.detach().numpy(), last)
    assert average.arrays() == {}


def test_the_statistics_of_batch_normalisation_go_with_the_weights() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average, seen = Average(model, swa=1.0), []
    torch.manual_seed(3)
    for step in range(1, STEPS + 1):
        model(torch.randn(5, 3))
        seen.append(model[1].running_mean.numpy().copy())
        average.update(step / STEPS)
    with average.applied():
        np.testing.assert_allclose(model[1].running_mean.numpy(), np.mean(seen, axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(model[1].running_mean.numpy(), seen[-1])
