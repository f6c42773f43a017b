"""Tagged corpora among nltk's data, read from a package's folder or straight out of its zip."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import CorpusError
from .conll import Columns, Tagged, read_columns, read_slashes
from .files import damaged, unreadable
from .named import bytes_of, decoded, found_in_nltk, remedy


@dataclass(frozen=True)
class NamedTagged:
    """A tagged corpus of nltk known by name: its package, and the pattern of the files of each split.

    ``form`` is "columns", "slashes" or "trees"; ``mapping`` the name of nltk's table from its tags to universal ones.
    """

    title: str
    package: str
    form: str
    splits: tuple[tuple[str, str], ...]
    language: str = "en"
    mapping: str = ""


_BROWN = ("brown", "slashes", (("train", "c[a-r][0-9][0-9]"),))
_TREEBANK = ("treebank", "trees", (("train", "combined/*.mrg"),))


def _conll2002(title: str, language: str, stem: str) -> NamedTagged:
    splits = (("train", f"{stem}.train"), ("validation", f"{stem}.testa"), ("test", f"{stem}.testb"))
    return NamedTagged(title, "conll2002", "columns", splits, language)


#: Name -> where it is. A built-in corpus, a file or a folder of the same name goes first.
NAMED_TAGGED: dict[str, NamedTagged] = {
    "brown": NamedTagged("English of 15 genres with parts of speech (Francis & Kucera 1964)", *_BROWN),
    "brown:universal": NamedTagged("The Brown corpus with universal parts of speech", *_BROWN, mapping="en-brown"),
    "treebank": NamedTagged("News with parts of speech, a tenth of the Penn Treebank (Marcus et al. 1993)", *_TREEBANK),
    "treebank:universal": NamedTagged("nltk's treebank with universal parts of speech", *_TREEBANK, mapping="en-ptb"),
    "conll2000": NamedTagged(
        "News with chunks in IOB2 (Tjong Kim Sang & Buchholz 2000); column 2 is the part of speech",
        "conll2000",
        "columns",
        (("train", "train.txt"), ("test", "test.txt")),
    ),
    "conll2002:esp": _conll2002("Spanish news with names in IOB2 (Tjong Kim Sang 2002)", "es", "esp"),
    "conll2002:ned": _conll2002("Dutch news with names in IOB2 (Tjong Kim Sang 2002)", "nl", "ned"),
}


class NltkSentences:
    """The sentences of a split of one of :data:`NAMED_TAGGED`; the order is the same from a folder and a zip.

    Gone through again and again.

    Raises:
        CorpusError: it is not on any of nltk's paths, is damaged, or lacks the files or the table of tags.
    """

    def __init__(self, named: NamedTagged, split: str, columns: Columns) -> None:
        self._named, self._columns, self._place = named, columns, found_in_nltk(named.package)
        self._pattern = dict(named.splits)[split]
        self._map = _mapping(named.mapping) if named.mapping else None

    def __iter__(self) -> Iterator[Tagged]:
        for tokens, tags in self._sentences():
            yield tokens, tags if self._map is None else [self._map[tag] for tag in tags]

    def _sentences(self) -> Iterator[Tagged]:
        package = self._named.package
        if self._place.suffix != ".zip":
            paths = [path for path in self._place.rglob("*") if path.is_file()]
            by_name = {path.relative_to(self._place).as_posix(): path for path in paths}
            yield from self._of_files(list(by_name), lambda name: bytes_of(by_name[name]))
            return
        try:
            with zipfile.ZipFile(self._place) as packed:
                inside = {name.removeprefix(package + "/"): name for name in packed.namelist()}
                yield from self._of_files(list(inside), lambda name: packed.read(inside[name]))
        except (zipfile.BadZipFile, EOFError, ValueError, zlib.error) as error:
            raise damaged(self._place, error) from None
        except OSError as error:
            raise unreadable(self._place, error) from None

    def _of_files(self, names: list[str], read: Callable[[str], bytes]) -> Iterator[Tagged]:
        some = sorted(name for name in names if fnmatchcase(name, self._pattern))
        if not some:
            package = self._named.package
            raise CorpusError(f"{self._place} has no file {self._pattern}; fetch it again: {remedy(package)}")
        for name in some:
            yield from self._of_text(decoded(read(name)), f"{self._place}/{name}")

    def _of_text(self, text: str, where: str) -> Iterator[Tagged]:
        match self._named.form:
            case "columns":
                yield from read_columns(text.split("\n"), where, self._columns)
            case "slashes":  # written in small letters, cited in capitals
                for tokens, tags in read_slashes(text.split("\n"), where):
                    yield tokens, [tag.upper() for tag in tags]
            case _:
                yield from read_trees(text, where)


_LEAF_OR_BRACKET = re.compile(r"\(\s*([^\s()]*)(?:\s+([^\s()]+)\s*\))?|\)")


def read_trees(text: str, where: str) -> Iterator[Tagged]:
    """The sentences of trees in brackets, ``( (S (NN word) ...))``, without the leaves that nobody wrote (``-NONE-``).

    Raises:
        CorpusError: the brackets do not match.
    """
    depth = 0
    tokens: list[str] = []
    tags: list[str] = []
    for found in _LEAF_OR_BRACKET.finditer(text):
        tag, token = found.groups()
        if token is not None:
            if tag != "-NONE-":
                tokens.append(token)
                tags.append(tag)
        else:
            depth += 1 if tag is not None else -1
        if depth == 0 and tokens:
            yield tokens, tags
            tokens, tags = [], []
    if depth:
        line = text.count("\n") + 1
        raise CorpusError(f"{where}:{line} ends with {abs(depth)} brackets that do not match; fetch it again")


def _mapping(name: str) -> Mapping[str, str]:
    """nltk's table from the tags of a corpus to the universal ones (Petrov, Das & McDonald 2012)."""
    from nltk.tag.mapping import tagset_mapping

    try:
        table: Mapping[str, str] = tagset_mapping(name, "universal")
    except LookupError:
        package = "universal_tagset"
        raise CorpusError(f"nltk's {package} is not on this machine; fetch it with: {remedy(package)}") from None
    return table
