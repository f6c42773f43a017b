"""What the tables of figures have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from .info import shown

if TYPE_CHECKING:
    from rich.console import Console

#: Columns where the width of the reader's window is not known: in a file, or another program.
WIDE = 160


def console() -> Console:
    """Where tables are printed; labels and texts are somebody's data: ":cat:" is no picture and "[b]" no style."""
    from rich.console import Console

    made = Console(highlight=False, emoji=False, markup=False)
    if not made.is_terminal:
        made.width = WIDE
    return made


def print_figures(where: Console, figures: Mapping[str, Any], without: Collection[str]) -> None:
    """Figures, one a line, but those that have a table of their own."""
    for key, value in figures.items():
        if key not in without:
            where.print(f"{key.replace('_', ' '):<20} {shown(value)}", soft_wrap=True)
