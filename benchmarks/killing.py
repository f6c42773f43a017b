"""A process that trains and is killed with SIGKILL: inside a write, at a chosen point of it, or after some seconds.

The process is forked from this one, so that it need not import anything; nothing here may have run on several threads
before. In it, what `textdl.artifact` writes with is wrapped: its parent hears of every write, and where it is told to
the process stops for good and waits to be killed. For `benchmarks.resume`.
"""

from __future__ import annotations

import math
import os
import select
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textdl.training.events import Observer

CHECKPOINT, LINE = "checkpoint", "line of metrics.jsonl"
#: The points of a write at which a process can be stopped; a place is a kind of write and one of them.
HALF, SYNC, RENAME = "half of it written", "before the sync", "before the rename"
FOLDER, AFTER = "before the folder's sync", "before what follows it"
#: Seconds that no process here may need.
PATIENCE = 120.0

#: What the process does; it is given an observer for the training.
Job = Callable[["Observer"], None]


class Stops:
    """In the process that trains: tells its parent of every write, and stops for good where it is told to."""

    def __init__(self, pipe: int, run: Path, aim: tuple[str, int] | None) -> None:
        self.pipe, self.run, self.aim = pipe, run, aim
        self.kind = ""
        self.passed: Counter[str] = Counter()

    def tell(self, word: str, more: object = "") -> None:
        os.write(self.pipe, f"{word}\t{more}\n".encode())

    @contextmanager
    def writing(self, kind: str) -> Iterator[None]:
        self.kind = kind
        self.tell("begin", kind)
        yield
        self.tell("end")
        self.kind = ""

    def at(self, point: str) -> None:
        if not self.kind:
            return  # not a file of the run
        place = f"{self.kind}: {point}"
        self.passed[place] += 1
        self.tell("at", place)
        if self.aim == (place, self.passed[place]):
            self.tell("stopped")
            time.sleep(PATIENCE)

    def halved(self, write: Callable[[Any], Any], flush: Callable[[], Any]) -> Callable[[Any], None]:
        """A ``write`` that hands the first half to the system before it goes on."""

        def both(data: Any) -> None:
            write(data[: len(data) // 2])
            flush()
            self.at(HALF)
            write(data[len(data) // 2 :])

        return both

    def install(self) -> None:
        """Put itself around what writes, in this process, which does nothing but train."""
        from textdl import artifact

        write_atomic, append_line = artifact.write_atomic, artifact.append_line
        temporary_file = tempfile.NamedTemporaryFile

        def watched_write(path: Path, content: bytes | str) -> None:
            with self.writing(CHECKPOINT if path.parent.name == artifact.RESUME else path.name):
                write_atomic(path, content)
                if path.parent.name == artifact.RESUME:
                    self.tell("kept", step_of(path))
                self.at(AFTER)

        def watched_line(file: Any, line: str, path: Path) -> None:
            halving: Any = SimpleNamespace(write=self.halved(file.write, file.flush), flush=file.flush)
            with self.writing(LINE):
                append_line(halving, line, path)

        def watched_file(*arguments: Any, **named: Any) -> Any:
            file: Any = temporary_file(*arguments, **named)
            file.write = self.halved(file.write, file.flush)
            return file

        artifact.write_atomic, artifact.append_line = watched_write, watched_line
        tempfile.NamedTemporaryFile = watched_file
        self._watch_system(artifact.RESUME)

    def _watch_system(self, resume: str) -> None:
        sync, replace, unlink = os.fsync, Path.replace, Path.unlink

        def watched_sync(file: int) -> None:
            self.at(FOLDER if os.path.isdir(file) else SYNC)  # noqa: PTH112  (a descriptor, not a path)
            sync(file)

        def watched_replace(source: Path, target: Path) -> Path:
            if not self.kind and target.parent == self.run:  # one that is not written by write_atomic: the tokenizer
                with self.writing(target.name):
                    return watched_replace(source, target)
            self.at(RENAME)
            return replace(source, target)

        def watched_unlink(path: Path, missing_ok: bool = False) -> None:
            if not self.kind and path.parent.name == resume:
                with self.writing("removal of a checkpoint"):
                    self.at("before it")
            unlink(path, missing_ok)

        for owner, name, watched in (
            (os, "fsync", watched_sync),
            (Path, "replace", watched_replace),
            (Path, "unlink", watched_unlink),
        ):
            setattr(owner, name, watched)


def step_of(checkpoint: Path) -> int:
    """The step of a checkpoint, by its name."""
    return int(checkpoint.stem.split("-")[1])


def train_here(job: Job, run: Path, stops: Stops) -> None:
    """Do the job; the parent hears how it ends."""
    from textdl.training.events import Event, Started

    def watch(event: Event) -> None:
        if isinstance(event, Started):
            stops.tell("resumed", event.resumed)

    stops.install()
    try:
        job(watch)
        stops.tell("done")
    except BaseException as error:
        run.with_suffix(".error").write_text(traceback.format_exc(), encoding="utf-8")
        stops.tell("failed", " ".join(f"{type(error).__name__}: {error}".split())[:1000])


@dataclass
class Ending:
    """How a process ended: it was killed, or it was done, or else there is an error."""

    killed: bool = False
    done: bool = False
    error: str = ""
    resumed: int = -1
    kept: int = 0  # the step of the newest checkpoint that was written, now or before
    inside: str = ""  # the kind of write that it was in
    place: str = ""  # the last one that it passed
    passed: Counter[str] = field(default_factory=Counter)

    def hear(self, line: str) -> None:
        """Take in what the process told."""
        word, more = line.split("\t", 1)
        if word == "begin":
            self.inside, self.place = more, f"{more}: at its beginning"
        elif word == "end":
            self.inside = ""
        elif word == "at":
            self.place = more
            self.passed[more] += 1
        elif word == "resumed":
            self.resumed = int(more)
        elif word == "kept":
            self.kept = int(more)
        elif word == "failed":
            self.error = more
        self.done = self.done or word == "done"


def launch(job: Job, run: Path, aim: tuple[str, int] | None = None, seconds: float = math.inf, kept: int = 0) -> Ending:
    """Do the job in a process of its own.

    Args:
        job: trains, or goes on training.
        run: the folder of the run.
        aim: (place, n): the process is killed when it passes that place for the n-th time.
        seconds: it is killed after so many.
        kept: the step of the newest checkpoint that processes before it are known to have written.
    """
    kept = max([kept, *map(step_of, run.glob("resume/step-*"))])
    reading, writing = os.pipe()
    number = os.fork()
    if number == 0:
        try:
            os.close(reading)
            train_here(job, run, Stops(writing, run, aim))
        finally:
            os._exit(0)
    os.close(writing)
    ending = listen(number, reading, seconds)
    os.close(reading)
    _, status = os.waitpid(number, 0)
    if not (ending.killed or ending.done or ending.error):
        ending.error = f"the process ended by itself with status {status}"
    if ending.resumed not in (-1, kept):
        ending.error = f"went on after step {ending.resumed}, although a checkpoint of step {kept} was written"
    ending.kept = max(ending.kept, kept)
    return ending


def listen(number: int, pipe: int, seconds: float) -> Ending:
    """Hear what a process tells until it has ended; kill it when its time has come."""
    ending, deadline = Ending(), time.monotonic() + min(seconds, PATIENCE)
    while True:
        ready, _, _ = select.select([pipe], [], [], None if ending.killed else max(0.0, deadline - time.monotonic()))
        heard = os.read(pipe, 1 << 16).decode() if ready else ""
        if ready and not heard:
            ending.killed = ending.killed and not ending.done
            return ending
        for line in heard.splitlines():
            ending.hear(line)
        if not ending.killed and (not ready or heard.endswith("stopped\t\n")):
            if not ready and seconds > PATIENCE:
                ending.error = f"was not done after {PATIENCE:.0f} s"
            os.kill(number, signal.SIGKILL)
            ending.killed = True
