"""Reading records: against json, csv and pyarrow, and one line of complaint for what is broken."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textdl.errors import CorpusError
from textdl.text import files, records

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda v: st.lists(v, max_size=3)
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=6)


def read(path: Path, content: str | bytes) -> list[dict[str, Any]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(records.read_records(path))


def complaint(path: Path, content: str | bytes) -> str:
    with pytest.raises(CorpusError) as caught:
        read(path, content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(RECORDS, st.sampled_from([None, 2]), st.integers(1, 20))
def test_json_in_every_form_is_what_json_reads(
    tmp_path: Path, rows: list[dict[str, Any]], indent: int | None, size: int
) -> None:
    lines = "\n".join(json.dumps(row) for row in rows)
    pretty = json.dumps(rows, indent=indent, ensure_ascii=False)
    one_after_the_other = "\r\n".join(json.dumps(row, indent=indent) for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.read_blocks, "__defaults__", (size,))
        assert read(tmp_path / "a.jsonl", lines) == rows
        assert read(tmp_path / "a.json", lines) == rows
        assert read(tmp_path / "a.json", pretty) == rows
        assert read(tmp_path / "a.json", one_after_the_other) == rows


def test_json_strings_are_texts(tmp_path: Path) -> None:
    assert read(tmp_path / "a.json", '["one", "two"]') == [{"text": "one"}, {"text": "two"}]
    assert read(tmp_path / "a.ndjson", '"one"\n\n  \n"two"\n') == [{"text": "one"}, {"text": "two"}]


def test_broken_json_tells_the_line(tmp_path: Path) -> None:
    lines, array = tmp_path / "a.jsonl", tmp_path / "a.json"
    assert f"{lines}:2 is not JSON" in complaint(lines, '{"a": 1}\n{"a": \n{"a": 3}\n')
    assert f"{lines}:2 must be a JSON object" in complaint(lines, '{"a": 1}\n[1, 2]\n')
    assert f"{lines}:1 is not JSON" in complaint(lines, "[" * 100_000)
    assert f"{array}:3 is not JSON" in complaint(array, '[\n{"a": 1},\n{"a": oops},\n{"a": 1}\n]')
    assert f"{array}:2 must be a JSON object" in complaint(array, '[{"a": 1},\n 17]')
    assert "ends before the array is closed" in complaint(array, '[{"a": 1}, {"a": 2}')
    assert f"{array}:2 is not JSON" in complaint(array, '[{"a": 1},\n {"a": "never closed')
    assert "not JSON" in complaint(array, "[] and more")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(alphabet='ab",;\n é', max_size=6), st.text(alphabet='a",\t', max_size=6)), max_size=5)
)
def test_csv_written_by_csv(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("title", "text"), *rows])
    assert list(records.read_records(path)) == [{"title": title, "text": text} for title, text in rows]


def test_csv_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert read(path, "\ufeffa;b\r\n1;x, y\r\n") == [{"a": "1", "b": "x, y"}]
    assert read(path, "\n,text\n0,hello\n") == [{"column 1": "0", "text": "hello"}]
    long = "word " * 60_000  # beyond the csv module's own limit
    assert read(path, f"text\n{long}\n") == [{"text": long}]
    assert read(tmp_path / "a.tsv", 'id\ttext\n1\t"Quoted" and "open\n') == [{"id": "1", "text": '"Quoted" and "open'}]


def test_broken_tables_tell_the_line(tmp_path: Path) -> None:
    table, tabs = tmp_path / "a.csv", tmp_path / "a.tsv"
    assert f"{table}:3 has 3 cells where the header names 2" in complaint(table, "a,b\n1,2\n1,2,3\n")
    assert f"{tabs}:2 has 1 cells" in complaint(tabs, "a\tb\nbroken\nrow\tx\n")
    assert "is a quote left open" in complaint(table, 'a,b\n1,"open\n2,x\n')
    for first in ("0,One long string of cliches.", "x,x", f"label,{'so long a sentence ' * 9}"):
        assert "its first line must name the columns" in complaint(table, first + "\n1,two\n")


@pytest.mark.parametrize("name", ["a.parquet", "a.parquet.gz"])
def test_parquet_is_what_pyarrow_reads(name: str, tmp_path: Path) -> None:
    rows = [{"text": f"é {n}", "steps": ["a", "b"] * n, "serves": n if n % 2 else None} for n in range(2500)]
    plain = tmp_path / "plain.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), plain, row_group_size=700)
    content = plain.read_bytes()
    path = tmp_path / name
    assert read(path, gzip.compress(content) if name.endswith(".gz") else content) == rows
    assert next(records.read_records(path, ("text",))) == {"text": "é 0"}
    path.write_bytes((gzip.compress if name.endswith(".gz") else bytes)(content[: len(content) // 2]))
    with pytest.raises(CorpusError, match="truncated or damaged"):
        list(records.read_records(path))


def test_choosing_the_field() -> None:
    def choose(*sample: dict[str, Any], wanted: tuple[str, ...] = ()) -> tuple[str, ...]:
        return records.choose_fields(sample, wanted, "a.csv")

    assert choose({"content": "c", "text": "t"}) == ("text",)
    assert choose({"id": 1, "content": "c", "x": "y"}) == ("content",)
    assert choose({"id": "17", "score": "-1.5e3", "review": "3"}, {"review": "good"}) == ("review",)
    assert choose({"a": 1}, {"a": 2, "b": "late"}) == ("b",)
    assert choose({"a": "x", "b": "y"}, wanted=("b", "a")) == ("b", "a")
    for sample, wanted, words in (
        ({"title": "a", "body": "b"}, (), "set text_field to one or more of title, body"),
        ({"id": 1}, (), "does not say which field"),
        ({"title": "a"}, ("titel",), "did you mean 'title'"),
        ({"0": "a"}, ("text",), "the first line must name the columns"),
        ({}, (), "holds no records"),
    ):
        with pytest.raises(CorpusError, match=words):
            choose(sample, wanted=wanted)


def test_the_text_of_a_record() -> None:
    record = {"title": "Soup", "serves": 4, "none": None, "empty": "", "steps": ["Boil.", None, 2, ["a", "b"]], "x": {}}

    def text(*fields: str) -> str:
        return records.text_of(record, fields, "a.jsonl")

    assert text("title", "serves", "steps") == "Soup\n\n4\n\nBoil.\n2\na\nb"
    assert text("none", "title", "missing", "empty", "serves") == "Soup\n\n4"
    assert text("none") == text("empty") == text("missing") == ""
    assert records.text_of({"a": "x\r\ny"}, ("a",), "") == "x\ny"
    assert records.text_of({"a": json.loads('"half \\ud83d"')}, ("a",), "") == "half \ufffd"
    with pytest.raises(CorpusError, match=r"a.jsonl: the field 'x' is of type dict"):
        text("x")
