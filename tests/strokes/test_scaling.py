"""Scaling: by hand, undone but for what was clipped, and right about likelihoods."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from textdl.errors import ConfigError, CorpusError, RunError
from textdl.strokes.line import Line, of_strokes, to_strokes
from textdl.strokes.resampling import evenly
from textdl.strokes.scaling import QUANTILE, SLACK, Scaling


def line(*steps: tuple[float, float]) -> Line:
    points = np.zeros((len(steps) + 1, 3), np.float32)
    points[1:, :2] = steps
    points[-1, 2] = 1
    return Line(points, "x")


def test_by_hand() -> None:
    learned = Scaling.learn([line((3, 4), (0, -5)), line((-5, 0))])
    assert learned.longest_step == SLACK * 5
    values = [3, 4, 0, -5, -5, 0]
    mean = sum(values) / 6
    assert learned.scale == pytest.approx(math.sqrt(sum((value - mean) ** 2 for value in values) / 6))
    assert Scaling(4.0, 5.0).scaled(line((6, 8), (4, 0)).points).tolist() == [[0, 0, 0], [0.75, 1, 0], [1, 0, 1]]


def test_undone_but_for_clipping_which_is_counted() -> None:
    random = np.random.default_rng(0)
    steps = random.normal(0, 20, (4000, 2)).round()
    steps[7] = (-3000, 4000)
    some = [line(*steps)]
    learned = Scaling.learn(some)
    lengths = np.hypot(*steps.T)
    assert learned.longest_step == pytest.approx(SLACK * np.quantile(lengths, QUANTILE))
    assert learned.outliers(some) == 1
    back = learned.raw(learned.scaled(some[0].points))
    others = np.arange(4001) != 8
    assert np.allclose(back[others], some[0].points[others], atol=1e-3)
    assert np.hypot(*back[8, :2]) == pytest.approx(learned.longest_step, rel=1e-5)
    assert math.atan2(back[8, 1], back[8, 0]) == pytest.approx(math.atan2(4000, -3000)), "its direction stays"
    assert learned.scaled(some[0].points)[1:, :2].std() == pytest.approx(1, rel=1e-4)
    assert some[0].points[8, 0] == -3000, "what was given is not changed"


def test_the_first_step_does_not_count() -> None:
    some = line((3, 4), (0, -5))
    moved = some.points.copy()
    moved[0, :2] = 900
    assert Scaling.learn([Line(moved, "x")]) == Scaling.learn([some])
    assert Scaling(1, 50).outliers([Line(moved, "x")]) == 0


def test_raw_and_scaled_likelihoods_differ_as_is_said() -> None:
    scaling = Scaling(7.0, 1e6)
    dx, dy = 3.0, -11.0
    of_raw = math.log(NormalDist(0, 2 * 7).pdf(dx)) + math.log(NormalDist(0, 7).pdf(dy))
    of_scaled = math.log(NormalDist(0, 2).pdf(dx / 7)) + math.log(NormalDist(0, 1).pdf(dy / 7))
    assert -of_raw == pytest.approx(-of_scaled + scaling.raw_nats)


def test_as_json_and_back() -> None:
    scaling = Scaling(1.5, 70.25)
    assert Scaling.of(scaling.to_json()) == scaling
    for wrong in ({}, {"scale": 1}, {"scale": 0, "longest_step": 1}, {"scale": "1", "longest_step": 1}, []):
        with pytest.raises(RunError):
            Scaling.of(wrong)  # type: ignore[arg-type]
    with pytest.raises(CorpusError, match="does not move"):
        Scaling.learn([line((0, 0))])


def test_a_pen_that_nearly_always_rests() -> None:
    steps = [(0.0, 0.0)] * 5000 + [(3.0, 4.0)]
    learned = Scaling.learn([line(*steps)])
    assert learned.longest_step == 5
    assert learned.scale > 0


def test_even_steps_along_a_corner() -> None:
    corner = of_strokes([np.array([[0, 0], [1, 0], [10, 0], [10, 6]]), np.array([[20, 0], [20, 0]])])
    strokes = to_strokes(evenly(corner, 2))
    assert strokes[0].tolist() == [[0, 0], [2, 0], [4, 0], [6, 0], [8, 0], [10, 0], [10, 2], [10, 4], [10, 6]]
    assert strokes[1].tolist() == [[20, 0], [20, 0]], "a dot stays one"
    assert len(to_strokes(evenly(corner, 1000))[0]) == 2
    for wrong in (0, -1, math.nan, math.inf):
        with pytest.raises(ConfigError, match="step must be a number more than 0"):
            evenly(corner, wrong)
    with pytest.raises(ConfigError, match="step must be larger"):
        evenly(corner, 1e-6)
