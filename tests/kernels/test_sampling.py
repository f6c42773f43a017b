"""The sampling rule against exact probabilities, a slow obvious implementation, and its compiled twin."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from textdl.errors import ConfigError, RunError
from textdl.kernels.sampling import exponential, pick
from textdl.kernels.stepping import draw

SCORES = st.lists(
    st.one_of(st.integers(-3, 3).map(float), st.floats(-40, 40, width=32)),  # the whole ones make ties
    min_size=1,
    max_size=12,
)


def compiled_pick(
    logits: NDArray[np.float32],
    uniform: float,
    temperature: float,
    top_k: int,
    top_p: float,
    banned: list[int],
) -> int:
    size = len(logits)
    scratch = np.empty(size, np.float32), np.empty(size), np.empty(size, np.int64)
    forbidden = np.array(banned, np.int64)
    return int(draw(logits, uniform, float(temperature), top_k, float(top_p), forbidden, *scratch))


def obvious_pick(
    logits: list[float], uniform: float, temperature: float, top_k: int, top_p: float, banned: list[int]
) -> tuple[int, float]:
    """The id, and how near (as a share) any decision was to going the other way by a rounding."""
    allowed = [i for i in range(len(logits)) if i not in banned]
    best = max(logits[i] for i in allowed)
    if temperature == 0:
        return min(i for i in allowed if logits[i] == best), 1.0
    weight = {i: Fraction(math.exp((logits[i] - best) / temperature)) for i in allowed}
    order = sorted(allowed, key=lambda i: (-logits[i], i))
    order = order[:top_k] if top_k else order
    total = Fraction(sum(weight[i] for i in order))
    near = Fraction(1)
    kept: list[int] = []
    for i in order:
        kept.append(i)
        share = Fraction(sum(weight[k] for k in kept)) / total
        near = min(near, abs(share - Fraction(top_p))) if top_p < 1 else near
        if top_p < 1 and share >= Fraction(top_p):
            break
    total = Fraction(sum(weight[i] for i in kept))
    below = Fraction(0)
    for i in sorted(kept):
        below += weight[i] / total
        near = min(near, abs(below - Fraction(uniform)))
        if below > Fraction(uniform):
            return i, float(near)
    raise AssertionError("the uniform number is below 1")


@settings(max_examples=400, deadline=None)
@given(
    SCORES,
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([0.0, 1e-4, 0.3, 0.8, 1.0, 5.0]),
    st.integers(0, 14),
    st.one_of(st.just(1.0), st.floats(0, 1)),
    st.sets(st.integers(0, 11), max_size=4),
)
def test_top_k_and_top_p_are_those_of_the_obvious_way(
    logits: list[float], uniform: float, temperature: float, top_k: int, top_p: float, forbidden: set[int]
) -> None:
    banned = sorted(token for token in forbidden if token < len(logits) and len(forbidden) < len(logits))
    scores = np.array(logits, np.float32)
    got = pick(scores, uniform, temperature, top_k, top_p, banned)
    assert compiled_pick(scores, uniform, temperature, top_k, top_p, banned) == got
    wanted, near = obvious_pick(scores.tolist(), uniform, temperature, top_k, top_p, banned)
    assert got == wanted or near < 1e-12


@pytest.mark.parametrize("top_k, top_p", [(0, 1.0), (50, 1.0), (0, 0.9), (200, 0.7), (1, 1.0), (999, 1.0), (0, 0.0)])
def test_the_compiled_twin_gives_the_same_ids_for_large_vocabularies(top_k: int, top_p: float) -> None:
    generator = np.random.default_rng(0)
    for _ in range(60):
        logits = (3 * generator.standard_normal(1000)).astype(np.float32).round(1)  # rounded: many ties
        uniform = generator.random()
        banned = generator.integers(0, 1000, 5).tolist()
        assert pick(logits, uniform, 0.9, top_k, top_p, banned) == compiled_pick(
            logits, uniform, 0.9, top_k, top_p, banned
        )


def chi_square(ids: list[int], probabilities: NDArray[np.float64]) -> float:
    counts = np.bincount(ids, minlength=len(probabilities))
    expected = len(ids) * probabilities
    assert not counts[probabilities == 0].any()
    there = probabilities > 0
    return float((((counts - expected) ** 2)[there] / expected[there]).sum())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_the_probabilities(temperature: float) -> None:
    logits = np.log(np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04], np.float32))
    exact = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04]) ** (1 / temperature)
    exact /= exact.sum()
    generator = np.random.default_rng(1)
    ids = [compiled_pick(logits, u, temperature, 0, 1.0, []) for u in generator.random(20000)]
    assert chi_square(ids, exact) < 20.5  # the 0.999 quantile with 5 degrees of freedom


def test_frequencies_after_top_k_top_p_and_a_ban() -> None:
    logits = np.log(np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04], np.float32))
    generator = np.random.default_rng(2)
    ids = [pick(logits, u, 1.0, 4, 0.75, [0]) for u in generator.random(5000)]
    # without id 0 the four best are 1 2 3 4, of 0.56 in all; 0.25 + 0.15 is a share of 0.714, so 3 comes in
    assert chi_square(ids, np.array([0, 0.25, 0.15, 0.1, 0, 0]) / 0.5) < 13.8  # 0.999, 2 degrees of freedom


def test_ids_come_in_order_along_the_uniform_number() -> None:
    logits = np.log(np.array([1, 2, 3, 4], np.float32))
    ids = [pick(logits, u) for u in (0.0, 0.099, 0.101, 0.299, 0.301, 0.599, 0.601, 1 - 2**-53)]
    assert ids == [0, 0, 1, 1, 2, 2, 3, 3]


def test_temperature_zero_takes_the_first_of_the_best() -> None:
    logits = np.array([1, 5, 5, 5, 2], np.float32)
    assert [pick(logits, 0.99, 0.0, banned=b) for b in ([], [1], [1, 2], [1, 2, 3])] == [1, 2, 3, 4]
    assert [compiled_pick(logits, 0.99, 0.0, 0, 1.0, b) for b in ([], [1], [1, 2], [1, 2, 3])] == [1, 2, 3, 4]


@pytest.mark.parametrize("temperature", [1e-4, 1e-300, 5e-324, 1e300])
def test_no_temperature_overflows(temperature: float) -> None:
    logits = np.array([-3e38, 88.0, 3e38, -np.inf], np.float32)
    wanted = 2 if temperature < 1 else 1
    uniform = 0.5
    assert pick(logits, uniform, temperature) == wanted
    assert compiled_pick(logits, uniform, temperature, 0, 1.0, []) == wanted


def test_the_exponential_is_exact_to_two_units_in_the_last_place() -> None:
    x = -np.random.default_rng(3).uniform(0, 700, 20000)
    x[:4] = 0.0, -1e-300, -699.9999, -math.log(2)
    exact = np.array([math.exp(value) for value in x])
    assert np.abs(exponential(x) / exact - 1).max() < 2 * 2**-52
    assert exponential(np.array([-701.0, -1e300, -np.inf])).tolist() == [0, 0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_numbers_are_reported(bad: float) -> None:
    logits = np.array([0, bad, 1], np.float32)
    with pytest.raises(RunError, match="not finite"):
        pick(logits, 0.5)
    assert compiled_pick(logits, 0.5, 1.0, 0, 1.0, []) == -2
    assert pick(logits, 0.9, banned=[1]) == compiled_pick(logits, 0.9, 1.0, 0, 1.0, [1]) == 2


@pytest.mark.parametrize("logits", [[-np.inf, -np.inf], []])
def test_nothing_left_is_reported(logits: list[float]) -> None:
    with pytest.raises(ConfigError, match="no token is left"):
        pick(np.array(logits, np.float32), 0.5)
    assert compiled_pick(np.array(logits, np.float32), 0.5, 1.0, 0, 1.0, []) == -1


@pytest.mark.parametrize(
    "change, message",
    [
        ({"temperature": -1}, "temperature must be a finite number, at least 0, got -1"),
        ({"temperature": math.inf}, "temperature must be a finite number"),
        ({"top_k": -1}, "top_k must be at least 0, got -1"),
        ({"top_p": 1.5}, "top_p must lie in 0 to 1, got 1.5"),
        ({"top_p": math.nan}, "top_p must lie in 0 to 1, got nan"),
        ({"uniform": 1.0}, r"\[0, 1\)"),
        ({"uniform": math.nan}, r"\[0, 1\)"),
        ({"banned": [3]}, "banned must hold ids from 0 to 2, got 3"),
        ({"banned": [-1]}, "banned must hold ids from 0 to 2, got -1"),
        ({"logits": np.zeros((1, 3))}, "one axis"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"logits": np.zeros(3, np.float32), "uniform": 0.5, **change}
    with pytest.raises(ConfigError, match=message):
        pick(**arguments)  # type: ignore[arg-type]
