"""Opening texts with labels: one label or several a text, single texts or pairs, from anything that holds such.

:func:`open_labelled` finds the label of each text: in a field of its record, in the name of the folder or file that it
lies in, or in marks that begin its line. It reads only what it needs to be sure that there is something to learn.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from .config import knob
from .corpus import Corpus, CorpusConfig, open_corpus
from .errors import ConfigError, CorpusError, near
from .text.class_files import ClassFiles, MarkedLines, by_folder, by_name, marks
from .text.over_corpus import OverCorpus
from .text.records import choose_fields, holds_records, text_of
from .text.sources import Files, Rows

#: Fields that hold the label where nothing else is said, the first that there is.
USUAL_LABELS = ("label", "labels", "class", "category", "sentiment", "target", "intent", "topic", "coarse_label")
#: Records looked at to learn what the labels are like.
SAMPLE = 1000
#: Records without a label that a split may begin with before it is held to have none at all.
PATIENCE = 10_000


@dataclass(frozen=True)
class LabelledConfig(CorpusConfig):
    """How a corpus of labelled texts is read and split."""

    label_field: str | None = knob(
        None, "Field that holds the label (default: label, labels, class, category, ... or the folder of each file)."
    )
    second_field: str | None = knob(None, "Field of a second text, for pairs of texts.")
    several_labels: bool | None = knob(None, "Each text has any number of labels (default: as the corpus has it).")
    label_separator: str = knob(",", "What stands between several labels in one cell.", flag=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.label_separator:
            raise ConfigError("label_separator must be one or more characters, got ''")

    def choose_text(self, sample: Iterable[dict[str, Any]], wanted: tuple[str, ...], where: str) -> tuple[str, ...]:
        """As of any corpus, but neither the label nor the second text is taken for the text."""
        records = list(sample)
        columns = _columns(records)
        if self.label_field and columns:
            _check_field(self.label_field, columns, where)
        if wanted or not columns:
            return choose_fields(records, wanted, where)
        label = self.label_field or _usual(columns)
        aside = {name for name in (label, self.second_field) if name}
        kept = [{name: value for name, value in record.items() if name not in aside} for record in records]
        if not any(kept):
            raise CorpusError(f"{where} has no field of text beside {', '.join(columns)}; add one")
        return choose_fields(kept, (), where)


class Example(NamedTuple):
    """A text with its labels; ``second`` is the other text of a pair, "" where there are no pairs."""

    text: str
    second: str
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LabelledCorpus(OverCorpus):
    """The texts of a corpus with their labels, read afresh each time; splits as of the :class:`Corpus`.

    With ``several`` an example has any number of labels, none included; else exactly one.
    """

    corpus: Corpus
    several: bool
    pairs: bool
    label_field: str
    second_field: str
    separator: str | None  # of several labels in one cell; None where a text is one label
    names: tuple[str, ...]  # what whole numbers stand for; empty where they stand for themselves
    _known: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def skipped(self) -> int:
        """Records that the latest pass over any split left out because they have no label."""
        return self._known.get("skipped", 0)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the corpus's digest and of all that the labels depend on."""
        told = [self.label_field, self.second_field, self.several, self.separator, self.names]
        return hashlib.sha256(json.dumps([1, self.corpus.digest, told]).encode()).hexdigest()

    def examples(self, split: str) -> Iterator[Example]:
        """The labelled texts of a split, from the first, at each call; those without a label are left out.

        Raises:
            CorpusError: there is no such split; while reading, a label is of a wrong kind, or the files are wrong.
        """
        records = self.corpus.records(split)
        where = self.corpus.origins.get(split, self.corpus.origins["train"]).where
        return self._examples(records, where)

    def _examples(self, records: Iterator[dict[str, Any]], where: str) -> Iterator[Example]:
        skipped = 0
        fields, second = self.corpus.text_fields, (self.second_field,)
        for record in records:
            labels = self._labels(record.get(self.label_field), where)
            if labels is None:
                skipped += 1
                continue
            yield Example(text_of(record, fields, where), text_of(record, second, where) if self.pairs else "", labels)
        self._known["skipped"] = skipped

    def _labels(self, value: Any, where: str) -> tuple[str, ...] | None:
        """The labels of a record, each once; None where it has none."""
        if hasattr(value, "tolist"):  # of numpy
            value = value.tolist()
        if isinstance(value, str) and self.separator is not None:
            value = value.split(self.separator)
        if isinstance(value, (set, frozenset)):
            value = sorted(value, key=str)
        if not isinstance(value, (list, tuple)):
            one = self._label(value, where)
            return None if one is None else (one,)
        some = tuple(dict.fromkeys(one for part in value if (one := self._label(part, where)) is not None))
        if len(some) > 1 and not self.several:
            raise CorpusError(f"{where}: a text has {len(some)} labels ({', '.join(some)}); set several_labels to true")
        return some if some or self.several else None

    def _label(self, value: Any, where: str) -> str | None:
        if isinstance(value, str):
            return value.strip() or None
        if value is None or value != value:  # not a number: an empty cell of a table of numbers
            return None
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int) and self.names:
            # -1 is the Hub's "no label".
            return self.names[value] if 0 <= value < len(self.names) else None
        if isinstance(value, (int, float)):
            return str(int(value)) if value == value // 1 else repr(value)
        raise CorpusError(
            f"{where}: the label in {self.label_field!r} is of type {type(value).__name__}, not text, a number, a "
            "truth value or a list of such; choose another label_field"
        )


def open_labelled(source: Any, config: LabelledConfig = LabelledConfig(), least: int = 2) -> LabelledCorpus:
    """Open a corpus of labelled texts.

    Args:
        source: as of :func:`textdl.corpus.open_corpus`; also lists of ``(text, label)`` or ``((text, second), label)``,
            plain or by split. A LabelledCorpus is returned as it is.
        config: how to read and split it, and where the labels are.
        least: classes that there must be: two to learn from, one to evaluate on.

    The label is the field named by ``config``, by the corpus's card, or the first of :data:`USUAL_LABELS`. In a folder
    of plain text it is the folder that a file lies in; with ``documents`` "line" or "paragraph" it may be the name of
    the file; and lines may begin with fastText's ``__label__x``. A split without any label is not taken for one of
    the corpus's own. Whole numbers that the Hub has names for go by these.

    Raises:
        CorpusError: as of ``open_corpus``; there are no labels, or too few classes; a field is not there.
    """
    if isinstance(source, LabelledCorpus):
        return source
    source, config = _with_records(source, config)
    corpus = _with_labels(open_corpus(source, config), config)
    where = corpus.origins["train"].where
    sample = list(itertools.islice(corpus.records("train"), SAMPLE))
    columns = _columns(sample)
    label, second = _fields(corpus, config, columns, where)
    corpus = corpus.of({split: _narrowed(origin, label, second) for split, origin in corpus.origins.items()})
    lists = any(_is_list(record.get(label)) for record in sample)
    several = lists if config.several_labels is None else config.several_labels
    separator = config.label_separator if config.several_labels else None
    labelled = LabelledCorpus(corpus, several, bool(second), label, second, separator, _names(corpus, label))
    return _checked(_without_unlabelled(labelled), least)


def _fields(corpus: Corpus, config: LabelledConfig, columns: list[str], where: str) -> tuple[str, str]:
    """The fields of the label and of the second text ("" for none)."""
    label = config.label_field or corpus.card.label_field
    if label:
        _check_field(label, columns, where)
    elif not (label := _usual([name for name in columns if name not in corpus.text_fields])):
        raise CorpusError(
            f"{where} does not say which field is the label; set label_field (--label-field) to one of "
            + ", ".join(columns)
        )
    second = corpus.card.second_field if config.second_field is None else config.second_field
    if config.second_field is None and second in corpus.text_fields:
        second = ""
    if second:
        _check_field(second, columns, where)
    for name, what in ((label, "label"), (second, "second text")):
        if name in corpus.text_fields:
            raise CorpusError(f"{where}: the field {name!r} is the text and can not be the {what} too; choose another")
    if label == second:
        raise CorpusError(f"{where}: the field {label!r} is the label and can not be the second text too")
    return label, second


def _with_records(source: Any, config: LabelledConfig) -> tuple[Any, LabelledConfig]:
    """Lists of pairs of a text and its label as lists of records; anything else as it is."""
    if isinstance(source, (str, Path, Corpus)) or not isinstance(source, Iterable):
        return source, config
    lists = source if isinstance(source, Mapping) else {"train": source}
    made: dict[Any, Any] = {}
    second = False
    for name, rows in lists.items():
        first = rows[0] if isinstance(rows, (list, tuple)) and rows else None
        if isinstance(first, (list, tuple)):
            made[name] = [_record(row, f"the texts of {name!r}, document {at}") for at, row in enumerate(rows, 1)]
            second = second or "second" in made[name][0]
        else:
            made[name] = rows
    if second and config.second_field is None:
        config = replace(config, second_field="second")
    return made, config


def _record(row: Any, where: str) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    text, label = row if isinstance(row, (list, tuple)) and len(row) == 2 else (None, None)
    if isinstance(text, str):
        return {"text": text, "label": label}
    if isinstance(text, (list, tuple)) and len(text) == 2 and all(isinstance(part, str) for part in text):
        return {"text": text[0], "second": text[1], "label": label}
    raise CorpusError(f"{where} must be (text, label) or ((text, second), label), got {str(row)[:60]}")


def _with_labels(corpus: Corpus, config: LabelledConfig) -> Corpus:
    """Plain text as records with the labels that its lines, folders or files give; any other corpus as it is."""
    files = {split: origin for split, origin in corpus.origins.items() if isinstance(origin, Files)}
    if len(files) < len(corpus.origins) or any(holds_records(path) for some in files.values() for path in some.paths):
        return corpus
    train = files["train"]
    splits = {split: some.paths for split, some in files.items()}
    made: dict[str, Iterable[Any]] = {}
    if most := marks(train.paths[0]):
        several = most > 1 if config.several_labels is None else config.several_labels
        made = {split: MarkedLines(paths, several) for split, paths in splits.items()}
    else:
        classes = by_folder(splits, train.root)
        if len(classes.get("train", ())) < 2 and train.documents != "file":
            classes = by_name(splits) or classes
        made = {split: ClassFiles(some, train.documents) for split, some in classes.items()}
    if "train" not in made:
        raise CorpusError(
            f"{train.where} is plain text without labels; give a folder of files for each class, a file for each "
            "class with --documents line, lines that begin with __label__NAME, or a table with a column of labels"
        )
    if config.label_field or config.second_field:
        name = config.label_field or config.second_field
        raise CorpusError(
            f"{train.where} is plain text and has no field {name!r}; leave label_field and second_field out"
        )
    fields = ("text",)
    origins = {split: Rows(rows, rows, fields, files.get(split, train).where) for split, rows in made.items()}
    return replace(corpus.of(origins), text_fields=fields, card=replace(corpus.card, label_field="label"))


def _without_unlabelled(labelled: LabelledCorpus) -> LabelledCorpus:
    """The corpus without those of its own splits that have no label, such as a competition's test."""
    corpus = labelled.corpus
    kept = {}
    for split, origin in corpus.origins.items():
        records = itertools.islice(corpus.records(split), PATIENCE) if split != "train" else iter(())
        if split == "train" or any(
            labelled._labels(record.get(labelled.label_field), origin.where) for record in records
        ):
            kept[split] = origin
    return labelled if len(kept) == len(corpus.origins) else replace(labelled, corpus=corpus.of(kept))


def _checked(labelled: LabelledCorpus, least: int) -> LabelledCorpus:
    """Read until there are ``least`` classes; of several labels, texts that differ in them are enough.

    Raises:
        CorpusError: there are none, or one only.
    """
    seen: set[tuple[str, ...]] = set()
    for example in labelled.examples("train"):
        seen.add(example.labels)
        if len(seen) >= least and any(seen):
            return labelled
    where, limit = labelled.corpus.origins["train"].where, labelled.corpus.config.limit
    if not any(seen):  # no text, or texts of no label each
        raise CorpusError(f"{where} has no label in {labelled.label_field!r}; choose another label_field")
    only = ", ".join(repr(label) for label in next(iter(seen)))
    read = f" in its first {limit} documents" if limit else ""
    raise CorpusError(f"{labelled.name} has one class only{read}, {only}; a classifier needs two")


def _names(corpus: Corpus, label: str) -> tuple[str, ...]:
    """The names that a dataset of the Hub has for the whole numbers of a field, or of the lists in it."""
    rows: Any = getattr(corpus.origins["train"], "rows", None)
    told = (rows.features or {}).get(label) if hasattr(rows, "select_columns") else None
    while told is not None and not hasattr(told, "names"):
        told = getattr(told, "feature", None)
    return tuple(told.names) if told is not None else ()


def _narrowed(origin: Files | Rows, label: str, second: str) -> Files | Rows:
    """Of a dataset of the Hub only the columns that are needed."""
    if not isinstance(origin, Rows) or not hasattr(origin.rows, "select_columns"):
        return origin
    return replace(origin, rows=origin.rows.select_columns([*origin.fields, label, *([second] if second else [])]))


def _columns(records: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record))


def _usual(columns: list[str]) -> str:
    return next((name for name in USUAL_LABELS if name in columns), "")


def _check_field(name: str, columns: list[str], where: str) -> None:
    if name not in columns:
        remedy = near(name, columns)
        listed = "" if remedy.startswith("known") else f" known: {', '.join(columns)}"
        raise CorpusError(f"{where} has no field {name!r}; {remedy}{listed}")


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) or getattr(value, "ndim", 0) > 0
