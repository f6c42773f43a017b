"""The recurrent sequence layer: RNN, LSTM, GRU and SRU in one slot.

Legend: T time steps, B sequences in a batch, D width of the input, H width of the state, L layers,
S tensors in a cell's state (1; 2 where there is an h and a c), G gates (RNN 1, GRU 3, LSTM 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigError
from .sru import SRU


class Cell(NamedTuple):
    """A kind of recurrent layer."""

    layer: Callable[[int, int], nn.Module]
    state_tensors: int  # S
    gates: int  # G
    fused: Callable[..., Any] | None  # torch's function on explicit weights; None: it has no recurrent weights


CELLS = {
    "rnn": Cell(nn.RNN, 1, 1, torch.rnn_tanh),
    "lstm": Cell(nn.LSTM, 2, 4, torch.lstm),
    "gru": Cell(nn.GRU, 1, 3, torch.gru),
    "sru": Cell(SRU, 2, 3, None),
}


class Recurrent(nn.Module):
    """A stack of recurrent layers, ``forward(x [T, B, D], state) -> (y [T, B, H], state [L, S, B, H])``.

    Elman 1990 (RNN with tanh), Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000 (LSTM),
    Cho et al. 2014 (GRU), Lei et al. 2018 (SRU, see :mod:`textdl.models.sru`; its last y is normalised). The
    layers of the first three are torch's own fused ones (oneDNN on a CPU, cuDNN on a GPU), but for ``layer_norm``,
    which no fused kernel knows: that one is a loop over time, and slower.

    Args:
        cell: "rnn", "lstm", "gru" or "sru".
        inputs: D.
        hidden: H.
        layers: L.
        dropout: share of a layer's outputs that is zeroed on the way to the next layer while training; one mask
            a sequence for all time steps (locked dropout, Gal & Ghahramani 2016).
        recurrent_dropout: share of the recurrent weights that is zeroed while training, one mask a batch
            (weight drop, Merity et al. 2018). All masks come from torch's seeded generator, none from a fused kernel.
        layer_norm: normalise the summed inputs of each gate (Ba et al. 2016).

    Raises:
        ConfigError: ``recurrent_dropout`` or ``layer_norm`` for a cell that has no recurrent weights.
    """

    def __init__(
        self,
        cell: str,
        inputs: int,
        hidden: int,
        layers: int = 1,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        layer, self.state_tensors, gates, self._fused = CELLS[cell]
        check_cell(cell, recurrent_dropout, layer_norm)
        self.cell, self.hidden = cell, hidden
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.layers = nn.ModuleList(layer(inputs if n == 0 else hidden, hidden) for n in range(layers))
        self.norms = nn.ModuleList(GateNorms(cell, gates, hidden) for _ in range(layers)) if layer_norm else None
        self.top = nn.LayerNorm(hidden) if self._fused is None else None
        if self._fused is not None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot input weights, orthogonal recurrent weights gate by gate (Saxe et al. 2014), zero biases;
        an LSTM's forget gate starts open, at 1 (Jozefowicz et al. 2015)."""
        for layer in self.layers:
            for name, weight in layer.named_parameters():
                if name.startswith("bias"):
                    nn.init.zeros_(weight)
                else:
                    init = nn.init.xavier_uniform_ if name.startswith("weight_ih") else nn.init.orthogonal_
                    for gate in weight.data.split(self.hidden):
                        init(gate)
            if self.cell == "lstm":
                bias = cast(Tensor, layer.bias_ih_l0)
                bias.data[self.hidden : 2 * self.hidden] = 1.0

    def zero_state(self, batch: int, like: Tensor) -> Tensor:
        """The state before the first step: zeros [L, S, B, H] on the device of ``like``."""
        return torch.zeros(len(self.layers), self.state_tensors, batch, self.hidden, device=like.device)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if state is None:
            state = self.zero_state(x.shape[1], x)
        ends = []
        for number, layer in enumerate(self.layers):
            if number > 0:
                x = locked_dropout(x, self.dropout, self.training)
            if self._fused is None:
                x, end = layer(x, state[number])
            elif self.norms is not None:
                x, end = self._normed(layer, cast(GateNorms, self.norms[number]), x, state[number])
            else:
                x, end = self._plain(layer, x, state[number])
            ends.append(end)
        return x if self.top is None else self.top(x), torch.stack(ends)

    def _weights(self, layer: nn.Module) -> list[Tensor]:
        """weight_ih [G*H, D], weight_hh [G*H, H] (some of it dropped while training), bias_ih and bias_hh [G*H]."""
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        weights = [cast(Tensor, getattr(layer, name)) for name in names]
        weights[1] = F.dropout(weights[1], self.recurrent_dropout, self.training)
        return weights

    def _plain(self, layer: nn.Module, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One fused layer: x [T, B, D], state [S, B, H] -> y [T, B, H], state."""
        start = tuple(state.to(x.dtype).unsqueeze(1)) if self.cell == "lstm" else state.to(x.dtype)
        if self.recurrent_dropout and self.training:
            y, *end = cast(Callable[..., Any], self._fused)(
                x, start, self._weights(layer), True, 1, 0.0, True, False, False
            )
        else:
            y, end = layer(x, start)
            end = [end] if isinstance(end, Tensor) else end
        return y, torch.cat([e.float() for e in end])

    def _normed(self, layer: nn.Module, norms: GateNorms, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One layer with layer normalisation, step by step: x [T, B, D], state [S, B, H] -> y [T, B, H], state."""
        weight_ih, weight_hh, bias_ih, bias_hh = self._weights(layer)
        inputs = norms.inputs(F.linear(x, weight_ih, bias_ih))  # [T, B, G*H], all steps at once
        h, c = state[0], state[-1]
        outputs = []
        for summed in inputs:
            fed_back = norms.recurrent(F.linear(h, weight_hh, bias_hh))  # [B, G*H]
            if self.cell == "rnn":
                h = torch.tanh(summed + fed_back)
            elif self.cell == "lstm":
                i, f, g, o = (summed + fed_back).chunk(4, dim=-1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(norms.memory(c))
            else:
                (r, z), n = (
                    (summed + fed_back)[:, : 2 * self.hidden].chunk(2, dim=-1),
                    summed[:, 2 * self.hidden :],
                )
                n = torch.tanh(n + torch.sigmoid(r) * fed_back[:, 2 * self.hidden :])
                h = n + torch.sigmoid(z) * (h - n)
            outputs.append(h)
        end = torch.stack([h, c]) if self.cell == "lstm" else h.unsqueeze(0)
        return torch.stack(outputs), end.float()


class GateNorms(nn.Module):
    """The gains and biases of layer normalisation in one recurrent layer, gate by gate."""

    def __init__(self, cell: str, gates: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gain_ih, self.gain_hh = (nn.Parameter(torch.ones(gates * hidden)) for _ in range(2))
        self.bias_ih, self.bias_hh = (nn.Parameter(torch.zeros(gates * hidden)) for _ in range(2))
        self.memory = nn.LayerNorm(hidden) if cell == "lstm" else nn.Identity()

    def inputs(self, summed: Tensor) -> Tensor:
        """Normalise what comes from the input, [..., G*H]."""
        return self._norm(summed) * self.gain_ih + self.bias_ih

    def recurrent(self, summed: Tensor) -> Tensor:
        """Normalise what comes from the state before, [B, G*H]."""
        return self._norm(summed) * self.gain_hh + self.bias_hh

    def _norm(self, summed: Tensor) -> Tensor:
        gates = summed.unflatten(-1, (-1, self.hidden))
        return F.layer_norm(gates, (self.hidden,)).flatten(-2)


def check_cell(cell: str, recurrent_dropout: float, layer_norm: bool) -> None:
    """Refuse with a ``ConfigError`` what a cell without recurrent weights has no use for."""
    if CELLS[cell].fused is None:
        for name, value in {"recurrent_dropout": recurrent_dropout, "layer_norm": layer_norm}.items():
            if value:
                having = ", ".join(other for other in CELLS if CELLS[other].fused)
                raise ConfigError(f"{name} is for {having}; {cell} has no recurrent weights: leave it out")


def locked_dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Zero a share of the features of x [T, B, D], the same ones at every time step (Gal & Ghahramani 2016)."""
    if not training or share == 0.0:
        return x
    mask = F.dropout(torch.ones(1, *x.shape[1:], device=x.device, dtype=x.dtype), share, True)
    return x * mask
