"""A weight for each word and run of words, beside a network: what a linear model knows, it need not learn.

Cheng et al. 2016, "Wide & deep learning for recommender systems". The weights begin at zero: begun at the log-count
ratios of naive Bayes they would know the training texts by heart at once, and leave the network nothing to learn from.
Legend: T tokens, B texts, N longest run, R rows of the table, C classes, F rows found in a batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..kernels.ngrams import MULTIPLIERS, SHIFT


class WideWeights(nn.Module):
    """``forward(ids [T, B], lengths [B]) -> [B, C]``: the weights of the distinct runs of a text, summed and
    divided by the root of their number, times a scale that is learned.

    A run is up to ``longest`` tokens; its row in the table is found by hashing.

    Args:
        longest: N.
        rows: R, a power of two.
        classes: C.
    """

    def __init__(self, longest: int, rows: int, classes: int) -> None:
        super().__init__()
        self.longest, self.rows = longest, rows
        self.weights = nn.Parameter(torch.zeros(rows, classes))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        rows, owners, counts = self.runs(ids, lengths)
        found = F.embedding(rows, self.weights)  # [F, C]
        total = torch.zeros(ids.shape[1], found.shape[1], dtype=found.dtype, device=ids.device)
        return self.scale * total.index_add(0, owners, found) / counts.clamp_min(1).unsqueeze(1).sqrt()

    def runs(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The rows [F] of the distinct runs, the text [F] each is of, and how many each text has [B]."""
        every = self.rows_of(ids, lengths)  # [N, T, B]
        inside = torch.sort(every.flatten(0, 1), dim=0).values  # [N * T, B]
        first = torch.ones_like(inside, dtype=torch.bool)
        first[1:] = inside[1:] != inside[:-1]
        first &= inside < self.rows
        across = first.t()
        return inside.t()[across], across.nonzero()[:, 0], first.sum(0)

    def rows_of(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The row of the run of n + 1 tokens that ends at each token: [N, T, B]; R where it would reach too far."""
        places = torch.arange(len(ids), device=ids.device).unsqueeze(1)
        total, found = torch.zeros_like(ids), []
        for back in range(self.longest):
            before = torch.roll(ids, back, 0)
            total = total + (before + 1) * int(MULTIPLIERS[back])
            row = ((total + back) * int(MULTIPLIERS[0]) >> SHIFT) & (self.rows - 1)
            found.append(torch.where((places >= back) & (places < lengths), row, self.rows))
        return torch.stack(found)
