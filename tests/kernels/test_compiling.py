"""Compiling where nothing can be written, and importing without compiling."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core import caching

from textdl.kernels import compiling


def double(x: int) -> int:
    return 2 * x


def triple(x: int) -> int:
    return 3 * x


def test_an_entry_is_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert compiling.Entry(double)(21) == 42
    assert list(tmp_path.rglob("*.nbi"))


def test_nowhere_to_write_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(double)  # what numba itself does
    assert compiling.Entry(double)(21) == 42


def test_a_folder_taken_away_after_the_import_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    compiled = compiling.Entry(triple)
    for folder in (tmp_path / "cache").iterdir():
        folder.rmdir()
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").write_text("in the way")
    assert [compiled(14), compiled(15)] == [42, 45]


def test_a_full_disk_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert compiling.Entry(triple)(14) == 42


def test_importing_the_door_imports_neither_numba_nor_torch() -> None:
    code = (
        "import sys, textdl.kernels.recurrent, textdl.kernels.sampling;"
        "print(*{'numba', 'torch', 'textdl.kernels.stepping'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
