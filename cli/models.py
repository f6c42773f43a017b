"""``textdl models [KIND]``: what the models of pictures are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from textdl.models.image_models import IMAGE_MODELS, image_config

from .lazy import LazyGroup
from .options import assignments, given, options, with_options
from .tables import WIDE

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from textdl.models.image_classifier import ImageConfig
    from textdl.models.layer_table import LayerRow, LayerTable

Height = Annotated[int | None, typer.Option("--height", help="Height of the pictures (default: the paper's).")]
Width = Annotated[int | None, typer.Option("--width", help="Width of the pictures (default: the paper's).")]
Channels = Annotated[int | None, typer.Option("--channels", help="1 grey, 3 colour (default: the paper's).")]
Classes = Annotated[int | None, typer.Option("--classes", help="Classes (default: the paper's).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]

#: Settings of each kind that have a line in the table of all; the others have one line.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "vgg": [{"depth": depth} for depth in (11, 13, 16, 19)],
    "resnet": [{"depth": depth} for depth in (20, 32, 44, 56, 110, 18, 34, 50, 101, 152)],
    "densenet": [
        {"depth": 40},
        {"depth": 100},
        {"depth": 100, "bottleneck": True},
        *({"depth": depth} for depth in (121, 169, 201, 264)),
    ],
}


class Kinds(LazyGroup):
    """One sub-command a kind of model."""

    table: ClassVar = {kind: ("textdl_cli.models", f"The layers of {kind}.") for kind in IMAGE_MODELS}

    def made(self, module: Any, name: str, arguments: list[str]) -> Any:
        """The app of a kind."""
        return make_kind(name)


def make(name: str) -> typer.Typer:
    """The group ``models``."""
    app = typer.Typer(cls=Kinds, add_completion=False, rich_markup_mode="rich", invoke_without_command=True)
    app.callback(epilog="Example: textdl models resnet --depth 50")(models)
    return app


def models(
    ctx: typer.Context,
    height: Height = None,
    width: Width = None,
    channels: Channels = None,
    classes: Classes = None,
    json_: Json = False,
) -> None:
    """List the models of pictures with their parameters and multiply-adds, or show one of them layer by layer."""
    shape = {"height": height, "width": width, "channels": channels, "classes": classes}
    if ctx.invoked_subcommand is not None:
        if json_ or given(shape):
            from textdl.errors import ConfigError

            kind = ctx.invoked_subcommand
            raise ConfigError(f"flags go behind the name of the model: textdl models {kind} --height 64")
        return
    from textdl.errors import ConfigError
    from textdl.models.layer_table import layer_table

    rows: list[dict[str, Any]] = []
    for kind in IMAGE_MODELS:
        for settings in VARIANTS.get(kind, [{}]):
            config = _shaped(image_config({"kind": kind})(**settings), shape)
            row = {"model": " ".join([kind, *_flags(settings)]), **_shape(config)}
            try:
                table = layer_table(config)
                row |= {"parameters": table.parameters, "multiply_adds": table.multiply_adds}
            except ConfigError as error:  # of too small pictures: the others fit all the same
                row |= {"parameters": None, "multiply_adds": None, "error": str(error)}
            rows.append(row)
    _print_all(rows, json_)


def make_kind(kind: str) -> typer.Typer:
    """The command that shows one kind of model; its own settings are its flags."""
    cls = image_config({"kind": kind})
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")

    def show(
        height: Height = None,
        width: Width = None,
        channels: Channels = None,
        classes: Classes = None,
        set_: Annotated[
            list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting that has no flag.")
        ] = None,
        json_: Json = False,
        **flags: Any,
    ) -> None:
        from textdl.models.layer_table import as_record, layer_table

        config = cls(**{**given(flags), **assignments(cls, set_ or [])})
        shape = {"height": height, "width": width, "channels": channels, "classes": classes}
        table = layer_table(_shaped(config, shape))
        if json_:
            import json

            typer.echo(json.dumps(as_record(table), ensure_ascii=False))
        else:
            _print_layers(table)

    show.__doc__ = f"Show the layers of {kind}: output shapes, parameters, multiply-adds."
    epilog = f"Example: textdl models {kind} --height 64 --width 64 --channels 3 --classes 10"
    app.command(kind, epilog=epilog)(with_options(show, options(cls, "Model")))
    return app


def _shaped(config: ImageConfig, shape: dict[str, int | None]) -> ImageConfig:
    """The config with the pictures of its paper, but for what is given."""
    import dataclasses

    from textdl.models.image_classifier import paper_config

    config = paper_config(config)
    return dataclasses.replace(config, **given(shape))


def _shape(config: ImageConfig) -> dict[str, int]:
    return {name: getattr(config, name) for name in ("height", "width", "channels", "classes")}


def _flags(settings: dict[str, Any]) -> list[str]:
    """Settings as they are typed."""
    return [f"--{name}" if value is True else f"--{name} {value}" for name, value in settings.items()]


def _print_all(rows: list[dict[str, Any]], json_: bool) -> None:
    if json_:
        import json

        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    console, table = _table("model", "picture", "classes", "parameters", "multiply-adds")
    for row in rows:
        picture = f"{row['channels']} × {row['height']} × {row['width']}"
        counts = (row["parameters"], row["multiply_adds"])
        small = "error" in row
        table.add_row(
            row["model"], picture, f"{row['classes']:,}", *("too small" if small else f"{n:,}" for n in counts)
        )
    console.print(table)
    typer.echo("\nlayer by layer: textdl models resnet --depth 50", err=True)


def _print_layers(table: LayerTable) -> None:
    c = table.config
    console, shown = _table("layer", "what", "output", "parameters", "multiply-adds")
    shown.add_row("input", "picture", _by((c.channels, c.height, c.width)), "", "")
    for row in table.rows:
        shown.add_row(*_cells(row))
    shown.add_row("total", "", "", f"{table.parameters:,}", f"{table.multiply_adds:,}", style="bold")
    for row in table.heads:
        shown.add_row(*_cells(row), style="dim")
    console.print(shown)
    if table.heads:
        console.print("\nThe auxiliary heads work while training only and are not in the total.", soft_wrap=True)


def _table(*columns: str) -> tuple[Console, Table]:
    """A table whose text columns fold and whose numbers stay whole, not wider than the reader's window."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        numbers = name in ("classes", "parameters", "multiply-adds")
        table.add_column(name, justify="right" if numbers else "left", no_wrap=numbers, overflow="fold")
    return console, table


def _cells(row: LayerRow) -> tuple[str, ...]:
    counts = (f"{n:,}" if n else "" for n in (row.parameters, row.multiply_adds))
    return (row.name, row.kind, _by(row.shape), *counts)


def _by(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
