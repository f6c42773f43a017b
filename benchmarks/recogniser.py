"""A reader of handwriting, to measure a writer with: points of a pen in, a text out.

Two bidirectional LSTM layers over a short convolution, trained by connectionist temporal classification (Graves et al.
2006, "Connectionist temporal classification"). It is trained on real lines only and sees nothing of any writer's. The
text is the likeliest sign of each step, repeats and blanks taken out: no dictionary helps it.

Legend: T points of the longest line, B lines in a batch, F features of a point, S steps after the convolution, C signs.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from textdl.strokes.line import Lines, Points
from textdl.strokes.resampling import evenly

#: Points are set anew at even steps of this many times the mean step of the training lines, so that the speed of a pen
#: tells nothing; one stroke more than a character has steps enough for it.
COARSER = 1.25
FEATURES = 7


class Batch(NamedTuple):
    """Lines side by side."""

    features: Tensor  # [T, B, F]
    sizes: Tensor  # [B]
    places: list[int]  # which lines they are


class Reader(nn.Module):
    """``forward(features [T, B, F], sizes [B]) -> (log-probabilities [S, B, 1 + C], steps [B])``; sign 0 is blank."""

    def __init__(self, signs: int, hidden: int = 96) -> None:
        super().__init__()
        self.entry = nn.Conv1d(FEATURES, hidden, kernel_size=5, stride=2, padding=2)
        self.layers = nn.LSTM(hidden, hidden, num_layers=2, bidirectional=True, dropout=0.1)
        self.output = nn.Linear(2 * hidden, 1 + signs)

    def forward(self, features: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.relu(self.entry(features.permute(1, 2, 0))).permute(2, 0, 1)
        steps = (sizes + 1) // 2
        # Padding is read too, behind the end: a few steps of zeros, and the same ones in training.
        return F.log_softmax(self.output(self.layers(x)[0]), dim=-1), steps


class Recogniser:
    """A reader with all that it needs to read a line: its alphabet and its units."""

    def __init__(self, lines: Lines, seed: int = 1) -> None:
        """A reader of the texts of some lines, untrained."""
        torch.manual_seed(seed)
        self.alphabet = "".join(sorted(set("".join(lines.texts))))
        inside = np.ones(len(lines.deltas), bool)
        inside[lines.offsets[:-1]] = False
        self.step = COARSER * float(np.hypot(*lines.deltas[inside].astype(np.float64).T).mean())
        self.reader = Reader(len(self.alphabet))

    def features(self, points: Points, turn: float = 0.0, size: float = 1.0) -> NDArray[np.float32]:
        """[T, F] of a line: step, direction, height above the line's middle, pen-up here and at the point before.

        Args:
            turn, size: for variety in training: a slant, and what the line is multiplied by.
        """
        changed = np.array(points, np.float32)
        changed[:, 0] -= turn * changed[:, 1]
        changed[:, :2] *= size
        even = evenly(changed, self.step)
        dx, dy, pen = even.T
        length = np.maximum(np.hypot(dx, dy), 1e-3)
        down = np.concatenate([[1.0], pen[:-1]])
        height = np.cumsum(dy)
        height = (height - np.median(height)) / (8 * self.step)
        return np.stack([dx / self.step, dy / self.step, dx / length, dy / length, height, pen, down], 1).clip(-8, 8)

    def fit(self, lines: Lines, seconds: float, batch_size: int = 24, lr: float = 0.004, seed: int = 1) -> float:
        """Train for so long, the rate falling to 0; returns the passes over the lines that this was."""
        generator = np.random.default_rng(seed)
        optimiser = torch.optim.Adam(self.reader.parameters(), lr=lr)
        known = {sign: 1 + place for place, sign in enumerate(self.alphabet)}
        texts = [torch.tensor([known[sign] for sign in text]) for text in lines.texts]
        begin, seen = time.perf_counter(), 0
        self.reader.train()
        while True:
            for batch in self._batches(lines, batch_size, generator):
                share = (time.perf_counter() - begin) / seconds
                if share >= 1:
                    self.reader.eval()
                    return seen / len(lines)
                for group in optimiser.param_groups:
                    group["lr"] = lr * min(1.0, 20 * share + 0.02) * 0.5 * (1 + math.cos(math.pi * share))
                said, steps = self.reader(batch.features, batch.sizes)
                wanted = [texts[place] for place in batch.places]
                lengths = torch.tensor([len(text) for text in wanted])
                loss = F.ctc_loss(said, torch.cat(wanted), steps, lengths, zero_infinity=True)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(self.reader.parameters(), 1.0)
                optimiser.step()
                seen += len(wanted)

    def _batches(self, lines: Lines, size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """A pass over all lines, varied; those of a batch are of about one length."""
        order = np.argsort(lines.lengths + generator.uniform(0, 40, len(lines)), kind="stable")
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        for number in generator.permutation(len(groups)):
            places = groups[number].tolist()
            turns = generator.normal(0, 0.1, len(places))
            sizes = np.exp(generator.normal(0, 0.1, len(places)))
            rows = [
                self.features(lines.points(place), *change)
                for place, *change in zip(places, turns.tolist(), sizes.tolist(), strict=True)
            ]
            yield _batch(rows, places)

    def read(self, points: Sequence[Points]) -> list[str]:
        """The text of each line, points [T, 3] in raw units."""
        texts = [""] * len(points)
        rows = [self.features(some) for some in points]
        order = np.argsort([len(row) for row in rows], kind="stable").tolist()
        with torch.no_grad():
            for at in range(0, len(order), 32):
                batch = _batch([rows[place] for place in order[at : at + 32]], order[at : at + 32])
                said, steps = self.reader(batch.features, batch.sizes)
                best = said.argmax(-1).T.tolist()
                for signs, count, place in zip(best, steps.tolist(), batch.places, strict=True):
                    texts[place] = self._text(signs[:count])
        return texts

    def _text(self, signs: Sequence[int]) -> str:
        kept = (sign for sign, before in zip(signs, [0, *signs], strict=False) if sign and sign != before)
        return "".join(self.alphabet[sign - 1] for sign in kept)


class Reading(NamedTuple):
    """How well some lines were read."""

    error: float  # characters to insert, delete or change, for each character asked for
    missed: Counter[str]  # characters that were read as another or not at all
    asked: Counter[str]

    def worst(self, count: int) -> str:
        """The characters with the most mistakes among those asked for, with their share."""
        most = sorted(self.missed, key=lambda sign: (-self.missed[sign], sign))[:count]
        return "  ".join(f"{sign!r} {self.missed[sign]}/{self.asked[sign]}" for sign in most)


def compare(asked: Sequence[str], read: Sequence[str]) -> Reading:
    """Hold what was read against what was asked for."""
    from nltk.metrics.distance import edit_distance, edit_distance_align

    missed: Counter[str] = Counter()
    wrong = 0
    for text, other in zip(asked, read, strict=True):
        wrong += edit_distance(text, other)
        met: set[int] = set()
        path = edit_distance_align(text, other)
        for before, here in itertools.pairwise(path):
            if here[0] > before[0] and here[1] > before[1] and text[here[0] - 1] == other[here[1] - 1]:
                met.add(here[0] - 1)
        missed.update(sign for place, sign in enumerate(text) if place not in met)
    return Reading(wrong / max(1, sum(map(len, asked))), missed, Counter("".join(asked)))


def trained(lines: Any, seconds: float) -> tuple[Recogniser, float]:
    """A reader trained on some lines for so long, and how many passes that was."""
    some = Lines.of(lines)
    made = Recogniser(some)
    return made, made.fit(some, seconds)


def _batch(rows: Sequence[NDArray[np.float32]], places: list[int]) -> Batch:
    sizes = [len(row) for row in rows]
    table = np.zeros((max(sizes), len(rows), FEATURES), np.float32)
    for at, row in enumerate(rows):
        table[: len(row), at] = row
    return Batch(torch.from_numpy(table), torch.tensor(sizes), places)
