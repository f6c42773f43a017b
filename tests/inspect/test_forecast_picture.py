"""The picture of a forecast."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from textdl.errors import ConfigError
from textdl.inspect.forecast_picture import draw_forecast
from textdl.tasks.forecast_run import Forecast


def forecast(columns: int = 1, band: bool = True, times: bool = True) -> Forecast:
    median = np.arange(3.0) if columns == 1 else np.arange(3.0 * columns).reshape(3, columns)
    names = tuple(f"price $x_{n}$" for n in range(columns))
    history = np.linspace(0, 1, 10 * columns).reshape(10, columns)
    labels = tuple(f"2024-{n:02d}" for n in range(1, 11)) if times else ()
    return Forecast(
        median, median - 1 if band else None, median + 1 if band else None, 0.8 * band, names, history, labels
    )


def test_the_picture_names_column_times_and_band(tmp_path: Path) -> None:
    draw_forecast(forecast(), tmp_path / "a.svg", "sold")
    draw_forecast(forecast(), tmp_path / "b.svg", "sold")
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn == (tmp_path / "b.svg").read_text()
    said = re.findall(r"<!-- (.*?) -->", drawn)
    assert {"sold", "price $x_0$", "known", "forecast", "band, to hold 80%", "2024-01", "2024-10"} <= set(said)


def test_without_a_band_or_times_none_is_named(tmp_path: Path) -> None:
    draw_forecast(forecast(band=False, times=False), tmp_path / "a.svg")
    said = re.findall(r"<!-- (.*?) -->", (tmp_path / "a.svg").read_text())
    assert not any("band" in text for text in said)
    assert "steps from the last number known" in said


def test_each_column_has_a_panel(tmp_path: Path) -> None:
    draw_forecast(forecast(columns=3), tmp_path / "three.svg")
    drawn = (tmp_path / "three.svg").read_text()
    assert {f"price $x_{n}$" for n in range(3)} <= set(re.findall(r"<!-- (.*?) -->", drawn))
    assert len(re.findall(r'<g id="axes_\d+">', drawn)) == 3


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.png"):
        draw_forecast(forecast(), tmp_path / "a.gif")
