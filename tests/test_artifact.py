"""The run folder: atomic writes, checked reads."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from textdl import artifact
from textdl.errors import RunError


def message(call, *args):
    with pytest.raises(RunError) as caught:
        call(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_arrays_come_back_and_other_tools_read_them(tmp_path):
    arrays = {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.zeros(0, np.float32)}
    artifact.save_arrays(tmp_path / "m", arrays)
    back = artifact.load_arrays(tmp_path / "m")
    assert all(np.array_equal(back[k], v) for k, v in arrays.items())
    assert np.array_equal(load_file(tmp_path / "m")["w"], arrays["w"])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_model_is_refused(tmp_path, share):
    path = tmp_path / "m"
    artifact.save_arrays(path, {"w": np.arange(1000, dtype=np.float32)})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "cut short" in message(artifact.load_arrays, path)


def test_a_flipped_bit_is_found(tmp_path):
    path = tmp_path / "m"
    artifact.save_arrays(path, {"w": np.arange(1000, dtype=np.float32)})
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    assert "damaged" in message(artifact.load_arrays, path)


def test_a_failed_write_keeps_what_was_there_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    artifact.write_json(path, {"a": 1})

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "no space left" in message(artifact.write_json, path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_on_a_full_disk_is_one_line(tmp_path):
    file = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115  (its close fails too)
    assert "no space left" in message(artifact.append_line, file, "x", tmp_path / "metrics.jsonl")
    with pytest.raises(OSError):
        file.close()


def test_create_run_refuses_what_is_there(tmp_path):
    artifact.create_run(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "a" / "b" / "notes.txt").write_text("mine")
    assert "is not empty (it holds 'notes.txt')" in message(artifact.create_run, tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "config.json").write_text("{}")
    assert "holds a run already" in message(artifact.create_run, tmp_path / "a" / "b")
    assert "a file of that name" in message(artifact.create_run, tmp_path / "a" / "b" / "notes.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_can_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    assert "can not be written" in message(artifact.create_run, tmp_path / "run")


def test_permission_errors_are_told_in_words(tmp_path, monkeypatch):
    def refuse(self, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert "can not be written (Permission denied)" in message(artifact.create_run, tmp_path / "run")


def test_a_second_process_is_kept_off(tmp_path):
    code = f"from pathlib import Path; from textdl import artifact\nwith artifact.locked(Path({str(tmp_path)!r})): pass"
    with artifact.locked(tmp_path):
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "is being written by another process" in other.stderr
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0, "the lock goes with its holder"


def test_read_config_refuses_what_it_can_not_read(tmp_path):
    assert "no run at" in message(artifact.read_config, tmp_path / "none")
    assert "is no run" in message(artifact.read_config, tmp_path)
    config = tmp_path / "config.json"
    config.write_text('{"format": 1, "tas')
    assert "cut short" in message(artifact.read_config, tmp_path)
    config.write_text("[]")
    assert "holds no JSON object" in message(artifact.read_config, tmp_path)
    config.write_text("{}")
    assert "no format number" in message(artifact.read_config, tmp_path)
    config.write_text(json.dumps({"format": artifact.FORMAT + 1, "versions": {"textdl": "9.0"}}))
    assert "newer textdl (9.0, format 2" in message(artifact.read_config, tmp_path)


def test_an_old_format_is_migrated_step_by_step(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps({"format": 1, "task": "lm"}))
    monkeypatch.setattr(artifact, "FORMAT", 3)
    steps = {1: lambda c: {**c, "format": 2, "a": 1}, 2: lambda c: {**c, "format": 3, "b": c["a"] + 1}}
    monkeypatch.setattr(artifact, "MIGRATIONS", steps)
    assert artifact.read_config(tmp_path) == {"format": 3, "task": "lm", "a": 1, "b": 2}
