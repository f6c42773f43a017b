"""Word vectors as models: the table that is left when they are trained, and the two tables that they are trained in.

Legend: V words, D width of a vector, C rows of contexts (words, or inner nodes of a tree), G rows of n-grams;
B words of a batch, N their neighbours (twice the window), K negative samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError

METHODS = ("skipgram", "cbow", "glove", "cooccurrence")


@dataclass(frozen=True)
class VectorsConfig:
    """How vectors are made of text."""

    method: str = knob("skipgram", "How vectors are found.", choices=METHODS)
    dim: int = knob(100, "Width of a vector.", least=1, most=4096)
    window: int = knob(5, "Words on a side that are the context of a word.", least=1, most=1000)
    negative: int = knob(5, "Negative samples a word (skipgram, cbow).", least=1, most=1000)
    hierarchical: bool = knob(False, "Hierarchical softmax instead of negative samples (skipgram, cbow).")
    sample: float = knob(
        1e-3, "Words more frequent than this share are read less often (skipgram, cbow).", least=0, most=1
    )
    subwords: bool = knob(False, "Vectors of parts of words too, so that unknown words have one (skipgram, cbow).")
    x_max: float = knob(10.0, "Pairs seen so often weigh fully (glove).", above=0, flag=False)
    shift: float = knob(0.0, "Log of how many negative samples it stands for (cooccurrence).", least=0, flag=False)
    smoothing: float = knob(0.75, "Power of the contexts' counts (cooccurrence).", above=0, most=1, flag=False)
    power: float = knob(0.5, "Of the singular values in the vectors (cooccurrence).", least=0, most=1, flag=False)
    vocabulary: int = knob(0, "Words.", derived=True, least=0)
    contexts: int = knob(0, "Rows of contexts that are kept, to go on from.", derived=True, least=0)
    grams: int = knob(0, "Rows of n-grams.", derived=True, least=0)

    def __post_init__(self) -> None:
        check(self)
        if (self.hierarchical or self.subwords) and self.method not in METHODS[:2]:
            what = "hierarchical" if self.hierarchical else "subwords"
            raise ConfigError(f"{what} is for skipgram and cbow, got method {self.method}; leave it out")


class VectorTable(nn.Module):
    """``forward(ids [...]) -> vectors [..., D]``. Beside them lies what a training needs to go on."""

    def __init__(self, config: VectorsConfig) -> None:
        super().__init__()
        self.config = config
        sizes = {"vectors": config.vocabulary, "contexts": config.contexts, "grams": config.grams}
        for name, rows in sizes.items():
            if rows or name == "vectors":
                self.register_parameter(name, nn.Parameter(torch.zeros(rows, config.dim), requires_grad=False))

    def forward(self, ids: Tensor) -> Tensor:
        return self.get_parameter("vectors")[ids]


class WordContexts(nn.Module):
    """Skip-gram and continuous bag of words with negative samples (Mikolov et al. 2013), for many words at once.

    ``forward(words [B], neighbours [B, N], there [B, N], noise [B, K]) -> scores [B, N, 1 + K]``, those of each word's
    neighbours against the word itself and against its negative samples, which its neighbours share; of a bag of words
    ``[B, 1, 1 + K]``, of the mean of the neighbours that are there.
    """

    def __init__(self, config: VectorsConfig) -> None:
        super().__init__()
        self.config = config
        self.vectors = nn.Parameter((torch.rand(config.vocabulary, config.dim) - 0.5) / config.dim)
        self.contexts = nn.Parameter(torch.zeros(config.vocabulary, config.dim))

    def forward(self, words: Tensor, neighbours: Tensor, there: Tensor, noise: Tensor) -> Tensor:
        inputs = nn.functional.embedding(neighbours, self.vectors)  # [B, N, D]
        if self.config.method == "cbow":
            count = there.sum(1, keepdim=True).clamp(min=1)
            inputs = ((inputs * there[..., None]).sum(1) / count)[:, None]  # [B, 1, D]
        outputs = nn.functional.embedding(torch.cat([words[:, None], noise], 1), self.contexts)  # [B, 1 + K, D]
        return inputs @ outputs.transpose(1, 2)
