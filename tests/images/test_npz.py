"""Images in npz files and in arrays: equal to what numpy itself reads; no pickle is loaded, no bomb unpacked."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textdl.errors import CorpusError
from textdl.images import part as limits
from textdl.images.arrays import array_part
from textdl.images.npz import npz_parts
from textdl.images.part import Part

RNG = np.random.default_rng(5)
PIXELS = RNG.integers(0, 256, (20, 4, 3), np.uint8)
LABELS = RNG.integers(0, 3, 20)


def save(path: Path, packed: bool = False, **arrays: Any) -> Path:
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    return path


def pixels(part: Part) -> np.ndarray:
    return np.concatenate(list(part.blocks()))


def complaint(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        list(map(pixels, npz_parts(path).values()))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def array_complaint(images: Any, labels: Any = LABELS) -> str:
    with pytest.raises(CorpusError) as caught:
        pixels(array_part(images, labels, "the images"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")],
)
def test_splits(names: tuple[str, ...], packed: bool, tmp_path: Path) -> None:
    arrays = dict(zip(names, (PIXELS[:15], LABELS[:15], PIXELS[15:], LABELS[15:, None]), strict=True))
    parts = npz_parts(save(tmp_path / "a.npz", packed, **arrays, more=np.zeros(3)))
    assert list(parts) == ["train", "test"]
    np.testing.assert_array_equal(pixels(parts["train"])[..., 0], PIXELS[:15])
    np.testing.assert_array_equal(pixels(parts["test"])[..., 0], PIXELS[15:])
    assert parts["train"].labels == tuple(map(str, LABELS[:15]))
    assert parts["test"].labels == tuple(map(str, LABELS[15:]))
    assert parts["train"].span == (0, 2)


def test_validation_of_any_name(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x_train=PIXELS, y_train=LABELS, x_val=PIXELS[:2], y_val=LABELS[:2])
    assert list(npz_parts(path)) == ["train", "validation"]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", "i8", ">i2", "f4", "f8", "?"])
def test_types_and_orders(order: str, dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCK", 200)
    colours = RNG.integers(0, 256, (20, 4, 3, 3))
    values = colours / 255 if "f" in dtype else colours > 127 if dtype == "?" else np.minimum(colours, 255)
    path = save(tmp_path / "a.npz", images=np.asarray(values, dtype=dtype, order=order), labels=LABELS)  # type: ignore[call-overload]
    part = npz_parts(path)["train"]
    wanted = (colours > 127) * 255 if dtype == "?" else colours
    np.testing.assert_array_equal(pixels(part), wanted)
    assert part.colour
    assert bool(part.notes) == ("f" in dtype)
    np.testing.assert_array_equal(pixels(npz_parts(path, limit=7)["train"]), wanted[:7])
    np.testing.assert_array_equal(pixels(array_part(values, LABELS, "x", 7)), wanted[:7])


def test_fractions_become_the_nearest_step() -> None:
    fractions = np.array([0, 0.001, 0.003, 0.999, 1]).reshape(1, 1, 5)
    assert pixels(array_part(fractions, [0], "x")).ravel().tolist() == [0, 0, 1, 255, 255]


def test_labels_that_are_texts(tmp_path: Path) -> None:
    words = np.array(["cat", "dog "] * 10)
    assert npz_parts(save(tmp_path / "a.npz", images=PIXELS, labels=words))["train"].labels == ("cat", "dog") * 10
    assert array_part(PIXELS, words.astype(object), "x").labels == ("cat", "dog") * 10
    assert array_part(PIXELS, list(words), "x").labels == ("cat", "dog") * 10
    assert "the label of image 1 is empty" in array_complaint(PIXELS, [" "] * 20)


class _Trap:
    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('the pickle was run')",))


def test_no_pickle_is_loaded(tmp_path: Path) -> None:
    for arrays in (
        {"images": np.array([_Trap()] * 20, object), "labels": LABELS},
        {"images": PIXELS, "labels": np.array([_Trap()] * 20, object)},
    ):
        said = complaint(save(tmp_path / "a.npz", **arrays))
        assert "is an array of Python objects, and to read it would mean to unpickle it, which runs whatever" in said
        assert "np.savez(file, " in said
    path = tmp_path / "b.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", pickle.dumps(_Trap()))
        archive.writestr("labels.npy", pickle.dumps(_Trap()))
    assert "images is no array of numpy" in complaint(path)
    for head in (
        b"{'descr': '|u1', 'shape': (",
        b"[" * 5000,
        b"\x00",
        b"{'descr': ['x'], 'fortran_order': 0, 'shape': 3}",
    ):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
            archive.writestr("labels.npy", npy((2,)) + bytes(2))
        assert "images is no array of numpy" in complaint(path), head
    path.write_bytes(pickle.dumps(_Trap()))
    assert "is no npz file, or damaged" in complaint(path)


def npy(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"

    def pack(images: bytes) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("images.npy", images)
            archive.writestr("labels.npy", npy((2,)) + bytes(2))
        return path

    # The head declares much, the archive holds little.
    assert "declares the shape [1000000, 1000, 1000]" in complaint(pack(npy((1_000_000, 1000, 1000))))
    # The archive holds more than the head declares.
    said = complaint(pack(npy((2, 3, 4)) + bytes(5_000_000)))
    assert "declares the shape [2, 3, 4] of uint8, but 5,000,000 bytes follow" in said
    # The directory declares too much altogether.
    monkeypatch.setattr(limits, "MOST_BYTES", 1000)
    said = complaint(pack(npy((2, 30, 40)) + bytes(2400)))
    assert "bytes of content, of which 1,000 are allowed" in said
    monkeypatch.undo()
    # The directory says less than is there, or more than can be there.
    content = pack(npy((2, 30, 40)) + bytes(2400)).read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("images.npy").file_size
    for false in (size - 1000, 4_000_000_000):
        path.write_bytes(content.replace(size.to_bytes(4, "little"), false.to_bytes(4, "little")))
        assert "damaged" in complaint(path) or "declares" in complaint(path)


def test_damaged(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", True, images=RNG.integers(0, 256, (20, 40, 30), np.uint8), labels=LABELS)
    content = path.read_bytes()
    for other in (b"", b"PK\x03\x04", content[:500], content[:5000] + b"rotten" + content[5006:]):
        path.write_bytes(other)
        complaint(path)
    stored = save(tmp_path / "b.npz", images=PIXELS, labels=LABELS)
    content = stored.read_bytes()
    at = content.index(PIXELS.tobytes())
    stored.write_bytes(content[:at] + bytes([PIXELS.flat[0] ^ 1]) + content[at + 1 :])
    assert "Bad CRC" in complaint(stored)


def test_other_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert "holds nothing; images are read from x_train and y_train" in complaint(save(path))
    assert "holds a, b; images are read from" in complaint(save(path, a=PIXELS, b=LABELS))
    assert "holds x_test but no y_test" in complaint(save(path, x_train=PIXELS, y_train=LABELS, x_test=PIXELS))
    assert "20 images; give as many as images" in complaint(save(path, images=PIXELS, labels=LABELS[:19]))
    assert "is one number" in complaint(save(path, images=PIXELS, labels=3))
    assert "has the shape [60, 4]" in complaint(save(path, images=PIXELS.reshape(60, 4), labels=LABELS))
    said = complaint(save(path, images=PIXELS, labels=np.eye(20)))
    assert "of one-hot rows give the place of the 1 (argmax)" in said


def test_arrays_that_are_no_images() -> None:
    first = np.zeros((20, 3, 8, 8), np.uint8)
    assert "put the channels last: np.moveaxis(images, 1, -1)" in array_complaint(first)
    assert "has the shape [20, 4, 3, 2]" in array_complaint(np.zeros((20, 4, 3, 2), np.uint8))
    assert "has the shape [20, 0, 3]" in array_complaint(np.zeros((20, 0, 3), np.uint8))
    assert "is an array of complex128" in array_complaint(PIXELS * 1j)
    ragged = [np.zeros((4, 3)), np.zeros((4, 3)), np.zeros((5, 3))]
    said = array_complaint(ragged, [0, 1, 2])
    assert "image 1 has the shape [4, 3] and image 3 [5, 3]; bring them to one size" in said
    for value, kind in ((-1, "i4"), (256, "i4"), (-0.1, "f4"), (1.5, "f4"), (np.nan, "f8"), (np.inf, "f8")):
        wrong = np.zeros((20, 4, 3), kind)
        wrong[7, 1, 1] = value
        said = array_complaint(wrong)
        assert f"image 8 holds {value:g}" in said
        assert ("fractions from 0 to 1" if "f" in kind else "whole numbers from 0 to 255") in said


def test_labels_out_of_range() -> None:
    for label in (-1, 70_000, 0.5, np.nan):
        labels = np.array([0.0] * 19 + [label])
        assert f"the label of image 20 is {label:.1f}, out of the range" in array_complaint(PIXELS, labels)
    assert "19 labels for 20 images" in array_complaint(PIXELS, LABELS[:19])
    assert "19 labels for 20 images" in array_complaint(PIXELS, ["a"] * 19)
