"""An LSTM that looks at a text through a soft window which it slides along itself (Graves 2013, arXiv:1308.0850).

Legend: T steps, B sequences in a batch, D width of the input, H width of the state, C kinds of characters, K Gaussians
of the window, U characters of the longest text.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WindowState(NamedTuple):
    """What is remembered from one step to the next."""

    hidden: Tensor  # [B, H]
    cell: Tensor  # [B, H]
    window: Tensor  # [B, C]
    kappa: Tensor  # [B, K], where the Gaussians stand: 0 at the first character
    phi: Tensor  # [B, U], how much of each character was in the last window


class WindowedLSTM(nn.Module):
    """``forward(x [T, B, D], ids [B, U], lengths [B], state) -> (h [T, B, H], w [T, B, C], state)``.

    An LSTM whose input at each step is x and the window w of the step before; its state says how the window moves::

        φ(t, u) = Σ_k α_k exp(-β_k (κ_k - u)²)        w = Σ_u φ(t, u) onehot(text_u)        u = 0 ... length - 1
        α, β = softplus(...)                            κ += softplus(...) / (pace log 2)

    Where the paper has exp there is softplus: its slope is never more than 1, so that no single step throws the window
    off the text. ``pace`` is how many steps a character takes on average: with outputs near 0, as they are at first,
    the window then moves at the pace of the data, which spares the model most of its search for where to look. It
    begins with φ = 1 at the first character (in the paper with a window of zeros), so that the first layer knows what
    it is to begin with.

    On a CPU in float32 the loop over time is compiled (:mod:`textdl.kernels.windowing`), the products apart; elsewhere
    it is plain torch, which the tests hold it against. Both are float32 under autocast: an LSTM's memory and the sum κ
    are no place for bfloat16.
    """

    def __init__(self, inputs: int, hidden: int, characters: int, gaussians: int, pace: float) -> None:
        super().__init__()
        self.hidden, self.characters, self.gaussians = hidden, characters, gaussians
        self.pace = 1.0 / (pace * math.log(2))
        self.weight_x = nn.Parameter(torch.empty(4 * hidden, inputs))
        self.weight_fed = nn.Parameter(torch.empty(4 * hidden, hidden + characters))  # of the state, of the window
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        self.look = nn.Linear(hidden, 3 * gaussians)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As of ``textdl.models.recurrent``: Glorot, orthogonal, open forget gates. The window begins about a character
        wide (β = 1), with weights that add up to 1."""
        size = self.hidden
        for gate in self.weight_x.data.split(size):
            nn.init.xavier_uniform_(gate)
        for gate in self.weight_fed.data.split(size):
            nn.init.orthogonal_(gate[:, :size])
            nn.init.xavier_uniform_(gate[:, size:])
        self.bias.data[size : 2 * size] = 1.0
        nn.init.uniform_(self.look.weight, -(size**-0.5), size**-0.5)
        alpha, beta, step = self.look.bias.data.split(self.gaussians)
        alpha.fill_(math.log(math.expm1(1 / self.gaussians)))
        beta.fill_(math.log(math.expm1(1.0)))
        step.zero_()

    def start(self, ids: Tensor) -> WindowState:
        """The state before the first step: nothing written, the window on the first character."""
        batch, like = len(ids), self.weight_x
        hidden, cell, kappa = (like.new_zeros(batch, size) for size in (self.hidden, self.hidden, self.gaussians))
        phi = (torch.arange(ids.shape[1], device=ids.device) == 0).to(like.dtype).expand(batch, -1)
        window = F.one_hot(ids[:, 0], self.characters).to(like.dtype)
        return WindowState(hidden, cell, window, kappa, phi)

    def forward(
        self, x: Tensor, ids: Tensor, lengths: Tensor, state: WindowState | None = None
    ) -> tuple[Tensor, Tensor, WindowState]:
        state = self.start(ids) if state is None else state
        with torch.autocast(x.device.type, enabled=False):
            sums = F.linear(x.to(self.weight_x.dtype), self.weight_x, self.bias)
            if sums.device.type == "cpu" and sums.dtype == torch.float32 and sums.shape[1]:
                return self._compiled(sums, ids, lengths, state)
            return self._plain(sums, ids, lengths, state)

    def _compiled(
        self, sums: Tensor, ids: Tensor, lengths: Tensor, state: WindowState
    ) -> tuple[Tensor, Tensor, WindowState]:
        # What the loop writes: states and windows after each step, cells and κ after the last, its raw numbers.
        fed, cell, kappa, raw = _Loop.apply(  # type: ignore[no-untyped-call]
            sums, self.weight_fed, self.look.weight, self.look.bias, *state[:4], ids, lengths, self.pace
        )
        hidden, window = fed.split([self.hidden, self.characters], dim=-1)
        alpha, beta, _ = F.softplus(raw).chunk(3, dim=-1)
        phi = _phi(alpha, beta, kappa, ids, lengths)
        return hidden, window, WindowState(hidden[-1], cell, window[-1], kappa, phi)

    def _plain(
        self, sums: Tensor, ids: Tensor, lengths: Tensor, state: WindowState
    ) -> tuple[Tensor, Tensor, WindowState]:
        """Step by step, by torch's own functions."""
        onehot = F.one_hot(ids, self.characters).to(sums.dtype)  # [B, U, C]
        hidden, cell, window, kappa, phi = state
        states, windows = [], []
        for summed in sums:
            gates = summed + F.linear(torch.cat([hidden, window], dim=-1), self.weight_fed)
            i, f, g, o = gates.chunk(4, dim=-1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            alpha, beta, step = F.softplus(self.look(hidden)).chunk(3, dim=-1)
            kappa = kappa + self.pace * step
            phi = _phi(alpha, beta, kappa, ids, lengths)
            window = torch.bmm(phi.unsqueeze(1), onehot).squeeze(1)
            states.append(hidden)
            windows.append(window)
        return torch.stack(states), torch.stack(windows), WindowState(hidden, cell, window, kappa, phi)


def _phi(alpha: Tensor, beta: Tensor, kappa: Tensor, ids: Tensor, lengths: Tensor) -> Tensor:
    """How much of each character is seen: α, β, κ [B, K], ids [B, U], lengths [B] -> [B, U]; 0 behind the text."""
    places = torch.arange(ids.shape[1], device=ids.device)
    off = kappa.unsqueeze(-1) - places
    seen = (alpha.unsqueeze(-1) * torch.exp(-beta.unsqueeze(-1) * off.square())).sum(1)
    return seen * (places < lengths.unsqueeze(-1))


class _Loop(torch.autograd.Function):
    """The loop over time on a CPU: torch's products, and compiled steps between them."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        sums: Tensor,
        weight: Tensor,
        look: Tensor,
        look_bias: Tensor,
        hidden: Tensor,
        cell: Tensor,
        window: Tensor,
        kappa: Tensor,
        ids: Tensor,
        lengths: Tensor,
        pace: float,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        from ..kernels.windowing import cell_forward, window_forward

        steps, batch, size = len(sums), sums.shape[1], hidden.shape[1]
        gates = torch.empty_like(sums, memory_format=torch.contiguous_format)
        fed = sums.new_empty(steps + 1, batch, weight.shape[1])
        cells, shown = sums.new_empty(steps + 1, batch, size), sums.new_empty(steps, batch, size)
        kappas, raw = sums.new_empty(steps + 1, *kappa.shape), sums.new_empty(steps, batch, len(look))
        fed[0, :, :size], fed[0, :, size:], cells[0], kappas[0] = hidden, window, cell, kappa
        ids, lengths = ids.contiguous(), lengths.contiguous()
        views = [part.detach().numpy() for part in (gates, cells, shown, fed, raw, kappas, ids, lengths)]
        n_gates, n_cells, n_shown, n_fed, n_raw, n_kappas, n_ids, n_lengths = views
        turned, look_turned = weight.t(), look.t()
        for t in range(steps):
            torch.addmm(sums[t], fed[t], turned, out=gates[t])
            cell_forward(n_gates, n_cells, n_shown, n_fed, t)
            torch.addmm(look_bias, fed[t + 1, :, :size], look_turned, out=raw[t])
            window_forward(n_raw, n_kappas, n_ids, n_lengths, n_fed, size, pace, t)
        ctx.save_for_backward(weight, look, gates, cells, shown, fed, raw, kappas, ids, lengths)
        ctx.pace = pace
        last = raw[-1].clone()
        ctx.mark_non_differentiable(last)
        return fed[1:], cells[-1].clone(), kappas[-1].clone(), last

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, of_out: Tensor, of_cell: Tensor, of_kappa: Tensor, _: Tensor
    ) -> tuple[Tensor | None, ...]:
        from ..kernels.windowing import cell_backward, window_backward

        weight, look, gates, cells, shown, fed, raw, kappas, ids, lengths = ctx.saved_tensors
        steps, batch, size = shown.shape
        gates, raw = gates.clone(), raw.clone()  # gradients take their places
        of_cell, of_kappa, of_fed = of_cell.clone(), of_kappa.clone(), torch.zeros(batch, fed.shape[2])
        parts = (gates, cells, shown, raw, kappas, ids, lengths, of_cell, of_kappa, of_fed)
        views = [part.detach().numpy() for part in parts]
        n_gates, n_cells, n_shown, n_raw, n_kappas, n_ids, n_lengths, n_of_cell, n_of_kappa, n_of_fed = views
        of_state = of_fed[:, :size]
        for t in range(steps - 1, -1, -1):
            of_fed += of_out[t]
            window_backward(n_raw, n_kappas, n_ids, n_lengths, n_of_fed, n_of_kappa, size, ctx.pace, t)
            of_state.addmm_(raw[t], look)
            cell_backward(n_gates, n_cells, n_shown, n_of_fed, n_of_cell, t)
            torch.mm(gates[t], weight, out=of_fed)
        flat = gates.flatten(0, 1)
        of_weight = flat.t() @ fed[:-1].flatten(0, 1)
        flat_raw = raw.flatten(0, 1)
        of_look = flat_raw.t() @ fed[1:, :, :size].flatten(0, 1)
        begun = (of_fed[:, :size].clone(), of_cell, of_fed[:, size:].clone(), of_kappa)
        return (gates, of_weight, of_look, flat_raw.sum(0), *begun, None, None, None)
