"""word2vec by the shared trainer, as it is done on a GPU: many words at once, in matrix products of torch.

Each step takes a piece of the text; its windows end at its borders. Its frequent words are thinned out and all that is
random is drawn on the CPU, from the seed, the pass and the number of the piece alone; the windows are gathered on the
device.

Legend: B words of a step, N = 2 * window neighbours, K negative samples, V words.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..corpus import Corpus
from ..errors import CorpusError
from ..models.vectors import WordContexts
from ..text.known_words import Vocabulary, VocabularyConfig
from ..text.vocabulary import count_file, encode_file
from ..training.events import Observer
from ..training.gradient_task import Loss
from ..training.processes import Shard
from ..vectors.word2vec import kept_shares
from ..vectors.word_vectors import WordVectors
from .vector_text import join_phrases, write_sentences, write_words
from .vectors_about import AboutVectors

if TYPE_CHECKING:
    from .vectors import VectorsRun, WordVectorsConfig

#: Words [B], the number of each one's sentence [B], how far its window reaches [B], its negative samples [B, K].
Batch = tuple[Tensor, Tensor, Tensor, Tensor]
NOISE_POWER = 0.75  # of the counts, by which negative samples are drawn (Mikolov et al. 2013)


class WordContextsTask(AboutVectors):
    """Skip-gram and continuous bag of words, learned by gradient descent."""

    name: ClassVar[str] = "vectors"
    unit: ClassVar[str] = "word"
    watched: ClassVar[str] = "validation_loss"
    higher_is_better: ClassVar[bool] = False
    vocabulary: Vocabulary

    def __init__(self, config: WordVectorsConfig, corpus: Corpus, source: Any, shard: Shard, tell: Observer) -> None:
        self.corpus, self.source, self._shard = corpus, source, shard
        self._folder = tempfile.TemporaryDirectory()  # of the ids; gone with the task
        folder, data, threads = Path(self._folder.name), config.data, config.train.threads
        text, _, phrases = write_words(corpus, data, folder, tell)
        kept = VocabularyConfig(least_count=data.least_count, most_words=data.most_words)
        self.vocabulary = count_file(text, kept, threads=threads)
        self._ids = encode_file(text, self.vocabulary, folder / "ids", threads=threads)
        if not ((self._ids[:-1] >= 0) & (self._ids[1:] >= 0)).any():
            raise CorpusError("no two words stand in one sentence; give more text, or a lower --least-count")
        text.unlink()
        self._held = np.empty(0, np.int32)
        if write_sentences(corpus, data, text, tell, "validation"):
            join_phrases(text, phrases)
            self._held = encode_file(text, self.vocabulary, folder / "held", threads=threads)
        words = len(self.vocabulary)
        self.config = replace(config, model=replace(config.model, vocabulary=words, contexts=words))
        self.model: nn.Module = WordContexts(self.config.model)
        self._keep = kept_shares(self.vocabulary.counts, config.model.sample).astype(np.float32)
        self._noise = AliasTable(self.vocabulary.counts.astype(np.float64) ** NOISE_POWER)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: WordVectorsConfig) -> VectorsRun:
        """The run in a folder; see :meth:`.vectors.TrainingVectors.load_run`."""
        from .vectors import TrainingVectors

        return TrainingVectors.load_run(path, record, config)

    def steps_per_epoch(self) -> int:
        """Pieces of the text."""
        return math.ceil(len(self._ids) / (self.config.train.batch_size * self._shard.of))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The pieces of a pass, in the order of the text; of each, this process has its part."""
        ids = self._ids if split == "train" else self._held
        size = self.config.train.batch_size * self._shard.of
        for number in range(start, math.ceil(len(ids) / size)):
            piece = np.asarray(ids[number * size : (number + 1) * size])
            # a pass over held-out text is the same in each evaluation
            random = np.random.default_rng([self.config.train.seed, epoch if split == "train" else 2**31, number])
            yield self._drawn(piece, random)

    def loss(self, model: nn.Module, batch: Batch, carry: Tensor | None) -> Loss:
        """Mean over the pairs of a word and a neighbour (the bags of words): -log P of the one true and K false."""
        total, pairs = self._total(model, batch)
        return Loss(total / pairs.clamp(min=1), len(batch[0]))

    def _total(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The sum of the losses of the pairs of a batch, and how many they are."""
        words, sentences, reach, noise = (part.long() for part in batch)
        neighbours, there = windows(words, sentences, reach, self.config.model.window)
        scores = model(words, neighbours, there, noise).float()
        true, false = F.softplus(-scores[..., :1]), F.softplus(scores[..., 1:])
        apart = (noise != words[:, None])[:, None]  # a sample that is the word itself is none
        each = true.sum(-1) + (false * apart).sum(-1)  # [B, N], or [B, 1]
        counted = there if self.config.model.method == "skipgram" else there.any(1, keepdim=True)
        return (each * counted).sum(), counted.sum()

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss as it is."""
        return {"loss": mean_loss}

    def settle(self, model: nn.Module) -> None:
        """Nothing to settle."""

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """The loss on the validation split, mean over its pairs, if it has any."""
        device, words, pairs, total = next(model.parameters()).device, 0, 0, 0.0
        for batch in self.batches("validation", 0):
            more, count = self._total(model, _to(batch, device))
            total, pairs, words = total + float(more.detach()), pairs + int(count), words + len(batch[0])
            if at_most is not None and words >= at_most:
                break
        return {"validation_loss": total / pairs} if pairs else {}

    def sample(self, model: nn.Module) -> str:
        """The neighbours of a frequent word."""
        words = self.vocabulary.words
        place = min(len(words) - 1, 50 + len(words) // 200)
        vectors = WordVectors(words, self.model.get_parameter("vectors").detach().float().cpu().numpy())
        return f"{words[place]}: {', '.join(word for word, _ in vectors.nearest(words[place], 5))}"

    def _drawn(self, piece: NDArray[np.int32], random: np.random.Generator) -> Batch:
        """What is left of a piece, with its windows and negative samples; this process's part of it."""
        sentences = np.cumsum(piece < 0, dtype=np.int32)
        kept = (piece >= 0) & (random.random(len(piece), np.float32) < self._keep[piece])
        words, sentences = piece[kept], sentences[kept]
        reach = random.integers(1, self.config.model.window + 1, len(words), np.int32)
        noise = self._noise.draw(random, (len(words), self.config.model.negative))
        parts = words, sentences, reach, noise
        own = (np.array_split(part, self._shard.of)[self._shard.rank] for part in parts)
        first, second, third, fourth = (torch.from_numpy(np.ascontiguousarray(part)) for part in own)
        return first, second, third, fourth


def windows(words: Tensor, sentences: Tensor, reach: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """The neighbours [B, N] of words, and which of them are there: in the text, the sentence and the reach.

    Args:
        words, sentences, reach: [B]; of each word its id, the number of its sentence and how far its window reaches.
        window: N / 2.
    """
    offsets = torch.cat([torch.arange(-window, 0), torch.arange(1, window + 1)]).to(words.device)
    places = torch.arange(len(words), device=words.device)[:, None] + offsets
    inside = (places >= 0) & (places < len(words))
    places = places.clamp(0, max(len(words) - 1, 0))
    there = inside & (sentences[places] == sentences[:, None]) & (offsets.abs() <= reach[:, None])
    return words[places], there


class AliasTable:
    """Draws from 0 to V - 1 by weights [V], each in constant time (Walker 1977)."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        from ..kernels.word2vec_threads import alias_table

        table = alias_table(weights)
        self._share, self._other = table[:, 0] / 2.0**32, table[:, 1].astype(np.int64)

    def draw(self, random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """An array of places."""
        places = random.integers(0, len(self._share), shape)
        own = random.random(shape) < self._share[places]
        drawn: NDArray[np.int32] = np.where(own, places, self._other[places]).astype(np.int32)
        return drawn


def _to(batch: Batch, device: torch.device) -> Batch:
    words, sentences, reach, noise = (part.to(device) for part in batch)
    return words, sentences, reach, noise
