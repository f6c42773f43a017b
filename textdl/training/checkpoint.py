"""Checkpoints: all that a training needs to go on as if it had never been stopped.

A checkpoint is one file, ``resume/step-00001200.safetensors``: tensors, and beside them a table of plain values, under
one digest. It is written whole or not at all, so that a process may be killed at any moment.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from .. import artifact
from ..errors import RunError

_NAME = re.compile(r"step-(\d+)\.safetensors")


class Log(Protocol):
    """A file of lines that grows while training."""

    def mark(self) -> int:
        """Bring what was written to the disk; returns its length in bytes."""

    def rewind(self, length: int) -> None:
        """Cut off what was written since ``mark`` gave ``length``."""


@dataclass
class Checkpoints:
    """The checkpoints of one run.

    Attributes:
        folder: where they lie; made when the first one is written.
        keep: how many of the last ones stay.
        steps: one after so many steps, or None.
        minutes: one after so many minutes of training, or None.
        log: goes back with the training when it resumes.
        tell: is told, in words, of a checkpoint that can not be used.
    """

    folder: Path
    keep: int = 2
    steps: int | None = None
    minutes: float | None = 1.0
    log: Log | None = None
    tell: Callable[[str], None] = field(default=lambda text: None)
    _last: float = field(default_factory=time.monotonic)

    def due(self, step: int) -> bool:
        """Whether it is time for one after this step."""
        by_steps = self.steps is not None and step % self.steps == 0
        return by_steps or (self.minutes is not None and time.monotonic() - self._last >= 60 * self.minutes)

    def save(self, step: int, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Write one, then remove those that are no longer among the last.

        Raises:
            RunError: no space left, or the folder can not be written; those that were there still are.
        """
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"{self.folder} can not be made ({error.strerror}); give another --out") from error
        length = self.log.mark() if self.log is not None else 0
        artifact.save_arrays(self.folder / f"step-{step:08d}.safetensors", arrays, {**facts, "log": length})
        for path in self._paths()[self.keep :]:
            path.unlink(missing_ok=True)
        self._last = time.monotonic()

    def latest(self) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """The newest whole one, its log rewound to that moment; None if there is none, the log then empty."""
        for path in self._paths():
            try:
                arrays, facts = artifact.load_arrays_and_facts(path)
            except RunError as error:
                self.tell(f"{error.args[0].split(';')[0]}; going on from the checkpoint before it")
                path.unlink(missing_ok=True)
                continue
            if self.log is not None:
                self.log.rewind(int(facts["log"]))
            return arrays, facts
        if self.log is not None:
            self.log.rewind(0)
        return None

    def at(self, step: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The one after this step, read only: for the processes beside the first, which has just read it."""
        return artifact.load_arrays_and_facts(self.folder / f"step-{step:08d}.safetensors")

    def discard(self) -> None:
        """Remove them all: the training is over."""
        for path in self._paths():
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _paths(self) -> list[Path]:
        """Those that are there, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [(int(match[1]), path) for path in self.folder.iterdir() if (match := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(found, reverse=True)]


class Best:
    """The best model so far by the watched figure, apart from the last one: in a file, or in memory without a path."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._arrays: dict[str, np.ndarray] | None = None

    def save(self, model: nn.Module, step: int, figures: Mapping[str, float]) -> None:
        """Keep the model as it is.

        Raises:
            RunError: no space left, or the folder can not be written; the one before it still is.
        """
        if self._path is None:
            self._arrays = {name: array.copy() for name, array in weights_of(model).items()}
        else:
            artifact.save_arrays(self._path, weights_of(model), {"step": step, "figures": dict(figures)})

    def load(self, model: nn.Module) -> None:
        """Put it back into the model."""
        arrays = self._arrays if self._path is None else artifact.load_arrays(self._path)
        assert arrays is not None, "nothing was kept"
        with torch.no_grad():
            for name, tensor in _own_tensors(model).items():
                tensor.copy_(torch.from_numpy(np.array(arrays[name])))


def weights_of(model: nn.Module) -> dict[str, np.ndarray]:
    """Weights and buffers in float32, as a run folder holds them; a shared one once (no alias is stored)."""
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in _own_tensors(model).items()}


def put_weights(model: nn.Module, arrays: Mapping[str, np.ndarray]) -> bool:
    """Put arrays of :func:`weights_of` into the model; False when they are not those of such a model."""
    own = _own_tensors(model)
    if {name: array.shape for name, array in arrays.items()} != {name: tuple(t.shape) for name, t in own.items()}:
        return False
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, strict=False)
    return True


def _own_tensors(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def tensors_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Weights, buffers and the optimiser's memory as arrays; the optimiser's plain values."""
    arrays = {f"model.{name}": _array(tensor) for name, tensor in model.state_dict().items()}
    plain: dict[str, dict[str, Any]] = {}
    for number, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                arrays[f"optimizer.{number}.{name}"] = _array(value)
            elif value is not None:
                plain.setdefault(str(number), {})[name] = value
    return arrays, plain


def restore_tensors(
    arrays: Mapping[str, np.ndarray], plain: Mapping[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Put back what :func:`tensors_of` gave.

    Raises:
        RunError: the checkpoint is of a model of another shape.
    """
    own = model.state_dict()
    weights = {name.removeprefix("model."): array for name, array in arrays.items() if name.startswith("model.")}
    if {name: array.shape for name, array in weights.items()} != {name: tuple(t.shape) for name, t in own.items()}:
        raise RunError("the checkpoint does not fit the model of this run; it is from another one")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(torch.from_numpy(weights[name]))
    table = optimizer.state_dict()
    table["state"] = {int(number): dict(values) for number, values in plain.items()}
    for name, array in arrays.items():
        if name.startswith("optimizer."):
            _, number, part = name.split(".", 2)
            table["state"].setdefault(int(number), {})[part] = torch.from_numpy(array)
    optimizer.load_state_dict(table)


def random_states(device: torch.device) -> dict[str, np.ndarray]:
    """The state of every random generator that a training on this device draws from, in this process."""
    states = {"random.cpu": torch.get_rng_state().numpy()}
    if device.type == "cuda":
        states["random.cuda"] = torch.cuda.get_rng_state(device).numpy()
    return states


def restore_random(states: Mapping[str, np.ndarray], device: torch.device) -> None:
    """Put back what :func:`random_states` gave; a generator that was not used then is left as it is."""
    torch.set_rng_state(torch.from_numpy(states["random.cpu"]))
    if device.type == "cuda" and "random.cuda" in states:
        torch.cuda.set_rng_state(torch.from_numpy(states["random.cuda"]), device)


def _array(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().cpu().numpy()
    return array
