"""Large corpora: what is kept in a file is what would be in memory, and a damaged file is never believed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from textdl.errors import CorpusError
from textdl.images import storing
from textdl.images.part import Part, Pixels
from textdl.images.storing import Held, gather

RNG = np.random.default_rng(8)
PIXELS = RNG.integers(0, 256, (60, 3, 4, 1), np.uint8)
LABELS = tuple("abc"[n % 3] for n in range(60))


class Reads:
    """A part that counts how often its pixels are read."""

    def __init__(self, mark: str | None = "one") -> None:
        self.count = 0

        def blocks() -> Iterator[Pixels]:
            self.count += 1
            yield PIXELS[:50]
            yield PIXELS[50:]

        self.part = Part("here", LABELS, (("here", (3, 4)),), False, blocks, None if mark is None else lambda: mark)


def thirds(content: bytes) -> str:
    return ("train", "validation", "train")[content[0] % 3]


def gathered(reads: Reads, cache: Path, key: str = "", shape: tuple[int, int, int] = (3, 4, 1)) -> dict[str, Held]:
    return gather({"train": reads.part}, shape, thirds, key, lambda: cache)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "IN_MEMORY", 0)


def same(one: dict[str, Held], other: dict[str, Held]) -> None:
    assert one.keys() == other.keys()
    for split in one:
        np.testing.assert_array_equal(one[split].pixels, other[split].pixels)
        assert one[split].labels == other[split].labels
        assert one[split].sha256 == other[split].sha256


def mapped(array: np.ndarray) -> bool:
    return isinstance(array.base, np.memmap) or (array.base is not None and mapped(array.base))


def test_a_file_holds_what_memory_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads()
    memory = gathered(reads, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    assert set(memory) == {"train", "validation"}
    assert sum(len(held.labels) for held in memory.values()) == 60
    monkeypatch.setattr(storing, "IN_MEMORY", PIXELS.size - 1)
    stored = gathered(reads, tmp_path / "cache")
    same(memory, stored)
    assert reads.count == 2
    again = gathered(reads, tmp_path / "cache")
    same(memory, again)
    assert reads.count == 2, "the second time it is mapped"
    for held in (*stored.values(), *again.values()):
        assert mapped(held.pixels)
    for held in (*memory.values(), *again.values()):
        with pytest.raises(ValueError, match="read-only"):
            held.pixels[0] = 0


@pytest.mark.usefixtures("small")
def test_another_content_key_or_shape_is_another_file(tmp_path: Path) -> None:
    first, second = Reads("one"), Reads("two")
    gathered(first, tmp_path)
    gathered(second, tmp_path)
    assert second.count == 1
    gathered(first, tmp_path, key="other shares")
    assert first.count == 2
    wide = gathered(first, tmp_path, shape=(3, 4, 3))
    assert wide["train"].pixels.shape[1:] == (3, 4, 3)
    memory = Reads(None)
    gathered(memory, tmp_path)
    gathered(memory, tmp_path)
    assert memory.count == 2, "what is in memory anyway is not kept"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("damage", ["byte", "short", "long", "json", "labels", "gone"])
def test_damaged_files_are_read_again(damage: str, tmp_path: Path) -> None:
    reads = Reads()
    wanted = gathered(reads, tmp_path)
    wanted = {split: Held(held.pixels.copy(), held.labels, held.sha256) for split, held in wanted.items()}
    pixels, meta = sorted(tmp_path.glob("*.pixels"))[0], next(tmp_path.glob("*.json"))
    content = pixels.read_bytes()
    pixels.unlink()  # the map of before keeps its own
    if damage == "byte":
        pixels.write_bytes(content[:7] + bytes([content[7] ^ 1]) + content[8:])
    elif damage != "gone":
        pixels.write_bytes({"short": content[:-1], "long": content + b"x"}.get(damage, content))
    if damage == "json":
        meta.write_text(meta.read_text()[:-9])
    if damage == "labels":
        meta.write_text(meta.read_text().replace('["a", "b", "c"]', '["a", "b"]'))
    if damage == "gone":
        found = gathered(reads, tmp_path)
    else:
        with pytest.warns(RuntimeWarning, match="stored pixels are damaged; reading them again"):
            found = gathered(reads, tmp_path)
    assert reads.count == 2
    same(found, wanted)


@pytest.mark.usefixtures("small")
def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def blocks() -> Iterator[Pixels]:
        yield PIXELS[:50]
        raise CorpusError("the last is damaged")

    part = Part("here", LABELS, (("here", (3, 4)),), False, blocks, lambda: "x")
    with pytest.raises(CorpusError, match="the last is damaged"):
        gather({"train": part}, (3, 4, 1), thirds, "", lambda: tmp_path)
    assert list(tmp_path.iterdir()) == []
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(CorpusError, match=r"has room for 100 bytes, and the pixels need 720.*TEXTDL_CACHE"):
        gathered(Reads(), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match=r"can not keep the pixels there.*TEXTDL_CACHE"):
        gathered(Reads(), tmp_path / "file" / "cache")


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_train_is_never_empty(limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "IN_MEMORY", limit)
    held = gather({"train": Reads().part}, (3, 4, 1), lambda _: "test", "", lambda: tmp_path)
    assert held["train"].labels == LABELS
    np.testing.assert_array_equal(held["train"].pixels, PIXELS)
