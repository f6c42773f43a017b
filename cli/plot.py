"""``textdl plot RUN --out map.png``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .nearest import VECTORS

MOST = 2_000  # words on a picture


def make(name: str) -> typer.Typer:
    """The command ``plot``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name, epilog="Example: textdl plot runs/news --words words.txt --out map.png --projection tsne")(plot)
    return app


def plot(
    run: Annotated[Path, typer.Argument(help=VECTORS)],
    out: Annotated[Path, typer.Option("--out", help="The picture: .png, .svg or .pdf.")],
    words: Annotated[
        Path | None,
        typer.Option("--words", help="File of words, one or several a line; a blank line begins another colour."),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", help="Without --words: the N most frequent words that are no stop words.", min=2)
    ] = 150,
    projection: Annotated[
        str, typer.Option("--projection", help="How to come to two dimensions: pca, tsne, umap.")
    ] = "pca",
    seed: Annotated[int, typer.Option("--seed", help="Of t-SNE and UMAP.", min=0)] = 0,
    title: Annotated[str, typer.Option("--title", help="Above the picture.")] = "",
) -> None:
    """Draw words on a plane, so that those with near vectors are near."""
    from itertools import islice
    from typing import Any, cast

    from textdl.errors import ConfigError
    from textdl.text.stop_words import ENGLISH
    from textdl.vectors.opening import open_vectors
    from textdl.vectors.projection import plot_words
    from textdl.vectors.word_vectors import VectorsError

    if count > MOST:
        raise ConfigError(f"--count must be at most {MOST:,}, more words can not be told apart, got {count:,}")
    vectors = open_vectors(run)
    if words is None:
        frequent = (vectors.words[place] for place in vectors.frequent())
        groups = [list(islice((word for word in frequent if word.lower() not in ENGLISH), count))]
    else:
        groups = _read(words)
        unknown = list(dict.fromkeys(word for group in groups for word in group if vectors.find(word) is None))
        groups = [[word for word in group if vectors.find(word) is not None] for group in groups]
        if unknown:
            shown = ", ".join(unknown[:10]) + (" …" if len(unknown) > 10 else "")
            typer.echo(f"note: {len(unknown)} words of {words} have no vector: {shown}", err=True)
    several = [group for group in groups if group]
    if not several and words is None:
        raise VectorsError(f"all {len(vectors):,} words of {run} are stop words; name those to draw by --words FILE")
    if not several:
        raise VectorsError(f"none of the words of {words} has a vector; name words of the text it was trained on")
    points = plot_words(vectors, several if len(several) > 1 else several[0], out, cast(Any, projection), seed, title)
    typer.echo(f"{len(points):,} words drawn by {projection} in {out}", err=True)


def _read(path: Path) -> list[list[str]]:
    """The words of a file, in groups."""
    from textdl.errors import CorpusError
    from textdl.text.files import read_text

    groups: list[list[str]] = [[]]
    for line in "".join(read_text(path)).splitlines():
        if line.split():
            groups[-1] += line.split()
        elif groups[-1]:
            groups.append([])
    if not groups[0]:
        raise CorpusError(f"{path} is empty; write words into it, one a line")
    return groups
