"""The kinds of job. A new one is a file in this folder and a line in the table, or an entry point of another package.

``docs/adding-a-task.md`` shows both ways.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, near

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

#: name -> (module, class, one line for ``textdl train --help``); nothing is imported before it is named.
TASKS: dict[str, tuple[str, str, str]] = {
    "vectors": ("textdl.tasks.vectors", "TrainingVectors", "Word vectors: word2vec, GloVe, or counted co-occurrence."),
    "classify": (
        "textdl.tasks.classify",
        "Classification",
        "A classifier: a text gets a label, or several (sentiment, topic, language, ...).",
    ),
    "translate": (
        "textdl.tasks.translate",
        "Translating",
        "A translator: a text becomes another text (languages, spellings, summaries, answers, ...).",
    ),
    "tag": (
        "textdl.tasks.tag",
        "Tagging",
        "A tagger: each word of a sentence gets a tag (part of speech, names, ...).",
    ),
    "forecast": (
        "textdl.tasks.forecast",
        "Forecasting",
        "A forecaster: many numbers in, the next ones out, with a band and beside the naive forecasts.",
    ),
    "images": (
        "textdl.tasks.images",
        "ImageClassification",
        "A classifier of pictures: digits, or whatever lies in a folder for each class.",
    ),
    "points": (
        "textdl.tasks.points",
        "Classifying",
        "A network that parts points on a plane, and can be watched while it bends the plane.",
    ),
    "handwriting": ("textdl.tasks.handwriting", "HandwritingTask", "A writer: a text becomes the way of a pen."),
    "lm": ("textdl.tasks.lm", "LanguageModelling", "A language model: learns a text and writes more of it."),
}

#: The group of entry points in which other packages name their tasks: ``my-task = "my_package.task:MyTask"``.
GROUP = "textdl.tasks"

#: What a class lacks that was named by mistake, and no task.
_NEEDED = ("name", "config_class", "prepare", "load_run")


def task_lines() -> dict[str, str]:
    """``{name: one line of help}`` of all tasks, ours first; reads what is installed and imports none of it."""
    ours = {name: line for name, (_, _, line) in TASKS.items()}
    return {**ours, **{name: f"from {_packages(found)}" for name, found in _outside().items()}}


def find_task(name: str) -> Any:
    """The task class called ``name``: one of ours, or one that an installed package brings.

    Raises:
        ConfigError: there is none (near names are suggested), two packages bring it, or its package is broken.
    """
    if name in TASKS:
        module, cls, _ = TASKS[name]
        return getattr(importlib.import_module(module), cls)
    outside = _outside()
    if name not in outside:
        known = [*TASKS, *outside]
        raise ConfigError(f"no task is called {name!r}, nor does an installed package bring it; {near(name, known)}")
    return _load(name, outside[name])


def _outside() -> dict[str, list[EntryPoint]]:
    """The tasks that installed packages bring, by name. A name of ours stays ours."""
    # Reading what is installed takes a while, so that no command does it that needs no outside task.
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        if entry.name not in TASKS:
            found.setdefault(entry.name, []).append(entry)
    return found


def _load(name: str, found: list[EntryPoint]) -> Any:
    """Import the task of another package."""
    where = f"the task {name!r} from {_packages(found)}"
    if len(found) > 1:
        raise ConfigError(f"{where} is there more than once; uninstall all but one of these packages")
    try:
        cls = found[0].load()
    except (Exception, SystemExit) as error:  # whatever a package may do when it is imported
        what = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{where} can not be loaded ({what}); mend, upgrade or uninstall that package") from error
    lacking = [part for part in _NEEDED if not hasattr(cls, part)]
    if lacking:
        raise ConfigError(f"{where} is no task: {found[0].value} has no {lacking[0]!r}; see docs/adding-a-task.md")
    if cls.name != name:
        raise ConfigError(
            f"{where} calls itself {cls.name!r}, under which its runs would not be found again; "
            "its entry point and its class must have one name"
        )
    return cls


def _packages(found: list[EntryPoint]) -> str:
    """Which packages bring a task: ``the package vowels 1.0``."""
    named = [f"{e.dist.name} {e.dist.version}" if e.dist is not None else e.value for e in found]
    return f"the package{'s' if len(named) > 1 else ''} {' and '.join(named)}"
