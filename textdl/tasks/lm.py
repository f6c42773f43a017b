"""Language modelling: the text is cut into lanes and the state carried along each.

This is truncated back-propagation through time (Williams & Peng 1990).
"""

from __future__ import annotations

import functools
import math
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, overload

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import config as settings
from ..config import knob
from ..corpus import Corpus, CorpusConfig, open_corpus
from ..errors import ConfigError, CorpusError
from ..models.lm import LanguageModel, LanguageModelConfig
from ..text.encoded import Encoded, default_cache, encode_pieces
from ..text.tokenizers import Tokenizer, TokenizerConfig, load_tokenizer, train_tokenizer
from ..text.windows import window_count, windows
from ..training.config import TrainConfig
from ..training.events import Observer, Reading
from ..training.gradient_task import Loss
from ..training.losses import cross_entropy
from ..training.processes import WHOLE, Shard
from .base import Run, command, corpus_facts
from .generation import GenerationConfig, Steps, TorchSteps, steps_of, write

#: A corpus with more bytes than this is encoded into a file once, and read from there.
_CACHE_FROM_BYTES = 16_000_000
#: Steps of the windows in which a model is evaluated.
_EVALUATION_WINDOW = 256
#: Tokens that are read to find the state in which a text begins.
_OPENING_TOKENS = 8192
#: A corpus with at least so many documents teaches a model how a text begins and ends.
_DOCUMENTS_THAT_TEACH = 10


@dataclass(frozen=True)
class LanguageModelData(CorpusConfig, TokenizerConfig):
    """What is read, and how it is cut."""

    seq_length: int = knob(512, "Steps through which the gradient flows back.", least=1, most=1_000_000)


@dataclass(frozen=True)
class LanguageModellingConfig:
    """Everything that can be set about training a language model."""

    data: LanguageModelData = field(default_factory=LanguageModelData)
    model: LanguageModelConfig = field(default_factory=LanguageModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


class LanguageModelRun(Run):
    """A trained language model: ``generate`` and ``evaluate``."""

    model: LanguageModel

    def __init__(
        self,
        path: Path,
        record: Mapping[str, Any],
        model: LanguageModel,
        tokenizer: Tokenizer,
        data: LanguageModelData,
    ) -> None:
        super().__init__(path, record, model)
        self.tokenizer, self._data = tokenizer, data

    @functools.cached_property
    def _steps(self) -> Steps:
        return steps_of(self.model)

    def next_command(self) -> str:
        """What to try with a new run."""
        return command("generate", self.path)

    @overload
    def generate(
        self,
        prompt: str = ...,
        config: GenerationConfig | None = ...,
        *,
        stream: Literal[True],
        **changes: Any,
    ) -> Iterator[str]: ...
    @overload
    def generate(
        self,
        prompt: str = ...,
        config: GenerationConfig | None = ...,
        *,
        stream: Literal[False] = ...,
        **changes: Any,
    ) -> Any: ...
    def generate(
        self,
        prompt: str = "",
        config: GenerationConfig | None = None,
        *,
        stream: bool = False,
        **changes: Any,
    ) -> Any:
        """Write text that begins with ``prompt``, up to the end of the text or ``length`` tokens.

        Args:
            prompt: how the text begins; may be empty.
            config: how to draw; ``changes`` (``temperature=0.7, seed=1, count=3``) go on top of it.
            stream: True for an iterator of pieces, the prompt first.

        Returns:
            The text; a list of texts when ``count`` is more than one; an iterator when ``stream``.

        Raises:
            PromptError: the prompt holds characters or words that the model has never seen.
            ConfigError: a setting is out of range, or ``stream`` is asked for together with ``count``.
        """
        config = settings.replace(config or GenerationConfig(), changes)
        seed = secrets.randbits(31) if config.seed is None else config.seed
        if stream:
            if config.count != 1:
                raise ConfigError(f"count must be 1 when streaming, got {config.count}; call generate once a text")
            return self.pieces(prompt, config, seed, 0)
        texts = ["".join(self.pieces(prompt, config, seed, number)) for number in range(config.count)]
        return texts[0] if config.count == 1 else texts

    def pieces(self, prompt: str, config: GenerationConfig, seed: int, number: int) -> Iterator[str]:
        """Text ``number`` of those that ``seed`` draws, piece by piece as it is written."""
        opening = _opening(self.model, int(self.config["corpus"]["documents"]))
        return write(self._steps, self.tokenizer, prompt, config, seed, number, opening)

    def evaluate(
        self, corpus: Any = None, split: str | None = None, text_field: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Cross-entropy on held-out text, in float32.

        Args:
            corpus: anything that ``textdl.open_corpus`` takes; the corpus of the training when none is given.
            split: by default ``test`` of the training's corpus or of one that brings such a split, and all of
                another corpus.
            text_field: field(s) of another corpus that hold the text.

        Returns:
            bits_per_character (an end of text counts as a character), perplexity (of a token), nats_per_token,
            tokens, characters, documents, unknown_share (of the tokens), corpus, split, and same_corpus: whether
            this is, by its digest, the corpus that the model was trained on.

        Raises:
            CorpusError: no such corpus, no such split, or it is empty.
        """
        opened, split = self._held_out(corpus, split, text_field)
        encoded = _encode(opened, split, self.tokenizer, lambda event: None)
        if len(encoded) < 2:
            raise CorpusError(f"the {split} split of {opened.name} is empty; choose from {', '.join(opened.splits)}")
        with torch.no_grad():
            nats = mean_nats(self.model, encoded, self.model.context)
        return {
            **_figures(nats, encoded),
            "nats_per_token": nats,
            "tokens": len(encoded),
            "characters": encoded.characters,
            "documents": encoded.documents,
            "unknown_share": encoded.unknown / len(encoded),
            "corpus": opened.name,
            "split": "all" if opened.own_splits == ("train",) and not opened.config.test else split,
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }

    def _held_out(self, corpus: Any, split: str | None, text_field: tuple[str, ...]) -> tuple[Corpus, str]:
        source = self.config["corpus"]["source"]
        if corpus is None and source is None:
            raise CorpusError("the run was trained on texts from memory; name a corpus to evaluate it on")
        if corpus is None or (isinstance(corpus, (str, Path)) and str(corpus) == source):
            return open_corpus(source, self._data), split or "test"
        config = CorpusConfig(text_field=text_field, documents=self._data.documents)
        opened = open_corpus(corpus, config if split else replace(config, validation=0.0, test=0.0))
        return opened, split or ("test" if "test" in opened.own_splits else "train")


class LanguageModelling:
    """A language model: it learns a text and writes more of it."""

    name: ClassVar[str] = "lm"
    config_class: ClassVar[type] = LanguageModellingConfig
    watched, higher_is_better = "validation_bits_per_character", False
    model: nn.Module

    def __init__(
        self,
        config: LanguageModellingConfig,
        corpus: Corpus,
        source: Any,
        tokenizer: Tokenizer,
        tell: Observer,
        shard: Shard = WHOLE,
    ) -> None:
        self._shard = shard
        self.corpus, self.source, self.tokenizer = corpus, source, tokenizer
        self._train = _encode(corpus, "train", tokenizer, tell)
        self._held_out = _encode(corpus, "validation", tokenizer, tell)
        length, lanes = config.data.seq_length, config.train.batch_size * shard.of
        if len(self._train) <= length:
            raise CorpusError(
                f"{corpus.name} has {len(self._train)} {tokenizer.unit}s to train on, fewer than one sequence of "
                f"{length} and its target; use more text or a smaller --seq-length"
            )
        self._lanes, self._length = max(1, min(lanes, (len(self._train) - 1) // length)), length
        if self._lanes < lanes and shard.of > 1:
            raise CorpusError(
                f"{corpus.name} is too short for {shard.of} processes with {config.train.batch_size} sequences each "
                f"(it has {self._lanes} of {length}); use fewer, or a smaller --batch-size or --seq-length"
            )
        self.config = replace(config, model=replace(config.model, vocabulary=tokenizer.size, end=tokenizer.end))
        model = LanguageModel(self.config.model)
        self.model: nn.Module = model
        self._context = model.context

    @classmethod
    def prepare(
        cls, source: Any, config: LanguageModellingConfig, tell: Observer, shard: Shard = WHOLE
    ) -> LanguageModelling:
        """Read the corpus, train the tokenizer, encode, and build the model on the CPU."""
        corpus = open_corpus(source, config.data)
        texts = (piece for piece, _ in _counted(corpus, "train", "reading", tell))
        return cls(config, corpus, source, train_tokenizer(texts, config.data), tell, shard)

    @property
    def title(self) -> str:
        """One line for people."""
        model = self.config.model
        return f"{model.cell.upper()} language model, {model.layers} x {model.hidden}, on {self.corpus.name}"

    @property
    def unit(self) -> str:
        """What the model predicts, one at a time."""
        return self.tokenizer.unit

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        facts: dict[str, str | int] = {
            "training text": f"{self._train.characters:,} characters, {self._train.documents:,} documents",
            "validation text": f"{self._held_out.characters:,} characters, {self._held_out.documents:,} documents",
            "vocabulary": f"{self.tokenizer.size:,} ({self.tokenizer.kind})",
        }
        if self._lanes < self.config.train.batch_size:
            facts["sequences a batch"] = f"{self._lanes} (the text is short)"
        return facts

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        source = str(self.source) if isinstance(self.source, (str, Path)) else None
        return {"source": source, **corpus_facts(self.corpus), "documents": self._train.documents}

    def save_parts(self, path: Path) -> None:
        """Write the tokenizer."""
        self.tokenizer.save(path)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: LanguageModellingConfig) -> LanguageModelRun:
        """The run in a folder, its weights still to be read."""
        tokenizer = load_tokenizer(path)
        return LanguageModelRun(path, record, LanguageModel(config.model), tokenizer, config.data)

    def steps_per_epoch(self) -> int:
        """Windows in a pass."""
        return window_count(len(self._train), self._lanes, self._length)

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs [C + T, B] and targets [T, B], this process's lanes; each pass begins them at other places."""
        generator = np.random.default_rng([self.config.train.seed, epoch])
        each = self._lanes // self._shard.of
        own = slice(self._shard.rank * each, (self._shard.rank + 1) * each)
        shift = 0 if epoch == 0 else int(generator.integers(len(self._train)))
        for inputs, targets in windows(self._train.ids, self._lanes, self._length, shift, self._context, start):
            yield torch.from_numpy(inputs[:, own]), torch.from_numpy(targets[:, own])

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor], carry: Tensor | None) -> Loss:
        """Mean cross-entropy of a window, in nats a token."""
        inputs, targets = batch
        logits, state = model(inputs, carry)
        nats, smoothing = cross_entropy(logits, targets), self.config.train.label_smoothing
        smoothed = cross_entropy(logits, targets, smoothing) if smoothing else nats
        return Loss(smoothed, targets.numel(), state.detach(), nats)

    def figures(self, mean_loss: float) -> dict[str, float]:
        """Bits per character, and perplexity where tokens are words or parts of words."""
        return {"loss": mean_loss, **_figures(mean_loss, self._train)}

    def settle(self, model: nn.Module) -> None:
        """Find the state in which a text begins: the one after the last of the first texts of the training split."""
        assert isinstance(model, LanguageModel)
        ids = np.asarray(self._train.ids[:_OPENING_TOKENS]).astype(np.int64)
        ends = np.flatnonzero(ids == self.tokenizer.end)
        if self._train.documents >= _DOCUMENTS_THAT_TEACH and len(ends):
            before = np.concatenate([np.full(self._context, self.tokenizer.end), ids[: ends[-1]]])
            state = model(torch.from_numpy(before).unsqueeze(1).to(model.opening.device))[1]
            model.opening.copy_(state[:, :, 0])

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """The same on the validation split; nothing when it is empty."""
        if len(self._held_out) < 2:
            return {}
        nats = mean_nats(model, self._held_out, self._context, at_most)
        return {f"validation_{name}": value for name, value in _figures(nats, self._held_out).items()}

    def sample(self, model: nn.Module) -> str:
        """The beginning of a text, drawn with the run's seed."""
        config = GenerationConfig(length=240)
        assert isinstance(model, LanguageModel)
        opening = _opening(model, self._train.documents)
        return "".join(write(TorchSteps(model), self.tokenizer, "", config, self.config.train.seed, 0, opening))


def _opening(model: LanguageModel, documents: int) -> np.ndarray | None:
    """The state in which a text begins, if the model has seen enough texts begin."""
    return model.opening.cpu().numpy() if documents >= _DOCUMENTS_THAT_TEACH else None


def mean_nats(model: nn.Module, encoded: Encoded, context: int, at_most: int | None = None) -> float:
    """Mean cross-entropy of the model on (the beginning of) a text, in nats a token.

    The text is read in up to 64 lanes side by side, the state carried along each. ``context`` is the model's.
    """
    ids = encoded.ids if at_most is None else encoded.ids[: at_most + 1]
    lanes = max(1, min(64, (len(ids) - 1) // (4 * _EVALUATION_WINDOW)))
    total, state, tokens, device = 0.0, None, 0, next(model.parameters()).device
    for inputs, targets in windows(ids, lanes, _EVALUATION_WINDOW, context=context):
        logits, state = model(torch.from_numpy(inputs).to(device), state)
        aims = torch.from_numpy(targets).to(device).flatten()
        total += float(F.cross_entropy(logits.float().flatten(0, 1), aims, reduction="sum"))
        tokens += aims.numel()
    return total / tokens


def _figures(nats: float, encoded: Encoded) -> dict[str, float]:
    bits = nats * len(encoded) / encoded.characters / math.log(2)
    return {"bits_per_character": bits, "perplexity": math.exp(min(nats, 700.0))}


def _encode(corpus: Corpus, split: str, tokenizer: Tokenizer, tell: Observer) -> Encoded:
    """A split as one array of ids: in memory when small, else in a file that is kept for the next time."""
    hint = corpus.size_hint(split)
    large = hint is None or hint > _CACHE_FROM_BYTES
    pieces = _counted(corpus, split, f"encoding {split}", tell)
    key = f"{corpus.digest} {split}" if large else ""
    return encode_pieces(pieces, tokenizer, cache=default_cache() / "encoded" if large else None, key=key)


def _counted(corpus: Corpus, split: str, what: str, tell: Observer) -> Iterator[tuple[str, bool]]:
    """The pieces of a split, telling how far the reading is each time another million characters are done."""
    done, told, hint = 0, 0, corpus.size_hint(split)
    for piece, last in corpus.stream(split):
        yield piece, last
        done += len(piece)
        if done - told >= 1_000_000:
            told = done
            tell(Reading(what, done, hint))
