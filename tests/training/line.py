"""A task small enough to work by hand."""

from __future__ import annotations

import math

import torch
from torch import nn

from textdl.training.trainer import Loss


class Line:
    """Fit y = 3 x - 1 from four points a batch; counts what the trainer asks of it."""

    title, unit, facts = "a line", "point", {"points": 20}
    watched, higher_is_better = "validation_loss", False

    def __init__(self, batches=5, poison_at=None):
        torch.manual_seed(0)
        self.model: nn.Module = nn.Linear(1, 1)
        self.number, self.poison_at, self.seen, self.carries = batches, poison_at, [], []

    def steps_per_epoch(self):
        return self.number

    def batches(self, split, epoch, start=0):
        for n in range(start, self.number):
            self.seen.append((epoch, n))
            yield torch.linspace(-1, 1, 4).unsqueeze(1) + 0.1 * n

    def loss(self, model, batch, carry):
        self.carries.append(carry)
        error = (model(batch) - (3 * batch - 1)).square().mean()
        if self.poison_at == len(self.seen):
            error = error * math.nan
        return Loss(error, len(batch), torch.tensor(float(len(self.seen))))

    def figures(self, mean_loss):
        return {"loss": mean_loss}

    def settle(self, model):
        self.settled = float(model.weight.detach())

    def metrics(self, model, at_most):
        return {"validation_loss": float((model.weight - 3).abs())}

    def sample(self, model):
        return f"y = {float(model.weight.detach()):.1f} x"
