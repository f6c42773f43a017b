"""The plain torch programs that textdl is measured against.

They are written as their best user would write them: fused layers, fused optimiser, the same precision, threads and
batch, nothing computed that is not needed. Never slowed down.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: The layers that torch has.
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


@dataclass
class Peer:
    """A character model of torch's own parts."""

    embedding: nn.Embedding
    layer: nn.Module
    output: nn.Linear

    @classmethod
    def make(cls, vocabulary: int, embedding: int, hidden: int, layers: int = 1, cell: str = "lstm") -> Peer:
        layer = CELLS[cell](embedding, hidden, layers)
        return cls(nn.Embedding(vocabulary, embedding), layer, nn.Linear(hidden, vocabulary))

    def parameters(self) -> list[Tensor]:
        return [*self.embedding.parameters(), *self.layer.parameters(), *self.output.parameters()]

    def forward(self, ids: Tensor, state: object) -> tuple[Tensor, object]:
        y, state = self.layer(self.embedding(ids), state)
        return self.output(y), state


def lanes(ids: np.ndarray, batch: int) -> Tensor:
    """The text in ``batch`` columns, [N / B, B]."""
    size = len(ids) // batch
    return torch.from_numpy(ids[: size * batch].astype(np.int64)).view(batch, size).t().contiguous()


def detached(state: object) -> object:
    return (
        tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach() if state is not None else None
    )


def train(
    peer: Peer,
    ids: np.ndarray,
    *,
    batch: int,
    length: int,
    lr: float,
    precision: torch.dtype,
    seconds: float | None = None,
    steps: int | None = None,
    beta2: float = 0.99,
    clip: float = 1.0,
) -> tuple[int, float]:
    """Truncated back-propagation through time with Adam, warm-up and a cosine; returns steps and seconds."""
    optimizer = torch.optim.Adam(peer.parameters(), lr, betas=(0.9, beta2), fused=True)
    text, at, state, done = lanes(ids, batch), 0, None, 0
    parameters, start = peer.parameters(), time.perf_counter()
    while True:
        share = done / steps if steps else (time.perf_counter() - start) / (seconds or 1)
        if share >= 1:
            return done, time.perf_counter() - start
        rate = lr * min(1.0, (share + 1e-3) / 0.02) * (1 + math.cos(math.pi * share)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        if at + length + 1 > len(text):
            at, state = 0, None
        inputs, targets = text[at : at + length], text[at + 1 : at + length + 1]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            logits, state = peer.forward(inputs, detached(state))
        loss = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        at, done = at + length, done + 1


@torch.no_grad()
def bits_per_token(forward: Callable[[Tensor, object], tuple[Tensor, object]], ids: np.ndarray) -> float:
    """Cross-entropy on a text in 64 lanes, in float32."""
    text, state, total, count = lanes(ids, 64), None, 0.0, 0
    for at in range(0, len(text) - 1, 256):
        inputs, targets = text[at : at + 256], text[at + 1 : at + 257]
        inputs = inputs[: len(targets)]
        logits, state = forward(inputs, state)
        total += float(F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum"))
        count += targets.numel()
    return total / count / math.log(2)


@torch.no_grad()
def generate(peer: Peer, start: int, length: int, temperature: float = 1.0) -> list[int]:
    """One character after the other, as everybody's char-rnn does it."""
    ids, state = [start], None
    step = torch.tensor([[start]])
    for _ in range(length):
        logits, state = peer.forward(step, state)
        step = torch.multinomial(F.softmax(logits[0] / temperature, dim=-1), 1)
        ids.append(int(step))
    return ids
