"""``textdl train lm CORPUS --out RUN`` and its like: the flags are the fields of the task's config."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from textdl import artifact
from textdl.config import knobs, replace
from textdl.errors import ConfigError, RunError, near
from textdl.tasks import find_task

from .options import assignments, given, options, with_options

PANELS = {"data": "Corpus", "model": "Model", "train": "Training"}


def make(name: str, arguments: Sequence[str] = ()) -> typer.Typer:
    """The command that trains the task ``name``; its flags are those of the model that the arguments name."""
    task, start = find_task(name), start_of(name, arguments)
    parts = parts_of(start)
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")

    def train(
        out: Annotated[Path, typer.Option("--out", help="Folder of the run that is made.")],
        config: Annotated[
            Path | None, typer.Option("--config", help="Settings from a config.json; flags go on top of it.")
        ] = None,
        set_: Annotated[
            list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting that has no flag.")
        ] = None,
        tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard files to RUN.")] = False,
        resume: Annotated[
            bool, typer.Option("--resume", help="Go on with the run in --out, or start it if there is none.")
        ] = False,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing while training.")] = False,
        json_: Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")] = False,
        **flags: Any,
    ) -> None:
        corpus = flags.pop("corpus")
        settings = {**dotted(given(flags), parts), **assignments(start, set_ or [])}
        begin = read_config(name, config) if config else None
        _run(name, corpus_or_files(task, corpus, settings), out, begin, settings, resume, tensorboard, quiet, json_)

    train.__doc__ = task.__doc__
    rare = ", ".join(
        f"{part}.{n}" for part, cls in parts.items() for n, (k, _, _) in knobs(cls).items() if not (k.flag or k.derived)
    )
    flags_of = [p for part, cls in parts.items() for p in options(cls, PANELS[part])]
    parameters = [corpus_argument(task), *model_option(task, start), *flags_of]
    shown = getattr(task, "example", "recipes --out runs/recipes --minutes 2")
    example = f"Example: textdl train {name} {shown}. Rarer settings, by --set: {rare}."
    app.command(name, epilog=example)(with_options(train, parameters))
    return app


def corpus_argument(task: Any) -> inspect.Parameter:
    """The argument CORPUS; it can be left out of a task that can be told its files instead."""
    argument = typer.Argument(help="A built-in corpus, a file, a folder, or hf:NAME[:config].")
    kind: Any = Annotated[str | None if hasattr(task, "files_by") else str, argument]
    default = None if hasattr(task, "files_by") else inspect.Parameter.empty
    return inspect.Parameter("corpus", inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def corpus_or_files(task: Any, corpus: str | None, settings: dict[str, Any]) -> str:
    """The corpus; of a task that can be told its files instead (``files_by``), the folder that they are named from.

    Raises:
        ConfigError: neither is given, or there is no such file.
    """
    if corpus is not None:
        return corpus
    named = {flag: settings[f"data.{flag}"] for flag in task.files_by if f"data.{flag}" in settings}
    if len(named) == len(task.files_by):
        for flag, name in named.items():
            _check_file(flag, name)
        return "."
    files = " and ".join(f"--{flag} FILE" for flag in task.files_by)
    raise ConfigError(f"name a corpus, or {files}; textdl corpora lists those that are built in")


def _check_file(flag: str, name: str) -> None:
    try:
        path = Path(name).expanduser()
        if path.is_file():
            return
        beside = [other.name for other in path.parent.iterdir() if other.is_file()] if name else []
    except (OSError, ValueError, RuntimeError):  # no such folder; a name too long, or of no user's home
        beside = []
    close = near(Path(name).name, beside)
    remedy = close if close.startswith("did you mean") else "name the file, or the corpus that it is a side of"
    raise ConfigError(f"--{flag}: there is no file {name!r}; {remedy}")


def _run(
    task: str,
    corpus: str,
    out: Path,
    config: Any,
    settings: dict[str, Any],
    resume: bool,
    tensorboard: bool,
    quiet: bool,
    json_: bool,
) -> None:
    import os

    from textdl.tasks import base
    from textdl.training.observers import TensorBoard, view

    if os.environ.get("RANK", "0") != "0":  # under torchrun the first process speaks for all
        quiet, json_, tensorboard = True, False, False
    watcher = view()
    observers = ([TensorBoard(out)] if tensorboard else []) + ([] if quiet else [watcher])
    try:
        run = base.train(task, corpus, out, config, observers, settings, resume)
    finally:
        if hasattr(watcher, "close"):
            watcher.close()
    report = run.report
    if json_:
        import json

        typer.echo(json.dumps({"run": str(out), **report}))
    elif not quiet:
        typer.echo(f"the run is in {out}; next: {run.next_command()}", err=True)
    if report["ended"] == "interrupted":
        raise typer.Exit(130)


def start_of(name: str, arguments: Sequence[str]) -> Any:
    """The config that the flags go on top of: the defaults, those of ``--config``, or of the run that is resumed; of
    the model that ``--model`` names.

    Raises:
        ConfigError: there is no such model, or the file can not be read.
    """
    task = find_task(name)
    values = {flag: _value(flag, arguments) for flag in ("--config", "--out", "--model")}
    start = task.config_class()
    if values["--config"]:
        start = read_config(name, Path(values["--config"]))
    elif values["--out"] and "--resume" in arguments and (Path(values["--out"]) / artifact.CONFIG).exists():
        with contextlib.suppress(ConfigError):  # of another task, which the training itself will say
            start = read_config(name, Path(values["--out"]))
    return replace(start, {"model": values["--model"]}) if values["--model"] and hasattr(task, "models") else start


def _value(flag: str, arguments: Sequence[str]) -> str | None:
    """What is given for a flag, as ``--flag value`` or ``--flag=value``; the last time counts."""
    found = None
    for place, argument in enumerate(arguments):
        if argument == flag and place + 1 < len(arguments):
            found = arguments[place + 1]
        elif argument.startswith(f"{flag}="):
            found = argument.partition("=")[2]
    return found


def model_option(task: Any, start: Any) -> list[inspect.Parameter]:
    """The flag ``--model`` of a task that has several; none of another."""
    if not hasattr(task, "models"):
        return []
    note = f"Which model; its own settings are its flags ({', '.join(task.models)}; here: {start.model.kind})."
    option = typer.Option("--model", help=note, metavar="NAME", show_default=False, rich_help_panel=PANELS["model"])
    kind = Annotated[str | None, option]
    return [inspect.Parameter("model", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)]


def parts_of(config: Any) -> dict[str, type]:
    """The classes of the parts of a task's config by name."""
    return {part: type(getattr(config, part)) for part in PANELS}


def dotted(flags: dict[str, Any], parts: dict[str, type]) -> dict[str, Any]:
    """Flags by the part of the config that owns them: a derived field of another part may have the same name."""
    owners = {n: part for part, cls in parts.items() for n, (k, _, _) in knobs(cls).items() if k.flag}
    return {name if name == "model" else f"{owners[name]}.{name}": value for name, value in flags.items()}


def read_config(task: str, path: Path) -> Any:
    """The config of a task from a ``config.json``, or from the run folder that holds it.

    Raises:
        ConfigError: the file can not be read, or is not of such a config.
    """
    from textdl.tasks import base

    try:
        record = artifact.read_json(path / artifact.CONFIG if path.is_dir() else path)
    except RunError as error:
        raise ConfigError(f"--config: {error}") from None
    return base.config_from_record(find_task(task), record)
