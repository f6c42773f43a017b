"""``textdl study dataset-size CORPUS --out FOLDER``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

if TYPE_CHECKING:
    from textdl.training.events import Observer

#: Flags that take a list, parted by spaces or commas.
LISTS = ("--models", "--sizes")


class WithLists(typer.core.TyperCommand):
    """A command whose flags of :data:`LISTS` take all words up to the next flag."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As of any command, with a flag put before each word of a list."""
        return super().parse_args(ctx, spread(args))


def spread(arguments: Sequence[str]) -> list[str]:
    """``--sizes 100 300`` and ``--sizes 100,300`` as ``--sizes 100 --sizes 300``; one without a word stays, empty."""
    made: list[str] = []
    flag = ""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if argument.startswith("-"):
            flag = name if name in LISTS else ""
            following = arguments[place + 1 : place + 2]
            if not flag:
                made.append(argument)
            elif not value and (equals or not following or following[0].startswith("-")):
                made.append(f"{flag}=")  # nothing is no list: it is refused, not left out
            argument = value if flag else ""
        elif not flag:
            made.append(argument)
        if flag:
            made += [word for part in argument.split(",") if part.strip() for word in (flag, part.strip())]
    return made


def make(name: str) -> typer.Typer:
    """The command ``dataset-size``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl study dataset-size reviews.csv --out studies/reviews --models nb-svm lstm --sizes 100 300 1000"
    )
    app.command(name, cls=WithLists, epilog=epilog)(dataset_size)
    return app


def dataset_size(
    corpus: Annotated[
        str, typer.Argument(help="A corpus of labelled texts: a built-in one, a file, a folder, hf:NAME.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the study; one that was stopped goes on.")],
    models: Annotated[
        list[str] | None,
        typer.Option("--models", metavar="NAME...", help="Models to train (default: nb-svm lstm)."),
    ] = None,
    sizes: Annotated[
        list[str] | None,
        typer.Option(
            "--sizes", metavar="N...", help="Numbers of examples; all for all (default: 100 300 1000 ... all)."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="Seeds for each size.", min=1, max=1000)] = 3,
    epochs: Annotated[
        float | None, typer.Option("--epochs", metavar="X", help="Of neural models (default: about 400 steps or more).")
    ] = None,
    minutes_at_most: Annotated[
        float | None, typer.Option("--minutes-at-most", metavar="X", help="Minutes that a training may take.")
    ] = None,
    test_at_most: Annotated[
        int, typer.Option("--test-at-most", metavar="N", help="Held-out texts to measure on.", min=1)
    ] = 5_000,
    text_field: Annotated[list[str] | None, typer.Option("--text-field", help="Field(s) that hold the text.")] = None,
    label_field: Annotated[str | None, typer.Option("--label-field", help="Field that holds the label.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting of textdl train classify, for the models that have it."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the study as JSON on standard output.")] = False,
) -> None:
    """Train models on ever more examples of a corpus, and measure all of them on the same held-out texts."""
    import json

    from textdl.inspect import dataset_size as work

    names = tuple(models or ("nb-svm", "lstm"))
    settings = _settings(names, set_ or [])
    settings |= {"data.text_field": tuple(text_field)} if text_field else {}
    settings |= {"data.label_field": label_field} if label_field else {}
    numbers = tuple(range(1, seeds + 1))
    try:
        with _progress(quiet) as tell:
            study = work.dataset_size(
                corpus, out, names, _numbers(sizes), numbers, settings, epochs, minutes_at_most, test_at_most, tell
            )
    except KeyboardInterrupt:
        typer.echo(f"stopped; what is done is in {out}, and the same command goes on with it", err=True)
        raise typer.Exit(130) from None
    if json_:
        typer.echo(json.dumps(study.to_json() | {"rows": [vars(row) for row in study.rows]}))
        return
    typer.echo(f"{study.table()}\n{study.claim()}")
    if not quiet:
        typer.echo(f"the study is in {out}: table.md, accuracy.png, study.json, rows.jsonl", err=True)


def _numbers(sizes: Sequence[str] | None) -> list[int | None] | None:
    """The sizes; None stands for all examples.

    Raises:
        ConfigError: one is no whole number.
    """
    from textdl.errors import ConfigError

    for size in sizes or ():
        if size != "all" and not (size.isascii() and size.isdigit()):
            raise ConfigError(f"--sizes takes whole numbers or all, got {size!r}; for example --sizes 100 300 1000 all")
    return [None if size == "all" else int(size) for size in sizes] if sizes else None


def _settings(models: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """The values of ``--set``: each is read as a setting of the first model that has it."""
    from textdl.config import replace
    from textdl.inspect.study_settings import check_models, has
    from textdl.tasks.classify import ClassificationConfig

    from .options import assignments

    check_models(models)
    starts = [replace(ClassificationConfig(), {"model": model}) for model in models]
    settings: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        owner = next((start for start in starts if has(start, name.strip())), None)
        if owner is None and value:
            settings[name.strip()] = value  # the study says what is wrong with it
        else:
            settings |= assignments(owner or starts[0], [text])
    return settings


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Observer]:
    """A bar with the time that is left, on a terminal; and a line for each training, on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from textdl.training.events import Event, Note, Working

    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False), TimeRemainingColumn())
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, disable=hidden, transient=True, speed_estimate_period=1800) as bar:
        shown = bar.add_task("reading", total=1.0)

        def tell(event: Event) -> None:
            if isinstance(event, Working) and bar.tasks[shown].description == "reading":
                # what an earlier call has done says nothing of how fast this one is
                bar.reset(shown, completed=event.share, description=event.text)  # type: ignore[arg-type]  # any number
            elif isinstance(event, Working):
                bar.update(shown, completed=event.share, description=event.text)
            elif isinstance(event, Note) and not quiet:
                console.print(event.text, markup=False, soft_wrap=True)

        yield tell
