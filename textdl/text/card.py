"""What is known of a corpus, and the file CARD.md that says it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorpusError
from .files import package_file, read_text


@dataclass(frozen=True)
class Card:
    """What is known of a corpus; ``body`` is Markdown. Of a user's own file, only where it came from.

    ``label_field`` and ``second_field`` are the fields of a label and of the second text of a pair, where it says so;
    ``source_field`` and ``target_field`` those of a text and of what is to be made of it. ``holds`` is what the corpus
    is of: text, images, strokes.
    """

    name: str
    title: str
    licence: str = "unknown"
    language: str = "unknown"
    source: str = "unknown"
    body: str = ""
    label_field: str = ""
    second_field: str = ""
    source_field: str = ""
    target_field: str = ""
    holds: str = "text"


@dataclass(frozen=True)
class CardFile:
    """A card with what its front matter says of the files: those of each split, the fields of the text, documents."""

    card: Card
    splits: dict[str, list[Path]]
    text_fields: tuple[str, ...]
    documents: str | None


def is_card(path: Path) -> bool:
    """Whether a file is there and begins as a card does."""
    return path.is_file() and "".join(read_text(path)).startswith("+++")


def read_card(path: Path, holds: str | None = "text") -> CardFile:
    """Read a card: TOML between two lines ``+++``, then Markdown.

    Args:
        holds: what the corpus has to be of; None for whatever it is.

    Raises:
        CorpusError: the front matter is not TOML, or lacks a key; a package that it reads from is not there; the corpus
            holds something else.
    """
    _, head, body, *_ = (*"".join(read_text(path)).split("+++\n", 2), "", "")
    try:
        said: dict[str, Any] = tomllib.loads(head)
        about = {key: str(said[key]) for key in ("name", "title", "licence", "language", "source")}
        optional = ("label_field", "second_field", "source_field", "target_field")
        about |= {key: str(said.get(key, "")) for key in optional} | {"holds": str(said.get("holds", "text"))}
        splits = {str(split): [_of_card(path, str(name))] for split, name in said["splits"].items()}
        fields = tuple(map(str, said.get("text_fields", ())))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"is not well-formed: {error}"
        raise CorpusError(f"the front matter of {path} {what}; it is TOML between two lines '+++'") from None
    if holds not in (None, about["holds"]):
        raise CorpusError(
            f"{about['name']} is a corpus of {about['holds']}, and this needs one of {holds}; "
            "textdl train --help lists what learns from it"
        )
    if "train" not in splits:
        raise CorpusError(f'the front matter of {path} names no train in [splits]; add train = "file"')
    return CardFile(Card(**about, body=body.strip()), splits, fields, said.get("documents"))


def _of_card(card: Path, name: str) -> Path:
    """The file that a card names: beside it, or in an installed package, ``package:NAME/path/in/it``."""
    if not name.startswith("package:"):
        return card.parent / name
    package, _, inside = name.removeprefix("package:").partition("/")
    if (found := package_file(package, inside)) is not None:
        return found
    raise CorpusError(
        f"{card.parent.name} is read from {inside} of the package {package}, which is not there; install it"
    )
