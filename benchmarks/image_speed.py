"""Speed of `images`: steps a second of the trainer against a plain torch loop, of LeNet-5 and ResNet-20.

    python -m benchmarks.image_speed [--models lenet5 resnet20] [--seconds 4] [--rounds 7] [--batch 64] [--device cpu]

The plain loop has the same layers written by hand (LeNet-5 with its padding to 32 × 32), the same first weights, as
large batches of the same pictures on the same device, drawn in a new order each pass, the same precision, memory
format, threads, optimiser and clipping; its pictures are floats with mean 0 and spread 1 before it begins, and it
evaluates nothing. The trainer is measured whole, from its first step to its last: drawing batches of bytes, making
floats of them, the log of losses, the clock. Both sides take turns, in another order each time; the ratio is the median
over the pairs. Where something else takes a core, run both with OMP_NUM_THREADS=1: two threads wait for each other.

The pictures are noise of 28 × 28, as many as asked: what they show makes no difference to the speed.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdl.config import replace
from textdl.image_corpus import ImageCorpus, ImagesConfig, open_images
from textdl.tasks.images import ImageClassification, ImageClassificationConfig, LearningImages
from textdl.training.device import arithmetic, pick_device, pick_precision
from textdl.training.trainer import Trainer

ASKED = 0.97


def plain_lenet() -> nn.Module:
    """LeNet-5."""
    return nn.Sequential(
        *(nn.ZeroPad2d(2), nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten()),
        *(nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    )


class PlainBlock(nn.Module):
    """Two convolutions and what goes past them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stride, self.more = outputs // inputs, outputs - inputs
        self.first = nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False)
        self.norm_first = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm_second = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm_first(self.first(x)), inplace=True)
        y = self.norm_second(self.second(y))
        if self.more:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        y += x
        return F.relu(y, inplace=True)


def plain_resnet() -> nn.Module:
    """ResNet-20."""
    blocks = [PlainBlock(*sides) for f in (16, 32, 64) for sides in ((max(f // 2, 16), f), (f, f), (f, f))]
    stem = (nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Side(NamedTuple):
    """A model: its name in textdl with its settings, and the same by hand."""

    kind: str
    settings: dict[str, Any]
    plain: Callable[[], nn.Module]


SIDES = {"lenet5": Side("lenet5", {}, plain_lenet), "resnet20": Side("resnet", {"depth": 20}, plain_resnet)}


class Setting(NamedTuple):
    """What both sides share."""

    corpus: ImageCorpus
    device: str
    precision: str
    batch: int


def task_of(side: Side, setting: Setting, steps: int) -> LearningImages:
    config = replace(
        ImageClassificationConfig(),
        {"model": side.kind, **side.settings, "steps": steps, "evaluations": 1, "batch_size": setting.batch}
        | {"device": setting.device, "precision": setting.precision, "schedule": "constant"},
    )
    torch.manual_seed(1)
    task = ImageClassification.prepare(setting.corpus, config, lambda event: None)
    assert isinstance(task, LearningImages)
    return task


def ours(side: Side, setting: Setting, steps: int) -> float:
    """Steps a second of the trainer."""
    task = task_of(side, setting, steps)
    task.metrics = lambda model, at_most: {}  # type: ignore[method-assign]  # the other side evaluates nothing
    report = Trainer(task.config.train).fit(task)
    return report.steps / report.seconds


def theirs(side: Side, setting: Setting, steps: int) -> float:
    """Steps a second of the plain loop."""
    device = pick_device(setting.device)
    with arithmetic(setting.precision, device):
        return _looped(side, setting, steps, device)


def _looped(side: Side, setting: Setting, steps: int, device: torch.device) -> float:
    precision = pick_precision(setting.precision, device)
    some = setting.corpus.images("train")
    pictures = torch.from_numpy(some.pixels.astype(np.float32) / 255)  # [N, H, W, C], as convolutions are fastest here
    pictures = ((pictures - pictures.mean()) / pictures.std()).to(device)
    labels = torch.from_numpy(some.labels.copy()).to(device)
    model = side.plain().to(device)
    with torch.no_grad():
        for own, other in zip(model.parameters(), task_of(side, setting, 1).model.parameters(), strict=True):
            own.copy_(other)  # a tanh takes as long as its values are large
    optimizer = torch.optim.AdamW(model.parameters(), 0.002, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start, done = time.perf_counter(), 0
    while done < steps:
        order = torch.randperm(len(labels), device=device)
        for which in order[: len(order) // setting.batch * setting.batch].split(setting.batch)[: steps - done]:
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device.type, precision, enabled=precision != torch.float32):
                logits = model(pictures[which].permute(0, 3, 1, 2))
            F.cross_entropy(logits.float(), labels[which]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            done += 1
    wait()
    return steps / (time.perf_counter() - start)


def noise(number: int) -> ImageCorpus:
    """Pictures of noise, with any labels."""
    draw = np.random.default_rng(0)
    pixels, labels = draw.integers(0, 256, (number, 28, 28), np.uint8), np.arange(number) % 10
    return open_images((pixels, labels), ImagesConfig(validation=0.0, test=0.0))


def compare(name: str, setting: Setting, seconds: float, rounds: int) -> None:
    """Print the ratio of a model."""
    side = SIDES[name]
    ours(side, setting, 3), theirs(side, setting, 3)
    steps = max(10, round(seconds * theirs(side, setting, 10)))
    sides = [functools.partial(one, side, setting, steps) for one in (ours, theirs)]
    pairs = []
    for number in range(rounds):
        first = number % 2
        found = {first: sides[first](), 1 - first: sides[1 - first]()}
        pairs.append((found[0], found[1]))
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = sorted(x / y for x, y in pairs)
    print(
        f"{name:<9} {setting.precision:<9} textdl {a:7.1f} steps/s  plain torch {b:7.1f}  ratio "
        f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}, {rounds} rounds of {steps} steps; "
        f"asked: {ASKED})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(SIDES), choices=list(SIDES))
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each side is measured at a time")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="default: one a core")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    corpus, device = noise(options.pictures), pick_device(options.device)
    default = pick_precision("auto", device)
    print(f"{device}, threads {torch.get_num_threads()}, default precision {default}, batches of {options.batch}")
    for name in options.models:
        for precision in dict.fromkeys((torch.float32, default)):
            setting = Setting(corpus, str(device), str(precision).removeprefix("torch."), options.batch)
            compare(name, setting, options.seconds, options.rounds)


if __name__ == "__main__":
    main()
