"""The blocks of models of pictures, held against loops and values worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from textdl.models.image_blocks import (
    POOLINGS,
    Connected,
    Convolution,
    DenseLayer,
    GlobalPool,
    Inception,
    LocalResponse,
    PaddedShortcut,
    Pool,
    Residual,
    Transition,
    basic,
    bottleneck,
    initialise,
    size_after,
    small_output,
)


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def looped_pool(x: np.ndarray, method: str, kernel: int, stride: int) -> np.ndarray:
    """Windows one by one; no padding."""
    worked = {"max": np.max, "average": np.mean, "sum": np.sum}[method]
    high, wide = ((side - kernel) // stride + 1 for side in x.shape[2:])
    out = np.empty((*x.shape[:2], high, wide), x.dtype)
    for b, c, i, j in itertools.product(*map(range, out.shape)):
        out[b, c, i, j] = worked(x[b, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel])
    return out


@pytest.mark.parametrize("method", POOLINGS)
@pytest.mark.parametrize("kernel, stride", [(2, 2), (3, 2), (2, 1)])
def test_pooling_against_a_loop(method: str, kernel: int, stride: int) -> None:
    x = numbers(2, 3, 7, 8)
    found = Pool(method, kernel, stride)(x)
    np.testing.assert_allclose(found.numpy(), looped_pool(x.numpy(), method, kernel, stride), rtol=1e-5, atol=1e-6)


def test_a_sum_is_the_average_times_the_area() -> None:
    x = numbers(2, 3, 9, 9)
    for kernel, stride, padding in ((2, 2, 0), (3, 1, 1), (5, 3, 2)):
        total, mean = (Pool(method, kernel, stride, padding)(x) for method in ("sum", "average"))
        torch.testing.assert_close(total, mean * kernel**2)
    torch.testing.assert_close(GlobalPool("sum")(x), GlobalPool()(x) * 81)
    assert torch.equal(GlobalPool("max")(x), x.flatten(2).max(-1).values)
    torch.testing.assert_close(GlobalPool()(x), x.flatten(2).mean(-1))


@pytest.mark.parametrize(
    "kernel, stride, padding", [(1, 1, 0), (3, 1, 1), (3, 2, 1), (2, 3, 0), (2, 4, 1), (5, 2, 0), (7, 2, 3), (11, 4, 2)]
)
def test_sizes_by_the_formula_are_the_real_ones(kernel: int, stride: int, padding: int) -> None:
    seen = 0
    for side in range(1, 40):
        for ceil in (False, True):
            layers: list[nn.Module] = [Convolution(1, 2, kernel, stride, padding)] if not ceil else []
            if padding <= kernel // 2:  # torch takes no more
                layers += [Pool("max", kernel, stride, padding, ceil), Pool("sum", kernel, stride, padding, ceil)]
            for layer in layers:
                told = size_after(layer, (side, 40))
                assert told is not None
                try:
                    real = tuple(layer(torch.zeros(1, 1, side, 40)).shape[2:])
                except RuntimeError:  # torch's word for nothing left
                    real = (0, told[1])
                assert (max(told[0], 0), told[1]) == real, (layer, side)
                seen += 1
    assert seen > 39


def test_sizes_of_blocks_are_the_real_ones() -> None:
    blocks = [
        basic(4, 8, 2),
        basic(4, 8, 2, "padding"),
        bottleneck(4, 16, 2),
        basic(4, 4, 1, "none"),
        DenseLayer(4, 3, True),
        Transition(4, 2),
        Inception(4, 2, (3, 5), (2, 3), 4),
        nn.ZeroPad2d((1, 2, 3, 5)),
        nn.Dropout(),
    ]
    for block in blocks:
        for size in ((8, 9), (7, 5), (2, 3)):
            y = block(numbers(2, 4, *size))
            assert size_after(block, size) == tuple(y.shape[2:])
            assert getattr(block, "outputs", 4) == y.shape[1]
    assert size_after(GlobalPool(), (3, 3)) is None
    assert size_after(Transition(4, 2), (1, 4)) == (0, 2)


def test_local_response_against_a_loop() -> None:
    x = 30 * numbers(2, 7, 3, 2)
    expected = torch.empty_like(x)
    for c in range(7):
        near = x[:, max(c - 2, 0) : c + 3].square().sum(1)
        expected[:, c] = x[:, c] / (2 + 1e-4 * near) ** 0.75
    torch.testing.assert_close(LocalResponse()(x), expected)


def test_what_stands_where_in_a_convolution() -> None:
    local = Convolution(3, 4, 3, norm="local")
    batch = Convolution(3, 4, 3, norm="batch")
    assert [type(part).__name__ for part in local] == ["Conv2d", "ReLU", "LocalResponse"]
    assert [type(part).__name__ for part in batch] == ["Conv2d", "BatchNorm2d", "ReLU"]
    assert (local[0].bias is None, batch[0].bias is None) == (False, True)
    assert [type(part).__name__ for part in Connected(3, 4, "tanh", 0.5)] == ["Linear", "Tanh", "Dropout"]


def unit_norms(module: nn.Module) -> None:
    """Batch normalisations that divide by (about) 1: their epsilon is all that is left."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = 0.0


def test_a_residual_block_by_hand() -> None:
    """One pixel: of a kernel of 3 × 3 only the middle is ever on the picture."""
    block, plain = basic(1, 1).eval(), basic(1, 1, shortcut="none").eval()
    for made in (block, plain):
        unit_norms(made)
        for convolution, middle in zip((made.main[0][0], made.main[1][0]), (2.0, -3.0), strict=True):
            nn.init.ones_(convolution.weight)
            with torch.no_grad():
                convolution.weight[0, 0, 1, 1] = middle
    x = torch.tensor([0.5, -1.0, 4.0]).view(3, 1, 1, 1)
    # relu(2 x) = 1, 0, 8; times -3 = -3, 0, -24; plus x = -2.5, -1, -20, all below zero
    assert block(x).flatten().tolist() == [0.0, 0.0, 0.0]
    with torch.no_grad():
        block.main[1][0].weight[0, 0, 1, 1] = 3.0  # 3, 0, 24; plus x = 3.5, -1, 28
        plain.main[1][0].weight[0, 0, 1, 1] = 3.0
    assert block(x).flatten().tolist() == [3.5, 0.0, 28.0]
    assert plain(x).flatten().tolist() == [3.0, 0.0, 24.0]
    assert x.flatten().tolist() == [0.5, -1.0, 4.0]  # what went in is left as it was


def test_shortcuts() -> None:
    x = numbers(2, 3, 5, 6)
    padded = PaddedShortcut(3, 8, 2)(x)
    assert torch.equal(padded[:, :3], x[:, :, ::2, ::2])
    assert padded[:, 3:].eq(0).all()
    assert padded.shape == (2, 8, 3, 3)
    assert isinstance(basic(4, 4).shortcut, nn.Identity)
    assert isinstance(basic(4, 8, 2, "padding").shortcut, PaddedShortcut)
    assert basic(4, 8, 2, "none").shortcut is None
    projection = basic(4, 8, 2).shortcut
    assert isinstance(projection, Convolution)
    assert (projection[0].kernel_size, projection[0].stride, len(projection)) == ((1, 1), (2, 2), 2)
    widths = [(part[0].in_channels, part[0].out_channels, part[0].stride[0]) for part in bottleneck(64, 256, 2).main]
    assert widths == [(64, 64, 1), (64, 64, 2), (64, 256, 1)]
    zero = Residual(nn.Sequential(nn.Identity()), nn.Identity(), 3, "")
    torch.testing.assert_close(zero(x.clone().relu_()), 2 * x.relu())


def test_a_dense_layer_keeps_what_came_before() -> None:
    x, layer = numbers(2, 6, 4, 4), DenseLayer(6, 3, bottleneck=True).eval()
    y = layer(x)
    assert torch.equal(y[:, :6], x)
    assert y.shape == (2, 9, 4, 4)
    first, second = layer.main[0], layer.main[1]
    inner = F.conv2d(F.relu(x / (1 + 1e-5) ** 0.5), first[2].weight)
    assert inner.shape[1] == 12  # four times the growth
    torch.testing.assert_close(y[:, 6:], F.conv2d(F.relu(inner / (1 + 1e-5) ** 0.5), second[2].weight, padding=1))
    assert len(DenseLayer(6, 3, bottleneck=False).main) == 1


def test_inception_puts_its_branches_side_by_side() -> None:
    x, block = numbers(1, 4, 5, 5), Inception(4, 2, (3, 5), (2, 3), 6)
    y = block(x)
    assert y.shape == (1, 16, 5, 5)
    torch.testing.assert_close(y[:, :2], F.relu(F.conv2d(x, block.one[0].weight, block.one[0].bias)))
    wide = block.five[1][0]
    narrow = F.relu(F.conv2d(x, block.five[0][0].weight, block.five[0][0].bias))
    assert wide.kernel_size == (5, 5)
    torch.testing.assert_close(y[:, 7:10], F.relu(F.conv2d(narrow, wide.weight, wide.bias, padding=2)))
    pooled = F.max_pool2d(x, 3, 1, 1)
    torch.testing.assert_close(y[:, 10:], F.relu(F.conv2d(pooled, block.pooled[1][0].weight, block.pooled[1][0].bias)))


def test_first_weights() -> None:
    torch.manual_seed(1)
    layers = nn.Sequential(nn.Conv2d(64, 128, 3), nn.Linear(600, 400))
    initialise(layers)
    assert layers[0].weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    assert layers[1].weight.std().item() == pytest.approx((2 / 600) ** 0.5, rel=0.02)
    assert not layers[0].bias.any()
    initialise(layers, "tanh")
    assert layers[1].weight.std().item() == pytest.approx((2 / 1000) ** 0.5, rel=0.02)
    assert layers[1].weight.abs().max().item() <= (6 / 1000) ** 0.5
    small_output(layers)
    assert layers[1].weight.std().item() == pytest.approx(0.01, rel=0.02)
