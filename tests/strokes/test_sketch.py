"""Drawings of sketch-rnn: files that numpy itself pickled are read, and nothing in a file is ever run."""

from __future__ import annotations

import contextlib
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textdl.errors import CorpusError
from textdl.strokes.npz import read_lines
from textdl.strokes.sketch import _made, is_sketch, read_sketch


def drawing(points: int, dtype: str, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    made = random.integers(-200, 200, (points, 3)).astype(dtype)
    made[:, 2] = random.integers(0, 2, points)
    made[-1, 2] = 1
    return made


def objects(*some: Any) -> np.ndarray:
    made = np.empty(len(some), object)
    made[:] = [None] * len(some)
    for at, one in enumerate(some):
        made[at] = one
    return made


def packed(folder: Path, content: bytes, shape: int = 1) -> Path:
    """An npz whose train is an object array with this pickle stream."""
    head = io.BytesIO()
    about = {"descr": "|O", "fortran_order": False, "shape": (shape,)}
    np.lib.format.write_array_header_1_0(head, about)
    with zipfile.ZipFile(folder / "some.npz", "w") as archive:
        archive.writestr("train.npy", head.getvalue() + content)
    return folder / "some.npz"


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["int16", "float32", "float64", ">i2"])
def test_what_numpy_wrote(tmp_path: Path, protocol: int, dtype: str) -> None:
    some = [drawing(points, dtype, points) for points in (2, 5, 300)]
    some[1] = np.asfortranarray(some[1])
    path = packed(tmp_path, pickle.dumps(objects(*some), protocol=protocol), 3)
    lines = read_sketch(path)
    assert [line.text for line in lines] == ["", "", ""]
    for line, one in zip(lines, some, strict=True):
        assert np.array_equal(line.points[1:], one[1:].astype(np.float32))
        assert line.points[0, :2].tolist() == [0, 0]


def test_splits(tmp_path: Path) -> None:
    one, two, dot = drawing(4, "int16", 1), drawing(6, "int16", 2), drawing(1, "int16", 3)
    two[-1, 2] = 0
    path = tmp_path / "some.npz"
    np.savez_compressed(path, train=objects(one, dot, two), valid=objects(two, two), test=objects(one, one))
    assert is_sketch(path)
    assert [len(line.points) for line in read_sketch(path)] == [4, 6, 6, 6, 4, 4]
    assert [len(line.points) for line in read_sketch(path, "validation")] == [6, 6]
    assert read_sketch(path, "train").notes == (f"{path}: left out 1 drawings of one point",)
    assert read_sketch(path, "train")[1].points[-1, 2] == 1, "a drawing ends with the pen up"
    with pytest.raises(CorpusError, match="no split 'dev'"):
        read_sketch(path, "dev")
    with pytest.raises(CorpusError, match="no array 'deltas'"):
        read_lines(path)


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_code_is_not_run(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "mark"
    content = pickle.dumps(objects(Evil(mark)), protocol=protocol)
    pickle.loads(content)
    assert mark.exists(), "the stream would do it"
    mark.unlink()
    with pytest.raises(CorpusError, match="is not unpickled, which would run the code"):
        read_sketch(packed(tmp_path, content))
    assert not mark.exists()


def test_other_streams(tmp_path: Path) -> None:
    good = pickle.dumps(objects(drawing(4, "int16", 1)), protocol=2)
    wrong: list[tuple[bytes, int]] = [
        (good, 2),
        (good[:-40], 1),
        (b"", 1),
        (pickle.dumps([1, 2], protocol=2), 1),
        (pickle.dumps(objects("text"), protocol=2), 1),
        (pickle.dumps(objects(objects(drawing(4, "int16", 1))), protocol=2), 1),
        (pickle.dumps(objects(np.array(["a", "b"])), protocol=2), 1),
        (b"\x80\x02" + b"(" * 9 + b"t.", 1),
        (b"\x80\x02h\x07.", 1),
        (b"\x80\x02R.", 1),
        (b"\x80\x02b.", 1),
        (b"\x80\x02a.", 1),
        (b"\x80\x02\x87.", 1),
    ]
    for content, count in wrong:
        with pytest.raises(CorpusError, match="is not what numpy writes for a list of drawings"):
            read_sketch(packed(tmp_path, content, count))
    for at in range(len(good)):  # any one byte changed: a line or a plain refusal, never another error
        path = packed(tmp_path, good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :])
        with contextlib.suppress(CorpusError):
            read_sketch(path)


def test_one_array_named_often_is_no_bomb(tmp_path: Path) -> None:
    large = drawing(20_000, "int16", 1)
    with pytest.raises(CorpusError, match="its drawings are more than its bytes"):
        read_sketch(packed(tmp_path, pickle.dumps(objects(*[large] * 50), protocol=2), 50))


def test_a_text_that_is_made_into_bytes_often_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of a million characters with 2,000 calls that encode it would need 2 GB."""
    text = b"X" + (1_000_000).to_bytes(4, "little") + b"0" * 1_000_000 + b"q\x00"
    calls = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R" * 2000
    reached: list[int] = []
    monkeypatch.setattr("textdl.strokes.sketch._made", lambda value: reached.append(1) or _made(value))
    with pytest.raises(CorpusError, match="its drawings are more than its bytes"):
        read_sketch(packed(tmp_path, b"\x80\x02" + text + calls + b"."))
    assert len(reached) < 10


@pytest.mark.parametrize(
    "wrong, said",
    [
        (np.array(5, np.int16), "an array in an array holds no list of numbers"),
        (np.array([[0, 0, 0], [np.nan, 1, 1]]), "drawing 1, point 2 has NaN"),
        (np.array([[0, 0, 0, 1], [1, 1, 1, 1]]), r"points must be numbers \[T, 3\]"),
        (np.array([[0, 0, 7], [1, 1, 1]]), "pen_up 7"),
    ],
)
def test_what_is_no_drawing(tmp_path: Path, wrong: np.ndarray, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        read_sketch(packed(tmp_path, pickle.dumps(objects(wrong), protocol=2)))
