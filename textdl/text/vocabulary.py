"""From text to words with counts, and to ids: of sentences in memory, and of files larger than it.

A sentence is a list of words; in a file it is a line, its words between white space (any that ``str.split`` takes for
it). Lines end at ``\\n``, ``\\r\\n`` or a lone ``\\r``. The ids of a text are int32 [N], with -1 (:data:`END`) after
each sentence, also after one that has none: the n-th -1 ends the n-th sentence. Counting and encoding such files is
compiled (:mod:`textdl.kernels.counting`) and runs in several threads; other text goes through a function that cuts a
line into words, in several processes where asked.

Memory: a few pieces of 4 MB for each thread; the distinct words, about 100 bytes each (150 where a function cuts),
which ``memory_mb`` bounds by forgetting the rarest; the ids, unless they go to a file.

Legend: V words of a vocabulary, N ids of a text.
"""

from __future__ import annotations

import math
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifact import replacing
from ..errors import ConfigError, CorpusError
from .cutting import END, Counted, Cut, Tell, count_cut, encode_cut, encode_words
from .files import read_lines
from .known_words import Vocabulary, VocabularyConfig
from .pieces import ends_open, read_pieces, refuse_records

if TYPE_CHECKING:
    from ..kernels.word_table import WordTable

__all__ = [
    "END",
    "Counted",
    "Vocabulary",
    "VocabularyConfig",
    "count_file",
    "count_sentences",
    "count_texts",
    "encode_file",
    "encode_sentences",
]

MB = 1_000_000


def count_sentences(sentences: Iterable[Sequence[str]], config: VocabularyConfig | None = None) -> Vocabulary:
    """The vocabulary of sentences, each a list of words.

    Raises:
        CorpusError: a sentence is no list of words; or no word is seen ``least_count`` times.
    """
    counts: Counter[str] = Counter()
    for number, sentence in enumerate(checked_sentences(sentences), 1):
        try:
            counts.update(sentence)
        except TypeError:  # a list can not be counted
            wrong = next(word for word in sentence if not isinstance(word, str))
            raise CorpusError(
                f"sentence {number} must be a list of words, got {type(wrong).__name__} for a word; "
                "give one list of sentences, each a list of texts"
            ) from None
    return Vocabulary.from_counts(counts, config)


def count_texts(
    texts: Iterable[str],
    cut: Cut,
    config: VocabularyConfig | None = None,
    *,
    processes: int = 1,
    memory_mb: float | None = None,
    tell: Tell | None = None,
) -> Vocabulary:
    """The vocabulary of texts that a function cuts into words.

    Args:
        cut: a text to its words; with several processes a function at the top of a module.
        processes: more than one pays from some 10 MB of text on; the calling program must then be guarded by
            ``if __name__ == "__main__"``, as each process imports it.
        memory_mb: most memory for the distinct words, about; the rarest are forgotten beyond it.
        tell: called with a :class:`Counted` now and then.

    Raises:
        CorpusError: ``texts`` is one text, or has no word that is seen ``least_count`` times.
        ConfigError: several processes could not import ``cut``; or a number is out of range.
    """
    tally = count_cut(texts, cut, processes, _bytes(memory_mb), tell)
    return Vocabulary.from_counts(tally.counts, config, seen=tally.seen, missed=tally.missed)


def count_file(
    path: str | Path,
    config: VocabularyConfig | None = None,
    *,
    cut: Cut | None = None,
    threads: int | None = None,
    processes: int = 1,
    memory_mb: float | None = None,
    tell: Tell | None = None,
) -> Vocabulary:
    """The vocabulary of a text file, plain or packed, in UTF-8, a sentence a line.

    Without ``memory_mb`` the counts are exact and do not depend on the number of threads. With it they may be too
    small by ``Vocabulary.missed`` at the most, and the rarest words may be missing: words are forgotten, those with the
    smallest counts first, whenever there are too many to keep (lossy counting, Manku & Motwani 2002).

    Args:
        cut: a line to its words; without it they stand between white space, which is many times as fast.
        threads: how many count, when nothing cuts; all cores when not said.
        processes: how many cut and count; see :func:`count_texts`.
        memory_mb: most memory for the distinct words, about.
        tell: called with a :class:`Counted` now and then.

    Raises:
        CorpusError: the file can not be read, is not UTF-8, or has no word that is seen ``least_count`` times.
        ConfigError: a number is out of range.
    """
    path = Path(path)
    if cut is not None:
        return count_texts(_lines(path), cut, config, processes=processes, memory_mb=memory_mb, tell=tell)
    config = config or VocabularyConfig()
    table = _count_pieces(path, _threads(threads), _bytes(memory_mb), tell)
    # Most distinct words are rare: they are not even decoded. A special token keeps its count, however small.
    least = 0 if config.special else config.least_count
    kept = np.flatnonzero(table.counts >= least)
    counts = dict(zip(table.words(kept), table.counts[kept].tolist(), strict=True))
    return Vocabulary.from_counts(counts, config, seen=table.seen, missed=table.missed)


def encode_sentences(sentences: Iterable[Sequence[str]], vocabulary: Vocabulary) -> NDArray[np.int32]:
    """The ids [N] of sentences, with -1 after each.

    Unknown words become ``vocabulary.unknown_id``, or are left out when there is none.

    Raises:
        CorpusError: a sentence is no list of words.
    """
    return encode_words(checked_sentences(sentences), vocabulary)


def encode_file(
    path: str | Path,
    vocabulary: Vocabulary,
    out: str | Path | None = None,
    *,
    cut: Cut | None = None,
    threads: int | None = None,
    processes: int = 1,
    tell: Tell | None = None,
) -> NDArray[np.int32]:
    """The ids [N] of a text file, plain or packed, in UTF-8, with -1 after each line.

    Unknown words become ``vocabulary.unknown_id``, or are left out when there is none.

    Args:
        out: a file for them, written whole or not at all (int32, little-endian, nothing else), and given back as a
            read-only memory map; without it they are in memory.
        cut, threads, processes, tell: as of :func:`count_file`.

    Raises:
        CorpusError: the file can not be read, or is not UTF-8.
        RunError: ``out`` can not be written.
        ConfigError: a number is out of range.
    """
    path = Path(path)
    if cut is not None:
        arrays = encode_cut(_lines(path), vocabulary, cut, processes, tell)
    else:
        arrays = _encode_pieces(path, vocabulary, _threads(threads), tell)
    return _in_memory(arrays) if out is None else _in_file(arrays, Path(out))


def checked_sentences(sentences: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The sentences as they are.

    Raises:
        CorpusError: they are one text, or one of them is, or it is no list of words.
    """
    if isinstance(sentences, str):
        raise CorpusError("sentences must be lists of words, got one text; cut it, for example [text.split()]")
    for number, sentence in enumerate(sentences, 1):
        if isinstance(sentence, (str, bytes)) or not isinstance(sentence, (Sequence, np.ndarray)):
            kind = "a text" if isinstance(sentence, str) else type(sentence).__name__
            raise CorpusError(f"sentence {number} must be a list of words, got {kind}; cut it: text.split()")
        yield sentence


def _lines(path: Path) -> Iterator[str]:
    refuse_records(path)
    return read_lines(path)


def _count_pieces(path: Path, threads: int, most_bytes: int | None, tell: Tell | None) -> WordTable:
    """The words of a file in one table. Each thread fills its own, piece by piece in turn."""
    from ..kernels.word_table import WordTable

    share = None if most_bytes is None else most_bytes // threads
    tables = [WordTable(most_bytes=share) for _ in range(threads)]
    under_way: list[Future[None] | None] = [None] * threads
    size = 0
    with ThreadPoolExecutor(threads) as pool:
        for number, piece in enumerate(read_pieces(path)):
            turn = number % threads
            if (before := under_way[turn]) is not None:
                before.result()
            under_way[turn] = pool.submit(tables[turn].count, piece)
            size += len(piece)
            if tell is not None:
                tell(_counted(size, tables))
        for left in under_way:
            if left is not None:
                left.result()
    if tell is not None:
        tell(_counted(size, tables))
    whole, *others = tables
    while others:
        whole.merge(others.pop(0))  # and let go of it
    return whole


def _counted(size: int, tables: list[WordTable]) -> Counted:
    return Counted(size, sum(t.seen for t in tables), sum(len(t) for t in tables), sum(t.pruned for t in tables))


def _encode_pieces(path: Path, vocabulary: Vocabulary, threads: int, tell: Tell | None) -> Iterator[NDArray[np.int32]]:
    from ..kernels.counting import LEFT_OUT

    table, ids = _table_of(vocabulary)
    unknown = LEFT_OUT if vocabulary.unknown_id is None else vocabulary.unknown_id
    waiting: deque[Future[NDArray[np.int32]]] = deque()
    size, is_open = 0, False
    with ThreadPoolExecutor(threads) as pool:
        for piece in read_pieces(path):
            waiting.append(pool.submit(table.encode, piece, ids, unknown))
            size, is_open = size + len(piece), ends_open(piece)
            if len(waiting) > threads:
                yield waiting.popleft().result()
            if tell is not None:
                tell(Counted(size))
        while waiting:
            yield waiting.popleft().result()
    if is_open:
        yield np.array([END], np.int32)


def _table_of(vocabulary: Vocabulary) -> tuple[WordTable, NDArray[np.int32]]:
    """The words of a vocabulary as a table, and the id of each of the table's."""
    from ..kernels.word_table import WordTable

    # No line holds a word with white space or a zero byte in it; as bytes it would be taken for others.
    sound = [id for id, word in enumerate(vocabulary.words) if word.split() == [word] and "\0" not in word]
    table = WordTable(len(sound))
    text = "\n".join([vocabulary.words[id] for id in sound])
    table.count(np.frombuffer(text.encode(), np.uint8))
    return table, np.array(sound, np.int32)


def _in_memory(arrays: Iterable[NDArray[np.int32]]) -> NDArray[np.int32]:
    ids = np.empty(0, np.int32)
    for array in arrays:
        start = len(ids)
        # Large memory is moved by the system without a copy, so that there is never twice as much.
        ids.resize(start + len(array), refcheck=False)
        ids[start:] = array
    return ids


def _in_file(arrays: Iterable[NDArray[np.int32]], path: Path) -> NDArray[np.int32]:
    length = 0
    with replacing(path) as file:
        for array in arrays:
            file.write(array.astype("<i4", copy=False).data)
            length += len(array)
    if not length:  # an empty file can not be mapped
        return np.empty(0, np.int32)
    return np.memmap(path, "<i4", "r", shape=(length,))


def _threads(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise ConfigError(f"threads must be at least 1, got {threads}")
    return threads


def _bytes(memory_mb: float | None) -> int | None:
    if memory_mb is not None and not memory_mb > 0:
        raise ConfigError(f"memory_mb must be more than 0, got {memory_mb}")
    return None if memory_mb is None or math.isinf(memory_mb) else int(memory_mb * MB)
