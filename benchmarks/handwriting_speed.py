"""How fast handwriting is written: the compiled loop against a plain torch loop over the same points.

    python -m benchmarks.handwriting_speed [--hidden 160] [--layers 2] [--points 400] [--rounds 7]

Both draw the same points from the same uniform numbers, one at a time, on one thread and in float32, each fed back;
they take turns, and the fastest round of each counts. The torch loop is what one writes by hand (``torch.lstm_cell``
and a few small products, the letters as one-hot rows made once), in inference mode. The points that they draw are held
against each other.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from textdl.models.handwriting import Handwriting, HandwritingConfig
from textdl.models.mixture_density import UNIFORMS, sample
from textdl.tasks.handwriting_run import pen_of

LEAST = 5.0  # times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = HandwritingConfig()
    for name, value in {"hidden": default.hidden, "layers": default.layers, "points": 400, "rounds": 7}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Handwriting(HandwritingConfig(hidden=asked.hidden, layers=asked.layers, characters=78, pace=18.0)).eval()
    # The text is longer than there are points for, so that neither side ends early.
    ids = np.random.default_rng(2).integers(0, 77, 4 + asked.points // 8)
    chances = np.random.default_rng(1).random((asked.points, UNIFORMS))
    pen = pen_of(model)

    def compiled() -> np.ndarray:
        return pen.write(ids, np.zeros((1, 3), np.float32), chances).points

    def plain() -> np.ndarray:
        return torch_loop(model, torch.from_numpy(ids), torch.from_numpy(chances).float())

    ours, theirs = compiled(), plain()
    off = float(np.abs(ours - theirs).max())
    seconds: dict[str, list[float]] = {"compiled": [], "torch": []}
    for _ in range(asked.rounds):
        for name, write in (("compiled", compiled), ("torch", plain)):
            seconds[name].append(timed(write))
    best = {name: min(some) for name, some in seconds.items()}
    for name, some in best.items():
        print(f"{name:9}{asked.points / some:10,.0f} points a second  ({1e6 * some / asked.points:,.0f} µs a point)")
    ratio = best["torch"] / best["compiled"]
    print(f"ratio {ratio:.1f} (at least {LEAST:g} is asked); largest difference of a coordinate {off:.1e}")


@torch.inference_mode()
def torch_loop(model: Handwriting, ids: torch.Tensor, chances: torch.Tensor) -> np.ndarray:
    """The plain way, with nothing in it that need not be done at each point."""
    assert model.first is not None
    first, size, kinds = model.first, model.config.hidden, model.config.characters
    onehot, places = F.one_hot(ids, kinds).float(), torch.arange(len(ids)).float()
    zeros = torch.zeros(4 * size)
    cells: list[Any] = [
        (torch.cat([first.weight_x, first.weight_fed[:, size:]], 1), first.weight_fed[:, :size], first.bias, zeros)
    ]
    cells += [list(part.layers[0].parameters()) for part in model.upper]  # type: ignore[union-attr, index]
    states = [(torch.zeros(1, size), torch.zeros(1, size)) for _ in cells]
    point, window, kappa, points = torch.zeros(1, 3), onehot[:1], torch.zeros(model.config.windows, 1), []
    for some in chances:
        states[0] = torch.lstm_cell(torch.cat([point, window], 1), states[0], *cells[0])
        alpha, beta, step = F.softplus(F.linear(states[0][0], first.look.weight, first.look.bias)).view(3, -1, 1)
        kappa = kappa + first.pace * step
        window = (alpha * torch.exp(-beta * (kappa - places).square())).sum(0, keepdim=True) @ onehot
        for layer in range(1, len(cells)):
            x = torch.cat([point, window, states[layer - 1][0]], 1)
            states[layer] = torch.lstm_cell(x, states[layer], *cells[layer])
        said = F.linear(torch.cat([hidden for hidden, _ in states], 1), model.output.weight, model.output.bias)
        point = sample(said, some[None])
        points.append(point[0])
    return torch.stack(points).numpy()


def timed(function: Callable[[], object]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
