"""A training that is killed at any moment and resumed, against the same one that was never killed.

    python -m benchmarks.resume [--kills 100 --seed 1 --jobs 2 --json]

Every task, and where it has them every recurrent cell, is trained once in peace. Then, again and again, a process that
trains the same is killed with SIGKILL and the next one resumes, several times a run, until one reaches the end. The
weights must then be the same bytes and the metrics the same lines, but for times. Of ten kills three are aimed into the
write of a checkpoint and two into another write: the process stops at a chosen point of it and waits to be killed. The
others strike at any time. A process that does not go on from the newest checkpoint has not survived. Exit status 1
unless all kills are survived and all runs identical; the folder of a run that is not is kept.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.killing import AFTER, CHECKPOINT, FOLDER, HALF, RENAME, SYNC, Ending, Job, launch

ANY_TIME = "any time"
TIMES = ("seconds", "units_per_s")
#: Most kills of one run; problems after which no more is tried.
MOST_KILLS, MOST_PROBLEMS = 6, 5


def write_lines(folder: Path) -> Path:
    """Write a corpus of 500 lines."""
    generator, path = random.Random(1), folder / "lines.txt"
    words = ["".join(generator.choices("abcdefghij", k=generator.randint(2, 6))) for _ in range(60)]
    path.write_text("\n".join(" ".join(generator.choices(words, k=9)) for _ in range(500)) + "\n", encoding="ascii")
    return path


def write_labelled(folder: Path) -> Path:
    """Write a corpus of 500 labelled lines, each with a word that tells its class."""
    lines = write_lines(folder).read_text(encoding="ascii").splitlines()
    rows = [f"{('early', 'late')[number % 2]} {line}\t{number % 2}" for number, line in enumerate(lines)]
    path = folder / "labelled.tsv"
    path.write_text("\n".join(["text\tlabel", *rows]) + "\n", encoding="ascii")
    return path


def write_pairs(folder: Path) -> Path:
    """Write a corpus of 500 pairs, the words of each the other way round."""
    lines = write_lines(folder).read_text(encoding="ascii").splitlines()
    path = folder / "pairs.tsv"
    path.write_text("".join(f"{line}\t{' '.join(line.split()[::-1])}\n" for line in lines), encoding="ascii")
    return path


def write_tagged(folder: Path) -> Path:
    """Write a corpus of 500 sentences, each word tagged with its first letter."""
    lines = write_lines(folder).read_text(encoding="ascii").splitlines()
    path = folder / "tagged.conll"
    told = ("".join(f"{word} {word[0].upper()}\n" for word in line.split()) for line in lines)
    path.write_text("\n".join(told), encoding="ascii")
    return path


def write_series(folder: Path) -> Path:
    """Write a series of 500 numbers: a season of twelve on a rising line, with noise."""
    generator, path = random.Random(1), folder / "series.csv"
    rows = [f"{0.1 * n + 5 * math.sin(n * math.pi / 6) + generator.gauss(0, 0.5):.4f}" for n in range(500)]
    path.write_text("\n".join(["sold", *rows]) + "\n", encoding="ascii")
    return path


def write_images(folder: Path) -> Path:
    """Write 300 pictures of noise with a bar that lies or stands."""
    draw, path = np.random.default_rng(1), folder / "bars.npz"
    pixels = draw.integers(0, 90, (300, 8, 8)).astype(np.uint8)
    pixels[::2, 3], pixels[1::2, :, 3] = 250, 250
    np.savez(path, images=pixels, labels=np.arange(300) % 2)
    return path


def write_points(folder: Path) -> Path:
    """Write 300 points, on a small circle and on a large one about it."""
    path = folder / "points.csv"
    rows = [f"{(1 + n % 2) * math.cos(n):.4f},{(1 + n % 2) * math.sin(n):.4f},{'ab'[n % 2]}" for n in range(300)]
    path.write_text("\n".join(["x,y,label", *rows]) + "\n", encoding="ascii")
    return path


def write_strokes(folder: Path) -> Path:
    """Write 200 lines of pen strokes, a zigzag of its own for each letter."""
    from textdl.strokes.line import Line
    from textdl.strokes.npz import write_lines as write_npz

    made = []
    for n in range(200):
        text = "".join("abcdefgh"[n // base % 8] for base in (1, 3, 7, 11))
        steps = [(ord(c) % 7 + 3.0, ord(c) * k % 5 - 2.0, float(k == 3)) for c in text for k in (1, 2, 3)]
        points = np.array(steps, np.float32)
        points[0, :2] = 0
        made.append(Line(points, text))
    path = folder / "strokes.npz"
    write_npz(path, made)
    return path


class Example(NamedTuple):
    """What a task is tried with: ``corpus(folder)`` writes a small one there; ``cells``: it has recurrent cells."""

    corpus: Callable[[Path], Path]
    settings: dict[str, Any]
    cells: bool = False


#: A second or two of training; the checkpoints fall on steps of all kinds, and on more than one pass.
TRAIN = {"steps": 150, "batch_size": 8, "checkpoint_steps": 7, "evaluations": 5, "device": "cpu", "threads": 1}
SMALL = {"hidden": 32, "embedding": 16, "ngram_rows": 512, "seq_length": 32, "dropout": 0.2, "documents": "line"}
WORDS = {"engine": "torch", "batch_size": 64, "dim": 16, "least_count": 1, "documents": "line"}
EXAMPLES = {
    "lm": Example(write_lines, {**TRAIN, **SMALL}, cells=True),
    "vectors": Example(write_lines, {**TRAIN, **WORDS}),
    "classify": Example(write_labelled, {**TRAIN, "hidden": 32, "embedding": 16, "dropout": 0.2, "layers": 2}),
    "translate": Example(
        write_pairs, {**TRAIN, "batch_size": 100, "hidden": 16, "embedding": 8, "scheduled_sampling": 0.3}
    ),
    "forecast": Example(
        write_series, {**TRAIN, "hidden": 16, "dropout": 0.2, "layers": 2, "horizon": 3, "window": 12}, cells=True
    ),
    "images": Example(write_images, {**TRAIN, "model": "convnet", "filters": ("8",), "rotation": 10.0, "ema": 0.9}),
    "points": Example(write_points, {**TRAIN, "widths": ("8", "2")}),
    "handwriting": Example(write_strokes, {**TRAIN, "hidden": 16, "mixtures": 3, "windows": 2, "dropout": 0.2}),
    "tag": Example(write_tagged, {**TRAIN, "hidden": 16, "embedding": 8, "crf": True}),
}


class Case(NamedTuple):
    """A task with one of its cells."""

    task: str
    cell: str
    corpus: Path
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.task}-{self.cell}" if self.cell else self.task

    def training(self, run: Path) -> Job:
        """Train into a folder, or go on with the training there."""
        import textdl

        return lambda watch: textdl.train(
            self.task, self.corpus, out=run, observers=[watch], progress=False, resume=True, **self.settings
        )


class Reference(NamedTuple):
    """The run that was never killed, how long it took, and how often its writes passed each place."""

    run: Path
    seconds: float
    passed: Counter[str]


@dataclass
class Tally:
    """What became of the kills; ``left_over`` counts runs that end with other files than the reference."""

    kills: int = 0
    inside_checkpoint: int = 0
    runs: int = 0
    survived: int = 0
    identical: int = 0
    left_over: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in vars(self)))


def train_reference(case: Case, folder: Path) -> Reference:
    """Train in peace."""
    run, start = folder / f"{case.name}-reference", time.monotonic()
    ending = launch(case.training(run), run)
    if not ending.done or ending.error:
        raise RuntimeError(f"{case.name} does not train even in peace: {ending.error}; see {run}")
    points = {place for place in ending.passed if place.startswith(CHECKPOINT)}
    if points != {f"{CHECKPOINT}: {point}" for point in (HALF, SYNC, RENAME, FOLDER, AFTER)}:
        raise RuntimeError(f"a checkpoint is no longer written as Stops knows it, but with {points}; change Stops")
    return Reference(run, time.monotonic() - start, ending.passed)


def plan(kills: int, reference: Reference, generator: random.Random) -> list[str]:
    """What each kill is to strike: a kind of write, or any time."""
    others = sorted({place.split(":")[0] for place in reference.passed} - {CHECKPOINT})
    aims = [CHECKPOINT] * math.ceil(0.3 * kills) + generator.choices(others, k=int(0.2 * kills))
    aims += [ANY_TIME] * (kills - len(aims))
    generator.shuffle(aims)
    return aims


def draw(
    what: str, reference: Reference, passed: Counter[str], generator: random.Random
) -> tuple[tuple[str, int] | None, float]:
    """Where a process is to stop, or after how many seconds it is to be killed; ``passed`` so far in this run."""
    if what == ANY_TIME:
        return None, generator.uniform(0, reference.seconds)
    left = {place: n for place, n in (reference.passed - passed).items() if place.startswith(f"{what}:")}
    if not left:
        return None, math.inf  # this run is past it
    place = generator.choice(sorted(left))
    return (place, generator.randint(1, left[place])), math.inf


def kill_runs(case: Case, reference: Reference, kills: int, seed: str, folder: Path) -> Tally:
    """Kill so many times, in as many runs as that takes."""
    generator, tally = random.Random(seed), Tally()
    aims = plan(kills, reference, generator)
    while aims and len(tally.problems) < MOST_PROBLEMS:
        run, killed, passed = folder / f"{case.name}-{seed}-{tally.runs}", 0, Counter[str]()
        ending = Ending()
        tally.runs, most = tally.runs + 1, generator.randint(1, MOST_KILLS)
        while True:
            to_kill = bool(aims) and killed < most
            aim, seconds = draw(aims[-1], reference, passed, generator) if to_kill else (None, math.inf)
            ending = launch(case.training(run), run, aim, seconds, ending.kept)
            passed += ending.passed
            if ending.error or not ending.killed:
                break
            aims.pop()
            killed += 1
            tally.inside_checkpoint += ending.inside == CHECKPOINT
            tally.hits[ending.place if ending.inside else "between writes"] += 1
        problem = ending.error or difference(run, reference.run)
        tally.kills += killed
        tally.survived += 0 if ending.error else killed
        tally.identical += 0 if problem else killed
        if problem:
            tally.problems.append(f"{case.name} after {killed} kills: {problem}; see {run}")
            continue
        tally.left_over += names_in(run) != names_in(reference.run)
        shutil.rmtree(run)
    return tally


def difference(run: Path, reference: Path) -> str:
    """In what a run differs from the one that was never killed; an empty text when in nothing."""
    if (run / "model.safetensors").read_bytes() != (reference / "model.safetensors").read_bytes():
        return "other weights"
    if best_of(run) != best_of(reference):
        return "another best model"
    our_lines, their_lines = (
        [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in path.open(encoding="utf-8")]
        for path in (run / "metrics.jsonl", reference / "metrics.jsonl")
    )
    for number, (our, their) in enumerate(itertools.zip_longest(our_lines, their_lines), 1):
        if our != their:
            return f"line {number} of metrics.jsonl is {our}, not {their}"
    return ""


def best_of(run: Path) -> tuple[dict[str, bytes], dict[str, Any]] | None:
    """The best model's arrays and facts; not its file, which may hold the two parts of its header in either order."""
    from textdl import artifact

    path = run / "best.safetensors"
    if not path.exists():
        return None
    arrays, facts = artifact.load_arrays_and_facts(path)
    return {name: array.tobytes() for name, array in arrays.items()}, facts


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def make_cases(folder: Path) -> list[Case]:
    """Every task with its example, and with every cell where it has cells."""
    from textdl.models.recurrent import CELLS
    from textdl.tasks import TASKS

    if missing := [name for name in TASKS if name not in EXAMPLES]:
        sys.exit(f"the task {missing[0]!r} has no entry in EXAMPLES; add a small corpus and settings for it")
    cases = []
    for task in TASKS:
        example = EXAMPLES[task]
        corpus = example.corpus(folder)
        for cell in CELLS if example.cells else ("",):
            settings = dict(example.settings)
            if cell:
                settings |= {"cell": cell, "recurrent_dropout": 0.1 if CELLS[cell].fused else 0.0}
            cases.append(Case(task, cell, corpus, settings))
    return cases


def warm_up() -> None:
    """Load what the processes need before they are forked, and run nothing on several threads: a fork has only one."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    import numpy as np
    import torch

    from textdl.kernels.scanning import scan, scan_backward
    from textdl.tasks import TASKS, find_task

    torch.set_num_threads(1)
    for task in TASKS:
        find_task(task)
    row, start = np.zeros((1, 1), np.float32), np.zeros(1, np.float32)
    scan(row, row, start, row.copy())
    scan_backward(row, row, start, row, row, row.copy(), row.copy(), start.copy())


def run_all(options: argparse.Namespace, folder: Path) -> list[tuple[Case, Tally]]:
    """The cases, each with what became of its kills."""
    cases = make_cases(folder)
    totals = [Tally() for _ in cases]
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("fork")) as pool:
        references = list(pool.map(train_reference, cases, [folder] * len(cases)))
        # Each case is done in as many parts as there are jobs; the kills are dealt out to them evenly.
        parts = [(n, cases[n], references[n]) for _ in range(options.jobs) for n in range(len(cases))]
        numbers, *work = zip(*parts, strict=True)
        kills = [len(range(part, options.kills, len(parts))) for part in range(len(parts))]
        seeds = [f"{options.seed}-{part}" for part in range(len(parts))]
        for n, tally in zip(numbers, pool.map(kill_runs, *work, kills, seeds, [folder] * len(parts)), strict=True):
            totals[n] += tally
    return list(zip(cases, totals, strict=True))


def show(totals: Sequence[tuple[Case, Tally]], whole: Tally, seconds: float) -> None:
    """Print a row for each case, the sums, and where the kills struck."""
    columns = ("kills", "inside a checkpoint write", "runs", "survived", "identical")
    print("  ".join([f"{'task':<13}{'cell':<6}", *columns]))
    rows = [(case.task, case.cell, tally) for case, tally in totals]
    for task, cell, tally in [*rows, ("all", "", whole)]:
        counts = (tally.kills, tally.inside_checkpoint, tally.runs, tally.survived, tally.identical)
        cells = [f"{count:>{len(column)}}" for count, column in zip(counts, columns, strict=True)]
        print("  ".join([f"{task:<13}{cell:<6}", *cells]))
    print(f"\nwhere they struck ({seconds:.0f} s in all):")
    for place, count in sorted(whole.hits.items()):
        print(f"{count:>5}  {place}")
    if whole.left_over:
        print(f"{whole.left_over} runs end with other files than the one that was never killed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, of one thread each")
    parser.add_argument("--json", action="store_true")
    options, start = parser.parse_args(), time.monotonic()
    warm_up()
    folder = Path(tempfile.mkdtemp(prefix="textdl-resume-"))
    totals = run_all(options, folder)
    whole = sum((tally for _, tally in totals), Tally())
    if options.json:
        rows = [{"task": case.task, "cell": case.cell, **vars(tally)} for case, tally in totals]
        print(json.dumps({"all": vars(whole), "cases": rows, "seconds": time.monotonic() - start}))
    else:
        show(totals, whole, time.monotonic() - start)
    for problem in whole.problems:
        print(problem, file=sys.stderr)
    if whole.problems or not options.kills == whole.kills == whole.survived == whole.identical:
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
