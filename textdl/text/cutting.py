"""Counting and encoding texts that a Python function cuts into words, in one process or several.

Texts go to the processes in batches; only words with their counts, or ids, come back. What comes out does not depend on
the number of processes, unless words had to be forgotten for want of memory.
"""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, CorpusError
from .known_words import Vocabulary

T = TypeVar("T")

#: What cuts a text into words, such as ``textdl.text.word_rules.words``.
Cut: TypeAlias = Callable[[str], Sequence[str]]
#: Stands after each sentence among the ids of a text.
END = -1
BATCH = 1 << 20  # characters that a process is given at a time
WORD_BYTES = 150  # of memory that a distinct word takes in a Counter, about


@dataclass(frozen=True)
class Counted:
    """How far a counting or encoding is, told while it runs.

    Attributes:
        size: of the text read so far, unpacked: bytes of a file, characters where a function cuts.
        words: seen so far, repetitions included; 0 when encoding.
        distinct: words remembered at the moment, over all threads; 0 when encoding.
        pruned: how many of the words seen have been forgotten to keep within the memory that was allowed.
    """

    size: int
    words: int = 0
    distinct: int = 0
    pruned: int = 0


Tell: TypeAlias = Callable[[Counted], None]


class Tally:
    """Words with their counts in a dict of bounded size.

    Attributes:
        counts: how often each was seen.
        seen: words added, repetitions and forgotten ones included.
        pruned: how many of these have been forgotten.
        missed: how much too small a count may be on that account.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.seen = self.pruned = self.missed = 0
        self._most = None if most_bytes is None else max(1, most_bytes // WORD_BYTES)

    def add(self, counts: Counter[str]) -> None:
        """Add counts, then forget the rarest words if there are too many."""
        self.seen += counts.total()
        if self.counts:
            self.counts.update(counts)
        else:
            self.counts = counts
        if self._most is not None and len(self.counts) > self._most:
            edge = sorted(self.counts.values())[len(self.counts) - self._most // 2 - 1]
            left = Counter({word: count for word, count in self.counts.items() if count > edge})
            self.pruned += self.counts.total() - left.total()
            self.missed += edge
            self.counts = left


def count_cut(texts: Iterable[str], cut: Cut, processes: int, most_bytes: int | None, tell: Tell | None) -> Tally:
    """The words of texts, counted.

    Raises:
        ConfigError: there are several processes, and they could not import ``cut``.
        CorpusError: ``texts`` is one text.
    """
    tally, size = Tally(most_bytes), 0
    for characters, counts in _spread(_count_batch, texts, cut, None, processes):
        size += characters
        tally.add(counts)
        if tell is not None:
            tell(Counted(size, tally.seen, len(tally.counts), tally.pruned))
    return tally


def encode_cut(
    texts: Iterable[str], vocabulary: Vocabulary, cut: Cut, processes: int, tell: Tell | None
) -> Iterator[NDArray[np.int32]]:
    """The ids of texts, -1 after each, in arrays one after another; raises as :func:`count_cut`."""
    size = 0
    for characters, ids in _spread(_encode_batch, texts, cut, vocabulary, processes):
        size += characters
        yield ids
        if tell is not None:
            tell(Counted(size))


def encode_words(sentences: Iterable[Sequence[str]], vocabulary: Vocabulary) -> NDArray[np.int32]:
    """The ids [N] of lists of words, -1 after each."""
    known, unknown = vocabulary.ids, vocabulary.unknown_id

    def ids() -> Iterator[int]:
        for sentence in sentences:
            if unknown is None:
                yield from [known[word] for word in sentence if word in known]
            else:
                yield from [known.get(word, unknown) for word in sentence]
            yield END

    return np.fromiter(ids(), np.int32)


Job: TypeAlias = Callable[[list[str], Cut, Vocabulary | None], T]


def _count_batch(texts: list[str], cut: Cut, vocabulary: Vocabulary | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(cut(text))
    return counts


def _encode_batch(texts: list[str], cut: Cut, vocabulary: Vocabulary | None) -> NDArray[np.int32]:
    assert vocabulary is not None
    return encode_words(map(cut, texts), vocabulary)


def _spread(
    job: Job[T], texts: Iterable[str], cut: Cut, vocabulary: Vocabulary | None, processes: int
) -> Iterator[tuple[int, T]]:
    """The characters and the result of each batch, in order; at most two batches a process are under way."""
    if isinstance(texts, str):
        raise CorpusError("texts must be several, got one text; write [text]")
    if processes < 1:
        raise ConfigError(f"processes must be at least 1, got {processes}")
    if processes == 1:
        for batch in _batches(texts):
            yield sum(map(len, batch)), job(batch, cut, vocabulary)
        return
    try:
        pickle.dumps(cut)
    except (pickle.PicklingError, AttributeError, TypeError):
        raise _not_importable(cut) from None
    try:
        yield from _in_processes(job, texts, cut, vocabulary, processes)
    except BrokenExecutor:  # a process could not begin, or was killed
        raise _not_importable(cut) from None


def _not_importable(cut: Cut) -> ConfigError:
    return ConfigError(
        f"cut must be a function that another process can import, got {getattr(cut, '__qualname__', repr(cut))};"
        " define it at the top of a module, guard the program by if __name__ == '__main__', or use processes=1"
    )


def _in_processes(
    job: Job[T], texts: Iterable[str], cut: Cut, vocabulary: Vocabulary | None, processes: int
) -> Iterator[tuple[int, T]]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked process would inherit the locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    waiting: deque[tuple[int, Future[T]]] = deque()
    with ProcessPoolExecutor(processes, context, _begin, (job, cut, vocabulary)) as pool:
        for batch in _batches(texts):
            waiting.append((sum(map(len, batch)), pool.submit(cast(Callable[[list[str]], T], _do), batch)))
            if len(waiting) >= 2 * processes:
                size, future = waiting.popleft()
                yield size, future.result()
        while waiting:
            size, future = waiting.popleft()
            yield size, future.result()


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for number, text in enumerate(texts, 1):
        if not isinstance(text, str):
            raise CorpusError(f"text {number} must be a text, got {type(text).__name__}; pass strings")
        batch.append(text)
        size += len(text) + 1
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


# What a process works with: handed over once, not with every batch.
_work: list[tuple[Job[object], Cut, Vocabulary | None]] = []


def _begin(job: Job[object], cut: Cut, vocabulary: Vocabulary | None) -> None:
    _work[:] = [(job, cut, vocabulary)]


def _do(batch: list[str]) -> object:
    job, cut, vocabulary = _work[0]
    return job(batch, cut, vocabulary)
