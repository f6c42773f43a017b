"""``textdl plot RUN --animation`` of a run of points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer


def plot_points(run: Path, out: Path, *_: Any) -> None:
    """Draw how the layers bend the plane until the classes part; there is nothing else to draw of such a run."""
    from textdl.inspect.bending import draw_bending

    draw_bending(run, out)
    typer.echo(f"the bent plane is drawn in {out}", err=True)
