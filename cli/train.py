"""``textdl train TASK CORPUS --out RUN``."""

from __future__ import annotations

from typing import ClassVar

import typer

from textdl.tasks import TASKS

from .lazy import LazyGroup


class Tasks(LazyGroup):
    """One sub-command a task; torch is imported only when one is named."""

    table: ClassVar = {name: ("textdl_cli.train_task", line) for name, (_, _, line) in TASKS.items()}


def make(name: str) -> typer.Typer:
    """The group ``train``."""
    app = typer.Typer(cls=Tasks, no_args_is_help=True, add_completion=False, rich_markup_mode="rich")

    @app.callback(epilog="Example: textdl train lm recipes --out runs/recipes --minutes 2")
    def train() -> None:
        """Train a model on a corpus. Ctrl-C saves the run as it is."""

    return app
