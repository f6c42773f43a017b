"""The simple recurrent unit: its two ways of averaging over time, and what it starts from.

Its equations are held against a plain loop in test_recurrent.py.
"""

import math

import pytest
import torch

from textdl.errors import ConfigError
from textdl.models.lm import LanguageModelConfig
from textdl.models.recurrent import Recurrent
from textdl.models.sru import LONGEST_MEMORY, SRU, gated_average


def parts(steps: int, dtype: torch.dtype) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(steps)
    keep = torch.rand(steps, 3, 4, generator=generator)
    new = torch.randn(steps, 3, 4, generator=generator)
    start = torch.randn(3, 4, generator=generator)
    return [part.to(dtype).requires_grad_() for part in (keep, new, start)]


@pytest.mark.parametrize("steps", [1, 2, 3, 8, 21])
def test_averaging_is_the_plain_loop_in_either_way(steps: int) -> None:
    """float32 takes the compiled loop, float64 the rounds of doubling; so do the gradients."""
    for dtype, close in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
        keep, new, start = parts(steps, dtype)
        plain, c = [], start
        for t in range(steps):
            c = keep[t] * c + (1 - keep[t]) * new[t]
            plain.append(c)
        made, weight = gated_average(keep, new, start), torch.randn(steps, 3, 4, dtype=dtype)
        torch.testing.assert_close(made, torch.stack(plain), atol=close, rtol=close)
        wanted = torch.autograd.grad((torch.stack(plain) * weight).sum(), (keep, new, start))
        got = torch.autograd.grad((made * weight).sum(), (keep, new, start))
        torch.testing.assert_close(got, wanted, atol=close, rtol=close)


def test_gradients_of_the_whole_layer_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    layer = SRU(3, 2).double()
    x, state = torch.randn(4, 2, 3).double().requires_grad_(), torch.randn(2, 2, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, c: layer(x, torch.stack([c, c]))[0], (x, state[1]))


def test_memories_begin_spread_from_one_step_to_the_longest() -> None:
    torch.manual_seed(0)
    bias = SRU(8, 4000).bias.detach()[4000:8000]
    assert 0 <= bias.min() < 0.1
    assert 0.98 * math.log(LONGEST_MEMORY) < bias.max() <= math.log(LONGEST_MEMORY)
    assert bias.mean().item() == pytest.approx(math.log(LONGEST_MEMORY) / 2, rel=0.05)


def test_bfloat16_is_averaged_in_float32() -> None:
    torch.manual_seed(0)
    layer = SRU(8, 16)
    x, state = torch.randn(300, 2, 8), torch.zeros(2, 2, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, end = layer(x, state)
    assert (y.dtype, end.dtype) == (torch.bfloat16, torch.float32)
    torch.testing.assert_close(y.float(), layer(x, state)[0], atol=0.15, rtol=0.05)


@pytest.mark.parametrize("setting", [{"recurrent_dropout": 0.1}, {"layer_norm": True}])
def test_what_needs_recurrent_weights_is_refused(setting: dict[str, float]) -> None:
    message = f"{next(iter(setting))} is for rnn, lstm, gru; sru has no recurrent weights: leave it out"
    with pytest.raises(ConfigError, match=message):
        LanguageModelConfig(cell="sru", **setting)
    with pytest.raises(ConfigError, match=message):
        Recurrent("sru", 3, 4, **setting)
