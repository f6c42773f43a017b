"""``textdl train TASK CORPUS --out RUN``."""

from __future__ import annotations

import typer

from .lazy import task_group


def make(name: str) -> typer.Typer:
    """The group ``train``."""
    app = typer.Typer(
        cls=task_group("textdl_cli.train_task"), no_args_is_help=True, add_completion=False, rich_markup_mode="rich"
    )

    @app.callback(epilog="Example: textdl train lm recipes --out runs/recipes --minutes 2")
    def train() -> None:
        """Train a model on a corpus. Ctrl-C saves the run as it is."""

    return app
