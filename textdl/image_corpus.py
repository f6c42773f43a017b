"""Opening images with labels: idx files, pictures in folders of classes, npz, datasets of the Hub, arrays.

:func:`open_images` brings all images to one shape and keeps them as whole numbers from 0 to 255: in memory, or where
they are more than 256 MB, in files under ``TEXTDL_CACHE`` that are mapped into it. What reads each form is in
``textdl/images/``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .config import check, check_shares, knob
from .corpus import Card
from .errors import ConfigError, CorpusError, near
from .images.arrays import array_part
from .images.folders import class_folders, pictures_part
from .images.idx import idx_splits, labels_beside, looks_like_idx, read_part
from .images.npz import npz_parts
from .images.part import Part
from .images.part import Pixels as Pixels
from .images.pictures import ENDINGS, fitted, read_picture
from .images.rows import rows_part
from .images.storing import Held, gather
from .text.card import is_card, read_card
from .text.dividing import deal
from .text.encoded import default_cache
from .text.folders import SPLITS, split_called
from .text.hub import HubDataset, is_saved, load_from_hub, load_saved
from .text.labels import in_order

#: What a card names as its train when the pixels are those of scikit-learn's ``load_digits``.
DIGITS = "scikit-learn:load_digits"
CHANNELS = ("auto", "grey", "colour")
_FORMS = (
    "give idx files (train-images-idx3-ubyte, gz too), a folder with a folder of pictures for each class, an npz of "
    "x_train and y_train, hf:NAME, or the built-in corpus digits"
)


@dataclass(frozen=True)
class ImagesConfig:
    """How images are read and split; ``limit`` is of the whole, or of each split where the corpus has its own."""

    image_field: str | None = knob(None, "Field that holds the image in a hf: dataset (default: image, img, ...).")
    label_field: str | None = knob(None, "Field that holds the label in a hf: dataset (default: label, class, ...).")
    size: int | None = knob(
        None,
        "Side in pixels that images are brought to, undistorted, with background around them (default: as they are).",
        least=1,
        most=4096,
    )
    channels: str = knob(
        "auto", "Whether images are kept in grey or in colour (auto: in colour if any has colours).", choices=CHANNELS
    )
    limit: int | None = knob(None, "Read the first N images only.", least=1)
    validation: float = knob(
        0.05, "Share held out for validation where the corpus has no such split.", least=0, most=0.9
    )
    test: float = knob(0.05, "Share held out for testing where the corpus has no such split.", least=0, most=0.9)

    def __post_init__(self) -> None:
        check(self)
        check_shares(self)


class Images(NamedTuple):
    """Images of one split: pixels [N, H, W, C], read-only; labels [N], places in ``ImageCorpus.labels``, -1 where the
    label is none of these.
    """

    pixels: Pixels
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageCorpus:
    """Images with one label each, in the splits train, validation and test (and others that the corpus brings).

    Splits that it does not bring are held out of train: each image goes where the hash of its pixels says, so equal
    images never straddle splits, and neither order nor growth of the corpus moves one. Where too little is there a
    held-out split is empty; train never is.

    Attributes:
        name: what it is called.
        card: what is known of it.
        labels: the sorted distinct labels of train; numbers in order of number.
        shape: H, W, C of every image.
        own_splits: the splits that the corpus brings.
        notes: what people should know of how it was read, a line each.
    """

    name: str
    card: Card
    labels: tuple[str, ...]
    shape: tuple[int, int, int]
    own_splits: tuple[str, ...]
    notes: tuple[str, ...]
    _held: Mapping[str, Held] = field(repr=False)
    _known: dict[str, Images] = field(default_factory=dict, repr=False, compare=False)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        return SPLITS + tuple(name for name in self.own_splits if name not in SPLITS)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the pixels, the labels and the splits: the same in whatever form the images lie."""
        told = [[split, held.sha256, list(held.labels)] for split, held in sorted(self._held.items()) if held.labels]
        return hashlib.sha256(json.dumps([1, list(self.shape), told]).encode()).hexdigest()

    def images(self, split: str) -> Images:
        """The images of a split with their labels; the same arrays at each call.

        Raises:
            CorpusError: there is no such split.
        """
        if split not in self.splits:
            raise CorpusError(f"the corpus {self.name} has no split {split!r}; {near(split, self.splits)}")
        if split not in self._known:
            held = self._held.get(split)
            places = {label: place for place, label in enumerate(self.labels)}
            labels = np.array([places.get(label, -1) for label in held.labels] if held else [], np.int64)
            labels.flags.writeable = False
            pixels = held.pixels if held else np.empty((0, *self.shape), np.uint8)
            self._known[split] = Images(pixels, labels)
        return self._known[split]


def open_images(source: Any, config: ImagesConfig = ImagesConfig(), least: int = 2) -> ImageCorpus:
    """Open a corpus of images with labels.

    Args:
        source: the name of a built-in corpus (``digits``); a folder with idx files as they lie, or the path of one
            file of images beside which its labels lie; a folder with a folder of pictures for each class, or
            ``train/CLASS/...`` and ``test/CLASS/...``; an npz file; ``hf:NAME`` or ``hf:NAME:CONFIG``; or from Python
            ``(pixels, labels)``, or such by split, ``{"train": (pixels, labels), "test": ...}``. An ImageCorpus is
            returned as it is.
        config: how to read and split it.
        least: different labels that there must be: two to learn from.

    A test or validation split that the corpus brings is taken as it is.

    Raises:
        CorpusError: it can not be found or read; images differ in size and no size was given; labels are out of range
            or too few.
    """
    if isinstance(source, ImageCorpus):
        return source
    card, parts = _found(source, config)
    if "train" not in parts:
        raise CorpusError(f"{card.name} has no split 'train', only {', '.join(parts) or 'nothing'}; add one")
    parts = {split: parts[split] for split in (*SPLITS, *parts) if split in parts}
    empty = next((part for part in parts.values() if not len(part)), None)
    if empty is not None:
        raise CorpusError(f"{empty.where} holds no images; give some, or take it out")
    _check_span(parts)
    shape = _shape(parts, config)
    shares = {"test": config.test, "validation": config.validation}
    shares = {split: share for split, share in shares.items() if share and split not in parts}
    held = gather(parts, shape, lambda content: deal(content.hex(), shares), json.dumps(shares), default_cache)
    labels = tuple(sorted(set(held["train"].labels), key=in_order))
    _check_text(labels, card.name)
    if len(labels) < least:
        read = f" in its first {config.limit} images" if config.limit else ""
        raise CorpusError(f"{card.name} has one class only{read}, {labels[0]!r}; a classifier needs two")
    notes = tuple(dict.fromkeys(note for part in parts.values() for note in part.notes))
    return ImageCorpus(card.name, card, labels, shape, tuple(parts), notes, held)


def read_image(path: Path | str, shape: tuple[int, int, int] | None = None) -> Pixels:
    """One picture as [H, W, C], in the shape of a run where one is given; see `textdl.images.pictures.fitted`.

    Raises:
        CorpusError: it is not there, no picture, damaged, or of too many pixels.
    """
    place = Path(path).expanduser()
    image = read_picture(place, str(path))
    return image if shape is None else fitted(image[None], shape)[0]


def _found(source: Any, config: ImagesConfig) -> tuple[Card, dict[str, Part]]:
    """What is known of a corpus, and the parts that it brings."""
    if isinstance(source, str) and source.startswith("hf:"):
        return _of_hub(load_from_hub(source[3:], streaming=False), source, config)
    if not isinstance(source, (str, Path)):
        return _of_arrays(source, config)
    path = _place(source)
    if path.is_dir():
        return _of_folder(path, str(source), config)
    card = Card(path.name.split(".")[0] or path.name, path.name, source=str(source))
    if path.suffix.lower() == ".npz":
        _no_fields(config, str(path))
        return card, npz_parts(path, config.limit)
    if looks_like_idx(path):
        _no_fields(config, str(path))
        return card, {"train": read_part(path, labels_beside(path), config.limit)}
    what = "is one picture, without a label" if path.suffix.lower() in ENDINGS else "is no file of images that is read"
    raise CorpusError(f"{path} {what}; {_FORMS}")


def _place(source: str | Path) -> Path:
    """The file or folder that is meant; of a name that is a built-in corpus, its folder."""
    import textdl_corpora

    home = Path(str(textdl_corpora.__file__)).parent
    built_in = {folder.name: folder for folder in home.iterdir()}.get(source) if isinstance(source, str) else None
    if built_in is not None and is_card(built_in / "CARD.md"):
        return built_in
    path = Path(source).expanduser()
    try:
        if str(source) and (path.is_file() or path.is_dir()):
            return path
        beside = [other.name for other in path.parent.iterdir() if other.name[0] != "."] if str(source) else []
    except (OSError, ValueError):  # a name too long or with a zero byte, a folder that is closed or not there
        beside = []
    shown = str(source) if len(str(source)) <= 100 else str(source)[:100] + "…"
    remedy = near(path.name, ("digits", *beside))
    raise CorpusError(
        f"there is no corpus, file or folder {shown!r}; {remedy if remedy.startswith('did you mean') else _FORMS}"
    )


def _of_folder(folder: Path, source: str, config: ImagesConfig) -> tuple[Card, dict[str, Part]]:
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise CorpusError(f"{folder} can not be read: {error.strerror}; allow it with chmod +rx") from None
    if is_saved(folder):
        return _of_hub(load_saved(folder), source, config)
    _no_fields(config, str(folder))
    if is_card(folder / "CARD.md"):
        said = read_card(folder / "CARD.md", holds="images")
        if said.splits["train"][0].name == DIGITS:
            return said.card, {"train": _digits(config.limit)}
        card = said.card
    else:
        name = folder.resolve().name
        card = Card(name, name, source=source)
    if files := idx_splits(folder):
        return card, {split: read_part(*pair, config.limit) for split, pair in files.items()}
    found = class_folders(folder)
    return card, {split: pictures_part(some, config.limit) for split, some in found.items()}


def _digits(limit: int | None) -> Part:
    """The images of scikit-learn's ``load_digits``, whose 17 steps of grey become the nearest of 256."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    grey = np.rint(pixels.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return array_part(grey, labels.astype(np.int64), "digits", limit)


def _of_arrays(source: Any, config: ImagesConfig) -> tuple[Card, dict[str, Part]]:
    _no_fields(config, "images in memory")
    given = source if isinstance(source, Mapping) else {"train": source}
    parts = {}
    for name, pair in given.items():
        where = f"the images of {name!r}"
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise CorpusError(f"{where} must be (pixels, labels), got {type(pair).__name__}; {_FORMS}, or such a pair")
        split = split_called(str(name))
        if split in parts:
            raise CorpusError(f"the split {split} is given twice, the second time as {name!r}; join them")
        parts[split] = array_part(pair[0], pair[1], where, config.limit)
    return Card("images", "Images in memory", source="memory"), parts


def _of_hub(hub: HubDataset, source: str, config: ImagesConfig) -> tuple[Card, dict[str, Part]]:
    splits = {split_called(name): rows for name, rows in hub.splits.items()}
    if len(splits) == 1:
        splits = {"train": next(iter(splits.values()))}
    parts = {}
    for split, rows in splits.items():
        where = source if len(splits) == 1 else f"{source}, {split}"
        part = rows_part(rows, config.image_field, config.label_field, where, hub.revision(rows), config.limit)
        if part is not None:  # the test split of a competition has no labels
            parts[split] = part
        elif split == "train":
            raise CorpusError(f"{where} has no image with a label; choose another label_field (--label-field)")
    return Card(hub.title, hub.title, licence=hub.licence, source=source, body=hub.body), parts


def _no_fields(config: ImagesConfig, where: str) -> None:
    for name in ("image_field", "label_field"):
        if getattr(config, name):
            raise ConfigError(f"{name} is of a hf: dataset, and {where} has no fields; leave it out")


def _check_span(parts: Mapping[str, Part]) -> None:
    """Labels that are numbers must be within those of train."""
    train = parts["train"].span
    for split, part in parts.items():
        if train is None or part.span is None:
            continue
        low, high = part.span
        if low < train[0] or high > train[1]:
            raise CorpusError(
                f"{part.where}: the labels of {split} go from {low} to {high}, out of the range of those of train, "
                f"{train[0]} to {train[1]}; mend the labels"
            )


def _check_text(labels: tuple[str, ...], where: str) -> None:
    """Refuse labels that can not be written, such as those of names that were not UTF-8."""
    for label in labels:
        try:
            label.encode()
        except UnicodeEncodeError:
            raise CorpusError(f"{where} has the label {label!r}, which is no text in UTF-8; rename it") from None


def _shape(parts: Mapping[str, Part], config: ImagesConfig) -> tuple[int, int, int]:
    """The shape that all images get."""
    colour = config.channels == "colour" or (config.channels == "auto" and any(part.colour for part in parts.values()))
    channels = 3 if colour else 1
    if config.size is not None:
        return config.size, config.size, channels
    sizes = [one for part in parts.values() for one in part.sizes]
    name, size = sizes[0]
    for other, another in sizes:
        if another != size:
            raise CorpusError(
                f"images must be of one size, but {name} is {_spelt(size)} and {other} is {_spelt(another)} pixels; "
                f"bring them to one with size (--size {max(*size, *another)})"
            )
    return *size, channels


def _spelt(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]}"
