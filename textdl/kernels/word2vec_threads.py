"""An epoch of word2vec: several threads take pieces of a text in turn and train the same matrices, without locks.

Niu et al. 2011, "Hogwild!: A lock-free approach to parallelizing stochastic gradient descent". Importing it imports
numba.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .word2vec import GROUP, LONGEST, LOSS, PAIRS, POOL, Job, Scratch, train
from .word2vec_tiles import LANES, ROWS, STEP, TILE

Floats = NDArray[np.float32]

_MOST_IDS, _LEAST_IDS, _PIECES = 100_000, 1_000, 64
APART = 128  # bytes: lines of the cache are fetched in pairs
_LOOK = 4096  # ids looked through at once for the end of a sentence

#: The ids from one place up to another, int32 with -1 behind each sentence; a new array that may be written.
Read = Callable[[int, int], NDArray[np.int32]]


def aligned_rows(rows: int, dim: int) -> Floats:
    """A matrix of zeros [rows, ``dim`` rounded up to whole vectors], each row at the beginning of a cache line."""
    width = -(-dim // LANES) * LANES
    block = np.zeros(rows * width + LANES, np.float32)
    start = -(block.ctypes.data // block.itemsize) % LANES
    return block[start : start + rows * width].reshape(rows, width)


def alias_table(weights: NDArray[np.float64]) -> NDArray[np.uint32]:
    """What draws place v with a probability in proportion to ``weights [V]``: thresholds of 2 ** 32 and others [V, 2].

    Walker 1977, "An efficient method for generating discrete random variables with general distributions".
    """
    size = len(weights)
    shares = (weights / weights.sum() * size).tolist()
    thresholds, others = [1.0] * size, list(range(size))
    small = [place for place in range(size) if shares[place] < 1]
    large = [place for place in range(size) if shares[place] >= 1]
    while small and large:
        place, other = small.pop(), large[-1]
        thresholds[place], others[place] = shares[place], other
        shares[other] -= 1 - shares[place]
        if shares[other] < 1:
            small.append(large.pop())
    table = np.empty((size, 2), np.uint32)
    table[:, 0] = np.minimum(np.array(thresholds) * 2.0**32, 2.0**32 - 1)
    table[:, 1] = others
    return table


def cut_ids(read: Read, size: int) -> list[int]:
    """Where ``size`` ids are cut into pieces for the threads, from 0 to ``size``: behind the end of a sentence."""
    step = min(max(size // _PIECES, _LEAST_IDS), _MOST_IDS)
    cuts = [0]
    while cuts[-1] + step < size:
        at = cuts[-1] + step
        ends = np.flatnonzero(read(at - 1, min(at + _LOOK, size)) < 0)
        cuts.append(at + int(ends[0]) if len(ends) else at)  # a sentence so long is cut in any case
    return [*cuts, size]


def apart(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that shares no cache line with other memory: what one thread writes would else slow the others down."""
    block = np.zeros(array.nbytes + 2 * APART, np.uint8)
    start = -block.ctypes.data % APART
    copy: NDArray[Any] = block[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def prepare(job: Job) -> Scratch:
    """What one thread needs to train; each its own."""
    slots, width, tiles = 2 * GROUP, job.inputs.shape[1], job.tiles
    signs = np.zeros((slots, tiles * TILE), np.float32)
    signs[:] = -1.0  # of negative samples; a tree sets its own
    if not job.bag:
        signs[:, 0] = 1.0  # the centre word itself
    lanes = np.zeros((slots * tiles, STEP), np.float32)
    lanes[:, :TILE] = signs.reshape(-1, TILE)
    weights = np.zeros((slots * tiles, ROWS * STEP), np.float32)
    weights[:, :TILE] = 1.0
    scratch = Scratch(
        random=np.zeros(1, np.uint64),
        pool=np.zeros(POOL * max(job.negative, job.drawn, 1), np.int64),
        taken=np.zeros(1, np.int64),
        words=np.zeros(LONGEST, np.int64),
        rows=np.zeros(GROUP * 2 * job.window, np.int64),
        counts=np.zeros(GROUP, np.int64),
        mean_rows=2 * np.arange(GROUP),
        means=np.zeros((2 * GROUP, width), np.float32),
        columns=np.zeros(slots * tiles * TILE, np.int64),
        tiles=np.zeros(slots, np.int64),
        targets=np.zeros(slots, np.int64),
        signs=lanes,
        weights=weights,
        factors=np.zeros_like(weights),
        pair_factors=np.zeros((1, STEP), np.float32),
        hidden=np.zeros((2 * LONGEST if len(job.piece_starts) else 1, width), np.float32),
    )
    own: Any = [apart(array) for array in scratch]
    return Scratch(*own)


class Threads:
    """Trains a job, epoch by epoch. One thread alone does the same each time.

    Args:
        job: what is trained.
        read: the text.
        cuts: see :func:`cut_ids`.
        threads: how many.
        seed: of the random numbers.
    """

    def __init__(self, job: Job, read: Read, cuts: Sequence[int], threads: int, seed: int) -> None:
        self.job, self.read, self.cuts, self.seed = job, read, cuts, seed
        self.scratches = [prepare(job) for _ in range(min(threads, len(cuts) - 1))]

    def epoch(
        self, number: int, rate: Callable[[float], float], watch: Callable[[float], None] | None = None
    ) -> tuple[float, float]:
        """Train once over the text; the sum of the losses, and how many terms it has.

        Args:
            number: of the epoch, from 0 on; with the seed it fixes the random numbers.
            rate: the learning rate when so great a share of the epoch is done.
            watch: told that share now and then, in this thread.
        """
        pieces: queue.SimpleQueue[int] = queue.SimpleQueue()
        for piece in range(len(self.cuts) - 1):
            pieces.put(piece)
        stop = threading.Event()
        with ThreadPoolExecutor(len(self.scratches)) as pool:
            try:
                done = [pool.submit(self._work, scratch, pieces, stop, number, rate) for scratch in self.scratches]
                while wait(done, 0.5, FIRST_EXCEPTION).not_done and not any(f.done() and f.exception() for f in done):
                    if watch is not None:
                        watch(1 - pieces.qsize() / (len(self.cuts) - 1))
                totals = np.sum([future.result() for future in done], axis=0)
            finally:
                stop.set()  # an interrupt ends the others at their next piece
        return float(totals[LOSS]), float(totals[PAIRS])

    def _work(
        self,
        scratch: Scratch,
        pieces: queue.SimpleQueue[int],
        stop: threading.Event,
        number: int,
        rate: Callable[[float], float],
    ) -> NDArray[np.float64]:
        totals, size = apart(np.zeros(3)), self.cuts[-1]
        while not stop.is_set():
            try:
                piece = pieces.get_nowait()
            except queue.Empty:
                break
            start, end = self.cuts[piece], self.cuts[piece + 1]
            seed = np.random.SeedSequence([self.seed, number, piece]).generate_state(1, np.uint64)[0] >> np.uint64(1)
            train(self.job, scratch, self.read(start, end), rate(start / size), rate(end / size), int(seed), totals)
        return totals
