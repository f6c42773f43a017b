"""idx files, written by hand here: what is in them comes out, and what is wrong with them is said in one line."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from textdl.errors import CorpusError
from textdl.images import part as limits
from textdl.images.idx import idx_splits, labels_beside, looks_like_idx, read_header, read_part, read_values

PIXELS = bytes(range(12))  # two images, 3 high and 2 wide
IMAGES = b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 2) + PIXELS
LABELS = b"\0\0\x08\x01" + struct.pack(">I", 2) + bytes([7, 0])


def pair(folder: Path, images: bytes = IMAGES, labels: bytes = LABELS) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte"
    for path, content in zip(paths, (images, labels), strict=True):
        path.write_bytes(content)
    return paths


def complaint(images: Path, labels: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        list(read_part(images, labels).blocks())
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_bytes_written_by_hand(packed: bool, tmp_path: Path) -> None:
    images, labels = pair(tmp_path, *((gzip.compress(IMAGES), gzip.compress(LABELS)) if packed else ()))
    part = read_part(images, labels)
    assert part.labels == ("7", "0")
    assert (part.sizes[0][1], part.colour, part.span) == ((3, 2), False, (0, 7))
    for _ in range(2):  # from the first at each call
        (block,) = part.blocks()
        assert block[..., 0].tolist() == [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]


def test_values_come_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (50, 4, 5, 3), np.uint8)
    head = b"\0\0\x08\x04" + struct.pack(">4I", *pixels.shape)
    images, labels = pair(tmp_path, head + pixels.tobytes(), b"\0\0\x08\x01" + struct.pack(">I", 50) + bytes(50))
    monkeypatch.setattr(limits, "BLOCK", 4 * 5 * 3 * 7)
    part = read_part(images, labels)
    blocks = list(part.blocks())
    assert [len(block) for block in blocks] == [7] * 7 + [1]
    assert part.colour
    np.testing.assert_array_equal(np.concatenate(blocks), pixels)
    few = read_part(images, labels, limit=10)
    assert len(few) == 10
    np.testing.assert_array_equal(np.concatenate(list(few.blocks())), pixels[:10])


def test_labels_of_other_types(tmp_path: Path) -> None:
    shorts = b"\0\0\x0b\x01" + struct.pack(">I2h", 2, 300, 2)
    assert read_part(*pair(tmp_path, labels=shorts)).labels == ("300", "2")


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_never_read_beyond_what_it_declares(packed: bool, tmp_path: Path) -> None:
    pack = gzip.compress if packed else bytes
    images, labels = pair(tmp_path, pack(IMAGES + b"more"), pack(LABELS))
    said = complaint(images, labels)
    assert str(images) in said
    assert "declares 2 x 3 x 2 values, which are 12 bytes, but" in said
    images, labels = pair(tmp_path, pack(IMAGES[:-1]), pack(LABELS))
    assert "11" in complaint(images, labels)
    assert "it is damaged or cut short" in complaint(images, labels)


def test_a_bomb_is_unpacked_only_up_to_what_it_declares(tmp_path: Path) -> None:
    path = pair(tmp_path, gzip.compress(IMAGES + bytes(5_000_000)))[0]
    header = read_header(path)
    with pytest.raises(CorpusError, match="more follow"):
        list(read_values(path, header))
    opened = []

    class Counting(gzip.GzipFile):
        def read(self, size: int | None = -1) -> bytes:
            opened.append(size)
            return super().read(size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gzip, "open", lambda name, mode: Counting(name, mode))
        with pytest.raises(CorpusError, match="more follow"):
            list(read_values(path, header))
    assert sum(size for size in opened if size) <= len(IMAGES) + 1
    assert all(size is not None and size >= 0 for size in opened)


def test_declared_sizes_are_checked_before_anything_is_made_room_for(tmp_path: Path) -> None:
    huge = b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1)
    assert "declares 79,228,162,458,924,105,385,300,197,375 bytes" in complaint(*pair(tmp_path, huge))
    large = b"\0\0\x08\x03" + struct.pack(">3I", 60000, 280, 280)
    assert "but 0 follow" in complaint(*pair(tmp_path, large))
    assert "packed by gzip can not hold that many" in complaint(*pair(tmp_path, gzip.compress(large)))


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0", b"PK\x03\x04 an archive", b"\0\0\x07\x03" + bytes(12), b"\x01\0\x08\x03" + bytes(12), b"\0\0\x08\0"],
)
def test_wrong_magic_numbers(content: bytes, tmp_path: Path) -> None:
    images, labels = pair(tmp_path, content)
    said = complaint(images, labels)
    assert f"{images} has a wrong magic number (" in said
    images, labels = pair(tmp_path, labels=content)
    assert f"{labels} has a wrong magic number (" in complaint(images, labels)


def test_files_of_another_kind(tmp_path: Path) -> None:
    images, labels = pair(tmp_path, LABELS, LABELS)
    assert f"{images} has the wrong magic number for images: it holds 1 dimensions of uint8" in complaint(
        images, labels
    )
    images, labels = pair(tmp_path, IMAGES, IMAGES)
    assert f"{labels} is an idx file of 3 dimensions, and labels have one" in complaint(images, labels)
    floats = b"\0\0\x0d\x03" + struct.pack(">3I", 2, 3, 2) + bytes(48)
    assert "3 dimensions of float32" in complaint(*pair(tmp_path, floats))
    flat = b"\0\0\x08\x03" + struct.pack(">3I", 2, 0, 2)
    assert "images of 2 x 0 pixels" in complaint(*pair(tmp_path, flat))
    two = b"\0\0\x08\x04" + struct.pack(">4I", 1, 3, 2, 2) + PIXELS
    assert "and 2 channels" in complaint(*pair(tmp_path, two))
    assert "cut short within its head" in complaint(*pair(tmp_path, IMAGES[:9]))


def test_labels_that_do_not_fit(tmp_path: Path) -> None:
    three = b"\0\0\x08\x01" + struct.pack(">I", 3) + bytes(3)
    images, labels = pair(tmp_path, labels=three)
    assert f"{labels} holds 3 labels for 2 images; give the labels of these images" in complaint(images, labels)
    below = b"\0\0\x0b\x01" + struct.pack(">I2h", 2, 4, -2)
    assert "the label of image 2 is -2, out of the range" in complaint(*pair(tmp_path, labels=below))
    above = b"\0\0\x0c\x01" + struct.pack(">I2i", 2, 70_000, 1)
    assert "the label of image 1 is 70000, out of the range" in complaint(*pair(tmp_path, labels=above))
    halves = b"\0\0\x0d\x01" + struct.pack(">I2f", 2, 1.0, 0.5)
    assert "the label of image 2 is 0.5, out of the range of whole numbers" in complaint(*pair(tmp_path, labels=halves))


def test_damaged_gzip(tmp_path: Path) -> None:
    packed = gzip.compress(IMAGES + np.random.default_rng(1).bytes(10_000), mtime=0)
    for content in (packed[: len(packed) // 2], packed[:200] + b"xxxx" + packed[204:], packed[:12]):
        images, labels = pair(tmp_path, content)
        assert str(images) in complaint(images, labels)


def test_files_of_a_folder(tmp_path: Path) -> None:
    images, labels = pair(tmp_path)
    (tmp_path / "t10k-images.idx3-ubyte.gz").write_bytes(gzip.compress(IMAGES))
    with pytest.raises(CorpusError, match=r"no t10k-labels.idx1-ubyte or t10k-labels.idx1-ubyte.gz beside it"):
        idx_splits(tmp_path)
    (tmp_path / "t10k-labels.idx1-ubyte").write_bytes(LABELS)
    (tmp_path / ".hidden-images-idx3-ubyte").write_bytes(b"nothing")
    (tmp_path / "images.txt").write_text("a note")
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(IMAGES))
    assert idx_splits(tmp_path) == {
        "train": (images, labels),
        "test": (tmp_path / "t10k-images.idx3-ubyte.gz", tmp_path / "t10k-labels.idx1-ubyte"),
    }
    (tmp_path / "letters-train-images-idx3-ubyte").write_bytes(IMAGES)
    with pytest.raises(CorpusError, match="two idx files of train"):
        idx_splits(tmp_path)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "t10k-images-idx3-ubyte").write_bytes(IMAGES)
    with pytest.raises(CorpusError, match="no idx file of images to train on, only t10k"):
        idx_splits(alone)
    with pytest.raises(CorpusError, match="is a file of labels; give that of its images"):
        labels_beside(labels)


def test_names_in_capitals(tmp_path: Path) -> None:
    images, labels = tmp_path / "Train-Images-IDX3-ubyte.gz", tmp_path / "Train-Labels-IDX1-ubyte"
    images.write_bytes(gzip.compress(IMAGES))
    labels.write_bytes(LABELS)
    assert idx_splits(tmp_path) == {"train": (images, labels)}
    small, other = pair(tmp_path)
    assert (labels_beside(images), labels_beside(small)) == (labels, other)


def test_what_looks_like_idx(tmp_path: Path) -> None:
    for name, content, wanted in (
        ("a", IMAGES, True),
        ("b", gzip.compress(IMAGES), True),
        ("c-ubyte", b"anything", True),
        ("d", LABELS, False),
        ("e", b"text", False),
        ("f", b"", False),
        ("g", b"\x1f\x8bdamaged", False),
    ):
        (tmp_path / name).write_bytes(content)
        assert looks_like_idx(tmp_path / name) is wanted, name
