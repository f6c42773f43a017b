"""Finding the files of a folder that hold text, and the splits that their names tell."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CorpusError
from .files import ARCHIVE, READABLE, kind, packing, stem

SPLITS = ("train", "validation", "test")
_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    "test": "test",
}
# Files about a corpus, not of it.
_PAPERS = ("readme", "license", "licence", "copying", "notice", "provenance", "card", "changelog")


def split_called(name: str) -> str:
    """The split that a name means: validation for valid, val and dev; a name of no split as it is."""
    return _SPLIT_WORDS.get(name.lower(), name)


def splits_of(folder: Path) -> dict[str, list[Path]]:
    """The files of a folder and its folders by split, in order of their paths; all as train when not divided.

    Hidden files, archives and files about the corpus (readme, licence, ...) are left out. A file is of a split when its
    stem is the split's name; or when every file has such a word among its folders or within its name.

    Raises:
        CorpusError: there is no file of a known kind, or a folder can not be read.
    """
    found = walk(folder)
    # What is in an archive may well lie beside it, unpacked.
    known = sorted(path for path in found if packing(path) != ARCHIVE and kind(path) and not is_paper(path))
    if not known:
        there = f"it holds {', '.join(sorted(path.name for path in found)[:5])}" if found else "it is empty"
        if any(packing(path) == ARCHIVE for path in found):
            there += "; give an archive by its own path"
        raise CorpusError(f"{folder} has no file that textdl reads in a folder ({READABLE}): {there}")
    exact = {path: _SPLIT_WORDS.get(stem(path).lower(), "") for path in known}
    named = {path: split_named(path.relative_to(folder)) for path in known}
    # A word within a name counts only when every file has one: "the-test-of-time.txt" may be a story.
    chosen = named if all(named.values()) else exact
    splits = {split: [path for path in known if chosen[path] == split] for split in SPLITS}
    return {split: paths for split, paths in splits.items() if paths} if splits["train"] else {"train": known}


def is_paper(path: Path) -> bool:
    """Whether a file is about a corpus, not of it: a readme, a licence."""
    return _words(path)[0] in _PAPERS


def walk(folder: Path) -> list[Path]:
    """All files of a folder and its folders, without hidden ones, in no order.

    Raises:
        CorpusError: a folder can not be read.
    """

    def refuse(error: OSError) -> None:
        raise CorpusError(f"{error.filename} can not be read: {error.strerror}; allow it with chmod +rx")

    found = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return found


def _words(path: Path) -> list[str]:
    return stem(path).lower().replace("-", ".").replace("_", ".").split(".")


def split_named(path: Path) -> str:
    """The split named by ``test/a.txt`` or ``train-00000-of-00002.parquet``; "" if none, or several."""
    words = {_SPLIT_WORDS[word] for word in (*path.parts[:-1], *_words(path)) if word in _SPLIT_WORDS}
    return words.pop() if len(words) == 1 else ""
