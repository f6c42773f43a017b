"""The layers against overfitting, each against its equation worked out the slow way, and over many draws."""

import copy
import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from textdl.errors import ConfigError
from textdl.models.regularizing import (
    DropConnect,
    Dropout,
    GaussianNoise,
    LeakyReLU,
    LockedDropout,
    Maxout,
    ShakeOut,
)

T, B, D, H = 6, 3, 4, 5

RANDOM = {
    "dropout": lambda: Dropout(0.25),
    "locked": lambda: LockedDropout(0.25),
    "connect": lambda: DropConnect(nn.Linear(D, H), 0.25),
    "connect_lstm": lambda: DropConnect(nn.LSTM(D, H), 0.25, ("weight_hh_l0",)),
    "shakeout": lambda: ShakeOut(D, H, 0.25, 0.1),
    "noise": lambda: GaussianNoise(0.3),
}
PLAIN = {"maxout": lambda: Maxout(D, H, 3), "leaky": lambda: LeakyReLU(0.1)}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def seeded(layer: nn.Module, x: torch.Tensor, seed: int = 7) -> torch.Tensor:
    """What the layer makes of x after ``manual_seed``; of a recurrent one, its outputs."""
    torch.manual_seed(seed)
    y = layer(x)
    return y[0] if isinstance(y, tuple) else y


def drawn(seed: int, *shape: int, share: float) -> torch.Tensor:
    """The mask that torch draws after that seed: 0 or 1 / (1 - share)."""
    torch.manual_seed(seed)
    return F.dropout(torch.ones(*shape), share)


def assert_mean(samples: torch.Tensor, expected: torch.Tensor) -> None:
    """The mean over the first axis is the expected one, within five of its own standard errors."""
    assert (samples.std(0) > 0).any(), "nothing is random here"
    error = samples.std(0) / len(samples) ** 0.5
    assert ((samples.mean(0) - expected).abs() <= 5 * error + 1e-6).all()


def test_dropout_zeroes_a_share_and_enlarges_the_rest() -> None:
    x = torch.randn(200, 50).requires_grad_()
    layer = Dropout(0.3)
    y = layer(x)
    y.sum().backward()
    zeroed = y == 0
    for row in range(20):
        for column in range(50):
            scale = 0.0 if zeroed[row, column] else 1 / 0.7
            assert y[row, column].item() == pytest.approx(x[row, column].item() * scale, rel=1e-6)
            assert x.grad[row, column].item() == pytest.approx(scale)
    assert abs(zeroed.float().mean().item() - 0.3) < 5 * (0.3 * 0.7 / 10_000) ** 0.5
    assert_mean(layer(x[0].detach().expand(4000, 50)), x[0].detach())


def test_locked_dropout_is_one_mask_for_all_steps() -> None:
    x = torch.randn(T, B, D)
    y, mask = seeded(LockedDropout(0.5), x), drawn(7, 1, B, D, share=0.5)[0]
    assert len(mask.unique(dim=0)) > 1, "sequences have masks of their own"
    for t, b, d in itertools.product(range(T), range(B), range(D)):
        assert y[t, b, d].item() == pytest.approx((x[t, b, d] * mask[b, d]).item())
    many = LockedDropout(0.5)(x[:, :1].expand(T, 4000, D))
    assert_mean(many.transpose(0, 1), x[:, 0])


def test_drop_connect_zeroes_entries_of_the_weight_one_mask_a_call() -> None:
    layer = DropConnect(nn.Linear(40, 30), 0.4)
    weight, bias = layer.module.weight.detach(), layer.module.bias.detach()
    used = (seeded(layer, torch.eye(40)) - bias).T.detach()  # the weight of that call, column by column
    zeroed = used.abs() < 1e-6
    assert abs(zeroed.float().mean().item() - 0.4) < 5 * (0.4 * 0.6 / 1200) ** 0.5
    torch.testing.assert_close(used[~zeroed], weight[~zeroed] / 0.6)
    x = torch.randn(8, 40)
    y = seeded(layer, x)
    for n, i in itertools.product(range(8), range(30)):
        expected = bias[i] + sum(used[i, j] * x[n, j] for j in range(40))
        assert y[n, i].item() == pytest.approx(expected.item(), abs=1e-5)
    y.sum().backward()
    torch.testing.assert_close(layer.module.weight.grad, torch.where(zeroed, 0.0, x.sum(0) / 0.6))
    torch.testing.assert_close(layer.module.bias.grad, torch.full((30,), 8.0))
    assert not torch.equal(layer(x), layer(x)), "each call draws a mask"


def test_drop_connect_does_not_change_the_mean() -> None:
    layer, x = DropConnect(nn.Linear(D, 2), 0.5), torch.randn(D)
    with torch.no_grad():
        assert_mean(torch.stack([layer(x) for _ in range(3000)]), layer.module(x))


@pytest.mark.parametrize("kind, gates", [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_drop_connect_on_recurrent_weights_is_the_layer_with_some_of_them_zeroed(kind: type, gates: int) -> None:
    """The same for all steps and both layers of torch's own, its state and its gradients included."""
    plain = kind(D, H, num_layers=2)
    layer = DropConnect(copy.deepcopy(plain), 0.5, ("weight_hh_l0", "weight_hh_l1"))
    x = torch.randn(T, B, D)
    masks = {}
    torch.manual_seed(7)
    for name in ("weight_hh_l0", "weight_hh_l1"):
        masks[name] = F.dropout(torch.ones(gates * H, H), 0.5)
        getattr(plain, name).data *= masks[name]
    assert not torch.equal(*masks.values())
    expected, got = plain(x), seeded(layer, x)
    torch.testing.assert_close(got, expected[0])
    got.square().sum().backward()
    expected[0].square().sum().backward()
    for name, parameter in layer.module.named_parameters():
        torch.testing.assert_close(parameter.grad, getattr(plain, name).grad * masks.get(name, 1.0), msg=name)


def test_drop_connect_takes_and_gives_what_the_module_does() -> None:
    layer, x = DropConnect(nn.LSTM(D, H), 0.5, ("weight_hh_l0",)), torch.randn(T, B, D)
    whole = seeded(layer, x)
    torch.manual_seed(7)
    first, state = layer(x[:2])
    torch.manual_seed(7)
    second, (h, _) = layer(x[2:], hx=state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(h[0], whole[-1])


@pytest.mark.parametrize("kind, name", [(nn.Linear, "weight"), (nn.LSTM, "weight_hh_l0")])
def test_drop_connect_leaves_the_raw_weights_in_place(kind: type, name: str) -> None:
    """What an optimiser, a checkpoint, a copy or an evaluation sees after a call in training is the raw weight."""
    module, x = kind(D, H), torch.randn(T, B, D)
    before, parameters = copy.deepcopy(module), list(module.parameters())
    layer = DropConnect(module, 0.5, (name,))
    dropped = seeded(layer, x)
    assert [id(p) for p in layer.parameters()] == [id(p) for p in parameters]
    assert list(layer.state_dict()) == [f"module.{key}" for key in before.state_dict()]
    for key, value in before.state_dict().items():
        assert torch.equal(layer.state_dict()[f"module.{key}"], value)
    expected = seeded(before, x)
    assert not torch.allclose(dropped, expected)
    for other in (copy.deepcopy(layer), layer):
        torch.testing.assert_close(seeded(other.eval(), x), expected, rtol=0, atol=0)
    with torch.no_grad():
        parameters[0].mul_(2.0)
    assert not torch.equal(seeded(layer, x), expected), "a step of the optimiser reaches it"


def test_drop_connect_reaches_deeper_weights() -> None:
    inner = nn.Sequential(nn.Linear(D, H), nn.Tanh(), nn.Linear(H, 2))
    layer, x = DropConnect(inner, 0.5, ("2.weight",)), torch.randn(B, D)
    expected = F.linear(inner[:2](x), inner[2].weight * drawn(7, 2, H, share=0.5), inner[2].bias)
    torch.testing.assert_close(seeded(layer, x), expected)


def shaken_weight(weight: torch.Tensor, reversed_: tuple[bool, ...], tau: float, c: float) -> torch.Tensor:
    """W~ of Kang et al. 2016, entry by entry, when those inputs are reversed."""
    made = torch.empty_like(weight)
    for i, j in itertools.product(*map(range, weight.shape)):
        w = weight[i, j].item()
        sign = math.copysign(1.0, w) if w else 0.0
        made[i, j] = -c * sign if reversed_[j] else (w + c * tau * sign) / (1 - tau)
    return made


def test_shakeout_is_its_equation_and_each_case_as_likely_as_it_should_be() -> None:
    """Every row's output is that of exactly one of the 2^D ways to reverse inputs; nothing is known of the masks."""
    tau, c, rows = 0.3, 0.7, 8000
    layer, x = ShakeOut(3, 2, tau, c), torch.tensor([0.9, -1.3, 0.4])
    with torch.no_grad():
        layer.weight[0, 1] = 0.0  # whose sign is 0
        weight, bias, y = layer.weight.clone(), layer.bias.clone(), layer(x.expand(rows, 3))
    cases = list(itertools.product([False, True], repeat=3))
    made = torch.stack([shaken_weight(weight, case, tau, c) @ x + bias for case in cases])
    fits = (y.unsqueeze(1) - made).abs().amax(-1) < 1e-5
    assert (fits.sum(1) == 1).all()
    for case, count in zip(cases, fits.sum(0).tolist(), strict=True):
        chance = math.prod(tau if reverse else 1 - tau for reverse in case)
        assert abs(count / rows - chance) < 5 * (chance * (1 - chance) / rows) ** 0.5, case
    assert_mean(y, weight @ x + bias)


def test_shakeout_and_its_gradients_row_by_row() -> None:
    """Each position of a [T, B, D] input has its own mask; the sign counts as a constant."""
    layer, x, far = ShakeOut(D, H, 0.4, 0.2), torch.randn(T, B, D).requires_grad_(), torch.randn(T, B, H)
    y, mask = seeded(layer, x), drawn(7, T, B, D, share=0.4)
    (y * far).sum().backward()
    weight, of_weight = layer.weight.detach(), torch.zeros(H, D)
    for t, b in itertools.product(range(T), range(B)):
        used = shaken_weight(weight, tuple((mask[t, b] == 0).tolist()), 0.4, 0.2)
        torch.testing.assert_close(y[t, b].detach(), used @ x[t, b].detach() + layer.bias.detach())
        torch.testing.assert_close(x.grad[t, b], used.T @ far[t, b])
        of_weight += torch.outer(far[t, b], mask[t, b] * x[t, b].detach())
    torch.testing.assert_close(layer.weight.grad, of_weight)
    torch.testing.assert_close(layer.bias.grad, far.sum((0, 1)))


def test_shakeout_without_c_is_dropout_on_the_inputs() -> None:
    layer, x = ShakeOut(D, H, 0.4, 0.0), torch.randn(B, D)
    expected = (x * drawn(7, B, D, share=0.4)) @ layer.weight.T + layer.bias
    torch.testing.assert_close(seeded(layer, x), expected)
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert list(ShakeOut(D, H, 0.4, 0.1, bias=False).state_dict()) == ["weight"]


def test_gaussian_noise_has_its_spread_and_no_mean() -> None:
    x = torch.randn(10).requires_grad_()
    y = GaussianNoise(0.3)(x.expand(20_000, 10))
    assert_mean(y.detach(), x.detach())
    noise = (y - x).detach()
    torch.testing.assert_close(noise.std(0), torch.full((10,), 0.3), atol=0.3 * 5 / 40_000**0.5, rtol=0)
    within = (noise.abs() < 0.3).float().mean().item()
    assert within == pytest.approx(math.erf(0.5**0.5), abs=5 * (0.32 * 0.68 / 200_000) ** 0.5), "it is normal"
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.full((10,), 20_000.0))
    assert torch.equal(GaussianNoise(0.0)(x), x)


def test_maxout_is_the_largest_piece() -> None:
    layer, x = Maxout(D, H, 3), torch.randn(T, B, D)
    y, weight, bias = layer(x), layer.affine.weight.detach(), layer.affine.bias.detach()
    chosen = set()
    for t, b, i in itertools.product(range(T), range(B), range(H)):
        pieces = [(bias[i * 3 + k] + sum(weight[i * 3 + k, j] * x[t, b, j] for j in range(D))).item() for k in range(3)]
        assert y[t, b, i].item() == pytest.approx(max(pieces), abs=1e-6)
        chosen.add(pieces.index(max(pieces)))
    assert chosen == {0, 1, 2}


def test_maxout_can_be_the_absolute_value_and_only_the_largest_piece_learns() -> None:
    layer = Maxout(1, 1, 2, bias=False)
    layer.affine.weight.data = torch.tensor([[1.0], [-1.0]])
    y = layer(torch.tensor([[-2.0], [0.5], [3.0]]))
    assert y.flatten().tolist() == [2.0, 0.5, 3.0]
    y.sum().backward()
    assert layer.affine.weight.grad.flatten().tolist() == [3.5, -2.0]


def test_leaky_relu_leaks() -> None:
    x = torch.tensor([-2.0, -0.5, 0.5, 4.0]).requires_grad_()
    y = LeakyReLU(0.25)(x)
    assert y.tolist() == [-0.5, -0.125, 0.5, 4.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.25, 0.25, 1.0, 1.0]
    assert LeakyReLU()(torch.tensor(-1.0)).item() == pytest.approx(-0.01)


@pytest.mark.parametrize("name", RANDOM)
def test_the_seed_decides_and_each_call_draws_anew(name: str) -> None:
    layer, x = RANDOM[name](), torch.randn(T, B, D)
    first = seeded(layer, x, 1)
    assert torch.equal(first, seeded(layer, x, 1))
    assert not torch.equal(first, seeded(layer, x, 2))


@pytest.mark.parametrize("name", RANDOM)
def test_evaluation_is_the_plain_function_and_draws_nothing(name: str) -> None:
    layer, x = RANDOM[name]().eval(), torch.randn(T, B, D)
    before = torch.get_rng_state()
    y = layer(x)
    assert torch.equal(before, torch.get_rng_state())
    if isinstance(layer, DropConnect):
        plain = type(layer.module)(D, H)
        plain.load_state_dict(layer.module.state_dict())
        y, x = (y[0], plain(x)[0]) if isinstance(y, tuple) else (y, plain(x))
    elif isinstance(layer, ShakeOut):
        x = x @ layer.weight.T + layer.bias
    torch.testing.assert_close(y, x)


@pytest.mark.parametrize("name", [*RANDOM, *PLAIN])
def test_bfloat16_of_autocast_is_near_float32(name: str) -> None:
    layer, x = {**RANDOM, **PLAIN}[name](), torch.randn(T, B, D)
    exact = seeded(layer, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = seeded(layer, x)
    if y.requires_grad:
        y.float().sum().backward()
    torch.testing.assert_close(y.float(), exact, atol=0.05, rtol=0.02)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in layer.parameters())


@pytest.mark.parametrize("name", [*RANDOM, *PLAIN])
def test_masks_are_made_where_the_input_is(name: str) -> None:
    """The device "meta" holds no values, but refuses to be mixed with another."""
    layer = {**RANDOM, **PLAIN}[name]().to("meta")
    assert seeded(layer, torch.randn(T, B, D, device="meta")).device.type == "meta"


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Dropout(1.0), "share must be at least 0 and less than 1, got 1.0"),
        (lambda: Dropout(-0.1), "share must be at least 0 and less than 1, got -0.1"),
        (lambda: LockedDropout(math.nan), "share must be at least 0 and less than 1, got nan"),
        (lambda: DropConnect(nn.Linear(2, 2), 1.5), "share must be at least 0 and less than 1, got 1.5"),
        (
            lambda: DropConnect(nn.Linear(2, 2), 0.5, ("weigth",)),
            "weights has 'weigth', which Linear lacks; did you mean 'weight'?",
        ),
        (
            lambda: DropConnect(nn.Linear(2, 2), 0.5, ()),
            "weights must name at least one parameter, got none; known: weight, bias",
        ),
        (lambda: ShakeOut(2, 2, 1.0, 0.1), "tau must be at least 0 and less than 1, got 1.0"),
        (lambda: ShakeOut(2, 2, 0.5, -0.1), "c must be at least 0 and finite, got -0.1"),
        (lambda: GaussianNoise(-1.0), "std must be at least 0 and finite, got -1.0"),
        (lambda: Maxout(2, 2, 0), "pieces must be at least 1, got 0"),
        (lambda: LeakyReLU(1.0), "slope must be at least 0 and less than 1, got 1.0"),
    ],
)
def test_values_out_of_range_are_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_layers_say_their_settings() -> None:
    assert str(Dropout(0.25)) == "Dropout(share=0.25)"
    assert str(LockedDropout(0.25)) == "LockedDropout(share=0.25)"
    assert "share=0.5, weights=('weight',)" in str(DropConnect(nn.Linear(2, 2)))
    assert str(ShakeOut(4, 3, 0.5, 0.1)) == "ShakeOut(in_features=4, out_features=3, bias=True, tau=0.5, c=0.1)"
    assert str(GaussianNoise(0.1)) == "GaussianNoise(std=0.1)"
    assert "outputs=3, pieces=2" in str(Maxout(4, 3))
    assert str(LeakyReLU()) == "LeakyReLU(slope=0.01)"
