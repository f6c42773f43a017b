"""Drawings of sketch-rnn (Ha and Eck 2017): npz files whose arrays of objects were made by pickle, read without it.

Unpickling runs whatever code a file names, so neither ``pickle`` nor ``np.load(allow_pickle=True)`` is ever called.
``pickletools`` tells the instructions of such a stream without following any; those few that numpy writes for an array
of arrays of numbers are followed here, on a stack of plain values. Any other instruction, and any name but numpy's own
three, ends the reading.
"""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError, near
from .checks import checked_points
from .line import Line, Lines
from .npz import DAMAGED, LARGEST, header, opened

SPLITS = {"train": "train", "valid": "validation", "validation": "validation", "test": "test"}
_NAMES = {
    "numpy.core.multiarray _reconstruct": "blank",
    "numpy._core.multiarray _reconstruct": "blank",
    "numpy ndarray": "ndarray",
    "numpy dtype": "kind",
    "_codecs encode": "encode",  # how Python 3 writes bytes in the old protocol 2
}


class _Mark:
    """Where the parts of a tuple or list begin on the stack."""


@dataclass(frozen=True)
class _Name:
    """One of the names allowed."""

    what: str


@dataclass
class _Kind:
    """A type of numbers."""

    code: str

    def dtype(self) -> np.dtype[Any]:
        if not re.fullmatch(r"[<>|=]?[iuf][1248]", self.code):
            raise ValueError(f"type {self.code!r}")
        return np.dtype(self.code)


@dataclass
class _Array:
    """An array: empty until its state is set; then of numbers, or a list of arrays."""

    content: NDArray[Any] | list[Any] | None = None


def is_sketch(path: Path) -> bool:
    """Whether a file is an npz of object arrays by split."""
    if not zipfile.is_zipfile(path):
        return False
    with opened(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
    return "train" in names and "deltas" not in names


def read_sketch(path: Path, split: str | None = None) -> Lines:
    """The drawings of a file, each a line without text; of one split, or of all in their order.

    A drawing's first step, from the middle of its canvas, becomes 0, 0; its last point gets a pen-up. Drawings of one
    point are left out; a note counts them.

    Raises:
        CorpusError: no such file or split, a stream with other instructions than numpy's for arrays of numbers, or an
            array that is no drawing.
    """
    made: list[Line] = []
    single = 0
    with opened(path) as archive:
        entries = {name.removesuffix(".npy"): archive.getinfo(name) for name in archive.namelist()}
        there = {SPLITS[name]: entry for name, entry in entries.items() if name in SPLITS}
        if split is not None and split not in there:
            raise CorpusError(f"{path} has no split {split!r}; {near(split, there)}")
        for name in [split] if split else list(there):
            for number, array in enumerate(_drawings(archive, there[name], path), 1):
                if len(array) < 2:
                    single += 1
                    continue
                points = np.array(array, np.float32) if array.dtype.kind in "iuf" else array
                if points.ndim == 2 and points.shape[1] == 3:
                    points[-1, 2] = 1
                made.append(Line(checked_points(points, f"{path}, {name}, drawing {number}"), ""))
    if not made:
        raise CorpusError(f"{path} holds no drawings; give an npz with train, valid or test")
    notes = [f"{path}: left out {single} drawings of one point"] if single else []
    return Lines.of(made, notes)


def _drawings(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> list[NDArray[Any]]:
    """The arrays of one object array."""
    where = f"{path}: {entry.filename.removesuffix('.npy')}"
    if entry.file_size > LARGEST:
        raise CorpusError(f"{where} declares {entry.file_size / 2**30:,.1f} GiB, more than the 1 GiB that is read")
    try:
        content = io.BytesIO(archive.read(entry))
        shape, dtype = header(content)
        if not dtype.hasobject or len(shape) != 1:
            raise ValueError(f"it is an array of {dtype} {list(shape)}, not one of objects [N]")
        arrays = _followed(content)
        if len(arrays) != shape[0]:
            raise ValueError(f"{len(arrays)} drawings where {shape[0]} are told")
        # One array may be named often: what they come to together is to be no more than the file holds.
        if sum(array.nbytes for array in arrays) > entry.file_size:
            raise ValueError("its drawings are more than its bytes")
    except (OSError, RuntimeError, *DAMAGED) as error:
        raise CorpusError(f"{where} can not be read ({str(error)[:80]}); get the file again") from None
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise CorpusError(
            f"{where} is not what numpy writes for a list of drawings [T, 3] ({str(error)[:80]}), and it is not "
            "unpickled, which would run the code that it holds; write its lines with deltas, pen_up, offsets and texts"
        ) from None
    return arrays


def _followed(stream: io.BytesIO) -> list[NDArray[Any]]:
    """The arrays of a pickled object array. Any of several errors means that it is something else."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    room = 2 * len(stream.getbuffer())  # numbers are made anew twice at most, of text and of bytes
    argument: Any
    for code, argument, _ in pickletools.genops(stream):
        name = code.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            break
        if name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name in _VALUES:
            stack.append(_VALUES[name](argument))
        elif name in _STEPS:
            _STEPS[name](stack, argument)
            room -= _made(stack[-1]) if name in ("REDUCE", "BUILD") else 0
            if room < 0:
                raise ValueError("its drawings are more than its bytes")
        else:
            raise ValueError(f"instruction {name}")
    (whole,) = stack
    content = whole.content
    if not isinstance(content, list) or not all(isinstance(one, _Array) for one in content):
        raise ValueError("no list of arrays")
    arrays = [one.content for one in content]
    if not all(isinstance(array, np.ndarray) and array.ndim for array in arrays):
        raise ValueError("an array in an array holds no list of numbers")
    return arrays


def _made(value: Any) -> int:
    """Bytes of what a call or a state made: text named once may be made into numbers often."""
    if isinstance(value, bytes):
        return len(value)
    return value.content.nbytes if isinstance(value, _Array) and isinstance(value.content, np.ndarray) else 0


def _name(text: str) -> _Name:
    if text not in _NAMES:
        raise ValueError(f"the name {text!r}")
    return _Name(_NAMES[text])


def _to_mark(stack: list[Any]) -> list[Any]:
    """Take off the stack what lies above the last mark, and the mark."""
    at = len(stack) - 1
    while not isinstance(stack[at], _Mark):  # an IndexError where there is none
        at -= 1
    parts = stack[at + 1 :]
    del stack[at:]
    return parts


def _tuple(count: int | None) -> Any:
    def step(stack: list[Any], _: Any) -> None:
        if count is None:
            stack.append(tuple(_to_mark(stack)))
            return
        if count > len(stack):
            raise IndexError("a tuple of more than there is")
        parts = tuple(stack[len(stack) - count :])
        del stack[len(stack) - count :]
        stack.append(parts)

    return step


def _called(stack: list[Any], _: Any) -> None:
    """What numpy's three names, and the encoding of bytes, make of their arguments; nothing is called."""
    given, name = stack.pop(), stack.pop()
    if not isinstance(name, _Name) or not isinstance(given, tuple):
        raise ValueError("a call of what is no name")
    if name.what == "blank":
        stack.append(_Array())
    elif name.what == "kind":
        stack.append(_Kind(_plain(given[0])))
    elif name.what == "encode" and given[1:] == ("latin1",):
        stack.append(given[0].encode("latin-1"))
    else:
        raise ValueError(f"a call of {name.what}")


def _built(stack: list[Any], _: Any) -> None:
    """Set the state of a type (its byte order) or of an array (shape, type, order, content)."""
    state = stack.pop()
    made = stack[-1]
    if isinstance(made, _Kind):
        made.code = _plain(state[1]).strip("|") + made.code.lstrip("<>|=")
    elif isinstance(made, _Array):
        _, shape, kind, columns_first, content = state
        if isinstance(content, list):
            made.content = content
            return
        content = content.encode("latin-1") if isinstance(content, str) else content
        flat = np.frombuffer(content, kind.dtype())
        made.content = flat.reshape(shape, order="F" if columns_first else "C")
    else:
        raise ValueError("a state of what is no array")


def _append(stack: list[Any], _: Any) -> None:
    value = stack.pop()
    _list(stack[-1]).append(value)


def _appends(stack: list[Any], _: Any) -> None:
    values = _to_mark(stack)
    _list(stack[-1]).extend(values)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("parts of what is no list")
    return value


def _joined(stack: list[Any], _: Any) -> None:
    name, module = stack.pop(), stack.pop()
    stack.append(_name(f"{module} {name}"))


def _plain(text: Any) -> str:
    return text.decode("latin-1") if isinstance(text, bytes) else str(text)


def _same(value: Any) -> Any:
    return value


_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1")
_TEXTS = ("SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES", "SHORT_BINUNICODE", "BINUNICODE")
#: What puts a value on the stack, from its argument.
_VALUES: dict[str, Any] = {
    **dict.fromkeys((*_NUMBERS, *_TEXTS), _same),
    "GLOBAL": _name,
    "MARK": lambda _: _Mark(),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
}
#: What changes the stack.
_STEPS: dict[str, Any] = {
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "TUPLE": _tuple(None),
    "STACK_GLOBAL": _joined,
    "REDUCE": _called,
    "BUILD": _built,
    "APPEND": _append,
    "APPENDS": _appends,
}
