"""``textdl info RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def make(name: str) -> typer.Typer:
    """The command ``info``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name, epilog="Example: textdl info runs/recipes")(info)
    return app


def info(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Show the card of a run: corpus, model, parameters, figures, versions."""
    import json

    from textdl import artifact

    record = artifact.read_config(run)
    report = artifact.read_json(run / artifact.REPORT)
    weights = artifact.load_arrays(run / artifact.MODEL)
    # moments are the same weights at other times
    parameters = sum(array.size for name, array in weights.items() if not name.startswith("moments."))
    if json_:
        typer.echo(json.dumps({**record, "parameters": parameters, "report": report}))
        return
    typer.echo(f"{run}: {record['task']} model on {record['corpus']['name']}, training {report['ended']}")
    _table("corpus", record["corpus"])
    _table("model", {**record["model"], "parameters": parameters})
    _table("training", {k: v for k, v in report.items() if k != "figures"} | {"seed": record["train"]["seed"]})
    _table("figures", report["figures"])
    _table("versions", record["versions"])


def _table(title: str, rows: dict[str, object]) -> None:
    typer.echo(f"\n{title}")
    for key, value in rows.items():
        typer.echo(f"  {key.replace('_', ' '):<30} {shown(value)}")


def shown(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
