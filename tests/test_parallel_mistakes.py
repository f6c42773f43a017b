"""Parallel texts that are not what they should be: one line says what is wrong, where, and what to do."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from textdl.errors import ConfigError, CorpusError
from textdl.parallel import Pair, ParallelConfig, open_parallel
from textdl.text import zipped
from textdl.text.files import count_lines

from .pairs_on_disk import archive, lines, table, train, write

PAIRS = [Pair(f"text {n}", f"ñ {n}") for n in range(400)]
ROWS = [{"en": source, "es": target} for source, target in PAIRS]


def read_all(source: Any, config: ParallelConfig) -> None:
    corpus = open_parallel(source, config)
    for split in corpus.splits:
        list(corpus.pairs(split))


def complaint(source: Any, /, **settings: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        read_all(source, ParallelConfig(**settings))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    two = {"source": "a.en", "target": "b.de"}
    write(tmp_path / "a.en", "1\n2\n3")
    write(tmp_path / "b.de", "1\n2\n3\n4\n5\n")
    assert "a.en ends at line 3 where " in complaint(tmp_path, **two)
    assert "b.de has 5 lines (2 more)" in complaint(tmp_path, **two)
    write(tmp_path / "b.de", "1\n2")
    assert "b.de ends at line 2 where " in complaint(tmp_path, **two)
    write(tmp_path / "b.de", "1\n2\n3")
    assert "are identical" in complaint(tmp_path, **two)
    assert "can not be both source and target" in complaint(tmp_path, source="a.en", target="./a.en")
    assert "no file 'b.dee'; did you mean 'b.de'" in complaint(tmp_path, source="a.en", target="b.dee")
    assert "a.jsonl holds json lines, not lines of text" in complaint(
        tmp_path, source="a.en", target=str(write(tmp_path / "a.jsonl", ROWS))
    )
    # A second split is looked at before anything is learned of the first; with a limit when it is read.
    for name, content in {"train.x": "a\nb", "train.y": "c\nd", "test.x": "a\nb", "test.y": "c\n"}.items():
        write(tmp_path / "f" / name, content)
    with pytest.raises(CorpusError, match=r"test.y ends at line 1 where .*test.x has 2 lines"):
        open_parallel(tmp_path / "f", ParallelConfig(source="x", target="y"))
    limited = open_parallel(tmp_path / "f", ParallelConfig(source="x", target="y", limit=1))
    assert list(limited.pairs("test")) == [("a", "c")]
    limited = open_parallel(tmp_path / "f", ParallelConfig(source="x", target="y", limit=2))
    with pytest.raises(CorpusError, match=r"test.y ends at line 1 where"):
        list(limited.pairs("test"))


def test_a_file_for_the_other_side_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "train.de", "eins")
    path = write(tmp_path / "train.en", "one")
    assert "train.en:1 has no tab, and there is no file 'train.dee'; did you mean 'train.de'" in complaint(
        path, target="train.dee"
    )
    assert "of two files give one as --source and the other as --target" in complaint(path)


def test_text_that_is_no_utf8(tmp_path: Path) -> None:
    write(tmp_path / "a.en", "one\ntwo\nthree\n")
    write(tmp_path / "a.de", b"eins\nzwei\nf\xfcnf\n")
    assert "a.de line 3 is not UTF-8 (byte 0xfc" in complaint(tmp_path, source="en", target="de")
    assert "b.tsv line 2 is not UTF-8" in complaint(write(tmp_path / "b.tsv", b"a\tb\nf\xfcnf\t5\n"))


@pytest.mark.parametrize(
    "content, settings, said",
    [
        ("a\tb\nc\n", {}, "a.tsv:2 has no tab, so one column, and column 2 is wanted"),
        ("a\tb\tc\n\na\tb\n", {"target": "3"}, "a.tsv:3 has 2 columns, and column 3 is wanted"),
        ("a\tb\n", {"source": "3"}, "a.tsv:1 has 2 columns, and column 3 is wanted"),
        ("a\tb\n", {"source": "0"}, "columns are counted from 1, got 0"),
        ("a\tb\n", {"source": "01", "target": "1"}, "column 1 can not be both"),
        ("en\tes\na\tb\n", {"source": "fr"}, "has no field 'fr'; known: en, es"),
        ("en\tes\na\tb\n", {"source": "3"}, "has 2 columns (en, es), none has the number 3"),
        ("\nno tab here\n", {}, "a.tsv:2 has no tab, and pairs in one file are source, tab, target"),
    ],
)
def test_tables_that_are_none(content: str, settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert said in complaint(write(tmp_path / "a.tsv", content), **settings)


def test_wrong_fields(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl", [{"left": "a", "right": "b", "middle": {"en": "c", "es": "d"}, "other": {"en": "e"}}]
    )
    assert "does not say which fields are source and target" in complaint(path)
    assert "two of left, right, middle.en, middle.es, other.en" in complaint(path)
    assert "no field 'lift'; did you mean 'left' known: left, right" in complaint(
        path, source="lift", target="right"
    ).replace("?", "")
    assert "several fields 'en'; write middle.en or other.en" in complaint(path, source="en", target="es")
    assert "can not be both source and target" in complaint(path, source="es", target="middle.es")
    assert "has records without fields" in complaint([{}])
    assert "is not JSON" in complaint(write(tmp_path / "b.jsonl", "{"))
    tables = [{"source": "a", "target": "b"}] * 200 + [{"source": "a", "target": {"x": "y"}}]
    assert "the field 'target' is a table, not text" in complaint(tables, validation=0, test=0)
    assert "there is no corpus, file or folder 'recipez'; did you mean 'recipes'" in complaint("recipez")
    assert "imaginary" in complaint(tmp_path / "imaginary.tsv")


@pytest.mark.parametrize(
    "settings",
    [
        {"source": "a", "target": "a"},
        {"source": ""},
        {"text_field": ("a",)},
        {"documents": "line"},
        {"validation": 0.99},
    ],
)
def test_settings_that_can_not_be(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ParallelConfig(**settings)


# Archives


def test_archives_that_can_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "a.zip", **{"a.txt": table(PAIRS)})
    whole = path.read_bytes()
    for broken in (whole[:100], whole[: len(whole) // 2], b"PK\x03\x04" + b"\0" * 100):
        path.write_bytes(broken)
        assert "a.zip is truncated or damaged as a .zip file" in complaint(path)
    at = whole.index(b"a.txt") + 100
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    assert "a.zip" in complaint(path)
    # The bit for encryption stands in both headers of the member.
    secret = bytearray(whole)
    secret[6] |= 1
    secret[whole.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(secret))
    assert "a.zip is encrypted; unpack it with its password" in complaint(path)
    strange = bytearray(whole)
    strange[8] = strange[whole.rindex(b"PK\x01\x02") + 10] = 98
    path.write_bytes(bytes(strange))
    assert "a.zip can not be unpacked" in complaint(path)
    later = bytearray(whole)
    later[whole.rindex(b"PK\x01\x02") + 6] = 101  # the version of the format that is needed
    path.write_bytes(bytes(later))
    assert "a.zip can not be unpacked (zip file version 10.1)" in complaint(path)
    path.write_bytes(whole)
    monkeypatch.setattr(zipped, "MOST_UNPACKED", 100)
    assert "a.zip unpacks to" in complaint(path)
    assert "of which 100 are allowed" in complaint(path)


def test_an_archive_holds_one_text(tmp_path: Path) -> None:
    two = archive(tmp_path / "two.zip", **{"a.en": lines(0, PAIRS), "a.es": lines(1, PAIRS)})
    assert "holds 2 files of text (a.en, a.es), and one is read from an archive; unpack it" in complaint(two).replace(
        "(a.es, a.en)", "(a.en, a.es)"
    )
    assert "holds no file of text" in complaint(
        archive(tmp_path / "none.zip", **{"__MACOSX/a.txt": "x", "README": "y"})
    )
    notes = archive(tmp_path / "notes.zip", **{"a.txt": table(PAIRS), "notes.txt": "short", "a.png": b"\0" * 99999})
    assert train(notes) == PAIRS


def test_nothing_is_unpacked_to_the_disk_or_kept_in_memory(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.txt", "w") as member:
        for _ in range(60):
            member.write(b"one two three\tun deux trois\n" * 40_000)
    path = write(tmp_path / "a.zip", out.getvalue())
    tracemalloc.start()
    try:
        corpus = open_parallel(path, ParallelConfig(limit=100_000, validation=0, test=0))
        assert sum(1 for _ in corpus.pairs("train")) == 100_000
        assert count_lines(path) == 2_400_000
        assert tracemalloc.get_traced_memory()[1] < 15 << 20, "where the text has 67 MB"
    finally:
        tracemalloc.stop()
    assert [found.name for found in tmp_path.iterdir()] == ["a.zip"]
