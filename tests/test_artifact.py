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


def test_arrays_are_mapped_one_without_the_other(tmp_path):
    path, arrays = tmp_path / "m", {"a": np.arange(5, dtype=np.float32), "b": np.ones((2, 3), np.float32)}
    artifact.save_arrays(path, {**arrays, "none": np.zeros((0, 4), np.float32)}, {"step": 3}, apart=True)
    assert all(np.array_equal(array, arrays[name]) for name, array in artifact.load_arrays(path).items() if array.size)
    assert artifact.load_arrays_and_facts(path)[1] == {"step": 3}
    whole, sound = path.read_bytes(), load_file(path)
    assert np.array_equal(sound["b"], arrays["b"])
    found = artifact.map_arrays(path, ("b", "none", "c"))
    assert sorted(found) == ["b", "none"]
    assert found["none"].shape == (0, 4)
    assert np.array_equal(found["b"], arrays["b"])
    assert isinstance(found["b"].base, np.memmap)
    assert not found["b"].flags.writeable

    at = whole.index(arrays["a"].tobytes()[4:]) + 2
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert np.array_equal(artifact.map_arrays(path, ("b",))["b"], arrays["b"]), "the other is not looked at"
    assert "damaged" in message(artifact.map_arrays, path, ("a",))
    assert "damaged" in message(artifact.load_arrays, path)
    for data in (b"", whole[:7], whole[:50], whole[:-1], whole + b"x", whole.replace(b"data_offsets", b"data_offsetz")):
        path.write_bytes(data)
        assert "cut short" in message(artifact.map_arrays, path, ("b",))
    assert "is missing" in message(artifact.map_arrays, tmp_path / "none", ("b",))


def test_arrays_without_digests_of_their_own_are_read_whole(tmp_path):
    path, arrays = tmp_path / "m", {"a": np.arange(5, dtype=np.float32), "b": np.ones((2, 3), np.float32)}
    artifact.save_arrays(path, arrays)
    found = artifact.map_arrays(path, ("b",))
    assert list(found) == ["b"]
    assert np.array_equal(found["b"], arrays["b"])
    data = path.read_bytes()
    at = data.index(arrays["a"].tobytes()[4:]) + 2
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert "damaged" in message(artifact.map_arrays, path, ("b",))


def test_a_file_in_pieces_takes_its_place_when_it_is_whole(tmp_path, monkeypatch):
    path, synced = tmp_path / "ids", []
    path.write_bytes(b"old")
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(Path(f"/proc/self/fd/{handle}").is_dir()), real(handle))
    )
    with artifact.replacing(path) as file:
        file.write(b"one ")
        assert path.read_bytes() == b"old"
        file.write(b"two")
    assert path.read_bytes() == b"one two"
    assert len(synced) == 2, "the file and its folder"
    assert synced == [False, True] or not Path("/proc/self/fd").exists()
    (tmp_path / "plain").write_bytes(b"")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode

    def broken_off():
        with artifact.replacing(path) as half:
            half.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert path.read_bytes() == b"one two"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ids", "plain"]


def test_why_a_file_can_not_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert f"{tmp_path / 'file'} can not be a folder" in message(artifact.write_atomic, tmp_path / "file" / "x", "")
    assert "No such file" in message(artifact.write_atomic, tmp_path / "none" / "x", "")
    assert "name too long" in message(artifact.write_atomic, tmp_path / ("x" * 300), "")


def test_a_run_that_was_stopped_before_it_had_a_model_names_resume(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "metrics.jsonl").write_text("")
    assert "--resume to begin it again" in message(artifact.create_run, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert "or move that folder away" in message(artifact.create_run, tmp_path)
    (tmp_path / "resume").mkdir()
    assert "--resume to go on" in message(artifact.create_run, tmp_path)
