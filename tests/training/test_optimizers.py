"""The optimisers against their equations, written out in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from textdl.errors import ConfigError
from textdl.training.config import OPTIMIZERS as NAMES
from textdl.training.config import TrainConfig
from textdl.training.gradient_task import Layer
from textdl.training.optimizers import OPTIMIZERS, add_penalties, clip, make_optimizer, set_pace

RATE, MOMENTUM, BETA1, BETA2 = 0.1, 0.8, 0.9, 0.95
GRADIENTS = np.array([[0.5, -2.0], [0.25, 1.0], [-1.0, 0.125], [0.5, 0.5]])


def by_hand(name: str, start: np.ndarray) -> np.ndarray:
    """The weights after the four gradients, step n = 1, 2, 3, 4."""
    w, v, s, d = start.copy(), np.zeros(2), np.zeros(2), np.zeros(2)
    for n, g in enumerate(GRADIENTS, start=1):
        if name == "sgd":
            w = w - RATE * g
        elif name == "momentum":
            v = MOMENTUM * v + g
            w = w - RATE * v
        elif name == "nesterov":  # the gradient counts once more, looking ahead
            v = MOMENTUM * v + g
            w = w - RATE * (g + MOMENTUM * v)
        elif name == "adagrad":
            s = s + g**2
            w = w - RATE * g / (np.sqrt(s) + 1e-10)
        elif name == "adadelta":
            s = BETA2 * s + (1 - BETA2) * g**2
            step = np.sqrt(d + 1e-6) / np.sqrt(s + 1e-6) * g
            d = BETA2 * d + (1 - BETA2) * step**2
            w = w - RATE * step
        elif name == "rmsprop":
            s = BETA2 * s + (1 - BETA2) * g**2
            w = w - RATE * g / (np.sqrt(s) + 1e-8)
        else:
            v, s = BETA1 * v + (1 - BETA1) * g, BETA2 * s + (1 - BETA2) * g**2
            w = w - RATE * (v / (1 - BETA1**n)) / (np.sqrt(s / (1 - BETA2**n)) + 1e-8)
    return w


@pytest.mark.parametrize("name", NAMES)
def test_four_steps_by_hand(name: str) -> None:
    weight = nn.Parameter(torch.tensor([1.0, -1.0]))
    config = TrainConfig(optimizer=name, lr=RATE, momentum=MOMENTUM, beta1=BETA1, beta2=BETA2)
    optimizer = make_optimizer([Layer([weight])], config)
    for gradient in GRADIENTS:
        weight.grad = torch.tensor(gradient, dtype=torch.float32)
        optimizer.step()
    np.testing.assert_allclose(weight.detach().numpy(), by_hand(name, np.array([1.0, -1.0])), rtol=2e-5)


def test_the_table_is_what_the_config_offers() -> None:
    assert sorted(OPTIMIZERS) == sorted(NAMES)


def test_decay_is_decoupled_and_for_matrices_only() -> None:
    layer = nn.Linear(2, 2)
    before = [p.detach().clone() for p in layer.parameters()]
    optimizer = make_optimizer([Layer(list(layer.parameters()))], TrainConfig(lr=RATE, weight_decay=0.5))
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), before[0] * (1 - RATE * 0.5))  # no gradient: the decay alone
    assert torch.equal(layer.bias.detach(), before[1])
    with pytest.raises(ConfigError, match="weight_decay is decoupled and for adamw only, got it with adam"):
        TrainConfig(optimizer="adam", weight_decay=0.1)


def test_penalties_are_the_gradient_of_what_they_say() -> None:
    torch.manual_seed(1)
    layer, x = nn.Linear(3, 2), torch.randn(5, 3)
    loss = layer(x).square().mean() + 0.03 * layer.weight.abs().sum() + 0.7 / 2 * layer.weight.square().sum()
    wanted = torch.autograd.grad(loss, list(layer.parameters()))
    layer(x).square().mean().backward()
    add_penalties(layer.parameters(), l1=0.03, l2=0.7)
    for parameter, gradient in zip(layer.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_clipping_by_value_and_then_by_norm() -> None:
    weight = nn.Parameter(torch.zeros(3))
    weight.grad = torch.tensor([3.0, -4.0, 0.5])
    clip([weight], norm=None, value=2.0)
    assert weight.grad.tolist() == [2.0, -2.0, 0.5]
    clip([weight], norm=1.0, value=None)
    length = math.sqrt(2**2 + 2**2 + 0.5**2)
    torch.testing.assert_close(weight.grad, torch.tensor([2.0, -2.0, 0.5]) / length)
    clip([weight], norm=5.0, value=None)  # short enough
    assert float(weight.grad.norm()) == pytest.approx(1.0)


def test_clipping_by_norm_is_that_of_torch_to_the_bit() -> None:
    torch.manual_seed(3)
    own = [nn.Parameter(torch.zeros(*shape)) for shape in ((40, 30), (30,), (5, 4, 3), (1,))]
    frozen = nn.Parameter(torch.zeros(2))  # without a gradient
    for length in (1e-3, 1.0, 1e6):
        for parameter in own:
            parameter.grad = torch.randn_like(parameter)
        wanted = [nn.Parameter(parameter.detach().clone()) for parameter in own]
        for other, parameter in zip(wanted, own, strict=True):
            other.grad = parameter.grad.clone()
        clip([*own, frozen], norm=length, value=None)
        nn.utils.clip_grad_norm_(wanted, length)
        assert all(torch.equal(a.grad, b.grad) for a, b in zip(own, wanted, strict=True))
    clip([frozen], norm=1.0, value=1.0)
    assert frozen.grad is None


def test_a_pace_sets_the_rate_and_the_momentum_that_there_is() -> None:
    weight = nn.Parameter(torch.zeros(3))
    for name, key, found in (("nesterov", "momentum", 0.85), ("adam", "betas", (0.85, BETA2)), ("sgd", "momentum", 0)):
        optimizer = make_optimizer([Layer([weight])], TrainConfig(optimizer=name, beta2=BETA2))
        set_pace(optimizer, 0.5, 0.85)
        assert optimizer.param_groups[0]["lr"] == 0.5
        assert optimizer.param_groups[0][key] == found
