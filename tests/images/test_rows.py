"""Images in rows, such as those of the Hub: however an image arrives, it is the same image."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from textdl.errors import CorpusError
from textdl.images.part import Part
from textdl.images.rows import rows_part

PIXELS = np.random.default_rng(2).integers(0, 256, (6, 4, 3), np.uint8)


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def read(rows: Any, limit: int | None = None, revision: str = "r", **fields: str) -> Part:
    part = rows_part(rows, fields.get("image_field"), fields.get("label_field"), "hf:some", revision, limit)
    assert part is not None
    return part


def complaint(rows: Any, **fields: str) -> str:
    with pytest.raises(CorpusError) as caught:
        read(rows, **fields)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pixels(part: Part) -> list[Any]:
    return [block[0, ..., 0].tolist() for block in part.blocks()]


def test_however_an_image_arrives(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(PIXELS[0]))
    forms = (
        Image.fromarray(PIXELS[0]),
        {"bytes": png(PIXELS[0]), "path": None},
        {"bytes": None, "path": str(tmp_path / "a.png")},
        png(PIXELS[0]),
        PIXELS[0],
        PIXELS[0].tolist(),
    )
    part = read([{"image": image, "label": at} for at, image in enumerate(forms)])
    assert pixels(part) == [PIXELS[0].tolist()] * len(forms)
    assert pixels(part) == pixels(part)
    assert part.labels == tuple("012345")
    assert part.sizes == (("hf:some, row 1", (4, 3)),)
    assert not part.colour


@pytest.mark.parametrize("decoded", [True, False])
def test_a_dataset(decoded: bool) -> None:
    kinds = datasets.Features(
        {
            "id": datasets.Value("string"),
            "img": datasets.Image(decode=decoded),
            "fine_label": datasets.ClassLabel(names=["cat", "dog"]),
        }
    )
    rows = [
        {"id": str(n), "img": {"bytes": png(PIXELS[n]), "path": None}, "fine_label": (0, 1, -1)[n % 3]}
        for n in range(6)
    ]
    dataset = datasets.Dataset.from_list(rows, features=kinds)
    part = read(dataset)
    assert part.labels == ("cat", "dog", "cat", "dog"), "-1 is the Hub's word for none"
    assert pixels(part) == [PIXELS[n].tolist() for n in (0, 1, 3, 4)]
    few = read(dataset, limit=3)
    assert few.labels == ("cat", "dog", "cat")
    assert len(pixels(few)) == 3
    assert part.mark is not None
    assert few.mark is not None
    assert part.mark() != few.mark()
    assert rows_part(dataset.filter(lambda row: row["fine_label"] < 0), None, None, "x", "r") is None


def test_fields() -> None:
    rows = [{"scan": PIXELS[n], "kind": "ab"[n % 2], "label": 7} for n in range(4)]
    assert read(rows, image_field="scan", label_field="kind").labels == ("a", "b", "a", "b")
    assert "does not say which field is the image; set image_field (--image-field) to one of scan, kind, label" in (
        complaint(rows)
    )
    assert "has no field 'scam'; did you mean 'scan'?" in complaint(rows, image_field="scam")
    assert "can not be the label too" in complaint(rows, image_field="scan", label_field="scan")
    assert "a row must be a dict" in complaint([(PIXELS[0], 1)])
    assert rows_part([], None, None, "x", "r") is None


def test_rows_that_are_wrong() -> None:
    good = {"image": PIXELS[0], "label": 0}
    for row, words in (
        ({"image": PIXELS[0], "label": -2}, "hf:some, row 2: the label -2 is out of the range from 0 to 65535"),
        ({"image": PIXELS[0], "label": 1.5}, "hf:some, row 2: the label is of type float"),
        ({"image": None, "label": 1}, "hf:some, row 2 has a label but no image"),
        ({"image": b"no picture", "label": 1}, "hf:some, row 2 is no picture"),
        ({"image": png(PIXELS[0])[:50], "label": 1}, "hf:some, row 2 is damaged or cut short"),
        ({"image": 7, "label": 1}, "hf:some, row 2: the image is of type int"),
        ({"image": [[1, 2], [3]], "label": 1}, "hf:some, row 2: the rows of the image are not equally long"),
        ({"image": [[1, 2], [3, 300]], "label": 1}, "hf:some, row 2: image 1 holds 300"),
        ({"image": [1, 2], "label": 1}, "hf:some, row 2 has the shape [1, 2]"),
    ):
        with pytest.raises(CorpusError) as caught:
            pixels(read([good, row]))
        assert words in str(caught.value)


def test_labels_beyond_the_names() -> None:
    class Named(list[Any]):
        features = {"label": datasets.ClassLabel(names=["cat", "dog"])}  # noqa: RUF012

    assert read(Named([{"image": PIXELS[0], "label": 1}])).labels == ("dog",)
    said = complaint(Named([{"image": PIXELS[0], "label": 2}]))
    assert "the label 2 is out of the range from 0 to 1" in said
