"""Deeper plain nets against deeper residual nets: plain-20 and plain-56 beside ResNet-20 and ResNet-56.

    python -m benchmarks.plain_residual [--data DIR] [--steps 3000] [--width 8] [--seeds 1]
                                        [--plot docs/plain_residual.svg]

He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition", figures 1 and 6: a plain net of 56 layers
learns its own training pictures worse than one of 20, a residual one does not. The nets are those of their section 4.2
with --width filters in the first stage instead of 16, narrow enough for two cores; the plain ones have the same layers,
as many weights, and no shortcuts. All four take as many steps over the same pictures in the same order, with momentum,
a penalty on the weights and a rate that is cut to a tenth after a third and two thirds, as in the paper but shorter.

DIR, or DIR/mnist, holds the idx files of MNIST: the first 50,000 are learned from, the last 10,000 are judged, once, at
the end. Without --data it is the built-in `digits`, a fifth of them judged, which are 8 × 8 and few: to see it run.

Training loss: the mean, in nats, over the last tenth of the steps, as they were taken. It is a mean over seeds where
there are several, with the least and the largest beside it. Whatever comes out is printed and drawn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

import textdl
from benchmarks.digits import Fold, folds_of
from benchmarks.mnist import LEARNED, digits_of, part, right
from textdl.errors import ConfigError
from textdl.image_corpus import ImagesConfig, open_images
from textdl.vectors.drawing import picture_path, write_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = (20, 56)
#: As in the paper, section 4.2.
SETTINGS: dict[str, Any] = {
    "optimizer": "momentum",
    "lr": 0.1,
    "schedule": "step",
    "train.l2": 1e-4,
    "train.clip": None,
    "train.warmup": 0.0,
    "train.evaluations": 1,
    "precision": "float32",  # that roundings are no part of what is compared
}
#: Share of the steps, at the end, over which the loss is told; and that over which the curves are smoothed.
LAST, SMOOTHED = 0.1, 0.02
COLOURS = {20: "#3b6fb6", 56: "#c4472f"}


class Curve(NamedTuple):
    """How a net was trained: steps, the mean loss since the step before in nats, and the error on what is judged."""

    steps: list[int]
    losses: list[float]
    error: float

    @property
    def loss(self) -> float:
        """Of the last steps."""
        return statistics.mean(
            loss for step, loss in zip(self.steps, self.losses, strict=True) if step > (1 - LAST) * self.steps[-1]
        )


def curve_of(fold: Fold, folder: Path, **settings: Any) -> Curve:
    """Train a net."""
    place = Path(tempfile.mkdtemp(dir=folder)) / "run"
    known = {"train": tuple(fold.train)}
    run = textdl.train("images", known, out=place, model="resnet", progress=False, validation=0.0, test=0.0, **settings)
    lines = [json.loads(line) for line in (place / "metrics.jsonl").read_text("utf-8").splitlines()]
    rows = [(line["step"], line["loss"]) for line in lines if line["event"] == "progress"]
    error = 1 - right(run.probabilities(fold.held_out.pixels), fold.held_out)
    return Curve([step for step, _ in rows], [loss for _, loss in rows], error)


def line_of(name: str, curves: Sequence[Curve]) -> str:
    """A row of the table."""
    losses, errors = [c.loss for c in curves], [c.error for c in curves]
    text = f"{name:<11} {statistics.mean(losses):>10.4f} {statistics.mean(errors):>11.2%}"
    if len(curves) > 1:
        text += f"   {min(losses):.4f} to {max(losses):.4f}, {min(errors):.2%} to {max(errors):.2%}"
    return text


def smooth(curve: Curve) -> tuple[list[float], list[float]]:
    """Steps, and a running mean of the losses with equal weights."""
    width = max(1, round(SMOOTHED * len(curve.losses)))
    kernel = np.full(width, 1 / width)
    return (
        np.convolve(np.array(curve.steps, float), kernel, "valid").tolist(),
        np.convolve(np.array(curve.losses), kernel, "valid").tolist(),
    )


def draw(target: Path, found: dict[tuple[bool, int], list[Curve]], what: str) -> None:
    """Training loss by steps, the plain nets on the left, the residual ones on the right."""

    def paint(figure: Figure) -> None:
        figure.suptitle(f"Training loss, {what}", fontsize=11)
        left, right_side = figure.subplots(1, 2, sharey=True)
        for axes, plain in ((left, True), (right_side, False)):
            for depth in DEPTHS:
                for number, curve in enumerate(found[plain, depth]):
                    told = f"{name_of(plain, depth)}, held-out error {errors_of(found[plain, depth])}"
                    axes.plot(*smooth(curve), color=COLOURS[depth], linewidth=1.3, label=None if number else told)
            axes.set_yscale("log")
            axes.set_title("plain" if plain else "residual", fontsize=10)
            axes.set_xlabel("step")
            axes.grid(alpha=0.25)
            axes.legend(fontsize=8, frameon=False)
        left.set_ylabel("nats a picture")

    write_picture(target, (9.0, 3.8), paint, dpi=120)


def name_of(plain: bool, depth: int) -> str:
    return f"plain-{depth}" if plain else f"ResNet-{depth}"


def errors_of(curves: Sequence[Curve]) -> str:
    return f"{statistics.mean(curve.error for curve in curves):.2%}"


def verdict(found: dict[tuple[bool, int], list[Curve]]) -> None:
    """Print what depth has done, as it is."""
    for plain in (True, False):
        shallow, deep = (statistics.mean(c.loss for c in found[plain, depth]) for depth in DEPTHS)
        names = [name_of(plain, depth) for depth in DEPTHS]
        print(f"{names[1]} has {deep / shallow:.2f} times the training loss of {names[0]}")
    print("asked, whatever comes out: the deeper plain net learns worse, the deeper residual one does not")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--plot", type=Path, help="a picture of the curves, such as docs/plain_residual.svg")
    options = parser.parse_args()
    if options.plot is not None:
        try:
            picture_path(options.plot, ConfigError)
        except ConfigError as error:
            sys.exit(f"--plot: {error}")
    if options.data is not None:
        every = digits_of(options.data)
        fold, name = Fold(part(every, 0, LEARNED), part(every, LEARNED, len(every.labels))), "MNIST"
    else:
        some = open_images("digits", ImagesConfig(validation=0.0, test=0.0)).images("train")
        fold, name = next(folds_of(some, 5, 1)), "digits"
    what = f"{name}, {options.width} filters, {options.steps:,} steps of {options.batch}"
    print(f"{what}; {options.device}, {torch.get_num_threads()} threads, {SETTINGS['precision']}", flush=True)
    print(f"{'':<11} {'train loss':>10} {'error':>11}", flush=True)
    found: dict[tuple[bool, int], list[Curve]] = {}
    shared = {**SETTINGS, "filters": options.width, "steps": options.steps, "batch_size": options.batch}
    with tempfile.TemporaryDirectory() as folder:
        for plain in (True, False):
            for depth in DEPTHS:
                found[plain, depth] = [
                    curve_of(fold, Path(folder), plain=plain, depth=depth, seed=seed, device=options.device, **shared)
                    for seed in range(1, options.seeds + 1)
                ]
                print(line_of(name_of(plain, depth), found[plain, depth]), flush=True)
    verdict(found)
    if options.plot is not None:
        draw(options.plot, found, what)


if __name__ == "__main__":
    main()
