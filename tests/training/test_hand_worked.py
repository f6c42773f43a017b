"""Training worked by hand: every number here was found with pencil and paper, or is a formula written out in numpy."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from textdl.training.config import TrainConfig
from textdl.training.gradient_task import Layer
from textdl.training.losses import mean_squared_error
from textdl.training.optimizers import make_optimizer


def descent(parameters: Iterable[nn.Parameter], lr: float) -> torch.optim.Optimizer:
    """Plain gradient descent, as the trainer makes it."""
    return make_optimizer([Layer(list(parameters))], TrainConfig(optimizer="sgd", lr=lr))


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@pytest.mark.parametrize(
    "lr, points",
    [
        (0.1, [7, 6.2, 5.56, 5.048, 4.6384]),  # creeps: each step leaves 0.8 of the way
        (0.5, [7, 3, 3, 3, 3]),  # is there in one step
        (0.75, [7, 1, 4, 2.5, 3.25]),  # swings about the minimum, each time half as far
        (1.0, [7, -1, 7, -1, 7]),  # swings for ever
        (1.25, [7, -3, 12, -10.5, 23.25]),  # flies off
    ],
)
def test_descent_on_a_parabola(lr: float, points: list[float]) -> None:
    """f(x) = a (x - 3)² / 2 with a = 2 from x = 7: x after n steps is 3 + (1 - 2 lr)^n · 4."""
    x = nn.Parameter(torch.tensor(7.0, dtype=torch.float64))
    optimizer, seen = descent([x], lr), [x.item()]
    for _ in range(len(points) - 1):
        step(optimizer, 2.0 * (x - 3).square() / 2)
        seen.append(x.item())
    assert seen == pytest.approx(points)
    assert seen == pytest.approx([3 + (1 - 2 * lr) ** n * 4 for n in range(len(points))])


class TwoLayers(nn.Module):
    """Two sigmoid units below two others, with the weights of the worked example, in float64.

    x = (1, 2) makes sums of 0 and ln 3 below, and of ln 3 and -ln 3 above, so that every output is a fraction.
    """

    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = (nn.Linear(2, 2, dtype=torch.float64) for _ in range(2))
        three = math.log(3)
        with torch.no_grad():
            self.below.weight.copy_(torch.tensor([[1.0, -1.0], [3.0, -2.0]]))
            self.below.bias.copy_(torch.tensor([1.0, 1.0 + three], dtype=torch.float64))
            self.above.weight.copy_(torch.tensor([[2.0, 4.0], [-6.0, 4.0]]))
            self.above.bias.copy_(torch.tensor([-4.0 + three, -three], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.above(torch.sigmoid(self.below(x))))


def weights(model: nn.Module) -> list[np.ndarray]:
    return [parameter.detach().numpy().copy() for parameter in model.parameters()]


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def by_formula(
    weights: list[np.ndarray], x: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, float, list[np.ndarray]]:
    """Outputs, squared error and gradients of the two layers, from the four equations of back-propagation."""
    below, below_bias, above, above_bias = weights
    hidden = sigmoid(below @ x + below_bias)
    output = sigmoid(above @ hidden + above_bias)
    error = np.mean((output - target) ** 2)
    delta_above = 2 / len(target) * (output - target) * output * (1 - output)
    delta_below = (above.T @ delta_above) * hidden * (1 - hidden)
    gradients = [np.outer(delta_below, x), delta_below, np.outer(delta_above, hidden), delta_above]
    return output, float(error), gradients


#: ∂E/∂W and ∂E/∂b, of the layer below and the one above, for x = (1, 2) and the targets (1, 1), by hand:
#: hidden 1/2 and 3/4, outputs 3/4 and 1/4; δ above = (y - t) y (1 - y); δ below = (Wᵀ δ) h (1 - h) with Wᵀ δ = ±3/4.
BY_HAND = [
    [[3 / 16, 3 / 8], [-9 / 64, -9 / 32]],
    [3 / 16, -9 / 64],
    [[-3 / 128, -9 / 256], [-9 / 128, -27 / 256]],
    [-3 / 64, -9 / 64],
]


def test_back_propagation_of_two_layers_by_hand() -> None:
    model, x, target = TwoLayers(), torch.tensor([1.0, 2.0]).double(), torch.ones(2).double()
    before, optimizer = weights(model), descent(model.parameters(), 0.5)
    output = model(x)
    error = mean_squared_error(output, target)
    np.testing.assert_allclose(output.detach().numpy(), [3 / 4, 1 / 4], atol=1e-12)
    assert error.item() == pytest.approx(5 / 16)  # (1/16 + 9/16) / 2
    step(optimizer, error)
    for parameter, old, gradient in zip(model.parameters(), before, BY_HAND, strict=True):
        np.testing.assert_allclose(parameter.grad.numpy(), gradient, atol=1e-12)
        np.testing.assert_allclose(parameter.detach().numpy(), old - 0.5 * np.array(gradient), atol=1e-12)


def test_back_propagation_step_after_step_is_the_formulas() -> None:
    model, x, target = TwoLayers(), np.array([1.0, 2.0]), np.array([1.0, 1.0])
    optimizer, errors = descent(model.parameters(), 0.5), []
    own = weights(model)
    for _ in range(20):
        error = mean_squared_error(model(torch.from_numpy(x)), torch.from_numpy(target))
        step(optimizer, error)
        _, expected, gradients = by_formula(own, x, target)
        own = [weight - 0.5 * gradient for weight, gradient in zip(own, gradients, strict=True)]
        errors.append(error.item())
        assert error.item() == pytest.approx(expected)
        for mine, theirs in zip(own, weights(model), strict=True):
            np.testing.assert_allclose(theirs, mine, atol=1e-10)
    assert errors == sorted(errors, reverse=True)


INPUTS = [(1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)]  # a constant for the bias, then the two truth values
AND, XOR = [0, 0, 0, 1], [0, 1, 1, 0]


def perceptron(targets: list[int], passes: int) -> list[list[tuple[int, ...]]]:
    """The weights (bias, w1, w2) after each example of each pass: Rosenblatt's rule as gradient descent, one at a time.

    The criterion is -(t - y) w·x, where y is 1 if w·x > 0, else 0, and counts as a constant; it is 0 where y is right.
    """
    weight = nn.Parameter(torch.zeros(3))
    optimizer, table = descent([weight], 1.0), []
    for _ in range(passes):
        row = []
        for values, target in zip(INPUTS, targets, strict=True):
            summed = weight @ torch.tensor(values, dtype=torch.float32)
            answer = int(summed.item() > 0)
            step(optimizer, -(target - answer) * summed)
            row.append(tuple(int(w) for w in weight.tolist()))
        table.append(row)
    return table


def test_a_perceptron_learns_and_by_the_table() -> None:
    assert perceptron(AND, 7) == [
        [(0, 0, 0), (0, 0, 0), (0, 0, 0), (1, 1, 1)],
        [(0, 1, 1), (-1, 1, 0), (-1, 1, 0), (0, 2, 1)],
        [(0, 2, 1), (-1, 2, 0), (-2, 1, 0), (-1, 2, 1)],
        [(-1, 2, 1), (-1, 2, 1), (-2, 1, 1), (-1, 2, 2)],
        [(-1, 2, 2), (-2, 2, 1), (-2, 2, 1), (-2, 2, 1)],
        [(-2, 2, 1), (-2, 2, 1), (-2, 2, 1), (-2, 2, 1)],  # all four right
        [(-2, 2, 1), (-2, 2, 1), (-2, 2, 1), (-2, 2, 1)],
    ]


def test_a_perceptron_never_settles_on_xor() -> None:
    """From the second pass on it walks one circle; as the weights alone decide what comes, it does for ever."""
    circle = [(0, -1, 0), (1, -1, 1), (2, 0, 1), (1, -1, 0)]
    assert perceptron(XOR, 12) == [
        [(0, 0, 0), (1, 0, 1), (1, 0, 1), (0, -1, 0)],
        [(0, -1, 0), (1, -1, 1), (2, 0, 1), (1, -1, 0)],
        *[circle] * 10,
    ]


class Line(nn.Module):
    """y = w x + b, from w = 1, b = 0."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(1, dtype=torch.float64))
        self.b = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.w * x + self.b


XS, TARGETS = torch.tensor([1.0, 2.0, 3.0, 4.0]).double(), torch.tensor([2.0, 1.0, 5.0, 3.0]).double()


@pytest.mark.parametrize(
    "batch, points",
    [
        (4, [(1.025, 0.025)]),
        (2, [(0.95, 0.0), (1.1125, 0.0675)]),
        (1, [(1.1, 0.1), (0.84, -0.03), (1.593, 0.221), (0.1558, -0.1383)]),
    ],
    ids=["batch", "mini-batch", "online"],
)
def test_a_pass_of_batch_mini_batch_and_online_descent(batch: int, points: list[tuple[float, float]]) -> None:
    """Least squares on four points at lr 0.05; w and b after each step, by hand.

    At the start the errors e are -1, 1, -2, 1; the gradients of e² are 2 e x = -2, 4, -12, 8 and 2 e = -2, 2, -4, 2.
    """
    model, seen = Line(), []
    optimizer = descent(model.parameters(), 0.05)
    for start in range(0, 4, batch):
        part = slice(start, start + batch)
        step(optimizer, mean_squared_error(model(XS[part]), TARGETS[part]))
        seen.append((model.w.item(), model.b.item()))
    np.testing.assert_allclose(seen, points, atol=1e-12)


def test_a_full_batch_step_is_the_mean_of_the_steps_of_its_examples() -> None:
    """Each taken from the same start; and so is the mean over equal mini-batches."""

    def moved(part: slice) -> np.ndarray:
        model = Line()
        step(descent(model.parameters(), 0.05), mean_squared_error(model(XS[part]), TARGETS[part]))
        return np.array([model.w.item() - 1, model.b.item()])

    whole = moved(slice(0, 4))
    np.testing.assert_allclose(whole, [0.025, 0.025], atol=1e-12)
    for size in (1, 2):
        parts = [moved(slice(start, start + size)) for start in range(0, 4, size)]
        assert np.ptp(parts, axis=0).min() > 0.01, "the examples disagree"
        np.testing.assert_allclose(np.mean(parts, axis=0), whole, atol=1e-12)


def test_batch_descent_ends_at_the_least_squares() -> None:
    """The normal equations: w = 7/10, b = 1. Online descent at a fixed rate ends on a circle that each pass repeats."""
    design = np.stack([XS.numpy(), np.ones(4)], axis=1)
    best = np.linalg.lstsq(design, TARGETS.numpy(), rcond=None)[0]
    np.testing.assert_allclose(best, [0.7, 1.0])
    path: dict[int, list[tuple[float, float]]] = {4: [], 1: []}
    for size, points in path.items():
        model = Line()
        optimizer = descent(model.parameters(), 0.05)
        for n in range(2000):
            part = slice(n * size % 4, n * size % 4 + size)
            step(optimizer, mean_squared_error(model(XS[part]), TARGETS[part]))
            points.append((model.w.item(), model.b.item()))
    np.testing.assert_allclose(path[4][-1], best, atol=1e-8)
    np.testing.assert_allclose(path[1][-4:], path[1][-8:-4], atol=1e-8)
    assert np.abs(np.array(path[1][-4:]) - best).max(1).min() > 0.1
