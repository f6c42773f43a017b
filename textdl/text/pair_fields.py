"""Which two fields of a record are a text and what is to be made of it.

A field within a table within the record goes by its path, ``translation.en``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import CorpusError, near
from .records import text_of

#: Pairs of fields that are source and target where nothing else is said, the first that there is.
USUAL_PAIRS = (
    ("source", "target"),
    ("src", "tgt"),
    ("src", "trg"),
    ("src", "dst"),
    ("input", "output"),
    ("inputs", "targets"),
    ("question", "answer"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "output"),
    ("article", "highlights"),
    ("article", "summary"),
    ("document", "summary"),
    ("dialogue", "summary"),
    ("text", "summary"),
)
# Not "id" and "no", which number records, nor "is", an English word that may well begin a list of words.
_CODES = (
    "af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu he hi hr hu hy it ja ka kk km kn ko la "
    "lt lv mk ml mn mr ms my nb ne nl nn pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi xh yo zh "
    "zu ara ces deu ell eng fin fra heb hin hun ita jpn kor nld pol por ron rus spa swe tur ukr vie zho"
)
_NAMES = (
    "arabic chinese czech danish dutch english finnish french german greek hebrew hindi hungarian italian japanese "
    "korean latin norwegian polish portuguese romanian russian spanish swedish turkish ukrainian vietnamese"
)
LANGUAGES = frozenset(f"{_CODES} {_NAMES}".split())


def columns_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """All fields of some records, those within tables by their paths, in the order in which they come."""
    found: dict[str, None] = {}
    for record in records:
        found |= dict.fromkeys(_paths(record, ""))
    return list(found)


def _paths(table: Mapping[str, Any], before: str) -> list[str]:
    paths = []
    for name, value in table.items():
        paths += _paths(value, f"{before}{name}.") if isinstance(value, dict) and value else [f"{before}{name}"]
    return paths


def choose_pair(
    columns: Sequence[str], wanted: tuple[str | None, str | None], told: tuple[str, str], where: str
) -> tuple[str, str]:
    """The fields of source and target: those ``wanted``, else those ``told`` of, else two with usual names.

    Two fields named by languages are taken in their order. Where one is wanted the other is its partner. A field may be
    wanted by its number, from 1, and one within a table by its last name alone.

    Args:
        columns: the fields there are, from :func:`columns_of`.
        wanted: what the user names.
        told: what the card names; "" for nothing.
        where: what the fields are of, for the message.

    Raises:
        CorpusError: a field is not there, both are the same, or it can not be told which they are.
    """
    if not columns:
        raise CorpusError(f"{where} has records without fields; give such as hold a source and a target")
    source, target = (name if name is None else find_column(name, columns, where) for name in wanted)
    pair = _guess(columns, told)
    if source is None and target is None and pair:
        return pair
    if source is None:
        source = _partner(target, pair, columns)
    elif target is None:
        target = _partner(source, pair, columns)
    if source is None or target is None:
        raise CorpusError(
            f"{where} does not say which fields are source and target; set source and target (--source, --target) to "
            f"two of {', '.join(columns)}"
        )
    if source == target:
        raise CorpusError(f"{where}: the field {source!r} can not be both source and target; choose another for one")
    return source, target


def find_column(name: str, columns: Sequence[str], where: str) -> str:
    """The field meant by a name, the end of a path, or a number from 1.

    Raises:
        CorpusError: there is none, or several.
    """
    if name in columns:
        return name
    ends = [column for column in columns if column.endswith(f".{name}")]
    if len(ends) == 1:
        return ends[0]
    if name.isascii() and name.isdigit():
        if 1 <= int(name[:6]) <= len(columns):
            return columns[int(name) - 1]
        raise CorpusError(f"{where} has {len(columns)} columns ({_shown(columns)}), none has the number {name}")
    if ends:
        raise CorpusError(f"{where} has several fields {name!r}; write {' or '.join(ends)}")
    remedy = near(name, columns)
    listed = "" if remedy.startswith("known") else f" known: {_shown(columns)}"
    raise CorpusError(f"{where} has no field {name!r}; {remedy}{listed}")


def usual_pair(columns: Sequence[str]) -> tuple[str, str] | None:
    """The two fields that go by usual names; None where there are no such."""
    last = [column.rpartition(".")[2].strip().lower() for column in columns]
    for source, target in USUAL_PAIRS:
        if last.count(source) == last.count(target) == 1:
            return columns[last.index(source)], columns[last.index(target)]
    spoken = [column for column, name in zip(columns, last, strict=True) if name in LANGUAGES]
    return (spoken[0], spoken[1]) if len(spoken) == 2 and len({name.lower() for name in spoken}) == 2 else None


def _guess(columns: Sequence[str], told: tuple[str, str]) -> tuple[str, str] | None:
    if told[0] in columns and told[1] in columns:
        return told
    return usual_pair(columns)


def _partner(one: str | None, pair: tuple[str, str] | None, columns: Sequence[str]) -> str | None:
    for some in (pair, columns):
        if one is not None and some and len(some) == 2 and one in some:
            return next((name for name in some if name != one), None)
    return None


def value_at(record: Mapping[str, Any], path: str) -> Any:
    """The value of a field, also one within tables; None where it is missing."""
    if path in record:
        return record[path]
    head, dot, rest = path.partition(".")
    while dot:
        if isinstance(inside := record.get(head), dict) and (found := value_at(inside, rest)) is not None:
            return found
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def side_of(record: Mapping[str, Any], path: str, where: str) -> str:
    """The text of a field; "" where it is missing or empty. A list becomes lines.

    Raises:
        CorpusError: it holds something else.
    """
    value = record[path] if path in record else value_at(record, path)
    if type(value) is str and value.isascii() and "\r" not in value:
        return value
    if isinstance(value, (dict, bytes)):
        got = "a table" if isinstance(value, dict) else "bytes"
        raise CorpusError(f"{where}: the field {path!r} is {got}, not text; choose another as source or target")
    return text_of({path: value}, (path,), where)


def _shown(columns: Sequence[str]) -> str:
    return ", ".join(column if len(column) <= 40 else column[:40] + "…" for column in columns[:40])
