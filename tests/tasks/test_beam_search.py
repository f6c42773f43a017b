"""Searching for targets, against all there are and against one step at a time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from textdl.errors import ConfigError
from textdl.models.translating import Memory, Scored, Side, State, Step, Translator
from textdl.tasks.beam_search import DecodingConfig, Hypothesis, find, penalty

END = 3  # of the ids 0 to 3


class Table(Translator):
    """A model that is a table: the next token depends on the source and on the two tokens before it."""

    def __init__(self, seed: int, sources: int = 3, size: int = 4) -> None:
        super().__init__()
        self.table = torch.randn(sources, size, size, size, generator=torch.Generator().manual_seed(seed)) * 2
        self.steps = 0

    def encode(self, source: Side) -> Memory:
        values = source.ids.T.float().unsqueeze(-1)
        return Memory(values, values, torch.ones(values.shape[:2], dtype=torch.bool), (source.ids[0],))

    def begin(self, memory: Memory) -> State:
        return (torch.full((len(memory.mask),), END),)

    def step(self, ids: Tensor, state: State, memory: Memory) -> Step:
        self.steps += 1
        before = state[0].view(ids.shape)
        logits = self.table[memory.last[0].unsqueeze(1), before, ids]
        shape = (*ids.shape, memory.mask.shape[1])
        return Step(logits.clone(), (ids.flatten(),), torch.full(shape, 1 / shape[-1]))

    def forward(self, source: Side, before: Side, own: float = 0.0) -> Scored:
        raise NotImplementedError

    def chance(self, source: int, ids: tuple[int, ...]) -> float:
        """The log probability of a target, worked out token by token."""
        total, before = 0.0, [END, END]
        for token in (*ids, END):
            total += float(self.table[source, before[0], before[1]].log_softmax(-1)[token])
            before = [before[1], token]
        return total


def side(*sources: int, length: int = 1) -> Side:
    ids = torch.tensor([sources] * length)
    return Side(ids, torch.full((len(sources),), length))


def every(model: Table, source: int, most: int, power: float) -> list[tuple[float, tuple[int, ...]]]:
    """All targets of up to ``most`` tokens with their scores, the best first."""
    some = [ids for length in range(most + 1) for ids in itertools.product(range(END), repeat=length)]
    return sorted(((model.chance(source, ids) / penalty(len(ids) + 1, power), ids) for ids in some), reverse=True)


def config(most: int, **changes: object) -> DecodingConfig:
    return DecodingConfig(longest_factor=1e-9, longest_extra=most - 1, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("power", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_holds_all_finds_what_trying_all_finds(seed: int, power: float) -> None:
    model, most = Table(seed), 3
    found = find(model, side(2, 0, 1), END, config(most, beam=200, n_best=20, length_penalty=power))
    for source, some in zip((2, 0, 1), found, strict=True):
        best = every(model, source, most, power)[:20]
        assert [tuple(one.ids) for one in some] == [ids for _, ids in best]
        assert [one.score for one in some] == pytest.approx([score for score, _ in best], abs=1e-4)
        for one in some:
            assert one.log_probability == pytest.approx(model.chance(source, tuple(one.ids)), abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_a_beam_of_one_takes_the_likeliest_token_each_time(seed: int) -> None:
    model, most = Table(seed), 9
    for source, (one,) in enumerate(find(model, side(0, 1, 2), END, config(most, beam=1))):
        ids, before = [], [END, END]
        while len(ids) < most:
            token = int(model.table[source, before[0], before[1]].argmax())
            if token == END:
                break
            ids.append(token)
            before = [before[1], token]
        assert one.ids == ids


def plain_beam(model: Table, source: int, wide: int, most: int, power: float) -> list[tuple[float, tuple[int, ...]]]:
    """The same search as lists: what ends leaves the beam, which is then one narrower."""
    beam: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    done: list[tuple[float, tuple[int, ...]]] = []
    while beam:
        more = []
        for total, ids in beam:
            before = (END, END, *ids)[-2:]
            chances = model.table[source, before[0], before[1]].log_softmax(-1).tolist()
            allowed = [END] if len(ids) >= most else range(END + 1)
            more += [(total + chances[token], (*ids, token)) for token in allowed]
        kept = sorted(more, reverse=True)[: wide - len(done)]
        done += [(total / penalty(len(ids), power), ids[:-1]) for total, ids in kept if ids[-1] == END]
        beam = [(total, ids) for total, ids in kept if ids[-1] != END]
    return sorted(done, reverse=True)


@pytest.mark.parametrize("wide", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_a_narrow_beam_against_one_made_of_lists(seed: int, wide: int) -> None:
    model, most = Table(seed), 6
    sources = (1, 0, 2, 1)
    found = find(model, side(*sources), END, config(most, beam=wide, n_best=wide, length_penalty=0.8))
    for source, some in zip(sources, found, strict=True):
        slow = plain_beam(model, source, wide, most, 0.8)
        assert [tuple(one.ids) for one in some] == [ids for _, ids in slow]
        assert [one.score for one in some] == pytest.approx([score for score, _ in slow], abs=1e-4)


def test_what_is_banned_never_comes() -> None:
    for settings in ({"beam": 4, "n_best": 4}, {"sample": True, "n_best": 4}):
        for some in find(Table(1), side(0, 1, 2), END, config(5, **settings), banned=(1,)):
            assert all(1 not in one.ids for one in some)


def test_sentences_that_are_done_leave_the_batch() -> None:
    model = Table(0)
    model.table[:, :, :, END] += 20  # ends at once
    find(model, side(0, 1, 2), END, config(50, beam=1))
    assert model.steps == 1
    model.table[0, :, :, END] -= 60  # one that never does
    model.steps = 0
    (first, *_) = find(model, side(0, 1, 2), END, config(50, beam=1))
    assert model.steps == 51
    assert len(first[0].ids) == 50


def test_no_target_is_longer_than_its_source_allows() -> None:
    model = Table(0)
    model.table[..., END] -= 50
    ids = torch.zeros(7, 2, dtype=torch.int64)
    found = find(
        model, Side(ids, torch.tensor([7, 3])), END, DecodingConfig(beam=2, longest_factor=1.5, longest_extra=2)
    )
    assert [len(some[0].ids) for some in found] == [math.ceil(1.5 * 7) + 2, math.ceil(1.5 * 3) + 2]


def test_the_attention_has_a_row_a_token() -> None:
    found = find(Table(2), side(0, 1, 2, length=5), END, config(6, beam=3, n_best=3), attend=True)
    for one in itertools.chain(*found):
        assert one.attention is not None
        assert one.attention.shape == (len(one.ids), 5)


def test_drawing_follows_the_chances() -> None:
    model, most = Table(3), 2
    settings = [config(most, sample=True, n_best=1000, length_penalty=0.0, seed=seed) for seed in range(3)]
    drawn = [one for some in settings for one in find(model, side(1), END, some)[0]]
    counts: dict[tuple[int, ...], int] = {}
    for one in drawn:
        counts[tuple(one.ids)] = counts.get(tuple(one.ids), 0) + 1
        assert len(one.ids) == most or one.log_probability == pytest.approx(model.chance(1, tuple(one.ids)), abs=1e-4)
    short = [ids for _, ids in every(model, 1, most - 1, 0.0)]
    for ids in short:
        assert counts.get(ids, 0) / 3000 == pytest.approx(math.exp(model.chance(1, ids)), abs=0.03)


def test_drawing_goes_by_the_number_of_a_text_and_not_by_its_batch() -> None:
    model, settings = Table(3), config(8, sample=True, n_best=2, seed=5)
    together = find(model, side(0, 1, 2), END, settings)
    alone = [find(model, side(n), END, settings, first=n)[0] for n in range(3)]

    def told(found: list[list[Hypothesis]]) -> list[list[list[int]]]:
        return [[one.ids for one in some] for some in found]

    assert told(together) == told(alone)
    assert told(together) != told(find(model, side(0, 1, 2), END, config(8, sample=True, n_best=2, seed=6)))


def test_penalty_by_hand() -> None:
    assert penalty(1, 1.0) == 1.0
    assert penalty(7, 1.0) == 2.0
    assert penalty(7, 0.5) == pytest.approx(math.sqrt(2))
    assert penalty(99, 0.0) == 1.0


def test_more_than_the_beam_can_not_be_had() -> None:
    with pytest.raises(ConfigError, match="n_best can be at most the beam, 2, got 3; use a larger --beam"):
        DecodingConfig(beam=2, n_best=3)
    assert np.array_equal(DecodingConfig().limits(torch.tensor([1, 10])), [22, 40])
