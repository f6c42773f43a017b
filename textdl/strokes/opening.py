"""Reading strokes from whatever holds them: our npz, IAM-OnDB, InkML, SVG; a file or a folder."""

from __future__ import annotations

from pathlib import Path

from ..errors import CorpusError
from .line import Lines
from .npz import read_lines

#: Ends of the names of files that hold strokes.
KINDS = (".npz", ".inkml", ".svg")


def read_strokes(path: Path) -> Lines:
    """The lines of a file, or of a folder: all its npz, InkML or SVG files in order of their names, or IAM-OnDB.

    Raises:
        CorpusError: there is no such file, it is of no known kind, or what it holds is wrong.
    """
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise CorpusError(f"there is no file or folder {path}; give one of strokes: {_known()}")
    return _file(path)


def _file(path: Path) -> Lines:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return read_lines(path)
    if suffix == ".inkml":
        from .inkml import read_inkml

        return Lines.of([read_inkml(path)])
    if suffix == ".svg":
        from .svg_paths import read_svg

        return Lines.of([read_svg(path)])
    raise CorpusError(f"{path} is of no kind of strokes that is known; give {_known()}")


def _folder(folder: Path) -> Lines:
    from .iam import is_iam, read_iam

    if is_iam(folder):
        return read_iam(folder)
    hidden = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in KINDS and path.is_file()]
    paths = [path for path in hidden if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not paths:
        raise CorpusError(f"{folder} holds no file of strokes; give {_known()}")
    some = [_file(path) for path in paths]
    notes = tuple(note for lines in some for note in lines.notes)
    return Lines.of((line for lines in some for line in lines), notes)


def _known() -> str:
    return "an .npz, .inkml or .svg file, a folder of such, or the folder of IAM-OnDB"
