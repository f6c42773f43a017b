"""What is seen of a classifier of points: where its layers carry the plane, at any moment of its training.

Legend: n points, W width of a layer, L hidden layers, K classes, M moments, P parameters; a *stage* is the plane itself
(0) or what a hidden layer makes of it (1 to L), and a *depth* a number from 0 to L, between two stages where it is not
whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..tasks.points_run import PointsRun

Floats = NDArray[Any]

#: Blue, vermilion, green, purple, sky blue, orange, yellow, grey: told apart by the colour-blind (Okabe & Ito 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442", "#777777")
#: What is about the points, as a share of half the width of what they fill.
MARGIN = 0.18
#: The numbers of all moments that are looked at.
MOST_NUMBERS = 600_000

_BENT: dict[str, Callable[[Floats], Floats]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    "leaky-relu": lambda x: np.where(x > 0, x, 0.1 * x),
}


class View(NamedTuple):
    """From where a stage is seen: x [W] is drawn at ``(x - centre) @ turn``, points within -1 to 1; turn is [W, 2]."""

    centre: Floats
    turn: Floats

    def drawn(self, x: Floats) -> Floats:
        """Where x [n, W] is drawn, [n, 2]."""
        return np.asarray((x - self.centre) @ self.turn)

    def back(self, drawn: Floats) -> Floats:
        """What is drawn at places [n, 2], as far as it lies in the plane that is seen: [n, W]."""
        return np.asarray(drawn @ np.linalg.pinv(self.turn) + self.centre)


@dataclass(frozen=True, eq=False)
class Scene:
    """A run as it is drawn.

    Attributes:
        sizes: 2, the widths, K.
        activation: of the hidden layers.
        after: [M], the batches learned from at each moment.
        weights: [M, P], those of each moment.
        points: [n, 2], scaled, with their classes ``truth`` [n].
        labels: the K classes.
        fields: names of the coordinates.
        views: of each stage, the same at all moments, so that what moves is the network.
    """

    sizes: tuple[int, ...]
    activation: str
    after: NDArray[np.int64]
    weights: Floats
    points: Floats
    truth: NDArray[np.int64]
    labels: tuple[str, ...]
    fields: tuple[str, str]
    views: tuple[View, ...] = ()

    @property
    def depth(self) -> int:
        """L."""
        return len(self.sizes) - 2

    def at(self, moment: float) -> Floats:
        """The weights [P] at a moment, 0 to M - 1; between two moments they are mixed."""
        below = min(int(moment), len(self.weights) - 1)
        above = min(below + 1, len(self.weights) - 1)
        return np.asarray(self.weights[below] + (moment - below) * (self.weights[above] - self.weights[below]))

    def stages(self, weights: Floats, x: Floats) -> tuple[list[Floats], Floats]:
        """Points [n, 2] at all stages, each [n, W], and their logits [n, K], under weights [P]."""
        found, bent = [x], _BENT[self.activation]
        maps = layers_of(weights, self.sizes)
        for matrix, bias in maps[:-1]:
            found.append(bent(found[-1] @ matrix.T + bias))
        matrix, bias = maps[-1]
        return found, found[-1] @ matrix.T + bias

    def drawn(self, weights: Floats, x: Floats, depth: float) -> tuple[Floats, Floats]:
        """Where points [n, 2] are drawn at a depth, [n, 2], and their logits [n, K]."""
        stages, logits = self.stages(weights, x)
        below = min(int(depth), self.depth)
        place = self.views[below].drawn(stages[below])
        if depth > below:
            above = self.views[below + 1].drawn(stages[below + 1])
            place = place + (depth - below) * (above - place)
        return place, logits

    def told_at(self, weights: Floats, places: Floats) -> Floats:
        """The logits [n, K] of places [n, 2] of the picture of the last stage: straight lines part their classes."""
        matrix, bias = layers_of(weights, self.sizes)[-1]
        return np.asarray(self.views[-1].back(places) @ matrix.T + bias)

    def accuracy(self, weights: Floats) -> float:
        """The share of the points that are judged rightly."""
        return float((self.stages(weights, self.points)[1].argmax(axis=1) == self.truth).mean())


def layers_of(weights: Floats, sizes: tuple[int, ...]) -> list[tuple[Floats, Floats]]:
    """The matrices [out, in] and biases [out] that weights [P] hold."""
    found, start = [], 0
    for before, after in itertools.pairwise(sizes):
        end = start + before * after
        found.append((weights[start:end].reshape(after, before), weights[end : end + after]))
        start = end + after
    return found


def scene_of(run: PointsRun) -> Scene:
    """The scene of a run; of a large network not all moments."""
    config, plane = run.model.config, run.plane
    after, weights = run.moments
    most = max(2, MOST_NUMBERS // config.parameters)
    some = np.unique(np.linspace(0, len(after) - 1, min(most, len(after))).round().astype(int))
    bare = Scene(
        config.sizes,
        config.activation,
        after[some],
        weights[some].astype(np.float64),
        plane.scaled(plane.xy).astype(np.float64),
        plane.truth,
        run.labels,
        plane.fields,
    )
    return Scene(**{**vars(bare), "views": _views(bare)})


def _views(scene: Scene) -> tuple[View, ...]:
    """From where each stage is seen: its two widest directions at the end of the training, turned (or mirrored) so
    that points lie as near as can be to where the stage before has them (orthogonal Procrustes, Schönemann 1966).
    """
    stages, _ = scene.stages(scene.weights[-1], scene.points)
    views = [_fitted(stages[0], np.eye(2))]
    for x in stages[1:]:
        before = views[-1].drawn(stages[len(views) - 1])
        centred = x - x.mean(axis=0)
        flat = np.zeros((x.shape[1], 2))
        if x.shape[1] <= 2:  # drawn as it is
            flat[:, : x.shape[1]] = np.eye(x.shape[1])
        else:
            flat[:] = np.linalg.svd(centred, full_matrices=False)[2][:2].T if len(x) > 1 else np.eye(x.shape[1])[:, :2]
        left, _, right = np.linalg.svd((centred @ flat).T @ (before - before.mean(axis=0)))
        views.append(_fitted(x, flat @ left @ right))
    return tuple(views)


def _fitted(x: Floats, turn: Floats) -> View:
    """A view in which points [n, W] fill the picture but for its margin, in one scale for both directions."""
    seen = x @ turn
    low, high = seen.min(axis=0), seen.max(axis=0)
    half = max(float((high - low).max()) / 2, 1e-9)
    # the part of the centre that is not seen is the mean, so that ``back`` gives a place among the points
    mean = x.mean(axis=0)
    centre = mean + ((low + high) / 2 - mean @ turn) @ np.linalg.pinv(turn)
    return View(centre, turn / (half * (1 + MARGIN)))


def divided(nodes: Floats, told: Callable[[Floats], Floats]) -> tuple[list[tuple[int, Floats]], Floats]:
    """The cells of a net by the class that wins there, and where it changes, by marching squares.

    Where a cell's corners are of two classes it is cut in two along the border, which is looked for on its edges by
    halving: behind a steep layer the ends of a short edge lie far apart.

    Args:
        nodes: [G, G, 2], a net of places.
        told: their logits [n, K], for places [n, 2].

    Returns:
        Of each form, places [m, C, 2] of m polygons of C corners with their class; borders [S, 2, 2], straight pieces.
    """
    winners = told(nodes.reshape(-1, 2)).argmax(axis=1).reshape(nodes.shape[:2])
    size = len(nodes) - 1
    corners = [(0, 0), (0, 1), (1, 1), (1, 0)]
    places = np.stack([nodes[i : i + size, j : j + size] for i, j in corners], axis=2).reshape(-1, 4, 2)
    classes = np.stack([winners[i : i + size, j : j + size] for i, j in corners], axis=2).reshape(-1, 4)
    changes = classes != np.roll(classes, -1, axis=1)
    found: list[tuple[int, Floats]] = []
    for one in np.unique(classes).tolist():
        # where three classes or two corners across meet, the cell is not cut
        whole = (changes.sum(axis=1) != 2) & (np.sort(classes, axis=1)[:, 1] == one)
        found.append((one, places[whole]))
    cut = np.flatnonzero(changes.sum(axis=1) == 2)
    pieces = []
    for first, last in itertools.combinations(range(4), 2):  # the edges that the border crosses
        some = cut[changes[cut, first] & changes[cut, last]]
        if not len(some):
            continue
        ends = [_crossing(places[some, e], places[some, (e + 1) % 4], classes[some, e], told) for e in (first, last)]
        pieces.append(np.stack(ends, axis=1))
        inner, outer = list(range(first + 1, last + 1)), [(last + 1 + n) % 4 for n in range(4 - last + first)]
        for side, rim in ((inner, ends), (outer, ends[::-1])):
            forms = np.concatenate([rim[0][:, None], places[some][:, side], rim[1][:, None]], axis=1)
            owners = classes[some, side[0]]
            found += [(one, forms[owners == one]) for one in np.unique(owners).tolist()]
    return found, np.concatenate(pieces) if pieces else np.empty((0, 2, 2))


def _crossing(begin: Floats, end: Floats, own: NDArray[Any], told: Callable[[Floats], Floats]) -> Floats:
    """Where on lines from ``begin`` to ``end``, [n, 2] each, the class ``own`` [n] of the begin stops winning."""
    low, high = np.zeros(len(begin)), np.ones(len(begin))
    for _ in range(16):
        middle = (low + high) / 2
        still = told(begin + middle[:, None] * (end - begin)).argmax(axis=1) == own
        low, high = np.where(still, middle, low), np.where(still, high, middle)
    return np.asarray(begin + ((low + high) / 2)[:, None] * (end - begin))


def net(half: float, lines: int) -> Floats:
    """Places [lines, lines, 2] of a square about 0."""
    line = np.linspace(-half, half, lines)
    return np.stack(np.meshgrid(line, line), axis=-1)
