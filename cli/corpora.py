"""``textdl corpora`` and ``textdl corpora show NAME``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from textdl.text.card import Card


def make(name: str) -> typer.Typer:
    """The group ``corpora``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", invoke_without_command=True)
    app.callback(epilog="Example: textdl corpora show recipes")(corpora)
    app.command("show", epilog="Example: textdl corpora show recipes --samples 3")(show)
    return app


def corpora(
    ctx: typer.Context, json_: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False
) -> None:
    """List the corpora that have a name, or show one."""
    if ctx.invoked_subcommand is not None:
        return
    rows = _built_in() + _named()
    if json_:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        if row["from"] == "built in":
            typer.echo(f"{row['name']:<18} {row['title']} ({row['language']}, {row['licence']})")
    typer.echo("\nRead from elsewhere when they are asked for:\n")
    for row in rows:
        if row["from"] != "built in":
            typer.echo(f"{row['name']:<18} {row['title']} ({row['from']})")
    typer.echo(
        "\nAny text file, folder, .jsonl, .csv, .tsv or .parquet is a corpus too, and hf:NAME from the hub.",
        err=True,
    )


def _built_in() -> list[dict[str, str]]:
    from textdl_corpora import NAMES

    cards = {name: _card(name) for name in NAMES}
    return [
        {"name": name, "title": card.title, "language": card.language, "licence": card.licence, "from": "built in"}
        for name, card in cards.items()
    ]


def _card(name: str) -> Card:
    """The card of a built-in corpus, whatever it holds."""
    import textdl_corpora

    from textdl.text.card import read_card

    return read_card(Path(str(textdl_corpora.__file__)).parent / name / "CARD.md", holds=None).card


def _named() -> list[dict[str, str]]:
    from textdl.text.named import NAMED
    from textdl.text.nltk_tagged import NAMED_TAGGED

    judged = [
        {"name": name, "title": named.title, "language": "en", "licence": "unknown", "from": named.source}
        for name, named in NAMED.items()
    ]
    return judged + [
        {
            "name": name,
            "title": f"{named.title}, for train tag",
            "language": named.language,
            "licence": "unknown",
            "from": f"nltk's {named.package}",
        }
        for name, named in NAMED_TAGGED.items()
    ]


def show(
    name: Annotated[str, typer.Argument(help="A corpus with a name, a file, a folder, or hf:NAME[:config].")],
    samples: Annotated[int, typer.Option("--samples", help="Texts to print.", min=0)] = 2,
    text_field: Annotated[list[str] | None, typer.Option("--text-field", help="Field(s) that hold the text.")] = None,
) -> None:
    """Print the card of a corpus and some of its texts."""
    from itertools import islice

    from textdl_corpora import NAMES

    from textdl.corpus import CorpusConfig, open_corpus

    if name in NAMES and (card := _card(name)).holds != "text":
        typer.echo(card.body)
        return
    corpus = open_corpus(name, CorpusConfig(text_field=tuple(text_field or ())))
    typer.echo(corpus.card.body.strip() or f"{corpus.card.title} ({corpus.card.source})")
    for text in islice(corpus.split("train"), samples):
        typer.echo("\n" + "-" * 40 + "\n\n" + (text if len(text) <= 3000 else text[:3000] + " ..."))
