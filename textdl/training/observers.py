"""Those who watch a training: a metrics file, TensorBoard, a live view in the terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .. import artifact
from ..errors import ConfigError
from ..text.visible import visible
from .events import Evaluated, Event, Note, Observer, Progress, Reading, Report, Started, Working

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: Figures worth a place on a narrow line, with the names people know them by.
_SHORT = {
    "bits_per_character": "bits/char",
    "loss": "loss",
    "perplexity": "perplexity",
    "accuracy": "accuracy",
    "f1": "F1",
    "bleu": "BLEU",
    "chrf": "chrF",
    "mae": "MAE",
    "mase": "MASE",
    "nats_per_point": "nats/point",
}


_NOTHING = "nothing to measure on"


class MetricsFile:
    """Writes every progress, evaluation and report as a line of JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> MetricsFile:
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def mark(self) -> int:
        """Bring the lines to the disk; returns the length of the file in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._path.stat().st_size

    def rewind(self, length: int) -> None:
        """Cut off the lines after the first ``length`` bytes."""
        self._file.flush()
        os.truncate(self._path, min(length, self._path.stat().st_size))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress | Evaluated | Report):
            values = {k: v for k, v in asdict(event).items() if k not in ("figures", "sample", "seconds_left")}
            line = {"event": type(event).__name__.lower(), **values, **event.figures}
            artifact.append_line(self._file, json.dumps(line), self._path)


class TensorBoard:
    """Writes the figures for ``tensorboard --logdir RUN``.

    Raises:
        ConfigError: the package tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError(
                "--tensorboard needs the package tensorboard; pip install 'textdl[tensorboard]'"
            ) from None
        self._make: Callable[[], Any] = lambda: SummaryWriter(str(folder))
        self._writer: Any = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress | Evaluated):
            self._writer = self._writer or self._make()
            split = "train" if isinstance(event, Progress) else "held out"
            for name, value in event.figures.items():
                self._writer.add_scalar(f"{split}/{name}", value, event.step)
            if isinstance(event, Evaluated) and event.sample:
                self._writer.add_text("sample", f"```\n{event.sample}\n```", event.step)
            if isinstance(event, Progress):
                self._writer.add_scalar("train/lr", event.lr, event.step)
        elif isinstance(event, Report) and self._writer is not None:
            self._writer.close()


def view(stream: Any = None) -> Observer:
    """A live view where there is a terminal, plain lines on a pipe; on standard error by default."""
    from rich.console import Console

    # titles, facts and samples are somebody's data: ":cat:" is no picture
    console = Console(file=stream or sys.stderr, highlight=False, emoji=False)
    return LiveView(console) if console.is_terminal else PlainView(console)


class PlainView:
    """A line for each evaluation and for each twentieth part of the training."""

    def __init__(self, console: Console) -> None:
        self._console, self._unit, self._told = console, "unit", -1

    def __call__(self, event: Event) -> None:
        if isinstance(event, Reading):
            self._say(_reading(event))
        elif isinstance(event, Started):
            self._unit = event.unit
            self._say(event.title)
            for name, value in event.facts.items():
                self._say(_fact(name, value))
            if event.resumed:
                self._say(_resumed(event))
        elif isinstance(event, Progress):
            if int(event.share * 20) > self._told:
                self._told = int(event.share * 20)
                self._say(_progress(event, self._unit))
        elif isinstance(event, Evaluated):
            self._say(f"step {event.step:,}  held out: {_figures(event.figures)}")
            if event.sample:
                self._say("  | " + event.sample.strip().replace("\n", "\n  | "))
        elif isinstance(event, Note):
            self._say(event.text)
        elif isinstance(event, Report):
            self._say(_over(event, self._unit))

    def _say(self, text: str) -> None:
        self._console.print(visible(text), markup=False, soft_wrap=True)


class LiveView:
    """A bar with loss, speed and time left, and under it the model's latest text."""

    def __init__(self, console: Console) -> None:
        self._console, self._unit = console, "unit"
        self._share, self._line, self._sample, self._held_out = 0.0, "", "", ""
        self._live: Any = None

    def __call__(self, event: Event) -> None:
        from rich.live import Live

        if isinstance(event, Reading):
            self._console.print(_reading(event), end="\r", markup=False)
        elif isinstance(event, Started):
            self._unit = event.unit
            self._console.print(visible(event.title), style="bold", markup=False)
            for name, value in event.facts.items():
                self._console.print(visible(_fact(name, value)), markup=False)
            if event.resumed:
                self._console.print(_resumed(event), markup=False)
            self._live = Live(self.screen(), console=self._console, refresh_per_second=4)
            self._live.start()
        elif isinstance(event, Progress):
            self._share, self._line = event.share, _progress(event, self._unit)
        elif isinstance(event, Evaluated):
            self._sample, self._held_out = event.sample, f"held out: {_figures(event.figures)}"
        elif isinstance(event, Working):
            self._share, self._line = event.share, event.text
        elif isinstance(event, Note):
            self._console.print(visible(event.text), markup=False)
        else:
            self._console.print(_over(event, self._unit), markup=False)
        if self._live is not None:
            self._live.update(self.screen())
            if isinstance(event, Report):
                self._live.stop()

    def close(self) -> None:
        """Give the terminal back, also when training has failed."""
        if self._live is not None:
            self._live.stop()

    def screen(self) -> RenderableType:
        """What is shown now."""
        from rich.console import Group
        from rich.panel import Panel
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        rows = Table.grid(expand=True)
        rows.add_row(ProgressBar(total=1.0, completed=self._share))
        rows.add_row(Text(f"{self._share:.0%}  {self._line}"))
        parts: list[RenderableType] = [rows]
        if self._sample:
            lines = visible(self._sample.strip()).splitlines()[:9]
            parts.append(Panel(Text("\n".join(lines)), title="a sample", subtitle=self._held_out, title_align="left"))
        return Group(*parts)


def _fact(name: str, value: str | int) -> str:
    return f"  {name}: {value:,}" if isinstance(value, int) else f"  {name}: {value}"


def _resumed(event: Started) -> str:
    return f"going on after step {event.resumed:,}"


def _reading(event: Reading) -> str:
    share = f" ({min(event.done / event.total, 1):.0%})" if event.total else ""
    return f"{event.split}: {event.done / 1e6:.0f} M characters{share}"


def _figures(figures: Mapping[str, float]) -> str:
    named = {name: value for name, value in figures.items() if name.removeprefix("validation_") in _SHORT}
    return "  ".join(f"{_SHORT[n.removeprefix('validation_')]} {v:.3f}" for n, v in named.items()) or _NOTHING


def _progress(event: Progress, unit: str) -> str:
    plain = {name: value for name, value in event.figures.items() if not name.startswith("validation_")}
    return (
        f"step {event.step:,}  epoch {event.epoch:.2f}  {_figures(plain)}  "
        f"{event.units_per_s / 1000:.1f}k {unit}s/s  {_duration(event.seconds_left)} left"
    )


def _over(report: Report, unit: str) -> str:
    speed = report.units / max(report.seconds, 1e-9)
    held_out = {name: value for name, value in report.figures.items() if name.startswith("validation_")}
    own = _figures({name: value for name, value in report.figures.items() if name not in held_out})
    told = [own, f"held out: {_figures(held_out)}" if held_out else ""]
    measured = "  ".join(part for part in told if part and part != _NOTHING)
    return (
        f"{report.ended} after {report.steps:,} steps, {report.epochs:.2f} epochs, {_duration(report.seconds)} "
        f"({speed / 1000:.1f}k {unit}s/s, evaluations included)" + (f": {measured}" if measured else "")
    )


def _duration(seconds: float) -> str:
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
