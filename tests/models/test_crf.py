"""The conditional random field, held against a list of all paths."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from textdl.models.crf import Chain

T, C = 5, 3
LENGTHS = torch.tensor([5, 1, 3, 2])


def chain(seed: int = 0, forbidden: bool = False, trained: bool = True) -> Chain:
    made = Chain(C, trained).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    if forbidden:  # 1 not at the beginning, not after 0, nor 2 after 1
        steps = torch.zeros(C, C, dtype=torch.bool)
        steps[0, 1] = steps[1, 2] = True
        made.forbid(torch.tensor([False, True, False]), steps)
    return made


def emissions(seed: int = 1) -> Tensor:
    return torch.randn(T, len(LENGTHS), C, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def score(made: Chain, given: Tensor, path: tuple[int, ...]) -> float:
    """One path by hand; minus infinity where it is forbidden."""
    if made.forbidden_start[path[0]] or any(made.forbidden[a, b] for a, b in itertools.pairwise(path)):
        return -math.inf
    total = sum(float(given[place, tag]) for place, tag in enumerate(path))
    if made.trained:
        total += made.start[path[0]].item() + made.end[path[-1]].item()
        total += sum(made.transitions[a, b].item() for a, b in itertools.pairwise(path))
    return total


def every(made: Chain, given: Tensor, length: int) -> dict[tuple[int, ...], float]:
    """All paths with their probabilities."""
    scores = {path: score(made, given, path) for path in itertools.product(range(C), repeat=length)}
    total = math.fsum(math.exp(value) for value in scores.values())
    return {path: math.exp(value) / total for path, value in scores.items()}


KINDS = pytest.mark.parametrize(("forbidden", "trained"), [(False, True), (True, True), (True, False), (False, False)])


@KINDS
def test_the_probability_of_every_path(forbidden: bool, trained: bool) -> None:
    made, given = chain(forbidden=forbidden, trained=trained), emissions()
    for column, length in enumerate(LENGTHS.tolist()):
        for path, expected in every(made, given[:, column], length).items():
            padded = torch.tensor([*path, *[2] * (T - length)]).unsqueeze(1)
            own = slice(column, column + 1)
            found = made.log_prob(given[:, own], padded, LENGTHS[own]).exp().item()
            assert found == pytest.approx(expected, abs=1e-12)


@KINDS
def test_the_likeliest_path(forbidden: bool, trained: bool) -> None:
    for seed in range(20):
        made, given = chain(seed, forbidden, trained), emissions(seed + 50)
        found = made.viterbi(given, LENGTHS)
        for column, length in enumerate(LENGTHS.tolist()):
            ways = every(made, given[:, column], length)
            assert tuple(found[:length, column].tolist()) == max(ways, key=ways.__getitem__)
            assert not found[length:, column].any()


@KINDS
def test_marginals(forbidden: bool, trained: bool) -> None:
    made, given = chain(forbidden=forbidden, trained=trained), emissions()
    found = made.marginals(given, LENGTHS)
    for column, length in enumerate(LENGTHS.tolist()):
        ways = every(made, given[:, column], length)
        for place, tag in itertools.product(range(length), range(C)):
            expected = math.fsum(share for path, share in ways.items() if path[place] == tag)
            assert float(found[place, column, tag]) == pytest.approx(expected, abs=1e-12)
        assert not found[length:, column].any()


@pytest.mark.parametrize("forbidden", [False, True])
def test_gradients_are_those_of_small_differences(forbidden: bool) -> None:
    made, given = chain(forbidden=forbidden), emissions().requires_grad_()
    path = torch.tensor([[2, 0, 2, 0], [0, 1, 2, 2], [0, 0, 0, 0], [2, 1, 1, 2], [0, 0, 0, 0]])
    weights = torch.tensor([1.0, 2.0, -0.5, 3.0], dtype=torch.float64)
    names = [name for name, _ in made.named_parameters()]

    def loss(given: Tensor, *values: Tensor) -> Tensor:
        found = torch.func.functional_call(
            Wrapped(made), {f"chain.{name}": value for name, value in zip(names, values, strict=True)}, (given, path)
        )
        return (found * weights).sum()

    assert torch.autograd.gradcheck(loss, (given, *[p.detach().clone().requires_grad_() for p in made.parameters()]))


class Wrapped(torch.nn.Module):
    def __init__(self, made: Chain) -> None:
        super().__init__()
        self.chain = made

    def forward(self, given: Tensor, path: Tensor) -> Tensor:
        return self.chain.log_prob(given, path, LENGTHS)


def test_tags_that_are_independent_cost_no_square_of_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the Brown corpus has would take gigabytes."""
    made, given = chain(trained=False), emissions()
    monkeypatch.setattr(made, "_scores", None)
    inside = torch.arange(T).unsqueeze(1) < LENGTHS
    assert torch.equal(made.viterbi(given, LENGTHS), given.argmax(2) * inside)
    assert torch.equal(made.marginals(given, LENGTHS), given.softmax(2) * inside.unsqueeze(2))


def test_padding_changes_nothing() -> None:
    """Whatever stands behind the ends, even what is no number of this world."""
    made, given = chain(forbidden=True), emissions()
    path = torch.zeros(T, len(LENGTHS), dtype=torch.int64)
    wild, other = given.clone(), path.clone()
    for column, length in enumerate(LENGTHS.tolist()):
        wild[length:, column] = 1e6
        other[length:, column] = 1
    assert torch.equal(made.log_prob(given, path, LENGTHS), made.log_prob(wild, other, LENGTHS))
    assert torch.equal(made.viterbi(given, LENGTHS), made.viterbi(wild, LENGTHS))
    assert torch.equal(made.marginals(given, LENGTHS), made.marginals(wild, LENGTHS))
    gradients = []
    for some, tags in ((given, path), (wild, other)):
        made.zero_grad()
        made.log_prob(some.requires_grad_(), tags, LENGTHS).sum().backward()
        gradients.append([some.grad, *(parameter.grad for parameter in made.parameters())])
    for mine, theirs in zip(*gradients, strict=True):
        assert torch.equal(mine, theirs)


def test_float32_whatever_the_precision_around_it() -> None:
    made, given = chain().float(), emissions().float()
    path = torch.zeros(T, len(LENGTHS), dtype=torch.int64)
    expected = made.log_prob(given, path, LENGTHS)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(made.log_prob(given, path, LENGTHS), expected)
    assert made.log_prob(given.bfloat16(), path, LENGTHS).dtype == torch.float32


def test_a_long_sentence_stays_a_number() -> None:
    made = chain().float()
    given, path = 30 * torch.randn(3000, 1, C), torch.zeros(3000, 1, dtype=torch.int64)
    length = torch.tensor([3000])
    assert made.log_prob(given, path, length).isfinite().all()
    found = made.marginals(given, length)
    assert torch.allclose(found.sum(-1), torch.ones(3000, 1), atol=1e-5)
