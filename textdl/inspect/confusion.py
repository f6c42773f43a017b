"""The confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..vectors.drawing import picture_path, wrapped, write_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL, MARGIN = 0.46, 0.9  # inches: of a class; of the titles around the cells and their labels
LETTERS, TITLE = 9.0, 12.0  # points
LARGEST = 24.0  # inches: more classes than fit get smaller cells
LONGEST = 28  # characters of a label that are shown
WRITTEN = 50  # classes up to which counts are written into the cells


def draw_confusion(confusion: Mapping[str, Any], path: str | Path, title: str = "") -> None:
    """Draw a confusion matrix and write the picture atomically; the same input gives the same file.

    A cell is as dark as its share of the texts of its row, and holds their number (of up to 50 classes).

    Args:
        confusion: ``{"labels": C names, "counts": [C][C]}``, rows truth, columns what was predicted.
        path: .png, .svg or .pdf.
        title: above the picture.

    Raises:
        ConfigError: an unknown suffix, or counts that are no square of whole numbers with a row for each label.
        RunError: no space left, or the folder can not be written.
    """
    target = picture(path)
    labels = [_shown(str(label)) for label in confusion["labels"]]
    counts = np.asarray(confusion["counts"])
    if counts.shape != (len(labels), len(labels)) or not labels or counts.dtype.kind not in "iu" or counts.min() < 0:
        raise ConfigError(
            f"a confusion matrix has a row and a column of counts for each label, got the shape {counts.shape} "
            f"for {len(labels)} labels"
        )
    cell = min(max(CELL, 2.4 / len(labels)), LARGEST / len(labels))
    side = cell * len(labels) + max(map(len, labels)) * LETTERS * 0.6 / 72

    def paint(figure: Figure) -> None:
        _paint(figure, figure.subplots(), labels, counts, cell, title)

    write_picture(target, (side + MARGIN + 0.7, side + MARGIN), paint, dpi=120, layout="compressed")


def picture(path: str | Path) -> Path:
    """The path of a picture.

    Raises:
        ConfigError: its suffix is none of those that are drawn.
    """
    return picture_path(path, ConfigError)


def _paint(figure: Figure, axes: Axes, labels: list[str], counts: NDArray[Any], cell: float, title: str) -> None:
    number, letters = len(labels), min(LETTERS, cell * 72 * 0.8)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02)
    bar.set_label("share of the row")
    for axis, side in ((axes.xaxis, "predicted"), (axes.yaxis, "truth")):
        axis.set_ticks(range(number))
        # set_ticklabels would read dollars as formulas; a label of somebody's data is no formula
        axis.set_ticklabels(labels, fontsize=letters, parse_math=False)
        axis.set_label_text(side)
    slanted = max(map(len, labels)) * letters * 0.6 > cell * 72
    if slanted and number > 20:
        axes.tick_params(axis="x", rotation=90)
    elif slanted:
        for tick in axes.get_xticklabels():
            tick.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_title(wrapped(title, cell * number + MARGIN, TITLE), parse_math=False, fontsize=TITLE)
    axes.set_xticks(np.arange(number + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(number + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    if number <= WRITTEN:
        _write(axes, counts, shares, cell)


def _write(axes: Axes, counts: NDArray[Any], shares: NDArray[Any], cell: float) -> None:
    """Write the counts into the cells, as large as the longest of them lets; a nought is faint."""
    size = min(10.0, cell * 72 * 0.9 / (0.62 * max(len(str(int(counts.max()))), 2)))
    for (row, column), count in np.ndenumerate(counts):
        colour = "#9aa5b1" if not count else "white" if shares[row, column] > 0.55 else "#10243e"
        text = axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=size)
        text.set_in_layout(False)  # they lie within the axes, and measuring thousands of them takes seconds


def _shown(label: str) -> str:
    """A label on one line, not too long."""
    plain = "".join(c if c.isprintable() else " " for c in label)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
