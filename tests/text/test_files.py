"""Reading files: against Python's own reader, whatever the packing, and one line of complaint for what is broken."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textdl.errors import CorpusError
from textdl.text import files

PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def complaint(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        list(files.read_text(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("size", [1, 3, 7, 1 << 20])
def test_text_is_what_python_reads(packing: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two-, three- and four-byte characters and \r\n, cut at every place by small blocks.
    content = "\ufeffé€😀\r\nb\rc\n\u2028d\x0be\n\n".encode() * 3
    path = tmp_path / f"a.txt{packing}"
    path.write_bytes(PACK[packing](content))
    monkeypatch.setattr(files.read_blocks, "__defaults__", (size,))
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig") as peer:
        expected = peer.read()
    assert "".join(files.read_text(path)) == expected
    assert list(files.read_lines(path)) == expected.removesuffix("\n").split("\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(alphabet="ab é\n\r\x0b\u2028", max_size=40))
def test_lines_and_paragraphs_of_any_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert (
        list(files.read_lines(path))
        == io.StringIO(plain, newline="\n").read().removesuffix("\n").split("\n")[: None if plain else 0]
    )
    kept = [line for paragraph in files.read_paragraphs(path) for line in paragraph.split("\n")]
    assert kept == [line for line in plain.split("\n") if line.strip()]


def test_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n\none\ntwo\n \t\n\nthree")
    assert list(files.read_paragraphs(path)) == ["one\ntwo", "three"]


def test_frames_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    for packing in (".gz", ".xz", ".bz2", ".zst"):
        path = tmp_path / f"a.txt{packing}"
        path.write_bytes(PACK[packing](b"one\n") + PACK[packing](b"two\n"))
        assert "".join(files.read_text(path)) == "one\ntwo\n"


@pytest.mark.parametrize("packing", [".gz", ".xz", ".bz2", ".zst"])
def test_truncated_or_damaged(packing: str, tmp_path: Path) -> None:
    whole = PACK[packing]("".join(f"line {n * n}\n" for n in range(2000)).encode())
    path = tmp_path / f"a.txt{packing}"
    for broken in (whole[: len(whole) // 2], whole[:-3], b"plain text", whole[:60] + b"\xff" * 40 + whole[100:]):
        path.write_bytes(broken)
        message = complaint(path)
        assert str(path) in message
        assert "damaged" in message
        assert "again" in message


def test_broken_utf8_tells_line_and_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    before = b"\xef\xbb\xbf" + "é\n".encode() * 10 + b"caf"
    path.write_bytes(before + b"\xe9 \n")
    for size in (1, 4, 1 << 20):
        monkeypatch.setattr(files.read_blocks, "__defaults__", (size,))
        message = complaint(path)
        assert f"{path} line 11 is not UTF-8 (byte 0xe9 at {len(before)})" in message
        assert "iconv -f LATIN1 -t UTF-8 a.txt" in message
    path.write_bytes("é".encode()[:1])  # ends within a character
    assert "line 1" in complaint(path)


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    for content, words in (
        (b"abc\0def", "zero byte at 3"),
        (b"%PDF-1.4 \xff", "PDF"),
        (b"PK\x03\x04...", "zip archive"),
        (gzip.compress(b"a"), ".gz"),
        ("Grüße".encode("utf-16"), "iconv -f UTF-16"),
    ):
        path = tmp_path / "a.txt"
        path.write_bytes(content)
        assert words in complaint(path)


def test_not_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such file" in complaint(tmp_path / "missing.txt")
    assert "directory" in complaint(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as a user to whom nothing is refused
    assert "Permission denied; allow it with chmod +r" in complaint(tmp_path / "a.txt")
    with pytest.raises(CorpusError, match="Permission denied"):
        files.content_digest(tmp_path / "a.txt")


def test_names_tell_kind_and_packing() -> None:
    for name, kind, packing, stem in (
        ("a.txt", "text", "", "a"),
        ("ptb.train.TXT.xz", "text", ".xz", "ptb.train"),
        ("a.jsonl.zst", "json lines", ".zst", "a"),
        ("a.csv", "csv", "", "a"),
        ("train.de.gz", "", ".gz", "train.de"),
        ("notes", "", "", "notes"),
    ):
        path = Path(name)
        assert (files.kind(path), files.packing(path), files.stem(path)) == (kind, packing, stem)


def test_zstandard_that_unpacks_to_much_more_comes_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.zst"
    path.write_bytes(zstandard.compress(b"a" * (40 << 20)))
    assert sum(len(block) for block in files.read_blocks(path)) == 40 << 20
