"""Finding files of tagged sentences: which hold columns, which records, and the splits that their names tell."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from ..errors import CorpusError
from .files import kind, packing, read_lines, stem
from .folders import SPLITS, is_paper, split_called, walk

#: Extensions of files with columns; any file that is no table of records is read so when it is named itself.
EXTENSIONS = (".conll", ".conllu", ".conllx", ".bio", ".iob", ".iob2", ".ner", ".pos", ".col", ".tagged")

# As the files of CoNLL's shared tasks are called, beside the words that any corpus has.
_MORE_WORDS = {"testa": "validation", "testb": "test", "devel": "validation", "development": "validation"}
# Lines looked at to tell a .tsv of sentences from a table.
_SAMPLE = 10_000


def holds_columns(path: Path) -> bool:
    """Whether a file has a token a line. A ``.tsv`` has when blank lines stand between its others."""
    if kind(path) != "tsv":
        return kind(path) in ("text", "")
    blank = False
    for line in itertools.islice(read_lines(path), _SAMPLE):
        if blank and line.strip():
            return True
        blank = not line.strip()
    return False


def name_of(path: Path) -> str:
    """The name of a file without packing and known extension."""
    inner = path.with_suffix("") if packing(path) else path
    return inner.stem if inner.suffix.lower() in EXTENSIONS else stem(path)


def tagged_splits(folder: Path) -> dict[str, list[Path]]:
    """The files of a folder and its folders by split, in order of their paths; all as train when not divided.

    Left out are hidden files, those about the corpus, those of an unknown kind whose names tell no split, and the text
    that a treebank has beside its columns (``a.txt`` of ``a.conllu``). A file is of a split when its name or a folder's
    has such a word (train; validation, valid, val, dev, testa; test, testb), and every file has one; or when it is
    called so.

    Raises:
        CorpusError: there is no such file, or a folder can not be read.
    """
    found = sorted(path for path in walk(folder) if not is_paper(path))
    of = {path: _split(path.relative_to(folder)) for path in found}
    known = [path for path in found if kind(path) or _extension(path) in EXTENSIONS or of[path]]
    tagged = {path.with_name(name_of(path)) for path in known if _extension(path) in EXTENSIONS}
    known = [path for path in known if kind(path) != "text" or path.with_name(name_of(path)) not in tagged]
    if not known:
        there = ", ".join(path.name for path in found[:5]) or "nothing"
        kinds = " ".join(EXTENSIONS)
        raise CorpusError(f"{folder} has no file of tagged sentences ({kinds} or a table): it holds {there}")
    if not all(of[path] for path in known):
        of = {path: called if (called := split_called(name_of(path))) in SPLITS else "" for path in known}
    splits = {split: [path for path in known if of[path] == split] for split in SPLITS}
    return {split: paths for split, paths in splits.items() if paths} if splits["train"] else {"train": known}


def _extension(path: Path) -> str:
    return (path.with_suffix("") if packing(path) else path).suffix.lower()


def _split(path: Path) -> str:
    """The split that the words of a name tell; "" if none, or several."""
    words = {*map(str.lower, path.parts[:-1]), *_words(path.name)}
    splits = {_MORE_WORDS.get(word, split_called(word)) for word in words}
    told = splits & set(SPLITS)
    return told.pop() if len(told) == 1 else ""


def _words(name: str) -> list[str]:
    return re.split(r"[-_.]", name.lower())
