"""The one format of strokes on disk: a few plain arrays in an npz, without pickle.

=========== ================== =======================================================================
deltas      [P, 2]             dx, dy of each point from the one before; int16 or float32; y grows downwards
pen_up      uint8 [P]          1 at the last point of each stroke, else 0
offsets     int64 [N + 1]      where each line begins; the first is 0, the last P
texts       text [N]           what each line says; "" of a drawing
groups      text [N]           the form or the writer of each; may be missing
=========== ================== =======================================================================

Another spelling is read too: ``dxyt`` [P, 3] for deltas, with time in a third column that is left aside, and ``ids``,
whose part before the last "-" is the group. There, lines without a text are left out, and those that
``text_line_count_matches`` marks 0.
"""

from __future__ import annotations

import io
import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..artifact import write_atomic
from ..errors import CorpusError
from .checks import check_arrays, checked_lines
from .line import Line, Lines

#: Bytes that the arrays of one file may declare: more is refused before anything is unpacked.
LARGEST = 1 << 30
#: What unpacking an array of a damaged npz may end with, beside OSError and RuntimeError.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)

_SPELLINGS = {"deltas": ("deltas", "dxyt"), "groups": ("groups", "ids"), "texts": ("texts", "text")}


def write_lines(path: str | Path, lines: Iterable[Line]) -> None:
    """Write lines, atomically. Equal lines are equal bytes (with one zlib): nothing in the file says when it was made.

    Raises:
        CorpusError: a line is not as it must be (see :func:`textdl.strokes.checks.checked_points`).
        RunError: the file can not be written.
    """
    path = Path(path)
    some = checked_lines(lines, str(path))
    check_arrays(some.deltas, some.pen_up, some.offsets, lambda at: f"{path}, line {at + 1}")
    deltas = some.deltas.copy()
    deltas[some.offsets[:-1]] = 0
    arrays = {"deltas": deltas, "pen_up": some.pen_up, "offsets": some.offsets, "texts": _text(some.texts)}
    if any(some.groups):
        arrays["groups"] = _text(some.groups)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            npy.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, 6)
    write_atomic(path, packed.getvalue())


def read_lines(path: str | Path) -> Lines:
    """Read lines and check all of them; empty texts are let through (``checks.check_texts`` refuses them).

    Raises:
        CorpusError: no such file or no npz, arrays that are missing or do not fit, that would need pickle or declare
            more than 1 GiB; a line with NaN, an infinite or far too long step, one point, or no pen-up at its end:
            with the file and the number of the line.
    """
    path = Path(path)
    arrays = read_arrays(path, ("deltas", "dxyt", "pen_up", "offsets", "texts", "text", "groups", "ids", _MATCHES))
    deltas, pen_up, offsets, texts = (_the(arrays, name, path) for name in ("deltas", "pen_up", "offsets", "texts"))
    if deltas.ndim != 2 or deltas.shape[1] not in (2, 3) or deltas.dtype.kind not in "iuf":
        raise CorpusError(f"{path}: deltas must be numbers [P, 2], got {_shape(deltas)}; write dx and dy of each point")
    if pen_up.shape != (len(deltas),) or pen_up.dtype.kind not in "iufb":
        raise CorpusError(f"{path}: pen_up must be [{len(deltas)}], one for each point, got {_shape(pen_up)}")
    if texts.ndim != 1 or texts.dtype.kind != "U":
        raise CorpusError(f"{path}: texts must be text [N], got {_shape(texts)}; write np.array(texts, dtype=str)")
    _check_offsets(offsets, len(texts), len(deltas), path)
    deltas = deltas[:, :2]
    check_arrays(deltas, pen_up, offsets, lambda at: f"{path}, line {at + 1}")
    narrow = deltas if deltas.dtype == np.int16 else deltas.astype(np.float32)
    groups = _groups(arrays, len(texts), path)
    lines = Lines(narrow, pen_up.astype(np.uint8), offsets.astype(np.int64), texts.tolist(), groups)
    return _told(lines, arrays, path) if "dxyt" in arrays else lines


_MATCHES = "text_line_count_matches"


def _told(lines: Lines, arrays: dict[str, NDArray[Any]], path: Path) -> Lines:
    """Without the lines whose text is not known, with a note of how many they are."""
    fits = np.asarray(arrays.get(_MATCHES, np.ones(len(lines))))
    if fits.shape != (len(lines),):
        raise CorpusError(f"{path}: {_MATCHES} must be [{len(lines)}], one for each line, got {_shape(fits)}")
    unmatched = [at for at in range(len(lines)) if not fits[at]]
    empty = [at for at in range(len(lines)) if fits[at] and not lines.texts[at].strip()]
    if not unmatched and not empty:
        return lines
    left = set(unmatched) | set(empty)
    kept = lines.take(at for at in range(len(lines)) if at not in left)
    kept.notes = (
        f"{path}: left out {len(unmatched)} lines of forms with more or fewer lines of strokes than of text, "
        f"and {len(empty)} lines without a text",
    )
    return kept


def _the(arrays: dict[str, NDArray[Any]], name: str, path: Path) -> NDArray[Any]:
    for spelling in _SPELLINGS.get(name, (name,)):
        if spelling in arrays:
            return arrays[spelling]
    there = ", ".join(sorted(arrays)) or "none of these"
    raise CorpusError(
        f"{path} has no array {name!r}; a file of strokes has deltas, pen_up, offsets and texts, this one {there}: see "
        "textdl convert"
    )


def _groups(arrays: dict[str, NDArray[Any]], count: int, path: Path) -> list[str]:
    if not {"groups", "ids"} & set(arrays):
        return [""] * count
    groups = _the(arrays, "groups", path)
    if groups.shape != (count,) or groups.dtype.kind != "U":
        raise CorpusError(f"{path}: groups must be text [{count}], one for each line, got {_shape(groups)}")
    names: list[str] = groups.tolist()
    return names if "groups" in arrays else [name.rpartition("-")[0] for name in names]


def _check_offsets(offsets: NDArray[Any], lines: int, points: int, path: Path) -> None:
    if offsets.dtype.kind not in "iu" or offsets.shape != (lines + 1,):
        got = _shape(offsets)
        raise CorpusError(f"{path}: offsets must be whole numbers [{lines + 1}], one more than texts, got {got}")
    if int(offsets[0]) != 0 or int(offsets[-1]) != points:
        got = f"{int(offsets[0])} and {int(offsets[-1])}"
        raise CorpusError(f"{path}: offsets must begin with 0 and end with {points}, the number of points, got {got}")
    if (back := np.flatnonzero(offsets[1:] < offsets[:-1])).size:
        at = int(back[0])
        got = f"{int(offsets[at])} before {int(offsets[at + 1])}"
        raise CorpusError(f"{path}, line {at + 1}: offsets must not go down, got {got}")


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Those of the named arrays that an npz holds; the sizes that it declares are checked before any is unpacked.

    Raises:
        CorpusError: as of :func:`read_lines`.
    """
    wanted = {f"{name}.npy": name for name in names}
    with opened(path) as archive:
        entries = [entry for entry in archive.infolist() if entry.filename in wanted]
        if sum(entry.file_size for entry in entries) > LARGEST:
            gib = sum(entry.file_size for entry in entries) / 2**30
            raise CorpusError(
                f"{path} declares {gib:,.1f} GiB of arrays, more than the {LARGEST / 2**30:g} GiB that are read; "
                "divide it into several files"
            )
        return {wanted[entry.filename]: _array(archive, entry, path) for entry in entries}


def opened(path: Path) -> zipfile.ZipFile:
    """An npz as the zip that it is.

    Raises:
        CorpusError: it is not there, can not be read, or is none.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # the latter two of a damaged list of its arrays
        raise CorpusError(f"{path} is no npz, or was cut short; write it again") from None
    except OSError as error:
        raise CorpusError(f"{path} can not be read ({error.strerror or error}); give the path of an npz") from None


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> NDArray[Any]:
    """One array of an npz. Its header is held against the declared size before there is room for it."""
    name = entry.filename.removesuffix(".npy")
    try:
        with archive.open(entry) as file:
            shape, dtype = header(file)
            if dtype.hasobject:
                raise CorpusError(
                    f"{path}: {name} is an array of objects, which only unpickling could read, and that runs whatever "
                    "code the file holds; convert it to plain arrays (textdl convert IN OUT.npz reads sketch-rnn files)"
                )
            size = math.prod(shape) * dtype.itemsize
            if size > entry.file_size:
                raise ValueError(f"it declares {size:,} bytes and holds fewer")
        with archive.open(entry) as file:
            made: NDArray[Any] = npy.read_array(file, allow_pickle=False)
            return made
    except (ValueError, EOFError, OSError, RuntimeError, *DAMAGED) as error:
        raise CorpusError(f"{path}: {name} can not be read ({str(error)[:80]}); write the file again") from None


def header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an npy, read off its head; the file then stands at its data. ValueError: it is none."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"npy version {version[0]}.{version[1]} is not known")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    try:
        shape, _, dtype = read(file)
    except (SyntaxError, TypeError, tokenize.TokenError, MemoryError, RecursionError):  # it is parsed as Python
        raise ValueError("its head is no shape and type") from None
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"its head tells the shape {shape}")
    return shape, dtype


def _text(texts: Iterable[str]) -> NDArray[np.str_]:
    return np.array(list(texts), dtype=str)


def _shape(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"
