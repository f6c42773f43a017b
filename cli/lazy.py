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
            command = typer.main.get_command(self.made(importlib.import_module(self.table[name][0]), name, rest))
            command.name = name
        return name, command, rest

    def made(self, module: Any, name: str, arguments: list[str]) -> Any:
        """The app of a command; ``arguments`` are those that follow its name."""
        return module.make(name)


def task_group(module: str) -> type[LazyGroup]:
    """A group with one sub-command a task, made by ``module``; nothing of a task is imported before it is named."""
    from textdl.tasks import task_lines

    class Tasks(LazyGroup):
        """One sub-command a task."""

        table: ClassVar = {task: (module, line) for task, line in task_lines().items()}

        def made(self, module: Any, name: str, arguments: list[str]) -> Any:
            """The app of a task, whose flags go by the model that the arguments name."""
            return module.make(name, arguments)

    return Tasks
