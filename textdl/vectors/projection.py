"""Words on a plane: vectors brought to two dimensions, and a picture of them with labels that keep apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import near
from .drawing import picture_path, write_picture
from .word_vectors import VectorsError, WordVectors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Projection = Literal["pca", "tsne", "umap"]
PROJECTIONS = ("pca", "tsne", "umap")

PERPLEXITY, NEIGHBOURS = 30.0, 15  # of t-SNE and UMAP, where there are words enough
DOT, LETTERS, GAP = 3.0, 9.0, 3.0  # points: size of a dot, height of the letters, from the dot to its label
RINGS, DIRECTIONS = 8, 12  # places that are tried for a label: so many distances in so many directions
RING_COST = 0.002  # what a step away from the dot costs: as much as covering so much of the label's area


def project(matrix: NDArray[Any], method: Projection = "pca", seed: int = 0) -> NDArray[np.float64]:
    """Bring N vectors [N, D] to two dimensions [N, 2].

    Args:
        matrix: N >= 2 vectors; scale them to length 1 first where their cosine is what counts.
        method: "pca", the two directions in which they vary most; "tsne" (van der Maaten & Hinton 2008, "Visualizing
            data using t-SNE"), which keeps neighbours together; "umap" (McInnes et al. 2018), where it is installed.
        seed: of the two that draw random numbers. The same seed gives the same picture on the same machine.

    Raises:
        VectorsError: an unknown method, one that is not installed, or too few vectors.
    """
    if method not in PROJECTIONS:
        raise VectorsError(f"there is no projection {method!r}; {near(str(method), PROJECTIONS)}")
    rows = np.asarray(matrix, np.float64)
    least = {"pca": 2, "tsne": 3, "umap": 4}[method]
    if rows.ndim != 2 or len(rows) < least or rows.shape[1] < 1:
        raise VectorsError(
            f"{method} takes at least {least} vectors, [N, D], got the shape {rows.shape}; name more words"
        )
    if not np.isfinite(rows).all():
        raise VectorsError("vectors to project must be of finite numbers, got NaN or infinity")
    if method == "tsne":
        return _tsne(rows, seed)
    return _umap(rows, seed) if method == "umap" else _pca(rows)


def _pca(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The principal components, by singular value decomposition; what lies farthest out in each is made positive."""
    left, values, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    points = np.zeros((len(rows), 2))
    size = min(2, len(values))
    points[:, :size] = left[:, :size] * values[:size]
    extreme = points[np.abs(points).argmax(axis=0), [0, 1]]
    return points * np.where(extreme < 0, -1.0, 1.0)


def _tsne(rows: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    start = _pca(rows)
    spread = start.std(axis=0)[0]
    start = start / spread * 1e-4 if spread > 0 else np.random.default_rng(seed).normal(0, 1e-4, start.shape)
    points = TSNE(2, perplexity=perplexity, init=start, random_state=seed).fit_transform(rows)
    return np.asarray(points, np.float64)


def _umap(rows: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    try:
        from umap import UMAP
    except ImportError:
        raise VectorsError(
            "UMAP is not installed; install it with: pip install umap-learn, or take the projection 'tsne' or 'pca'"
        ) from None
    start = "random" if len(rows) < 8 else "spectral"  # the spectral one needs more words than it finds directions
    model = UMAP(
        n_neighbors=min(NEIGHBOURS, len(rows) - 1), metric="euclidean", init=start, random_state=seed, n_jobs=1
    )
    return np.asarray(model.fit_transform(rows), np.float64)


def plot_words(
    vectors: WordVectors,
    words: Sequence[str] | Sequence[Sequence[str]],
    path: str | Path,
    method: Projection = "pca",
    seed: int = 0,
    title: str = "",
    size: tuple[float, float] = (10.0, 8.0),
) -> NDArray[np.float64]:
    """Draw words on a plane by their vectors, scaled to length 1, and write the picture atomically.

    Args:
        words: a list of words, or lists of them, each drawn in a colour of its own; a repeated one is drawn once.
        path: .png, .svg or .pdf.
        method: see :func:`project`.
        seed: of the projection.
        title: above the picture.
        size: width and height in inches.

    Returns:
        The points [N, 2], in the order in which the words first come.

    Raises:
        VectorsError: an unknown word, projection or suffix, or too few words.
        RunError: no space left, or the folder can not be written.
    """
    target = picture_path(path, VectorsError)
    if isinstance(words, str):
        raise VectorsError(f"words must be a list of words, got the text {words!r}")
    lists = [[item] if isinstance(item, str) else list(item) for item in words]
    several = any(not isinstance(item, str) for item in words)
    groups = {word: number if several else 0 for number, listed in reversed([*enumerate(lists)]) for word in listed}
    names = list(dict.fromkeys(word for listed in lists for word in listed))
    rows = np.array([vectors[word] for word in names], np.float64).reshape(len(names), vectors.dim)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    points = project(rows / np.where(lengths > 0, lengths, 1.0), method, seed)
    draw(names, points, target, [groups[name] for name in names], title, size)
    return points


def draw(
    words: Sequence[str],
    points: NDArray[Any],
    path: str | Path,
    groups: Sequence[int] | None = None,
    title: str = "",
    size: tuple[float, float] = (10.0, 8.0),
) -> None:
    """Draw N points [N, 2] with a label each, and write the picture atomically. The same input gives the same file.

    Args:
        groups: a number for each point; equal ones have the same colour.

    Raises:
        VectorsError: an unknown suffix, or points that do not fit the words.
        RunError: no space left, or the folder can not be written.
    """
    target = picture_path(path, VectorsError)
    places = np.asarray(points, np.float64)
    if places.shape != (len(words), 2) or not np.isfinite(places).all():
        raise VectorsError(f"points must be finite and of the shape ({len(words)}, 2), got {places.shape}")
    if groups is not None and len(groups) != len(words):
        raise VectorsError(f"groups must be a number for each of {len(words)} points, got {len(groups)}")

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        colours = [f"C{group % 10}" for group in (groups if groups is not None else [0] * len(words))]
        axes.scatter(places[:, 0], places[:, 1], s=DOT**2, c=colours, zorder=2)
        axes.set_title(title, parse_math=False)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.margins(0.08)
        axes.set_aspect("equal", adjustable="datalim")  # distances mean the same both ways
        _label(figure, axes, words, places, colours)

    write_picture(target, size, paint, dpi=120)


@dataclass(frozen=True)
class _Boxes:
    """Rectangles [N, 4] in pixels: left, bottom, right, top."""

    sides: NDArray[np.float64]

    def overlap(self, box: NDArray[np.float64]) -> float:
        """The area that a rectangle [4] shares with all of them."""
        if not len(self.sides):
            return 0.0
        width = np.minimum(self.sides[:, 2], box[2]) - np.maximum(self.sides[:, 0], box[0])
        height = np.minimum(self.sides[:, 3], box[3]) - np.maximum(self.sides[:, 1], box[1])
        return float((np.maximum(width, 0) * np.maximum(height, 0)).sum())


def _label(
    figure: Figure, axes: Axes, words: Sequence[str], points: NDArray[np.float64], colours: Sequence[str]
) -> None:
    """Put each label where it covers least, near its dot; a thin line ties it to the dot when it is farther away."""
    shown = ["".join(c if c.isprintable() else " " for c in word) for word in words]
    style: dict[str, Any] = {"fontsize": LETTERS, "parse_math": False}
    texts = [
        axes.annotate(word, point, (0, 0), textcoords="offset points", va="bottom", color=colour, **style)
        for word, point, colour in zip(shown, points, colours, strict=True)
    ]
    figure.draw_without_rendering()  # settles the layout, and with it where the dots are
    figure.set_layout_engine("none")
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    scale = figure.dpi / 72
    dots = axes.transData.transform(points)
    sizes = [(extent.width, extent.height) for extent in (text.get_window_extent(renderer) for text in texts)]
    window = np.array(axes.get_window_extent(renderer).extents)
    half = DOT * scale / 2
    taken = np.concatenate([dots - half, dots + half], axis=1)
    for number, text in enumerate(texts):
        box, far = _best_place(dots[number], sizes[number], _Boxes(taken), window, scale)
        taken = np.vstack([taken, box])
        text.set_position(tuple((box[:2] - dots[number]) / scale))
        if far:
            nearest = np.clip(dots[number], box[:2], box[2:])
            ends = axes.transData.inverted().transform([dots[number], nearest])
            thin: dict[str, Any] = {"linewidth": 0.5, "alpha": 0.6, "zorder": 1, "scalex": False, "scaley": False}
            axes.plot(ends[:, 0], ends[:, 1], color=colours[number], **thin)


def _best_place(
    dot: NDArray[np.float64], size: tuple[float, float], taken: _Boxes, window: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float64], bool]:
    """The rectangle [4] for a label of so many pixels, and whether it is farther from its dot than the first ring."""
    width, height = size
    half = np.array(size) / 2
    best, least = np.zeros(4), math.inf
    best_ring = 0
    for ring in range(RINGS):
        reach = (GAP + ring * LETTERS * 0.9) * scale
        for step in range(DIRECTIONS):
            angle = 2 * math.pi * step / DIRECTIONS
            direction = np.array([math.cos(angle), math.sin(angle)])
            middle = dot + reach * direction + direction * half
            box = np.concatenate([middle - half, middle + half])
            outside = np.maximum(window[:2] - box[:2], 0).sum() + np.maximum(box[2:] - window[2:], 0).sum()
            cost = taken.overlap(box) + outside * height + ring * RING_COST * width * height
            if cost < least - 1e-9:
                best, least, best_ring = box, cost, ring
        if least <= ring * RING_COST * width * height + 1e-9:
            break  # a farther ring costs more in any case
    return best, best_ring > 0
