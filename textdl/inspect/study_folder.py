"""A study on disk: its rows, one line each, and what is made of them for people."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import artifact
from ..errors import ConfigError, RunError
from .study import Row, Study, report
from .study_picture import draw_accuracy
from .study_settings import plainly

STUDY, ROWS, TABLE, PICTURE = "study.json", "rows.jsonl", "table.md", "accuracy.png"
KIND, FORMAT = "dataset-size", 1


def facts_of(**asked: Any) -> dict[str, Any]:
    """What stands first in study.json: the kind of study, and what was asked for, as plain values."""
    plain: dict[str, Any] = json.loads(json.dumps(asked, default=str))
    return {"study": KIND, "format": FORMAT, "asked": plain}


def make_folder(folder: Path) -> None:
    """Make the folder, unless it is a study, or what is left of one that was killed before its first file was whole.

    Raises:
        RunError: it holds something else.
    """
    with contextlib.suppress(OSError):  # no such folder, or one that can not be read
        names = [file.name for file in folder.iterdir()]
        if STUDY in names or all(name == ".lock" or name.startswith(f".{STUDY}.") for name in names):
            return
    artifact.create_run(folder)


def earlier_rows(folder: Path, facts: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows that are there already.

    Raises:
        RunError: the folder holds another kind of study, or has been changed.
        ConfigError: the study was another one.
    """
    if not (folder / STUDY).exists():
        return ()
    then = artifact.read_json(folder / STUDY)
    if then.get("study") != KIND or not isinstance(then.get("asked"), dict):
        raise RunError(f"{folder} holds no study of {KIND}; give another --out")
    if then.get("format") != facts["format"]:
        raise RunError(
            f"{folder} is of format {then.get('format')}, and this textdl writes {FORMAT}; give another --out"
        )
    for name, value in facts["asked"].items():
        before = then["asked"].get(name)
        if before != value:
            what = "another text or labels" if name == "digest" else f"{name} {plainly(before)}, not {plainly(value)}"
            raise ConfigError(f"{folder} holds a study with {what}; go on with it as it was, or give another --out")
    if not (folder / ROWS).exists():
        return ()
    try:
        return tuple(Row(**json.loads(line)) for line in (folder / ROWS).read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{folder / ROWS} can not be read ({error}); it was changed, give another --out") from None


def write_results(folder: Path, facts: Mapping[str, Any], study: Study) -> None:
    """Write what is for people, and the whole as JSON."""
    if study.rows:
        artifact.write_atomic(folder / TABLE, report(study))
        draw_accuracy(study, folder / PICTURE)
    artifact.write_json(folder / STUDY, dict(facts) | study.to_json())


def temporary_name(folder: Path) -> str:
    """How the folders that a training goes into begin, beside that of the study."""
    return f".{folder.absolute().name}.training-"


@contextlib.contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A folder beside that of the study, for as long as it is needed.

    Raises:
        RunError: it can not be made.
    """
    parent = folder.absolute().parent
    try:
        made = tempfile.TemporaryDirectory(dir=parent, prefix=temporary_name(folder))
    except OSError as error:
        raise RunError(
            f"{parent} can not be written ({error.strerror}), and a training needs some room beside {folder.name}; "
            "give another --out"
        ) from error
    with made as name:
        yield Path(name)


def sweep_folder(folder: Path) -> None:
    """Remove what a kill has left."""
    artifact.sweep(folder)
    for left in folder.iterdir():
        if left.name.startswith(f".{PICTURE}."):
            left.unlink(missing_ok=True)
    for left in folder.absolute().parent.iterdir():
        if left.name.startswith(temporary_name(folder)):
            shutil.rmtree(left, ignore_errors=True)
