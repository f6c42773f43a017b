"""The one training loop. It alone owns device, precision, clipping, seeds, processes and the state of a training."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from ..errors import RunError, TrainingError
from .checkpoint import Best, Checkpoints, random_states, restore_random
from .clock import Clock, Speed
from .config import TrainConfig
from .descent import Descent
from .device import arithmetic, pick_device, pick_precision
from .events import Evaluated, Event, Note, Observer, Progress, Report, Started
from .feeding import fed
from .gradient_task import GradientTask, Loss
from .processes import Processes
from .schedule import Moment, pace
from .state import TrainingState

__all__ = ["GradientTask", "Loss", "Trainer"]

#: A ``Progress`` event follows each of the first steps, then one step in so many: by count, never by the clock,
#: so that two runs of one seed write the same lines.
EARLY_STEPS, STEPS_PER_PROGRESS = 5, 20


class Now(NamedTuple):
    """What all processes agree on after a step: the first one's clock, and anyone's Ctrl-C."""

    share: float  # of the training that is done
    ahead: float  # the same with the next step
    stop: float  # Ctrl-C was pressed
    keep: float  # a checkpoint is due

    @property
    def over(self) -> bool:
        """Whether the training ends here."""
        return self.share >= 1 or bool(self.stop)


class Trainer:
    """``Trainer(config).fit(task, observers) -> Report``."""

    def __init__(self, config: TrainConfig, processes: Processes | None = None) -> None:
        self.config, self.processes = config, processes or Processes()
        self.device = pick_device(config.device, self.processes.local if not self.processes.alone else None)
        self.precision = pick_precision(config.precision, self.device)

    def fit(
        self,
        task: GradientTask,
        observers: Sequence[Observer] = (),
        save: Callable[[Report], None] | None = None,
        checkpoints: Checkpoints | None = None,
        best: Best | None = None,
    ) -> Report:
        """Train ``task.model`` in place, from the last checkpoint if there is one.

        Args:
            task: gives the batches and the loss.
            observers: each is called with every event.
            save: called after each evaluation and at the end, to put the model as it is into the run folder.
            checkpoints: where the state of the training is kept, or None to keep it nowhere.
            best: where the best model so far is kept, apart from the last; in memory, if at all, when None.

        Raises:
            TrainingError: the loss is no longer a number; what was saved last stays as it is.
        """
        with arithmetic(self.config.precision, self.device), _threads(self.config.threads), _stop_on_signal() as stop:
            return _Training(self, task, observers, save, checkpoints, best, stop).run()


class _Training:
    """One call of ``fit``."""

    def __init__(
        self,
        trainer: Trainer,
        task: GradientTask,
        observers: Sequence[Observer],
        save: Callable[[Report], None] | None,
        checkpoints: Checkpoints | None,
        best: Best | None,
        stop: threading.Event,
    ) -> None:
        self.config, self.device, self.processes = trainer.config, trainer.device, trainer.processes
        self.precision = trainer.precision
        self.task, self.observers, self.save, self.checkpoints, self.stop = task, observers, save, checkpoints, stop
        self.best = best or (Best() if self.config.patience is not None else None)
        self.state = TrainingState()
        torch.manual_seed(self.config.seed + 1_000_003 * self.processes.shard.rank)
        self.descent = Descent(task, self.config, self.device, self.precision, self.processes)
        self.model: nn.Module = task.model
        self._restore()
        self.clock = Clock(self.config, task.steps_per_epoch(), self.state)
        self.rate = self.config.lr

    def run(self) -> Report:
        """The loop."""
        state, task, clock = self.state, self.task, self.clock
        self._tell(Started(task.title, self._facts(), clock.steps, task.unit, state.step))
        if self.config.compile:
            first = next(iter(fed(task.batches("train", state.epoch, state.batch), self.device)))
            self.descent.compile(first, lambda text: self._tell(Note(text)))
        self.model.train()
        batches, speed, now = self._batches(), Speed(state), self._agreed()
        while not now.over:
            self.rate, momentum = pace(self.config, Moment(now.ahead, state.step, state.watch.cuts))
            self.descent.step(batches, state, self.rate, momentum, now.ahead)
            now = self._agreed()
            if now.stop:
                self._checkpoint()
            if state.step <= EARLY_STEPS or state.step % STEPS_PER_PROGRESS == 0 or now.over:
                state.figures = task.figures(self._mean())
                self._tell(self._progress(now.share, speed))
                state.losses, speed = [], Speed(state)
            if now.over:
                break
            with speed.paused():
                if clock.evaluation_due(now.share, state):
                    self._mean()  # refuses a loss gone wrong also where no held-out figure would show it
                    self._evaluate(self.save)
                    if self._out_of_patience():
                        break
                if now.keep:
                    self._checkpoint()
        return self._end("interrupted" if now.stop and now.share < 1 else "finished")

    def _end(self, ended: str) -> Report:
        """The last evaluation, the best model in place of the last where it is wanted, the report."""
        state = self.state
        if state.evaluated != state.step:
            self._evaluate(None)
        self.descent.average.stay()
        if ended == "finished" and self.config.patience is not None and self.best is not None and state.watch.stale:
            self.processes.wait()  # until the first one has written it
            self.best.load(self.model)
            self._tell(Note(f"the run is the best model, of {state.watch.stale} evaluations before the last"))
            self._evaluate(None)
        report = self._report(ended)
        self._tell(report)
        if self.save is not None:
            self.save(report)  # after the last line of the log: what is saved as finished is whole
        if self.checkpoints is not None and ended == "finished" and self.processes.first:
            self.checkpoints.discard()
        return report

    def _agreed(self) -> Now:
        """Where the training stands, by the first process's clock."""
        step, keep = self.state.step, self.checkpoints is not None and self.checkpoints.due(self.state.step)
        own = Now(self.clock.share(step), self.clock.share(step + 1), self.stop.is_set(), keep)
        return own if self.processes.alone else Now(*self.processes.told(own))

    def _batches(self) -> Iterator[Any]:
        """Batches without end, pass after pass; a new pass starts without a carry."""
        state = self.state
        while True:
            for batch in fed(self.task.batches("train", state.epoch, state.batch), self.device):
                state.batch += 1
                yield batch
            if state.batch == 0:
                raise TrainingError("the training split gives no batch; use more text or a smaller --batch-size")
            state.epoch, state.batch, state.carry = state.epoch + 1, 0, None

    def _checkpoint(self) -> None:
        """Keep everything as it is between two steps; a model gone wrong is never kept."""
        if self.checkpoints is None:
            return
        self._mean()
        self._refuse_broken_weights()
        own = {**random_states(self.device), **self.state.arrays()}
        every = {name: self.processes.gathered(array) for name, array in own.items()}
        if self.processes.first:
            arrays, facts = self.descent.saved()
            arrays |= {
                f"process.{rank}.{name}": part for name, parts in every.items() for rank, part in enumerate(parts)
            }
            facts |= {"state": self.state.facts(self.clock.seconds()), "machine": self._machine()}
            self.checkpoints.save(self.state.step, arrays, facts)

    def _restore(self) -> None:
        """Go back to the last checkpoint, if there is one."""
        if self.checkpoints is None:
            return
        found = self.checkpoints.latest() if self.processes.first else None
        (step,) = self.processes.told([-1 if found is None else found[1]["state"]["step"]])
        if step < 0:
            return
        arrays, facts = found or self.checkpoints.at(int(step))
        self._compare(facts["machine"])
        self.descent.restore(arrays, facts)
        mark = f"process.{self.processes.shard.rank}."
        own = {name.removeprefix(mark): array for name, array in arrays.items() if name.startswith(mark)}
        self.state.restore(facts["state"], own, self.device)
        restore_random(own, self.device)

    def _machine(self) -> dict[str, str | int]:
        """What the bits of a training depend on, beside its settings."""
        gpu = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else ""
        return {
            "processes": self.processes.shard.of,
            "device": f"{self.device.type} {gpu}".strip(),
            "precision": str(self.precision).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }

    def _compare(self, then: dict[str, str | int]) -> None:
        """Say what is other than when the checkpoint was written.

        Raises:
            RunError: another number of processes, which deal the batches in another way.
        """
        now = self._machine()
        if then["processes"] != now["processes"]:
            raise RunError(
                f"the training was begun by {then['processes']} process(es), not {now['processes']}; "
                "resume it with as many (torchrun --nproc-per-node)"
            )
        other = [f"{name} {then.get(name)}, now {value}" for name, value in now.items() if then.get(name) != value]
        if other:
            self._tell(Note(f"the checkpoint is of {'; '.join(other)}: what follows may differ in its last bits"))

    def _evaluate(self, save: Callable[[Report], None] | None) -> None:
        """Figures on held-out data, then the model into the run folder; a model gone wrong is never saved."""
        state = self.state
        with self.descent.average.applied():
            figures, sample = self._measured() if self.processes.first else ({}, "")
            figures = self.processes.figures(figures)
            state.figures |= figures
            state.evaluated = state.step
            if self._is_best(figures) and self.best is not None and self.processes.first:
                self.best.save(self.model, state.step, figures)
            if save is not None:
                save(self._report("running"))
        self._tell(Evaluated(state.step, self.clock.epoch(state.step), figures, sample, self.clock.seconds()))

    def _measured(self) -> tuple[dict[str, float], str]:
        """The figures and a sample of the model as it is.

        Raises:
            TrainingError: a figure or a weight is not a number.
        """
        self._refuse_broken_weights()
        self.model.eval()
        with torch.no_grad():
            self.task.settle(self.model)
        with torch.no_grad(), self.descent.autocast():
            figures = self.task.metrics(self.model, self.config.evaluate_at_most)
        for value in figures.values():
            _refuse_nan(value, self.state.step, self.rate)
        with torch.no_grad():
            sample = self.task.sample(self.model)
        self.model.train()
        return figures, sample

    def _is_best(self, figures: dict[str, float]) -> bool:
        """Whether the watched figure has never been better.

        Raises:
            TrainingError: early stopping or the schedule goes by it, and there is none.
        """
        config, task = self.config, self.task
        if task.watched in figures:
            return self.state.watch.see(figures[task.watched], task.higher_is_better, config.plateau_patience)
        if config.patience is not None or config.schedule == "plateau":
            raise TrainingError(
                "--patience and the schedule plateau go by a held-out figure, and nothing is held out; "
                "hold something out (--validation 0.05), or leave them out"
            )
        return False

    def _out_of_patience(self) -> bool:
        patience, stale = self.config.patience, self.state.watch.stale
        if patience is None or stale < patience:
            return False
        self._tell(Note(f"stopped early: {self.task.watched} has not been better for {stale} evaluations"))
        return True

    def _mean(self) -> float:
        """Mean loss a unit since the last progress, in all processes.

        Raises:
            TrainingError: it is not a number.
        """
        losses = self.state.losses
        own = sum(float(mean) * units for mean, units in losses), float(sum(units for _, units in losses))
        total, units = self.processes.total(own)
        mean = total / max(1.0, units)
        _refuse_nan(mean, self.state.step, self.rate)
        return mean

    def _refuse_broken_weights(self) -> None:
        """Raise a ``TrainingError`` where a gradient that is not a number, under a loss that is one, went in."""
        largest = torch.stack([p.detach().abs().max() for p in self.descent.parameters]).max()
        _refuse_nan(float(largest), self.state.step, self.rate, "a weight")

    def _report(self, ended: str) -> Report:
        state, clock = self.state, self.clock
        return Report(ended, state.step, clock.epoch(state.step), clock.seconds(), state.units, dict(state.figures))

    def _progress(self, share: float, meter: Speed) -> Progress:
        state, clock = self.state, self.clock
        seconds = clock.seconds()
        left = seconds * (1 - share) / share if share > 0 else math.inf
        speed = meter.units_per_s(state)
        return Progress(
            state.step, clock.epoch(state.step), share, dict(state.figures), self.rate, speed, seconds, left
        )

    def _facts(self) -> dict[str, str | int]:
        precision = self.config.precision if self.config.precision == "tf32" else str(self.precision)
        weights = sum(p.numel() for p in self.model.parameters())
        device = f"{self.device}, {precision.removeprefix('torch.')}"
        if not self.processes.alone:
            device = f"{self.processes.shard.of} x {device}"
        return {**self.task.facts, "parameters": weights, "device": device}

    def _tell(self, event: Event) -> None:
        for observer in self.observers:
            observer(event)


def _refuse_nan(value: float, step: int, rate: float, what: str = "the loss") -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"{what} is {value} at step {step} (learning rate {rate:.3g}); train again with a smaller --lr. "
            "What was saved before is kept"
        )


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
