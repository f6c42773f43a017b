"""``textdl evaluate RUN [CORPUS]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .info import shown


def make(name: str) -> typer.Typer:
    """The command ``evaluate``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name, epilog="Example: textdl evaluate runs/recipes --split test --json")(evaluate)
    return app


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    corpus: Annotated[
        str | None, typer.Argument(help="A corpus; the one it was trained on, when none is given.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Which part (default: test; all of a corpus that has no such part).")
    ] = None,
    text_field: Annotated[list[str] | None, typer.Option("--text-field", help="Field(s) that hold the text.")] = None,
    device: Annotated[str, typer.Option("--device", help="Where to run: cpu, cuda, auto.")] = "cpu",
    best: Annotated[
        bool, typer.Option("--best", help="The model at its best evaluation, instead of the last one.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Measure a trained model on held-out text."""
    import json

    from textdl.tasks import base

    figures = base.load(run, device, best).evaluate(corpus, split, tuple(text_field or ()))
    if json_:
        typer.echo(json.dumps(figures))
        return
    if not figures["same_corpus"]:
        typer.echo(f"note: {figures['corpus']} is not the text that the run was trained on", err=True)
    for key, value in figures.items():
        if key != "same_corpus":
            typer.echo(f"{key.replace('_', ' '):<20} {shown(value)}")
