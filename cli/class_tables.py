"""Figures of a classifier as tables: what ``textdl evaluate`` prints of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .tables import console, print_figures

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST = 20  # classes up to which the confusion matrix is printed
SHORT = 3  # characters up to which labels head the columns of the confusion matrix
TEXT = 300  # characters of a mistake that are printed
#: Figures that have a table of their own, or are said beforehand.
TABLES = ("per_class", "confusion", "errors", "same_corpus")


def show_classes(figures: Mapping[str, Any], judged: str = "texts") -> None:
    """Print the figures of a classifier: one a line, then a table by class, the confusion matrix, the mistakes.

    Args:
        judged: what it judges.
    """
    where = console()
    print_figures(where, figures, TABLES)
    where.print()
    where.print(_per_class(figures["per_class"], judged))
    confusion = figures.get("confusion")
    if confusion is not None and len(confusion["labels"]) <= MOST:
        where.print()
        where.print(_confusion(confusion))
    elif confusion is not None:
        where.print(
            f"\n{len(confusion['labels'])} classes are too many to print how they are confused; see --confusion"
        )
    if "errors" in figures:
        _mistakes(where, figures["errors"])


def _per_class(classes: Mapping[str, Mapping[str, Any]], judged: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("class", "precision", "recall", "F1", judged):
        table.add_column(name, justify="left" if name == "class" else "right", overflow="fold")
    for label, row in classes.items():
        rates = [f"{row[name]:.4f}" for name in ("precision", "recall", "f1")]
        table.add_row(Text(_plain(label)), *rates, f"{row['support']:,}")
    return table


def _confusion(confusion: Mapping[str, Any]) -> Table:
    """Rows truth, columns what was predicted; long names are columns by number, so that they do not make it wide."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    table.add_column("truth \\ predicted", overflow="fold")
    labels = [_plain(label) for label in confusion["labels"]]
    short = all(len(label) <= SHORT for label in labels)
    for number, label in enumerate(labels, 1):
        table.add_column(Text(label) if short else str(number), justify="right", no_wrap=True)
    for number, (label, counts) in enumerate(zip(labels, confusion["counts"], strict=True), 1):
        cells = [
            Text(str(count), "bold" if at == number else "" if count else "dim") for at, count in enumerate(counts, 1)
        ]
        table.add_row(Text(label if short else f"{number:>2} {label}"), *cells)
    return table


def _mistakes(console: Console, mistakes: Sequence[Mapping[str, Any]]) -> None:
    if not mistakes:
        console.print("\nno mistakes")
        return
    console.print("\nthe worst mistakes")
    for mistake in mistakes:
        truth, said = named(mistake["truth"]), named(mistake["predicted"])
        of = f" ({mistake['label']})" if "label" in mistake else ""
        console.print(f"\n{said}{of}, probability {mistake['probability']:.4f}; truth: {truth}", style="bold")
        for text in (mistake["text"], mistake.get("second", "")):
            if text:
                console.print(_plain(text), soft_wrap=not console.is_terminal)


def named(label: str | Sequence[str] | None) -> str:
    """A label, or several; None is one that is no class of the run."""
    if label is None:
        return "no class of the run"
    return _plain(label) if isinstance(label, str) else ", ".join(map(_plain, label)) or "none"


def _plain(text: str) -> str:
    """A text on one line, not too long, with nothing that a terminal would take for an order."""
    from textdl.text.visible import visible

    line = " ".join(visible(text[: 4 * TEXT]).split())
    return line if len(line) <= TEXT else line[: TEXT - 1] + "…"
