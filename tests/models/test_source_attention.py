"""Attention to the source against slow loops over single numbers, one score after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from textdl.errors import ConfigError
from textdl.models.source_attention import SCORES, SourceAttention
from textdl.models.translating import Memory

B, Q, S, H = 3, 2, 4, 6
LENGTHS = [4, 1, 3]


def made(kind: str, values: int, covered: bool) -> SourceAttention:
    torch.manual_seed(7)
    attention = SourceAttention(kind, H, values, covered).double()
    for weight in attention.parameters():
        weight.data = torch.randn_like(weight)
    return attention


def score(attention: SourceAttention, query: NDArray[Any], value: NDArray[Any], seen: float) -> float:
    """The score of one query [H] and one value [E] that was looked at ``seen`` before, straight from the papers."""
    w = {name: weight.detach().numpy() for name, weight in attention.named_parameters()}
    u = w.get("of_coverage", np.zeros(H)) * seen
    if attention.kind == "dot":
        return sum(query[n] * (value[n] + u[n]) for n in range(H))
    if attention.kind == "general":
        return sum(
            query[a] * (sum(w["of_values"][a, e] * value[e] for e in range(len(value))) + u[a]) for a in range(H)
        )
    if attention.kind == "concat":
        joined = np.concatenate([query, value])
        whole = np.concatenate([w["of_query"], w["of_values"]], axis=1)
        inner = [sum(whole[a, n] * joined[n] for n in range(len(joined))) + u[a] for a in range(H)]
    else:
        inner = [float(w["of_query"][a] @ query + w["of_values"][a] @ value + w["bias"][a] + u[a]) for a in range(H)]
    return sum(w["outer"][a] * math.tanh(inner[a]) for a in range(H))


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize("kind, width", [("dot", H), ("general", H), ("general", 4), ("concat", 4), ("additive", 4)])
def test_each_score_and_what_comes_of_it(kind: str, width: int, covered: bool) -> None:
    attention = made(kind, width, covered)
    queries, values = torch.randn(B, Q, H).double(), torch.randn(B, S, width).double()
    mask = torch.arange(S) < torch.tensor(LENGTHS).unsqueeze(1)
    values[~mask] = 1e6
    coverage = torch.rand(B, Q, S).double() * 2 if covered else None
    memory = Memory(values, attention.keys(values), mask, ())
    context, weights = attention(queries, memory, coverage)
    for b in range(B):
        for q in range(Q):
            scores = [
                score(
                    attention, queries[b, q].numpy(), values[b, s].numpy(), float(coverage[b, q, s]) if covered else 0
                )
                for s in range(LENGTHS[b])
            ]
            parts = np.exp(np.array(scores) - max(scores))
            parts /= parts.sum()
            np.testing.assert_allclose(weights[b, q, : LENGTHS[b]].detach(), parts, rtol=1e-9, atol=1e-12)
            assert not weights[b, q, LENGTHS[b] :].any(), "exactly 0"
            seen = sum(part * values[b, s].numpy() for s, part in enumerate(parts))
            np.testing.assert_allclose(context[b, q].detach(), seen, rtol=1e-9, atol=1e-9)


def test_concat_is_one_matrix_without_a_bias_and_additive_two_with_one() -> None:
    numbers = {
        kind: sum(w.numel() for w in SourceAttention(kind, H, 4).parameters()) for kind in SCORES if kind != "dot"
    }
    assert numbers == {"general": H * 4, "concat": H * (H + 4) + H, "additive": H * H + H * 4 + H + H}
    bounds = {}
    for kind in ("concat", "additive"):
        torch.manual_seed(0)
        attention = SourceAttention(kind, 400, 200)
        assert attention.of_values is not None
        bounds[kind] = attention.of_values.abs().max().item()
    # Glorot's: sqrt(6 / (rows + columns)), of the one matrix of both, and of that of the values alone.
    assert bounds["concat"] == pytest.approx(math.sqrt(6 / 1000), rel=0.01)
    assert bounds["additive"] == pytest.approx(math.sqrt(6 / 600), rel=0.01)


def test_dot_needs_states_of_one_width() -> None:
    with pytest.raises(ConfigError, match="got 6 and 4; take attention 'general'"):
        SourceAttention("dot", 6, 4)


def test_scores_too_large_for_an_exponential_are_no_trouble() -> None:
    attention = SourceAttention("dot", 2, 2)
    values = torch.tensor([[[1e4, 0.0], [0.0, 1e4], [5e4, 5e4]]])
    memory = Memory(values, attention.keys(values), torch.tensor([[True, True, False]]), ())
    _, weights = attention(torch.tensor([[[1e4, 0.0], [-1e4, -1e4]]]), memory)
    torch.testing.assert_close(weights, torch.tensor([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]]))
