"""How good the classifiers of pictures are on the built-in `digits`, each network beside its opponents, fold by fold.

    python -m benchmarks.digits [--models knn softmax lenet5 convnet] [--seconds 30] [--folds 5] [--seeds 3]

Each seed deals the 1,797 digits into folds, each with its share of every class, and starts the networks; all models see
the same folds. One fold is judged, the others are learned from, and nothing is ever chosen by what is judged: the k of
the nearest neighbours is chosen anew by cross-validation within what is learned from; a network takes the last weights
after --seconds, on all cores. The settings of the networks were chosen elsewhere, on digits of MNIST made 8 × 8 (1,437
learned from, 8,000 others judged): what docs/images.md advises for digits so small, a little bending, smoothed labels,
and LeNet-5 with ReLU and max pooling. --inner judges by a fifth of what is learned from instead; --set changes settings
of the networks.

A spread is the standard deviation over the folds of all seeds, and that of the means of the seeds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import textdl
from benchmarks.given import given
from textdl.image_corpus import Images, ImagesConfig, open_images

#: How networks are trained, and how their pictures are changed meanwhile.
TRAINING: dict[str, Any] = {
    "schedule": "one-cycle",
    "lr": 0.005,
    "train.label_smoothing": 0.1,
    "train.evaluations": 1,
    "shift": 0.5,
    "rotation": 8.0,
    "scale": 0.08,
    "elastic": 0.3,
}
MODELS: dict[str, dict[str, Any]] = {
    "knn": {},
    "softmax": {},
    "lenet5": {"activation": "relu", "pooling": "max", **TRAINING},
    "convnet": {**TRAINING},
}
BASELINES = ("knn", "softmax")
NEIGHBOURS = (1, 3, 5, 7)
INNER = 5


class Fold(NamedTuple):
    """What is learned from, and what is judged."""

    train: Images
    held_out: Images


def folds_of(some: Images, number: int, seed: int) -> Iterator[Fold]:
    """Pictures dealt into so many folds, each with its share of every class."""
    from sklearn.model_selection import StratifiedKFold

    dealer = StratifiedKFold(number, shuffle=True, random_state=seed)
    for train, held_out in dealer.split(some.labels, some.labels):
        yield Fold(Images(some.pixels[train], some.labels[train]), Images(some.pixels[held_out], some.labels[held_out]))


def accuracy(run: Any, judged: Images) -> float:
    """The share that is named rightly."""
    said = np.array([int(label) for label in run.predict(judged.pixels)])
    return float((said == judged.labels).mean())


def learned(train: Images, folder: Path, **settings: Any) -> Any:
    """A run, in a folder that is made anew; nothing is held out of what it learns from."""
    place = Path(tempfile.mkdtemp(dir=folder)) / "run"
    return textdl.train(
        "images", {"train": tuple(train)}, out=place, progress=False, validation=0.0, test=0.0, **settings
    )


def neighbours(train: Images, folder: Path, seed: int) -> int:
    """The k with which most are named rightly within what is learned from; of equals the least."""
    inner = list(folds_of(train, INNER, seed))
    found = {
        k: statistics.mean(
            accuracy(learned(part.train, folder, model="knn", neighbours=k), part.held_out) for part in inner
        )
        for k in NEIGHBOURS
    }
    return max(found, key=lambda k: (found[k], -k))


def settings_of(model: str, fold: Fold, folder: Path, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """What a model is given."""
    if model == "knn":
        return {"model": model, "neighbours": neighbours(fold.train, folder, seed)}
    if model in BASELINES:
        return {"model": model, "seed": seed}
    return {"model": model, "seed": seed, "minutes": options.seconds / 60, **MODELS[model], **given(options.set)}


def judge(model: str, some: Images, options: argparse.Namespace, folder: Path) -> None:
    """Print the figures of a model."""
    by_seed: list[list[float]] = []
    chosen: list[int] = []
    steps: list[int] = []
    start = time.perf_counter()
    for seed in range(1, options.seeds + 1):
        by_seed.append([])
        for fold in folds_of(some, options.folds, seed):
            part = next(folds_of(fold.train, INNER, seed)) if options.inner else fold
            settings = settings_of(model, part, folder, seed, options)
            run = learned(part.train, folder, **settings)
            by_seed[-1].append(accuracy(run, part.held_out))
            chosen += [settings["neighbours"]] if model == "knn" else []
            steps += [run.report["steps"]]
        if options.seeds > 1:
            print(f"  {model:<9} seed {seed}: {_shares(by_seed[-1])}", flush=True)
    every = [share for shares in by_seed for share in shares]
    means = [statistics.mean(shares) for shares in by_seed]
    mean = statistics.mean(every)
    spread = f"of folds {_deviation(every):.2%}, of seeds {_deviation(means):.2%}"
    more = f"k {', '.join(map(str, chosen))}" if chosen else ""
    more = more or ("" if model in BASELINES else f"{statistics.median(steps):,.0f} steps")
    seconds = (time.perf_counter() - start) / len(every)
    print(
        f"{model:<9} mean {mean:.2%}  spread {spread}  worst {min(every):.2%}  {seconds:.1f} s each  {more}", flush=True
    )


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _shares(values: Sequence[float]) -> str:
    return "  ".join(f"{value:.2%}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--seconds", type=float, default=30.0, help="training of each network on each fold")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--inner", action="store_true", help="judge by a fifth of what is learned from")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="values as in JSON")
    options = parser.parse_args()
    some = open_images("digits", ImagesConfig(validation=0.0, test=0.0)).images("train")
    judged = f"a fifth of what is learned from, of {options.folds} folds" if options.inner else f"{options.folds} folds"
    print(f"{len(some.labels):,} digits, {judged}, {options.seeds} seeds, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models:
            judge(model, some, options, Path(folder))
    print("asked: the mean of lenet5 above that of knn")


if __name__ == "__main__":
    main()
