"""A forecast as a picture: what was known, what comes next, and the band about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..tasks.forecast_run import Forecast
from ..vectors.drawing import write_picture
from .confusion import picture as picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Inches: width, height of one column's panel. Columns that are drawn.
WIDTH, PANEL, MOST = 8.0, 2.8, 12
#: Times that are written below.
LABELS = 8


def draw_forecast(forecast: Forecast, path: str | Path, title: str = "") -> None:
    """Draw a forecast, a panel a column (the first 12), and write it atomically; the same input gives the same file.

    Args:
        forecast: what ``run.forecast`` gives.
        path: .png, .svg or .pdf.
        title: above the picture.

    Raises:
        ConfigError: an unknown suffix.
        RunError: no space left, or the folder can not be written.
    """
    target, number = picture(path), min(MOST, len(forecast.columns))

    def paint(figure: Figure) -> None:
        panels = figure.subplots(number, squeeze=False)[:, 0]
        for column, axes in enumerate(panels):
            _paint(axes, forecast, column)
        panels[0].set_title(title, parse_math=False, fontsize=11)
        panels[0].legend(frameon=False, loc="best", fontsize=9)

    write_picture(target, (WIDTH, PANEL * number + 0.6), paint, dpi=120)


def _paint(axes: Axes, forecast: Forecast, column: int) -> None:
    several = len(forecast.columns) > 1
    median, low, high = (
        None if part is None else part[:, column] if several else part
        for part in (forecast.median, forecast.low, forecast.high)
    )
    assert median is not None
    known = forecast.history[:, column]
    before, after = np.arange(1 - len(known), 1), np.arange(1, len(median) + 1)
    axes.plot(before, known, color="#30343a", lw=1.2, label="known")
    # the line of what comes is joined to what was
    axes.plot([0, *after], [known[-1], *median], color="C0", lw=1.5, label="forecast")
    if low is not None and high is not None:
        axes.fill_between(
            after, low, high, color="C0", alpha=0.22, linewidth=0, label=f"band, to hold {forecast.band:.0%}"
        )
    axes.axvline(0, color="#9aa5b1", lw=0.8, ls=":")
    axes.set_ylabel(_shown(forecast.columns[column]), parse_math=False)
    axes.grid(color="#d8dee4", linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if not forecast.times:
        axes.set_xlabel("steps from the last number known")
        return
    places = np.unique(np.linspace(0, len(known) - 1, LABELS).round().astype(int))
    axes.set_xticks(before[places])
    axes.set_xticklabels([_shown(forecast.times[place]) for place in places], fontsize=8, parse_math=False)
    axes.tick_params(axis="x", rotation=30)


def _shown(label: str) -> str:
    """A label on one line, not too long."""
    plain = "".join(c if c.isprintable() else " " for c in label)
    return plain if len(plain) <= 24 else plain[:23] + "…"
