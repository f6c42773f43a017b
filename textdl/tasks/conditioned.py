"""A corpus of texts that are each written on a condition: a nationality gives names, ingredients give a recipe.

A document is read as its condition, a mark, and its text.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..config import knob
from ..corpus import Corpus, CorpusConfig, open_corpus
from ..errors import CorpusError, near
from ..text.class_files import ClassFiles, by_folder, by_name
from ..text.records import choose_fields, holds_records, text_of
from ..text.sources import SAMPLE, Files, Rows
from .conditioned_text import MARK

#: Where there are at most so many conditions, they are a closed list, and another one is refused.
_FEW = 50
#: Conditions that are kept as examples where there are more.
_EXAMPLES = 5
#: What a file of plain text can be conditioned on.
_PLACES = ("file", "folder")


@dataclass(frozen=True)
class ConditionConfig(CorpusConfig):
    """How a corpus is read whose texts may each be written on a condition."""

    condition_field: tuple[str, ...] = knob(
        (), "Field(s) that the text is written on; of a folder of plain text: file, or folder (their names)."
    )

    def choose_text(self, sample: Iterable[dict[str, Any]], wanted: tuple[str, ...], where: str) -> tuple[str, ...]:
        """As of any corpus, but what the text is written on is not taken for the text."""
        if not self.condition_field:
            return super().choose_text(sample, wanted, where)
        records = list(sample)
        _check_fields(records, self.condition_field, where)
        if both := [name for name in self.text_field if name in self.condition_field]:
            raise CorpusError(f"the field {both[0]!r} can not be the text and its condition; leave one out")
        if left := tuple(name for name in wanted if name not in self.condition_field):
            return choose_fields(records, left, where)
        kept = [{n: v for n, v in record.items() if n not in self.condition_field} for record in records]
        if not any(kept):
            raise CorpusError(f"{where} has no field of text beside {', '.join(self.condition_field)}; add one")
        return choose_fields(kept, (), where)


@dataclass
class Tally:
    """What a pass over a split found: of the documents that have a condition, and of those left out."""

    characters: int = 0  # of the texts, and one for each of their ends
    documents: int = 0
    left_out: int = 0
    marked: int = 0  # pieces that held the mark
    conditions: dict[str, int] = field(default_factory=dict)
    many: bool = False  # more conditions than are counted; those that are kept are examples

    def add(self, condition: str) -> None:
        """Count a condition while they are few."""
        if condition in self.conditions:
            self.conditions[condition] += 1
        elif not self.many:
            self.conditions[condition] = 1
        if len(self.conditions) > _FEW:
            self.many, self.conditions = True, dict(list(self.conditions.items())[:_EXAMPLES])


@dataclass(frozen=True, eq=False)
class ConditionedCorpus(Corpus):
    """A corpus whose documents stream as condition, mark and text; those without a condition are left out."""

    condition_fields: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()  # where the records have them
    _base: Corpus | None = None  # what it was made of

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the corpus's digest and of the fields that the texts are written on."""
        told = [1, super().digest, self.condition_fields]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def size_hint(self, name: str) -> int | None:
        """As of the corpus it was made of."""
        return super().size_hint(name) if self._base is None else self._base.size_hint(name)

    def stream(self, name: str) -> Iterator[tuple[str, bool]]:
        """``(piece, last piece of its document)``: the condition and the mark are pieces of their own.

        So they are encoded by themselves, and no token reaches over the mark.

        Raises:
            CorpusError: as of any corpus; or no document of train has a condition.
        """
        tally, first, kept = Tally(), True, False
        where = self.origins.get(name, self.origins["train"]).where
        for piece, last, record in self._items(name, whole=True):
            if first:
                condition = condition_of(record, self.columns, where)
                kept = bool(condition)
                if kept:
                    tally.add(condition)
                    yield condition, False
                    yield MARK, False
            first = last
            tally.left_out += last and not kept
            if kept:
                tally.marked += MARK in piece
                tally.documents += last
                tally.characters += len(piece) + last
                yield piece.replace(MARK, " "), last
        if name == "train" and not tally.documents:
            raise CorpusError(
                f"{where}: no document holds anything in {', '.join(self.condition_fields)}; choose another"
            )
        self._known[f"tally {name}"] = tally

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read of the conditions of train, for people."""
        tally, what = self.tally("train"), ", ".join(self.condition_fields)
        number = f"more than {_FEW}" if tally.many else f"{len(tally.conditions)}"
        facts: dict[str, str | int] = {"written on": f"{what}: {number} different"}
        if tally.left_out:
            facts["without a condition"] = f"{tally.left_out:,} documents, left out"
        if tally.marked:
            facts["with U+0002"] = f"{tally.marked:,} pieces of text, where it is read as a space"
        return facts

    def tally(self, name: str) -> Tally:
        """What is in a split; from the latest pass over it, or from one made now."""
        if f"tally {name}" not in self._known:
            for _ in self.stream(name):
                pass
        found: Tally = self._known[f"tally {name}"]
        return found


def open_texts(source: Any, config: ConditionConfig, least: int = 2) -> Corpus:
    """Open a corpus as ``textdl.corpus.open_corpus`` does; with a ``condition_field`` as a :class:`ConditionedCorpus`.

    Args:
        least: files (or folders) of plain text that there must be to be conditions by their names: two to learn from,
            one to evaluate on.

    Raises:
        CorpusError: as ``open_corpus``; or there is no such field to write on.
    """
    corpus = open_corpus(source, config)
    fields = config.condition_field
    if not fields or isinstance(corpus, ConditionedCorpus):
        return corpus
    parts = (corpus.name, corpus.card)
    if _is_plain(corpus):
        origins = _by_place(corpus, fields, least)
        return ConditionedCorpus(*parts, ("text",), corpus.config, origins, {}, fields, ("label",), corpus)
    where = corpus.origins["train"].where
    _check_fields(list(itertools.islice(corpus.records("train"), SAMPLE)), fields, where)
    if both := [name for name in corpus.text_fields if name in fields]:
        raise CorpusError(f"the field {both[0]!r} can not be the text and its condition; leave one out")
    made = {split: _narrowed(origin, fields) for split, origin in corpus.origins.items()}
    return ConditionedCorpus(*parts, corpus.text_fields, corpus.config, made, {}, fields, fields, corpus)


def condition_of(record: Mapping[str, Any], fields: Sequence[str], where: str) -> str:
    """The condition in a record: its fields with a blank line between, a list as lines; "" where there is none."""
    return text_of(dict(record), tuple(fields), where).replace(MARK, " ").strip()


def conditions_record(corpus: ConditionedCorpus) -> dict[str, Any]:
    """What ``config.json`` says of the conditions: how often each is met where they are few, else some examples."""
    tally = corpus.tally("train")
    common = sorted(tally.conditions, key=lambda name: (-tally.conditions[name], name))
    # Few conditions that are all different are no list to choose from, but texts of a small corpus.
    closed = not tally.many and 2 * len(common) <= tally.documents
    return {
        "fields": list(corpus.condition_fields),
        "counts": {name: tally.conditions[name] for name in common} if closed else None,
        "examples": [] if closed else common[:_EXAMPLES],
    }


def _is_plain(corpus: Corpus) -> bool:
    """Whether all of it is files of plain text."""
    origins = corpus.origins.values()
    return all(isinstance(origin, Files) and not any(map(holds_records, origin.paths)) for origin in origins)


def _by_place(corpus: Corpus, fields: tuple[str, ...], least: int) -> dict[str, Files | Rows]:
    """Plain text as records, the name of each file, or folder, as the label."""
    files = {split: origin for split, origin in corpus.origins.items() if isinstance(origin, Files)}
    train, paths = files["train"], {split: origin.paths for split, origin in files.items()}
    if len(fields) != 1 or fields[0] not in _PLACES:
        name = next((name for name in fields if name not in _PLACES), "")
        what = f"no field {name!r}" if name else "one place only that names its conditions"
        raise CorpusError(
            f"{train.where} is plain text and has {what}; --condition-field file takes the name of each file, folder "
            "that of its folder"
        )
    classes = by_name(paths) if fields[0] == "file" else by_folder(paths, train.root)
    if len(classes.get("train", ())) < least:
        raise CorpusError(
            f"{train.where} has not {least} {fields[0]}s whose names could be conditions; give a folder with a "
            f"{fields[0]} for each condition, or a table with a column of conditions"
        )
    made = {split: ClassFiles(some, files.get(split, train).documents) for split, some in classes.items()}
    return {split: Rows(rows, rows, ("text",), files.get(split, train).where) for split, rows in made.items()}


def _narrowed(origin: Files | Rows, fields: tuple[str, ...]) -> Files | Rows:
    """Of a dataset of the Hub only the columns that are needed."""
    if not isinstance(origin, Rows) or not hasattr(origin.rows, "select_columns"):
        return origin
    return replace(origin, rows=origin.rows.select_columns([*origin.fields, *fields]))


def _check_fields(records: Sequence[Mapping[str, Any]], fields: tuple[str, ...], where: str) -> None:
    columns = list(dict.fromkeys(name for record in records for name in record))
    for name in fields:
        if columns and name not in columns:
            remedy = near(name, columns)
            listed = "" if remedy.startswith("known") else f" known: {', '.join(columns)}"
            raise CorpusError(f"{where} has no field {name!r}; {remedy}{listed}")
