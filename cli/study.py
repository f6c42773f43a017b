"""``textdl study NAME ...``: measurements of many trainings."""

from __future__ import annotations

from typing import ClassVar

import typer

from .lazy import LazyGroup


class Studies(LazyGroup):
    """The studies there are."""

    table: ClassVar = {
        "dataset-size": ("textdl_cli.study_dataset_size", "How accurate models are with ever more labelled examples."),
    }


def make(name: str) -> typer.Typer:
    """The group ``study``."""
    app = typer.Typer(cls=Studies, no_args_is_help=True, add_completion=False, rich_markup_mode="rich")

    @app.callback(epilog="Example: textdl study dataset-size reviews --out studies/reviews --models nb-svm lstm")
    def study() -> None:
        """Train many models and say how they compare. Ctrl-C keeps what is done; the same command goes on."""

    return app
