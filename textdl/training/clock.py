"""How far a training is, and how fast it goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from .config import TrainConfig
from .state import TrainingState


class Clock:
    """How far a training is: by steps, by minutes, or by whichever comes first."""

    def __init__(self, config: TrainConfig, steps_per_epoch: int, state: TrainingState) -> None:
        # A step takes ``accumulate`` batches.
        self.steps_per_epoch, self.minutes = max(steps_per_epoch / config.accumulate, 1e-9), config.minutes
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
