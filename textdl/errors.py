"""What textdl raises when the user has to change something.

Every message says the rule, the name, the value that was got and the remedy, on one line. The command line prints it
and exits with code 2; a traceback is for our own mistakes only.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TextdlError(Exception):
    """Root of the errors that a user can mend. ``str(error)`` is one line."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class ConfigError(TextdlError):
    """A setting is unknown, of the wrong type, or out of range."""


class CorpusError(TextdlError):
    """A corpus can not be found, read or used."""


class RunError(TextdlError):
    """A run folder can not be read, written, or is not what it should be."""


class PromptError(TextdlError):
    """The text handed to a trained model is not one that it can read."""


class TrainingError(TextdlError):
    """Training can not go on: the loss is not a number, or the batches are empty."""


def near(name: str, known: Iterable[str]) -> str:
    """The remedy for a mistyped name: a near match if there is one, else the names there are."""
    names = sorted(str(k) for k in known)
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "known: " + ", ".join(names) if names else "there is none"
