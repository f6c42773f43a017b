"""``textdl translate RUN TEXT...``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from .lines import batches, lines_of, typed, whole
from .options import Best, Device, given, options, with_options
from .runs import run_of

BATCH = 512  # texts that are worked on at once


def make(name: str) -> typer.Typer:
    """The command ``translate``; how it searches are the fields of ``DecodingConfig``."""
    from textdl.tasks.beam_search import DecodingConfig

    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl translate runs/en-es 'Where is the umbrella?' --n-best 3; "
        "textdl translate runs/en-es --file new.txt > new.es; "
        "textdl translate runs/en-es 'These grey scarves cost four euros.' --attention why.html"
    )
    app.command(name, epilog=epilog)(with_options(translate, options(DecodingConfig, "How to search")))
    return app


def translate(
    run: Annotated[Path, typer.Argument(help="Folder of a trained translator.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to translate.")] = None,
    file: Annotated[str | None, typer.Option("--file", help="A file with a text a line; - is standard input.")] = None,
    attention: Annotated[
        Path | None,
        typer.Option("--attention", help="Draw what each word looked at, of one TEXT: .html, .png, .svg or .pdf."),
    ] = None,
    device: Device = "cpu",
    best: Best = False,
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON object a text.")] = False,
    **flags: Any,
) -> None:
    """Translate texts with a trained translator: a line each, in their order."""
    from textdl.config import replace
    from textdl.errors import ConfigError
    from textdl.tasks.beam_search import DecodingConfig

    if bool(texts) == (file is not None):
        raise ConfigError("translate takes texts or --file FILE, one of the two; --file - reads standard input")
    if attention is not None and (file is not None or len(texts or []) != 1):
        raise ConfigError("--attention draws one text; give one TEXT")
    config = replace(DecodingConfig(), given(flags))
    loaded = run_of("translate", run, device, best)
    if attention is not None:
        _draw(loaded, whole((texts or [""])[0]), config, attention)
    source = map(whole, texts) if texts else lines_of(str(file))
    told, done = False, 0
    for batch in batches(source, 1 if file == "-" and typed() else BATCH):
        if not told and (strange := loaded.strangeness(batch)):
            typer.echo(f"note: {strange}; the run was trained on {loaded.config['corpus']['source_name']}", err=True)
            told = True
        typer.echo("\n".join(_lines(loaded, batch, config, json_, done)))
        done += sum(bool(text.strip()) for text in batch)


def _lines(loaded: Any, batch: list[str], config: Any, as_json: bool, done: int) -> Iterator[str]:
    """What is printed of each text: its translation; of several, each with its score, a line each.

    ``done`` is how many texts were translated before.
    """
    import json

    for text, some in zip(batch, loaded.translations(batch, config, done), strict=True):
        if as_json:
            told = [{"text": one.text, "score": round(one.score, 6)} for one in some]
            yield json.dumps({"source": text, "translations": told}, ensure_ascii=False)
        elif config.n_best == 1:
            yield _one_line(some[0].text)
        else:
            yield from (f"{one.score:.4f}\t{_one_line(one.text)}" for one in some)


def _draw(loaded: Any, text: str, config: Any, path: Path) -> None:
    from textdl.inspect.attention_picture import draw_attention, picture

    picture(path)  # a wrong name is told before the work, not after it
    draw_attention(loaded.attention(text, config), path)
    typer.echo(f"attention drawn in {path}", err=True)


def _one_line(text: str) -> str:
    return " ".join(text.split())
