"""The run folder on disk: atomic writes, checked reads, never a pickle.

A run is a folder::

    config.json        format number, versions, task, corpus and its digest, the settings (data, model, train)
    tokenizer.json     what turns text into ids
    model.safetensors  the weights, with a digest of their bytes in the header
    report.json        how the training ended, and its figures
    metrics.jsonl      a line for every report while training
    card.md            the same for people
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from .errors import RunError

#: Number of the format written here; a folder with a higher one was made by a newer textdl.
FORMAT = 1

CONFIG, MODEL, REPORT, METRICS, CARD = (
    "config.json",
    "model.safetensors",
    "report.json",
    "metrics.jsonl",
    "card.md",
)
TOKENIZER = "tokenizer.json"
_LOCK = ".lock"


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all: temporary file, fsync, rename. What stood there before survives a failure.

    Raises:
        RunError: no space left, or the folder can not be written.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise RunError(_cannot_write(path, error)) from error


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


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Write arrays as safetensors, atomically, with their digest in the header. Returns the digest (sha256, hex)."""
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    digest = _digest(whole)
    write_atomic(path, save(whole, metadata={"sha256": digest}))
    return digest


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what :func:`save_arrays` wrote.

    Raises:
        RunError: missing, cut short, or a byte differs from what was written.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
            expected = (file.metadata() or {}).get("sha256")
    except FileNotFoundError:
        raise RunError(f"{path} is missing; training has not saved a model there yet") from None
    except (SafetensorError, OSError) as error:
        raise RunError(
            f"{path} can not be read ({error}); it was cut short or changed, train again or restore it"
        ) from None
    if _digest(arrays) != expected:
        raise RunError(f"{path} is damaged: its digest is not the one it was written with; train again or restore it")
    return arrays


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].dtype} {arrays[name].shape}\n".encode())
        total.update(arrays[name].tobytes())
    return total.hexdigest()


def create_run(path: Path) -> None:
    """Make the folder of a new run.

    Raises:
        RunError: it holds a run or other files already, or can not be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        there = [name.name for name in path.iterdir() if name.name != _LOCK]
    except OSError as error:
        raise RunError(_cannot_write(path, error)) from error
    if CONFIG in there:
        raise RunError(f"{path} holds a run already; give another --out, or move that folder away")
    if there:
        raise RunError(f"{path} is not empty (it holds {sorted(there)[0]!r}); give a new folder as --out")


def discard_bare(path: Path) -> None:
    """Remove what a run that failed before it had a model has written, so that the same command can be given again."""
    if not path.is_dir() or (path / MODEL).exists():
        return
    for name in (CONFIG, TOKENIZER, METRICS, REPORT, CARD, _LOCK):
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
        raise RunError(f"no run at {path}; train one with: textdl train lm recipes --out {path}")
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
        return f"no space left to write {path}; free some space or give an --out on another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} can not be written ({error.strerror}); give an --out in a folder that is yours"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{path} can not be a folder: a file of that name is in the way; give another --out"
    return f"{path} can not be written ({error.strerror or error}); give another --out"


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
