"""Windows against a slow obvious loop, the way back from their scaling, and seasons."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from textdl.tasks.forecast_windows import (
    QUIET,
    Framing,
    cut,
    find_season,
    last_value,
    learn_framing,
    places,
    seasonal,
)

RANDOM = np.random.default_rng(4)


@pytest.mark.parametrize("begin, end", [(0, 30), (12, 30), (5, 17), (20, 24), (28, 30)])
@pytest.mark.parametrize("lookback, horizon", [(1, 1), (4, 3), (10, 2), (12, 6)])
def test_windows_are_those_of_a_slow_loop(begin: int, end: int, lookback: int, horizon: int) -> None:
    values = RANDOM.normal(size=(30, 2))
    wanted = []
    for column in range(2):
        for first in range(30):
            ahead = range(first, first + horizon)
            if all(begin <= place < end for place in ahead) and first - lookback >= 0:
                known = [values[place, column] for place in range(first - lookback, first)]
                wanted.append((column, known, [values[place, column] for place in ahead]))
    which = places(begin, end, 2, lookback, horizon)
    known, truth = cut(values, which, lookback, horizon)
    found = [(int(c), k.tolist(), t.tolist()) for c, k, t in zip(which.columns, known, truth, strict=True)]
    assert found == wanted


def test_the_naive_forecasts_are_what_the_hand_finds() -> None:
    history = np.array([[9.0, 1.0, 2.0, 3.0], [0.0, 4.0, 5.0, 6.0]])
    assert last_value(history, 2).tolist() == [[3, 3], [6, 6]]
    assert seasonal(history, 5, 3).tolist() == [[1, 2, 3, 1, 2], [4, 5, 6, 4, 5]]
    assert seasonal(history, 2, 1).tolist() == last_value(history, 2).tolist()
    assert seasonal(history, 2, 4).tolist() == [[9, 1], [0, 4]]


def test_a_window_is_scaled_as_a_loop_does_it() -> None:
    train = RANDOM.normal(size=(60, 2)).cumsum(axis=0)
    for scaling in ("window", "train"):
        framing = learn_framing(train, window=5, horizon=3, season=4, around="season", scaling=scaling)
        which = places(0, 60, 2, framing.lookback, 3)
        known, _ = cut(train, which, framing.lookback, 3)
        framed = framing.frame(known, which.columns)
        assert framed.features.shape == (len(known), 5, 2)
        for row in (0, 7, len(known) - 1):
            column, all_known = which.columns[row], known[row].tolist()
            recent, spread = all_known[4:], float(np.std(train[:, column]))
            if scaling == "window":
                shift = recent[-1]
                mean = sum(recent) / 5
                scale = math.sqrt(sum((n - mean) ** 2 for n in recent) / 5 + (QUIET * spread) ** 2)
            else:
                shift, scale = float(np.mean(train[:, column])), spread
            for step in range(5):
                assert framed.features[row, step, 0] == pytest.approx((recent[step] - shift) / scale, abs=1e-5)
                above = all_known[4 + step] - all_known[step]
                assert framed.features[row, step, 1] == pytest.approx(above / scale, abs=1e-5)
            for ahead in range(3):
                assert framed.base[row, ahead] == all_known[5 + ahead]
                assert framed.unit[row, ahead] == pytest.approx(scale * framing.units[ahead])


@pytest.mark.parametrize("scaling", ["window", "train"])
@pytest.mark.parametrize("around, season", [("last", 0), ("last", 6), ("season", 6)])
@pytest.mark.parametrize("size, level", [(1.0, 0.0), (1e30, 5e30), (1e-12, 3.0), (1e90, 0.0)])
def test_what_is_scaled_comes_back(scaling: str, around: str, season: int, size: float, level: float) -> None:
    values = level + size * RANDOM.normal(size=(80, 1))
    framing = learn_framing(values[:60], 8, 4, season, around, scaling)
    framing = Framing.of(json.loads(json.dumps(framing.to_json())))
    which = places(60, 80, 1, framing.lookback, 4)
    known, truth = cut(values, which, framing.lookback, 4)
    framed = framing.frame(known, which.columns)
    scaled = framed.scaled(truth)
    assert np.isfinite(scaled).all()
    assert np.isfinite(framed.features).all()
    back = framed.back(scaled[..., None])[..., 0]
    np.testing.assert_allclose(back, truth, rtol=1e-6, atol=1e-5 * size)


def test_windows_of_one_shape_look_alike_whatever_their_level_and_size() -> None:
    train = RANDOM.normal(size=(100, 1))
    framing = learn_framing(train, 6, 2, 0, "last", "window")
    shape = np.array([[1.0, 3.0, 2.0, 5.0, 4.0, 6.0]])
    usual, large = (framing.frame(history, np.zeros(1, int)).features for history in (100 * shape, 1e6 + 1000 * shape))
    np.testing.assert_allclose(usual, large, atol=1e-3)
    flat = framing.frame(np.full((1, 6), 7.0), np.zeros(1, int))
    assert (flat.features == 0).all()
    assert (flat.unit > 0).all()


def test_the_units_are_the_mean_corrections_of_the_training_windows() -> None:
    train = RANDOM.normal(size=(50, 1)).cumsum(axis=0)
    framing = learn_framing(train, 5, 3, 0, "last", "train")
    spread = float(train.std())
    for ahead in range(3):
        off = [abs(train[end + ahead, 0] - train[end - 1, 0]) / spread for end in range(5, 48)]
        assert framing.units[ahead] == pytest.approx(sum(off) / len(off))
    assert framing.step[0] == pytest.approx(np.mean([abs(train[n, 0] - train[n - 1, 0]) for n in range(1, 50)]))


AT = np.arange(240.0)


@pytest.mark.parametrize(
    "season, numbers",
    [
        (12, np.sin(2 * np.pi * AT / 12)),
        (12, 1e30 * np.sin(2 * np.pi * AT / 12)),
        (7, 0.1 * AT + 5 * (AT % 7 == 3)),
        (12, AT**2 / 100 + 20 * np.sin(2 * np.pi * AT / 12) + RANDOM.normal(size=240)),
        (20, np.sin(2 * np.pi * AT / 20) + 0.4 * RANDOM.normal(size=240)),
        (4, np.tile([1.0, 5.0, 2.0, 0.0], 60) + 0.3 * RANDOM.normal(size=240)),
        (2, np.tile([1.0, 5.0], 120)),
        (0, AT),
        (0, AT**2),
        (0, RANDOM.normal(size=240)),
        (0, np.array([1.0, 2.0, 1.0, 2.0])),
    ],
)
def test_seasons_are_found_where_there_are_some(season: int, numbers: np.ndarray) -> None:
    assert find_season(numbers[:, None]) == season


def test_chance_is_seldom_taken_for_a_season() -> None:
    random = np.random.default_rng(5)
    found = [find_season(random.normal(size=(200, 1))) for _ in range(100)]
    walks = [find_season(random.normal(size=(200, 1)).cumsum(axis=0)) for _ in range(100)]
    assert sum(map(bool, found)) <= 1
    assert sum(map(bool, walks)) <= 10
