"""The simple recurrent unit: a recurrent cell without a product at each step, for long memory in little time.

Legend: T time steps, B sequences in a batch, D width of the input, H width of the state.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: The longest memory a unit starts with, in steps; they begin spread from 1 to this.
LONGEST_MEMORY = 600.0


class SRU(nn.Module):
    """``forward(x [T, B, D], state [2, B, H]) -> (y [T, B, H], state)``; the state holds y and c of the last step.

    ::

        z, f, r, s = W x + b                    c' = σ(f) c + (1 - σ(f)) z
                                                y = σ(r) norm(c') + s

    After Lei et al. 2018, "Simple recurrent units for highly parallelizable recurrence", in its first form, whose gates
    see the input alone: all products are made at once for all T steps, and only a running average is left to the
    loop over time. Two departures: c is read through a layer normalisation (Ba et al. 2016), and what bypasses it is
    added and not gated. s is x itself where D = H (W then has no rows for it). As c weighs old against new, it never
    grows.

    The forget gates begin with memories of 1 to 600 steps, evenly spread on a logarithmic scale (chrono initialisation,
    Tallec & Ollivier 2018), which is why it learns over long windows from the start.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.weight = nn.Parameter(torch.empty((3 if inputs == hidden else 4) * hidden, inputs))
        self.bias = nn.Parameter(torch.zeros(3 * hidden))
        self.norm = nn.LayerNorm(hidden)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot weights for z, uniform ±1/√D for the rest, zero biases but for the forget gates'."""
        bound = self.weight.shape[1] ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.xavier_uniform_(self.weight.data[: self.hidden])
        nn.init.zeros_(self.bias)
        self.bias.data[self.hidden : 2 * self.hidden].uniform_(0.0, math.log(LONGEST_MEMORY))

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        whole = len(self.weight) == 3 * self.hidden
        summed = F.linear(
            x, self.weight, self.bias if whole else F.pad(self.bias, (0, self.hidden))
        )  # [T, B, 3H or 4H]
        z, f, r, *bypass = summed.split(self.hidden, dim=-1)
        full = torch.promote_types(summed.dtype, torch.float32)  # bfloat16 could not tell 0.998 from 1
        c = gated_average(torch.sigmoid(f.to(full)), z.to(full), state[1].to(full))  # [T, B, H]
        y = torch.sigmoid(r) * self.norm(c).to(r.dtype) + (x if whole else bypass[0])
        return y, torch.stack([y[-1].to(full), c[-1]])


def gated_average(keep: Tensor, new: Tensor, start: Tensor) -> Tensor:
    """``c[t] = keep[t] c[t - 1] + (1 - keep[t]) new[t]`` for all t: keep and new [T, B, H], start [B, H] -> [T, B, H].

    On a CPU a compiled loop over time; elsewhere, and in float64, log2(T) rounds of whole-array products
    (Hillis & Steele 1986).
    """
    if keep.device.type == "cpu" and keep.dtype == torch.float32:
        made: Tensor = _Scan.apply(keep, new, start)
        return made
    return _by_doubling(keep, new, start)


def _by_doubling(keep: Tensor, new: Tensor, start: Tensor) -> Tensor:
    """After the round with offset k, ``c`` holds what the last 2k steps add, ``keep`` what they leave of the rest."""
    c = (1 - keep) * new
    c = torch.cat([c[:1] + keep[:1] * start, c[1:]])
    offset = 1
    while offset < len(c):
        c = torch.cat([c[:offset], c[offset:] + keep[offset:] * c[:-offset]])
        keep = torch.cat([keep[:offset], keep[offset:] * keep[:-offset]])
        offset *= 2
    return c


class _Scan(torch.autograd.Function):
    """``gated_average`` by the loops of ``kernels.scanning``."""

    @staticmethod
    def forward(ctx: Any, keep: Tensor, new: Tensor, start: Tensor) -> Tensor:
        from ..kernels.scanning import scan

        keep, new, start = keep.contiguous(), new.contiguous(), start.contiguous()
        memory = torch.empty_like(keep)
        scan(*_rows(keep, new), start.detach().numpy().reshape(-1), *_rows(memory))
        ctx.save_for_backward(keep, new, start, memory)
        return memory

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        from ..kernels.scanning import scan_backward

        keep, new, start, memory = ctx.saved_tensors
        of_keep, of_new, of_start = torch.empty_like(keep), torch.empty_like(new), torch.empty_like(start)
        before, first = start.detach().numpy().reshape(-1), of_start.numpy().reshape(-1)
        gradient = gradients[0].contiguous()
        scan_backward(*_rows(keep, new), before, *_rows(memory, gradient), *_rows(of_keep, of_new), first)
        return of_keep, of_new, of_start


def _rows(*tensors: Tensor) -> list[Any]:
    """The tensors [T, B, H] as arrays [T, B * H] on the same memory."""
    return [tensor.detach().numpy().reshape(len(tensor), -1) for tensor in tensors]
