"""What every model that turns one sequence into another has in common, so that search and training know them alike.

Legend: B sentences, S tokens of the longest source, T tokens of the longest target, K hypotheses of each sentence,
V target vocabulary, E width of what is remembered of a source token, N target tokens that are scored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn


class Side(NamedTuple):
    """One side of some sentences.

    Attributes:
        ids: [S, B]. Behind the end of each sentence stands any id of the vocabulary; no model looks at it.
        lengths: [B], at least 1.
    """

    ids: Tensor
    lengths: Tensor


class Memory(NamedTuple):
    """What is known of the sources, for a decoder to look at.

    Attributes:
        values: [B, S, E].
        keys: [B, S, A], what attention compares with; worked out once.
        mask: [B, S], True where there is a token of the source.
        last: what the decoder begins with (of recurrent ones: the last states), [B, ...]; may be empty.
    """

    values: Tensor
    keys: Tensor
    mask: Tensor
    last: tuple[Tensor, ...]

    def of(self, rows: Tensor) -> Memory:
        """That of some of the sentences."""
        last = tuple(part[rows] for part in self.last)
        return Memory(self.values[rows], self.keys[rows], self.mask[rows], last)


#: What a decoder carries from token to token: tensors whose first dimension is the hypotheses [B * K, ...], those of
#: one sentence behind one another. To take some hypotheses is to take these rows of each.
State: TypeAlias = tuple[Tensor, ...]


class Scored(NamedTuple):
    """What a model makes of targets it is told.

    Attributes:
        logits: [N, V], of each token of the targets, those of the first place of all sentences first; no padding.
        penalty: what the model wants beside a low loss (of coverage), a scalar, a sum over N; None for nothing.
    """

    logits: Tensor
    penalty: Tensor | None = None


class Step(NamedTuple):
    """One step of all hypotheses.

    Attributes:
        logits: [B, K, V], of the next token.
        state: after the step.
        attention: [B, K, S], how much each source token was looked at; rows sum to one. None without attention.
    """

    logits: Tensor
    state: State
    attention: Tensor | None


class Translator(nn.Module, ABC):
    """``forward(source, before) -> Scored``: scores of each target token, from the source and the tokens before it."""

    @abstractmethod
    def encode(self, source: Side) -> Memory:
        """Read the sources."""

    @abstractmethod
    def begin(self, memory: Memory) -> State:
        """The state [B, ...] of one hypothesis a sentence, before its first token."""

    @abstractmethod
    def step(self, ids: Tensor, state: State, memory: Memory) -> Step:
        """Read one more token of each hypothesis, ids [B, K]; state has B * K rows, memory B."""

    @abstractmethod
    def forward(self, source: Side, before: Side, own: float = 0.0) -> Scored:
        """Scores of the targets.

        Args:
            source: the sources.
            before: what stands before each target token: the end id, then the target without its last token.
            own: share of the tokens that are the model's own choice in place of those of ``before`` (scheduled
                sampling, Bengio et al. 2015), drawn from torch's generator.
        """


def inside(side: Side) -> Tensor:
    """Where there is a token and no padding: [S, B], True or False."""
    steps = torch.arange(len(side.ids), device=side.ids.device)
    return steps.unsqueeze(1) < side.lengths
