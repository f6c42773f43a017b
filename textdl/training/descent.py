"""One step of gradient descent: forward, backward, clip, update."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from .averaging import Average
from .checkpoint import restore_tensors, tensors_of
from .config import TrainConfig
from .gradient_task import GradientTask, Layer, Loss
from .optimizers import add_penalties, clip, make_optimizer, set_pace, thaw
from .processes import Processes
from .state import TrainingState


class Descent:
    """A model on its device with all that changes it: the optimiser, the scaler of float16, the average."""

    def __init__(
        self,
        task: GradientTask,
        config: TrainConfig,
        device: torch.device,
        precision: torch.dtype,
        processes: Processes,
    ) -> None:
        self.task, self.config, self.device, self.precision = task, config, device, precision
        self.model = task.model.to(device)
        self.parameters = list(self.model.parameters())
        layers = task.layers(self.model) if hasattr(task, "layers") else [Layer(self.parameters)]
        self._gradual = any(layer.start for layer in layers)
        self.optimizer = make_optimizer(layers, config)
        self.average = Average(self.model, config.ema, config.swa)
        # float16 has few exponents: gradients are scaled up before they are rounded (Micikevicius et al. 2018)
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)  # type: ignore[attr-defined]
        self._processes = processes
        self._forward = processes.wrap(self.model, device)

    def autocast(self) -> torch.autocast:
        """The precision of the forward pass, as a context."""
        return torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32)

    def step(
        self, batches: Iterator[Any], state: TrainingState, lr: float, momentum: float | None, share: float
    ) -> None:
        """One step, from as many batches as gradients are accumulated over; ``share`` of the training is then done."""
        config, number = self.config, self.config.accumulate
        simple = number == 1 and self._processes.alone
        if self._gradual and self._processes.alone:  # several processes wait for the gradients of all parameters
            thaw(self.optimizer, share)
        for parameter in self.parameters:  # as zero_grad does, which also writes itself down for a profiler
            parameter.grad = None
        units = 0.0
        for left in reversed(range(number)):
            with contextlib.nullcontext() if left == 0 else self._unsynced():
                loss = self._loss(next(batches), state)
                # The gradient is that of the mean over all units of the step, in whichever batch or process they are.
                self._scaler.scale(loss.mean if simple else loss.mean * loss.units).backward()
            units += loss.units
        if self._scaler.is_enabled():
            self._scaler.unscale_(self.optimizer)
        if not simple:
            (units,) = self._processes.total([units])
            gradients = [p.grad for p in self.parameters if p.grad is not None]
            torch._foreach_mul_(gradients, self._processes.shard.of / units)
        if config.l1 or config.l2:
            add_penalties(self.parameters, config.l1, config.l2)
        clip(self.parameters, config.clip, config.clip_value)
        set_pace(self.optimizer, lr, momentum, share)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.average.update(share)
        state.step, state.units = state.step + 1, state.units + round(units)

    def _loss(self, batch: Any, state: TrainingState) -> Loss:
        with self.autocast():
            loss = self.task.loss(self._forward, batch, state.carry)
        state.carry = loss.carry
        read = loss.mean if loss.reported is None else loss.reported
        state.losses.append((read.detach(), loss.units))  # on its device: reading it here would make a GPU wait
        return loss

    def _unsynced(self) -> Any:
        """Gradients that stay in this process until the last batch of a step."""
        return contextlib.nullcontext() if self._processes.alone else cast(Any, self._forward).no_sync()

    def compile(self, batch: Any, tell: Callable[[str], None]) -> None:
        """Compile the model if that works here, which one batch shows; the try changes nothing of the training."""
        before = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        devices = [self.device] if self.device.type == "cuda" else []
        plain, mode = self._forward, "reduce-overhead" if self.device.type == "cuda" else "default"
        # A recurrent layer is one fused kernel already; compiled, it would be unrolled into a step after the other.
        fused = [module for module in self.model.modules() if isinstance(module, nn.RNNBase)]
        try:
            for module in fused:
                module.forward = torch.compiler.disable(module.forward)  # type: ignore[method-assign]
            self._forward = cast(nn.Module, torch.compile(plain, mode=mode))  # on CUDA by way of CUDA graphs
            with torch.random.fork_rng(devices):
                self._loss(batch, TrainingState()).mean.backward()
        except Exception as error:
            self._forward = plain
            for module in fused:
                module.__dict__.pop("forward", None)
            reason = str(error).strip().splitlines() or [type(error).__name__]
            tell(f"torch.compile does not work here ({reason[0][:120]}); training goes on without it")
        self.optimizer.zero_grad(set_to_none=True)
        self.model.load_state_dict(before)

    def saved(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All of it as arrays and plain values, for a checkpoint."""
        arrays, plain = tensors_of(self.model, self.optimizer)
        facts = {"optimizer": plain, "scaler": self._scaler.state_dict(), "averaged": self.average.count}
        return {**arrays, **self.average.arrays()}, facts

    def restore(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Put back what :meth:`saved` gave.

        Raises:
            RunError: it is of another model.
        """
        restore_tensors(arrays, facts["optimizer"], self.model, self.optimizer)
        self.average.restore(arrays, facts["averaged"])
        if facts["scaler"]:
            self._scaler.load_state_dict(facts["scaler"])
