"""The recurrent layer against plain loops over time, written from the published equations."""

import pytest
import torch
from torch import nn

from textdl.models.recurrent import CELLS, Recurrent, locked_dropout

T, B, D, H = 7, 3, 5, 4


def rnn_step(x, h, c, w):
    """Elman 1990: h = tanh(W x + b + U h + d)."""
    h = torch.tanh(w["W"] @ x + w["b"] + w["U"] @ h + w["d"])
    return h, c


def lstm_step(x, h, c, w):
    """Gers et al. 2000: gates i, f, g, o stacked in that order."""
    i, f, g, o = (w["W"] @ x + w["b"] + w["U"] @ h + w["d"]).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_step(x, h, c, w):
    """Cho et al. 2014, in the form of Chung et al. 2014 that cuDNN computes: r multiplies U h + d."""
    wr, wz, wn = (w["W"] @ x + w["b"]).chunk(3)
    ur, uz, un = (w["U"] @ h + w["d"]).chunk(3)
    r, z = torch.sigmoid(wr + ur), torch.sigmoid(wz + uz)
    n = torch.tanh(wn + r * un)
    return (1 - z) * n + z * h, c


def sru_step(x, h, c, w):
    """Lei et al. 2018, its gates of the input alone: a running average, read through a normalisation."""
    z, f, r = (w["W"][: 3 * H] @ x + w["b"]).chunk(3)
    c = torch.sigmoid(f) * c + (1 - torch.sigmoid(f)) * z
    shown = layer_normed(c, w["gain"], w["bias"])
    return torch.sigmoid(r) * shown + (x if len(x) == H else w["W"][3 * H :] @ x), c


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step, "sru": sru_step}
NAMES = {"sru": ("W", "b", "gain", "bias")}
WITH_RECURRENT_WEIGHTS = ["rnn", "lstm", "gru"]


def reference(layer: Recurrent, x: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One sequence of the batch at a time, one step at a time, one layer above the other."""
    outputs, ends = torch.zeros(T, B, H), torch.zeros_like(state)
    for b in range(B):
        sequence = [x[t, b] for t in range(T)]
        for number, weights in enumerate(layer.layers):
            w = dict(zip(NAMES.get(layer.cell, "WUbd"), (p.detach() for p in weights.parameters()), strict=True))
            h, c = state[number, 0, b], state[number, -1, b]
            above = []
            for step in sequence:
                h, c = STEPS[layer.cell](step, h, c, w)
                above.append(h)
            sequence = above
            ends[number, :, b] = torch.stack([h, c][: layer.state_tensors])
        if layer.cell == "sru":
            sequence = [layer_normed(y, *(p.detach() for p in layer.top.parameters())) for y in sequence]
        outputs[:, b] = torch.stack(sequence)
    return outputs, ends


def noisy(layer: nn.Module) -> None:
    """Weights and biases away from their initial values, so that a bias forgotten shows."""
    generator = torch.Generator().manual_seed(3)
    for parameter in layer.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_fast_path_agrees_with_the_equations(cell, layers):
    torch.manual_seed(0)
    layer = Recurrent(cell, D, H, layers).eval()
    noisy(layer)
    x = torch.randn(T, B, D)
    state = torch.randn(layers, layer.state_tensors, B, H)
    y, end = layer(x, state)
    expected, expected_end = reference(layer, x, state)
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(end, expected_end, atol=1e-5, rtol=1e-5)


def layer_normed(v, gain, bias):
    """Ba et al. 2016, over one gate."""
    return (v - v.mean()) / torch.sqrt(((v - v.mean()) ** 2).mean() + 1e-5) * gain + bias


@pytest.mark.parametrize("cell", WITH_RECURRENT_WEIGHTS)
def test_layer_norm_agrees_with_the_equations(cell):
    torch.manual_seed(0)
    layer = Recurrent(cell, D, H, layer_norm=True).eval()
    noisy(layer)
    x = torch.randn(T, B, D)
    y, _ = layer(x)
    weights, norms = layer.layers[0], layer.norms[0]
    W, U, b, d = (p.detach() for p in weights.parameters())
    for column in range(B):
        h, c = torch.zeros(H), torch.zeros(H)
        for t in range(T):
            ins, backs = (W @ x[t, column] + b).split(H), (U @ h + d).split(H)
            gi, bi = norms.gain_ih.detach().split(H), norms.bias_ih.detach().split(H)
            gh, bh = norms.gain_hh.detach().split(H), norms.bias_hh.detach().split(H)
            a = [layer_normed(v, g, e) for v, g, e in zip(ins, gi, bi, strict=True)]
            r = [layer_normed(v, g, e) for v, g, e in zip(backs, gh, bh, strict=True)]
            if cell == "rnn":
                h = torch.tanh(a[0] + r[0])
            elif cell == "lstm":
                i, f, g, o = (p + q for p, q in zip(a, r, strict=True))
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(
                    layer_normed(c, norms.memory.weight.detach(), norms.memory.bias.detach())
                )
            else:
                reset, update = torch.sigmoid(a[0] + r[0]), torch.sigmoid(a[1] + r[1])
                h = (1 - update) * torch.tanh(a[2] + reset * r[2]) + update * h
            torch.testing.assert_close(y[t, column].detach(), h, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_state_carries_over_a_cut(cell):
    """Reading a text in two windows is reading it in one."""
    torch.manual_seed(0)
    layer = Recurrent(cell, D, H, 2).eval()
    x = torch.randn(T, B, D)
    whole, end = layer(x)
    first, state = layer(x[:3])
    second, state = layer(x[3:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(state, end)


def test_locked_dropout_keeps_one_mask_for_all_steps():
    torch.manual_seed(0)
    y = locked_dropout(torch.ones(50, 20, 30), 0.25, training=True)
    assert sorted(y.unique().tolist()) == pytest.approx([0.0, 1 / 0.75])
    assert (y == y[0]).all()
    assert 0.18 < (y[0] == 0).float().mean() < 0.32
    assert (locked_dropout(y, 0.25, training=False) == y).all()


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("cell", WITH_RECURRENT_WEIGHTS)
def test_recurrent_dropout_is_the_layer_with_some_recurrent_weights_zeroed(cell, layer_norm):
    torch.manual_seed(0)
    layer = Recurrent(cell, D, H, recurrent_dropout=0.5, layer_norm=layer_norm)
    x = torch.randn(T, B, D)
    torch.manual_seed(7)
    dropped, _ = layer.train()(x)
    torch.manual_seed(7)
    weight = layer.layers[0].weight_hh_l0
    weight.data = nn.functional.dropout(weight.data, 0.5)
    assert (weight == 0).any()
    torch.testing.assert_close(layer.eval()(x)[0], dropped)


def test_gradients_reach_every_weight():
    for cell in CELLS:
        layer = Recurrent(cell, D, H, 2, dropout=0.2, recurrent_dropout=0.2 if cell != "sru" else 0.0).train()
        layer(torch.randn(T, B, D))[0].sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in layer.parameters()), cell


def test_forget_gate_starts_open_and_recurrent_weights_are_orthogonal():
    layer = Recurrent("lstm", D, H).layers[0]
    assert layer.bias_ih_l0.tolist() == [0.0] * H + [1.0] * H + [0.0] * 2 * H
    for gate in layer.weight_hh_l0.detach().split(H):
        torch.testing.assert_close(gate @ gate.T, torch.eye(H), atol=1e-5, rtol=0)
