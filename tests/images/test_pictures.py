"""Pictures as arrays: what Pillow wrote comes back, in every mode; what is not whole is refused with its name."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from textdl.errors import CorpusError
from textdl.images import pictures
from textdl.images.pictures import background, fitted, look_at, read_picture

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (5, 7), np.uint8)
COLOUR = RNG.integers(0, 256, (5, 7, 3), np.uint8)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, kind: int, rows: bytes) -> bytes:
    head = struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def complaint(source: Any, name: str = "a.png") -> str:
    with pytest.raises(CorpusError) as caught:
        read_picture(source, name)
    said = str(caught.value)
    assert said.startswith(name)
    assert "\n" not in said
    return said


def read(source: Any) -> np.ndarray:
    pixels = read_picture(source, "a picture")
    look = look_at(source, "a picture")
    assert pixels.shape == (look.height, look.width, 3 if look.colour else 1), "the head told it before"
    assert pixels.dtype == np.uint8
    return pixels


@pytest.mark.parametrize("form", ["PNG", "BMP", "WEBP", "PPM"])
def test_lossless_pictures_come_back(form: str, tmp_path: Path) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    content = saved(Image.fromarray(COLOUR), form, **options)
    np.testing.assert_array_equal(read(content), COLOUR)
    path = tmp_path / "picture"
    path.write_bytes(content)
    np.testing.assert_array_equal(read(path), COLOUR)
    np.testing.assert_array_equal(read(str(path)), COLOUR)
    if form != "WEBP":  # it knows colours only
        np.testing.assert_array_equal(read(saved(Image.fromarray(GREY), form))[..., 0], GREY)


def test_a_png_written_by_hand() -> None:
    assert read(png(2, 2, 8, 0, b"\0\x01\x02\0\xfe\xff"))[..., 0].tolist() == [[1, 2], [254, 255]]
    assert read(png(9, 1, 1, 0, b"\0\b\x80"))[..., 0].tolist() == [[0, 0, 0, 0, 255, 0, 0, 0, 255]]
    # 16 bits: the nearest of 256 steps, 65535 being 255.
    deep = png(5, 1, 16, 0, b"\0" + struct.pack(">5H", 0, 257, 65535, 32896, 200))
    assert read(deep)[0, :, 0].tolist() == [0, 1, 255, 128, 1]


def test_jpeg_is_near() -> None:
    smooth = np.add.outer(np.arange(16) * 8, np.arange(24) * 4).astype(np.uint8)
    for array in (smooth, np.stack([smooth, smooth // 2, 255 - smooth], -1)):
        back = read(saved(Image.fromarray(array), "JPEG", quality=95))
        wanted = array.reshape(16, 24, -1)
        assert back.shape == wanted.shape
        assert np.abs(back.astype(int) - wanted).mean() < 4
    cmyk = read(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100))
    assert np.abs(cmyk.astype(int) - [255, 0, 0]).max() < 12


def test_palettes() -> None:
    flat = Image.new("P", (2, 1))
    flat.putpalette([10, 20, 30, 200, 100, 0])
    flat.putpixel((1, 0), 1)
    for form in ("PNG", "GIF"):
        assert read(saved(flat, form)).tolist() == [[[10, 20, 30], [200, 100, 0]]]
    flat.putpalette([10, 10, 10, 200, 200, 200])
    assert read(saved(flat, "PNG")).tolist() == [[[10], [200]]], "a palette of greys is grey"


def test_what_is_transparent_lies_on_white() -> None:
    clear = Image.new("RGBA", (3, 1))
    for x, value in enumerate([(255, 0, 0, 255), (0, 0, 0, 0), (0, 0, 255, 51)]):
        clear.putpixel((x, 0), value)
    assert read(saved(clear, "PNG")).tolist() == [[[255, 0, 0], [255, 255, 255], [204, 204, 255]]]
    grey = Image.new("LA", (2, 1))
    grey.putpixel((0, 0), (100, 255))
    assert read(saved(grey, "PNG")).tolist() == [[[100], [255]]]
    marked = Image.new("L", (2, 1))
    marked.putpixel((0, 0), 5)
    assert read(saved(marked, "PNG", transparency=0)).tolist() == [[[5], [255]]]
    flat = Image.new("P", (2, 1))
    flat.putpalette([1, 2, 3, 4, 5, 6])
    flat.putpixel((1, 0), 1)
    assert read(saved(flat, "GIF", transparency=0)).tolist() == [[[255, 255, 255], [4, 5, 6]]]


def test_of_an_animation_the_first_frame() -> None:
    frames = [Image.new("L", (3, 2), value) for value in (9, 99)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (read(content) == 9).all()


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_of_cameras(turn: int) -> None:
    marks = np.zeros((16, 32), np.uint8)
    marks[:8, :8] = 255  # upper left is white
    # What a camera held so would have written, by the definition of the tag (row 0 is ..., column 0 is ...).
    written = {
        1: marks,
        2: marks[:, ::-1],
        3: marks[::-1, ::-1],
        4: marks[::-1],
        5: marks.T,
        6: marks.T[::-1],
        7: marks.T[::-1, ::-1],
        8: marks.T[:, ::-1],
    }[turn]
    exif = Image.Exif()
    exif[0x0112] = turn
    for form in ("JPEG", "PNG", "WEBP"):
        back = read(saved(Image.fromarray(np.ascontiguousarray(written)), form, exif=exif.tobytes()))
        assert back.shape[:2] == (16, 32)
        assert np.abs(back[..., 0].astype(int) - marks).mean() < 8, form


def test_orientation_that_makes_no_sense_is_none() -> None:
    for exif in (b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0"):
        assert read(saved(Image.fromarray(COLOUR), "PNG", exif=exif)).shape == (5, 7, 3)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM"])
def test_cut_short_or_damaged(form: str) -> None:
    content = saved(Image.fromarray(RNG.integers(0, 256, (40, 40, 3), np.uint8)), form)
    for length in (0, 1, 10, len(content) // 3, len(content) * 2 // 3):
        complaint(content[:length], f"cut.{form}")
    complaint(bytes(len(content)))


def test_a_corrupt_png() -> None:
    content = saved(Image.fromarray(RNG.integers(0, 256, (40, 40), np.uint8)), "PNG")
    at = content.index(b"IDAT") + 400
    said = complaint(content[:at] + b"rotten" + content[at + 6 :])
    assert "is damaged or cut short (" in said
    complaint(content[:20] + b"\xff\xff" + content[22:])


def test_bombs_are_refused_by_what_they_declare(monkeypatch: pytest.MonkeyPatch) -> None:
    small = saved(Image.fromarray(GREY), "BMP")

    def never(*_: Any) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr(Image.Image, "load", never)
    for side in (9_000, 12_000, 60_000):
        content = png(side, side, 8, 0, b"")
        assert "pixels" in complaint(content)
        assert "allowed" in complaint(content)
        with pytest.raises(CorpusError, match="allowed"):
            look_at(content, "a bomb")
    monkeypatch.setattr(pictures, "MOST_PIXELS", 34)
    said = complaint(small)
    assert "declares 7 x 5 pixels, and 34 are allowed" in said
    assert "declares 7 x 5 pixels" in complaint(Image.fromarray(GREY))


def test_no_picture(tmp_path: Path) -> None:
    assert "is no picture, or damaged; what is read is PNG, JPEG" in complaint(b"just text")
    tiff = saved(Image.fromarray(GREY), "TIFF")
    assert "is no picture" in complaint(tiff), "decoders that are seldom used are not reached"
    assert "No such file" in complaint(tmp_path / "none.png")
    assert "Is a directory" in complaint(tmp_path)


def test_fitted_by_hand() -> None:
    image = np.full((1, 2, 4, 1), 50, np.uint8)
    image[0, :, 1] = 200
    made = fitted(image, (4, 4, 1))
    assert made.shape == (1, 4, 4, 1)
    middle = [50, 200, 50, 50]
    # Width fits already: nothing is scaled, and the border's median is above and below.
    assert made[0, :, :, 0].tolist() == [[50] * 4, middle, middle, [50] * 4]
    assert background(image[0]).tolist() == [50]


def test_fitted_keeps_proportions_and_channels() -> None:
    red = np.zeros((3, 10, 30, 3), np.uint8)
    red[..., 0] = 255
    red[:, 2:8, 10:20] = (0, 0, 255)
    made = fitted(red, (15, 15, 3))
    blue = (made[..., 2] > 128).sum(axis=(1, 2))
    assert made.shape == (3, 15, 15, 3)
    assert (blue == 15).all(), "a blue field of 10 x 6 becomes one of 5 x 3"
    assert (made[:, :5] == [255, 0, 0]).all()
    assert (made[:, 10:] == [255, 0, 0]).all()
    assert fitted(red[:, :1], (4, 4, 3)).shape == (3, 4, 4, 3), "a long one keeps a pixel of its short side"
    assert fitted(red, (10, 30, 3)) is red


def test_grey_of_colours_is_that_of_pillow() -> None:
    colours = RNG.integers(0, 256, (2, 9, 9, 3), np.uint8)
    wanted = [np.asarray(Image.fromarray(one).convert("L")) for one in colours]
    np.testing.assert_array_equal(fitted(colours, (9, 9, 1))[..., 0], wanted)
    grey = colours[..., :1]
    np.testing.assert_array_equal(fitted(grey, (9, 9, 3)), np.repeat(grey, 3, -1))
