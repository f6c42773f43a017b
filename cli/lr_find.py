"""``textdl lr-find TASK CORPUS``."""

from __future__ import annotations

import typer

from .lazy import task_group


def make(name: str) -> typer.Typer:
    """The group ``lr-find``."""
    app = typer.Typer(
        cls=task_group("textdl_cli.lr_find_task"), no_args_is_help=True, add_completion=False, rich_markup_mode="rich"
    )

    @app.callback(epilog="Example: textdl lr-find lm recipes --cell lstm --plot lr.png")
    def lr_find() -> None:
        """Find a learning rate: a short training with a rate that rises until the loss runs away (Smith 2017)."""

    return app
