"""The classifier of points: its sum by hand, and the moments that it remembers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from textdl.errors import ConfigError
from textdl.models.plane_classifier import FEWEST, PlaneClassifier, PlaneClassifierConfig

BENT = {
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "leaky-relu": lambda x: x if x > 0 else 0.1 * x,
}


def made(**settings: Any) -> PlaneClassifier:
    torch.manual_seed(3)
    return PlaneClassifier(PlaneClassifierConfig(**settings))


@pytest.mark.parametrize("activation", BENT)
def test_it_is_what_its_weights_say(activation: str) -> None:
    model = made(widths=("3", "2"), activation=activation, classes=3).eval()
    x = [0.7, -1.2]
    for number, linear in enumerate(model.linear):
        matrix, bias = linear.weight.tolist(), linear.bias.tolist()
        x = [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(matrix, bias, strict=True)]
        if number < 2:
            x = [BENT[activation](v) for v in x]
    assert model(torch.tensor([[0.7, -1.2]]))[0].tolist() == pytest.approx(x, rel=1e-5, abs=1e-6)


def test_parameters_are_counted() -> None:
    for widths in (("2",), ("16,16,2",), (" 5", "7 ", "3")):
        model = made(widths=widths, classes=4)
        assert model.config.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert made(widths=("16,16,2",)).config.widths == ("16", "16", "2")


@pytest.mark.parametrize("widths", [(), ("0",), ("2,",), ("two",), ("257",), ("-2",), ("2.0",)])
def test_widths_that_are_none_are_refused(widths: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="widths must be whole numbers from 1 to 256"):
        PlaneClassifierConfig(widths=widths)
    with pytest.raises(ConfigError, match="at most 12 hidden layers, got 13"):
        PlaneClassifierConfig(widths=("2",) * 13)


def test_moments_hold_the_weights_and_when_they_were() -> None:
    model = made(widths=("2",), moments=10)
    expected = []
    for step in range(4):
        flat = torch.cat([p.detach().ravel() for p in model.parameters()]).numpy().copy()
        expected.append((2 * step, flat))
        model.remember()  # again: at the same batch it replaces
        for _ in range(2):
            model(torch.zeros(1, 2))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(1)
        model.eval()(torch.zeros(1, 2))  # no batch of the training
        model.train().remember()
    kept = model.moments
    assert int(kept.count) == 5
    assert kept.after[:5].tolist() == [0, 2, 4, 6, 8]
    for place, (after, flat) in enumerate(expected):
        assert int(kept.after[place]) == after
        np.testing.assert_array_equal(kept.weights[place].numpy(), flat)
    assert not kept.weights[5:].any()


def test_where_there_is_no_room_every_other_moment_goes() -> None:
    model = made(widths=("2",), moments=3)
    for _ in range(30):
        model(torch.zeros(1, 2))
        with torch.no_grad():
            model.linear[0].weight.fill_(int(model.moments.batches))
        model.remember()
    count, after = int(model.moments.count), model.moments.after
    assert 2 <= count <= len(after) == FEWEST, "a few are kept however few are asked for"
    assert (int(after[0]), int(after[count - 1])) == (0, 30)
    assert (after[1:count] > after[: count - 1]).all()
    assert model.moments.weights[1:count, 0].tolist() == after[1:count].tolist()
    assert made(widths=("256",) * 12).moments.weights.numel() < 10_000_000
