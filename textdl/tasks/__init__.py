"""The kinds of job. A new one is a file in this folder and a line in the table."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import ConfigError, near

#: name -> (module, class, one line for ``textdl train --help``); nothing is imported before it is named.
TASKS: dict[str, tuple[str, str, str]] = {
    "lm": ("textdl.tasks.lm", "LanguageModelling", "A language model: learns a text and writes more of it."),
}


def find_task(name: str) -> Any:
    """The task class called ``name``.

    Raises:
        ConfigError: there is none (near names are suggested).
    """
    if name not in TASKS:
        raise ConfigError(f"no task is called {name!r}; {near(name, TASKS)}")
    module, cls, _ = TASKS[name]
    return getattr(importlib.import_module(module), cls)
