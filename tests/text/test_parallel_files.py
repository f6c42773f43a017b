"""Reading pairs: lines, columns, fields and archives, each against a slow and obvious way to do the same."""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textdl.errors import CorpusError
from textdl.text import files
from textdl.text.files import count_lines, kind, read_exact_lines, read_text
from textdl.text.pair_fields import choose_pair, columns_of, find_column, side_of, usual_pair, value_at
from textdl.text.parallel_files import LinePair, files_ending, open_columns, sides_of, splits_by_name


@given(content=st.text(st.sampled_from("ab\n\r\x0c\x85\u2028\tñ"), max_size=60), block=st.integers(1, 5))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exact_lines(content: str, block: int, tmp_path: Path) -> None:
    wanted = [line.removesuffix("\r") for line in content.split("\n")]
    # A newline ends the last line and begins none.
    if content.endswith("\n") or not content:
        wanted.pop()
    path = tmp_path / "a"
    path.write_bytes(content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "read_blocks", functools.partial(files.read_blocks, size=block))
        assert list(read_exact_lines(path)) == wanted
        assert count_lines(path) == len(wanted)
        assert "".join(read_text(path, translate=False)) == content


@given(
    rows=st.lists(st.lists(st.text(st.sampled_from("ab \r\u2028\"'"), max_size=4), min_size=3, max_size=5), max_size=8),
    columns=st.permutations([0, 1, 2]),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns(rows: list[list[str]], columns: list[int], tmp_path: Path) -> None:
    rows = [["x", "y", "z"], *rows]
    path = tmp_path / "a.tsv"
    path.write_bytes("".join("\t".join(row) + "\n" for row in rows).encode())
    source, target = columns[:2]
    found = open_columns(path, (str(source + 1), str(target + 1)), ("", ""))
    # The end of the line takes a last "\r" with it.
    cells = [[*row[:-1], row[-1].removesuffix("\r")] for row in rows]
    assert list(found) == [(row[source], row[target]) for row in cells]
    assert found.header == 0


@pytest.mark.parametrize(
    "first, wanted, told, found",
    [
        ("en\tes", (None, None), ("", ""), (0, 1, 1)),
        ("es\ten\tnote", ("en", None), ("", ""), (1, 0, 1)),
        ("a\tb\tc", (None, None), ("c", "a"), (2, 0, 1)),
        ("a\tb\tc", ("b", "a"), ("c", "a"), (1, 0, 1)),
        ("is\tes", (None, None), ("", ""), (0, 1, 0)),
        ("en\ten", (None, None), ("", ""), (0, 1, 0)),
        ("Go.\tVe.\tby someone", (None, None), ("source", "target"), (0, 1, 0)),
        ("Go.\tVe.\tby someone", ("3", None), ("", ""), (2, 0, 0)),
        ("Go.\tVe.\tby someone", (None, "1"), ("", ""), (1, 0, 0)),
        ("\nSource\tTarget", (None, None), ("", ""), (0, 1, 2)),
        ("one\t\tthree", (None, "3"), ("", ""), (0, 2, 0)),
    ],
)
def test_headers(first: str, wanted: Any, told: Any, found: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(first + "\nx\ty\tz\n")
    columns = open_columns(path, wanted, told)
    assert (columns.source, columns.target, columns.header) == found


def test_a_column_number_beyond_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("x\ty\n")
    with pytest.raises(CorpusError, match="has 2 columns, and column"):
        open_columns(path, ("9" * 5000, None), ("", ""))


def test_fields_within_tables() -> None:
    record = {"id": 1, "t": {"en": "a", "deep": {"x": "b"}}, "dotted.name": "c", "empty": {}, "half.way": {"y": "d"}}
    assert columns_of([record, {"late": 1}]) == ["id", "t.en", "t.deep.x", "dotted.name", "empty", "half.way.y", "late"]
    assert [value_at(record, path) for path in ("id", "t.en", "t.deep.x", "dotted.name", "half.way.y")] == [1, *"abcd"]
    assert [value_at(record, path) for path in ("no", "t.no", "t.en.no", "t.deep.x.no")] == [None] * 4
    assert side_of({"a": ["x", None, "y\r\n"]}, "a", "here") == "x\ny\n"
    assert side_of({"a": "half \ud800 of a pair"}, "a", "here") == "half \ufffd of a pair"
    assert side_of({"a": 3.5}, "a", "here") == "3.5"
    for value in ({"x": 1}, b"x"):
        with pytest.raises(CorpusError, match=r"here: the field 'a' is .*, not text; choose another"):
            side_of({"a": value}, "a", "here")


@pytest.mark.parametrize(
    "columns, wanted, told, found",
    [
        (["src", "tgt", "source", "target"], (None, None), ("", ""), ("source", "target")),
        (["id", "t.de", "t.en"], (None, None), ("", ""), ("t.de", "t.en")),
        (["id", "Article", "Highlights"], (None, None), ("", ""), ("Article", "Highlights")),
        (["id", "t.de", "t.en", "t.fr"], ("fr", "de"), ("", ""), ("t.fr", "t.de")),
        (["a", "b"], (None, "a"), ("", ""), ("b", "a")),
        (["a", "b", "question", "answer"], (None, "question"), ("", ""), ("answer", "question")),
        (["a", "b", "c"], ("a", "3"), ("b", "c"), ("a", "c")),
        (["a", "b", "c"], (None, None), ("b", "c"), ("b", "c")),
        (["a", "b", "c"], (None, None), ("b", "x"), None),
        (["a", "b", "c"], ("a", None), ("b", "c"), None),
        (["t.de", "t.en", "u.en"], (None, None), ("", ""), None),
        (["wrong", "right"], (None, None), ("", ""), None),
        (["id", "no"], (None, None), ("", ""), None),
    ],
)
def test_choice_of_fields(columns: list[str], wanted: Any, told: Any, found: tuple[str, str] | None) -> None:
    if found is not None:
        assert choose_pair(columns, wanted, told, "here") == found
        return
    with pytest.raises(CorpusError, match=f"here does not say .* two of {', '.join(columns)}"):
        choose_pair(columns, wanted, told, "here")


def test_finding_a_field() -> None:
    assert find_column("2", ["a", "b"], "here") == "b"
    assert find_column("2", ["1", "2", "3"][::-1], "here") == "2"
    for name in ("0", "3", "9" * 5000, "²"):
        with pytest.raises(CorpusError):
            find_column(name, ["a", "b"], "here")
    assert usual_pair(["a"]) is None


def test_splits_by_name() -> None:
    assert splits_by_name(["b", "a"]) == {"train": ["a", "b"]}
    assert splits_by_name(["test", "val"]) == {"train": ["test", "val"]}, "nothing to train on is no split"
    several = ["test_2017", "train", "test_2016", "dev/x", "c", "train-2"]
    assert splits_by_name(several) == {
        "train": ["train", "train-2"],
        "validation": ["dev/x"],
        "test": ["test_2016"],
        "test_2017": ["test_2017"],
        "c": ["c"],
    }
    assert splits_by_name(["train", "a.test", "test"]) == {"train": ["train"], "test": ["test"], "a.test": ["a.test"]}


def test_sides_of_a_folder(tmp_path: Path) -> None:
    for name in (
        "a.en",
        "a.de.gz",
        "b_en.txt",
        "b_de",
        "en.txt",
        "de",
        "alone.fr",
        "x.train.txt",
        "x.test.txt",
        "c.csv",
    ):
        (tmp_path / name).write_text("x")
    assert {ending: sorted(files) for ending, files in sides_of(tmp_path).items()} == {"en": ["a"], "de": ["a"]}
    assert sorted(files_ending(tmp_path, "en")) == [".", "a", "b"]
    assert sorted(files_ending(tmp_path, ".de")) == [".", "a", "b"]
    assert files_ending(tmp_path, "n") == {}


def test_a_pair_of_files_without_a_line_too_many() -> None:
    with pytest.raises(CorpusError, match=r"nowhere\.en can not be read"):
        list(LinePair(Path("nowhere.en"), Path("nowhere.de")))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_text_in_an_archive(method: int, tmp_path: Path) -> None:
    text = "".join(f"line {n * n} ñ\n" for n in range(20_000))
    path = tmp_path / "a.txt.ZIP"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("notes/about.txt", "x" * 1_000_000)
        archive.writestr("deep/in/it.tsv", text)
    assert "".join(read_text(path)) == text
    assert kind(path) == "tsv", "as the file in it is called"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.pdf", b"\0" * 10)
    with pytest.raises(CorpusError, match="is not text"):
        list(read_text(path))
    assert kind(tmp_path / "missing.csv.zip") == "csv"
