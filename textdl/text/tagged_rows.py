"""Tagged sentences as records with a text, its tokens and its tags: of files, of readers, of rows of Python objects.

Each source here is gone through again and again; a record has ``text``, which is the tokens with spaces between, and
``tokens`` and ``tags``, tuples of equal length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CorpusError, near
from .conll import Columns, Tagged, read_columns, read_slashes
from .files import read_lines
from .records import read_records
from .sources import SAMPLE, as_records
from .tagged_files import holds_columns

#: Fields of a record that hold the tokens, and those that hold the tags, where nothing else is said.
USUAL_TOKENS = ("tokens", "words", "token", "word", "form")
USUAL_TAGS = ("tags", "ner_tags", "labels", "upos", "pos_tags", "pos", "ner", "chunk_tags", "tag", "label")


class Sentence(NamedTuple):
    """A sentence and its tags, one for each token."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class PairSentences:
    """Sentences that a reader gives as they are to be."""

    pairs: Iterable[Tagged]
    where: str

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (_record(tokens, tags) for tokens, tags in self.pairs)


@dataclass(frozen=True)
class FileSentences:
    """The sentences of files, one after the other."""

    paths: tuple[Path, ...]
    wanted: Columns
    form: str

    @property
    def where(self) -> str:
        return str(self.paths[0] if len(self.paths) == 1 else self.paths[0].parent)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for path in self.paths:
            if not holds_columns(path):
                yield from RowSentences(_Records(path), self.wanted, str(path))
            elif self.form == "slashes":
                if self.wanted.token or (self.wanted.tag and not self.wanted.names):
                    raise CorpusError(f"{path} is word/TAG text and has no columns; leave token and tag_column out")
                yield from PairSentences(_Lines(path, None), str(path))
            else:
                yield from PairSentences(_Lines(path, self.wanted), str(path))


@dataclass(frozen=True)
class _Records:
    path: Path

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return read_records(self.path)


@dataclass(frozen=True)
class _Lines:
    path: Path
    columns: Columns | None

    def __iter__(self) -> Iterator[Tagged]:
        lines, where = read_lines(self.path), str(self.path)
        return read_slashes(lines, where) if self.columns is None else read_columns(lines, where, self.columns)


@dataclass(frozen=True)
class RowSentences:
    """Sentences of records, of lists of (token, tag), or of :class:`Sentence`; without tags they are left out."""

    rows: Iterable[Any]
    wanted: Columns
    where: str
    names: tuple[str, ...] = ()  # what whole numbers stand for

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rows = iter(self.rows)
        sample = list(itertools.islice(rows, SAMPLE))
        records = [row for row in sample if isinstance(row, dict)]
        fields = token_and_tag(records, self.wanted, self.where) if records else USUAL_TOKENS[:1] + USUAL_TAGS[:1]
        for number, row in enumerate(itertools.chain(sample, rows), 1):
            place = f"{self.where}, sentence {number}"
            tokens, tags = self._parts(row, fields, place)
            if tags is None:
                continue
            if len(tokens) != len(tags):
                raise CorpusError(f"{place} has {len(tokens)} tokens but {len(tags)} tags; each token needs one")
            words = [_word(token, "token", place) for token in tokens]
            if words:
                yield _record(words, [self._tag(tag, place) for tag in tags])

    def _parts(self, row: Any, fields: tuple[str, ...], place: str) -> tuple[list[Any], list[Any] | None]:
        if isinstance(row, dict):
            tags = row.get(fields[1])
            return _list(row.get(fields[0]), fields[0], place), None if tags is None else _list(tags, fields[1], place)
        if isinstance(row, Sentence):
            return list(row.tokens), list(row.tags)
        pairs = list(row) if isinstance(row, Iterable) and not isinstance(row, (str, bytes)) else [row]
        for pair in pairs:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise CorpusError(f"{place} must be a list of (token, tag) or a record, got {str(pair)[:40]!r} in it")
        return [token for token, _ in pairs], [tag for _, tag in pairs]

    def _tag(self, tag: Any, place: str) -> str:
        if isinstance(tag, int) and not isinstance(tag, bool):
            if not self.names:
                return str(tag)
            if 0 <= tag < len(self.names):
                return self.names[tag]
            raise CorpusError(f"{place} has the tag {tag}, and names are known for 0 to {len(self.names) - 1} only")
        return _word(tag, "tag", place)


def _record(tokens: list[str], tags: list[str]) -> dict[str, Any]:
    return {"text": " ".join(tokens), "tokens": tuple(tokens), "tags": tuple(tags)}


def _list(value: Any, name: str, place: str) -> list[Any]:
    """A field as a list; of text, its parts between spaces."""
    if hasattr(value, "tolist"):  # of numpy
        value = value.tolist()
    if isinstance(value, str):
        return value.split()
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    raise CorpusError(f"{place}: the field {name!r} is of type {type(value).__name__}, not a list; choose another")


def _word(value: Any, what: str, place: str) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise CorpusError(f"{place} has a {what} of type {type(value).__name__}, not text; mend or remove it")
    if not value.strip():
        raise CorpusError(f"{place} has an empty {what}; write it or take it out")
    if not value.isascii():  # JSON can spell half of a surrogate pair, which no encoding takes
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def token_and_tag(sample: Iterable[Any], wanted: Columns, where: str) -> tuple[str, str]:
    """The fields of the tokens and of the tags, of those in a sample of records.

    Raises:
        CorpusError: a field is not there, or it can not be told which they are.
    """
    there = list(dict.fromkeys(name for record in as_records(sample, where) for name in record))
    if not there:
        raise CorpusError(f"{where} holds no tagged sentence; give records with lists of tokens and of tags")
    chosen = []
    for what, name, usual in (("token", wanted.token, USUAL_TOKENS), ("tag", wanted.tag, USUAL_TAGS)):
        if name is None and (name := next((some for some in usual if some in there), None)) is None:
            raise CorpusError(
                f"{where} does not say which field holds the {what}s; set {what}_column to one of {', '.join(there)}"
            )
        if name not in there:
            close = near(name, there)
            listed = "" if close.startswith("known") else f" known: {', '.join(there)}"
            raise CorpusError(f"{where} has no field {name!r}; {close}{listed}")
        chosen.append(name)
    if chosen[0] == chosen[1]:
        raise CorpusError(
            f"{where}: the field {chosen[0]!r} is both the tokens and the tags; choose another tag_column"
        )
    return chosen[0], chosen[1]
