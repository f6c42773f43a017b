"""The ids of texts that are each written on a condition, and which of them count.

A document is read as its condition, a mark, and its text. The model is an ordinary language model; only what counts is
another: the condition is given, and of its tokens nothing is learned and nothing is measured.

Legend: N ids of a split, T steps of a window, B lanes, C tokens of context.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, CorpusError
from ..text.encoded import Encoded
from ..text.tokenizers import Tokenizer
from ..text.windows import windows

#: Stands between a condition and its text: "start of text". In a text itself it is read as a space.
MARK = "\x02"
#: A target that does not count.
IGNORED = -1
#: Ids looked through at once for the mask.
_STEP = 1 << 22


@dataclass(frozen=True, eq=False)
class ConditionedText(Encoded):
    """The ids of a split, each document as condition, mark, text and end; ``characters`` are those of the texts.

    Attributes:
        counts: [N] whether the token is one of a text, or its end; a memory map where the ids are one.
        tokens: how many do.
    """

    counts: NDArray[np.bool_]
    tokens: int


def conditioned_text(
    encoded: Encoded, tokenizer: Tokenizer, characters: int, documents: int, cache: Path | None, mixed: bool
) -> ConditionedText:
    """What was encoded of a split whose documents have conditions, with the mask of what counts.

    Args:
        characters: those of the texts, and one for each of their ends.
        documents: how many.
        cache: where the mask of ids that are mapped from a file is kept while it is needed.
        mixed: bring the documents of a text that fits into memory into an order drawn by chance, always the same one:
            texts that lie sorted by their condition would teach a model to look at the text before instead.

    Raises:
        CorpusError: the mask of a large corpus has no room in ``cache``.
    """
    ids, mark = encoded.ids, mark_id(tokenizer)
    if mixed:
        ids = shuffled(np.asarray(ids), tokenizer.end)
    counts, tokens = text_mask(ids, mark, tokenizer.end, cache if isinstance(ids, np.memmap) else None)
    return ConditionedText(ids, characters, documents, encoded.unknown, counts, tokens)


def shuffled(ids: NDArray[Any], end: int) -> NDArray[Any]:
    """The documents of ids [N], each closed by ``end``, in an order drawn by chance, always the same one."""
    parts = np.split(ids, np.flatnonzero(ids == end)[:-1] + 1)
    order = np.random.default_rng(0).permutation(len(parts))
    mixed = np.concatenate([parts[place] for place in order])
    mixed.flags.writeable = False
    return mixed


def text_mask(ids: NDArray[Any], mark: int, end: int, cache: Path | None = None) -> tuple[NDArray[np.bool_], int]:
    """Which of the ids [N] stand after a mark, up to the end of their document and with it; and how many.

    Args:
        cache: a folder; the mask is then in a file there that is gone with the process, and mapped.

    Raises:
        CorpusError: the file can not be written.
    """
    if cache is None:
        found = np.concatenate([np.zeros(0, np.bool_), *_mask_parts(ids, mark, end)])
        return found, int(found.sum())
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache) as file:
            tokens = 0
            for part in _mask_parts(ids, mark, end):
                file.write(part.tobytes())
                tokens += int(part.sum())
            file.flush()
            return np.memmap(file, np.bool_, "r", shape=(len(ids),)), tokens
    except OSError as error:
        raise CorpusError(f"{cache} can not be written ({error.strerror}); make room, or set TEXTDL_CACHE") from None


def _mask_parts(ids: NDArray[Any], mark: int, end: int) -> Iterator[NDArray[np.bool_]]:
    inside = 0  # whether what comes next is of a text: marks and ends take turns
    for start in range(0, len(ids), _STEP):
        part = np.asarray(ids[start : start + _STEP])
        change = (part == mark).astype(np.int8) - (part == end).astype(np.int8)
        after = inside + np.cumsum(change)
        yield np.concatenate([[inside], after[:-1]]) > 0
        inside = int(after[-1])


def windows_of(
    encoded: Encoded,
    lanes: int,
    length: int,
    shift: int = 0,
    context: int = 0,
    start: int = 0,
    at_most: int | None = None,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The windows of a text, as of ``textdl.text.windows.windows``: inputs [C + T, B] and targets [T, B].

    Targets that do not count are :data:`IGNORED`. ``at_most``: only of the first so many ids.
    """
    plain = windows(encoded.ids[:at_most], lanes, length, shift, context, start)
    if not isinstance(encoded, ConditionedText):
        yield from plain
        return
    masks = windows(encoded.counts[:at_most], lanes, length, shift, 0, start)
    for (inputs, targets), (_, counts) in zip(plain, masks, strict=True):
        yield inputs, np.where(counts, targets, IGNORED)


def mark_id(tokenizer: Tokenizer) -> int:
    """The id of the mark.

    Raises:
        ConfigError: the vocabulary has no room for it.
    """
    ids = tokenizer.encode(MARK).tolist()
    if len(ids) != 1 or ids[0] == tokenizer.unknown_id:
        raise ConfigError("the vocabulary has no room for the mark behind a condition; give a larger --vocabulary")
    return int(ids[0])
