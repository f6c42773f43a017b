"""Pictures in folders, a folder for each class: ``cat/1.png``, or by split, ``train/cat/1.png``."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import CorpusError
from .part import Part, Pixels, Sizes, split_word
from .pictures import ENDINGS, FORMATS, look_at, read_picture

# Endings of pictures that are not read: their number is told.
_OTHER = (".tif", ".tiff", ".heic", ".heif", ".avif", ".svg", ".jp2", ".jxl", ".tga", ".psd", ".ico", ".npy", ".raw")


@dataclass(frozen=True)
class ClassFolders:
    """The pictures of one split: ``(path, label)`` in an order that takes the classes in turns."""

    root: Path
    files: tuple[tuple[Path, str], ...]
    notes: tuple[str, ...] = ()


def class_folders(folder: Path) -> dict[str, ClassFolders]:
    """The pictures of a folder by split.

    Hidden files and folders are skipped, and so is what is no picture by the ending of its name. The class is the
    folder that lies highest; what is in folders within it belongs to it too. Splits are there when every folder with
    pictures is called after one and train is among them.

    Raises:
        CorpusError: there is no picture, or there are pictures but no folders of classes.
    """
    folders, loose = _content(folder)
    there = {path.name: found for path in folders if (found := _pictures(path))[0]}
    words = {name: split_word(name) for name in there}
    if there and all(words.values()) and "train" in words.values():
        return _by_split(folder, there, words)
    if not there:
        raise _no_classes(folder, loose)
    return {"train": _classes(folder, there, len(loose))}


def pictures_part(found: ClassFolders, limit: int | None = None) -> Part:
    """The pictures of a split, their heads looked at.

    Raises:
        CorpusError: one is no picture, damaged, or declares too many pixels.
    """
    files = found.files[:limit]
    sizes, colour = survey((path, str(path)) for path, _ in files)

    def blocks() -> Iterator[Pixels]:
        for path, _ in files:
            yield read_picture(path, str(path))[None]

    def mark() -> str:
        sha = hashlib.sha256(b"pictures")
        for path, label in files:
            with path.open("rb") as file:
                sha.update(f"\0{label}\0{hashlib.file_digest(file, 'sha256').hexdigest()}".encode())
        return sha.hexdigest()

    return Part(str(found.root), tuple(label for _, label in files), sizes, colour, blocks, mark, notes=found.notes)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder and of all folders in it, in order of their paths; hidden ones are skipped.

    Raises:
        CorpusError: there is none, or a folder can not be read.
    """
    found = _pictures(folder)[0]
    if not found:
        raise CorpusError(f"{folder} holds no pictures; what is read is {', '.join(FORMATS)}")
    return found


def survey(pictures: Iterator[tuple[object, str]]) -> tuple[Sizes, bool]:
    """The sizes that there are, up to two, and whether any has colours, of ``(picture, its name)``.

    Raises:
        CorpusError: as :func:`textdl.images.pictures.look_at`.
    """
    sizes: dict[tuple[int, int], str] = {}
    colour = False
    for source, name in pictures:
        look = look_at(source, name)
        colour = colour or look.colour
        if len(sizes) < 2:
            sizes.setdefault((look.height, look.width), name)
    return tuple((name, size) for size, name in sizes.items()), colour


def _content(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders in a folder, and its pictures."""
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise CorpusError(f"{folder} can not be read: {error.strerror}; allow it with chmod +rx") from None
    return [path for path in inside if path.is_dir()], [path for path in inside if _is_picture(path.name)]


def _pictures(folder: Path) -> tuple[list[Path], int]:
    """The pictures of a folder and of all in it, in order of their paths, and how many of other kinds there are."""

    def refuse(error: OSError) -> None:
        raise CorpusError(f"{error.filename} can not be read: {error.strerror}; allow it with chmod +rx")

    found: list[Path] = []
    others = 0
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".") and _is_picture(name)]
        others += sum(not name.startswith(".") and name.lower().endswith(_OTHER) for name in names)
    return sorted(found), others


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _by_split(folder: Path, there: dict[str, tuple[list[Path], int]], words: dict[str, str]) -> dict[str, ClassFolders]:
    made: dict[str, ClassFolders] = {}
    notes: list[str] = []
    for name, split in words.items():
        if split in made:
            raise CorpusError(f"{folder} holds two folders of {split}, {made[split].root.name} and {name}; join them")
        folders, loose = _content(folder / name)
        inside = {path.name: found for path in folders if (found := _pictures(path))[0]}
        if inside:
            made[split] = _classes(folder / name, inside, len(loose))
        elif split == "train":
            raise _no_classes(folder / name, loose)
        else:  # such as the test of a competition
            notes.append(f"the pictures in {folder / name} lie in no folders of classes and are left out")
    return made | {"train": replace(made["train"], notes=(*made["train"].notes, *notes))}


def _classes(root: Path, there: dict[str, tuple[list[Path], int]], loose: int) -> ClassFolders:
    columns: Sequence[list[tuple[Path, str]]] = [
        [(path, _label(name)) for path in paths] for name, (paths, _) in sorted(there.items())
    ]
    # In turns, so that the first N are of all classes.
    files = tuple(one for row in itertools.zip_longest(*columns) for one in row if one is not None)
    notes = []
    if loose:
        notes.append(f"{loose:,} pictures that lie in {root} beside the folders of classes are left out")
    if others := sum(count for _, count in there.values()):
        notes.append(f"{others:,} files in {root} are pictures of kinds that are not read and are left out")
    return ClassFolders(root, files, tuple(notes))


def _label(name: str) -> str:
    """The name of a folder as a label; what is not UTF-8 in it as the system has it, ``caf\\xe9``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _no_classes(folder: Path, loose: list[Path]) -> CorpusError:
    if loose:
        return CorpusError(
            f"{folder} holds pictures ({loose[0].name}) but no folders of classes; put the pictures of each class into "
            f"a folder with its name, such as {folder.name}/cat/{loose[0].name}"
        )
    return CorpusError(
        f"{folder} holds no images; give idx files (train-images-idx3-ubyte), a folder of pictures "
        f"({', '.join(FORMATS)}) for each class, or an npz file"
    )
