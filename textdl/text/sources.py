"""Where documents come from: files read one after the other, or the rows of a Python object.

Both hand out items, which are all that a corpus needs: pieces of documents, in order, from the start at each call.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorpusError
from .dividing import in_pieces
from .files import content_digest, file_size, kind, packing, read_lines, read_paragraphs, read_text
from .records import choose_fields, holds_records, read_records, text_of

#: A piece of a document; whether it is the last; the record it is of, or of plain text the name of the file.
Item = tuple[str, bool, Any]
#: Records looked at to learn which fields there are.
SAMPLE = 100
# A document shorter than this is surely one piece; most are, and two generators a document are saved.
_SHORT = 10_000


@dataclass(frozen=True)
class Files:
    """Files as records or as plain text; ``documents`` is file, line or paragraph."""

    paths: tuple[Path, ...]
    root: Path
    fields: tuple[str, ...]
    documents: str

    @property
    def where(self) -> str:
        """What to call it in a message."""
        return str(self.paths[0] if len(self.paths) == 1 else self.root)

    @property
    def one_text(self) -> bool:
        """Whether all of it is one document, which can only be split within."""
        return len(self.paths) == 1 and self.documents == "file" and not holds_records(self.paths[0])

    def items(self, whole: bool) -> Iterator[Item]:
        """All documents, blank ones too; records have all their fields only if ``whole``.

        Raises:
            CorpusError: a file is not what it should be, or lacks a field.
        """
        for path in self.paths:
            name = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name
            if holds_records(path):
                # One with fewer columns still shows, in the message, all that it has.
                records = read_records(path, () if whole else self.fields)
                yield from _items_of(records, self.fields, str(path))
            elif self.documents == "file":
                yield from ((piece, last, name) for piece, last in in_pieces(read_text(path)))
            else:
                for text in read_lines(path) if self.documents == "line" else read_paragraphs(path):
                    if len(text) < _SHORT:
                        yield text, True, name
                    else:
                        yield from _items(text, name)

    def mark(self) -> list[Any]:
        """What tells this content from any other, as plain JSON values.

        Raises:
            CorpusError: a file can not be read.
        """
        plain = not all(map(holds_records, self.paths))
        content = [[kind(path), packing(path), content_digest(path).hex()] for path in self.paths]
        return [content, self.fields, self.documents if plain else ""]

    def size(self) -> int | None:
        """Bytes of the files, or None when they tell little of the text in them (packed, Parquet)."""
        if any(packing(path) or kind(path) == "parquet" for path in self.paths):
            return None
        return sum(file_size(path) for path in self.paths)

    def is_empty(self) -> bool:
        """Whether there is not one byte."""
        return not any(file_size(path) for path in self.paths)


@dataclass(frozen=True)
class Rows:
    """Texts or records of an object that yields the same at each pass.

    ``narrow`` are the same rows with no other fields than the text's, where that is cheaper; ``revision`` names the
    content where that is known, which saves reading all of it.
    """

    rows: Iterable[Any]
    narrow: Iterable[Any]
    fields: tuple[str, ...]
    where: str
    revision: str = ""

    @property
    def one_text(self) -> bool:
        """Whether all of it is one document."""
        return isinstance(self.rows, tuple) and len(self.rows) == 1 and isinstance(self.rows[0], str)

    def items(self, whole: bool) -> Iterator[Item]:
        """All documents, blank ones too, as of :class:`Files`."""
        return _items_of(as_records(self.rows if whole else self.narrow, self.where), self.fields, self.where)

    def mark(self) -> list[Any]:
        """What tells this content from any other, as plain JSON values."""
        sha = hashlib.sha256()
        for row in () if self.revision else self.rows:
            sha.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
        return [self.revision or sha.hexdigest(), self.fields]

    def size(self) -> int | None:
        """Characters of the texts in a list; None of what would have to be read for it."""
        texts = self.rows if isinstance(self.rows, tuple) else ()
        return sum(len(text) for text in texts if isinstance(text, str)) or None

    def is_empty(self) -> bool:
        """Whether there is not one row."""
        return isinstance(self.rows, tuple) and not self.rows


def as_records(rows: Iterable[Any], where: str) -> Iterator[dict[str, Any]]:
    """Rows that are dicts as they are, strings as ``{"text": string}``.

    Raises:
        CorpusError: a row is neither.
    """
    for number, row in enumerate(rows, 1):
        if isinstance(row, str):
            yield {"text": row}
        elif isinstance(row, dict):
            yield row
        else:
            raise CorpusError(f"{where}, document {number} must be text or a dict, got {type(row).__name__}")


def _items(text: str, record: Any) -> Iterator[Item]:
    """The pieces of one document; an empty one has an empty piece, so that it can be counted."""
    return ((piece, last, record) for piece, last in in_pieces((text,))) if text else iter((("", True, record),))


def _items_of(records: Iterator[dict[str, Any]], fields: tuple[str, ...], where: str) -> Iterator[Item]:
    sample = list(itertools.islice(records, SAMPLE))
    if sample:
        choose_fields(sample, fields, where)
    for record in itertools.chain(sample, records):
        text = text_of(record, fields, where)
        if len(text) < _SHORT:
            yield text, True, record
        else:
            yield from _items(text, record)
