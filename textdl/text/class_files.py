"""Plain text whose labels are told by where it stands: in a folder, in a file, or after marks that begin a line.

The classes here are gone through again and again and yield records ``{"text": text, "label": label}``.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from .files import file_size, read_lines, read_paragraphs, read_text, stem
from .folders import SPLITS, split_called

#: Folders and files of texts that nobody has labelled; they are no class.
UNLABELLED = ("unsup", "unlabelled", "unlabeled")
#: What begins a label in a line of fastText's form: ``__label__x __label__y text``.
MARK = "__label__"
# More files than this share outside all class folders, and the folders are not classes.
_STRAY = 0.1
# One file of each class is open while lines are read; a process may have about a thousand.
_OPEN = 256
_MARKS = re.compile(rf"\s*((?:{MARK}\S+(?:\s+|$))*)")

Paths = tuple[Path, ...]


def mingled(classes: Mapping[str, Iterator[tuple[float, str]]]) -> Iterator[dict[str, Any]]:
    """The texts of all classes, each class spread evenly over the whole: the first N have the shares of the whole.

    Args:
        classes: of each label the ``(share of the class that is passed, text)``, the shares not falling.
    """
    streams = [_marked(texts, label) for label, texts in sorted(classes.items())]
    if len(streams) > _OPEN:
        merged: Iterable[tuple[float, str, str]] = itertools.chain.from_iterable(streams)
    else:
        merged = heapq.merge(*streams, key=itemgetter(0))
    return ({"text": text, "label": label} for _, text, label in merged)


def _marked(texts: Iterator[tuple[float, str]], label: str) -> Iterator[tuple[float, str, str]]:
    return ((share, text, label) for share, text in texts)


class ClassFiles:
    """The documents of some files of each class; ``documents`` is file, line or paragraph."""

    def __init__(self, classes: Mapping[str, Paths], documents: str) -> None:
        self._classes, self._documents = dict(classes), documents

    def __iter__(self) -> Iterator[dict[str, Any]]:
        read = self._files if self._documents == "file" else self._parts
        return mingled({label: read(paths) for label, paths in self._classes.items()})

    def _files(self, paths: Paths) -> Iterator[tuple[float, str]]:
        for number, path in enumerate(paths):
            yield (number + 0.5) / len(paths), "".join(read_text(path))

    def _parts(self, paths: Paths) -> Iterator[tuple[float, str]]:
        size, passed = sum(map(file_size, paths)) or 1, 0
        for path in paths:
            for text in read_lines(path) if self._documents == "line" else read_paragraphs(path):
                yield passed / size, text
                passed += len(text) + 1


class MarkedLines:
    """Lines of fastText's form; with ``several`` the label of a record is a list, else the only one, or None."""

    def __init__(self, paths: Sequence[Path], several: bool) -> None:
        self._paths, self._several = tuple(paths), several

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for path in self._paths:
            for line in read_lines(path):
                labels, text = _parted(line)
                single = labels if len(labels) > 1 else labels[0] if labels else None
                yield {"text": text, "label": labels if self._several else single}


def marks(path: Path, lines: int = 1000) -> int:
    """The most labels of a line among the first ones; 0 when one of the first twenty has none."""
    some = [line for line in itertools.islice(read_lines(path), lines) if line and not line.isspace()]
    if not all(line.lstrip().startswith(MARK) for line in some[:20]):
        return 0
    return max((len(_parted(line)[0]) for line in some), default=0)


def by_folder(splits: Mapping[str, Sequence[Path]], root: Path) -> dict[str, dict[str, Paths]]:
    """The files of each split and class, told by the first folder below the split's; none when there are no such.

    ``train/pos/1.txt``, ``pos/train/1.txt`` and ``pos/1.txt`` are of the class "pos". A few files outside all class
    folders (lists, notes) are left out, and unlabelled ones. Splits are told by the folders where any is called so.
    """
    found = [(split, path, _inside(path, root)) for split, paths in splits.items() for path in paths]
    placed = [(split, path, *_place(parts)) for split, path, parts in found]
    if not any(place == "train" for _, _, place, _ in placed):
        placed = [(split, path, "", parts) for split, path, parts in found]
    inside = [one for one in placed if one[3]]
    if not inside or len(placed) - len(inside) > _STRAY * len(placed):
        return {}
    shortest = min(len(rest) for *_, rest in inside)
    depth = 0
    while depth < shortest - 1 and len({rest[depth] for *_, rest in inside}) == 1:
        depth += 1
    return _grouped((place or split, rest[depth], path) for split, path, place, rest in inside)


def by_name(splits: Mapping[str, Sequence[Path]]) -> dict[str, dict[str, Paths]]:
    """The files of each split and class, told by the file's name without the split's; none if one has no such."""
    named = [(split, _class_name(stem(path), split), path) for split, paths in splits.items() for path in paths]
    return _grouped(named) if all(label for _, label, _ in named) else {}


def _grouped(found: Iterable[tuple[str, str, Path]]) -> dict[str, dict[str, Paths]]:
    splits: dict[str, dict[str, list[Path]]] = {}
    for split, label, path in found:
        if label.lower() not in UNLABELLED:
            splits.setdefault(split, {}).setdefault(label, []).append(path)
    return {split: {label: tuple(paths) for label, paths in some.items()} for split, some in splits.items()}


def _inside(path: Path, root: Path) -> tuple[str, ...]:
    return path.relative_to(root).parts[:-1] if path.is_relative_to(root) else ()


def _place(parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The split that one of the folders is called by, and the folders below it, else those above."""
    for at, part in enumerate(parts):
        if (split := split_called(part)) in SPLITS:
            return split, parts[at + 1 :] or parts[:at]
    return "", parts


def _class_name(name: str, split: str) -> str:
    words = re.split(r"([._-])", name)
    for end in (0, -1):
        if split_called(words[end]) == split:
            rest = words[2:] if end == 0 else words[:-2]
            return "".join(rest)
    return name


def _parted(line: str) -> tuple[list[str], str]:
    found = _MARKS.match(line)
    assert found is not None  # it matches the empty text
    return [label.removeprefix(MARK) for label in found[1].split()], line[found.end() :].strip()
