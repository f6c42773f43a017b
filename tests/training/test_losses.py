"""The losses against their formulas in numpy and values worked by hand."""

import math
import re

import numpy as np
import pytest
import torch

from textdl.errors import ConfigError
from textdl.training.losses import (
    binary_cross_entropy,
    cross_entropy,
    mean_squared_error,
    smoothed_cross_entropy,
)


def smoothed(targets: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
    """What the prediction should be (Szegedy et al. 2016)."""
    wanted = np.full((len(targets), classes), smoothing / classes)
    wanted[np.arange(len(targets)), targets] += 1 - smoothing
    return wanted


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_cross_entropy_by_hand() -> None:
    """Logits 0 and ln 3 are probabilities of 1/4 and 3/4."""
    logits = torch.tensor([0.0, math.log(3)], dtype=torch.float64)
    assert cross_entropy(logits, torch.tensor(0)).item() == pytest.approx(math.log(4))
    assert cross_entropy(logits, torch.tensor(1)).item() == pytest.approx(math.log(4 / 3))
    both = cross_entropy(logits.expand(2, 2), torch.tensor([0, 1]))
    assert both.item() == pytest.approx((math.log(4) + math.log(4 / 3)) / 2)
    soft = cross_entropy(logits, torch.tensor(1), smoothing=0.2)
    assert soft.item() == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4))
    assert cross_entropy(torch.zeros(3, 27), torch.tensor([0, 5, 26])).item() == pytest.approx(math.log(27))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("ignore", [None, 0, -1])
@pytest.mark.parametrize("shape", [(6,), (3, 4), (2, 3, 2)])
def test_cross_entropy_and_its_gradient_are_the_formula(
    shape: tuple[int, ...], ignore: int | None, smoothing: float
) -> None:
    generator = np.random.default_rng(len(shape))
    logits, targets = generator.normal(size=(*shape, 5)) * 3, generator.integers(1, 5, shape)
    if ignore is not None:
        targets.reshape(-1)[[1, 3]] = ignore
    rows, aims = logits.reshape(-1, 5), targets.reshape(-1)
    counts = np.array([ignore is None or aim != ignore for aim in aims])
    wanted = smoothed(np.where(counts, aims, 0), 5, smoothing)
    nats = -(wanted * np.log(softmax(rows))).sum(-1)
    gradient = (softmax(rows) - wanted) * counts[:, None] / counts.sum()
    given = torch.from_numpy(logits).requires_grad_()
    loss = cross_entropy(given, torch.from_numpy(targets), smoothing, ignore)
    loss.backward()
    assert loss.item() == pytest.approx(nats[counts].mean())
    np.testing.assert_allclose(given.grad.numpy(), gradient.reshape(logits.shape), atol=1e-12)


def test_only_what_is_said_is_ignored() -> None:
    """torch would leave out a target of -100 without a word."""
    logits = torch.zeros(2, 3)
    with pytest.raises(IndexError):
        cross_entropy(logits, torch.tensor([0, -100]))
    with pytest.raises(IndexError):
        cross_entropy(logits, torch.tensor([0, 3]))
    assert cross_entropy(logits, torch.tensor([0, -100]), ignore=-100).item() == pytest.approx(math.log(3))
    assert cross_entropy(logits, torch.tensor([7, 7]), ignore=7).isnan()


def test_targets_may_be_of_any_whole_type() -> None:
    logits = torch.arange(12.0).reshape(4, 3).sin()
    expected = cross_entropy(logits, torch.tensor([0, 1, 2, 1]))
    for kind in (torch.uint8, torch.int32):
        assert torch.equal(cross_entropy(logits, torch.tensor([0, 1, 2, 1], dtype=kind)), expected)
    with pytest.raises(ValueError, match=r"numbers of the right classes as targets, got torch\.float32"):
        cross_entropy(logits, torch.tensor([0.0, 1.0, 2.0, 1.0]))


def test_bfloat16_is_summed_in_float32() -> None:
    """A bfloat16 sum over 5000 classes would be off in its third digit."""
    torch.manual_seed(0)
    logits, targets = torch.randn(7, 5000).bfloat16(), torch.arange(7)
    exact = logits.double().numpy()
    nats = -np.log(softmax(exact)[np.arange(7), np.arange(7)]).mean()
    half = (torch.rand(7, 5000) < 0.5).double()
    bits = np.logaddexp(0, exact) - half.numpy() * exact
    squares = np.square(exact - half.numpy())
    for autocast in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            losses = (
                cross_entropy(logits, targets),
                binary_cross_entropy(logits, half),
                mean_squared_error(logits, half),
            )
        assert [loss.dtype for loss in losses] == [torch.float32] * 3
        assert [loss.item() for loss in losses] == pytest.approx([nats, bits.mean(), squares.mean()], rel=1e-5)


def test_binary_cross_entropy_by_hand() -> None:
    """A logit of ln 3 is a probability of 3/4."""
    logit = torch.tensor(math.log(3), dtype=torch.float64)
    assert binary_cross_entropy(logit, torch.tensor(1)).item() == pytest.approx(math.log(4 / 3))
    assert binary_cross_entropy(logit, torch.tensor(0)).item() == pytest.approx(math.log(4))
    quarter = binary_cross_entropy(logit, torch.tensor(0.25))
    assert quarter.item() == pytest.approx(0.25 * math.log(4 / 3) + 0.75 * math.log(4))
    several = binary_cross_entropy(logit.expand(2, 2), torch.tensor([[True, False], [True, True]]))
    assert several.item() == pytest.approx((3 * math.log(4 / 3) + math.log(4)) / 4)


def test_binary_cross_entropy_is_exact_where_the_sigmoid_is_full() -> None:
    logits = torch.tensor([1000.0, -1000.0]).requires_grad_()
    loss = binary_cross_entropy(logits, torch.tensor([0, 0]))
    loss.backward()
    assert loss.item() == 500.0
    assert logits.grad.tolist() == [0.5, 0.0]


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_binary_cross_entropy_is_that_of_two_classes(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(4, 6).double(), torch.randint(2, (4, 6))
    two = torch.stack([torch.zeros_like(logits), logits], dim=-1)
    expected = cross_entropy(two, targets, smoothing).item()
    assert binary_cross_entropy(logits, targets, smoothing).item() == pytest.approx(expected, rel=1e-12)


def test_mean_squared_error_by_hand() -> None:
    predicted = torch.tensor([[1.0, 2.0], [3.0, -1.0]]).requires_grad_()
    loss = mean_squared_error(predicted, torch.tensor([[0, 2], [5, 1]]))
    loss.backward()
    assert loss.item() == (1 + 0 + 4 + 4) / 4
    assert predicted.grad.tolist() == [[0.5, 0.0], [-1.0, -1.0]]


def test_shapes_that_do_not_fit_are_said() -> None:
    logits = torch.zeros(2, 3, 5)
    for shape in ([2, 4], [3, 2], [6], [2, 3, 5]):
        rule = f"cross_entropy takes logits [..., C] and targets [...], got [2, 3, 5] and {shape}"
        with pytest.raises(ValueError, match=re.escape(rule)):
            cross_entropy(logits, torch.zeros(shape, dtype=torch.long))
    with pytest.raises(ValueError, match=r"got \[\] and \[\]"):
        cross_entropy(torch.tensor(0.0), torch.tensor(0))
    for loss in (binary_cross_entropy, mean_squared_error):
        with pytest.raises(ValueError, match=rf"{loss.__name__} takes .* of one shape, got \[4, 1\] and \[4\]"):
            loss(torch.zeros(4, 1), torch.zeros(4))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, math.nan])
def test_smoothing_out_of_range_is_refused(smoothing: float) -> None:
    message = f"smoothing must be at least 0 and less than 1, got {smoothing}"
    with pytest.raises(ConfigError, match=message):
        cross_entropy(torch.zeros(1, 2), torch.tensor([0]), smoothing)
    with pytest.raises(ConfigError, match=message):
        binary_cross_entropy(torch.zeros(1), torch.tensor([0]), smoothing)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_smoothed_cross_entropy_is_both_from_one_softmax(smoothing: float) -> None:
    logits = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([0, 4, 2, 2, 1, 3, 0])
    smooth, plain = smoothed_cross_entropy(logits, targets, smoothing)
    wanted = cross_entropy(logits, targets, smoothing)
    assert smooth.item() == pytest.approx(wanted.item(), abs=1e-12)
    assert plain.item() == pytest.approx(cross_entropy(logits, targets).item(), abs=1e-12)
    assert not plain.requires_grad
    (own,) = torch.autograd.grad(smooth, logits)
    (theirs,) = torch.autograd.grad(wanted, logits)
    assert torch.allclose(own, theirs, atol=1e-12)


def test_smoothed_cross_entropy_refuses_too_much() -> None:
    with pytest.raises(ConfigError, match=r"smoothing must be at least 0 and less than 1, got 1\.0"):
        smoothed_cross_entropy(torch.zeros(1, 2), torch.tensor([0]), 1.0)
