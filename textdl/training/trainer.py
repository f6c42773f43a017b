"""The one training loop. It alone owns device, precision, clipping, seeds and the state of a training."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..errors import TrainingError
from .checkpoint import Checkpoints, restore_tensors, tensors_of
from .config import TrainConfig
from .device import pick_device, pick_precision
from .events import Evaluated, Event, Observer, Progress, Report, Started
from .schedule import cosine

#: A ``Progress`` event follows each of the first steps, then one step in so many: by count, never by the clock,
#: so that two runs of one seed write the same lines.
EARLY_STEPS, STEPS_PER_PROGRESS = 5, 20


@dataclass(frozen=True)
class Loss:
    """What a task makes of a batch.

    Attributes:
        mean: the loss to go down, a scalar, mean over the batch's units (nats a token).
        units: predictions in the batch (tokens), the unit of speed.
        carry: what the next batch starts from (a recurrent state, detached), or None.
    """

    mean: Tensor
    units: int
    carry: Tensor | None = None


class GradientTask(Protocol):
    """What the trainer asks of a task."""

    model: nn.Module
    title: str
    unit: str
    facts: dict[str, str | int]

    def steps_per_epoch(self) -> int:
        """Batches of one pass over the training split."""

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterable[Any]:
        """The batches of a pass from number ``start`` on, in an order that seed and epoch alone decide, on the CPU."""

    def loss(self, model: nn.Module, batch: Any, carry: Tensor | None) -> Loss:
        """The loss of a batch; ``carry`` is that of the batch before it in the same pass."""

    def figures(self, mean_loss: float) -> dict[str, float]:
        """What people read in a mean training loss (bits per character)."""

    def settle(self, model: nn.Module) -> None:
        """Work out what inference needs beside the weights; called without gradients before each evaluation."""

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Figures on held-out data, of at most so many units."""

    def sample(self, model: nn.Module) -> str:
        """A short piece of the model's work, or an empty string. Must not draw from torch's global generator."""


@dataclass
class TrainingState:
    """Everything that changes while training, beside the weights, the optimiser's memory and the random generators."""

    step: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch that are done
    units: int = 0
    seconds: float = 0.0  # used before this process began
    evaluations: int = 0
    carry: Tensor | None = None
    figures: dict[str, float] = field(default_factory=dict)
    losses: list[tuple[Tensor | float, int]] = field(default_factory=list)  # mean and units, since the last progress

    def facts(self, seconds: float) -> dict[str, Any]:
        """All but the carry, as plain values."""
        losses = [(float(mean), units) for mean, units in self.losses]
        return {**vars(self), "seconds": seconds, "losses": losses, "carry": None}


class Trainer:
    """``Trainer(config).fit(task, observers) -> Report``."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.device = pick_device(config.device)
        self.precision = pick_precision(config.precision, self.device)

    def fit(
        self,
        task: GradientTask,
        observers: Sequence[Observer] = (),
        save: Callable[[Report], None] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Report:
        """Train ``task.model`` in place, from the last checkpoint if there is one.

        Args:
            task: gives the batches and the loss.
            observers: each is called with every event.
            save: called after each evaluation and at the end, to put the model as it is into the run folder.
            checkpoints: where the state of the training is kept, or None to keep it nowhere.

        Raises:
            TrainingError: the loss is no longer a number; what was saved last stays as it is.
        """
        config, state, model = self.config, TrainingState(), task.model.to(self.device)
        torch.manual_seed(config.seed)
        optimizer = self._optimizer(model)
        if checkpoints is not None:
            self._restore(checkpoints, model, optimizer, state)
        clock, speed = Clock(config, task.steps_per_epoch(), state), Speed(state)
        self._tell(observers, Started(task.title, self._facts(task), clock.steps, task.unit, state.step))
        with _threads(config.threads), _stop_on_signal() as stop:
            model.train()
            for batch in self._stream(task, state):
                rate = cosine(clock.share(state.step + 1), config.lr, config.warmup, config.final_lr)
                self._step(task, model, optimizer, batch, state, rate)
                share = clock.share(state.step)
                over = share >= 1 or stop.is_set()
                if stop.is_set() and checkpoints is not None:
                    self._checkpoint(checkpoints, model, optimizer, state, clock, rate)
                if state.step <= EARLY_STEPS or state.step % STEPS_PER_PROGRESS == 0 or over:
                    state.figures = task.figures(_mean(state, rate))
                    self._tell(observers, self._progress(state, clock, share, rate, speed))
                    state.losses, speed = [], Speed(state)
                if over:
                    break
                with speed.paused():
                    if clock.evaluation_due(share, state):
                        _mean(state, rate)  # refuses a loss gone wrong also where no held-out figure would show it
                        self._evaluate(task, model, state, clock, observers, save)
                    if checkpoints is not None and checkpoints.due(state.step):
                        self._checkpoint(checkpoints, model, optimizer, state, clock, rate)
        ended = "finished" if share >= 1 else "interrupted"
        self._evaluate(task, model, state, clock, observers, None)
        report = self._report(ended, state, clock)
        self._tell(observers, report)
        if save is not None:
            save(report)  # after the last line of the log: what is saved as finished is whole
        if checkpoints is not None and ended == "finished":
            checkpoints.discard()
        return report

    def _stream(self, task: GradientTask, state: TrainingState) -> Iterator[Any]:
        """Batches without end, pass after pass; a new pass starts without a carry."""
        while True:
            for batch in task.batches("train", state.epoch, state.batch):
                state.batch += 1
                yield _to(batch, self.device)
            if state.batch == 0:
                raise TrainingError("the training split gives no batch; use more text or a smaller --batch-size")
            state.epoch, state.batch, state.carry = state.epoch + 1, 0, None

    def _checkpoint(
        self,
        checkpoints: Checkpoints,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        state: TrainingState,
        clock: Clock,
        rate: float,
    ) -> None:
        """Keep everything as it is between two steps; a model gone wrong is never kept."""
        _mean(state, rate)
        arrays, plain = tensors_of(model, optimizer)
        if state.carry is not None:
            arrays["carry"] = state.carry.float().cpu().numpy()
        checkpoints.save(state.step, arrays, {"state": state.facts(clock.seconds()), "optimizer": plain})

    def _restore(
        self, checkpoints: Checkpoints, model: nn.Module, optimizer: torch.optim.Optimizer, state: TrainingState
    ) -> None:
        """Go back to the last checkpoint, if there is one."""
        found = checkpoints.latest()
        if found is None:
            return
        arrays, facts = found
        with torch.no_grad():
            restore_tensors(arrays, facts["optimizer"], model, optimizer)
        for name, value in facts["state"].items():
            setattr(state, name, value)
        state.losses = [(mean, units) for mean, units in state.losses]
        state.carry = torch.from_numpy(arrays["carry"]).to(self.device) if "carry" in arrays else None

    def _step(
        self,
        task: GradientTask,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        batch: Any,
        state: TrainingState,
        rate: float,
    ) -> None:
        """Forward, backward, clip, update."""
        with self.autocast():
            loss = task.loss(model, batch, state.carry)
        optimizer.zero_grad(set_to_none=True)
        loss.mean.backward()
        nn.utils.clip_grad_norm_(model.parameters(), self.config.clip)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        state.step, state.units, state.carry = state.step + 1, state.units + loss.units, loss.carry
        state.losses.append((loss.mean.detach(), loss.units))  # on its device: reading it here would make a GPU wait

    def autocast(self) -> torch.autocast:
        """The precision of the forward pass, as a context."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16)

    def _optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        config = self.config
        betas = (config.beta1, config.beta2)
        return torch.optim.AdamW(
            model.parameters(),
            config.lr,
            betas,
            weight_decay=config.weight_decay,
            fused=self.device.type != "mps",
        )

    def _evaluate(
        self,
        task: GradientTask,
        model: nn.Module,
        state: TrainingState,
        clock: Clock,
        observers: Sequence[Observer],
        save: Callable[[Report], None] | None,
    ) -> None:
        """Figures on held-out data, then the model into the run folder; a model gone wrong is never saved."""
        model.eval()
        with torch.no_grad():
            task.settle(model)
        with torch.no_grad(), self.autocast():
            figures = task.metrics(model, self.config.evaluate_at_most)
        for value in figures.values():
            _refuse_nan(value, state.step, self.config.lr)
        with torch.no_grad():
            sample = task.sample(model)
        model.train()
        state.figures |= figures
        if save is not None:
            save(self._report("running", state, clock))
        self._tell(observers, Evaluated(state.step, clock.epoch(state.step), figures, sample, clock.seconds()))

    def _report(self, ended: str, state: TrainingState, clock: Clock) -> Report:
        return Report(ended, state.step, clock.epoch(state.step), clock.seconds(), state.units, dict(state.figures))

    def _progress(self, state: TrainingState, clock: Clock, share: float, rate: float, meter: Speed) -> Progress:
        seconds = clock.seconds()
        left = seconds * (1 - share) / share if share > 0 else math.inf
        speed = meter.units_per_s(state)
        return Progress(state.step, clock.epoch(state.step), share, dict(state.figures), rate, speed, seconds, left)

    def _facts(self, task: GradientTask) -> dict[str, str | int]:
        precision = str(self.precision).removeprefix("torch.")
        weights = sum(p.numel() for p in task.model.parameters())
        return {**task.facts, "parameters": weights, "device": f"{self.device}, {precision}"}

    @staticmethod
    def _tell(observers: Sequence[Observer], event: Event) -> None:
        for observer in observers:
            observer(event)


class Clock:
    """How far a training is: by steps, by minutes, or by whichever comes first."""

    def __init__(self, config: TrainConfig, steps_per_epoch: int, state: TrainingState) -> None:
        self.steps_per_epoch, self.minutes = max(steps_per_epoch, 1), config.minutes
        self.steps = config.steps
        if config.steps is None and config.minutes is None:
            self.steps = max(1, round(config.epochs * self.steps_per_epoch))
        self._evaluations = config.evaluations
        self._start = time.monotonic() - state.seconds

    def seconds(self) -> float:
        """Seconds of training, those before an interruption included."""
        return time.monotonic() - self._start

    def epoch(self, step: int) -> float:
        """Passes over the training split after ``step`` steps."""
        return step / self.steps_per_epoch

    def share(self, step: int) -> float:
        """How much of the training is done after ``step`` steps, 0 to 1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = self.seconds() / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def evaluation_due(self, share: float, state: TrainingState) -> bool:
        """True once each time that another equal part of the training is done (the last one ends it)."""
        parts = int(share * self._evaluations)
        due, state.evaluations = parts > state.evaluations, max(parts, state.evaluations)
        return due


class Speed:
    """Units a second since it was made."""

    def __init__(self, state: TrainingState) -> None:
        self._start, self._units = time.monotonic(), state.units

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time spent inside out of the speed."""
        before = time.monotonic()
        yield
        self._start += time.monotonic() - before

    def units_per_s(self, state: TrainingState) -> float:
        """Units a second, without the time that was paused."""
        return (state.units - self._units) / max(1e-9, time.monotonic() - self._start)


def _mean(state: TrainingState, rate: float) -> float:
    """Mean loss a unit since the last progress.

    Raises:
        TrainingError: it is not a number.
    """
    total = sum(float(mean) * units for mean, units in state.losses)
    mean = total / max(1, sum(units for _, units in state.losses))
    _refuse_nan(mean, state.step, rate)
    return mean


def _refuse_nan(loss: float, step: int, rate: float) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {step} (learning rate {rate:.3g}); train again with a smaller --lr. "
            "What was saved before is kept"
        )


def _to(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, tuple):
        return tuple(_to(part, device) for part in batch)
    return batch


@contextlib.contextmanager
def _threads(number: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    elif before > (cores := len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else before):
        torch.set_num_threads(cores)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """The first Ctrl-C asks the loop to end after the step it is in; the second one is as anywhere."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
