"""The contact sheet: every image is on it, unchanged but for its size, and has its caption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from textdl.errors import ConfigError, RunError
from textdl.images.sheet import _font, _wrapped, contact_sheet

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 6, 8, 1), np.uint8)


def sheet(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def places(page: np.ndarray, image: np.ndarray) -> list[tuple[int, int]]:
    """Where an enlarged image lies on a page, found by looking everywhere."""
    high, wide = image.shape[:2]
    corner = (page[: -high + 1, : -wide + 1] == image[0, 0]).all(-1)
    return [(y, x) for y, x in np.argwhere(corner) if (page[y : y + high, x : x + wide] == image).all()]


def enlarged(image: np.ndarray, times: int) -> np.ndarray:
    colours = np.repeat(image, 3, -1) if image.shape[-1] == 1 else image
    return np.repeat(np.repeat(colours, times, 0), times, 1)


def test_every_image_in_order(tmp_path: Path) -> None:
    contact_sheet(tmp_path / "a.png", IMAGES, [f"image {n}" for n in range(7)], columns=3, title="Worst mistakes")
    page = sheet(tmp_path / "a.png")
    found = [places(page, enlarged(image, 12)) for image in IMAGES]
    assert all(len(some) == 1 for some in found)
    flat = [some[0] for some in found]
    assert flat == sorted(flat), "row by row"
    assert len({y for y, _ in flat}) == 3
    assert len({x for _, x in flat}) == 3


def test_captions_lie_below_and_title_above(tmp_path: Path) -> None:
    contact_sheet(tmp_path / "bare.png", IMAGES[:2])
    contact_sheet(tmp_path / "a.png", IMAGES[:2], ["three, read as 5 (0.98)", "x"], title="A title")
    page, bare = sheet(tmp_path / "a.png"), sheet(tmp_path / "bare.png")
    (y, x), *_ = places(page, enlarged(IMAGES[0], 12))
    assert page.shape[0] > bare.shape[0]
    below = page[y + 6 * 12 + 1 :, x - 1 : x + 96]
    assert (below < 128).any(), "ink"
    assert (page[: y - 2] < 128).any()
    assert not (bare[: places(bare, enlarged(IMAGES[0], 12))[0][0] - 2] < 128).any()


def test_colours_and_large_images(tmp_path: Path) -> None:
    colours = np.zeros((2, 500, 250, 3), np.uint8)
    colours[..., 2] = 255
    contact_sheet(tmp_path / "a.png", colours)
    page = sheet(tmp_path / "a.png")
    blue = (page == [0, 0, 255]).all(-1)
    assert blue.sum() == 2 * 224 * 112


def test_captions_are_wrapped() -> None:
    font = _font(14)
    text = "a caption of several words that is too long for three lines of this width by far and goes on"
    lines = _wrapped(text, font, 100)
    assert len(lines) == 3
    assert all(font.getlength(line) <= 100 for line in lines)
    assert lines[-1].endswith("…")
    assert text.startswith(" ".join(lines)[:-1])
    assert _wrapped("two words", font, 100) == ["two words"]
    assert "".join(_wrapped("w" * 20, font, 100)) == "w" * 20
    assert len(_wrapped("w" * 20, font, 100)) > 1
    assert _wrapped("", font, 100) == []
    assert len(_wrapped("www", font, 1)) == 3, "however narrow, it ends"


def test_letters_of_other_languages_are_drawn() -> None:
    font = _font(14)
    missing = font.getmask("\U0010ffff").getbbox(), bytes(font.getmask("\U0010ffff"))
    for letter in "éßñΩжłçő":
        assert (font.getmask(letter).getbbox(), bytes(font.getmask(letter))) != missing, letter


def test_mistakes(tmp_path: Path) -> None:
    for images, more, words in (
        (IMAGES[:0], {}, "1 to 1000 images"),
        (IMAGES[..., 0], {}, "1 to 1000 images"),
        (np.zeros((1001, 1, 1, 1), np.uint8), {}, "1 to 1000 images"),
        (IMAGES, {"captions": ["one"]}, "one an image .7. or none, got 1"),
        (IMAGES, {"columns": 0}, "columns must be at least 1"),
    ):
        with pytest.raises(ConfigError, match=words):
            contact_sheet(tmp_path / "a.png", images, **more)
    assert not list(tmp_path.iterdir())
    with pytest.raises(RunError, match="none"):
        contact_sheet(tmp_path / "none" / "a.png", IMAGES)
