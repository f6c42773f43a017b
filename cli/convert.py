"""``textdl convert IN OUT``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .nearest import VECTORS

if TYPE_CHECKING:
    from textdl.strokes.line import Lines


def make(name: str) -> typer.Typer:
    """The command ``convert``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl convert runs/news news.bin; textdl convert glove.6B.100d.txt glove.safetensors; "
        "textdl convert iam_ondb iam.npz; textdl convert sheep.npz train.npz --split train"
    )
    app.command(name, epilog=epilog)(convert)
    return app


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help=f"{VECTORS} Of strokes: the folder of IAM-OnDB, InkML, SVG, a sketch-rnn npz, an npz."
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="The file to write: .safetensors, .txt, .vec, .bin, .glove; .txt.gz too. Of strokes: .npz.",
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="Format of IN: safetensors, word2vec, word2vec-binary, glove (default: by its content)."
        ),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Format of OUT (default: by its name).")] = None,
    most: Annotated[int | None, typer.Option("--most", help="Take the first N words or lines only.", min=1)] = None,
    first: Annotated[bool, typer.Option("--first", help="Of a word that comes twice, keep the first vector.")] = False,
    step: Annotated[
        float | None, typer.Option("--step", help="Of strokes: points at even steps of N units along the pen's way.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="Of a sketch-rnn npz: train, validation or test only (default: all together)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write word vectors, or pen strokes, in another format."""
    from textdl.errors import ConfigError, RunError

    if target.exists() and not force:
        raise RunError(f"{target} is there already; give another name, or --force to write over it")
    if target.suffix.lower() == ".npz":
        for name, value in (("--from", from_), ("--to", to), ("--first", first)):
            if value:
                raise ConfigError(f"{name} is of word vectors, and {target} will hold strokes; leave it out")
        _strokes(source, target, most, step, split)
        return
    for name, given in (("--step", step), ("--split", split)):
        if given is not None:
            raise ConfigError(f"{name} is of strokes, which are written as .npz, got {target}; leave it out")
    _vectors(source, target, from_, to, most, first)


def _vectors(source: Path, target: Path, from_: str | None, to: str | None, most: int | None, first: bool) -> None:
    from textdl.errors import ConfigError
    from textdl.vectors.formats import load_vectors
    from textdl.vectors.opening import open_vectors
    from textdl.vectors.word_vectors import WordVectors

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


def _strokes(source: Path, target: Path, most: int | None, step: float | None, split: str | None) -> None:
    from textdl.strokes.npz import write_lines
    from textdl.strokes.resampling import evenly_all

    lines = _read(source, split)
    if most is not None:
        lines = lines[:most]
    if step is not None:
        lines = evenly_all(lines, step)
    write_lines(target, lines)
    for note in lines.notes:
        typer.echo(note, err=True)
    groups = len(set(lines.groups) - {""})
    more = f" of {groups:,} groups" if groups else ""
    typer.echo(f"{target}: {len(lines):,} lines{more}, {len(lines.deltas):,} points", err=True)


def _read(source: Path, split: str | None) -> Lines:
    from textdl.errors import ConfigError
    from textdl.strokes.opening import read_strokes
    from textdl.strokes.sketch import is_sketch, read_sketch

    if source.is_file() and is_sketch(source):
        return read_sketch(source, split)
    if split is not None:
        raise ConfigError(f"--split is of a sketch-rnn npz, and {source} is none; leave it out")
    return read_strokes(source)
