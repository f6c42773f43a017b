"""Pooling, and layers that read both ways, against numpy and torch's own bidirectional layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textdl.models.bidirectional import Reading, turned
from textdl.models.pooling import POOLINGS, Pooling

LENGTHS = torch.tensor([4, 1, 7, 3])


def padded(width: int, garbage: float = 99.0) -> tuple[Tensor, Tensor]:
    """Outputs [T, B, width] with garbage where there is padding, and the mask [T, B, 1]."""
    torch.manual_seed(2)
    mask = (torch.arange(9).unsqueeze(1) < LENGTHS).unsqueeze(-1)
    return torch.randn(9, len(LENGTHS), width).masked_fill(~mask, garbage), mask


def slow(kind: str, y: np.ndarray, halves: bool) -> np.ndarray:
    """One text [T, H] pooled."""
    if kind == "all":
        return np.concatenate([slow(one, y, halves) for one in ("last", "max", "mean")])
    half = y.shape[1] // 2
    last = np.concatenate([y[-1, :half], y[0, half:]]) if halves else y[-1]
    return {"max": y.max(0), "mean": y.mean(0), "last": last}[kind]


@pytest.mark.parametrize("halves", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in POOLINGS if kind != "attention"])
def test_pooling_is_what_numpy_makes_of_each_text(kind: str, halves: bool) -> None:
    y, mask = padded(6)
    pooling = Pooling(kind, 6, halves)
    found = pooling(y, mask)
    wanted = np.stack([slow(kind, y[:length, place].numpy(), halves) for place, length in enumerate(LENGTHS)])
    assert found.shape == (len(LENGTHS), pooling.width)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6, atol=1e-6)


@torch.no_grad()
def test_attention_is_a_softmax_over_the_words_of_a_text() -> None:
    y, mask = padded(6, torch.nan)
    y = y.nan_to_num(50.0)
    pooling = Pooling("attention", 6)
    weights = pooling.attention(y, mask).squeeze(-1).numpy()
    w, b, v = (tensor.double().numpy() for tensor in (pooling.hidden.weight, pooling.hidden.bias, pooling.vote.weight))
    for place, length in enumerate(LENGTHS.tolist()):
        own = y[:length, place].double().numpy()
        powers = np.exp([(v @ np.tanh(w @ row + b)).item() for row in own])
        np.testing.assert_allclose(weights[:length, place], powers / powers.sum(), rtol=1e-5)
        assert (weights[length:, place] == 0).all()
        np.testing.assert_allclose(pooling(y, mask)[place].numpy(), powers / powers.sum() @ own, rtol=1e-5, atol=1e-6)


def test_each_text_is_turned_round_by_itself() -> None:
    assert turned(torch.tensor([3, 1, 4]), 4).T.tolist() == [[2, 1, 0, 3], [0, 1, 2, 3], [3, 2, 1, 0]]


CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@torch.no_grad()
def peer(reading: Reading, cell: str, inputs: int, hidden: int, layers: int, both: bool) -> nn.Module:
    """torch's own stack with the weights of ours."""
    made = CELLS[cell](inputs, hidden, layers, bidirectional=both)
    for number in range(layers):
        for ending, own in (("", reading.forwards), ("_reverse", reading.backwards if both else None)):
            if own is None:
                continue
            for name, weight in own[number].layers[0].named_parameters():
                getattr(made, name.replace("_l0", f"_l{number}{ending}")).copy_(weight)
    return made


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_reading_is_torchs_own_stack_over_packed_texts(cell: str, layers: int, both: bool) -> None:
    torch.manual_seed(4)
    reading = Reading(cell, 5, 3, layers, both).eval()
    for parameter in reading.parameters():
        parameter.copy_(torch.randn_like(parameter))
    x, mask = padded(5, 1e3)
    packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    wanted, own = pad_packed_sequence(peer(reading, cell, 5, 3, layers, both)(packed)[0])
    assert own.tolist() == LENGTHS.tolist()
    y = reading(x, LENGTHS)
    assert y.shape[-1] == reading.width
    torch.testing.assert_close((y * mask)[: len(wanted)], wanted, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_the_last_states_are_those_that_torch_ends_with() -> None:
    torch.manual_seed(4)
    reading = Reading("lstm", 5, 3, 2).eval()
    x, mask = padded(5)
    packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    _, (ends, _) = peer(reading, "lstm", 5, 3, 2, True)(packed)  # [2 * 2, B, 3]
    found = Pooling("last", 6, halves=True)(reading(x, LENGTHS), mask)
    torch.testing.assert_close(found, torch.cat([ends[-2], ends[-1]], dim=-1), rtol=1e-5, atol=1e-6)


def test_dropout_between_layers_is_one_mask_a_text_and_only_in_training() -> None:
    torch.manual_seed(4)
    reading = Reading("gru", 5, 30, 2, dropout=0.5)
    x, _ = padded(5, 0.0)
    seen: list[Tensor] = []
    reading.forwards[1].register_forward_pre_hook(lambda layer, arguments: seen.append(arguments[0]))
    reading(x, LENGTHS)
    dropped = seen[0] == 0
    assert 0.3 < dropped.float().mean() < 0.7
    assert (dropped == dropped[:1]).all(), "the same features at every step"
    reading.eval()(x, LENGTHS)
    assert not (seen[1] == 0).any()
