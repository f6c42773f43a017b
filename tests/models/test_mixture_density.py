"""The mixture of Gaussians against scipy, against an integral, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import expit
from scipy.stats import multivariate_normal

from textdl.models.mixture_density import LEAST, MOST, STRONGEST, log_prob, mixture, sample, width

COMPONENTS = 3


def some(number: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(number, width(COMPONENTS), generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_hand(row: np.ndarray, bias: float = 0.0) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """(share, mean [2], covariance [2, 2]) of each component, from the definition."""
    logits, mean_x, mean_y, log_x, log_y, raw = row[1:].reshape(6, COMPONENTS)
    shares = np.exp(logits * (1 + bias))
    shares /= shares.sum()
    made = []
    for m in range(COMPONENTS):
        x, y = (math.exp(LEAST + math.log1p(math.exp(raw - LEAST)) - bias) for raw in (log_x[m], log_y[m]))
        between = STRONGEST * math.tanh(raw[m]) * x * y
        made.append((shares[m], np.array([mean_x[m], mean_y[m]]), np.array([[x * x, between], [between, y * y]])))
    return made


def test_it_is_scipys_mixture_times_the_chance_of_the_pen() -> None:
    parameters = some(20)
    points = torch.randn(20, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    points[:, 2] = (points[:, 2] > 0).double()
    expected = []
    for row, (x, y, pen) in zip(parameters.numpy(), points.numpy(), strict=True):
        density = sum(share * multivariate_normal(mean, cov).pdf([x, y]) for share, mean, cov in by_hand(row))
        lifted = expit(row[0])
        expected.append(math.log(density) + math.log(lifted if pen else 1 - lifted))
    np.testing.assert_allclose(log_prob(parameters, points).numpy(), expected, rtol=1e-9)
    near = log_prob(parameters.float(), points.float())
    np.testing.assert_allclose(near.numpy(), expected, rtol=2e-4, atol=2e-4)


def test_any_shape_is_taken_point_by_point() -> None:
    parameters, points = some(12).reshape(4, 3, -1), torch.ones(4, 3, 3, dtype=torch.float64)
    whole = log_prob(parameters, points)
    assert whole.shape == (4, 3)
    torch.testing.assert_close(whole[2, 1], log_prob(parameters[2, 1], points[2, 1]))


def test_the_density_adds_up_to_one() -> None:
    parameters = some(2, seed=4)
    parameters[:, 1 + 3 * COMPONENTS : 1 + 5 * COMPONENTS].clamp_(min=-0.5)  # none too narrow for the grid
    axis = torch.linspace(-15, 15, 301, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    for row in parameters:
        total = 0.0
        for pen in (0.0, 1.0):
            points = torch.stack([x, y, torch.full_like(x, pen)], dim=-1)
            total += float(log_prob(row.expand(*x.shape, -1), points).exp().sum()) * 0.1**2
        assert total == pytest.approx(1, abs=1e-3)


def test_its_gradient_is_right() -> None:
    parameters = some(4, seed=2).requires_grad_()
    points = torch.tensor([[0.1, -0.4, 1.0], [2.0, 0.3, 0.0], [0.0, 0.0, 0.0], [-1.0, 1.0, 1.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: log_prob(p, points), (parameters,))


@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
def test_extreme_numbers_stay_numbers(size: float) -> None:
    parameters = (some(300, seed=3, dtype=torch.float32).sign() * size).requires_grad_()
    points = torch.tensor([0.0, 5.0, 1.0]).expand(300, 3)
    found = log_prob(parameters, points)
    assert torch.isfinite(found).all()
    found.sum().backward()
    assert parameters.grad is not None
    assert torch.isfinite(parameters.grad).all()
    assert torch.isfinite(sample(parameters.detach(), torch.rand(300, 4), bias=2.0)).all()


def test_a_deviation_and_a_correlation_keep_from_their_edges_but_can_always_come_back() -> None:
    parameters = torch.zeros(1, width(1), requires_grad=True)
    with torch.no_grad():
        parameters[:, 4:6] = -12.0
        parameters[:, 6] = 50.0
    mix = mixture(parameters)
    assert LEAST < mix.log_x.item() < LEAST + 0.01
    assert mix.correlation.item() == pytest.approx(STRONGEST)
    (-log_prob(parameters, torch.tensor([[1.0, -1.0, 0.0]]))).sum().backward()
    assert parameters.grad is not None
    assert (parameters.grad[0, 4:6] != 0).all(), "a deviation at its edge has a way back"
    assert mixture(torch.full((width(1),), 100.0)).log_y.item() == MOST


def test_in_bfloat16_it_is_worked_out_in_float32() -> None:
    parameters = some(5, dtype=torch.float32).bfloat16()
    points = torch.zeros(5, 3)
    found = log_prob(parameters, points)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, log_prob(parameters.float(), points))


@pytest.mark.parametrize("bias", [0.0, 1.5])
def test_what_is_drawn_has_the_moments_of_the_mixture(bias: float) -> None:
    row, number = some(1, seed=6)[0], 200_000
    row[-COMPONENTS:] = torch.tensor([1.5, -2.0, 1.0])  # correlations that count
    uniforms = torch.from_numpy(np.random.default_rng(1).random((number, 4)))
    drawn = sample(row.expand(number, -1), uniforms, bias).numpy()
    parts = by_hand(row.numpy(), bias)
    mean = sum(share * centre for share, centre, _ in parts)
    spread = sum(share * (cov + np.outer(centre - mean, centre - mean)) for share, centre, cov in parts)
    np.testing.assert_allclose(drawn[:, :2].mean(0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn[:, :2].T), spread, rtol=0.03, atol=0.02)
    assert drawn[:, 2].mean() == pytest.approx(expit(float(row[0])), abs=0.01)
    assert set(np.unique(drawn[:, 2])) <= {0.0, 1.0}


def test_with_much_bias_the_likeliest_mean_is_drawn() -> None:
    row = some(1, seed=6)[0]
    uniforms = torch.from_numpy(np.random.default_rng(1).random((50, 4)))
    drawn = sample(row.expand(50, -1), uniforms, bias=20.0)
    _, mean, _ = max(by_hand(row.numpy(), 20.0), key=lambda part: part[0])
    np.testing.assert_allclose(drawn[:, :2].numpy(), np.broadcast_to(mean, (50, 2)), atol=1e-6)


def test_the_first_uniform_number_picks_the_component_by_its_share() -> None:
    row = torch.zeros(width(2), dtype=torch.float64)
    row[1:3] = torch.tensor([0.25, 0.75]).log()
    row[3:5] = torch.tensor([-100.0, 100.0])
    for first, expected in ((0.0, -100.0), (0.249, -100.0), (0.251, 100.0), (0.999999, 100.0)):
        point = sample(row, torch.tensor([first, 0.0, 0.0, 0.5], dtype=torch.float64))
        assert float(point[0]) == expected
