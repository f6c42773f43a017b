"""Figures of a run of images as tables: what ``textdl evaluate`` prints of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .class_tables import named, show_classes
from .tables import console

if TYPE_CHECKING:
    from rich.table import Table


def show_images(figures: Mapping[str, Any]) -> None:
    """Print the figures of a run of images, as those of a classifier of texts, and its worst mistakes as a table."""
    show_classes({name: value for name, value in figures.items() if name != "errors"}, "images")
    if "errors" not in figures:
        return
    where = console()
    where.print()
    if not figures["errors"]:
        where.print("no mistakes")
        return
    where.print("the worst mistakes")
    where.print(_mistakes(figures["errors"]))


def draw_sheet(
    loaded: Any, figures: Mapping[str, Any], where: tuple[Any, ...], asked: Mapping[str, Any], path: Path
) -> None:
    """Draw the worst mistakes of an evaluation of ``where`` (corpus, split), and say so on standard error."""
    from textdl.inspect.mistakes_sheet import MOST, draw_mistakes

    mistakes = figures["errors"]
    if not mistakes:
        typer.echo(f"note: there are no mistakes, so {path} is not written", err=True)
        return
    settings = {name: asked[name] for name in ("label_field", "size") if name in asked}
    pixels = loaded.images(where[0], where[1], **settings).pixels
    wrong = round(figures["error"] * figures["examples"])
    title = f"{figures['corpus']}, {figures['split']}: {wrong:,} of {figures['examples']:,} are wrong"
    shown = min(len(mistakes), MOST)
    if shown < wrong:
        title += f", the {shown:,} worst"
    drawn = draw_mistakes(pixels, mistakes, path, title)
    typer.echo(f"{drawn} mistakes drawn in {path}", err=True)


def _mistakes(mistakes: Sequence[Mapping[str, Any]]) -> Table:
    """The images by their numbers in the split, from 0."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("image", justify="right")
    table.add_column("truth", overflow="fold")
    table.add_column("said", overflow="fold")
    table.add_column("probability", justify="right")
    for mistake in mistakes:
        labels = (Text(named(mistake[name])) for name in ("truth", "said"))
        table.add_row(f"{mistake['index']}", *labels, f"{mistake['probability']:.4f}")
    return table
