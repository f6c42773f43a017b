"""``textdl nearest RUN WORD...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

VECTORS = "Folder of a run of textdl train vectors, or a file of word vectors."


def make(name: str) -> typer.Typer:
    """The command ``nearest``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl nearest runs/news police minister; of a sum: textdl nearest runs/news 'king - man + woman'"
    )
    app.command(name, epilog=epilog)(nearest)
    return app


def nearest(
    run: Annotated[Path, typer.Argument(help=VECTORS)],
    words: Annotated[list[str], typer.Argument(help="Words, or sums of words: 'king - man + woman'.")],
    count: Annotated[int, typer.Option("--count", help="How many to show of each.", min=1)] = 10,
    most: Annotated[
        int | None, typer.Option("--most", help="Look among the N most frequent words only.", min=1)
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON object a query.")] = False,
) -> None:
    """Show the words whose vectors are nearest, by their cosine."""
    from textdl.vectors.opening import open_vectors

    vectors = open_vectors(run)
    answers = []  # all before the first is shown: an unknown word is told instead of them
    for query in words:
        plus, minus = ([query], []) if query in vectors else terms(query)  # a word may be a sign, or hold spaces
        several = minus or len(plus) > 1
        answers.append(vectors.combine(plus, minus, count, most) if several else vectors.nearest(plus[0], count, most))
    for number, (query, found) in enumerate(zip(words, answers, strict=True)):
        show(query, found, json_, first=number == 0)


def terms(query: str) -> tuple[list[str], list[str]]:
    """The words that a sum adds, and those it takes away. A word itself may hold a hyphen; the signs stand apart.

    Raises:
        ConfigError: a sign without a word, or two words without a sign.
    """
    from textdl.errors import ConfigError

    fields = query.split()
    if fields and fields[0] not in ("+", "-"):
        fields.insert(0, "+")
    signs, words = fields[::2], fields[1::2]
    whole = len(signs) == len(words) and all(sign in ("+", "-") for sign in signs)
    if not words or not whole or "+" not in signs:
        raise ConfigError(
            f"a query is a word or a sum like 'king - man + woman', got {query!r}; put a sign between words"
        )
    both = list(zip(signs, words, strict=True))
    return [word for sign, word in both if sign == "+"], [word for sign, word in both if sign == "-"]


def show(query: str, found: list[tuple[str, float]], as_json: bool, first: bool) -> None:
    """Print what was found: a line a word, or one JSON object."""
    import json

    if as_json:
        listed = [{"word": word, "score": round(score, 6)} for word, score in found]
        typer.echo(json.dumps({"query": query, "found": listed}, ensure_ascii=False))
        return
    typer.echo(f"{'' if first else chr(10)}{query}")
    for word, score in found:
        typer.echo(f"  {score:6.3f}  {word}")
