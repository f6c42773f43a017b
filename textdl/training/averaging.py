"""Averages of the weights over a training, to be used in their place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

#: What a batch normalisation knows of the pictures that it has seen.
STATISTICS = ("running_mean", "running_var")


class Average:
    """An average of a model's weights, and of the statistics that its batch normalisation has gathered, without which
    they would be those of other weights; its other buffers are left as they are.

    ``ema``: a moving average that forgets exponentially (Polyak & Juditsky 1992), ``a ← d a + (1 − d) w`` after each
    step, with ``d = min(ema, (1 + n) / (10 + n))`` at step n, so that the first steps, which are far off, are soon
    forgotten. ``swa``: the plain mean of the weights after each step of the last ``swa`` of the training (Izmailov et
    al. 2018). With neither, everything here does nothing.
    """

    def __init__(self, model: nn.Module, ema: float = 0.0, swa: float = 0.0) -> None:
        statistics = [buffer for name, buffer in model.named_buffers() if name.rpartition(".")[2] in STATISTICS]
        self._weights: list[Tensor] = [p.detach() for p in model.parameters() if p.is_floating_point()] + statistics
        self._ema, self._swa, self.count = ema, swa, 0
        self._average: list[Tensor] = []

    @torch.no_grad()
    def update(self, share: float) -> None:
        """Take in the weights as they are after a step, when ``share`` of the training is done."""
        if not self._ema and not (self._swa and share > 1 - self._swa):
            return
        if not self._average:
            self._average = [w.clone() for w in self._weights]
        keep = min(self._ema, (1 + self.count) / (10 + self.count)) if self._ema else self.count / (self.count + 1)
        torch._foreach_lerp_(self._average, self._weights, 1 - keep)
        self.count += 1

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The model with the average in place of its weights."""
        if not self._average:
            yield
            return
        own = [w.clone() for w in self._weights]
        torch._foreach_copy_(self._weights, self._average)
        try:
            yield
        finally:
            torch._foreach_copy_(self._weights, own)

    def stay(self) -> None:
        """Put the average into the model for good."""
        if self._average:
            torch._foreach_copy_(self._weights, self._average)
            self._average = []

    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps."""
        return {f"average.{number}": tensor.cpu().numpy() for number, tensor in enumerate(self._average)}

    def restore(self, arrays: Mapping[str, np.ndarray], count: int) -> None:
        """Put back what :meth:`arrays` gave, after ``count`` updates."""
        found = [arrays[f"average.{n}"] for n in range(len(self._weights)) if f"average.{n}" in arrays]
        self._average = [torch.from_numpy(a).to(w.device) for a, w in zip(found, self._weights, strict=False)]
        self.count = count
