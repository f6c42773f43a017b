"""What becomes of the outputs of all time steps: one vector a text. Padding is never seen.

Legend: T time steps, B texts, H width of an output.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

POOLINGS = ("max", "mean", "last", "attention", "all")


class Pooling(nn.Module):
    """``forward(y [T, B, H], mask [T, B, 1]) -> [B, W]``.

    "max" and "mean" go over the time steps of a text, "last" is its last one (of a layer that also reads backwards: the
    last it read in either direction). "attention" is a weighted mean, the weights a softmax of ``v · tanh(W y + b)``
    (Lin et al. 2017, "A structured self-attentive sentence embedding", with one hop). "all" is last, max and mean side
    by side (the concat pooling of Howard & Ruder 2018).

    Args:
        kind: one of :data:`POOLINGS`.
        width: H.
        halves: whether the second half of an output has been read backwards.
    """

    def __init__(self, kind: str, width: int, halves: bool = False) -> None:
        super().__init__()
        self.kind, self.halves = kind, halves
        self.width = 3 * width if kind == "all" else width  # W
        self.hidden = nn.Linear(width, width) if kind == "attention" else None
        self.vote = nn.Linear(width, 1, bias=False) if kind == "attention" else None

    def forward(self, y: Tensor, mask: Tensor) -> Tensor:
        if self.kind == "attention":
            return (self.attention(y, mask) * y).sum(0)
        if self.kind == "all":
            return torch.cat([self._pooled(kind, y, mask) for kind in ("last", "max", "mean")], dim=-1)
        return self._pooled(self.kind, y, mask)

    def attention(self, y: Tensor, mask: Tensor) -> Tensor:
        """The weights of the time steps: [T, B, 1], a sum of 1 over those of a text."""
        assert self.hidden is not None
        assert self.vote is not None
        scores: Tensor = self.vote(torch.tanh(self.hidden(y))).float()
        return F.softmax(scores.masked_fill(~mask, -torch.inf), dim=0).to(y.dtype)

    def _pooled(self, kind: str, y: Tensor, mask: Tensor) -> Tensor:
        if kind == "max":
            return y.masked_fill(~mask, -torch.inf).amax(0)
        counts = mask.sum(0)  # [B, 1]
        if kind == "mean":
            return torch.where(mask, y, 0).sum(0) / counts
        last = y.gather(0, (counts - 1).unsqueeze(0).expand(1, -1, y.shape[-1])).squeeze(0)
        if not self.halves:
            return last
        half = y.shape[-1] // 2
        return torch.cat([last[:, :half], y[0, :, half:]], dim=-1)
