"""Batches on their way to the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor


def fed(batches: Iterable[Any], device: torch.device) -> Iterator[Any]:
    """The batches on the device; to a GPU the next one is copied, from pinned memory, while this one is worked on."""
    if device.type != "cuda":
        for batch in batches:
            yield _each(batch, lambda tensor: tensor.to(device))
        return
    copying, waiting = torch.cuda.Stream(device), None
    for batch in batches:
        with torch.cuda.stream(copying):
            moved = _each(batch, lambda tensor: tensor.pin_memory().to(device, non_blocking=True))
        if waiting is not None:
            yield waiting
        torch.cuda.current_stream(device).wait_stream(copying)
        waiting = _each(moved, _used_here)
    if waiting is not None:
        yield waiting


def _used_here(tensor: Tensor) -> Tensor:
    """Keep the memory of a tensor that another stream has filled until this stream is done with it."""
    tensor.record_stream(torch.cuda.current_stream(tensor.device))
    return tensor


def _each(batch: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The batch, a tensor or a (named) tuple of such, with each tensor changed."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, tuple):
        parts = [_each(part, change) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    return batch
