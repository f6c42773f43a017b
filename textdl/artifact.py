"""The run folder on disk: atomic writes, checked reads, never a pickle.

A run is a folder::

    config.json        format number, versions, task, corpus and its digest, the settings (data, model, train)
    tokenizer.json     what turns text into ids
    model.safetensors  the weights, with a digest of their bytes in the header
    best.safetensors   those of the evaluation that was best on held-out data
    report.json        how the training ended, and its figures
    metrics.jsonl      a line for every report while training
    card.md            the same for people
    resume/            while a training is not finished: its last checkpoints
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from .errors import RunError

#: Number of the format written here; a folder with a higher one was made by a newer textdl.
FORMAT = 1

CONFIG, MODEL, BEST, REPORT, METRICS, CARD = (
    "config.json",
    "model.safetensors",
    "best.safetensors",
    "report.json",
    "metrics.jsonl",
    "card.md",
)
TOKENIZER = "tokenizer.json"
TARGET_TOKENIZER = "target_tokenizer.json"
SERIES = "series.json"
STROKES = "strokes.json"
PICTURES = "pictures.safetensors"
POINTS = "points.safetensors"
WORDS = "words.json"  # of a run of vectors, with their counts
RESUME = "resume"
_LOCK = ".lock"
#: What a run is made of beside the model, which comes last.
_PARTS: tuple[str, ...] = (CONFIG, TOKENIZER, TARGET_TOKENIZER, WORDS, SERIES, STROKES, PICTURES, POINTS)
_PARTS += (METRICS, REPORT, CARD, BEST, _LOCK)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all: temporary file, fsync, rename. What stood there before survives a failure.

    Raises:
        RunError: no space left, or the folder can not be written.
    """
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write in pieces that takes the place of ``path`` when it is whole, and never otherwise.

    As :func:`write_atomic`, for what should not be in memory at once.

    Raises:
        RunError: no space left, or the folder can not be written.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())  # as of any file; a temporary one is for its owner only
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        where = path.parent if error.errno == errno.ENOTDIR else path
        raise RunError(_cannot_write(where, error)) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def append_line(file: IO[str], line: str, path: Path) -> None:
    """Append one line to an open log and hand it to the system.

    Raises:
        RunError: no space left.
    """
    try:
        file.write(line + "\n")
        file.flush()
    except OSError as error:
        raise RunError(_cannot_write(path, error)) from error


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write ``values`` as readable JSON, atomically."""
    write_atomic(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        RunError: missing, unreadable, cut short, or not an object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing; {path.parent} is not a whole run folder") from None
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} can not be read ({error}); it was cut short or changed, train again or restore it"
        ) from None
    if not isinstance(values, dict):
        raise RunError(f"{path} holds no JSON object; it was changed, train again or restore it")
    return values


def save_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any] | None = None, apart: bool = False
) -> str:
    """Write arrays as safetensors, atomically, with their digest in the header. Returns the digest (sha256, hex).

    Args:
        facts: plain values that go with them, as JSON in the header and under the same digest.
        apart: write a digest of each array too, so that :func:`map_arrays` need not read the others.
    """
    from safetensors.numpy import save

    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = "" if facts is None else json.dumps(facts)
    digest = _digest(whole, text)
    # One key: safetensors writes several in any order, and equal contents are to be equal bytes.
    about: dict[str, Any] = {"sha256": digest} | ({} if facts is None else {"facts": text})
    if apart:
        about["arrays"] = {name: _digest({name: array}, "") for name, array in sorted(whole.items())}
    header = {"sha256": digest} if about.keys() == {"sha256"} else {"textdl": json.dumps(about)}
    write_atomic(path, save(whole, metadata=header))
    return digest


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays that :func:`save_arrays` wrote; raises as :func:`load_arrays_and_facts` does."""
    return load_arrays_and_facts(path)[0]


def load_arrays_and_facts(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what :func:`save_arrays` wrote; no facts are an empty table.

    Raises:
        RunError: missing, cut short, or a byte differs from what was written.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
            header = file.metadata() or {}
    except FileNotFoundError:
        raise RunError(f"{path} is missing; training has not saved a model there yet") from None
    except (SafetensorError, OSError) as error:
        raise RunError(
            f"{path} can not be read ({error}); it was cut short or changed, train again or restore it"
        ) from None
    with contextlib.suppress(ValueError, TypeError):  # of what is no such text the digest will not be right
        header |= json.loads(header.get("textdl", "{}"))
    facts = str(header.get("facts", ""))
    if _digest(arrays, facts) != header.get("sha256"):
        raise RunError(f"{path} is damaged: its digest is not the one it was written with; train again or restore it")
    return arrays, json.loads(facts) if facts else {}


def map_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Those of the named arrays that a file of :func:`save_arrays` holds, mapped into memory, read-only.

    The file must be as long as it was, and each of these arrays is read through once and held against its own digest.
    The others are neither read nor checked. A file written without such digests is read and checked whole, and its
    arrays are then in memory.

    Raises:
        RunError: missing, cut short, or a byte of these arrays differs from what was written.
    """
    try:
        entries, about, begin = array_header(path)
        digests = about.get("arrays")
        if digests is None:
            whole = load_arrays(path)
            return {name: whole[name] for name in names if name in whole}
        length = begin + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        arrays = {name: map_array(path, entries[name], begin) for name in names if name in entries}
        if path.stat().st_size != length:
            raise ValueError(length)
    except FileNotFoundError:
        raise RunError(f"{path} is missing; training has not saved a model there yet") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RunError(f"{path} can not be read; it was cut short or changed, train again or restore it") from None
    if any(_digest({name: array}, "") != digests.get(name) for name, array in arrays.items()):
        raise RunError(f"{path} is damaged: its digest is not the one it was written with; train again or restore it")
    return arrays


_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}


def array_header(path: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Of a safetensors file of ours: what lies where, what is said of it, and at which byte the arrays begin.

    Any error but OSError means that it is damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > size - 8:
            raise ValueError(length)
        header = json.loads(file.read(length))
    about = json.loads(header.pop("__metadata__", {}).get("textdl", "{}"))
    return header, about, 8 + length


def map_array(path: Path, entry: Mapping[str, Any], begin: int) -> np.ndarray:
    """One array of :func:`array_header` as a read-only memory map. Any error but OSError means that it is damaged."""
    dtype, shape, (start, end) = np.dtype(_TYPES[entry["dtype"]]), tuple(entry["shape"]), entry["data_offsets"]
    if not 0 <= start <= end <= path.stat().st_size - begin or end - start != dtype.itemsize * math.prod(shape):
        raise ValueError(entry)
    if end == start:  # nothing can not be mapped
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", begin + start, shape).view(np.ndarray)


def _digest(arrays: Mapping[str, np.ndarray], facts: str) -> str:
    total = hashlib.sha256(facts.encode())
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].dtype} {arrays[name].shape}\n".encode())
        total.update(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data)  # without a copy
    return total.hexdigest()


def create_run(path: Path, resume: bool = False) -> None:
    """Make the folder of a new run; with ``resume`` it may hold a run, or what is left of one that was killed early.

    Raises:
        RunError: it holds a run or other files already, or can not be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        there = [name.name for name in path.iterdir() if name.name != _LOCK]
    except OSError as error:
        raise RunError(_cannot_write(path, error)) from error
    if resume and (CONFIG in there or all(name in _PARTS or _is_temporary(name) for name in there)):
        return
    if CONFIG in there:
        more = "move that folder away"
        if RESUME in there:
            more = f"--resume to go on with it ({RESUME}/ holds its state)"
        elif MODEL not in there:
            more = "--resume to begin it again (it was stopped before it had a model)"
        raise RunError(f"{path} holds a run already; give another --out, or {more}")
    if there:
        raise RunError(f"{path} is not empty (it holds {sorted(there)[0]!r}); give a new folder as --out")


def sweep(path: Path) -> None:
    """Remove the temporary files of writes that a kill cut off. Only for who holds the run's lock."""
    for folder in (path, path / RESUME):
        for file in folder.iterdir() if folder.is_dir() else ():
            if _is_temporary(file.name):
                file.unlink(missing_ok=True)


def _is_temporary(name: str) -> bool:
    """Whether this is a name that :func:`write_atomic` gives to a file before it is whole."""
    return name.startswith(".") and any(f"{suffix}." in name for suffix in (".json", ".jsonl", ".md", ".safetensors"))


def discard_bare(path: Path) -> None:
    """Remove what a run that failed before it had a model has written, so that the same command can be given again."""
    if not path.is_dir() or (path / MODEL).exists() or (path / RESUME).exists():
        return
    for name in _PARTS:
        (path / name).unlink(missing_ok=True)
    if not any(path.iterdir()):
        path.rmdir()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep a second process off a run folder for as long as this one writes to it.

    Raises:
        RunError: another process holds it.
    """
    import fcntl

    try:
        file = (path / _LOCK).open("w")
    except OSError as error:
        raise RunError(_cannot_write(path, error)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"{path} is being written by another process; wait for it, or give another --out") from None
        yield


#: ``{n: function(config of format n) -> config of format n + 1}``
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def read_config(path: Path) -> dict[str, Any]:
    """The ``config.json`` of a run folder, brought up to today's format.

    Raises:
        RunError: no such folder, not a run, damaged, or written by a newer textdl.
    """
    if not path.exists():
        raise RunError(f"no run at {path}; train one: textdl train TASK CORPUS --out {path} (see textdl train --help)")
    if not (path / CONFIG).is_file():
        raise RunError(f"{path} is no run: it holds no {CONFIG}; name the folder that was given as --out")
    config = read_json(path / CONFIG)
    number = config.get("format")
    if not isinstance(number, int) or number < 1:
        raise RunError(f"{path / CONFIG} has no format number; it was changed, train again or restore it")
    if number > FORMAT:
        raise RunError(
            f"{path} was made by a newer textdl ({config.get('versions', {}).get('textdl', 'unknown version')}, "
            f"format {number}; this one reads up to {FORMAT}); upgrade with: pip install --upgrade textdl"
        )
    while number < FORMAT:
        config = MIGRATIONS[number](config)
        number += 1
    return config


def _cannot_write(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left to write {path}; free some space or give a place on another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} can not be written ({error.strerror}); give a place in a folder that is yours"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{path} can not be a folder: a file of that name is in the way; give another --out"
    return f"{path} can not be written ({error.strerror or error}); give another place"


def _sync_folder(path: Path) -> None:
    """Make a rename last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
