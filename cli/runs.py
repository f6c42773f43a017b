"""Runs that a command takes, once it is sure that they can do what it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

#: Task -> the verb that its runs have, and what is said of a run that has it not.
VERBS = {
    "classify": ("attribute", "judges no texts"),
    "points": ("predict_points", "judges no points"),
    "handwriting": ("write_page", "has no hand"),
    "translate": ("translations", "translates nothing"),
    "tag": ("tag", "tags no words"),
    "forecast": ("forecast", "forecasts no numbers"),
    "images": ("pictures", "looks at no pictures"),
}


def run_of(task: str, run: Path, device: str, best: bool) -> Any:
    """The run in a folder.

    Raises:
        RunError: it has not the verb of that task.
    """
    from textdl.errors import RunError
    from textdl.tasks import base

    loaded: Any = base.load(run, device, best)
    verb, lacks = VERBS[task]
    if not hasattr(loaded, verb):
        found = loaded.config["task"]
        raise RunError(f"{run} is a {found} model, which {lacks}; name a run of textdl train {task}")
    return loaded


def task_of(run: Path) -> str:
    """The task of the run in a folder; "" where there is none, or a file."""
    from textdl import artifact

    return str(artifact.read_config(run).get("task", "")) if (run / artifact.CONFIG).is_file() else ""
