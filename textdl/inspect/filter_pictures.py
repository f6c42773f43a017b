"""What a model of pictures looks for, and what it finds: first-layer filters and feature maps as pictures.

Legend: N filters or maps, C channels, H and W height and width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, RunError, near
from ..vectors.drawing import wrapped, write_picture
from .confusion import picture as picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor, nn

#: Filters on one picture, and layers of which maps are drawn; maps of each layer when nothing is said, and at most.
MOST_FILTERS, MOST_LAYERS, MAPS, MOST_MAPS = 256, 24, 8, 64
#: Inches: a filter where there are few, and at least; a map, the gap behind it, the picture beside the maps, margins.
FILTER, SMALL, MAP, GAP, INPUT, MARGIN = 1.0, 0.5, 0.72, 0.08, 1.9, 0.2
#: Inches: width of a sheet of many filters.
SHEET = 8.0
TITLE, NOTE, LETTERS = 12.0, 8.5, 8.5  # points
NARROWEST = 4.6  # inches, so that a title has room
DPI = 144
PAPER, INK, FAINT, FRAME = "#ffffff", "#1f2730", "#66707c", "#b9c1ca"
#: What a map is painted in: from nothing to most, alike for all eyes.
MAP_COLOURS = "viridis"

Pixels = NDArray[np.uint8]


class Filters(NamedTuple):
    """The filters [N, C, H, W] of a layer called ``layer``; ``labels`` where each is of a class of its own."""

    layer: str
    weights: NDArray[np.float32]
    labels: tuple[str, ...]


def filters_of(run: Any) -> Filters:
    """The filters of the first layer of a run's model that has weights.

    Raises:
        RunError: the model has none, such as k nearest neighbours.
    """
    model = run.model
    if hasattr(model, "filters") and (weights := model.filters()) is not None:
        found = np.asarray(weights.detach().float().cpu().numpy())
        own = next((name for name, layer in model.layers.named_children() if _holds(layer, weights)), "first layer")
        # a model of one layer has a filter for each class
        return Filters(own, found, tuple(run.labels) if own == list(dict(model.layers.named_children()))[-1] else ())
    if hasattr(model, "weights"):  # of a linear map of the pixels, [H W C, K]
        weights = model.weights.detach().float().cpu().numpy()
        return Filters("the linear map", weights.T.reshape(-1, *run.shape).transpose(0, 3, 1, 2), tuple(run.labels))
    raise RunError(f"{run.path} holds a model without filters; name a run with layers, such as --model lenet5")


def _holds(layer: nn.Module, weights: Tensor) -> bool:
    """Whether weights are a parameter of a layer, or a view of one."""
    return any(weight.data_ptr() == weights.data_ptr() for weight in layer.parameters())


def maps_of(run: Any, pixels: Pixels) -> dict[str, NDArray[np.float32]]:
    """The maps [N, H, W] of each layer of a run's model, in order, for one picture [H, W, C] of the run's shape.

    Raises:
        RunError: the model makes none, such as a perceptron.
    """
    import torch

    model = run.model
    found = {}
    if hasattr(model, "feature_maps"):
        device = next(iter(model.parameters())).device
        planes = torch.tensor(pixels, device=device).permute(2, 0, 1)[None]
        with torch.inference_mode():
            found = model.feature_maps(planes.float() / 255)
    if not found:
        raise RunError(f"{run.path} holds a model without feature maps; name a run with convolutions, such as lenet5")
    return {name: np.asarray(maps[0].float().cpu().numpy()) for name, maps in found.items()}


def draw_filters(
    filters: NDArray[Any], path: str | Path, title: str = "", captions: Sequence[str] = (), most: int = MOST_FILTERS
) -> int:
    """Draw filters as one picture and write it atomically; the same input gives the same file.

    Each filter is scaled by itself about zero, which is middle grey: of one channel black is its farthest weight below
    zero and white the one above; of three channels red, green and blue are each a weight.

    Args:
        filters: [N, C, H, W], C 1 or 3; of any other number of channels the mean of all is drawn.
        path: .png, .svg or .pdf.
        title: above the picture.
        captions: of each filter what is written below it, or none.
        most: the first so many are drawn.

    Returns:
        How many were drawn.

    Raises:
        ConfigError: an unknown suffix, no filter, another number of captions than of filters, or most below 1.
        RunError: no space left, or the folder can not be written.
    """
    target = picture(path)
    if filters.ndim != 4 or not filters.size:
        raise ConfigError(f"filters are numbers [N, C, H, W], got the shape {list(filters.shape)}")
    if captions and len(captions) != len(filters):
        raise ConfigError(f"captions must be one a filter ({len(filters)}) or none, got {len(captions)}")
    if most < 1:
        raise ConfigError(f"at least 1 filter must be drawn, got {most}")
    tiles = [about_zero(one) for one in filters[: min(most, MOST_FILTERS)]]
    columns = _columns(len(tiles), filters.shape[3] / filters.shape[2])
    high, wide = _cell(filters.shape[2:], min(FILTER, max(SMALL, SHEET / columns - GAP)))
    note = "Each filter is scaled by itself; middle grey is zero."
    if len(tiles) < len(filters):
        note += f" The first {len(tiles)} of {len(filters)}."
    below = (LETTERS + 4) / 72 if captions else 0.0
    rows = -(-len(tiles) // columns)
    page = _Page(columns * (wide + GAP) - GAP, rows * (high + below + GAP) - GAP, title, note)

    def paint(figure: Figure) -> None:
        axes = page.begin(figure)
        for number, tile in enumerate(tiles):
            left, top = number % columns * (wide + GAP), number // columns * (high + below + GAP)
            _tile(axes, tile, left, top, wide, high)
            if captions:
                _write(axes, _shown(captions[number], 10), left + wide / 2, top + high + 2 / 72, "center")

    write_picture(target, page.size, paint, DPI, layout=None)
    return len(tiles)


def draw_feature_maps(
    pixels: Pixels,
    maps: Mapping[str, NDArray[Any]],
    path: str | Path,
    title: str = "",
    count: int = MAPS,
    layers: Sequence[str] = (),
) -> tuple[str, ...]:
    """Draw a picture beside the maps that each layer makes of it, the first layer on top, and write it atomically.

    Each map is scaled by itself from its least to its greatest value; one that is the same everywhere is dark. Maps of
    one value each (behind a global pooling) are scaled by those of their layer.

    Args:
        pixels: [H, W, C], as the model reads it.
        maps: name of a layer -> [N, H, W], in order.
        path: .png, .svg or .pdf.
        title: above the picture.
        count: the first so many maps of each layer.
        layers: the layers to draw; when none is named all, or of more than 24 as many, evenly chosen.

    Returns:
        The layers that were drawn.

    Raises:
        ConfigError: an unknown suffix, or a count out of range; there is no such layer.
        RunError: no space left, or the folder can not be written.
    """
    target = picture(path)
    if not 1 <= count <= MOST_MAPS:
        raise ConfigError(f"from 1 to {MOST_MAPS} maps of each layer can be drawn, got {count}")
    chosen = _chosen(tuple(maps), layers)
    rows = {name: maps[name][:count] for name in chosen}
    columns = max(map(len, rows.values()))
    cells = {name: _cell(some.shape[1:], MAP) for name, some in rows.items()}
    wide = max(cell[1] for cell in cells.values())
    before = _cell(pixels.shape[:2], INPUT)
    names = max(len(line) for name in chosen for line in _label(name, maps[name]))
    beside = INPUT + 0.4 + names * LETTERS * 0.6 / 72
    high = sum(cell[0] + GAP for cell in cells.values()) - GAP
    note = "Each map is scaled by itself, from dark (least) to bright (most)."
    if len(chosen) < len(maps) and not layers:
        note += f" {len(chosen)} of {len(maps)} layers."
    page = _Page(beside + columns * (wide + GAP) - GAP, max(high, before[0] + 0.3), title, note)

    def paint(figure: Figure) -> None:
        axes = page.begin(figure)
        _tile(axes, _grey(pixels), 0, 0, before[1], before[0])
        _write(axes, f"what it reads, {_by(pixels.shape[:2])}", before[1] / 2, before[0] + 3 / 72, "center")
        top = 0.0
        for name, some in rows.items():
            tall, broad = cells[name]
            said, number_of = _label(name, maps[name])
            _write(axes, said, beside - 0.12, top + tall / 2 - 0.01, "right", "bottom")
            _write(axes, number_of, beside - 0.12, top + tall / 2 + 0.02, "right", "top", FAINT)
            for number, tile in enumerate(shades(some)):
                _tile(axes, tile, beside + number * (wide + GAP), top, broad, tall, MAP_COLOURS)
            top += tall + GAP

    write_picture(target, page.size, paint, DPI, layout=None)
    return chosen


def about_zero(one: NDArray[Any]) -> NDArray[np.float64]:
    """A filter [C, H, W] as a picture [H, W] or [H, W, 3] in 0..1: 0.5 is zero, and the farthest weight is 0 or 1."""
    values = np.nan_to_num(np.asarray(one, np.float64), posinf=0.0, neginf=0.0)
    values = values.transpose(1, 2, 0) if len(values) == 3 else values.mean(axis=0)
    most = float(np.abs(values).max())
    scaled: NDArray[np.float64] = 0.5 + values / (2 * most) if most else np.full(values.shape, 0.5)
    return scaled


def shades(maps: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Maps [N, H, W], each from 0 (its least value) to 1; those of one value each by the least and most of all."""
    values = np.nan_to_num(np.asarray(maps, np.float64), posinf=0.0, neginf=0.0)
    axes = None if values[0].size == 1 else (1, 2)
    least, most = values.min(axis=axes, keepdims=True), values.max(axis=axes, keepdims=True)
    span = np.where(most > least, most - least, 1.0)
    return list((values - least) / span)


class _Page:
    """A sheet of paper with a title and a note; what is on it has its place in inches from below these."""

    def __init__(self, wide: float, high: float, title: str, note: str) -> None:
        inner = max(wide, NARROWEST)
        self.title, self.note = wrapped(title, inner, TITLE), wrapped(note, inner, NOTE)
        lines = self.title.count("\n") + 1 if self.title else 0
        self.above = lines * TITLE * 1.3 / 72
        self.top = MARGIN + self.above + (self.note.count("\n") + 1) * NOTE * 1.4 / 72 + 0.1
        self.size = (inner + 2 * MARGIN, self.top + high + MARGIN)

    def begin(self, figure: Figure) -> Axes:
        """The whole sheet as axes whose units are inches, y downwards, with title and note."""
        figure.set_facecolor(PAPER)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(-MARGIN, self.size[0] - MARGIN), ylim=(self.size[1] - self.top, -self.top), autoscale_on=False)
        for text, down, points, colour in ((self.title, 0.0, TITLE, INK), (self.note, self.above, NOTE, FAINT)):
            axes.text(0, MARGIN - self.top + down, text, fontsize=points, color=colour, va="top", parse_math=False)
        return axes


def _write(axes: Axes, text: str, x: float, y: float, ha: str, va: str = "top", colour: str = INK) -> None:
    axes.text(x, y, text, fontsize=LETTERS, color=colour, ha=ha, va=va, parse_math=False)


def _tile(
    axes: Axes, values: NDArray[Any], x: float, y: float, wide: float, high: float, colours: str = "gray"
) -> None:
    """Put values [H, W] or [H, W, 3] in 0..1 at a place, each a sharp square, in a thin frame."""
    from matplotlib.patches import Rectangle

    where = (x, x + wide, y + high, y)
    axes.imshow(values, cmap=colours, vmin=0, vmax=1, interpolation="nearest", aspect="auto", extent=where)
    axes.add_patch(Rectangle((x, y), wide, high, fill=False, edgecolor=FRAME, linewidth=0.5))


def _label(name: str, maps: NDArray[Any]) -> tuple[str, str]:
    """What stands beside the maps [N, H, W] of a layer."""
    return _shown(name, 22), f"{len(maps)} map{'s' if len(maps) > 1 else ''} of {_by(maps.shape[1:])}"


def _chosen(there: tuple[str, ...], wanted: Sequence[str]) -> tuple[str, ...]:
    for name in wanted:
        if name not in there:
            raise ConfigError(f"no layer that makes maps is called {name!r}; {near(name, there)}")
    if len(wanted) > MOST_LAYERS:
        raise ConfigError(f"maps of at most {MOST_LAYERS} layers can be drawn, got {len(wanted)}")
    if wanted:
        return tuple(name for name in there if name in wanted)
    places = np.unique(np.linspace(0, len(there) - 1, min(len(there), MOST_LAYERS)).round().astype(int))
    return tuple(there[place] for place in places)


def _columns(count: int, slender: float) -> int:
    """Columns of a grid of tiles, each so many times as wide as high: wider than high, its rows about equally full."""
    if count <= 8 and slender <= 1.5:
        return count
    columns = max(1, min(count, 16, math.ceil(math.sqrt(2 * count / slender))))
    return -(-count // -(-count // columns))


def _cell(size: Sequence[int], longest: float) -> tuple[float, float]:
    """Height and width in inches of a tile whose longer side is given."""
    high, wide = size
    return longest * max(high / max(high, wide), 0.15), longest * max(wide / max(high, wide), 0.15)


def _grey(pixels: Pixels) -> NDArray[np.float64]:
    values: NDArray[np.float64] = pixels.astype(np.float64) / 255
    return values[..., 0] if values.shape[2] == 1 else values


def _by(size: Sequence[int]) -> str:
    return f"{size[0]} × {size[1]}"


def _shown(text: str, most: int) -> str:
    """A name on one line, not too long."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
