"""A handwriting model's weights, checked and laid out anew for the loop of :mod:`textdl.kernels.writing`, and run.

Legend: L layers, H width of a layer, C kinds of characters, K Gaussians of the window, M components of the mixture,
U characters of a text, its end among them, P points to begin with, N points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError

Floats = NDArray[np.float32]


class PenLayer(NamedTuple):
    """Weights of an LSTM layer as torch lays them out; gates i f g o."""

    point: NDArray[Any]  # [4H, 3]
    window: NDArray[Any]  # [4H, C]
    below: NDArray[Any] | None  # [4H, H]; None of the first layer
    own: NDArray[Any]  # [4H, H]
    bias: NDArray[Any]  # [4H]


class Drawn(NamedTuple):
    """What a pen has written: points [n, 3] (scaled), and whether it came to the end of the text."""

    points: Floats
    ended: bool


class Pen:
    """A handwriting model that draws point after point. Its methods change nothing: one Pen serves several threads.

    Args:
        layers: the L layers, from the lowest.
        look, look_bias: [3K, H], [3K] of the window; K is 0 where there is no text.
        output, output_bias: [1 + 6M, L * H], [1 + 6M].
        pace: what a step of the window is multiplied by.
        edges: the least and the largest logarithm of a deviation, the largest correlation.

    Raises:
        RunError: weights whose shapes do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[PenLayer],
        look: NDArray[Any],
        look_bias: NDArray[Any],
        output: NDArray[Any],
        output_bias: NDArray[Any],
        pace: float,
        edges: tuple[float, float, float],
    ) -> None:
        from .writing import Network

        size, kinds = layers[0].own.shape[1], layers[0].window.shape[1]
        wide, number = 4 * size, len(layers)
        for name, array, shape in (
            ("look", look, (len(look_bias), size)),
            ("output", output, (len(output_bias), number * size)),
            *((f"own of layer {n}", layer.own, (wide, size)) for n, layer in enumerate(layers)),
            *((f"point of layer {n}", layer.point, (wide, 3)) for n, layer in enumerate(layers)),
            *((f"window of layer {n}", layer.window, (wide, kinds)) for n, layer in enumerate(layers)),
            *((f"bias of layer {n}", layer.bias, (wide,)) for n, layer in enumerate(layers)),
        ):
            if np.shape(array) != shape:
                raise RunError(
                    f"{name} must have shape {shape}, got {np.shape(array)}; the run's weights do not fit its config"
                )
        matrix = np.zeros((number, 3 + 2 * size, wide), np.float32)
        for place, layer in zip(matrix, layers, strict=True):
            place[:3], place[3 : 3 + size] = layer.point.T, layer.own.T
            if layer.below is not None:
                place[3 + size :] = layer.below.T
        self._sizes = number, size, kinds, len(look_bias) // 3, len(output_bias)
        self._net = Network(
            matrix,
            _floats(np.stack([layer.window.T for layer in layers])),
            _floats(np.stack([layer.bias for layer in layers])),
            _floats(look.T),
            _floats(look_bias),
            _floats(output.T.reshape(number, size, -1)),
            _floats(output_bias),
            float(pace),
            *map(float, edges),
        )

    def write(
        self,
        ids: NDArray[np.int64],
        prime: NDArray[Any],
        uniforms: NDArray[Any],
        bias: float = 0.0,
        patience: int = 0,
    ) -> Drawn:
        """Draw points after those of ``prime``.

        Args:
            ids: [U] of the text, its end last; [0] where the model has no text.
            prime: [P, 3], scaled: what was written before; at least the point (0, 0, 0) of a beginning.
            uniforms: [N, 4] in [0, 1): the only chance there is; N is the most points.
            bias: neatness.
            patience: points after the end of the text, at most, until the pen is lifted.

        Raises:
            RunError: the model says what is no number.
        """
        from .writing import ENDED, NOT_A_NUMBER, Memory, run

        number, size, kinds, gaussians, wide = self._sizes
        shapes = ((number, size), (number, size), kinds, gaussians, len(ids), 3 + 2 * size, 4 * size, 3 * gaussians)
        memory = Memory(*(np.zeros(shape, np.float32) for shape in (*shapes, wide)))
        made = np.zeros((len(uniforms), 3), np.float32)
        said = np.array(ids, np.int64, order="C").reshape(-1)
        count, how = run(self._net, memory, said, _floats(prime), _floats(uniforms), float(bias), int(patience), made)
        if how == NOT_A_NUMBER:
            raise RunError("the model says what is no number, where the pen goes next; train it again")
        return Drawn(made[:count], how == ENDED)


def _floats(array: NDArray[Any]) -> Floats:
    """A copy as the loop wants it, one type for all."""
    return np.array(array, np.float32, order="C", copy=True)
