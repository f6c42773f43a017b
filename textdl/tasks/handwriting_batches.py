"""Lines of handwriting as a network reads them: scaled, their characters as numbers, in batches of about one length.

Legend: N lines, B lines of a batch, T points of the longest one, U characters of the longest text, its end among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..models.mixture_density import log_prob
from ..strokes.drawing_layout import measure
from ..strokes.line import Line, Lines, Points, to_strokes
from ..strokes.resampling import evenly_all
from ..strokes.scaling import Scaling
from ..text.buckets import Ragged, by_size

#: Points, padding included, that an evaluation reads at once.
AT_ONCE = 16_384
#: Lines, about, whose letters are measured.
MEASURED = 500


class HandwritingBatch(NamedTuple):
    """Lines side by side; behind its own end each is padded."""

    points: Tensor  # [T, B, 3], scaled
    sizes: Tensor  # [B], points of each
    ids: Tensor  # [B, U]; [B, 0] where there is no text
    lengths: Tensor  # [B], characters of each


class Written(NamedTuple):
    """N lines that a model can read."""

    points: Points  # [P, 3] of all lines behind one another, scaled
    offsets: NDArray[np.int64]  # [N + 1]
    texts: Ragged
    left_out: int  # lines with characters that are not of the alphabet

    @property
    def sizes(self) -> NDArray[np.int64]:
        """[N], the points of each."""
        return np.diff(self.offsets)


def ids_of(text: str, alphabet: str) -> NDArray[np.int32]:
    """The characters of a text as their places in the alphabet, and behind them the end, the number after the last."""
    places = {character: place for place, character in enumerate(alphabet)}
    return np.array([*(places[character] for character in text), len(alphabet)], np.int32)


def step_of(lines: Lines, coarser: float) -> float | None:
    """``coarser`` times the mean step of some lines, in raw units; the first of each, always 0, does not count, nor do
    those of a pen at rest. None for 0, and where the pen does not move."""
    inside = np.ones(len(lines.deltas), bool)
    inside[lines.offsets[:-1]] = False
    lengths = np.hypot(*lines.deltas[inside].astype(np.float64).T)
    moved = lengths[lengths > 0]
    return coarser * float(moved.mean()) if coarser and len(moved) else None


def letters_of(lines: Lines) -> tuple[float, float, float]:
    """Heights of a small letter in raw units: one that few lines are below, the median, one that few are above."""
    some = lines[:: max(1, len(lines) // MEASURED)]
    heights = [measure(to_strokes(line.points)).letter for line in some]
    low, middle, high = map(float, np.quantile(heights, [0.01, 0.5, 0.99]))
    return low, middle, high


def stepped(lines: Sequence[Line], step: float | None) -> Sequence[Line]:
    """Lines with their strokes gone along in equal steps of about ``step`` raw units; as they are for None."""
    return lines if step is None else evenly_all(Lines.of(lines), step)


def read_written(lines: Sequence[Line], alphabet: str, scaling: Scaling, unconditional: bool) -> Written:
    """Lines as a model reads them; those with a character that is not of the alphabet are left out."""
    known = set(alphabet)
    kept = [line for line in lines if unconditional or known.issuperset(line.text)]
    points = [scaling.scaled(line.points) for line in kept]
    offsets = np.cumsum([0, *(len(some) for some in points)]).astype(np.int64)
    texts = Ragged.of([np.empty(0, np.int32) if unconditional else ids_of(line.text, alphabet) for line in kept])
    whole = np.concatenate([np.zeros((0, 3), np.float32), *points])
    return Written(whole, offsets, texts, len(lines) - len(kept))


def batch_of(
    written: Written, which: NDArray[np.int64], changes: NDArray[np.float32] | None = None
) -> HandwritingBatch:
    """Some lines as a batch.

    Args:
        changes: [B, 3] of each line, slant, and what its width and its height are multiplied by; None for none.
    """
    sizes = written.sizes[which]
    table = np.zeros((int(sizes.max()), len(which), 3), np.float32)
    inside = np.arange(len(table))[:, None] < sizes
    table[inside] = written.points[(written.offsets[which] + np.arange(len(table))[:, None])[inside]]
    if changes is not None:
        slant, wide, tall = changes.T
        table[..., 0] = wide * (table[..., 0] - slant * table[..., 1])  # y grows downwards: slanting to the right
        table[..., 1] *= tall
    ids = np.empty((len(which), 0), np.int64)
    lengths = np.zeros(len(which), np.int64)
    if len(written.texts.ids):
        columns, lengths = written.texts.padded(which, 0)
        ids = np.ascontiguousarray(columns.T)
    return HandwritingBatch(*(torch.from_numpy(array) for array in (table, sizes, ids, lengths)))


def drawn_changes(
    generator: np.random.Generator, number: int, slant: float, stretch: float
) -> NDArray[np.float32] | None:
    """For so many lines another slant, width and height each [B, 3]; None where none is wanted."""
    if not slant and not stretch:
        return None
    noise = generator.standard_normal((number, 3)) * (slant, stretch, stretch)
    noise[:, 1:] = np.exp(noise[:, 1:])
    return noise.astype(np.float32)


def line_nats(model: nn.Module, batch: HandwritingBatch) -> Tensor:
    """Minus the log-density of each line, in nats [B]: of all its points but the first, which is where it begins."""
    conditional = batch.ids.shape[1] > 0
    said, _ = model(batch.points[:-1], *((batch.ids, batch.lengths) if conditional else ()))
    each = log_prob(said, batch.points[1:])  # [T - 1, B]
    steps = torch.arange(1, len(batch.points), device=each.device).unsqueeze(-1)
    return -torch.where(steps < batch.sizes, each, 0.0).sum(0)


def line_by_line(model: nn.Module, written: Written) -> NDArray[np.float64]:
    """:func:`line_nats` of all N lines, [N], in evaluation and float32."""
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    nats = np.zeros(len(written.sizes))
    with torch.no_grad():
        for which in by_size(written.sizes, AT_ONCE):
            batch = HandwritingBatch(*(tensor.to(device) for tensor in batch_of(written, which)))
            nats[which] = line_nats(model, batch).double().cpu().numpy()
    model.train(was_training)
    return nats


def first_of(written: Written, points: int | None) -> Written:
    """The first lines with about so many points together, at least one; all of them for None."""
    if points is None or not len(written.sizes):
        return written
    number = max(1, int(np.searchsorted(written.offsets[1:], points, "right")))
    texts = Ragged(written.texts.ids, written.texts.starts[: number + 1])
    return Written(written.points, written.offsets[: number + 1], texts, written.left_out)


def figures_of(nats: NDArray[np.float64], sizes: NDArray[np.int64], scaling: Scaling) -> dict[str, float]:
    """Figures of lines whose nats [N] are known, in scaled units and in the corpus's raw ones."""
    predicted = int((sizes - 1).sum())
    a_point = float(nats.sum()) / predicted
    a_line = predicted / len(sizes)
    raw = a_point + scaling.raw_nats
    return {
        "nats_per_point": a_point,
        "nats_per_sequence": a_point * a_line,
        "raw_nats_per_point": raw,
        "raw_nats_per_sequence": raw * a_line,
    }
