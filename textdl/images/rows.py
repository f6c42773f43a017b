"""Images in rows: those of a dataset of the Hub, or of anything else whose rows are dicts.

An image is a picture of Pillow, ``{"bytes": the file}``, ``{"path": ...}``, or an array [H, W] or [H, W, C].
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CorpusError, near
from .arrays import as_pixels, shape_of_images
from .part import LARGEST_LABEL, Part, Pixels, Sizes
from .pictures import Look, look_at, read_picture

#: Fields that hold the image or the label where nothing else is said, the first that there is.
IMAGE_FIELDS = ("image", "img", "picture", "pixels", "png", "jpg")
LABEL_FIELDS = ("label", "labels", "class", "category", "fine_label", "coarse_label", "target", "digit", "cls")


def rows_part(
    rows: Iterable[Any],
    image_field: str | None,
    label_field: str | None,
    where: str,
    revision: str,
    limit: int | None = None,
) -> Part | None:
    """The images of some rows that can be gone through again and again; None where no row has a label.

    Args:
        rows: dicts; a dataset of the package ``datasets`` is asked for undecoded pictures, so that their size is
            known before they are unpacked. Whole numbers that it has names for become these; a label of -1 (the Hub's
            "none") or None leaves its row out.
        revision: names the content, for the cache.

    Raises:
        CorpusError: there is no such field; an image can not be read; a label is out of range.
    """
    first = next(iter(rows), None)
    if first is None:
        return None
    if not isinstance(first, Mapping):
        raise CorpusError(f"{where}: a row must be a dict of an image and a label, got {type(first).__name__}")
    image = _field(tuple(first), image_field, IMAGE_FIELDS, "image", where)
    label = _field(tuple(first), label_field, LABEL_FIELDS, "label", where)
    if image == label:
        raise CorpusError(f"{where}: the field {image!r} is the image and can not be the label too; choose another")
    reading = _Labelled(_undecoded(rows, image, label), image, label, _names(rows, label), where, limit)
    labels: list[str] = []
    sizes: dict[tuple[int, int], str] = {}
    colour = False
    for name, value, text in reading:
        look = _look(value, name)
        labels.append(text)
        colour = colour or look.colour
        if len(sizes) < 2:
            sizes.setdefault((look.height, look.width), name)

    def blocks() -> Iterator[Pixels]:
        for name, value, _ in reading:
            yield _read(value, name)[None]

    found: Sizes = tuple((name, size) for size, name in sizes.items())
    mark: Callable[[], str] | None = (lambda: f"rows {revision} {image} {label} {limit}") if revision else None
    return Part(where, tuple(labels), found, colour, blocks, mark) if labels else None


@dataclass(frozen=True)
class _Labelled:
    """``(name, image, label)`` of each row that has a label, up to a limit, from the first at each call."""

    rows: Iterable[Mapping[str, Any]]
    image: str
    label: str
    names: tuple[str, ...]
    where: str
    limit: int | None

    def __iter__(self) -> Iterator[tuple[str, Any, str]]:
        return itertools.islice(self._all(), self.limit)

    def _all(self) -> Iterator[tuple[str, Any, str]]:
        for number, row in enumerate(self.rows, 1):
            name = f"{self.where}, row {number}"
            text = _label(row.get(self.label), self.names, name)
            if text is not None:
                yield name, _source(row.get(self.image), name), text


def _field(there: tuple[str, ...], wanted: str | None, usual: tuple[str, ...], what: str, where: str) -> str:
    if wanted:
        if wanted not in there:
            raise CorpusError(f"{where} has no field {wanted!r}; {near(wanted, there)}")
        return wanted
    found = next((name for name in usual if name in there), None)
    if found is None:
        raise CorpusError(
            f"{where} does not say which field is the {what}; set {what}_field (--{what}-field) to one of "
            + ", ".join(there)
        )
    return found


def _undecoded(rows: Any, image: str, label: str) -> Iterable[Any]:
    """Of a dataset of the Hub only the two columns, the pictures as the bytes of their files."""
    if not hasattr(rows, "select_columns"):
        return rows  # type: ignore[no-any-return]
    chosen = rows.select_columns([image, label])
    feature: Any = (getattr(rows, "features", None) or {}).get(image)
    if type(feature).__name__ == "Image":
        chosen = chosen.cast_column(image, type(feature)(decode=False))
    return chosen  # type: ignore[no-any-return]


def _names(rows: Any, label: str) -> tuple[str, ...]:
    """The names that a dataset of the Hub has for the whole numbers of a field."""
    return tuple(getattr((getattr(rows, "features", None) or {}).get(label), "names", None) or ())


def _label(value: Any, names: tuple[str, ...], name: str) -> str | None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return value.strip() or None
    if value is None or value == -1:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    most = len(names) - 1 if names else LARGEST_LABEL
    if not isinstance(value, int):
        raise CorpusError(
            f"{name}: the label is of type {type(value).__name__}, not a whole number or text; choose another "
            "label_field"
        )
    if not 0 <= value <= most:
        raise CorpusError(f"{name}: the label {value} is out of the range from 0 to {most}; mend the labels")
    return names[value] if names else str(value)


def _source(value: Any, name: str) -> Any:
    """A picture of Pillow, the bytes of a file, its path, or an array."""
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None:
        raise CorpusError(f"{name} has a label but no image; take the row out")
    if isinstance(value, (bytes, bytearray, str, Path)) or hasattr(value, "getexif"):
        return value
    if isinstance(value, (np.ndarray, list)):
        return _array(value, name)
    raise CorpusError(f"{name}: the image is of type {type(value).__name__}, no picture; choose another image_field")


def _array(value: Any, name: str) -> Pixels:
    try:
        values = np.asarray(value)
    except ValueError:
        raise CorpusError(f"{name}: the rows of the image are not equally long; mend it, or take it out") from None
    if values.dtype.kind == "i" and isinstance(value, list):
        values = values.astype(np.int64)
    _, height, width, channels = shape_of_images((1, *values.shape), values.dtype, name)
    return as_pixels(values[None], name).reshape(height, width, channels)


def _look(value: Any, name: str) -> Look:
    if isinstance(value, np.ndarray):
        return Look(value.shape[0], value.shape[1], value.shape[2] == 3)
    return look_at(value, name)


def _read(value: Any, name: str) -> Pixels:
    return value if isinstance(value, np.ndarray) else read_picture(value, name)
