"""Hashed n-gram embeddings: what stands right before a token, known at once.

A recurrent model has to learn to spell before it can learn anything else. A table with a vector for the last few tokens
taken together spares it that. An n-gram's row is found by hashing, so no list of n-grams is kept. After the hashed
subword n-grams of Bojanowski et al. 2017 and the hash n-gram embeddings of Pagnoni et al. 2024 (Byte Latent
Transformer); hashed n-gram features beside a recurrent model are as old as Mikolov et al. 2011 (RNNME).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..kernels.ngrams import MULTIPLIERS, SHIFT, orders_of


class NgramEmbedding(nn.Module):
    """``forward(ids [N - 1 + T, B]) -> [T, B, D]``: the sum of the embeddings of the n-grams that end at each token.

    The first N - 1 rows of ``ids`` are only context. No n-gram reaches over an end of text.

    Args:
        longest: N, the longest n-gram; the orders are those of 3, 5, 8, 13 that are not longer.
        rows: rows of each order's table, a power of two.
        width: D.
        end: id of the end of text.
    """

    def __init__(self, longest: int, rows: int, width: int, end: int) -> None:
        super().__init__()
        self.orders, self.rows, self.end = orders_of(longest), rows, end
        self.context = max(self.orders) - 1
        self.tables = nn.ModuleList(nn.Embedding(rows, width) for _ in self.orders)
        for table in self.tables:
            nn.init.normal_(table.weight, std=0.1)  # type: ignore[arg-type]

    def forward(self, ids: Tensor) -> Tensor:
        steps = len(ids) - self.context
        token = ids[self.context :]
        total = (token + 1) * int(MULTIPLIERS[0])
        parts = []
        for back in range(1, self.context + 1):
            before = ids[self.context - back : self.context - back + steps]
            token = torch.where(token == self.end, token, before)  # behind an end of text, only ends of text
            total = total + (token + 1) * int(MULTIPLIERS[back])
            if back + 1 in self.orders:
                row = (total * int(MULTIPLIERS[0]) >> SHIFT) & (self.rows - 1)
                parts.append(self.tables[self.orders.index(back + 1)](row))
        return torch.stack(parts).sum(0)
