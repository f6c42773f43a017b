"""``textdl tag RUN TEXT...``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .lines import batches, lines_of, typed, whole
from .options import Best, Device
from .runs import run_of

BATCH = 256  # texts that are tagged at once


def make(name: str) -> typer.Typer:
    """The command ``tag``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl tag runs/names 'She flew from Berlin to New York.'; "
        "textdl tag runs/names --file letters.txt --html letters.html"
    )
    app.command(name, epilog=epilog)(tag)
    return app


def tag(
    run: Annotated[Path, typer.Argument(help="Folder of a trained tagger.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to tag.")] = None,
    file: Annotated[str | None, typer.Option("--file", help="A file with a text a line; - is standard input.")] = None,
    tokenized: Annotated[
        bool, typer.Option("--tokenized", help="Each text is one sentence already, with spaces between its words.")
    ] = False,
    conll: Annotated[
        bool, typer.Option("--conll", help="Print a word and its tag a line, and an empty line after each sentence.")
    ] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write a coloured page of HTML.")] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Tell how probable the tags are.")] = False,
    device: Device = "cpu",
    best: Best = False,
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON object a sentence.")] = False,
) -> None:
    """Tag the words of texts: in colour on a terminal, else as word/TAG, a sentence a line."""
    from textdl.errors import ConfigError
    from textdl.inspect.coloured import page_path

    if bool(texts) == (file is not None):
        raise ConfigError("tag takes texts or --file FILE, one of the two; --file - reads standard input")
    if json_ and conll:
        raise ConfigError("--json and --conll are two forms of the same; leave one of them out")
    if html is not None:
        page_path(html)  # a wrong name is told before the work, not after it
    loaded = run_of("tag", run, device, best)
    source = iter([whole(text) for text in texts or []]) if file is None else lines_of(file)
    kept: list[Any] = []
    quiet = html is not None and not (json_ or conll)
    before = 0  # texts of the batches before
    for batch in batches(source, 1 if file == "-" and typed() else BATCH):
        asked: Sequence[Any] = [str(text).split() for text in batch] if tokenized else batch
        found = [some._replace(text=some.text + before) for some in loaded.tag(asked, probabilities)]
        before += len(batch)
        if html is not None:
            kept += found
        if not quiet:
            _print(loaded, found, json_, conll)
    if html is not None:
        from textdl.inspect.tagged_page import write_tagged_page

        write_tagged_page(html, (some for some in kept if some.tokens), loaded.tags, loaded.spans)
        typer.echo(f"{sum(bool(some.tokens) for some in kept):,} sentences; see {html}", err=True)


def _print(loaded: Any, found: Sequence[Any], as_json: bool, conll: bool) -> None:
    """What is printed of some sentences."""
    import json

    from rich.console import Console

    from textdl.inspect.coloured import has_colours
    from textdl.inspect.tagged_page import coloured_sentence
    from textdl.text.visible import visible

    if as_json:
        for sentence in found:
            typer.echo(json.dumps(_record(loaded, sentence), ensure_ascii=False))
        return
    console = Console(highlight=False, emoji=False, markup=False)
    coloured = has_colours(console) and not conll
    for sentence in found:
        if coloured:
            console.print(coloured_sentence(sentence, loaded.tags, loaded.spans), soft_wrap=True)
            continue
        sure = _sure(loaded, sentence)
        rows = zip(sentence.tokens, sentence.tags, sure, strict=True)
        if conll:
            lines = ("\t".join(cell for cell in row if cell) + "\n" for row in rows)
            typer.echo("".join(lines) + "\n" if sentence.tokens else "", nl=False)
        else:
            cells = (f"{visible(word)}/{visible(tag)}{'=' if value else ''}{value}" for word, tag, value in rows)
            typer.echo(" ".join(cells))


def _sure(loaded: Any, sentence: Any) -> list[str]:
    """The probability of each tag as text; nothing where none was asked for."""
    if sentence.probabilities is None:
        return [""] * len(sentence.tokens)
    places = [loaded.tags.index(tag) for tag in sentence.tags]
    return [f"{row[place]:.4f}" for row, place in zip(sentence.probabilities, places, strict=True)]


def _record(loaded: Any, sentence: Any) -> dict[str, Any]:
    from textdl.text.spans import spans

    record: dict[str, Any] = {"text": sentence.text, "tokens": sentence.tokens, "tags": sentence.tags}
    if loaded.spans:
        record["spans"] = [
            {"label": label or "span", "start": start, "end": end, "text": " ".join(sentence.tokens[start:end])}
            for label, start, end in spans(sentence.tags)
        ]
    if sentence.probabilities is not None:
        record["probabilities"] = [
            {tag: round(float(value), 6) for tag, value in zip(loaded.tags, row, strict=True)}
            for row in sentence.probabilities
        ]
    return record
