"""Recurrent layers that read padded texts, forwards or in both directions.

Legend: T time steps, B texts, D width of the input, H width of a state, L layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .recurrent import Recurrent, locked_dropout


class Reading(nn.Module):
    """``forward(x [T, B, D], lengths [B]) -> y [T, B, H or 2H]``: a stack of recurrent layers over padded texts.

    Padding stands behind each text, so that a layer that reads forwards meets it only when the text is done. One that
    reads backwards is given each text turned round by itself (Schuster & Paliwal 1997, "Bidirectional recurrent neural
    networks"); its outputs are turned back. What stands in ``y`` behind the end of a text means nothing.

    Args:
        cell: see :class:`textdl.models.recurrent.Recurrent`.
        inputs: D.
        hidden: H.
        layers: L.
        both: read in both directions; each layer sees both outputs of the one below.
        dropout: locked dropout between the layers.
        recurrent_dropout, layer_norm: as of ``Recurrent``.
    """

    def __init__(
        self,
        cell: str,
        inputs: int,
        hidden: int,
        layers: int = 1,
        both: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.width = hidden * (2 if both else 1)
        sizes = [inputs, *[self.width] * (layers - 1)]

        def stack() -> nn.ModuleList:
            made = (
                Recurrent(cell, size, hidden, recurrent_dropout=recurrent_dropout, layer_norm=layer_norm)
                for size in sizes
            )
            return nn.ModuleList(made)

        self.forwards = stack()
        self.backwards = stack() if both else None

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        order = turned(lengths, len(x)) if self.backwards is not None else None
        for number, layer in enumerate(self.forwards):
            if number > 0:
                x = locked_dropout(x, self.dropout, self.training)
            y = layer(x)[0]
            if self.backwards is not None and order is not None:
                back = _taken(self.backwards[number](_taken(x, order))[0], order)
                y = torch.cat([y, back], dim=-1)
            x = y
        return x


def turned(lengths: Tensor, steps: int) -> Tensor:
    """The places [T, B] that turn each text round and leave the padding behind it where it is."""
    places = torch.arange(steps, device=lengths.device).unsqueeze(1)
    return torch.where(places < lengths, lengths - 1 - places, places)


def _taken(x: Tensor, order: Tensor) -> Tensor:
    """``x [T, B, D]`` with the time steps of each text in another order [T, B]."""
    return x.gather(0, order.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
