"""Figures of a tagger as tables: what ``textdl evaluate`` prints of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .tables import console, print_figures

if TYPE_CHECKING:
    from rich.table import Table

#: Figures that have a table of their own, or are said beforehand.
TABLES = ("per_tag", "per_span", "same_corpus")


def show_tags(figures: Mapping[str, Any]) -> None:
    """Print the figures of a tagger: one a line, then a table of the spans where there are such, and of the tags."""
    where = console()
    print_figures(where, figures, TABLES)
    for name, title, counted in (("per_span", "span", "spans"), ("per_tag", "tag", "words")):
        if figures.get(name):
            where.print()
            where.print(_table(figures[name], title, counted))


def tags_json(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures as JSON has them: null for what is not a number."""
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in figures.items()}


def _table(rows: Mapping[str, Mapping[str, Any]], title: str, counted: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    from textdl.text.visible import visible

    table = Table(box=None, pad_edge=False)
    for name in (title, "precision", "recall", "F1", counted):
        table.add_column(name, justify="left" if name == title else "right", overflow="fold")
    for label, row in rows.items():
        rates = [f"{row[name]:.4f}" for name in ("precision", "recall", "f1")]
        table.add_row(Text(" ".join(visible(label).split())), *rates, f"{row['support']:,}")
    return table
