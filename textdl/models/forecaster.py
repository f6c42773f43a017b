"""A recurrent network that reads numbers and says which come next (many to one, many to many).

Legend: T = W numbers of a window, B windows in a batch, D features of a number, H numbers ahead, Q quantiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..config import check, knob
from .recurrent import CELLS, Recurrent, check_cell, locked_dropout


@dataclass(frozen=True)
class ForecasterConfig:
    """What the network looks like."""

    cell: str = knob("gru", "Recurrent cell.", choices=tuple(CELLS))
    hidden: int = knob(48, "Width of the recurrent state.", least=1, most=65536)
    layers: int = knob(1, "Recurrent layers.", least=1, most=64)
    dropout: float = knob(0.0, "Dropout between layers and before the output.", least=0, most=0.95)
    band: float = knob(
        0.8, "Share of the numbers to come that the forecast's band is to hold; 0: no band.", least=0, most=0.999
    )
    direct: bool = knob(True, "Add a linear map of the window to what the network says.")
    recurrent_dropout: float = knob(0.0, "Dropout on the recurrent weights.", least=0, most=0.95, flag=False)
    layer_norm: bool = knob(False, "Layer normalisation inside the cell (slow).", flag=False)
    shown: int = knob(1, "Numbers in a window.", derived=True, least=1)
    ahead: int = knob(1, "Numbers that are forecast at once.", derived=True, least=1)
    features: int = knob(1, "Features of a number.", derived=True, least=1)

    def __post_init__(self) -> None:
        check(self)
        check_cell(self.cell, self.recurrent_dropout, self.layer_norm)

    @property
    def levels(self) -> tuple[float, ...]:
        """The Q quantiles that are learned, from low to high: the median, and the ends of the band about it."""
        side = round((1 - self.band) / 2, 9)
        return (side, 0.5, round(1 - side, 9)) if self.band else (0.5,)


class Forecaster(nn.Module):
    """``forward(x [T, B, D]) -> [B, H, Q]``: quantiles of the numbers to come, in the units of the scaled window.

    A linear map of the last state of recurrent layers, and with ``direct`` one of the window itself beside it (the
    autoregressive part of Lai et al. 2018). Both maps begin at zero: the first forecast is the baseline that the
    scaling takes away, and training begins there.
    """

    def __init__(self, config: ForecasterConfig) -> None:
        super().__init__()
        self.config = config
        self.recurrent = Recurrent(
            config.cell,
            config.features,
            config.hidden,
            config.layers,
            config.dropout,
            config.recurrent_dropout,
            config.layer_norm,
        )
        outputs = config.ahead * len(config.levels)
        self.output = nn.Linear(config.hidden, outputs)
        self.direct = nn.Linear(config.shown * config.features, outputs, bias=False) if config.direct else None
        for part in (self.output, self.direct):
            if part is not None:
                nn.init.zeros_(part.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.recurrent(x)  # [T, B, H]
        last = locked_dropout(y[-1:], self.config.dropout, self.training)[0]
        said = self.output(last)
        if self.direct is not None:
            said = said + self.direct(x.transpose(0, 1).flatten(1))
        each: Tensor = said.view(-1, self.config.ahead, len(self.config.levels))
        return each


def pinball(said: Tensor, truth: Tensor, levels: Tensor) -> Tensor:
    """The mean quantile loss (Koenker & Bassett 1978), a scalar; of the median alone, half the absolute error.

    Of a level q and a truth y the loss of saying s is q (y - s) where s is too low, else (1 - q) (s - y): its mean is
    least where s is the q-quantile of y.

    Args:
        said: [B, H, Q].
        truth: [B, H].
        levels: [Q].
    """
    short = truth.unsqueeze(-1) - said
    return torch.maximum(levels * short, (levels - 1) * short).mean()
