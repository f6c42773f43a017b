"""``textdl convert IN OUT``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .nearest import VECTORS


def make(name: str) -> typer.Typer:
    """The command ``convert``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = "Example: textdl convert runs/news news.bin; textdl convert glove.6B.100d.txt glove.safetensors"
    app.command(name, epilog=epilog)(convert)
    return app


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help=VECTORS)],
    target: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The file to write: .safetensors, .txt, .vec, .bin, .glove; .txt.gz too."),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="Format of IN: safetensors, word2vec, word2vec-binary, glove (default: by its content)."
        ),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Format of OUT (default: by its name).")] = None,
    most: Annotated[int | None, typer.Option("--most", help="Take the first N words only.", min=1)] = None,
    first: Annotated[bool, typer.Option("--first", help="Of a word that comes twice, keep the first vector.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write word vectors in another format."""
    from textdl.errors import ConfigError, RunError
    from textdl.vectors.formats import load_vectors
    from textdl.vectors.opening import open_vectors
    from textdl.vectors.word_vectors import WordVectors

    if target.exists() and not force:
        raise RunError(f"{target} is there already; give another name, or --force to write over it")
    if source.is_dir() and from_ is not None:
        raise ConfigError(f"--from is the format of a file, got {from_} for the folder {source}; leave it out")
    if source.is_dir() or not source.exists():
        vectors = open_vectors(source)
        if most is not None:
            counts = None if vectors.counts is None else vectors.counts[:most]
            vectors = WordVectors(vectors.words[:most], vectors.matrix[:most], counts)
    else:
        vectors = load_vectors(source, from_, most=most, repeated="first" if first else "refuse")
    vectors.save(target, to)
    typer.echo(f"{target}: {len(vectors):,} words of {vectors.dim} dimensions", err=True)
