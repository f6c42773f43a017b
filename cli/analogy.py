"""``textdl analogy RUN man king woman``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .nearest import VECTORS, show


def make(name: str) -> typer.Typer:
    """The command ``analogy``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name, epilog="Example: textdl analogy runs/news man king woman --count 3")(analogy)
    return app


def analogy(
    run: Annotated[Path, typer.Argument(help=VECTORS)],
    a: Annotated[str, typer.Argument(help="A word;")],
    b: Annotated[str, typer.Argument(help="what it is to this word,")],
    c: Annotated[str, typer.Argument(help="this one is to the word that is looked for.")],
    count: Annotated[int, typer.Option("--count", help="How many answers.", min=1)] = 5,
    method: Annotated[
        str, typer.Option("--method", help="add: nearest to b - a + c; mul: its multiplicative form.")
    ] = "add",
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Find the word that is to C as B is to A."""
    from typing import Any, cast

    from textdl.vectors.opening import open_vectors

    found = open_vectors(run).analogy(a, b, c, count, cast(Any, method))
    show(f"{a} : {b} = {c} : ?", found, json_, first=True)
