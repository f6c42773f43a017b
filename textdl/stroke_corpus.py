"""Opening pen strokes: lines of handwriting with what they say, or drawings, from anything that holds such.

:func:`open_strokes` reads and checks everything at once: a corpus of strokes fits in memory as plain arrays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .config import check, check_shares, knob
from .corpus import Card
from .errors import CorpusError, near
from .strokes.checks import check_texts, checked_lines
from .strokes.line import Lines
from .strokes.opening import read_strokes
from .text.card import is_card, read_card
from .text.dividing import deal
from .text.folders import SPLITS, split_called


@dataclass(frozen=True)
class StrokesConfig:
    """How a corpus of strokes is read and split; ``limit`` is of the whole, or of each split that it brings."""

    limit: int | None = knob(None, "Read the first N lines only.", least=1)
    validation: float = knob(
        0.05, "Share held out for validation where the corpus has no such split.", least=0, most=0.9
    )
    test: float = knob(0.05, "Share held out for testing where the corpus has no such split.", least=0, most=0.9)
    longest: int | None = knob(2000, "Train on lines of at most N points; longer ones are left out.", least=2)

    def __post_init__(self) -> None:
        check(self)
        check_shares(self)


@dataclass(frozen=True, eq=False)
class StrokeCorpus:
    """The lines of a corpus in the splits train, validation and test.

    Splits that it does not bring are held out of train: lines go where the hash of their group says, so that no form
    and no writer straddles splits; where there are no groups, where the hash of their text says, or of their points
    where there is no text either.

    Attributes:
        name: what it is called.
        card: what is known of it.
        digest: SHA-256, in hex, of the lines of every split.
        own_splits: the splits that it brings; the others are held out of train.
        alphabet: the distinct characters of the training texts, sorted, in one string.
        too_long: training lines left out because they have more than ``longest`` points.
        notes: what people should know of how it was read, a line each.
        config: how it was read and split.
    """

    name: str
    card: Card
    digest: str
    own_splits: tuple[str, ...]
    alphabet: str
    too_long: int
    notes: tuple[str, ...]
    config: StrokesConfig
    _lines: Mapping[str, Lines] = field(repr=False)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        return tuple(self._lines)

    def lines(self, split: str) -> Lines:
        """The lines of a split, in the corpus's order; none where too little is there to hold out.

        Raises:
            CorpusError: there is no such split.
        """
        if split not in self._lines:
            raise CorpusError(f"the corpus {self.name} has no split {split!r}; {near(split, self.splits)}")
        return self._lines[split]


def open_strokes(source: Any, config: StrokesConfig = StrokesConfig(), texts: bool = True) -> StrokeCorpus:
    """Open a corpus of strokes.

    Args:
        source: the name of a built-in corpus (``strokes``); the path of an npz of ours, of an InkML or SVG file, or of
            a folder of such or of IAM-OnDB; a folder with train.npz (and validation.npz, test.npz); a list of
            :class:`textdl.strokes.line.Line`; or such lists by split. A StrokeCorpus is returned as it is.
        config: how to read and split it.
        texts: whether every line must have a text; without, drawings are taken too.

    Raises:
        CorpusError: it can not be found or read, a line is not as it must be or has no text, or none is left to train
            on.
    """
    if isinstance(source, StrokeCorpus):
        return source
    if isinstance(source, (str, Path)):
        card, splits = _of_path(source)
    elif isinstance(source, Iterable):
        card, splits = Card("strokes from memory", "Strokes in memory", source="memory"), _of_lists(source)
    else:
        got = type(source).__name__
        raise CorpusError(f"strokes must be the name of a corpus, a path or a list of lines, got {got}")
    if "train" not in splits:
        raise CorpusError(f"{card.name} has no split 'train', only {', '.join(splits) or 'nothing'}; add one")
    for name, lines in splits.items():
        if texts:
            check_texts(lines, card.name if len(splits) == 1 else f"{card.name}, {name}")
    return _opened(card, splits, config)


def _opened(card: Card, own: dict[str, Lines], config: StrokesConfig) -> StrokeCorpus:
    notes = [note for lines in own.values() for note in lines.notes]
    if config.limit is not None:
        own = {name: lines[: config.limit] for name, lines in own.items()}
    if not len(own["train"]):
        raise CorpusError(f"{card.name} holds no lines; give strokes to train on")
    made = _divided(own, config)
    train = made["train"]
    keep = range(len(train)) if config.longest is None else np.flatnonzero(train.lengths <= config.longest)
    if not len(keep):
        shortest = int(train.lengths.min())
        raise CorpusError(
            f"{card.name} has no line of at most {config.longest} points to train on, the shortest has {shortest}; "
            "set longest (--longest) higher, or convert it with a --step"
        )
    too_long = len(train) - len(keep)
    if too_long:
        made["train"] = train.take(keep)
        notes.append(f"left {too_long} of {len(train)} training lines out: they have more than {config.longest} points")
    alphabet = "".join(sorted(set().union(*made["train"].texts)))
    digest = _digest(made)
    return StrokeCorpus(card.name, card, digest, tuple(own), alphabet, too_long, tuple(notes), config, made)


def _divided(own: dict[str, Lines], config: StrokesConfig) -> dict[str, Lines]:
    """The splits that there are and those that are held out of train."""
    wanted = {"test": config.test, "validation": config.validation}
    shares = {name: share for name, share in wanted.items() if share and name not in own}
    train = own["train"]
    # One group for all says no more than none.
    grouped = len(set(train.groups)) > 1
    home = [deal(key, shares) for key in _keys(train, grouped)]
    if "train" not in home:
        home = ["train"] * len(home)  # too little to hold anything out
    held = {name: train.take(at for at, split in enumerate(home) if split == name) for name in SPLITS}
    return {name: held[name] if name in ("train", *shares) or name not in own else own[name] for name in SPLITS} | {
        name: lines for name, lines in own.items() if name not in SPLITS
    }


def _keys(lines: Lines, grouped: bool) -> Iterator[str]:
    """What each line is dealt by."""
    for at, (text, group) in enumerate(zip(lines.texts, lines.groups, strict=True)):
        if grouped and group:
            yield f"group {group}"
        elif text:
            yield text
        else:
            yield hashlib.sha256(lines.points(at).tobytes()).hexdigest()


def _digest(splits: Mapping[str, Lines]) -> str:
    total = hashlib.sha256(b"strokes 1\n")
    for name, lines in sorted(splits.items()):
        total.update(json.dumps([name, lines.texts, lines.groups, lines.offsets.tolist()]).encode())
        total.update(np.ascontiguousarray(lines.deltas, np.float32).tobytes())
        total.update(np.ascontiguousarray(lines.pen_up).tobytes())
    return total.hexdigest()


def _of_lists(source: Iterable[Any]) -> dict[str, Lines]:
    if not isinstance(source, Mapping):
        return {"train": checked_lines(source, "the lines given")}
    return {split_called(str(name)): checked_lines(lines, f"the lines of {name!r}") for name, lines in source.items()}


def _of_path(source: str | Path) -> tuple[Card, dict[str, Lines]]:
    path = _find(source)
    card = Card(path.stem, path.stem, source=str(source))
    if not path.is_dir():
        return card, {"train": read_strokes(path)}
    if is_card(path / "CARD.md"):
        said = read_card(path / "CARD.md", holds="strokes")
        paths = {split: some[0] for split, some in said.splits.items()}
        card = said.card
    else:
        found = {split_called(file.stem): file for file in sorted(path.glob("*.npz"))}
        paths = found if "train" in found and set(found) <= set(SPLITS) else {"train": path}
    return card, {split: read_strokes(file) for split, file in paths.items()}


def _find(source: str | Path) -> Path:
    """The file or folder that is meant."""
    import textdl_corpora

    if isinstance(source, str) and source in textdl_corpora.NAMES:
        return Path(str(textdl_corpora.__file__)).parent / source
    path = Path(source).expanduser()
    try:
        if str(source) and (path.is_file() or path.is_dir()):
            return path
        beside = [other.name for other in path.parent.iterdir()] if str(source) else []
    except (OSError, ValueError):  # a name too long or with a zero byte; a parent that is no folder
        beside = []
    remedy = near(path.name, ("strokes", *beside))
    if not remedy.startswith("did you mean"):
        remedy = "give the path of strokes, or the built-in corpus strokes"
    raise CorpusError(f"there is no corpus of strokes, file or folder {str(source)[:100]!r}; {remedy}")
