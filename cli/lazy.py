"""A group of commands whose modules are imported only when they are called."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

import typer
import typer.core
import typer.main


class LazyGroup(typer.core.TyperGroup):
    """Lists its commands from ``table``; the real command is loaded when it is run, or asked for its own help.

    A command's module has ``make(name)``, which returns a ``typer.Typer`` with one command or a group.
    """

    #: name -> (module, one line of help)
    table: ClassVar[dict[str, tuple[str, str]]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in that knows its line of help: enough to list it."""
        if cmd_name not in self.table:
            return None
        return typer.core.TyperCommand(cmd_name, help=self.table[cmd_name][1], callback=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is to run.

        Raises:
            ConfigError: there is none of that name (near names are suggested).
        """
        if args and args[0] not in self.table and not args[0].startswith("-"):
            from textdl.errors import ConfigError, near

            raise ConfigError(f"{ctx.command_path} has no {args[0]!r}; {near(args[0], self.table)}")
        name, command, rest = super().resolve_command(ctx, args)
        if name in self.table:
            module, _ = self.table[name]
            command = typer.main.get_command(importlib.import_module(module).make(name))
            command.name = name
        return name, command, rest


def task_group(module: str) -> type[LazyGroup]:
    """A group with one sub-command a task, made by ``module``; nothing of a task is imported before it is named."""
    from textdl.tasks import task_lines

    class Tasks(LazyGroup):
        """One sub-command a task."""

        table: ClassVar = {task: (module, line) for task, line in task_lines().items()}

    return Tasks
