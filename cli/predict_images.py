"""``textdl predict RUN FILE...`` of a run of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from .predict import every_cell, every_class, one_line
from .runs import run_of

BATCH = 256  # pictures that are judged at once
VALUES = 1 << 24  # of them together, at most


class Picture(NamedTuple):
    """One that is judged, [H, W, C]: its file; where that holds many, its number from 1, and of an npz the array."""

    file: str
    pixels: NDArray[np.uint8]
    number: int = 0
    array: str = ""

    @property
    def name(self) -> str:
        """The file, behind colons the array and the number."""
        return ":".join(str(part) for part in (self.file, self.array, self.number) if part)


def predict_images(
    run: Path, files: Sequence[str], file: str | None, device: str, best: bool, every: bool, as_json: bool
) -> None:
    """Print label and probability of each picture; a file that can not be read ends it, after those before it."""
    from textdl.errors import CorpusError

    if file == "-":
        raise CorpusError("pictures are not read from standard input; give their files")
    loaded = run_of("images", run, device, best)
    at_once = max(1, min(BATCH, VALUES // int(np.prod(loaded.shape))))
    waiting: list[Picture] = []
    try:
        for picture in _pictures([*files, *([file] if file is not None else [])], loaded):
            waiting.append(picture)
            if len(waiting) == at_once:
                told, waiting = waiting, []
                _tell(loaded, told, every, as_json)
    except CorpusError:  # what was read before it is judged
        _tell(loaded, waiting, every, as_json)
        raise
    _tell(loaded, waiting, every, as_json)


def _tell(loaded: Any, pictures: list[Picture], every: bool, as_json: bool) -> None:
    """Print a line of each picture."""
    import json

    if not pictures:
        return
    rows = loaded.probabilities(np.stack([picture.pixels for picture in pictures]))
    for picture, row in zip(pictures, rows, strict=True):
        place = int(row.argmax())
        label, sure = loaded.labels[place], float(row[place])
        if as_json:
            record: dict[str, Any] = {"file": picture.file}
            record |= {"array": picture.array} if picture.array else {}
            record |= {"image": picture.number} if picture.number else {}
            record |= {"label": label, "probability": round(sure, 6)}
            if every:
                record["probabilities"] = every_class(loaded.labels, row)
            # a file name that is not UTF-8 is escaped, as JSON does it
            typer.echo(json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())
            continue
        cells = [picture.name, label, f"{sure:.4f}"]
        if every:
            cells.append(every_cell(loaded.labels, row))
        typer.echo("\t".join(map(one_line, cells)))


def _pictures(files: Sequence[str], loaded: Any) -> Iterator[Picture]:
    """The pictures of files and folders in the shape of a run; those of another size are told of once."""
    from textdl.images.pictures import fitted

    shape = loaded.shape
    noted = False
    for picture in _read(files):
        pixels = picture.pixels
        if not noted and pixels.shape[:2] != shape[:2]:
            noted = True
            typer.echo(
                f"note: {one_line(picture.name)} is of {pixels.shape[1]} x {pixels.shape[0]} pixels; it is scaled to "
                f"fit into the {shape[1]} x {shape[0]} of the run, as all others of another size are",
                err=True,
            )
        yield picture._replace(pixels=fitted(pixels[None], shape)[0])


def _read(files: Sequence[str]) -> Iterator[Picture]:
    """Each picture as it lies."""
    from textdl.image_corpus import read_image
    from textdl.images.folders import pictures_in
    from textdl.images.idx import idx_images, looks_like_idx
    from textdl.images.npz import npz_images
    from textdl.images.pictures import ENDINGS

    for file in files:
        path = Path(file).expanduser()
        if path.is_dir():
            for one in pictures_in(path):
                yield Picture(str(one), read_image(one))
        elif path.suffix.lower() == ".npz":
            numbers: dict[str, int] = {}
            for name, block in npz_images(path):
                for image in block:
                    numbers[name] = numbers.get(name, 0) + 1
                    yield Picture(file, image, numbers[name], name)
        elif path.suffix.lower() not in ENDINGS and path.is_file() and looks_like_idx(path):
            images = chain.from_iterable(idx_images(path))
            for number, image in enumerate(images, 1):
                yield Picture(file, image, number)
        else:
            yield Picture(file, read_image(path))
