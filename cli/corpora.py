"""``textdl corpora`` and ``textdl corpora show NAME``."""

from __future__ import annotations

from typing import Annotated

import typer


def make(name: str) -> typer.Typer:
    """The group ``corpora``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", invoke_without_command=True)
    app.callback(epilog="Example: textdl corpora show recipes")(corpora)
    app.command("show", epilog="Example: textdl corpora show recipes --samples 3")(show)
    return app


def corpora(ctx: typer.Context) -> None:
    """List the built-in corpora, or show one."""
    if ctx.invoked_subcommand is not None:
        return
    from textdl_corpora import NAMES

    from textdl.corpus import open_corpus

    for name in NAMES:
        card = open_corpus(name).card
        typer.echo(f"{name:<16} {card.title} ({card.language}, {card.licence})")
    typer.echo(
        "\nAny text file, folder, .jsonl, .csv, .tsv or .parquet is a corpus too, and hf:NAME from the hub.",
        err=True,
    )


def show(
    name: Annotated[str, typer.Argument(help="A built-in corpus, a file, a folder, or hf:NAME[:config].")],
    samples: Annotated[int, typer.Option("--samples", help="Texts to print.", min=0)] = 2,
    text_field: Annotated[list[str] | None, typer.Option("--text-field", help="Field(s) that hold the text.")] = None,
) -> None:
    """Print the card of a corpus and some of its texts."""
    from itertools import islice

    from textdl.corpus import CorpusConfig, open_corpus

    corpus = open_corpus(name, CorpusConfig(text_field=tuple(text_field or ())))
    typer.echo(corpus.card.body.strip() or f"{corpus.card.title} ({corpus.card.source})")
    for text in islice(corpus.split("train"), samples):
        typer.echo("\n" + "-" * 40 + "\n\n" + (text if len(text) <= 3000 else text[:3000] + " ..."))
