"""What all tasks share: making a run, saving it, loading it."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import nn

from .. import artifact
from ..config import build, knobs, replace, to_json
from ..corpus import Corpus
from ..errors import ConfigError, CorpusError, RunError
from ..training.checkpoint import Best, Checkpoints, put_weights, weights_of
from ..training.config import TrainConfig
from ..training.device import pick_device
from ..training.events import Event, Note, Observer, Report
from ..training.gradient_task import GradientTask
from ..training.lr_find import RangeTest, range_test
from ..training.observers import MetricsFile
from ..training.processes import WHOLE, Processes, Shard, joined
from ..training.trainer import Trainer
from . import find_task


class Run:
    """A trained model with the verbs of its task; on disk, a folder. Made by :func:`load` or by training."""

    def __init__(self, path: Path, config: Mapping[str, Any], model: nn.Module) -> None:
        self.path, self.config, self.model = path, config, model.eval()

    @property
    def report(self) -> dict[str, Any]:
        """How the training ended and its figures."""
        return artifact.read_json(self.path / artifact.REPORT)

    def evaluate(
        self, corpus: Any = None, split: str | None = None, text_field: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Figures of the model on a split of a corpus (of the one it was trained on, when none is given)."""
        raise NotImplementedError

    def next_command(self) -> str:
        """What to try with a new run."""
        return command("info", self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"


def command(*words: str | Path) -> str:
    """A command of textdl as it can be typed: what holds spaces or signs is quoted."""
    return shlex.join(["textdl", *map(str, words)])


class Task(GradientTask, Protocol):
    """A gradient task as the trainer sees it, and the ends that make and load runs of it."""

    name: ClassVar[str]
    config_class: ClassVar[type]
    config: Any

    @classmethod
    def prepare(cls, source: Any, config: Any, tell: Observer, shard: Shard = WHOLE) -> Task:
        """Open the corpus, make what turns it into batches, and build the model on the CPU.

        Of every batch, ``shard.of`` times ``batch_size`` examples, this process is to get its own ``batch_size``.
        """

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""

    def save_parts(self, path: Path) -> None:
        """Write what the model needs beside its weights (the tokenizer)."""

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: Any) -> Run:
        """The run in a folder: model built, weights not yet in it."""


class DirectTask(Protocol):
    """A task that is done in one call and has no steps: seeded, and all or nothing (a resumed one begins anew).

    Beside ``training`` and ``fit`` it has the same ends as a gradient task; its model holds what it has worked out as
    buffers.
    """

    name: ClassVar[str]
    config_class: ClassVar[type]
    config: Any
    model: nn.Module
    title: str
    facts: dict[str, str | int]

    @classmethod
    def training(cls, config: Any) -> TrainConfig | None:
        """None; or, where with these settings ``prepare`` gives a gradient task, those of its trainer."""

    def fit(self, tell: Observer) -> Report:
        """Do it, telling how it goes."""


def train(
    task: str,
    corpus: Any,
    out: str | Path,
    config: Any = None,
    observers: Sequence[Observer] = (),
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> Run:
    """Train a task on a corpus into a run folder, a new one unless ``resume``; see :func:`textdl.train`."""
    with joined() as processes:
        return _train(processes, find_task(task), Path(out), task, corpus, config, observers, settings or {}, resume)


def _train(
    processes: Processes,
    cls: Any,
    path: Path,
    task: str,
    corpus: Any,
    config: Any,
    observers: Sequence[Observer],
    settings: Mapping[str, Any],
    resume: bool,
) -> Run:
    earlier = artifact.read_config(path) if resume and (path / artifact.CONFIG).exists() else None
    if earlier is not None and earlier.get("task") != task:
        raise RunError(f"{path} holds a run of task {earlier.get('task')}, not {task}; give another --out")
    if config is None:
        config = cls.config_class() if earlier is None else config_from_record(cls, earlier)
    if isinstance(config, Mapping):
        config = config_from_record(cls, config)
    config = replace(config, settings)
    if earlier is not None:
        _refuse_other_settings(path, config, config_from_record(cls, earlier))
    settled = training_of(cls, config)
    if settled is None and not processes.alone:
        raise ConfigError(f"{task} is done by one process, with several threads; start it without torchrun")
    # a device that is not there is found out before the corpus is read
    trainer = None if settled is None else Trainer(settled, processes)
    finished = earlier is not None and _ended(path) == "finished"
    processes.wait()  # all have seen the folder as it was
    if not processes.first:
        if not finished:
            _train_into(path, cls, corpus, config, trainer, processes, (), earlier)
        processes.wait()  # the run is whole
        return load(path)
    artifact.create_run(path, resume)
    with artifact.locked(path):
        artifact.sweep(path)
        if finished:  # a kill may have come between its last word and the end of its checkpoints
            Checkpoints(path / artifact.RESUME).discard()
        try:
            if not finished:
                _train_into(path, cls, corpus, config, trainer, processes, observers, earlier)
        except BaseException:
            artifact.discard_bare(path)
            raise
    processes.wait()
    return load(path)


def find_rate(
    task: str,
    corpus: Any,
    config: Any,
    settings: Mapping[str, Any],
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    tell: Callable[[int, float, float], None] = lambda step, rate, loss: None,
) -> tuple[Task, RangeTest]:
    """A learning-rate range test of a task on a corpus; see :func:`textdl.training.lr_find.range_test`."""
    cls = find_task(task)
    config = replace(config or cls.config_class(), settings)
    settled = training_of(cls, config)
    if settled is None:
        raise ConfigError(
            f"{task} is done in one call with these settings, without a trainer; there is no rate to find"
        )
    trainer = Trainer(settled)
    torch.manual_seed(config.train.seed)
    prepared: Task = cls.prepare(corpus, config, lambda event: None)
    return prepared, range_test(trainer, prepared, lowest, highest, steps, tell)


def training_of(cls: Any, config: Any) -> TrainConfig | None:
    """The settings of the trainer; None for a task that is done in one call."""
    settled: TrainConfig | None = cls.training(config) if hasattr(cls, "training") else config.train
    return settled


def refuse_trainer_settings(train: TrainConfig, own: Collection[str], kind: str) -> None:
    """Check what is set of a trainer for a model that is made without one; ``own`` are the settings it goes by.

    Raises:
        ConfigError: another one has been changed.
    """
    for name, (_, _, default) in knobs(type(train)).items():
        if name not in own and getattr(train, name) != default:
            raise ConfigError(f"{name} is a setting of the trainer, and {kind} needs none; leave it out")


def _ended(path: Path) -> str:
    """How the training of a run ended; an empty text where it never saved a model."""
    return str(artifact.read_json(path / artifact.REPORT)["ended"]) if (path / artifact.REPORT).exists() else ""


def _refuse_other_settings(path: Path, now: Any, then: Any) -> None:
    """Raise a ``ConfigError`` that names a setting in which a training that resumes differs from what it was."""
    for part in ("data", "model", "train"):
        ours, theirs = getattr(now, part), getattr(then, part)
        if type(ours) is not type(theirs) or getattr(ours, "kind", None) != getattr(theirs, "kind", None):
            raise ConfigError(
                f"{path} was trained with --{part} {theirs.kind}, not {ours.kind}; "
                "to resume leave that setting out, or give another --out"
            )
        for name, (declared, _, _) in knobs(type(ours)).items():
            if not declared.derived and getattr(ours, name) != getattr(theirs, name):
                raise ConfigError(
                    f"{path} was trained with {part}.{name} {getattr(theirs, name)}, not {getattr(ours, name)}; "
                    "to resume leave that setting out, or give another --out"
                )


def _train_into(
    path: Path,
    cls: Any,
    corpus: Any,
    config: Any,
    trainer: Trainer | None,
    processes: Processes,
    observers: Sequence[Observer],
    earlier: Mapping[str, Any] | None,
) -> None:
    observers = list(observers)

    def tell(event: Event) -> None:
        for observer in observers:
            observer(event)

    first = processes.first
    torch.manual_seed(config.train.seed)
    if not first:
        processes.wait()  # let the first one read and encode: what it leaves in the cache is for all
    task: Any = cls.prepare(corpus, config, tell, processes.shard)
    if first:
        processes.wait()
    digest = task.corpus_record()["digest"]
    if earlier is None and first:
        task.save_parts(path)
        artifact.write_json(path / artifact.CONFIG, _record(cls.name, task))
    elif earlier is not None and earlier["corpus"]["digest"] != digest:
        raise CorpusError(
            f"{path} was trained on another corpus than {task.corpus_record()['name']} is now (its digest differs); "
            "resume with the text as it was, or give another --out"
        )

    def save(report: Report) -> None:
        artifact.save_arrays(path / artifact.MODEL, weights_of(task.model), apart=True)
        artifact.write_json(path / artifact.REPORT, asdict(report))
        artifact.write_atomic(path / artifact.CARD, _card(path, task, report))

    if trainer is None:
        with MetricsFile(path / artifact.METRICS) as metrics:
            metrics.rewind(0)
            observers.insert(0, metrics)
            report = task.fit(tell)
        # what only the doing has shown (the number of words) goes into the record before the model that needs it
        task.save_parts(path)
        artifact.write_json(path / artifact.CONFIG, _record(cls.name, task))
        save(report)
        return
    kept, best = trainer.config, Best(path / artifact.BEST)
    checkpoints = Checkpoints(
        path / artifact.RESUME,
        kept.checkpoints,
        kept.checkpoint_steps,
        kept.checkpoint_minutes,
        tell=lambda text: tell(Note(text)),
    )
    if not first:
        trainer.fit(task, checkpoints=checkpoints, best=best)
        return
    with MetricsFile(path / artifact.METRICS) as metrics:
        checkpoints.log = metrics
        trainer.fit(task, [metrics, *observers], save, checkpoints, best)


def load(path: str | Path, device: str = "cpu", best: bool = False) -> Run:
    """Load a run from its folder alone; see :func:`textdl.load`."""
    path, place = Path(path), pick_device(device)
    record = artifact.read_config(path)
    cls = find_task(str(record.get("task")))
    config = config_from_record(cls, record)
    run: Run = cls.load_run(path, record, config)
    file = path / (artifact.BEST if best else artifact.MODEL)
    if best and not file.exists():
        raise RunError(f"{path} holds no {artifact.BEST}: nothing was held out in its training; leave --best out")
    if not put_weights(run.model, artifact.load_arrays(file)):
        raise RunError(f"{file} does not fit {artifact.CONFIG}: one of them is from another run")
    run.model.to(place)
    return run


def config_from_record(cls: Any, record: Mapping[str, Any]) -> Any:
    """The task's config in a ``config.json``, or in a hand-written table with some of its parts."""
    parts = {part: record[part] for part in ("data", "model", "train") if part in record}
    return build(cls.config_class, parts, "config")


def _record(name: str, task: Task) -> dict[str, Any]:
    versions = {package: metadata.version(package) for package in ("textdl", "torch", "numpy")}
    versions["python"] = platform.python_version()
    return {
        "format": artifact.FORMAT,
        "versions": versions,
        "task": name,
        "corpus": task.corpus_record(),
        **to_json(task.config),
    }


def _card(path: Path, task: Task, report: Report) -> str:
    """``card.md``: the run for people who find the folder later."""
    corpus = task.corpus_record()
    figures = "\n".join(f"| {name.replace('_', ' ')} | {value:.4g} |" for name, value in report.figures.items())
    facts = "\n".join(f"- {name}: {value}" for name, value in task.facts.items())
    return (
        f"# {path.name}\n\n"
        f"A `{task.name}` model made by textdl {metadata.version('textdl')}: {task.title}.\n\n"
        f"- corpus: {corpus['name']} (licence: {corpus['licence']}; digest {corpus['digest'][:12]})\n{facts}\n"
        f"- training: {report.ended}, {report.steps:,} steps, {report.epochs:.2f} epochs, {report.seconds:.0f} s, "
        f"seed {task.config.train.seed}\n\n"
        f"| figure | value |\n|---|---|\n{figures}\n\n"
        f"Use it: `textdl.load({path.name!r})`, or see `textdl info {path.name}`. All settings are in `config.json`.\n"
    )


def corpus_facts(corpus: Corpus) -> dict[str, Any]:
    """Name, licence and digest of a corpus, for ``config.json``."""
    return {"name": corpus.name, "licence": corpus.card.licence, "digest": corpus.digest}
