"""Opening points on a plane with their labels: a table of two columns of numbers and one of labels, or arrays.

Legend: N points, K classes.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .config import check, check_shares, knob
from .corpus import Card
from .errors import ConfigError, CorpusError, near
from .text.card import is_card, read_card
from .text.dividing import deal
from .text.files import stem
from .text.folders import SPLITS, split_called
from .text.labels import in_order
from .text.records import holds_records, place_of, read_records

#: Records looked at to learn which columns hold numbers.
SAMPLE = 1000
#: Larger numbers are refused: their squares are to be numbers too.
LARGEST = 1e100
BUILT_IN = ("spirals", "circles")
_FORMS = "name a .csv, .tsv, .jsonl, .json or .parquet file with columns x, y and label, or spirals or circles"


@dataclass(frozen=True)
class PointsConfig:
    """How points are read and split; ``limit`` is of the whole, or of each split where the corpus has its own."""

    x_field: str | None = knob(None, "Column of the first coordinate (default: x, or the first column of numbers).")
    y_field: str | None = knob(None, "Column of the second coordinate (default: y, or the second column of numbers).")
    label_field: str | None = knob(None, "Column that holds the label (default: label, or the one that remains).")
    limit: int | None = knob(None, "Read the first N points only.", least=1)
    validation: float = knob(
        0.1, "Share held out for validation where the corpus has no such split.", least=0, most=0.9
    )
    test: float = knob(0.1, "Share held out for testing where the corpus has no such split.", least=0, most=0.9)

    def __post_init__(self) -> None:
        check(self)
        check_shares(self)


class Points(NamedTuple):
    """Points of one split: xy [N, 2], finite, float64; labels int64 [N], places in ``PointCorpus.labels``, -1 where the
    label is none of these. Both read-only.
    """

    xy: NDArray[np.float64]
    labels: NDArray[np.int64]


class _Read(NamedTuple):
    """Points as they were read, each with the text of its label."""

    xy: NDArray[np.float64]
    labels: list[str]


@dataclass(frozen=True, eq=False)
class PointCorpus:
    """Points with one label each, in the splits train, validation and test (and others that the corpus brings).

    Splits that it does not bring are held out of train: each point goes where the hash of its numbers says, so equal
    points never straddle splits. Where too little is there a held-out split is empty; train never is.

    Attributes:
        name: what it is called.
        card: what is known of it.
        fields: the names of the two coordinates.
        labels: the sorted distinct labels of train; numbers in order of number.
        own_splits: the splits that the corpus brings.
        config: how it was read.
    """

    name: str
    card: Card
    fields: tuple[str, str]
    labels: tuple[str, ...]
    own_splits: tuple[str, ...]
    config: PointsConfig
    _held: Mapping[str, _Read] = field(repr=False)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        return SPLITS + tuple(name for name in self.own_splits if name not in SPLITS)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the numbers, the labels and the splits: the same in whatever form the points lie."""
        total = hashlib.sha256(b"points 1")
        for split, read in sorted(self._held.items()):
            if len(read.xy):
                total.update(json.dumps([split, read.labels]).encode())
                total.update(np.ascontiguousarray(read.xy, "<f8").tobytes())
        return total.hexdigest()

    def points(self, split: str, labels: Sequence[str] | None = None) -> Points:
        """The points of a split with their labels, as places in ``labels`` (those of the corpus when none are given).

        Raises:
            CorpusError: there is no such split.
        """
        if split not in self.splits:
            raise CorpusError(f"the corpus {self.name} has no split {split!r}; {near(split, self.splits)}")
        read = self._held.get(split, _Read(np.empty((0, 2)), []))
        places = {label: place for place, label in enumerate(self.labels if labels is None else labels)}
        xy, truth = read.xy.view(), np.array([places.get(label, -1) for label in read.labels], np.int64)
        xy.flags.writeable = truth.flags.writeable = False
        return Points(xy, truth)


def open_points(source: Any, config: PointsConfig = PointsConfig(), least: int = 2) -> PointCorpus:
    """Open a corpus of points.

    Args:
        source: ``spirals`` or ``circles``; a file of records (CSV, TSV, JSON lines, JSON, Parquet); or from Python
            ``(xy [N, 2], labels [N])``, or such by split, ``{"train": (xy, labels), "test": ...}``. A PointCorpus is
            returned as it is.
        config: how to read and split it.
        least: different labels that there must be: two to learn from, one to measure on.

    Raises:
        CorpusError: it can not be found or read; a coordinate is text, not finite, or beyond 1e100, or a label is
            missing (file and line); it can not be told which columns are meant; there is one class only.
        ConfigError: fields are named of what has none.
    """
    if isinstance(source, PointCorpus):
        return source
    card, fields, parts = _of_place(source, config) if isinstance(source, (str, Path)) else _of_arrays(source, config)
    if "train" not in parts:
        raise CorpusError(f"{card.name} has no split 'train', only {', '.join(parts) or 'nothing'}; add one")
    for split, read in parts.items():
        if not len(read.xy):
            raise CorpusError(f"{card.name} holds no points in {split}; give some, or take it out")
    held = _divided(parts, config)
    labels = tuple(sorted(set(held["train"].labels), key=in_order))
    if len(labels) < least:
        read_of = f" in its first {config.limit} points" if config.limit else ""
        raise CorpusError(f"{card.name} has one class only{read_of}, {labels[0]!r}; a classifier needs two")
    return PointCorpus(card.name, card, fields, labels, tuple(parts), config, held)


def coordinates(points: Any, where: str = "points") -> NDArray[np.float64]:
    """Points in memory as [N, 2].

    Raises:
        CorpusError: they are not of two finite numbers each.
    """
    try:
        array = np.asarray(points)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.size == 0 and array.ndim <= 2:
        return np.empty((0, 2))
    if array.dtype.kind not in "iuf" or array.ndim != 2 or array.shape[1] != 2:
        got = f"an array of {array.dtype} {list(array.shape)}" if array.ndim else str(points)[:40]
        raise CorpusError(f"{where} must be two numbers each, [N, 2], got {got}")
    array = array.astype(np.float64) + 0.0  # of the two zeros one
    bad = np.flatnonzero(~(np.abs(array) <= LARGEST).all(axis=1))
    if len(bad):
        raise CorpusError(
            f"{where}: point {bad[0]} must be finite and at most {LARGEST:g}, got {array[bad[0]].tolist()}"
        )
    return array


def _of_arrays(source: Any, config: PointsConfig) -> tuple[Card, tuple[str, str], dict[str, _Read]]:
    for name in ("x_field", "y_field", "label_field"):
        if getattr(config, name):
            raise ConfigError(f"{name} is of a file, and points in memory have no fields; leave it out")
    parts: dict[str, _Read] = {}
    for name, pair in (source if isinstance(source, Mapping) else {"train": source}).items():
        where = f"the points of {name!r}"
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise CorpusError(f"{where} must be (xy, labels), got {type(pair).__name__}; {_FORMS}, or give such a pair")
        split = split_called(str(name))
        if split in parts:
            raise CorpusError(f"the split {split} is given twice, the second time as {name!r}; join them")
        if isinstance(pair[1], (str, bytes)) or not isinstance(pair[1], Iterable):
            raise CorpusError(f"{where}: the labels must be a list of N, got {str(pair[1])[:40]!r}")
        xy = coordinates(pair[0], where)
        labels = [_label(label, f"{where}, label {place}") for place, label in enumerate(pair[1])]
        if len(labels) != len(xy):
            raise CorpusError(f"{where} must have a label each, got {len(xy)} points and {len(labels)} labels")
        parts[split] = _Read(xy[: config.limit], labels[: config.limit])
    return Card("points", "Points in memory", source="memory"), ("x", "y"), parts


def _of_place(source: str | Path, config: PointsConfig) -> tuple[Card, tuple[str, str], dict[str, _Read]]:
    """What a built-in corpus or a file holds."""
    import textdl_corpora

    built_in = Path(str(textdl_corpora.__file__)).parent / str(source)
    path = built_in if source in BUILT_IN else Path(source).expanduser()
    if is_card(path / "CARD.md"):
        said = read_card(path / "CARD.md", holds="points")
        card, files = said.card, {split_called(split): paths[0] for split, paths in said.splits.items()}
    else:
        card, files = Card(stem(path), stem(path), source=str(source)), {"train": _checked(path, source)}
    fields, parts = ("x", "y"), {}
    for split, file in files.items():
        fields, parts[split] = _table(file, config)
    return card, fields, parts


def _checked(path: Path, source: str | Path) -> Path:
    """The path, once it is a file of records."""
    if path.is_dir():
        raise CorpusError(f"{path} is a folder; {_FORMS}")
    if not path.exists():
        raise CorpusError(f"there is no corpus or file {str(source)[:100]!r}; {_remedy(source)}")
    if not holds_records(path):
        raise CorpusError(f"{path} by its name holds no records; {_FORMS}")
    return path


def _remedy(source: str | Path) -> str:
    remedy = near(str(source), BUILT_IN)
    return remedy if remedy.startswith("did you mean") else _FORMS


def _table(path: Path, config: PointsConfig) -> tuple[tuple[str, str], _Read]:
    """The points of a file of records, with the names of the two coordinates."""
    records = read_records(path)
    sample = list(itertools.islice(records, SAMPLE))
    x, y, label = _columns(sample, config, str(path))
    numbers: list[tuple[float, float]] = []
    labels: list[str] = []
    for row, record in enumerate(itertools.islice(itertools.chain(sample, records), config.limit)):
        try:
            numbers.append((_number(record.get(x), x), _number(record.get(y), y)))
            labels.append(_label(record.get(label), f"column {label!r}"))
        except CorpusError as error:
            raise CorpusError(f"{place_of(path, row)}: {error}") from None
    return (x, y), _Read(np.array(numbers, np.float64).reshape(-1, 2) + 0.0, labels)


def _columns(sample: list[dict[str, Any]], config: PointsConfig, where: str) -> tuple[str, str, str]:
    """The columns of x, y and label: those that are named, else by their usual names, else by what they hold.

    Raises:
        CorpusError: one is not there, or it can not be told which is meant.
    """
    there = list(dict.fromkeys(name for record in sample for name in record))
    if not there:
        raise CorpusError(f"{where} holds no records; give a file with the columns x, y and label")
    found = {"x": config.x_field, "y": config.y_field, "label": config.label_field}
    for named in found.values():
        if named is not None and named not in there:
            raise CorpusError(f"{where} has no column {named!r}; {near(named, there)}")
    for role, named in found.items():
        if named is None and role in there and role not in found.values():
            found[role] = role
    for role in ("x", "y"):
        free = [name for name in there if name not in found.values() and _holds_numbers(sample, name)]
        if found[role] is None and not free:
            raise CorpusError(
                f"{where} has fewer than two columns of numbers; it has {', '.join(there)}, name {role}_field "
                f"(--{role}-field)"
            )
        found[role] = found[role] or free[0]
    rest = [name for name in there if name not in found.values()]
    if found["label"] is None and len(rest) != 1:
        raise CorpusError(
            f"{where} does not say which column is the label; set label_field (--label-field) to one of "
            + ", ".join(rest or there)
        )
    columns = str(found["x"]), str(found["y"]), str(found["label"] or rest[0])
    if len(set(columns)) < 3:
        raise CorpusError(f"{where}: x, y and label must be three columns, got {', '.join(columns)}")
    return columns


def _holds_numbers(sample: list[dict[str, Any]], name: str) -> bool:
    """Whether a column is one of numbers: a few other cells are mistakes, to be told when it is read."""
    cells = [cell for record in sample if (cell := record.get(name)) not in (None, "")]
    good = 0
    for cell in cells:
        try:
            _number(cell, name)
            good += 1
        except CorpusError:
            continue
    return 2 * good > len(cells)


def _number(cell: Any, name: str) -> float:
    """A cell as a finite number.

    Raises:
        CorpusError: it is none.
    """
    value = math.nan
    if isinstance(cell, str):
        with contextlib.suppress(ValueError):
            value = float(cell) if "_" not in cell else math.nan  # which Python takes for a number's grouping
    elif isinstance(cell, Real) and not isinstance(cell, (bool, np.bool_)):
        with contextlib.suppress(OverflowError):
            value = float(cell)
    if not abs(value) <= LARGEST:
        shown = repr(cell) if len(repr(cell)) <= 40 else f"{repr(cell)[:40]}…"
        raise CorpusError(
            f"column {name!r} must be a finite number such as 1.5, at most {LARGEST:g}, got {shown}; mend or remove it"
        )
    return value


def _label(value: Any, where: str) -> str:
    """A label as text; of whole numbers their digits.

    Raises:
        CorpusError: there is none.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)) and abs(value) <= LARGEST:
        return str(int(value)) if value == int(value) else repr(value)
    got = f"one beyond {LARGEST:g}" if isinstance(value, int) else repr(value)
    raise CorpusError(f"{where} must be a label, a text or a number, got {got}; fill it in or remove that point")


def _divided(parts: Mapping[str, _Read], config: PointsConfig) -> dict[str, _Read]:
    """The splits, those that are lacking held out of train."""
    shares = {"test": config.test, "validation": config.validation}
    shares = {split: share for split, share in shares.items() if share and split not in parts}
    xy, labels = parts["train"]
    dealt = [deal(f"{x!r} {y!r}", shares) for x, y in xy.tolist()]
    if "train" not in dealt:
        dealt = ["train"] * len(dealt)
    held = {split: read for split, read in parts.items() if split != "train"}
    for split in ("train", *shares):
        places = [place for place, own in enumerate(dealt) if own == split]
        held[split] = _Read(xy[places], [labels[place] for place in places])
    return held
