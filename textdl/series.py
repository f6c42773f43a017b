"""Opening series of numbers: columns of a table, or lists and arrays in memory, split by time.

A series keeps its order. Its last numbers are the test part, those before them the validation part; nothing that the
training part holds depends on what comes after it.

Legend: N times, C columns.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import check, check_shares, knob
from .errors import ConfigError, CorpusError, near
from .text.files import stem
from .text.records import holds_records, place_of, read_records

SPLITS = ("train", "validation", "test")
MISSING = ("refuse", "interpolate", "last")
#: What stands in a cell that holds no number.
EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
#: Records looked at to learn which columns hold numbers.
SAMPLE = 1000
#: Larger numbers are refused: their squares are to be numbers too.
LARGEST = 1e100
#: Whole numbers beyond it are not all kept apart by a float.
EXACT = 2**53


@dataclass(frozen=True)
class SeriesConfig:
    """How a series is read and split."""

    column: tuple[str, ...] = knob((), "Column(s) of numbers to forecast (default: the only one that there is).")
    time_column: str | None = knob(None, "Column that says when each number was; it is shown, not learned.")
    missing: str = knob(
        "refuse",
        "What becomes of a missing number: refused; on a line between its neighbours; or the last number again.",
        choices=MISSING,
    )
    validation: float = knob(0.1, "Share of the series before the test part that is held out.", least=0, most=0.9)
    test: float = knob(0.1, "Share of the series, its end, that is held out for testing.", least=0, most=0.9)

    def __post_init__(self) -> None:
        check(self)
        check_shares(self)


@dataclass(frozen=True, eq=False)
class Series:
    """Numbers over time, one column or several.

    Attributes:
        name: what it is called.
        columns: the names of the C columns.
        values: [N, C], finite, float64; read-only.
        times: N labels, or none.
        parts: where each of train, validation and test begins and ends.
        own_splits: the parts that were given as such, not cut off by shares.
        notes: what people should know of it, a line each.
    """

    name: str
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    times: tuple[str, ...]
    parts: Mapping[str, tuple[int, int]]
    own_splits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the numbers, the columns and where the parts end."""
        plain = json.dumps([1, list(self.columns), {name: list(ends) for name, ends in self.parts.items()}])
        return hashlib.sha256(plain.encode() + np.ascontiguousarray(self.values).tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self.values)


def open_series(source: Any, config: SeriesConfig = SeriesConfig()) -> Series:
    """Read a series whole.

    Args:
        source: a file of records (CSV, TSV, JSON lines, Parquet); numbers [N] or [N, C] in a list or an array; or such
            by part, ``{"train": numbers, "validation": numbers, "test": numbers}``, each going on where the one before
            it ends. Parts that are not there are cut off the end of train by the shares of the config.

    Raises:
        CorpusError: no such file or column, no numbers, a cell that holds none (file and line), a number that is
            missing where that is refused, or not finite, or beyond 1e100.
        ConfigError: columns are named of what has none.
    """
    if isinstance(source, Series):
        return source
    if isinstance(source, (str, Path)):
        return _of_file(Path(source), config)
    if config.column or config.time_column is not None:
        raise ConfigError("column and time_column are of a file, and numbers in memory have no names; leave them out")
    lists = source if isinstance(source, Mapping) else {"train": source}
    for name in lists:
        if name not in SPLITS:
            raise CorpusError(
                f"a series has the parts train, validation and test, got {name!r}; {near(str(name), SPLITS)}"
            )
    if "train" not in lists:
        raise CorpusError("a series has no part train; give {'train': numbers, ...}")
    tables = {name: _table(lists[name], name) for name in SPLITS if name in lists}
    widths = {table.shape[1] for table in tables.values() if len(table)}
    if len(widths) > 1:
        raise CorpusError(f"the parts of a series must have as many columns each, got {sorted(widths)}")
    whole = np.concatenate([table for table in tables.values() if len(table)] or [np.zeros((0, 1))])
    own = tuple(name for name in SPLITS if name in lists) if isinstance(source, Mapping) else ()
    names = ("value",) if whole.shape[1] == 1 else tuple(f"column {n}" for n in range(1, whole.shape[1] + 1))
    sizes = {name: len(table) for name, table in tables.items()}
    return _finished("numbers from memory", names, whole, (), _parts(sizes, config), own, config, [])


def _table(numbers: Any, part: str) -> NDArray[np.float64]:
    """Numbers in memory as [N, C]; what is missing is NaN."""
    if isinstance(numbers, (str, bytes)):
        raise CorpusError(f"a series must be numbers, got the text {numbers[:40]!r}; a file is given by its path alone")
    rows = numbers if hasattr(numbers, "__array__") else list(numbers) if isinstance(numbers, Iterable) else None
    if rows is None:
        raise CorpusError(f"a series must be a list of numbers, got {type(numbers).__name__}")
    if isinstance(rows, list):
        wide = bool(rows) and isinstance(rows[0], (list, tuple))
        cells = [row if isinstance(row, (list, tuple)) else (row,) for row in rows]
        for place, row in enumerate(cells):
            if len(row) != len(cells[0]) or isinstance(rows[place], (list, tuple)) != wide:
                got = str(rows[place])[:40]
                raise CorpusError(
                    f"row {place} of {part} must be of {len(cells[0])} numbers as the first is, got {got}"
                )
        rows = np.array([[_number(cell, f"{part}[{place}]") for cell in row] for place, row in enumerate(cells)], float)
    array = np.asarray(rows)
    if array.size and (array.dtype.kind not in "iuf" or array.ndim not in (1, 2)):
        raise CorpusError(f"a series must be numbers [N] or [N, C], got an array of {array.dtype} {list(array.shape)}")
    return array.astype(np.float64).reshape(len(array), -1) if array.size else np.zeros((0, 1))


def _number(cell: Any, where: str) -> float:
    """A cell as a number; NaN where it is missing.

    Raises:
        CorpusError: it holds something else.
    """
    if _is_missing(cell):
        return math.nan
    if isinstance(cell, str):
        try:
            if "_" not in cell:  # which Python takes for a number's grouping
                return float(cell)
        except ValueError:
            pass
    elif isinstance(cell, (Real, Decimal)) and not isinstance(cell, (bool, np.bool_)):
        try:
            return float(cell)
        except OverflowError:
            return math.inf
    shown = repr(cell) if len(repr(cell)) <= 40 else f"{repr(cell)[:40]}…"
    raise CorpusError(
        f"{where} must be a number such as 1234.5, got {shown}; mend it, or leave it empty and train with --missing"
    )


def _is_missing(cell: Any) -> bool:
    """Whether a cell says that there is no number."""
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in EMPTY)


def _is_number(cell: Any) -> bool:
    try:
        _number(cell, "")
    except CorpusError:
        return False
    return True


def _of_file(path: Path, config: SeriesConfig) -> Series:
    """The columns of a file of records."""
    if path.is_dir():
        raise CorpusError(f"{path} is a folder; name one file with a column of numbers")
    if not holds_records(path):
        what = "by its name holds no records" if path.exists() else "is not there"
        raise CorpusError(f"{path} {what}; name a .csv, .tsv, .jsonl, .json or .parquet file with a column of numbers")
    records = read_records(path)
    sample = list(itertools.islice(records, SAMPLE))
    names = _columns(sample, config, str(path))
    cells: list[list[float]] = []
    times: list[str] = []
    beyond: set[str] = set()
    for place, record in enumerate(itertools.chain(sample, records)):
        try:
            cells.append([_number(record.get(name), f"column {name!r}") for name in names])
        except CorpusError as error:
            raise CorpusError(f"{place_of(path, place)}: {error}") from None
        beyond.update(name for name, number in zip(names, cells[-1], strict=True) if _inexact(record.get(name), number))
        if config.time_column is not None:
            times.append(str(record.get(config.time_column, "")))
    values = np.array(cells, np.float64)
    _refuse(values, config, names, lambda row: place_of(path, row))
    notes = [
        f"column {name!r} of {path} has whole numbers beyond 2^53; last digits are lost" for name in sorted(beyond)
    ]
    row = _out_of_order(times)
    if row is None:
        notes.append(
            f"whether {path} is in the order of its column {config.time_column!r} can not be told of times such as "
            f"{times[0][:40]!r}; its rows are taken as they stand, the earliest is to be the first"
        )
    elif row:
        notes.append(
            f"{path} is not in the order of its column {config.time_column!r} ({place_of(path, row)} has "
            f"{times[row]!r} after {times[row - 1]!r}); its rows are taken as they stand, sort them first if that "
            "is not meant"
        )
    parts = _parts({"train": len(values)}, config)
    return _finished(stem(path), names, values, tuple(times), parts, (), config, notes)


def _columns(sample: list[dict[str, Any]], config: SeriesConfig, where: str) -> tuple[str, ...]:
    """The columns that are named, else the only one of numbers.

    Raises:
        CorpusError: there is none, or it can not be told which is meant.
    """
    there = list(dict.fromkeys(name for record in sample for name in record))
    if not there:
        raise CorpusError(f"{where} holds no records; give a file with a header and a column of numbers")
    for name in (*config.column, *([] if config.time_column is None else [config.time_column])):
        if name not in there:
            raise CorpusError(f"{where} has no column {name!r}; {near(name, there)}")
    if config.column:
        return tuple(dict.fromkeys(config.column))
    numeric = [name for name in there if name != config.time_column and _holds_numbers(sample, name)]
    if not numeric:
        raise CorpusError(f"{where} has no column of numbers; it has {', '.join(there)}, mend the one to forecast")
    if len(numeric) > 1:
        raise CorpusError(
            f"{where} does not say which column to forecast; give --column, one or more of {', '.join(numeric)}"
        )
    return (numeric[0],)


def _holds_numbers(sample: list[dict[str, Any]], name: str) -> bool:
    """Whether a column is one of numbers: a few other cells are mistakes, to be told when it is read."""
    cells = [cell for record in sample if not _is_missing(cell := record.get(name))]
    return 2 * sum(map(_is_number, cells)) > len(cells)


def _inexact(cell: Any, number: float) -> bool:
    """Whether a cell is a whole number that a float does not hold."""
    if not EXACT <= abs(number) < math.inf:
        return False
    try:
        return int(cell) != int(number)
    except (TypeError, ValueError):
        return False


def _refuse(values: NDArray[np.float64], config: SeriesConfig, names: tuple[str, ...], where: Any) -> None:
    """Raise a ``CorpusError`` for the first number that can not be used."""
    bad = ~np.isnan(values) & ~(np.abs(values) <= LARGEST)
    if bad.any():
        row, column = (int(part[0]) for part in np.nonzero(bad))
        raise CorpusError(
            f"{where(row)}: column {names[column]!r} must be finite and at most {LARGEST:g}, "
            f"got {values[row, column]:g}; mend it, or leave it empty and train with --missing"
        )
    if config.missing == "refuse" and np.isnan(values).any():
        row, column = (int(part[0]) for part in np.nonzero(np.isnan(values)))
        raise CorpusError(
            f"{where(row)}: column {names[column]!r} has no number; fill it in, or train with --missing interpolate "
            "or --missing last"
        )


def _out_of_order(times: list[str]) -> int | None:
    """The first row whose time comes before the one above it; 0 where there is none; None of times of no known form."""
    for read in (float, datetime.datetime.fromisoformat, _month):
        try:
            moments: list[Any] = [read(time) for time in times]
            return next((row for row in range(1, len(moments)) if moments[row] < moments[row - 1]), 0)
        except (ValueError, TypeError):
            continue
    return None


def _month(time: str) -> datetime.datetime:
    """A month such as 2024-07."""
    return datetime.datetime.strptime(time, "%Y-%m")


def _parts(sizes: Mapping[str, int], config: SeriesConfig) -> dict[str, tuple[int, int]]:
    """Where each part begins and ends; those without a size are cut off the end of train by their shares."""
    whole = sizes["train"]
    cut = {name: int(whole * getattr(config, name) + 1e-9) for name in SPLITS[1:] if name not in sizes}
    lengths = {**sizes, **cut, "train": whole - sum(cut.values())}
    ends = list(itertools.accumulate(lengths[name] for name in SPLITS))
    return {name: (end - lengths[name], end) for name, end in zip(SPLITS, ends, strict=True)}


def _finished(
    name: str,
    columns: tuple[str, ...],
    values: NDArray[np.float64],
    times: tuple[str, ...],
    parts: Mapping[str, tuple[int, int]],
    own: tuple[str, ...],
    config: SeriesConfig,
    notes: list[str],
) -> Series:
    """The series with its missing numbers filled in.

    Raises:
        CorpusError: it has no numbers, or none in a part that begins the series.
    """
    if not len(values):
        raise CorpusError(f"{name} has no numbers; give a series of them")
    _refuse(values, config, columns, lambda row: f"{name}, place {row + 1}")
    missing = int(np.isnan(values).sum())
    if missing:
        values = values.copy()
        for column in range(values.shape[1]):
            _fill(values[:, column], parts, config.missing, f"{name}, column {columns[column]!r}")
        notes.append(f"{missing:,} missing numbers of {values.size:,} were filled in ({config.missing})")
    values.flags.writeable = False
    return Series(name, columns, values, times, dict(parts), own, tuple(notes))


def _fill(line: NDArray[np.float64], parts: Mapping[str, tuple[int, int]], how: str, where: str) -> None:
    """Fill in the missing numbers [N] of a column, in place.

    No number is filled by one of a later part, or training would know of it: at the end of a part the last goes on.

    Raises:
        CorpusError: the column begins with a missing number.
    """
    for end in dict.fromkeys(end for _, end in parts.values()):
        known = np.flatnonzero(~np.isnan(line[:end]))
        if not len(known) or known[0] > 0:
            if end == 0:
                continue
            raise CorpusError(f"{where} begins without a number, and none before it can stand in; drop those rows")
        places = np.flatnonzero(np.isnan(line[:end]))
        if how == "interpolate":
            line[places] = np.interp(places, known, line[known])  # beyond the last it gives the last
        else:
            line[places] = line[known[np.searchsorted(known, places) - 1]]
