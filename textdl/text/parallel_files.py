"""Reading pairs of texts, source and target, from whatever holds them: each reader yields ``(source, target)``.

A reader is gone through again and again, in bounded memory, and yields a pair for every line or record, also where a
side is empty: :class:`Pairs` leaves these out and counts them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import CorpusError, near
from .dividing import in_pieces
from .files import ARCHIVE, content_digest, count_lines, file_size, kind, packing, read_exact_lines, stem
from .folders import SPLITS, is_paper, split_called, split_named, walk
from .pair_fields import choose_pair, columns_of, find_column, side_of, usual_pair
from .records import holds_records, read_records
from .sources import SAMPLE, Item, Rows

Pair = tuple[str, str]
# A source shorter than this is surely one piece.
_SHORT = 10_000


class Reader(Protocol):
    """What yields pairs."""

    def __iter__(self) -> Iterator[Pair]: ...

    def mark(self) -> list[Any]:
        """What tells this content from any other, as plain JSON values."""

    def size(self) -> int | None:
        """About how many bytes the sources have, where that is known."""


@dataclass(frozen=True)
class LinePair:
    """Two files whose lines answer each other."""

    source: Path
    target: Path

    def __iter__(self) -> Iterator[Pair]:
        for source, target in itertools.zip_longest(read_exact_lines(self.source), read_exact_lines(self.target)):
            if source is None or target is None:
                raise self._uneven(count_lines(self.source), count_lines(self.target))
            yield source, target

    def check(self) -> None:
        """Hold the two against each other without looking at their texts.

        Raises:
            CorpusError: they are the same file or equal, or one has more lines.
        """
        if self.source.resolve() == self.target.resolve():
            raise CorpusError(f"{self.source} can not be both source and target; give the file of the other side")
        sources, targets = count_lines(self.source), count_lines(self.target)
        if sources != targets:
            raise self._uneven(sources, targets)
        same = sources and file_size(self.source) == file_size(self.target)
        if same and content_digest(self.source) == content_digest(self.target):
            raise CorpusError(f"{self.source} and {self.target} are identical; give the file of the other side")

    def _uneven(self, sources: int, targets: int) -> CorpusError:
        (less, short), (more, long) = sorted(((sources, self.source), (targets, self.target)))
        return CorpusError(
            f"{short} ends at line {less:,} where {long} has {more:,} lines ({more - less:,} more); line N of one must "
            "answer line N of the other"
        )

    def mark(self) -> list[Any]:
        """What tells this content from any other."""
        return [mark_of(self.source), mark_of(self.target)]

    def size(self) -> int | None:
        """Bytes of the source, where it is not packed."""
        return None if packing(self.source) else file_size(self.source)


@dataclass(frozen=True)
class Columns:
    """Two columns, counted from 0, of a file whose lines have cells with tabs between them; quotes mean nothing."""

    path: Path
    source: int
    target: int
    header: int  # the number of its line, 0 for none
    names: tuple[str, str]

    def __iter__(self) -> Iterator[Pair]:
        source, target = self.source, self.target
        lines = read_exact_lines(self.path)
        for number, line in enumerate(lines, 1):
            if number == self.header:
                continue
            cells = line.split("\t")
            try:
                yield cells[source], cells[target]
            except IndexError:
                if line.strip():
                    raise _too_few(self.path, number, len(cells), max(source, target) + 1) from None
                yield "", ""

    def mark(self) -> list[Any]:
        """What tells this content from any other."""
        return [*mark_of(self.path), self.source, self.target, self.header]

    def size(self) -> int | None:
        """Half the bytes, where the file is not packed."""
        return None if packing(self.path) else file_size(self.path) // 2


def open_columns(path: Path, wanted: tuple[str | None, str | None], told: tuple[str, str]) -> Columns:
    """Find the two columns: by the header, where the first line is one, or by their numbers, 1 and 2 if unsaid.

    The first line is a header when the columns ``wanted`` or ``told`` of are named in it, or two usual names are.

    Raises:
        CorpusError: there is no text, no tab, or no such column.
    """
    number, first = next(((n, line) for n, line in enumerate(read_exact_lines(path), 1) if line.strip()), (0, ""))
    if not number:
        raise CorpusError(f"{path} is empty; give a file that holds pairs of texts")
    cells = [cell.strip() for cell in first.split("\t")]
    names = [name for name in wanted if name is not None and not _is_number(name)]
    if len(cells) < 2 and names:
        there = near(names[0], _beside(path))
        raise CorpusError(f"{path}:{number} has no tab, and there is no file {names[0]!r}; {there}")
    if len(cells) < 2:
        raise CorpusError(
            f"{path}:{number} has no tab, and pairs in one file are source, tab, target; of two files give one as "
            "--source and the other as --target"
        )
    if names or (all(told) and set(told) <= set(cells)) or usual_pair(cells):
        source, target = choose_pair(cells, wanted, told, f"the first line of {path}")
        return Columns(path, cells.index(source), cells.index(target), number, (source, target))
    places = [None if name is None else int(name[:9]) - 1 for name in wanted]
    source_at, target_at = _places(places[0], places[1])
    if min(source_at, target_at) < 0:
        raise CorpusError(f"{path}: columns are counted from 1, got 0; give source and target other numbers")
    if source_at == target_at:
        raise CorpusError(f"{path}: column {source_at + 1} can not be both source and target; choose another for one")
    if max(source_at, target_at) >= len(cells):
        raise _too_few(path, number, len(cells), max(source_at, target_at) + 1)
    return Columns(path, source_at, target_at, False, (str(source_at + 1), str(target_at + 1)))


def _beside(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.iterdir() if other.name != path.name]
    except OSError:  # a folder that may be entered but not listed
        return []


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _places(source: int | None, target: int | None) -> tuple[int, int]:
    if source is None:
        source = 1 if target == 0 else 0
    return source, (1 if source == 0 else 0) if target is None else target


def _too_few(path: Path, line: int, cells: int, wanted: int) -> CorpusError:
    what = "no tab, so one column" if cells == 1 else f"{cells} columns"
    return CorpusError(f"{path}:{line} has {what}, and column {wanted} is wanted; mend that line or choose others")


@dataclass(frozen=True)
class RecordFile:
    """Two fields of a file of records."""

    path: Path
    source: str
    target: str

    def __iter__(self) -> Iterator[Pair]:
        where = str(self.path)
        wanted = {name.partition(".")[0] for name in (self.source, self.target)}
        plain = not any("." in name for name in (self.source, self.target))
        records = read_records(self.path, tuple(sorted(wanted)) if plain else ())
        yield from pairs_of(records, self.source, self.target, where)

    def mark(self) -> list[Any]:
        """What tells this content from any other."""
        return [*mark_of(self.path), self.source, self.target]

    def size(self) -> int | None:
        """Half the bytes, where they are text."""
        return None if packing(self.path) or kind(self.path) == "parquet" else file_size(self.path) // 2


@dataclass(frozen=True)
class RecordRows:
    """Two fields of records in memory, or of the Hub; ``revision`` names the content where that is known."""

    rows: Iterable[Any]
    source: str
    target: str
    where: str
    revision: str = ""

    def __iter__(self) -> Iterator[Pair]:
        return pairs_of(records_of(self.rows, self.where), self.source, self.target, self.where)

    def mark(self) -> list[Any]:
        """What tells this content from any other."""
        if self.revision:
            return [self.revision, self.source, self.target]
        sha = hashlib.sha256()
        for pair in self:
            sha.update(json.dumps(pair).encode() + b"\n")
        return [sha.hexdigest(), self.source, self.target]

    def size(self) -> int | None:
        """Not known."""
        return None


def records_of(rows: Iterable[Any], where: str) -> Iterator[dict[str, Any]]:
    """Rows that are dicts as they are, pairs as ``{"source": first, "target": second}``.

    Raises:
        CorpusError: a row is neither.
    """
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict):
            yield row
        elif isinstance(row, (list, tuple)) and len(row) == 2 and all(isinstance(side, str) for side in row):
            yield {"source": row[0], "target": row[1]}
        else:
            raise CorpusError(f"{where}, pair {number} must be (source, target) or a dict, got {repr(row)[:60]}")


def pairs_of(records: Iterator[dict[str, Any]], source: str, target: str, where: str) -> Iterator[Pair]:
    """The texts of two fields.

    Raises:
        CorpusError: none of the first records has such a field; a value is no text.
    """
    sample = list(itertools.islice(records, SAMPLE))
    columns = columns_of(sample)
    for name in (source, target) if sample else ():
        if name not in columns:
            find_column(name, [column for column in columns if not column.endswith(f".{name}")], where)
    for record in itertools.chain(sample, records):
        yield side_of(record, source, where), side_of(record, target, where)


@dataclass(frozen=True)
class Pairs(Rows):
    """The pairs of some readers as the rows of a corpus whose text is the source: ``{"source": s, "target": t}``."""

    readers: Sequence[Reader] = ()
    counted: dict[str, int] = field(default_factory=dict, compare=False)

    def items(self, whole: bool) -> Iterator[Item]:
        """All sources with their pairs, those with an empty side left out and counted.

        Raises:
            CorpusError: whatever is wrong with the files; no pair is left.
        """
        full = empty = 0
        try:
            for source, target in itertools.chain.from_iterable(self.readers):
                if not source or not target or source.isspace() or target.isspace():
                    empty += 1
                    continue
                full += 1
                record = {"source": source, "target": target}
                if len(source) < _SHORT:
                    yield source, True, record
                else:
                    yield from ((piece, last, record) for piece, last in in_pieces((source,)))
        finally:
            self.counted["empty"] = empty
        if not full:
            what = f"all of its {empty:,} pairs have an empty side" if empty else "it is empty"
            raise CorpusError(f"{self.where} holds no pair of texts: {what}; give a corpus that holds some")

    def mark(self) -> list[Any]:
        """What tells this content from any other, as plain JSON values."""
        return ["pairs", *(reader.mark() for reader in self.readers)]

    def size(self) -> int | None:
        """About how many bytes the sources have, where that is known."""
        sizes = [reader.size() for reader in self.readers]
        return None if None in sizes else sum(size or 0 for size in sizes)


def pairs_from(readers: Sequence[Reader], where: str) -> Pairs:
    """The pairs of some readers, one reader after the other."""
    return Pairs((), (), ("source",), where, readers=tuple(readers))


def mark_of(path: Path) -> list[Any]:
    """What tells a file from any other."""
    return [kind(path), packing(path), content_digest(path).hex()]


def find_file(name: str, folder: Path) -> Path | None:
    """A file by its path, from the folder or from where the program runs."""
    try:
        places = (folder / name, Path(name).expanduser())
        return next((place for place in places if place.is_file()), None)
    except (OSError, ValueError, RuntimeError):  # a name too long, with a zero byte, or of no user's home
        return None


# Files whose endings tell the side


def sides_of(folder: Path) -> dict[str, dict[str, Path]]:
    """By ending the files whose lines may answer those of another: ``{"en": {"train": train.en.gz}, ...}``.

    A file is called by its path in the folder, without packing, a known kind (``train.en.txt``) and its ending. Only
    endings that two files with the rest in common have are there.

    Raises:
        CorpusError: a folder can not be read.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(_plain_files(folder)):
        rest, dot, ending = stem(path).rpartition(".")
        if dot and ending and split_called(ending) not in SPLITS:
            found.setdefault(ending, {}).setdefault((path.relative_to(folder).parent / rest).as_posix(), path)
    return {
        ending: files
        for ending, files in found.items()
        if any(files.keys() & others.keys() for other, others in found.items() if other != ending)
    }


def files_ending(folder: Path, ending: str) -> dict[str, Path]:
    """The files of one side by what they are called without their ending, after a dot, hyphen or underscore."""
    ending = ending.removeprefix(".")
    found: dict[str, Path] = {}
    for path in sorted(_plain_files(folder)):
        name = stem(path)
        rest = name.removesuffix(ending)
        if ending and rest != name and (not rest or rest[-1] in "._-"):
            found.setdefault((path.relative_to(folder).parent / rest.rstrip("._-")).as_posix(), path)
    return found


def _plain_files(folder: Path) -> list[Path]:
    return [path for path in walk(folder) if not (is_paper(path) or holds_records(path) or packing(path) == ARCHIVE)]


def splits_by_name(names: Iterable[str]) -> dict[str, list[str]]:
    """Which of the files called so are of each split; all are of train where none is called so.

    Of several for validation or test, each is a split of its own, and the first, or the one called just that, is the
    split: scores of different test sets are not to be mixed.
    """
    called = sorted(names)
    of = {name: split_named(Path(name)) for name in called}
    if "train" not in of.values():
        return {"train": called}
    splits = {"train": [name for name in called if of[name] == "train"]}
    for split in SPLITS[1:]:
        some = sorted((split_called(Path(name).name) != split, name) for name in called if of[name] == split)
        for number, (_, name) in enumerate(some):
            splits[name if number else split] = [name]
    # What is called by no split is added to none, and can still be evaluated on.
    return splits | {name: [name] for name in called if not of[name]}
