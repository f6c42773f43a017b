"""The window over a text: the compiled loop against plain torch, and both against the definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from textdl.models.text_window import WindowedLSTM, WindowState

T, B, U, H, C, K = 23, 4, 7, 10, 6, 3
PACE = 4.0


def made(seed: int = 0) -> tuple[WindowedLSTM, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    layer = WindowedLSTM(3, H, C, K, PACE)
    with torch.no_grad():  # further from where it begins
        for weight in layer.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return layer, torch.randn(T, B, 3), torch.randint(0, C, (B, U)), torch.tensor([7, 5, 1, 3])


def numbers_of(state: WindowState) -> list[torch.Tensor]:
    return list(state)


def both(layer: WindowedLSTM, x: torch.Tensor, *rest: torch.Tensor) -> list[list[torch.Tensor]]:
    """Results and gradients of the compiled and of the plain loop."""
    found = []
    for loop in (layer._compiled, layer._plain):
        layer.zero_grad()
        start = WindowState(*(0.1 * torch.ones_like(part) for part in layer.start(rest[0])))
        begins = [part.requires_grad_() for part in start]
        own = x.clone().requires_grad_()
        sums = torch.nn.functional.linear(own, layer.weight_x, layer.bias)
        hidden, window, state = loop(sums, *rest, start)
        results = [hidden, window, *numbers_of(state)]
        generator = torch.Generator().manual_seed(3)
        total = sum((part * torch.randn(part.shape, generator=generator)).sum() for part in results[:-1])
        assert isinstance(total, torch.Tensor)
        total.backward()
        gradients = [own.grad, *(weight.grad for weight in layer.parameters()), *(part.grad for part in begins[:-1])]
        found.append([part.detach() for part in results] + [part.clone() for part in gradients if part is not None])
    return found


def test_the_compiled_loop_is_the_plain_one_forward_and_backward() -> None:
    compiled, plain = both(*made())
    assert len(compiled) == len(plain) == 7 + 1 + 5 + 4
    for ours, theirs in zip(compiled, plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-5)


def test_the_plain_loop_has_the_right_gradient() -> None:
    layer, x, ids, lengths = made()
    layer, x = layer.double(), x[:4].double().requires_grad_()

    def first(numbers: torch.Tensor) -> torch.Tensor:
        hidden, window, _ = layer(numbers, ids, lengths)
        return torch.cat([hidden, window], dim=-1)

    assert torch.autograd.gradcheck(first, (x,))


def test_it_is_the_papers_rule_by_hand() -> None:
    layer, x, ids, lengths = made(1)
    hidden, window, state = layer(x, ids, lengths)
    for b in range(B):
        h, c, w, kappa = np.zeros(H), np.zeros(H), np.eye(C)[ids[b, 0]], np.zeros(K)
        weights = {name: weight.detach().double().numpy() for name, weight in layer.named_parameters()}
        for t in range(T):
            sums = weights["weight_x"] @ x[t, b].numpy() + weights["weight_fed"] @ np.r_[h, w] + weights["bias"]
            i, f, g, o = sums.reshape(4, H)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
            alpha, beta, step = np.logaddexp(0, weights["look.weight"] @ h + weights["look.bias"]).reshape(3, K)
            kappa = kappa + step / (PACE * math.log(2))
            phi = [sum(alpha * np.exp(-beta * (kappa - u) ** 2)) for u in range(int(lengths[b]))]
            w = np.zeros(C)
            for u, weight in enumerate(phi):
                w[ids[b, u]] += weight
            np.testing.assert_allclose(hidden[t, b].detach(), h, rtol=1e-3, atol=1e-5)
            np.testing.assert_allclose(window[t, b].detach(), w, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(state.phi[b, : len(phi)].detach(), phi, rtol=1e-3, atol=1e-5)
        assert not state.phi[b, len(phi) :].any()


def test_it_goes_on_from_its_state() -> None:
    layer, x, ids, lengths = made()
    hidden, window, end = layer(x, ids, lengths)
    first, seen, state = layer(x[:9], ids, lengths)
    rest, more, last = layer(x[9:], ids, lengths, state)
    torch.testing.assert_close(torch.cat([first, rest]), hidden)
    torch.testing.assert_close(torch.cat([seen, more]), window)
    for ours, theirs in zip(numbers_of(last), numbers_of(end), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_what_stands_behind_a_text_is_not_seen() -> None:
    layer, x, ids, lengths = made()
    others = torch.where(torch.arange(U) < lengths.unsqueeze(-1), ids, (ids + 1) % C)
    assert not torch.equal(ids, others)
    for ours, theirs in zip(layer(x, ids, lengths)[:2], layer(x, others, lengths)[:2], strict=True):
        assert torch.equal(ours, theirs)


def test_at_first_the_window_moves_at_the_pace_of_the_data() -> None:
    torch.manual_seed(0)
    layer = WindowedLSTM(3, H, C, K, PACE)
    with torch.no_grad():
        layer.look.weight.zero_()
    _, window, state = layer(torch.zeros(20, 1, 3), torch.zeros(1, U, dtype=torch.int64), torch.tensor([U]))
    torch.testing.assert_close(state.kappa, torch.full((1, K), 20 / PACE))
    assert window.max().item() == pytest.approx(1.77, abs=0.1), "a Gaussian of β = 1 over whole places: √π"


def test_under_autocast_it_stays_float32() -> None:
    layer, x, ids, lengths = made()
    with torch.autocast("cpu", torch.bfloat16):
        hidden, _, _ = layer(x.bfloat16().float(), ids, lengths)
    assert hidden.dtype == torch.float32
    torch.testing.assert_close(hidden, layer(x.bfloat16().float(), ids, lengths)[0])
