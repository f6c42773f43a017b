"""Lines as the network reads them, and the figures on them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from textdl.models.handwriting import Handwriting, HandwritingConfig
from textdl.models.mixture_density import log_prob
from textdl.strokes.line import Line
from textdl.strokes.scaling import Scaling
from textdl.tasks.handwriting_batches import (
    batch_of,
    drawn_changes,
    figures_of,
    first_of,
    ids_of,
    line_by_line,
    read_written,
)

SCALING = Scaling(2.0, 100.0)


def line(number: int, text: str) -> Line:
    points = np.random.default_rng(number).standard_normal((number, 3)).astype(np.float32)
    points[:, 2] = 0
    points[-1, 2] = 1
    points[0, :2] = 0
    return Line(points, text)


LINES = [line(5, "ab"), line(3, "b"), line(8, "bab"), line(4, "xb")]


def model_of(unconditional: bool = False) -> Handwriting:
    torch.manual_seed(0)
    return Handwriting(
        HandwritingConfig(hidden=6, mixtures=2, windows=2, characters=3, pace=3.0, unconditional=unconditional)
    )


def test_characters_are_their_places_and_the_end_is_behind_them() -> None:
    assert ids_of("bca", "abc").tolist() == [1, 2, 0, 3]
    assert ids_of("", "abc").tolist() == [3]


def test_a_batch_holds_the_scaled_points_and_the_texts() -> None:
    written = read_written(LINES, "ab", SCALING, unconditional=False)
    assert written.left_out == 1, "x is not of the alphabet"
    batch = batch_of(written, np.array([2, 0]))
    assert batch.points.shape == (8, 2, 3)
    assert batch.sizes.tolist() == [8, 5]
    np.testing.assert_allclose(batch.points[:5, 1, :2], LINES[0].points[:, :2] / 2)
    np.testing.assert_array_equal(batch.points[:, 0, 2], LINES[2].points[:, 2])
    assert not batch.points[5:, 1].any()
    assert batch.ids.tolist() == [[1, 0, 1, 2], [0, 1, 2, 0]]
    assert batch.lengths.tolist() == [4, 3]


def test_without_texts_every_line_is_read() -> None:
    written = read_written(LINES, "", SCALING, unconditional=True)
    assert written.left_out == 0
    assert batch_of(written, np.arange(4)).ids.shape == (4, 0)


def test_changes_slant_and_stretch_each_line_by_itself() -> None:
    written = read_written(LINES, "ab", SCALING, unconditional=False)
    plain = batch_of(written, np.array([0, 2])).points.numpy()
    changes = np.array([[0.5, 2.0, 3.0], [0.0, 1.0, 1.0]], np.float32)
    changed = batch_of(written, np.array([0, 2]), changes).points.numpy()
    np.testing.assert_array_equal(changed[:, 1], plain[:, 1])
    np.testing.assert_allclose(changed[:, 0, 0], 2 * (plain[:, 0, 0] - 0.5 * plain[:, 0, 1]), rtol=1e-6)
    np.testing.assert_allclose(changed[:, 0, 1], 3 * plain[:, 0, 1], rtol=1e-6)
    np.testing.assert_array_equal(changed[..., 2], plain[..., 2])
    assert drawn_changes(np.random.default_rng(0), 4, 0.0, 0.0) is None
    drawn = drawn_changes(np.random.default_rng(0), 10_000, 0.3, 0.1)
    assert drawn is not None
    assert drawn[:, 0].std() == pytest.approx(0.3, rel=0.05)
    assert np.log(drawn[:, 1:]).std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("unconditional", [False, True])
def test_the_nats_of_a_line_are_those_of_its_points_alone(unconditional: bool) -> None:
    model = model_of(unconditional)
    written = read_written(LINES[:3], "" if unconditional else "ab", SCALING, unconditional)
    found = line_by_line(model, written)
    for number, some in enumerate(LINES[:3]):
        points = torch.from_numpy(SCALING.scaled(some.points))[:, None]
        ids = torch.from_numpy(ids_of(some.text, "ab")).long()[None]
        texts = () if unconditional else (ids, torch.tensor([ids.shape[1]]))
        with torch.no_grad():
            said, _ = model(points, *texts)
        assert found[number] == pytest.approx(-float(log_prob(said[:-1], points[1:]).sum()), rel=1e-5)


def test_figures_in_raw_units_are_two_logs_of_the_scale_a_point_more() -> None:
    figures = figures_of(np.array([6.0, 2.0]), np.array([5, 3]), SCALING)
    assert figures["nats_per_point"] == pytest.approx(8 / 6)
    assert figures["nats_per_sequence"] == pytest.approx(4)
    assert figures["raw_nats_per_point"] == pytest.approx(8 / 6 + 2 * math.log(2))
    assert figures["raw_nats_per_sequence"] == pytest.approx(4 + 3 * 2 * math.log(2))


def test_the_first_lines_are_about_so_many_points() -> None:
    written = read_written(LINES[:3], "ab", SCALING, unconditional=False)
    assert [len(first_of(written, most).sizes) for most in (1, 7, 8, 16, None)] == [1, 1, 2, 3, 3]
