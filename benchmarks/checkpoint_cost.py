"""What a checkpoint a minute costs a training.

    python -m benchmarks.checkpoint_cost [--seconds 180 --both]

Trains an LSTM of 2 layers of 512 on the built-in recipes, and times what the training spends in its checkpoints, the
gathering of the arrays included. The share is of the time without evaluations, which write nothing of it. With --both
the checkpoints are on and off in turns, from one evaluation to the next, and the steps a second of the two compared;
on a machine that is not idle these scatter by more than a checkpoint costs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import textdl
from textdl.training.checkpoint import Checkpoints
from textdl.training.trainer import _Training

SETTINGS: dict[str, Any] = {"cell": "lstm", "layers": 2, "hidden": 512, "ngrams": 0, "batch_size": 32, "seq_length": 64}


@dataclass
class Turn:
    """From the end of an evaluation, or from the start, to the next one; ``on``: with checkpoints."""

    on: bool
    first_step: int
    start: float
    steps: int = 0
    seconds: float = 0.0
    checkpoints: list[float] = field(default_factory=list)


@dataclass
class Meter:
    """What was timed."""

    both: bool
    turns: list[Turn] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    size: int = 0

    def begin(self, step: int) -> None:
        on = not (self.both and self.turns and self.turns[-1].on)
        self.turns.append(Turn(on, step, time.perf_counter()))

    def end(self, step: int) -> None:
        turn = self.turns[-1]
        turn.steps, turn.seconds = step - turn.first_step, time.perf_counter() - turn.start


def install(meter: Meter) -> None:
    """Put the meter around what a training does with its checkpoints."""
    run, evaluate, checkpoint = _Training.run, _Training._evaluate, _Training._checkpoint
    save, due = Checkpoints.save, Checkpoints.due

    def metered_run(training: Any) -> Any:
        meter.begin(training.state.step)
        return run(training)

    def metered_evaluate(training: Any, *arguments: Any) -> None:
        meter.end(training.state.step)
        evaluate(training, *arguments)
        meter.begin(training.state.step)

    def metered_checkpoint(training: Any, *arguments: Any) -> None:
        meter.turns[-1].checkpoints.append(seconds_of(lambda: checkpoint(training, *arguments)))

    def metered_save(checkpoints: Checkpoints, step: int, *arguments: Mapping[str, Any]) -> None:
        meter.writes.append(seconds_of(lambda: save(checkpoints, step, *arguments)))
        meter.size = max(path.stat().st_size for path in checkpoints.folder.iterdir())

    replaced: dict[Any, dict[str, Any]] = {
        _Training: {"run": metered_run, "_evaluate": metered_evaluate, "_checkpoint": metered_checkpoint},
        Checkpoints: {"save": metered_save, "due": lambda *arguments: meter.turns[-1].on and due(*arguments)},
    }
    for owner, methods in replaced.items():
        for name, method in methods.items():
            setattr(owner, name, method)


def seconds_of(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--both", action="store_true", help="with and without checkpoints in turns, of about a minute")
    options = parser.parse_args()
    meter = Meter(options.both)
    install(meter)
    evaluations = max(2, round(options.seconds / 60)) if options.both else 2
    with tempfile.TemporaryDirectory() as folder:
        textdl.train(
            "lm",
            "recipes",
            out=Path(folder) / "run",
            minutes=options.seconds / 60,
            evaluations=evaluations,
            evaluate_at_most=20_000,
            progress=False,
            **SETTINGS,
        )
    spent = [seconds for turn in meter.turns for seconds in turn.checkpoints]
    if not spent:
        sys.exit("no checkpoint was written, there is one a minute; give more --seconds")
    trained = sum(turn.seconds for turn in meter.turns if turn.on)
    each = f"{statistics.median(spent):.3f} s each (most {max(spent):.3f})"
    print(f"{len(spent)} checkpoints of {meter.size / 1e6:.1f} MB in {trained:.0f} s of training: {each}, ", end="")
    print(f"{sum(meter.writes) / sum(spent):.0%} of it in the write")
    print(f"share of the training time: {sum(spent) / trained:.2%} (< 1 % wanted)")
    if options.both:
        show_turns(meter)


def show_turns(meter: Meter) -> None:
    """Steps a second of both kinds of turn; the first one, in which everything is new, is left out."""
    turns = [turn for turn in meter.turns[1:] if turn.steps]
    for turn in turns:
        kind = f"with {len(turn.checkpoints)}" if turn.on else "without"
        print(f"  {turn.seconds:4.0f} s {kind:<8} {turn.steps / turn.seconds:7.3f} steps/s")
    speeds = [[turn.steps / turn.seconds for turn in turns if turn.on == on] for on in (True, False)]
    if all(speeds):
        ours, without = (statistics.median(some) for some in speeds)
        print(f"steps a second with checkpoints {ours:.3f}, without {without:.3f}: {1 - ours / without:+.2%} slower")


if __name__ == "__main__":
    main()
