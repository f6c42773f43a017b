"""Several processes that train one model together, as ``torchrun`` starts them (torch's DistributedDataParallel)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Shard:
    """Which part of every batch is this process's: number ``rank`` of ``of`` equal ones."""

    rank: int = 0
    of: int = 1


WHOLE = Shard()

#: How long a process waits for the others; the first one alone evaluates and reads, which may take its time.
_PATIENCE = timedelta(hours=4)


class Processes:
    """This process among those of the training; alone, everything here does nothing.

    Small facts go through gloo on the CPU, gradients through nccl where they are on GPUs.
    """

    def __init__(self, shard: Shard = WHOLE, local: int = 0) -> None:
        self.shard, self.local = shard, local

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.shard.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there is no other."""
        return self.shard.of == 1

    def wait(self) -> None:
        """Go on when all have come here."""
        if not self.alone:
            self.total([0.0])

    def total(self, values: Sequence[float]) -> list[float]:
        """The sums over all processes."""
        if self.alone:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor)
        return [float(value) for value in tensor]

    def told(self, values: Sequence[float]) -> list[float]:
        """The values that the first process has."""
        if self.alone:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.broadcast(tensor, 0)
        return [float(value) for value in tensor]

    def figures(self, figures: dict[str, float]) -> dict[str, float]:
        """The figures that the first process has; the others bring none of their own."""
        if self.alone:
            return figures
        names = _told_bytes("\n".join(figures).encode()).decode().split("\n")
        values = self.told([figures.get(name, 0.0) for name in names])
        return {name: value for name, value in zip(names, values, strict=True) if name}

    def gathered(self, array: np.ndarray) -> list[np.ndarray]:
        """The arrays of all processes, which have one shape, by their rank."""
        if self.alone:
            return [array]
        own = torch.from_numpy(np.ascontiguousarray(array))
        every = [torch.empty_like(own) for _ in range(self.shard.of)]
        dist.all_gather(every, own)
        return [tensor.numpy() for tensor in every]

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model, its gradients from now on the mean over the processes."""
        if self.alone:
            return model
        ids = [device] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=ids)


def _told_bytes(text: bytes) -> bytes:
    length = torch.tensor([len(text)])
    dist.broadcast(length, 0)
    content = torch.zeros(int(length), dtype=torch.uint8)
    if dist.get_rank() == 0:
        content = torch.tensor(list(text), dtype=torch.uint8)
    dist.broadcast(content, 0)
    return bytes(content.tolist())


@contextlib.contextmanager
def joined() -> Iterator[Processes]:
    """Join the other processes of the training, if ``torchrun`` has started any."""
    of = int(os.environ.get("WORLD_SIZE", "1"))
    if of == 1 or "RANK" not in os.environ or dist.is_initialized():
        yield Processes()
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Processes(Shard(dist.get_rank(), of), int(os.environ.get("LOCAL_RANK", "0")))
    finally:
        dist.destroy_process_group()
