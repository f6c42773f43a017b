"""A classifier that averages the embeddings of words and of runs of words (Joulin et al. 2017, "fastText").

Legend: T tokens, B texts, D width of the input, E width of what is known of a text.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..config import check, knob
from .classifier_config import ClassifierConfig
from .pooling import Pooling


@dataclass(frozen=True)
class BagClassifierConfig(ClassifierConfig):
    """An averaged embedding, with layers behind it if asked for (deep averaging, Iyyer et al. 2015)."""

    kind: str = knob("bag", "Which model.", derived=True)
    hidden: int = knob(0, "Width of the layers behind the average.", least=0, most=65536)
    layers: int = knob(0, "Layers behind the average.", least=0, most=64)

    def __post_init__(self) -> None:
        check(self)


class BagEncoder(nn.Module):
    """``forward(x [T, B, D], mask [T, B, 1], lengths [B]) -> [B, E]``."""

    def __init__(self, config: BagClassifierConfig) -> None:
        super().__init__()
        self.pooling = Pooling("mean", config.width)
        parts: list[nn.Module] = []
        self.width = config.width
        for _ in range(config.layers if config.hidden else 0):
            parts += [nn.Linear(self.width, config.hidden), nn.ReLU(), nn.Dropout(config.dropout)]
            self.width = config.hidden
        self.deep = nn.Sequential(*parts)

    def forward(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        deep: Tensor = self.deep(self.pooling(x, mask))
        return deep
