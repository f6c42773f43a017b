"""A linear-chain conditional random field: how likely a whole path of tags is, and which one is the likeliest.

Lafferty, McCallum & Pereira 2001, "Conditional random fields: probabilistic models for segmenting and labeling sequence
data"; over what a recurrent network makes of the words as in Huang et al. 2015 and Lample et al. 2016. The score of a
path y through a sentence of n words is ::

    start[y_1] + Σ_t emissions[t, y_t] + Σ_t transitions[y_t, y_t+1] + end[y_n]

and its probability exp(score) over the sum of that of all paths.

Legend: T places, B sentences, C tags. All is worked out in float32 at least, whatever the precision around it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

#: The score of what can not be. Finite, so that differences are numbers, and float32 still tells 0.001 beside it.
NEVER = -1e4


class Scores(NamedTuple):
    """What a path gets beside the emissions: start [C], transitions [C, C] (from, to), end [C]."""

    start: Tensor
    transitions: Tensor
    end: Tensor


class Chain(nn.Module):
    """Paths of tags with their probabilities. What stands behind the end of a sentence counts for nothing.

    Args:
        tags: C.
        trained: False for a chain without scores of its own: the tags of a sentence are independent of each other, but
            for what :meth:`forbid` rules out.
    """

    def __init__(self, tags: int, trained: bool = True) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(tags)) if trained else None
        self.transitions = nn.Parameter(torch.zeros(tags, tags)) if trained else None
        self.end = nn.Parameter(torch.zeros(tags)) if trained else None
        self.register_buffer("forbidden_start", torch.zeros(tags, dtype=torch.bool))
        self.register_buffer("forbidden", torch.zeros(tags, tags, dtype=torch.bool))
        self.tags, self.trained = tags, trained

    forbidden_start: Tensor
    forbidden: Tensor

    def forbid(self, start: Tensor, transitions: Tensor) -> None:
        """Rule out paths: those that begin with some tags (bool [C]), or go from one tag to another (bool [C, C])."""
        self.forbidden_start.copy_(start)
        self.forbidden.copy_(transitions)

    def log_prob(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """The logarithm of the probability of one path a sentence, in nats: [B].

        Args:
            emissions: [T, B, C].
            tags: [T, B], whole numbers below C; any behind the end of a sentence.
            lengths: [B], at least 1.
        """
        emissions, scores = _full(emissions), self._scores()
        return _score(emissions, tags, lengths, scores) - log_sum(emissions, lengths, scores)

    @torch.no_grad()
    def viterbi(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """The likeliest path of each sentence: [T, B], 0 behind its end; of equals the one of smaller numbers.

        Viterbi 1967, "Error bounds for convolutional codes and an asymptotically optimum decoding algorithm".
        """
        if self._loose():
            return emissions.argmax(dim=2) * _inside(lengths, len(emissions))
        emissions, (start, transitions, end) = _full(emissions), self._scores()
        best, came = start + emissions[0], []
        own = torch.arange(self.tags, device=best.device)
        for place in range(1, len(emissions)):
            ways, source = (best.unsqueeze(2) + transitions).max(dim=1)
            goes_on = (place < lengths).unsqueeze(1)
            best = torch.where(goes_on, ways + emissions[place], best)
            came.append(torch.where(goes_on, source, own))
        tag = (best + end).argmax(dim=1)
        path = [tag]
        for source in reversed(came):
            tag = source.gather(1, tag.unsqueeze(1)).squeeze(1)
            path.append(tag)
        return torch.stack(path[::-1]) * _inside(lengths, len(emissions))

    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """The probability of each tag at each place, over all paths: [T, B, C], 0 behind the end of a sentence.

        By the forward-backward algorithm (Rabiner 1989, "A tutorial on hidden Markov models").
        """
        if self._loose():
            return torch.softmax(_full(emissions), dim=-1) * _inside(lengths, len(emissions)).unsqueeze(-1)
        emissions, scores = _full(emissions), self._scores()
        before = _before(emissions, lengths, scores)
        after = _after(emissions, lengths, scores)
        return torch.softmax(before + after, dim=-1) * _inside(lengths, len(emissions)).unsqueeze(-1)

    def _loose(self) -> bool:
        """Whether the tags of a sentence are independent of each other: then C numbers a word will do, not C²."""
        return not (self.trained or bool(self.forbidden_start.any()) or bool(self.forbidden.any()))

    def _scores(self) -> Scores:
        if self.start is None or self.transitions is None or self.end is None:
            none = torch.zeros(self.tags, device=self.forbidden.device)
            start, transitions, end = none, none.repeat(self.tags, 1), none
        else:
            start, transitions, end = _full(self.start), _full(self.transitions), _full(self.end)
        return Scores(
            start.masked_fill(self.forbidden_start, NEVER), transitions.masked_fill(self.forbidden, NEVER), end
        )


def log_sum(emissions: Tensor, lengths: Tensor, scores: Scores) -> Tensor:
    """The logarithm of the sum of exp(score) over all paths: [B]."""
    summed: Tensor = _LogSum.apply(emissions, lengths, *scores)
    return summed


class _LogSum(torch.autograd.Function):
    """Forwards one loop over the places, backwards another one.

    The gradient is known in closed form: how likely each tag is at each place, and each step from tag to tag. It costs
    a third of what torch's own record of the loop does.
    """

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Tensor:
        scores = Scores(start, transitions, end)
        before = _before(emissions, lengths, scores)
        summed = torch.logsumexp(before[-1] + end, dim=1)  # the last row holds the end of shorter sentences too
        ctx.save_for_backward(emissions, lengths, start, transitions, end, before, summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        emissions, lengths, start, transitions, end, before, summed = ctx.saved_tensors
        after = _after(emissions, lengths, Scores(start, transitions, end))
        inside = _inside(lengths, len(emissions)).unsqueeze(-1)
        weight = gradients[0].unsqueeze(-1)  # [B, 1]
        each = _chances(before + after - summed.unsqueeze(-1), inside) * weight  # [T, B, C]
        from_here = before[:-1] - summed.unsqueeze(-1)
        to_there = emissions[1:] + after[1:]
        steps = from_here.unsqueeze(-1) + transitions + to_there.unsqueeze(-2)  # [T - 1, B, C, C]
        steps = _chances(steps, inside[1:].unsqueeze(-1)) * weight.unsqueeze(-1)
        last = (lengths - 1).view(1, -1, 1).expand(1, -1, each.shape[-1])
        return each, None, each[0].sum(0), steps.sum((0, 1)), each.gather(0, last).sum((0, 1))


def _before(emissions: Tensor, lengths: Tensor, scores: Scores) -> Tensor:
    """Of all beginnings of paths that reach a tag at a place, the log of the sum: [T, B, C].

    Behind the end of a sentence it stays as it is there.
    """
    sums = [scores.start + emissions[0]]
    transitions = scores.transitions.T.contiguous()  # summed over the last dimension, which is the fast one
    for place in range(1, len(emissions)):
        new = torch.logsumexp(sums[-1].unsqueeze(1) + transitions, dim=2) + emissions[place]
        sums.append(torch.where((place < lengths).unsqueeze(1), new, sums[-1]))
    return torch.stack(sums)


def _after(emissions: Tensor, lengths: Tensor, scores: Scores) -> Tensor:
    """Of all ways to go on from a tag at a place, the log of the sum: [T, B, C]; end [C] from the last place on."""
    sums = [scores.end.expand_as(emissions[0])]
    for place in range(len(emissions) - 1, 0, -1):
        new = torch.logsumexp((sums[-1] + emissions[place]).unsqueeze(1) + scores.transitions, dim=2)
        sums.append(torch.where((place < lengths).unsqueeze(1), new, sums[-1]))
    return torch.stack(sums[::-1])


def _chances(logs: Tensor, inside: Tensor) -> Tensor:
    """exp, and 0 where it is not inside, whatever stands there."""
    return logs.masked_fill(~inside, -torch.inf).exp()


def _score(emissions: Tensor, tags: Tensor, lengths: Tensor, scores: Scores) -> Tensor:
    """The score of one path a sentence: [B]."""
    inside = _inside(lengths, len(emissions))
    own = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
    steps = scores.transitions[tags[:-1], tags[1:]]
    last = tags.gather(0, (lengths - 1).unsqueeze(0)).squeeze(0)
    return scores.start[tags[0]] + own.masked_fill(~inside, 0).sum(0) + (steps * inside[1:]).sum(0) + scores.end[last]


def _inside(lengths: Tensor, places: int) -> Tensor:
    """Whether a place is of its sentence: bool [T, B]."""
    return torch.arange(places, device=lengths.device).unsqueeze(1) < lengths


def _full(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
