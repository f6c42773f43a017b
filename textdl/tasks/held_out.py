"""Which corpus a run is measured on, and which part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..errors import CorpusError


class Opened(Protocol):
    """A corpus of whatever kind."""

    @property
    def own_splits(self) -> tuple[str, ...]:
        """The splits that it brings."""


Kind = TypeVar("Kind", bound=Opened)
Config = TypeVar("Config")


def held_out(
    record: Mapping[str, Any],
    corpus: Any,
    split: str | None,
    own: Callable[[str], Kind],
    other: Callable[[Any, bool], Kind],
    what: str = "texts",
    as_trained: bool = True,
) -> tuple[Kind, str]:
    """The corpus to measure a run on, opened, and the split of it.

    That is ``split``; else of the training's corpus ``test``; of another one ``test`` where it brings such a split, and
    else all of it.

    Args:
        record: the run's ``config.json``.
        corpus: a corpus, or its place; None for the one that the run was trained on.
        own: opens that one, by its place.
        other: opens another one; the second argument is whether nothing is to be held out of its train split.
        what: of what the corpora are, for people.
        as_trained: whether the training's own corpus is to be read as it was in training.

    Raises:
        CorpusError: no corpus is named, and that of the training was in memory.
    """
    source = record["corpus"]["source"]
    if corpus is None and source is None:
        raise CorpusError(f"the run was trained on {what} from memory; name a corpus to evaluate it on")
    if as_trained and (corpus is None or (isinstance(corpus, (str, Path)) and str(corpus) == source)):
        return own(source), split or "test"
    opened = other(source if corpus is None else corpus, split is None)
    return opened, split or ("test" if "test" in opened.own_splits else "train")


def unsplit(config: Config) -> Config:
    """How a corpus is read, with nothing held out of its train split."""
    return replace(config, validation=0.0, test=0.0)  # type: ignore[type-var]


def told(split: str, opened: Opened, config: Any) -> str:
    """The name of a split for people: ``all`` where train is all that a corpus holds.

    Args:
        config: how it was read, with the shares that are held out for ``validation`` and ``test``.
    """
    whole = opened.own_splits == ("train",) and not (config.test or config.validation)
    return "all" if split == "train" and whole else split
