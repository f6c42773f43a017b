"""Finding the target of a source: by a beam, greedily, or by drawing; many sentences at once.

Legend: B sentences, K hypotheses of each, V target vocabulary, S source tokens, T tokens of a target.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..config import check, knob
from ..errors import ConfigError
from ..kernels.sampling import pick
from ..models.translating import Memory, Side, State, Translator


@dataclass(frozen=True)
class DecodingConfig:
    """How targets are found."""

    beam: int = knob(
        5, "Hypotheses that are kept of each sentence; 1: the likeliest token each time.", least=1, most=1000
    )
    n_best: int = knob(1, "How many of the best are given.", least=1, most=1000)
    length_penalty: float = knob(
        1.0, "What length is forgiven: 0 nothing, 1 about all (Wu et al. 2016).", least=0, most=10
    )
    sample: bool = knob(False, "Draw each token instead of searching for the best.")
    temperature: float = knob(1.0, "Of drawing: below 1 safer, above 1 wilder.", above=0, most=100)
    top_k: int = knob(0, "Draw from the k likeliest tokens only (0: from all).", least=0)
    top_p: float = knob(1.0, "Draw from the likeliest tokens that hold this share of the probability.", above=0, most=1)
    seed: int = knob(1, "Seed of drawing.", least=0)
    copy_unknown: bool = knob(True, "Put the source word that is looked at in the place of an unknown word.")
    longest_factor: float = knob(
        2.0, "A target is at most so many times as long as its source, and ...", above=0, most=1000, flag=False
    )
    longest_extra: int = knob(20, "... so many tokens more.", least=0, flag=False)

    def __post_init__(self) -> None:
        check(self)
        if not self.sample and self.n_best > self.beam:
            raise ConfigError(f"n_best can be at most the beam, {self.beam}, got {self.n_best}; use a larger --beam")

    def limits(self, lengths: Tensor) -> Tensor:
        """The most tokens [B] of the targets of sources of some lengths [B], the end not counted."""
        return (self.longest_factor * lengths).ceil().long() + self.longest_extra


class Hypothesis(NamedTuple):
    """One target.

    Attributes:
        ids: its tokens, without the end.
        score: ``log_probability`` over the length penalty.
        log_probability: of all tokens and the end, in nats.
        attention: [T, S], what was looked at for each token; None where it was not asked for, or there is none.
    """

    ids: list[int]
    score: float
    log_probability: float
    attention: np.ndarray | None = None


def penalty(length: int, power: float) -> float:
    """What the log probability of a target with so many tokens is divided by (Wu et al. 2016, equation 14)."""
    return float(((5 + length) / 6) ** power)


@torch.inference_mode()
def find(
    model: Translator,
    source: Side,
    end: int,
    config: DecodingConfig,
    banned: tuple[int, ...] = (),
    attend: bool = False,
    first: int = 0,
) -> list[list[Hypothesis]]:
    """The targets of some sources, of each the ``n_best``, the best first.

    Args:
        model: in evaluation mode.
        source: B sentences on the model's device.
        end: the id before the first and after the last token.
        config: how to find them.
        banned: ids that are never chosen.
        attend: keep the attention.
        first: the number of the first sentence; drawing goes by the seed and the number of a sentence, not by which
            sentences are in one batch.
    """
    if config.sample:
        drawn = [_draw(model, source, end, config, banned, attend, first, time) for time in range(config.n_best)]
        return [sorted(some, key=lambda one: -one.score) for some in zip(*drawn, strict=True)]
    return _Beam(model, source, end, config, banned, attend).run()


@dataclass
class _Beam:
    """A search over B sentences at once.

    Of all continuations of the hypotheses of a sentence the K best are kept. One that ends is done, and the beam of its
    sentence one narrower; a sentence whose hypotheses are all done leaves the batch.
    """

    model: Translator
    source: Side
    end: int
    config: DecodingConfig
    banned: tuple[int, ...]
    attend: bool
    found: list[list[Hypothesis]] = field(init=False)

    def run(self) -> list[list[Hypothesis]]:
        """The search. K, the hypotheses that are looked at in a step, is 1 at first and then the widest beam's."""
        source, device = self.source, self.source.ids.device
        batch = source.ids.shape[1]
        memory = self.model.encode(source)
        state = self.model.begin(memory)
        self.found = [[] for _ in range(batch)]
        limits, rows = self.config.limits(source.lengths), torch.arange(batch, device=device)
        room = torch.full((batch, 1), self.config.beam, device=device)  # of each beam, for those that have not ended
        ids, scores = torch.full((batch, 1), self.end, device=device), torch.zeros(batch, 1, device=device)
        history = torch.empty(batch, 1, 0, dtype=torch.int64, device=device)
        looked: Tensor | None = None
        while len(rows):
            made = self.model.step(ids, state, memory)
            if self.attend and made.attention is not None:
                seen = made.attention.unsqueeze(2)  # [B, K, 1, S]
                looked = seen if looked is None else torch.cat([looked, seen], 2)
            last = history.shape[2] >= limits[rows]
            scores, parents, ids = self._best(made.logits.float(), scores, last, room)
            history = history.gather(1, parents.unsqueeze(-1).expand(-1, -1, history.shape[2]))
            if looked is not None:
                looked = looked.gather(1, parents[..., None, None].expand(-1, -1, *looked.shape[2:]))
            ended = (ids == self.end) & (scores > -torch.inf)
            if ended.any():
                self._keep(ended, rows, scores, history, looked)
            history = torch.cat([history, ids.unsqueeze(-1)], 2)
            scores, room = scores.masked_fill(ended, -torch.inf), room - ended.sum(1, keepdim=True)
            live = (scores > -torch.inf).any(1)
            state, memory = _taken(made.state, memory, parents, made.logits.shape[1], live)
            if not live.all():
                rows, ids, scores, history, room = rows[live], ids[live], scores[live], history[live], room[live]
                looked = None if looked is None else looked[live]
        return [sorted(some, key=lambda one: -one.score)[: self.config.n_best] for some in self.found]

    def _best(self, logits: Tensor, scores: Tensor, last: Tensor, room: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The best continuations: their log probabilities, what they continue, and their tokens, each [B, new K].

        Args:
            logits: [B, K, V].
            scores: [B, K], log probabilities of what they go on from.
            last: [B], where only the end may follow.
            room: [B, 1], how many of them a sentence may have; the others are -inf.
        """
        _, width, size = logits.shape
        widest = int(room.max())
        totals = scores - logits.logsumexp(-1)  # of a continuation: this and its logit
        if self.banned:
            logits[..., list(self.banned)] = -torch.inf
        if last.any():
            ends = logits[last][..., self.end]
            logits[last] = -torch.inf
            logits[last, :, self.end] = ends
        each = min(widest, size)  # no hypothesis has more than so many of the best
        values, tokens = logits.topk(each, -1) if each > 1 else logits.max(-1, keepdim=True)
        best, places = (totals.unsqueeze(-1) + values).flatten(1).topk(min(widest, width * each), -1)
        best = best.masked_fill(torch.arange(best.shape[1], device=best.device) >= room, -torch.inf)
        return best, places // each, tokens.flatten(1).gather(1, places)

    def _keep(self, ended: Tensor, rows: Tensor, scores: Tensor, history: Tensor, looked: Tensor | None) -> None:
        """Put those that have ended away: ended, scores [B, K], history [B, K, T], looked [B, K, T + 1, S]."""
        length = history.shape[2] + 1
        over = penalty(length, self.config.length_penalty)
        numbers = rows.unsqueeze(1).expand_as(ended)[ended].tolist()
        some, texts = scores[ended].tolist(), history[ended].tolist()
        attention = None if looked is None else looked[ended][:, :-1].float().cpu().numpy()
        for place, (number, score, ids) in enumerate(zip(numbers, some, texts, strict=True)):
            seen = None if attention is None else attention[place]
            self.found[number].append(Hypothesis(ids, score / over, score, seen))


def _taken(state: State, memory: Memory, parents: Tensor, width: int, live: Tensor) -> tuple[State, Memory]:
    """What goes on: of each sentence that is ``live`` [B] those of its ``width`` hypotheses that ``parents`` names."""
    batch, all_live = len(parents), bool(live.all())
    if width == parents.shape[1] == 1 and all_live:
        return state, memory
    rows = torch.arange(batch, device=parents.device).unsqueeze(1) * width + parents
    taken = (rows if all_live else rows[live]).flatten()
    return tuple(part[taken] for part in state), memory if all_live else memory.of(live)


def _draw(
    model: Translator,
    source: Side,
    end: int,
    config: DecodingConfig,
    banned: tuple[int, ...],
    attend: bool,
    first: int,
    time: int,
) -> list[Hypothesis]:
    """One drawn target of each source."""
    memory, batch = model.encode(source), source.ids.shape[1]
    limits, state = config.limits(source.lengths).tolist(), model.begin(memory)
    drawers = [np.random.default_rng([config.seed, first + number, time]) for number in range(batch)]
    never, rows = np.array(banned, np.int64), list(range(batch))
    ids = torch.full((batch, 1), end, device=source.ids.device)
    texts: list[list[int]] = [[] for _ in rows]
    looked: list[list[np.ndarray]] = [[] for _ in rows]
    scores = [0.0] * batch
    while rows:
        made = model.step(ids, state, memory)
        logits = made.logits[:, 0].float()
        chances = logits.log_softmax(-1).cpu().numpy()
        table, goes_on = logits.cpu().numpy(), []
        for place, number in enumerate(rows):
            token = end
            if len(texts[number]) < limits[number]:
                chosen = drawers[number].random()
                token = int(pick(table[place], chosen, config.temperature, config.top_k, config.top_p, never))
            scores[number] += float(chances[place, token])
            goes_on.append(token != end)
            if token != end:
                texts[number].append(token)
                if attend and made.attention is not None:
                    looked[number].append(made.attention[place, 0].float().cpu().numpy())
        live = torch.tensor(goes_on, device=source.ids.device)
        first_only = torch.zeros(len(rows), 1, dtype=torch.int64, device=live.device)
        state, memory = _taken(made.state, memory, first_only, 1, live)
        rows = [number for number, more in zip(rows, goes_on, strict=True) if more]
        ids = torch.tensor([[texts[number][-1]] for number in rows], device=live.device)
    return [
        Hypothesis(ids, score / penalty(len(ids) + 1, config.length_penalty), score, np.array(seen) if seen else None)
        for ids, score, seen in zip(texts, scores, looked, strict=True)
    ]
