"""word2vec: vectors by which a word's neighbours can be told, trained on all cores without locks."""

from __future__ import annotations

import itertools
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..errors import ConfigError, CorpusError, TrainingError, near
from ..text.vocabulary import (
    Vocabulary,
    VocabularyConfig,
    count_file,
    count_sentences,
    encode_file,
    encode_sentences,
)
from .documents import average
from .huffman import Tree, build_tree, grow_tree
from .subwords import GramVectors, check_lengths, word_rows
from .word_vectors import WordVectors

Sentences = Iterable[Sequence[str]] | str | Path
Floats = NDArray[np.float32]
Tell = Callable[[int, float], None]
Watch = Callable[[float], None]
Read = Callable[[int, int], NDArray[np.int32]]

METHODS = ("skipgram", "cbow")
IN_MEMORY = 50_000_000  # ids; those of a larger text file wait in a temporary file
_WHOLE = 2.0**32
_NO_TREE = Tree(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int8))


class Weights(NamedTuple):
    """What is trained; S is D rounded up, the columns from D on are 0 and stay so."""

    inputs: Floats  # [V, S], the words' own; with subwords [V + B, S], those of the n-grams behind them
    outputs: Floats  # [V, S], the words' as targets; with a tree those of the V - 1 inner nodes, and one of no use
    tree: Tree | None


class Word2Vec(TransformerMixin, BaseEstimator):
    """word2vec (Mikolov et al. 2013, "Distributed representations of words and phrases and their compositionality").

    A word is read with those around it, up to ``window`` on a side; how many is drawn anew for each. The negative
    samples are drawn once a word and shared over its window; with "cbow" four words share them (Ji et al. 2016,
    "Parallelizing Word2Vec in shared and distributed memory"). With one thread a seed gives the same bytes each time
    on the same machine; several threads share the vectors without locks, and do not.

    Args:
        method: "skipgram" (each word around against the one in the middle) or "cbow" (the mean of them against it).
        dim: D.
        window: most words on a side.
        negative: negative samples a word.
        hierarchical: a tree of the words (hierarchical softmax) instead of negative samples.
        sample: words that are a larger share of the text are read less often; 0 reads all.
        epochs: passes over the text.
        lr: learning rate at the beginning; it falls linearly.
        last_lr: at the end; None for a tenth of ``lr``, with "cbow" a fifth: it makes fewer steps, and is farther from
            where smaller ones would help.
        least_count: words seen fewer times are left out, as if they did not stand there.
        most_words: the largest vocabulary.
        subwords: whether a word's vector is the mean of its own and of its n-grams of letters (Bojanowski et al. 2017,
            "Enriching word vectors with subword information"), so that unknown words have one too.
        gram_least, gram_most: letters of an n-gram, the marks before and behind the word counted.
        buckets: B, rows for n-grams; several share one.
        noise_power: of the words' counts in the distribution of the negative samples.
        patience: end when the loss has not become better for so many epochs; None goes through all of them.
        tolerance: share by which a loss must be lower to be better.
        threads: None takes one a processor.
        seed: of all that is random.

    Attributes:
        vectors_: :class:`WordVectors` [V, D].
        vocabulary_: the V words with their counts.
        losses_: of each epoch, the mean loss in nats, while it was trained, of a pair (of a word's whole window with
            "cbow"): over all its negative samples, or down the tree.
        seconds_: that each epoch took.
        weights_: what :meth:`fit_more` goes on from.
    """

    def __init__(
        self,
        method: str = "skipgram",
        dim: int = 100,
        window: int = 5,
        negative: int = 5,
        hierarchical: bool = False,
        sample: float = 1e-3,
        epochs: int = 5,
        lr: float = 0.025,
        last_lr: float | None = None,
        least_count: int = 5,
        most_words: int | None = None,
        subwords: bool = False,
        gram_least: int = 3,
        gram_most: int = 6,
        buckets: int = 250_000,
        noise_power: float = 0.75,
        patience: int | None = None,
        tolerance: float = 0.001,
        threads: int | None = None,
        seed: int = 1,
    ) -> None:
        self.method = method
        self.dim = dim
        self.window = window
        self.negative = negative
        self.hierarchical = hierarchical
        self.sample = sample
        self.epochs = epochs
        self.lr = lr
        self.last_lr = last_lr
        self.least_count = least_count
        self.most_words = most_words
        self.subwords = subwords
        self.gram_least = gram_least
        self.gram_most = gram_most
        self.buckets = buckets
        self.noise_power = noise_power
        self.patience = patience
        self.tolerance = tolerance
        self.threads = threads
        self.seed = seed

    def fit(self, X: Sentences, y: Any = None, *, tell: Tell | None = None, watch: Watch | None = None) -> Self:
        """Count the words of a text and train on it.

        Args:
            X: sentences, each a list of words; or the path of a text file with one a line, its words between white
                space.
            y: not used.
            tell: called after each epoch with its number, from 1 on, and its loss.
            watch: called about twice a second with the epochs done, such as 1.25.

        Raises:
            CorpusError: no text, no word seen ``least_count`` times, or no two words in one sentence.
            ConfigError: a setting out of range.
            TrainingError: the loss is not a number.
        """
        self._check()
        X = _readable_twice(X)
        vocabulary = self._count(X, VocabularyConfig(least_count=self.least_count, most_words=self.most_words))
        self._fit(X, vocabulary, vocabulary, self._grown_weights(vocabulary, None), tell, watch)
        return self

    def fit_more(self, X: Sentences, *, tell: Tell | None = None, watch: Watch | None = None) -> Self:
        """Go on training on new text. Known words keep their rows; new ones that it has ``least_count`` times follow.

        ``epochs``, ``lr``, ``last_lr`` and all else that is no shape may be set anew before. ``losses_`` is of this
        training alone.

        Args:
            X, tell, watch: as of :meth:`fit`.

        Raises:
            CorpusError, ConfigError, TrainingError: as :meth:`fit`; or a setting that must stay has changed.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "weights_")
        self._check()
        X = _readable_twice(X)
        more = self._new_words(self._count(X, VocabularyConfig()))
        vocabulary = self.vocabulary_.grown(more)
        self._fit(X, vocabulary, more, self._grown_weights(vocabulary, self.weights_), tell, watch)
        return self

    def transform(self, X: Iterable[Sequence[str]]) -> Floats:
        """The average of the vectors of each sentence's known words [n, D]; zeros where none is known."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "vectors_")
        return average(self.vectors_, X)

    def _check(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method has no choice {self.method!r}; {near(str(self.method), METHODS)}")
        least = {
            "dim": 1,
            "window": 1,
            "negative": 0,
            "epochs": 1,
            "buckets": 1,
            "seed": 0,
            "gram_least": 1,
            "gram_most": 1,
        }
        least |= {name: 1 for name in ("patience", "threads") if getattr(self, name) is not None}
        for name, bound in least.items():
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < bound:
                raise ConfigError(f"{name} must be a whole number of at least {bound}, got {value!r}")
        most_of = {"sample": 1.0, "noise_power": 10.0, "tolerance": 1.0, "lr": 10.0}
        most_of |= {"last_lr": 10.0} if self.last_lr is not None else {}
        for name, most in most_of.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= most:
                raise ConfigError(f"{name} must be a number from 0 to {most:g}, got {value!r}")
        if not self.lr > 0:
            raise ConfigError(f"lr must be more than 0, got {self.lr!r}")
        if not self.negative and not self.hierarchical:
            raise ConfigError("negative must be at least 1, got 0; or train with hierarchical=True")
        check_lengths(self.gram_least, self.gram_most)

    def _threads(self) -> int:
        if self.threads is not None:
            return self.threads
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def _count(self, sentences: Sentences, config: VocabularyConfig) -> Vocabulary:
        if isinstance(sentences, str | Path):
            return count_file(sentences, config, threads=self.threads)
        return count_sentences(sentences, config)

    def _new_words(self, counted: Vocabulary) -> Vocabulary:
        """Of the words of a new text those that are known, and those frequent enough, as far as there is room."""
        known = self.vocabulary_
        room = len(counted) if self.most_words is None else max(0, self.most_words - len(known))
        kept: dict[str, int] = {}
        for word, count in zip(counted.words, counted.counts.tolist(), strict=True):
            if word in known:
                kept[word] = count
            elif count >= self.least_count and room > 0:
                kept[word] = count
                room -= 1
        if not kept:
            raise CorpusError(f"no word is known or seen {self.least_count} times (least_count); lower it or add text")
        return Vocabulary.from_counts(kept, seen=counted.seen, missed=counted.missed)

    def _grown_weights(self, vocabulary: Vocabulary, earlier: Weights | None) -> Weights:
        """First weights: random inputs, outputs of zeros; with ``earlier`` those of the known words as they were."""
        from ..kernels.word2vec_threads import aligned_rows

        size, known = len(vocabulary), 0 if earlier is None else len(earlier.outputs)
        random = np.random.default_rng([self.seed, known])
        inputs = aligned_rows(size + (self.buckets if self.subwords else 0), self.dim)
        for rows in np.array_split(inputs, 1 + len(inputs) // 50_000):
            rows[:, : self.dim] = (random.random((len(rows), self.dim), np.float32) * 2 - 1) / self.dim
        outputs = aligned_rows(size, self.dim)
        if earlier is None:
            return Weights(inputs, outputs, build_tree(vocabulary.counts) if self.hierarchical else None)
        grams = len(earlier.inputs) - known
        was = (self.vectors_.dim, grams, earlier.tree is not None)
        if was != (self.dim, len(inputs) - size, self.hierarchical):
            raise ConfigError(
                "dim, subwords, buckets and hierarchical must stay as they were in the last training, got "
                f"dim={self.dim}, subwords={self.subwords}, hierarchical={self.hierarchical}; set them back, or use fit"
            )
        inputs[:known], inputs[size:] = earlier.inputs[:known], earlier.inputs[known:]
        outputs[:known] = earlier.outputs
        tree = None if earlier.tree is None else grow_tree(earlier.tree, vocabulary.counts[known:])
        return Weights(inputs, outputs, tree)

    def _fit(
        self,
        sentences: Sentences,
        vocabulary: Vocabulary,
        here: Vocabulary,
        weights: Weights,
        tell: Tell | None,
        watch: Watch | None,
    ) -> None:
        """Train on a text whose own counts are those of ``here``."""
        losses: list[float] = []
        with _ids(sentences, vocabulary, int(here.counts.sum()), self.threads) as (read, size):
            job = self._job(vocabulary, weights)
            clock = [time.perf_counter()]
            for loss in self._train(job, read, size, watch):
                losses.append(loss)
                clock.append(time.perf_counter())
                if tell is not None:
                    tell(len(losses), loss)
                if self.patience is not None and _has_settled(losses, self.patience, self.tolerance):
                    break
        self.vocabulary_, self.weights_, self.losses_ = vocabulary, weights, losses
        self.seconds_ = np.diff(clock).tolist()
        self.vectors_ = self._vectors()

    def _job(self, vocabulary: Vocabulary, weights: Weights) -> Any:
        """What the kernel is told."""
        from ..kernels.word2vec import Job
        from ..kernels.word2vec_threads import alias_table
        from ..kernels.word2vec_tiles import TILE

        counts, none = vocabulary.counts, np.empty(0, np.int64)
        tree = weights.tree or _NO_TREE
        noise = np.empty((0, 2), np.uint32)
        used = int(np.diff(tree.starts).max(initial=1)) if self.hierarchical else 1 + self.negative
        if not self.hierarchical:
            noise = alias_table(np.maximum(counts, 1) ** float(self.noise_power))
        # A tile costs the same whether it is full or not: bags share as many samples as there is room for.
        tiles = -(-(self.negative if self._shares() else used) // TILE)
        starts = pieces = none
        if self.subwords:
            starts, pieces = word_rows(vocabulary.words, self.gram_least, self.gram_most, self.buckets)
        return Job(
            weights.inputs,
            weights.outputs,
            _keep(counts, self.sample),
            noise,
            tree.starts,
            tree.nodes,
            tree.turns,
            starts,
            pieces,
            self.window,
            0 if self.hierarchical else self.negative,
            self.method == "cbow",
            tiles * TILE,
            tiles,
        )

    def _shares(self) -> bool:
        """Whether neighbouring words share their negative samples."""
        return self.method == "cbow" and not self.hierarchical

    def _train(self, job: Any, read: Read, size: int, watch: Watch | None) -> Iterator[float]:
        """Train an epoch after the other; the mean loss of each."""
        from ..kernels.word2vec_threads import Threads, cut_ids

        threads = Threads(job, read, cut_ids(read, size), self._threads(), self.seed)
        last = self.lr / (5 if self.method == "cbow" else 10) if self.last_lr is None else self.last_lr
        for epoch in range(self.epochs):

            def rate(done: float, before: int = epoch) -> float:
                return float(self.lr + (last - self.lr) * (before + done) / self.epochs)

            def watched(done: float, before: int = epoch) -> None:
                if watch is not None:
                    watch(before + done)

            total, terms = threads.epoch(epoch, rate, watched)
            if not terms:
                raise CorpusError(
                    "no two words were left to be read in one sentence; give more text, longer sentences, "
                    "a lower least_count, or sample=0, which leaves out no frequent words"
                )
            loss = total / terms
            if not math.isfinite(loss) or not np.isfinite(job.inputs).all():
                raise TrainingError(
                    f"the loss of epoch {epoch + 1} is {loss}, or a vector no number; train with a lower lr"
                )
            yield loss

    def _vectors(self) -> WordVectors:
        words, counts, size = self.vocabulary_.words, self.vocabulary_.counts, len(self.vocabulary_)
        inputs = self.weights_.inputs[:, : self.dim]
        if not self.subwords:
            return WordVectors(words, inputs[:size], counts)
        starts, pieces = word_rows(words, self.gram_least, self.gram_most, self.buckets)
        matrix = np.empty((size, self.dim), np.float32)
        for word, (start, end) in enumerate(itertools.pairwise(starts)):
            matrix[word] = inputs[pieces[start:end]].mean(axis=0)
        return WordVectors(words, matrix, counts, GramVectors(inputs[size:], self.gram_least, self.gram_most))


def _readable_twice(sentences: Sentences) -> Sentences:
    """The sentences; in a list, when they can be read but once."""
    if isinstance(sentences, str | Path) or iter(sentences) is not sentences:
        return sentences
    return list(sentences)


def _has_settled(losses: list[float], patience: int, tolerance: float) -> bool:
    """Whether the last ``patience`` losses are all no better than the best one before them."""
    if len(losses) <= patience:
        return False
    best = min(losses[:-patience])
    return min(losses[-patience:]) > best - tolerance * abs(best)


def kept_shares(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """How often each word [V] is read: (sqrt(f / t) + 1) t / f of its share f of the text, t being ``sample``.

    This is how the program of Mikolov et al. does it; their paper (2013) says sqrt(t / f).
    """
    if not sample:
        return np.ones(len(counts))
    over = np.maximum(counts, 1) / (sample * counts.sum())
    kept: NDArray[np.float64] = np.minimum((np.sqrt(over) + 1) / over, 1)
    return kept


def _keep(counts: NDArray[np.int64], sample: float) -> NDArray[np.uint32]:
    """The same, of 2 ** 32."""
    return np.minimum(kept_shares(counts, sample) * _WHOLE, _WHOLE - 1).astype(np.uint32)


@contextmanager
def _ids(sentences: Sentences, vocabulary: Vocabulary, words: int, threads: int | None) -> Iterator[tuple[Read, int]]:
    """A text as ids, in memory or, when there are many, in a temporary file: how to read them, and how many."""
    if not isinstance(sentences, str | Path):
        ids = encode_sentences(sentences, vocabulary)
        yield (lambda start, end: ids[start:end]), len(ids)
        return
    if words <= IN_MEMORY:
        ids = encode_file(sentences, vocabulary, threads=threads)
        yield (lambda start, end: ids[start:end]), len(ids)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.ids"
        size = len(encode_file(sentences, vocabulary, path, threads=threads))
        # Not the memory map: its pages would count as this process's memory.
        yield (lambda start, end: np.fromfile(path, "<i4", end - start, offset=4 * start)), size
