"""Forecasts and their figures as tables: what ``textdl forecast`` and ``textdl evaluate`` print."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from .info import shown

if TYPE_CHECKING:
    from textdl.tasks.forecast_run import Forecast

#: Figures of the network that stand in the table of all methods, or are said last.
TABLES = ("methods", "mae", "rmse", "mase", "verdict", "better", "same_corpus")


def as_record(forecast: Forecast) -> dict[str, Any]:
    """A forecast as plain values: ``{"columns", "after", "band", "median", "low", "high"}``."""
    low, high = forecast.low, forecast.high
    return {
        "columns": list(forecast.columns),
        "after": forecast.times[-1] if forecast.times else None,
        "band": forecast.band,
        "median": forecast.median.tolist(),
        "low": None if low is None else low.tolist(),
        "high": None if high is None else high.tolist(),
    }


def show_forecast(forecast: Forecast) -> None:
    """Print a forecast: a line a step, its columns parted by tabs, so that other programs can read it."""
    if forecast.times:
        typer.echo(f"after {_plain(forecast.times[-1])}", err=True)
    several, parts = len(forecast.columns) > 1, {"": forecast.median}
    digits = [_digits(forecast, place) for place in range(len(forecast.columns))]
    if forecast.low is not None and forecast.high is not None:
        side = (1 - forecast.band) / 2
        parts |= {f"{side:.3g}": forecast.low, f"{1 - side:.3g}": forecast.high}
    names = [_plain(f"{name} {part}".strip()) for name in forecast.columns for part in parts]
    typer.echo("\t".join(["step", *names]))
    for step in range(len(forecast)):
        cells = [
            f"{part[step, place] if several else part[step]:.{digits[place]}g}"
            for place in range(len(forecast.columns))
            for part in parts.values()
        ]
        typer.echo("\t".join([str(step + 1), *cells]))


def show_figures(figures: Mapping[str, Any]) -> None:
    """Print the figures of a forecaster: those of the network beside the baselines', and what to think of them."""
    wide = max(len(name) for name in figures["methods"]) + 2
    typer.echo(f"{'':<{wide}}{'MAE':>12}{'RMSE':>12}{'MASE':>10}")
    for name, errors in figures["methods"].items():
        large = [(off, "12.0f" if 1e5 <= off < 1e11 else "12.5g") for off in (errors["mae"], errors["rmse"])]
        mae, rmse = (f"{off:>{form}}" for off, form in large)
        typer.echo(f"{name:<{wide}}{mae}{rmse}{errors['mase']:>10.4g}")
    typer.echo(f"\n{figures['verdict']}\n")
    for key, value in figures.items():
        if key not in TABLES:
            typer.echo(f"{key:<{wide}}{shown(value)}")


def _digits(forecast: Forecast, column: int) -> int:
    """Digits enough that numbers of a column can be told apart, and that a number of people needs no exponent."""
    known = forecast.history[:, column]
    said = forecast.median[:, column] if len(forecast.columns) > 1 else forecast.median
    largest, spread = max(abs(known).max(), abs(said).max()), known.std()
    if not (largest and spread):
        return 6
    size = math.log10(largest) + 1
    return int(min(15, max(6, 4 + math.log10(largest / spread), size if size <= 15 else 6)))


def _plain(text: str) -> str:
    """A name on one line, with nothing that a terminal would take for an order."""
    from textdl.text.visible import visible

    return " ".join(visible(text).split())
