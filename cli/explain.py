"""``textdl explain RUN TEXT``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Best, Device
from .predict import paired
from .runs import run_of


def make(name: str) -> typer.Typer:
    """The command ``explain``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl explain runs/reviews 'I expected to hate it, but it was lovely.'; the same as a page: "
        "textdl explain runs/reviews 'Not half bad.' --out why.html"
    )
    app.command(name, epilog=epilog)(explain)
    return app


def explain(
    run: Annotated[Path, typer.Argument(help="Folder of a trained classifier.")],
    text: Annotated[str, typer.Argument(help="The text.")],
    second: Annotated[str | None, typer.Option("--second", help="Second text of a pair.")] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The class to explain; the most probable one, when none is given.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a page of HTML instead.")] = None,
    steps: Annotated[
        int, typer.Option("--steps", help="Points on the way from no text to this one (integrated gradients).", min=1)
    ] = 64,
    device: Device = "cpu",
    best: Best = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Show which words of a text speak for a label, and which against it."""
    import json

    from textdl.errors import ConfigError, PromptError, near
    from textdl.inspect import coloured

    if not text.strip():
        raise PromptError(f"an explanation needs a text with at least one word, got {text!r}; give one as TEXT")
    if out is not None:
        coloured.page_path(out)  # a wrong name is told before the work, not after it
    loaded = run_of("classify", run, device, best)
    if label is not None and label not in loaded.labels:
        raise ConfigError(f"{run} has no class {label!r}; {near(label, loaded.labels)}")
    if second is not None and not loaded.pairs:
        raise ConfigError(f"{run} judges single texts, not pairs; leave --second out")
    asked = paired([text], [] if second is None else [second], loaded.pairs)[0]
    attribution = loaded.attribute(asked, label, steps)
    if out is not None:
        coloured.write_page(attribution, out)
        typer.echo(f"{attribution.label}: probability {attribution.probability:.4f}; see {out}", err=True)
    if json_:
        typer.echo(json.dumps(attribution.record(), ensure_ascii=False))
    elif out is None:
        from rich.console import Console

        coloured.show(attribution, Console())
