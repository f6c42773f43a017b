"""The figures of forecasts, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from textdl.tasks.forecast_figures import errors, forecast_figures

TRUTH = np.array([[1.0, 2.0], [3.0, 8.0]])


def quantiles(median: np.ndarray, half: float = 0.5) -> np.ndarray:
    return np.stack([median - half, median, median + half], axis=-1)


def test_errors_are_what_the_hand_finds() -> None:
    found = errors(TRUTH, np.array([[2.0, 2.0], [3.0, 5.0]]), np.array([2.0, 4.0]))
    assert found["mae"] == pytest.approx((1 + 0 + 0 + 3) / 4)
    assert found["rmse"] == pytest.approx(((1 + 9) / 4) ** 0.5)
    assert found["mase"] == pytest.approx((1 / 2 + 3 / 4) / 4)


def test_the_last_value_has_a_mase_of_one_on_what_it_is_measured_by() -> None:
    train = np.array([3.0, 5.0, 4.0, 9.0])  # changes 2, 1, 5: 8 / 3
    truth, said = train[1:, None], train[:-1, None]
    assert errors(truth, said, np.full(3, 8 / 3))["mase"] == pytest.approx(1.0)


def test_errors_of_huge_numbers_stay_numbers() -> None:
    found = errors(1e100 * TRUTH, np.zeros((2, 2)), np.full(2, 1e100))
    assert found["rmse"] == pytest.approx(1e100 * (78 / 4) ** 0.5)
    assert errors(TRUTH, TRUTH, np.ones(2)) == {"mae": 0.0, "rmse": 0.0, "mase": 0.0}


def test_coverage_counts_what_lies_in_the_band_its_ends_included() -> None:
    median = np.array([[1.0, 2.5], [4.0, 8.4]])  # off by 0, 0.5, 1, 0.4
    found = forecast_figures(TRUTH, quantiles(median), {"last value": TRUTH}, np.ones(2), 0.8)
    assert found["coverage"] == 0.75
    assert (found["band"], found["width"]) == (0.8, 1.0)
    assert (found["forecasts"], found["numbers"]) == (2, 4)
    assert "coverage" not in forecast_figures(TRUTH, median[..., None], {"last value": TRUTH}, np.ones(2), 0.0)


def test_a_network_is_praised_only_where_it_beats_every_baseline() -> None:
    baselines = {"last value": TRUTH + 1, "season before (3)": TRUTH + 0.5}

    def judged(off: float) -> dict[str, object]:
        return forecast_figures(TRUTH, quantiles(TRUTH + off), baselines, np.ones(2), 0.8)

    assert [*judged(0.1)["methods"]] == ["network", "last value", "season before (3)"]  # type: ignore[misc]
    better, equal, between = judged(0.25), judged(0.5), judged(0.75)
    assert better["better"] is True
    assert "50.0% below that of 'season before (3)'" in str(better["verdict"])
    assert equal["better"] is False
    assert "no better than the baseline 'season before (3)'" in str(equal["verdict"])
    assert between["better"] is False
    assert "worse than the baseline 'season before (3)'" in str(between["verdict"])
