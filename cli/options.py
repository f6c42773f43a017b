"""Flags from config dataclasses: each knob is an option with its default and its help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from textdl.config import Knob, knobs, parse

#: What every command says that runs a model.
Device = Annotated[str, typer.Option("--device", help="Where to run: cpu, cuda, auto.")]
Best = Annotated[bool, typer.Option("--best", help="The model at its best evaluation, instead of the last one.")]


def options(cls: type, panel: str) -> list[inspect.Parameter]:
    """The command-line options of a config class, every one unset unless it is given.

    The default stands in the help, and is filled in by the config itself: so a ``--config`` file can lie in between.
    """
    made = []
    for name, (knob, hint, default) in knobs(cls).items():
        if not knob.flag:
            continue
        kind, several = _kind(hint)
        flag = f"--{name.replace('_', '-')}"
        option = typer.Option(
            f"{flag}/--no-{name.replace('_', '-')}" if kind is bool else flag,
            help=_help(knob, default),
            show_default=False,
            rich_help_panel=panel,
            metavar=None if kind is bool else _METAVARS[kind],
        )
        annotation: Any = list[str] | None if several else kind | None
        made.append(
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[annotation, option]
            )
        )
    return made


_METAVARS = {int: "N", float: "X", str: "TEXT"}


def with_options(function: Callable[..., None], parameters: list[inspect.Parameter]) -> Callable[..., None]:
    """Give a command that ends in ``**given`` the options of some config classes."""

    def command(**values: Any) -> None:
        function(**values)

    own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    signature = inspect.Signature([p.replace(kind=p.KEYWORD_ONLY) for p in own] + parameters)
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None and value != []
    }


def assignments(config: Any, texts: list[str]) -> dict[str, Any]:
    """The values of ``--set NAME=VALUE`` for a config.

    Raises:
        ConfigError: no such setting, or text that is not a value of its type.
    """
    from textdl.errors import ConfigError

    changes = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set takes NAME=VALUE, got {text!r}; for example --set train.clip=0.5")
        changes[name.strip()] = parse(config, name.strip(), value.strip())
    return changes


def _kind(hint: Any) -> tuple[Any, bool]:
    """The type that an option takes, and whether it may be given several times."""
    import types
    import typing

    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kind = next(k for k in kinds if k is not type(None))
    return (str, True) if typing.get_origin(kind) is tuple else (kind, False)


def _help(knob: Knob, default: Any) -> str:
    notes = [", ".join(knob.choices)] if knob.choices else []
    if isinstance(default, bool):
        notes.append(f"default: {'on' if default else 'off'}")
    elif isinstance(default, tuple) and default:
        notes.append("default: " + ",".join(map(str, default)))
    elif default is not None and default != ():
        notes.append(f"default: {default:g}" if isinstance(default, float) else f"default: {default}")
    return knob.help + (f" ({'; '.join(notes)})" if notes else "")
