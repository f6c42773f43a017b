"""``textdl forecast RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Best, Device
from .runs import run_of


def make(name: str) -> typer.Typer:
    """The command ``forecast``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl forecast runs/sales --steps 24 --plot sales.png; textdl forecast runs/sales --file new.csv"
    )
    app.command(name, epilog=epilog)(forecast)
    return app


def forecast(
    run: Annotated[Path, typer.Argument(help="Folder of a trained forecaster.")],
    file: Annotated[
        Path | None,
        typer.Option("--file", help="What was before, a table with the run's columns (default: the run's own series)."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", help="How many numbers (default: as many as are forecast at once).", min=1, max=100_000
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="The forecast as a picture: .png, .svg or .pdf.")] = None,
    device: Device = "cpu",
    best: Best = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Say which numbers come next, with a band about each; beyond what is forecast at once its own medians go in."""
    import json

    from textdl.inspect.forecast_picture import draw_forecast, picture

    from .forecast_tables import as_record, show_forecast

    if plot is not None:
        picture(plot)  # a wrong name is told before the work, not after it
    loaded = run_of("forecast", run, device, best)
    known = None if file is None else loaded.opened(file, whole=True)
    for note in () if known is None else known.notes:
        typer.echo(f"note: {note}", err=True)
    found = loaded.forecast(known, steps)
    if plot is not None:
        draw_forecast(found, plot, loaded.config["corpus"]["name"] if known is None else known.name)
        typer.echo(f"forecast drawn in {plot}", err=True)
    if json_:
        typer.echo(json.dumps(as_record(found), ensure_ascii=False))
        return
    if len(found) > loaded.horizon:
        typer.echo(
            f"note: beyond {loaded.horizon} steps the run goes on from its own medians; there the band is too narrow",
            err=True,
        )
    show_forecast(found)
