"""Reading records: JSON lines, JSON, CSV, TSV and Parquet; and the text that a record holds.

A record is a dict of fields. All readers go through a file once, in bounded memory.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import CorpusError, near
from .files import READABLE, damaged, kind, packing, read_blocks, read_lines, read_text, unreadable

#: Characters that one JSON value or one CSV cell may have: beyond it a quote or bracket was left open.
LONGEST = 1 << 26

_BETWEEN_VALUES = re.compile(r"[\s,]*")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
#: Fields that are the text where nothing else is said, the first that there is.
USUAL_FIELDS = ("text", "content")


def read_records(path: Path, fields: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """The records of a .jsonl, .json, .csv, .tsv or .parquet file.

    JSON: an array, or values one after the other; a bare string is taken as ``{"text": string}``. CSV: the
    first line names the columns; comma, or else semicolon, tab or bar as the header has it. TSV: as its
    definition says, quotes mean nothing. ``fields``, if given, are the only ones wanted.

    Raises:
        CorpusError: as :func:`read_text`; or a line that is not JSON, a row that does not fit the header.
    """
    match kind(path):
        case "json lines":
            return _read_json_lines(path)
        case "json":
            return _read_json(path)
        case "csv" | "tsv":
            return _read_table(path)
        case "parquet":
            return _read_parquet(path, fields)
    raise CorpusError(f"{path} holds no records; textdl reads them from {READABLE}")


def holds_records(path: Path) -> bool:
    """Whether the file is, by its name, a table of records rather than plain text."""
    return kind(path) not in ("text", "")


def choose_fields(sample: Iterable[dict[str, Any]], wanted: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The fields that hold the text: those ``wanted``, else text, else content, else the only one of prose.

    Args:
        sample: some records; a field counts as there when one of them has it.
        where: what the records are of, for the message.

    Raises:
        CorpusError: a field is not there, or it can not be told which is the text.
    """
    values: dict[str, list[Any]] = {}
    for record in sample:
        for name, value in record.items():
            values.setdefault(name, []).append(value)
    if not values:
        raise CorpusError(f"{where} holds no records; give a file with at least one")
    for name in wanted:
        if name not in values:
            header = "; the first line must name the columns" if kind(Path(where)) in ("csv", "tsv") else ""
            raise CorpusError(f"{where} has no field {name!r}; {near(name, values)}{header}")
    if wanted:
        return wanted
    usual = [name for name in USUAL_FIELDS if name in values]
    prose = [name for name, some in values.items() if _is_prose(some)]
    if not usual and len(prose) != 1:
        raise CorpusError(
            f"{where} does not say which field is the text; set text_field to one or more of " + ", ".join(values)
        )
    return ((usual or prose)[:1][0],)


def text_of(record: dict[str, Any], fields: tuple[str, ...], where: str) -> str:
    """The text of a record: its fields, those that are missing or empty left out, with a blank line between.

    A list becomes lines, a number its digits.

    Raises:
        CorpusError: a field holds something else (a table, bytes).
    """
    parts = [_as_text(record.get(name), name, where) for name in fields]
    text = parts[0] if len(parts) == 1 else "\n\n".join(part for part in parts if part)
    if not text.isascii():
        # JSON can spell half of a surrogate pair, which no encoding takes.
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _as_text(value: Any, name: str, where: str) -> str:
    if isinstance(value, str):
        # Only files read as text had their line ends made equal.
        return value.replace("\r\n", "\n") if "\r" in value else value
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "\n".join(part for part in (_as_text(item, name, where) for item in value) if part)
    if isinstance(value, (dict, bytes)):
        got = type(value).__name__
        raise CorpusError(f"{where}: the field {name!r} is of type {got}, not text; choose another text_field")
    return str(value)


def _is_prose(values: list[Any]) -> bool:
    """Whether a field has only strings, and not only numbers written as strings (CSV has no others)."""
    some = [value for value in values if value is not None and value != ""]
    if not all(isinstance(value, str) for value in some):
        return False
    return any(not _NUMBER.fullmatch(value.strip()) for value in some)


def _record(value: Any, path: Path, line: int) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"text": value}
    shown = type(value).__name__ if isinstance(value, list) else json.dumps(value)
    raise CorpusError(f"{path}:{line} must be a JSON object (or a string), got {shown}")


def _not_json(path: Path, line: int, error: Exception) -> CorpusError:
    if isinstance(error, RecursionError):
        reason = "nested too deeply"
    else:
        reason = getattr(error, "msg", str(error))
    return CorpusError(f"{path}:{line} is not JSON ({reason}); mend or remove that line")


def _read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(read_lines(path), 1):
        if not line or line.isspace():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _not_json(path, number, error) from None
        yield value if type(value) is dict else _record(value, path, number)


def _read_json(path: Path) -> Iterator[dict[str, Any]]:
    decode = json.JSONDecoder().raw_decode
    buffer, line, enough, array, closed = "", 1, 0, False, False
    started = False
    for text in itertools.chain(read_text(path), ("",)):
        buffer += text
        # A value longer than a block is tried again only when the buffer has doubled: linear, not quadratic.
        if text and len(buffer) < enough:
            continue
        at = 0
        if not started and buffer.strip():
            started, array = True, buffer.lstrip().startswith("[")
            at = buffer.index("[") + 1 if array else 0
        while (at := _BETWEEN_VALUES.match(buffer, at).end()) < len(buffer):  # type: ignore[union-attr]
            if array and not closed and buffer[at] == "]":
                at, closed = at + 1, True
                continue
            try:
                value, end = decode(buffer, at)
            except (ValueError, RecursionError) as error:
                if not text or len(buffer) - at > LONGEST:
                    where = line + buffer.count("\n", 0, getattr(error, "pos", at))
                    raise _not_json(path, where, error) from None
                break
            yield _record(value, path, line + buffer.count("\n", 0, at) if type(value) is not dict else 0)
            at = end
        line += buffer.count("\n", 0, at)
        buffer = buffer[at:]
        enough = 2 * len(buffer)
    if array and not closed:
        raise CorpusError(f"{path}:{line} ends before the array is closed by ']'; fetch or write it again")


def _read_table(path: Path) -> Iterator[dict[str, Any]]:
    lines = (line + "\n" for line in read_lines(path))
    first = next(lines, "")
    is_tsv = kind(path) == "tsv"
    separator = "\t" if is_tsv else next((mark for mark in ",;\t|" if mark in first), ",")
    # The module's limit on a cell (131,072 characters) is for the whole process and too low for documents.
    csv.field_size_limit(LONGEST)
    rows = csv.reader(
        itertools.chain((first,), lines),
        delimiter=separator,
        quoting=csv.QUOTE_NONE if is_tsv else csv.QUOTE_MINIMAL,
        strict=True,
    )
    try:
        header = _header(path, next((row for row in rows if row), []))
        for row in rows:
            if len(row) == len(header):
                yield dict(zip(header, row, strict=True))
            elif row:
                raise _uneven(path, rows.line_num, len(row), len(header))
    except csv.Error as error:
        raise CorpusError(
            f"{path}:{rows.line_num} is not CSV ({error}); is a quote left open, or not doubled in a cell?"
        ) from None


def _uneven(path: Path, line: int, cells: int, columns: int) -> CorpusError:
    tsv = kind(path) == "tsv"
    remedy = "a cell can not hold a tab or line end" if tsv else "quote the cells that hold a separator"
    return CorpusError(f"{path}:{line} has {cells} cells where the header names {columns} columns; {remedy}")


def _header(path: Path, cells: list[str]) -> list[str]:
    """The column names, once it is sure enough that they are names and not the first row."""
    names = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
    for name in names:
        if _NUMBER.fullmatch(name) or len(name) > 100 or "\n" in name or names.count(name) > 1:
            shown = name if len(name) <= 40 else name[:40] + "…"
            raise CorpusError(
                f"{path} has no header: its first line must name the columns, each once, but has {shown!r}; "
                f"add a line such as {'label,text' if len(names) == 2 else 'id,label,text'}"
            )
    return names


def _read_parquet(path: Path, fields: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        # Parquet is read from its end, which a packed stream does not allow.
        source = pyarrow.BufferReader(b"".join(read_blocks(path))) if packing(path) else path
        with pyarrow.parquet.ParquetFile(source) as file:
            columns = [name for name in fields if name in file.schema_arrow.names] or None
            for batch in file.iter_batches(batch_size=1000, columns=columns):
                yield from batch.to_pylist()
    except OSError as error:
        raise (unreadable(path, error) if error.errno else damaged(path, error)) from None
    except (pyarrow.ArrowException, ValueError) as error:
        raise damaged(path, error) from None


def place_of(path: Path, row: int) -> str:
    """Where a record of a file stands, ``FILE:LINE``; of one without lines its number. Only looked up for a message."""
    if kind(path) == "json lines":
        lines = (number for number, line in enumerate(read_lines(path), 1) if line.strip())
        return f"{path}:{next(itertools.islice(lines, row, None))}"
    if kind(path) not in ("csv", "tsv"):
        return f"{path} record {row + 1}"
    text = (line + "\n" for line in read_lines(path))
    # separators do not matter for where a row ends: quotes do
    rows = csv.reader(text, quoting=csv.QUOTE_NONE) if kind(path) == "tsv" else csv.reader(text)
    lines = (rows.line_num for cells in rows if cells)
    return f"{path}:{next(itertools.islice(lines, row + 1, None))}"
