"""``textdl lr-find lm CORPUS`` and its like: the flags are those of ``textdl train`` that matter to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from textdl.tasks import find_task

from .options import assignments, given, options, with_options
from .train_task import (
    PANELS,
    corpus_argument,
    corpus_or_files,
    dotted,
    model_option,
    parts_of,
    read_config,
    start_of,
)

#: Settings of a training that a range test has no use for.
_WITHOUT = ("epochs", "steps", "minutes", "lr", "schedule", "patience")


def make(name: str, arguments: Sequence[str] = ()) -> typer.Typer:
    """The command that tests the task ``name``; its flags are those of the model that the arguments name."""
    task, start = find_task(name), start_of(name, arguments)
    parts = parts_of(start)
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")

    def lr_find(
        lowest: Annotated[float, typer.Option("--lowest", metavar="X", help="First rate (default: 1e-06).")] = 1e-6,
        highest: Annotated[float, typer.Option("--highest", metavar="X", help="Last rate (default: 10).")] = 10.0,
        rates: Annotated[int, typer.Option("--rates", metavar="N", help="Steps, each with a rate of its own.")] = 100,
        plot: Annotated[Path | None, typer.Option("--plot", help="File of the picture (.png, .svg, .pdf).")] = None,
        config: Annotated[
            Path | None, typer.Option("--config", help="Settings from a config.json; flags go on top of it.")
        ] = None,
        set_: Annotated[
            list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting that has no flag.")
        ] = None,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
        json_: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
        **flags: Any,
    ) -> None:
        corpus = flags.pop("corpus")
        settings = {**dotted(given(flags), parts), **assignments(start, set_ or [])}
        begin = read_config(name, config) if config else task.config_class()
        place = corpus_or_files(task, corpus, settings)
        _run(name, place, begin, settings, (lowest, highest, rates), plot, quiet, json_)

    lr_find.__doc__ = "Find a learning rate for a model and a corpus by a short test; nothing is kept of the model."
    parameters = [corpus_argument(task), *model_option(task, start)] + [
        p for part, cls in parts.items() for p in options(cls, PANELS[part]) if p.name not in _WITHOUT
    ]
    example = (
        f"Example: textdl lr-find {name} recipes --hidden 512 --plot lr.png. Its picture is the loss over the rate."
    )
    app.command(name, epilog=example)(with_options(lr_find, parameters))
    return app


def _run(
    name: str,
    corpus: str,
    config: Any,
    settings: dict[str, Any],
    bounds: tuple[float, float, int],
    picture: Path | None,
    quiet: bool,
    json_: bool,
) -> None:
    import json
    from dataclasses import asdict

    from textdl.tasks import base

    writer = _picture_file(picture) if picture else None
    with _progress(bounds[2], quiet) as tell:
        task, found = base.find_rate(name, corpus, config, settings, *bounds, tell)
    if writer is not None:
        from textdl.training.lr_find import plot

        writer(plot(found, task.title))
    if json_:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"suggested: --lr {found.suggested:.2g}")
    typer.echo(f"the loss fell from {found.smoothed[0]:.3f} to {min(found.smoothed):.3f}, lowest at {found.lowest:.2g}")
    typer.echo(f"it ran away at {found.diverged:.2g}" if found.diverged else "it never ran away; go on with --highest")
    if picture:
        typer.echo(f"the picture is {picture}")


def _picture_file(path: Path) -> Any:
    """What writes a figure into the file, whole or not at all.

    Raises:
        ConfigError: not a kind of picture, or no such folder; before anything is trained.
    """
    import io

    from textdl import artifact
    from textdl.errors import ConfigError

    kind = path.suffix.removeprefix(".").lower()
    if kind not in ("png", "svg", "pdf"):
        raise ConfigError(f"--plot writes .png, .svg or .pdf, got {str(path)!r}")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--plot: the folder {path.absolute().parent} is not there; make it, or name another")

    def write(figure: Any) -> None:
        content = io.BytesIO()
        figure.savefig(content, format=kind, dpi=150)
        artifact.write_atomic(path, content.getvalue())

    return write


def _progress(steps: int, quiet: bool) -> Any:
    """A bar on standard error, as a context that gives what is to be told of each step."""
    import contextlib
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    @contextlib.contextmanager
    def shown() -> Iterator[Callable[[int, float, float], None]]:
        console = Console(stderr=True)
        columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bar:
            shown = bar.add_task("reading", total=steps)

            def tell(step: int, rate: float, loss: float) -> None:
                bar.update(shown, completed=step, description=f"rate {rate:.1e}  loss {loss:.3f}")

            yield tell

    return shown()
