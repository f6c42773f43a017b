"""Looking at the source: which of its tokens matter for the next token of the target.

Legend: B sentences, Q queries a sentence, S tokens of the longest source, H width of a query, E width of what is
remembered of a source token, A width of a key.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from .translating import Memory

#: How a query is held against a token of the source.
SCORES = ("additive", "dot", "general", "concat")


class SourceAttention(nn.Module):
    """``forward(queries [B, Q, H], memory, coverage) -> (context [B, Q, E], weights [B, Q, S])``.

    The score of a query q and what is remembered m of a source token is::

        dot       q · m                            Luong, Pham & Manning 2015
        general   q · W m                          the same
        concat    v · tanh(W [q; m])               the same: one matrix on both, no bias
        additive  v · tanh(W q + U m + b)          Bahdanau, Cho & Bengio 2015: a matrix for each, and a bias

    The weights are the softmax of the scores over the tokens of the source; those of padding are exactly 0. What does
    not depend on the query, the keys, is worked out once a source.

    Args:
        kind: one of :data:`SCORES`.
        queries: H.
        values: E.
        covered: whether the score sees how much each token was looked at before (Tu et al. 2016; See et al. 2017):
            u times that is added to its key, u [A] learned.

    Raises:
        ConfigError: "dot" where H and E differ.
    """

    def __init__(self, kind: str, queries: int, values: int, covered: bool = False) -> None:
        super().__init__()
        if kind == "dot" and queries != values:
            raise ConfigError(
                f"attention 'dot' needs states of one width, got {queries} and {values}; take attention 'general'"
            )
        self.kind, self.joined = kind, kind in ("additive", "concat")
        weights = {
            "dot": [],
            "general": [torch.empty(queries, values)],
            "concat": [torch.empty(queries, queries + values)],
            "additive": [torch.empty(queries, queries), torch.empty(queries, values)],
        }[kind]
        for weight in weights:
            nn.init.xavier_uniform_(weight)
        if kind == "general" and queries == values:  # begin as dot: what means the same has like states
            nn.init.eye_(weights[0])
        if kind == "concat":  # one matrix, drawn as one, but put to use in two parts
            weights = list(weights[0].split([queries, values], dim=1))
        self.of_values = nn.Parameter(weights[-1].clone()) if weights else None  # [A, E]
        self.of_query = nn.Parameter(weights[0].clone()) if self.joined else None  # [A, H]
        self.bias = nn.Parameter(torch.zeros(queries)) if kind == "additive" else None  # [A]
        bound = queries**-0.5
        self.outer = nn.Parameter(torch.empty(queries).uniform_(-bound, bound)) if self.joined else None  # v [A]
        self.of_coverage = nn.Parameter(torch.zeros(queries)) if covered else None  # u [A]

    def keys(self, values: Tensor) -> Tensor:
        """What queries are held against: values [B, S, E] -> [B, S, A]."""
        return values if self.of_values is None else nn.functional.linear(values, self.of_values, self.bias)

    def forward(self, queries: Tensor, memory: Memory, coverage: Tensor | None = None) -> tuple[Tensor, Tensor]:
        score = self._joined if self.joined else self._product
        scores = score(queries, memory.keys, coverage)  # [B, Q, S]
        scores = scores.masked_fill(~memory.mask.unsqueeze(1), -torch.inf)
        weights = torch.softmax(scores, dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))
        return torch.bmm(weights.to(memory.values.dtype), memory.values), weights

    def _product(self, queries: Tensor, keys: Tensor, coverage: Tensor | None) -> Tensor:
        """The scores [B, Q, S] of dot and general; q · (k + u c) = q · k + c (q · u)."""
        scores = torch.bmm(queries.to(keys.dtype), keys.transpose(1, 2))
        if coverage is not None:
            assert self.of_coverage is not None
            scores = scores + coverage * (queries @ self.of_coverage).unsqueeze(-1)
        return scores

    def _joined(self, queries: Tensor, keys: Tensor, coverage: Tensor | None) -> Tensor:
        """The scores [B, Q, S] of concat and additive."""
        assert self.of_query is not None
        assert self.outer is not None
        sums = nn.functional.linear(queries, self.of_query).unsqueeze(2) + keys.unsqueeze(1)  # [B, Q, S, A]
        if coverage is not None:
            assert self.of_coverage is not None
            sums = sums + coverage.unsqueeze(-1) * self.of_coverage
        return torch.tanh(sums) @ self.outer
