"""Figures of a translator as ``textdl evaluate`` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from .info import shown


def show_translations(figures: Mapping[str, Any]) -> None:
    """Print the figures of a translator, one a line, then the examples."""
    if figures["strange"]:
        typer.echo(f"note: {figures['strange']}; the model may never have seen this language", err=True)
    for key, value in figures.items():
        if key not in ("same_corpus", "examples", "strange"):
            typer.echo(f"{key.replace('_', ' '):<20} {shown(value)}")
    for example in figures.get("examples", ()):
        typer.echo()
        for side in ("source", "target", "said"):
            typer.echo(f"{side:<8}{' '.join(example[side].split())}")
