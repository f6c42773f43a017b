"""Lines as arrays, and their one format on disk: what goes in comes out, and nothing wrong comes in."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdl.errors import CorpusError
from textdl.strokes.checks import check_texts, checked_lines, checked_points
from textdl.strokes.line import Line, Lines, of_strokes, to_strokes
from textdl.strokes.npz import read_lines, write_lines

HOOK = np.array([[0, 0, 0], [3, 4, 0], [0, -2, 1], [10, 0, 0], [1, 1, 1]], np.float32)
DASH = np.array([[0, 0, 0], [5, 0, 1]], np.float32)


def arrays(**changes: Any) -> dict[str, Any]:
    """Two lines as the format has them, with changes; None leaves an array out."""
    made: dict[str, Any] = {
        "deltas": np.array([[0, 0], [3, 4], [0, -2], [0, 0], [5, 0]], np.int16),
        "pen_up": np.array([0, 0, 1, 0, 1], np.uint8),
        "offsets": np.array([0, 3, 5]),
        "texts": np.array(["one", "two"]),
        "groups": np.array(["a", "b"]),
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def saved(folder: Path, **changes: Any) -> Path:
    path = folder / "some.npz"
    np.savez(path, **arrays(**changes))
    return path


def test_strokes_by_hand() -> None:
    points = of_strokes([np.array([[2, 3], [5, 7], [5, 5]]), np.zeros((0, 2)), np.array([[15, 5], [16, 6]])])
    assert points.tolist() == HOOK.tolist()
    first, second = to_strokes(points)
    assert first.tolist() == [[0, 0], [3, 4], [3, 2]]
    assert second.tolist() == [[13, 2], [14, 3]]


def test_round_trip(tmp_path: Path) -> None:
    some = [Line(HOOK, "a hook", "me"), Line(DASH, "–", "you"), Line(DASH * (0.3, 1, 1), "", "you")]
    write_lines(tmp_path / "a.npz", some)
    back = read_lines(tmp_path / "a.npz")
    assert back.deltas.dtype == np.float32
    for line, other in zip(back, some, strict=True):
        assert np.array_equal(line.points, np.float32(other.points))
        assert line[1:] == other[1:]
    write_lines(tmp_path / "b.npz", some[:2])
    assert read_lines(tmp_path / "b.npz").deltas.dtype == np.int16, "whole numbers are kept small"
    assert back[0].points.dtype == np.float32


def test_equal_lines_are_equal_bytes_and_plain_numpy_reads_them(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_lines(tmp_path / f"{name}.npz", [Line(HOOK, "x")])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as plain:
        assert sorted(plain) == ["deltas", "offsets", "pen_up", "texts"]
        assert plain["offsets"].tolist() == [0, 5]


@given(st.lists(st.lists(st.tuples(*[st.integers(-99, 99)] * 2), min_size=2, max_size=5), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_some_of_many_lines_are_those_lines(lines: list[list[tuple[int, int]]]) -> None:
    some = [Line(of_strokes([np.array(places)]), str(at)) for at, places in enumerate(lines)]
    whole = Lines.of(some)
    places = list(range(len(some)))[::-2]
    taken = whole.take(places)
    assert [line.text for line in taken] == [str(at) for at in places]
    for line, at in zip(taken, places, strict=True):
        assert np.array_equal(line.points, some[at].points)
    assert [line.text for line in whole[1:]] == [line.text for line in some[1:]]
    assert whole[-1].text == some[-1].text


def test_the_first_step_is_nothing(tmp_path: Path) -> None:
    deltas = arrays()["deltas"]
    deltas[0], deltas[3] = (900, 800), (-5, 7)
    back = read_lines(saved(tmp_path, deltas=deltas))
    assert [line.points[0, :2].tolist() for line in back] == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"deltas": np.array([[0, 0], [1, 1], [2, np.nan], [0, 0], [1, 1]])}, "line 1, point 3 has NaN"),
        ({"deltas": np.array([[0, 0], [1, 1], [2, 2], [0, 0], [np.inf, 1]])}, "line 2, point 2 has an infinite"),
        ({"deltas": np.array([[0, 0], [1, 1], [2, 2], [0, 0], [-2e6, 1]])}, "line 2, point 2 has a step of 2e+06"),
        ({"deltas": np.full((5, 2), 2**64 - 1, np.uint64)}, "line 1, point 1 has a step of 1.84467e+19"),
        ({"deltas": np.full((5, 2), -(2**63))}, "line 1, point 1 has a step of 9.22337e+18"),
        ({"offsets": np.array([0, 4, 5]), "pen_up": np.array([0, 0, 1, 1, 1])}, "line 2 has one point"),
        ({"offsets": np.array([0, 0, 5])}, "line 1 has no point"),
        ({"pen_up": np.array([0, 0, 1, 0, 0])}, "line 2 has no pen-up at its end"),
        ({"pen_up": np.array([0, 2, 1, 0, 1])}, "line 1, point 2 has pen_up 2"),
        ({"pen_up": np.array([0, 0, 1])}, "pen_up must be [5]"),
        ({"offsets": np.array([0, 3, 6])}, "offsets must begin with 0 and end with 5"),
        ({"offsets": np.array([1, 3, 5])}, "offsets must begin with 0"),
        ({"offsets": np.array([0, 3])}, "offsets must be whole numbers [3]"),
        ({"offsets": np.array([0.0, 3, 5])}, "offsets must be whole numbers [3]"),
        ({"offsets": np.array([0, 7, 5])}, "line 2: offsets must not go down, got 7 before 5"),
        ({"texts": np.array([1, 2])}, "texts must be text [N]"),
        ({"groups": np.array(["a"])}, "groups must be text [2]"),
        ({"deltas": np.zeros((5, 4))}, "deltas must be numbers [P, 2]"),
        ({"deltas": None}, "no array 'deltas'"),
        ({"texts": np.array(["one", None], object)}, "texts is an array of objects, which only unpickling could read"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = saved(tmp_path, **changes)
    with pytest.raises(CorpusError) as error:
        read_lines(path)
    assert said in str(error.value)
    assert str(error.value).startswith(str(path))


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, deltas=np.zeros((1_000_000, 2), np.int16))
    monkeypatch.setattr("textdl.strokes.npz.LARGEST", 1 << 20)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(CorpusError, match=r"declares .* GiB of arrays"):
        read_lines(path)


def test_a_header_that_promises_more_than_there_is(tmp_path: Path) -> None:
    head = io.BytesIO()
    about = {"descr": "<i2", "fortran_order": False, "shape": (1 << 40, 2)}
    np.lib.format.write_array_header_1_0(head, about)
    with zipfile.ZipFile(tmp_path / "big.npz", "w") as archive:
        archive.writestr("deltas.npy", head.getvalue() + bytes(100))
    with pytest.raises(CorpusError, match="it declares 4,398,046,511,104 bytes and holds fewer"):
        read_lines(tmp_path / "big.npz")


@pytest.mark.parametrize(
    "head",
    ["{'descr': (", "-" * 9000 + "1", "{1: 2, 'descr': 3}", "{'descr': ',,', 'fortran_order': False, 'shape': (1,)}"],
)
def test_a_header_that_is_none(tmp_path: Path, head: str) -> None:
    with zipfile.ZipFile(tmp_path / "odd.npz", "w") as archive:
        archive.writestr("deltas.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode())
    with pytest.raises(CorpusError, match=r"deltas can not be read \(its head is no shape and type"):
        read_lines(tmp_path / "odd.npz")


def test_any_byte_may_be_damaged(tmp_path: Path) -> None:
    """Lines, or a plain refusal; never another error, however the arrays are packed."""
    path = tmp_path / "odd.npz"
    for packing in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", packing) as archive:
            for name, array in arrays().items():
                content = io.BytesIO()
                np.save(content, array)
                archive.writestr(f"{name}.npy", content.getvalue())
        whole = path.read_bytes()
        for at in range(0, len(whole), 4):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
            with contextlib.suppress(CorpusError):
                read_lines(path)


def test_what_can_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    lines = Lines.of([Line(np.array([[0, 0, 0], [3e6, 0, 1]], np.float32), "far")])
    with pytest.raises(CorpusError, match=r"far.npz, line 1, point 2 has a step of 3e\+06"):
        write_lines(tmp_path / "far.npz", lines)
    assert not (tmp_path / "far.npz").exists()


def test_no_npz(tmp_path: Path) -> None:
    path = saved(tmp_path)
    whole = path.read_bytes()
    for content in (b"", b"PK\x03\x04", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(CorpusError, match="is no npz, or was cut short"):
            read_lines(path)
    at = whole.index(b"deltas.npy") + 160
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    with pytest.raises(CorpusError, match="deltas can not be read"):
        read_lines(path)
    with pytest.raises(CorpusError, match="No such file"):
        read_lines(tmp_path / "none.npz")


def test_the_other_spelling(tmp_path: Path) -> None:
    deltas = np.column_stack([arrays()["deltas"], [0, 9, 9, 0, 9]]).astype(np.int16)
    deltas, pen_up = np.tile(deltas, (2, 1)), np.tile(arrays()["pen_up"], 2)
    path = tmp_path / "other.npz"
    np.savez(
        path,
        dxyt=deltas,
        pen_up=pen_up,
        offsets=[0, 3, 5, 8, 10],
        texts=["one", "", "two", "three"],
        ids=["a01-000u-01", "a01-000u-02", "b-1", "c-1"],
        text_line_count_matches=[True, True, False, True],
    )
    lines = read_lines(path)
    assert [(line.text, line.group) for line in lines] == [("one", "a01-000u"), ("three", "c")]
    assert lines[0].points.tolist() == [[0, 0, 0], [3, 4, 0], [0, -2, 1]]
    assert "left out 1 lines of forms" in lines.notes[0]
    assert "and 1 lines without a text" in lines.notes[0]


def test_points_and_lines_given_in_python() -> None:
    assert checked_points([[7, 7, 0], [1, 2, 1]], "mine").tolist() == [[0, 0, 0], [1, 2, 1]]
    for wrong, said in (
        ([[0, 0, 1]], "mine has one point"),
        (np.zeros((0, 3)), "mine has no point"),
        ([[0, 0, 0], [1, 1, 0]], "no pen-up"),
        ([[0, 0], [1, 1]], r"numbers \[T, 3\]"),
        ([["a", "b", "c"]], r"numbers \[T, 3\]"),
    ):
        with pytest.raises(CorpusError, match=said):
            checked_points(wrong, "mine")
    with pytest.raises(CorpusError, match="all, line 2 must be Line"):
        checked_lines([(HOOK, "text"), HOOK], "all")
    with pytest.raises(CorpusError, match="all, line 2 has no text"):
        check_texts(checked_lines([(HOOK, "text"), (HOOK, " ")], "all"), "all")
