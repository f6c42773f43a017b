"""A classifier of convolutions with recurrent layers above them (Zhou et al. 2015, "A C-LSTM neural network").

Legend: T tokens, B texts, D width of the input, F filters, H width of a state, E width of what is known of a text.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError
from .bidirectional import Reading
from .classifier_config import ClassifierConfig
from .pooling import POOLINGS, Pooling
from .recurrent import CELLS


@dataclass(frozen=True)
class StackedClassifierConfig(ClassifierConfig):
    """A convolution over the words; a recurrent network reads its answers."""

    kind: str = knob("cnn-rnn", "Which model.", derived=True)
    filters: int = knob(128, "Filters of the convolution.", least=1, most=65536)
    reach: int = knob(3, "Words that a filter sees; an odd number.", least=1, most=99)
    pool: int = knob(1, "Neighbouring answers of which the recurrent layers see the largest.", least=1, most=100)
    cell: str = knob("lstm", "Recurrent cell.", choices=tuple(CELLS))
    hidden: int = knob(128, "Width of the recurrent state.", least=1, most=65536)
    layers: int = knob(1, "Recurrent layers.", least=1, most=64)
    bidirectional: bool = knob(True, "Read from both ends.")
    pooling: str = knob("max", "What becomes of the states of all steps.", choices=POOLINGS)

    def __post_init__(self) -> None:
        check(self)
        if self.reach % 2 == 0:
            raise ConfigError(f"reach must be odd, so that a filter has a middle, got {self.reach}")


class StackedEncoder(nn.Module):
    """``forward(x [T, B, D], mask [T, B, 1], lengths [B]) -> [B, E]``."""

    def __init__(self, config: StackedClassifierConfig) -> None:
        super().__init__()
        self.pool = config.pool
        self.convolution = nn.Conv1d(config.width, config.filters, config.reach, padding=config.reach // 2)
        self.reading = Reading(
            config.cell, config.filters, config.hidden, config.layers, config.bidirectional, config.dropout
        )
        self.pooling = Pooling(config.pooling, self.reading.width, config.bidirectional)
        self.width = self.pooling.width

    def forward(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        y, mask, lengths = self._answers(x, mask, lengths)
        pooled: Tensor = self.pooling(self.reading(y, lengths), mask)
        return pooled

    def _answers(self, x: Tensor, mask: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the convolution finds [T / pool, B, F], zeros where there is padding, with the mask of these steps."""
        y = F.relu(self.convolution(x.permute(1, 2, 0))) * mask.permute(1, 2, 0)  # [B, F, T]
        if self.pool > 1:
            y = F.max_pool1d(y, self.pool, ceil_mode=True)
            lengths = (lengths + self.pool - 1) // self.pool
            mask = mask[:: self.pool]
        return y.permute(2, 0, 1).contiguous(), mask, lengths
