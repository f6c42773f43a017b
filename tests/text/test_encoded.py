from __future__ import annotations

import errno
import json
import multiprocessing
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdl.errors import CorpusError
from textdl.text import encoded
from textdl.text.base import Tokenizer, TokenizerConfig
from textdl.text.characters import CharacterTokenizer
from textdl.text.encoded import default_cache, encode_pieces
from textdl.text.tokenizers import train_tokenizer
from textdl.text.utf8 import ByteTokenizer

ABC = CharacterTokenizer(["\n", "a", "b"], escapes=False)  # end 20
PIECES = [("ab\n", False), ("b", True), ("", True), ("aé", True)]


def never() -> Iterator[tuple[str, bool]]:
    raise AssertionError("the pieces were read")
    yield


def test_ids_worked_by_hand() -> None:
    got = encode_pieces(PIECES, ABC)
    assert got.ids.tolist() == [1, 2, 0, 2, 20, 20, 1, 3, 4, 4, 4, 4, 4 + 14, 4 + 9, 20]
    assert (got.characters, got.documents, got.unknown, len(got)) == (6 + 3, 3, 1, 15)
    assert got.ids.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        got.ids[0] = 1


def test_a_document_left_open_is_closed_and_no_pieces_are_no_ids(tmp_path: Path) -> None:
    assert encode_pieces([("a", False)], ABC).ids.tolist() == [1, 20]
    assert len(encode_pieces([], ABC)) == 0
    for _ in range(2):
        empty = encode_pieces([], ABC, cache=tmp_path)
        assert (len(empty), empty.documents, empty.ids.dtype.name) == (0, 0, "uint8")


@given(documents=st.lists(st.lists(st.text("ab\né", max_size=5), min_size=1, max_size=4), max_size=5))
@settings(max_examples=50)
def test_batches_do_not_show(documents: list[list[str]]) -> None:
    pieces = [(text, i == len(d) - 1) for d in documents for i, text in enumerate(d)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded, "BATCH", 7)
        got = encode_pieces(pieces, ABC)
    expected = [id for d in documents for id in [*ABC.encode("".join(d)).tolist(), ABC.end]]
    assert got.ids.tolist() == expected
    assert got.characters == sum(len("".join(d)) + 1 for d in documents)
    assert got.documents == len(documents)
    assert got.unknown == sum("".join(d).count("é") for d in documents)


@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_pieces_cut_at_line_ends_are_as_the_whole(kind: str) -> None:
    text = "It rained.\nWe can't go, they said.\nOh!\n"
    tokenizer = train_tokenizer([text], TokenizerConfig(tokenizer=kind, vocabulary=300))
    lines = text.splitlines(keepends=True)
    got = encode_pieces([(line, line is lines[-1]) for line in lines], tokenizer)
    assert got.ids.tolist() == [*tokenizer.encode(text).tolist(), tokenizer.end]


class Sized(ByteTokenizer):
    """Bytes that claim to have more ids."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size


@pytest.mark.parametrize(
    "size, dtype",
    [(256, np.uint8), (257, np.uint16), (1 << 16, np.uint16), ((1 << 16) + 1, np.uint32)],
)
def test_the_smallest_type_that_holds_the_end(size: int, dtype: type) -> None:
    got = encode_pieces([("a", True)], Sized(size))
    assert got.ids.dtype == dtype
    assert got.ids.tolist() == [97, size - 1]


def test_a_second_call_maps_what_the_first_wrote(tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "cache"
    first = encode_pieces(PIECES, ABC, cache=cache, key="recipes")
    again = encode_pieces(never(), ABC, cache=cache, key="recipes")
    assert isinstance(again.ids, np.memmap)
    assert first.ids.tolist() == again.ids.tolist() == encode_pieces(PIECES, ABC).ids.tolist()
    assert (again.characters, again.documents, again.unknown) == (9, 3, 1)
    with pytest.raises(ValueError, match="read-only"):
        again.ids[0] = 1
    assert sorted(p.suffix for p in cache.iterdir()) == [".ids", ".json"]
    # another key, another tokenizer: other files
    encode_pieces([("a", True)], ABC, cache=cache, key="other")
    encode_pieces([("a", True)], ByteTokenizer(), cache=cache, key="recipes")
    assert len(list(cache.glob("*.ids"))) == 3


def damage(cache: Path, how: str) -> None:
    ids, meta = next(cache.glob("*.ids")), next(cache.glob("*.json"))
    data = json.loads(meta.read_text())
    if how == "a byte":
        ids.write_bytes(b"\x00" + ids.read_bytes()[1:])
    elif how == "cut short":
        ids.write_bytes(ids.read_bytes()[:-1])
    elif how == "not JSON":
        meta.write_text("{")
    elif how == "a list":
        meta.write_text("[]")
    elif how == "a count":
        meta.write_text(json.dumps({**data, "documents": "3"}))
    elif how == "the type":
        meta.write_text(json.dumps({**data, "dtype": "O"}))


@pytest.mark.parametrize("how", ["a byte", "cut short", "not JSON", "a list", "a count", "the type"])
def test_a_damaged_file_is_encoded_again_with_a_warning(how: str, tmp_path: Path) -> None:
    encode_pieces(PIECES, ABC, cache=tmp_path)
    damage(tmp_path, how)
    with pytest.warns(RuntimeWarning, match="damaged; encoding the corpus again"):
        got = encode_pieces(PIECES, ABC, cache=tmp_path)
    assert got.ids.tolist() == encode_pieces(PIECES, ABC).ids.tolist()
    encode_pieces(never(), ABC, cache=tmp_path)


def test_ids_without_their_description_are_encoded_again(tmp_path: Path) -> None:
    encode_pieces(PIECES, ABC, cache=tmp_path)
    next(tmp_path.glob("*.json")).unlink()
    assert len(encode_pieces(PIECES, ABC, cache=tmp_path)) == 15
    next(tmp_path.glob("*.ids")).unlink()
    assert len(encode_pieces(PIECES, ABC, cache=tmp_path)) == 15


def test_progress_counts_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded, "BATCH", 3)
    seen: list[int] = []
    got = encode_pieces([("aaaa", True), ("bb", True), ("a", True)], ABC, progress=seen.append)
    assert seen == [5, 8, 10]
    assert seen[-1] == got.characters


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["fsync", "write"])
def test_a_full_disk(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(encoded, "BATCH", 1)
        opened = Path.open

        def to_full(self: Path, mode: str = "r", **more: Any) -> Any:
            return opened(Path("/dev/full") if mode == "xb" else self, mode.replace("x", "w"), **more)

        monkeypatch.setattr(Path, "open", to_full)
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
    with pytest.raises(CorpusError, match="No space left") as caught:
        encode_pieces([("ab" * 50_000, True)], ABC, cache=tmp_path / "cache")
    assert str(tmp_path / "cache") in str(caught.value)
    assert "TEXTDL_CACHE" in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="TEXTDL_CACHE"):
        encode_pieces(PIECES, ABC, cache=tmp_path / "file")


def test_an_error_of_the_pieces_is_not_the_cache_s_and_leaves_nothing(tmp_path: Path) -> None:
    def pieces() -> Iterator[tuple[str, bool]]:
        yield "a", True
        raise OSError(errno.EIO, "the corpus can not be read")

    with pytest.raises(OSError, match="the corpus can not be read"):
        encode_pieces(pieces(), ABC, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_killed_processes_are_swept(tmp_path: Path) -> None:
    old, young = tmp_path / "old.tmp", tmp_path / "young.tmp"
    old.write_text("")
    young.write_text("")
    os.utime(old, (0, 0))
    encode_pieces(PIECES, ABC, cache=tmp_path)
    assert not old.exists()
    assert young.exists()


def _encode_at_once(cache: str, barrier: Any, answers: Any) -> None:
    def pieces() -> Iterator[tuple[str, bool]]:
        barrier.wait(20)
        yield from PIECES * 1000
        barrier.wait(20)

    answers.put(encode_pieces(pieces(), ABC, cache=Path(cache), key="both").ids.tolist())


def test_two_processes_at_once_both_succeed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(2), context.Queue()
    workers = [context.Process(target=_encode_at_once, args=(str(tmp_path), barrier, answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    got = [answers.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join(30)
    assert got[0] == got[1] == encode_pieces(PIECES * 1000, ABC).ids.tolist()
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".ids", ".json"]


def peak_bytes(pieces: int, tokenizer: Tokenizer, cache: Path | None) -> int:
    tracemalloc.start()
    encode_pieces((("some text of a line\n" * 2000, False) for _ in range(pieces)), tokenizer, cache=cache)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded, "BATCH", 1 << 16)
    small = peak_bytes(20, ByteTokenizer(), tmp_path / "small")
    large = peak_bytes(400, ByteTokenizer(), tmp_path / "large")  # 16 million characters, 32 MB of ids
    assert large < 1.2 * small
    assert large < 4e6
    # in memory: the ids once, with the slack of a growing buffer
    assert peak_bytes(400, ByteTokenizer(), None) < 1.6 * 32e6 + 4e6


@pytest.mark.parametrize(
    "variables, expected",
    [
        ({"TEXTDL_CACHE": "/big/disk", "XDG_CACHE_HOME": "/xdg"}, "/big/disk"),
        ({"TEXTDL_CACHE": "", "XDG_CACHE_HOME": "/xdg"}, "/xdg/textdl"),
        ({"HOME": "/home/ann"}, "/home/ann/.cache/textdl"),
        ({"HOME": "/home/ann", "TEXTDL_CACHE": "~/ids"}, "/home/ann/ids"),
    ],
)
def test_the_default_cache(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEXTDL_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_cache() == Path(expected)
