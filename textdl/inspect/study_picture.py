"""The picture of a study: accuracy over the number of examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..vectors.drawing import wrapped, write_picture
from .confusion import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .study import Study

MARKS = "osD^vP*X"
SIZE, TITLE = (7.5, 5.0), 11.0  # inches, points


def draw_accuracy(study: Study, path: str | Path) -> None:
    """Draw accuracy over the number of examples and write the picture atomically; the same input gives the same file.

    A line is the mean over the seeds of a model, the band about it reaches from the lowest to the highest of them.

    Raises:
        ConfigError: a suffix other than .png, .svg or .pdf.
        RunError: no space left, or the folder can not be written.
    """
    target = picture(path)
    write_picture(target, SIZE, lambda figure: _paint(figure.subplots(), study), dpi=140)


def _paint(axes: Axes, study: Study) -> None:
    cells = study.cells()
    for place, model in enumerate(study.models):
        own = [cell for cell in cells if cell.model == model]
        if not own:
            continue
        sizes, colour = [cell.size for cell in own], f"C{place % 10}"
        mark = MARKS[place % len(MARKS)]
        axes.plot(sizes, [100 * cell.accuracy for cell in own], mark, ls="-", color=colour, label=model, zorder=3)
        low, high = ([100 * cell.accuracy_range[end] for cell in own] for end in (0, 1))
        axes.fill_between(sizes, low, high, color=colour, alpha=0.18, linewidth=0, zorder=2)
    axes.axhline(100 * study.most_frequent, color="#7a8794", ls=":", lw=1.2, label="always the most frequent label")
    axes.set_xscale("log")
    _ticks(axes, [size for size in study.sizes if any(cell.size == size for cell in cells)])
    axes.set_xlabel("labelled examples")
    axes.set_ylabel("accuracy on held-out texts, %")
    several = len(study.seeds) > 1
    note = f"mean, lowest and highest of {len(study.seeds)} seeds" if several else "one seed"
    title = f"{study.corpus} ({note}; {study.test_texts:,} texts)"
    axes.set_title(wrapped(title, SIZE[0] - 1, TITLE), parse_math=False, fontsize=TITLE)
    axes.grid(which="major", color="#d8dee4", linewidth=0.6, zorder=0)
    axes.legend(frameon=False, loc="best", fontsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _ticks(axes: Axes, sizes: list[int]) -> None:
    """A tick at each size; those that stand too near to the next larger one are not labelled."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    ends = max(sizes, default=1) / min(sizes, default=1)
    last: float = float("inf")
    names = []
    for size in reversed(sizes):
        apart = last / size > max(1.25, ends ** (1 / 12))
        names.append(f"{size:,}" if apart else "")
        last = size if apart else last
    axes.xaxis.set_ticklabels(names[::-1])
