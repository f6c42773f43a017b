"""Pictures in folders of classes: all are found once, in turns; what is missing is said with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from textdl.errors import CorpusError
from textdl.images.folders import class_folders, pictures_part


def draw(path: Path, value: int = 0, size: tuple[int, int] = (3, 2), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)
    return path


def names(found: dict, split: str = "train") -> list[tuple[str, str]]:
    return [(path.name, label) for path, label in found[split].files]


def test_classes_in_turns(tmp_path: Path) -> None:
    for at, name in enumerate(("b/1.png", "b/2.jpg", "b/deep/er/3.bmp", "a/x.PNG", "c/1.gif", ".hidden/1.png")):
        draw(tmp_path / name, at)
    draw(tmp_path / "a" / ".hidden.png")
    draw(tmp_path / "b" / ".cache" / "1.png")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("about")
    found = class_folders(tmp_path)
    assert list(found) == ["train"]
    assert names(found) == [("x.PNG", "a"), ("1.png", "b"), ("1.gif", "c"), ("2.jpg", "b"), ("3.bmp", "b")]
    assert found["train"].notes == ()
    part = pictures_part(found["train"], limit=3)
    assert part.labels == ("a", "b", "c")
    assert [block[0, 0, 0, 0] for block in part.blocks()] == [3, 0, 4]
    assert part.sizes == ((str(tmp_path / "a" / "x.PNG"), (2, 3)),)
    assert not part.colour


def test_splits(tmp_path: Path) -> None:
    for name in ("train/a/1.png", "train/b/1.png", "valid/a/1.png", "Test/b/1.png"):
        draw(tmp_path / name)
    found = class_folders(tmp_path)
    assert {split: names(found, split) for split in found} == {
        "train": [("1.png", "a"), ("1.png", "b")],
        "validation": [("1.png", "a")],
        "test": [("1.png", "b")],
    }
    draw(tmp_path / "val" / "a" / "1.png")
    with pytest.raises(CorpusError, match="holds two folders of validation, val and valid; join them"):
        class_folders(tmp_path)


def test_classes_that_are_called_like_splits(tmp_path: Path) -> None:
    for name in ("train/1.png", "plane/1.png", "test/1.png"):
        draw(tmp_path / name)
    assert names(class_folders(tmp_path)) == [("1.png", "plane"), ("1.png", "test"), ("1.png", "train")]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/1.png", "loose.png"):
        draw(tmp_path / name)
    (tmp_path / "a" / "scan.tiff").write_bytes(b"")
    one, two = class_folders(tmp_path)["train"].notes
    assert one == f"1 pictures that lie in {tmp_path} beside the folders of classes are left out"
    assert two.startswith(f"1 files in {tmp_path} are pictures of kinds that are not read")


def test_no_classes(tmp_path: Path) -> None:
    for name in ("flat/cat1.png", "splits/train/1.png", "splits/test/2.png", "half/train/a/1.png", "half/test/2.png"):
        draw(tmp_path / name)
    with pytest.raises(CorpusError) as caught:
        class_folders(tmp_path / "flat")
    assert str(caught.value) == (
        f"{tmp_path / 'flat'} holds pictures (cat1.png) but no folders of classes; put the pictures of each class into "
        "a folder with its name, such as flat/cat/cat1.png"
    )
    with pytest.raises(CorpusError, match=r"train holds pictures .1.png. but no folders of classes"):
        class_folders(tmp_path / "splits")
    half = class_folders(tmp_path / "half")
    assert list(half) == ["train"], "a split without labels is none"
    assert "lie in no folders of classes and are left out" in half["train"].notes[0]
    (tmp_path / "none" / "a").mkdir(parents=True)
    with pytest.raises(CorpusError, match="holds no images; give idx files"):
        class_folders(tmp_path / "none")


def test_sizes_colours_and_damage(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "1.png")
    draw(tmp_path / "b" / "1.png", size=(4, 2), mode="RGB")
    draw(tmp_path / "b" / "2.png", size=(9, 9))
    part = pictures_part(class_folders(tmp_path)["train"])
    assert part.colour
    assert [size for _, size in part.sizes] == [(2, 3), (2, 4)]
    assert part.sizes[1][0] == str(tmp_path / "b" / "1.png")
    shapes = [block.shape for block in part.blocks()]
    assert shapes == [(1, 2, 3, 1), (1, 2, 4, 3), (1, 9, 9, 1)]
    bad = tmp_path / "b" / "3.png"
    bad.write_bytes(b"no picture")
    with pytest.raises(CorpusError, match=r"3.png is no picture"):
        pictures_part(class_folders(tmp_path)["train"])


def test_the_mark_tells_content_and_labels(tmp_path: Path) -> None:
    marks = []
    for folder, label, value in (("one", "a", 1), ("two", "a", 1), ("three", "b", 1), ("four", "a", 2)):
        draw(tmp_path / folder / label / "1.png", value)
        mark = pictures_part(class_folders(tmp_path / folder)["train"]).mark
        assert mark is not None
        marks.append(mark())
    assert marks[0] == marks[1]
    assert len(set(marks)) == 3
