"""``textdl generate RUN --prompt TEXT``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Best, Device, given, options, with_options


def make(name: str) -> typer.Typer:
    """The command ``generate``."""
    from textdl.tasks.generation import GenerationConfig

    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = "Example: textdl generate runs/recipes --prompt 'Lemon ' --temperature 0.7 --seed 1"
    app.command(name, epilog=epilog)(with_options(generate, options(GenerationConfig, "How to draw")))
    return app


def generate(
    run: Annotated[Path, typer.Argument(help="Folder of a trained language model.")],
    prompt: Annotated[str, typer.Option("--prompt", help="How the text begins.")] = "",
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--condition",
            help="What the text is written on, for a model trained with --condition-field; again for each field, or "
            "each line of a list.",
        ),
    ] = None,
    device: Device = "cpu",
    best: Best = False,
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON object a text, with its seed.")] = False,
    **flags: Any,
) -> None:
    """Write text with a trained language model; it appears as it is written."""
    import json
    import secrets

    from textdl.config import replace
    from textdl.errors import RunError
    from textdl.tasks import base
    from textdl.tasks.generation import GenerationConfig
    from textdl.tasks.lm import LanguageModelRun

    config = replace(GenerationConfig(), given(flags))
    loaded = base.load(run, device, best)
    if not isinstance(loaded, LanguageModelRun):
        raise RunError(f"{run} is a {loaded.config['task']} model, which writes no text; name a run of textdl train lm")
    on = None if condition is None else condition[0] if len(condition) == 1 else condition
    seed = secrets.randbits(31) if config.seed is None else config.seed
    for number in range(config.count):
        pieces = loaded.pieces(prompt, config, seed, number, on)
        if json_:
            facts = {"condition": loaded.conditions.text(on)} if loaded.conditions and on is not None else {}
            text = "".join(pieces)
            typer.echo(json.dumps({"text": text, "prompt": prompt, **facts, "seed": seed, "number": number}))
            continue
        if number:
            typer.echo("\n" + "-" * 40 + "\n")
        for piece in pieces:
            typer.echo(piece, nl=False)
        typer.echo()
