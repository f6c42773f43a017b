"""A classifier that reads a text with recurrent layers (Tang et al. 2015; attention: Yang et al. 2016).

Legend: T tokens, B texts, D width of the input, H width of a state, E width of what is known of a text.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..config import check, knob
from .bidirectional import Reading
from .classifier_config import ClassifierConfig
from .pooling import POOLINGS, Pooling
from .recurrent import check_cell


@dataclass(frozen=True)
class RecurrentClassifierConfig(ClassifierConfig):
    """A recurrent network; its cell is the kind: rnn, lstm, gru or sru."""

    kind: str = knob("lstm", "Which model.", derived=True)
    hidden: int = knob(128, "Width of the recurrent state.", least=1, most=65536)
    layers: int = knob(1, "Recurrent layers.", least=1, most=64)
    bidirectional: bool = knob(True, "Read from both ends.")
    pooling: str = knob("max", "What becomes of the states of all tokens.", choices=POOLINGS)
    recurrent_dropout: float = knob(0.0, "Dropout on the recurrent weights.", least=0, most=0.95, flag=False)
    layer_norm: bool = knob(False, "Layer normalisation inside the cell (slow).", flag=False)

    def __post_init__(self) -> None:
        check(self)
        check_cell(self.kind, self.recurrent_dropout, self.layer_norm)


class RecurrentEncoder(nn.Module):
    """``forward(x [T, B, D], mask [T, B, 1], lengths [B]) -> [B, E]``."""

    def __init__(self, config: RecurrentClassifierConfig) -> None:
        super().__init__()
        self.reading = Reading(
            config.kind,
            config.width,
            config.hidden,
            config.layers,
            config.bidirectional,
            config.dropout,
            config.recurrent_dropout,
            config.layer_norm,
        )
        self.pooling = Pooling(config.pooling, self.reading.width, config.bidirectional)
        self.width = self.pooling.width

    def forward(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        pooled: Tensor = self.pooling(self.reading(x, lengths), mask)
        return pooled

    def attention(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor | None:
        """The weights of the tokens [T, B, 1], where pooling is by attention."""
        if self.pooling.kind != "attention":
            return None
        return self.pooling.attention(self.reading(x, lengths), mask)
