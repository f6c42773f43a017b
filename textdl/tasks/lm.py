"""Language modelling: the text is cut into lanes and the state carried along each.

This is truncated back-propagation through time (Williams & Peng 1990).
"""

from __future__ import annotations

import functools
import itertools
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, overload

import numpy as np
import torch
from torch import Tensor, nn

from .. import config as settings
from ..config import knob
from ..corpus import Corpus
from ..errors import ConfigError, CorpusError, PromptError
from ..models.lm import LanguageModel, LanguageModelConfig
from ..text.tokenizers import Tokenizer, TokenizerConfig, load_tokenizer, train_tokenizer
from ..text.windows import window_count
from ..training.config import TrainConfig
from ..training.events import Observer
from ..training.gradient_task import Loss
from ..training.losses import cross_entropy
from ..training.processes import WHOLE, Shard
from .base import Run, command, corpus_facts
from .conditioned import ConditionConfig, ConditionedCorpus, conditions_record, open_texts
from .conditioned_text import IGNORED, MARK, ConditionedText, mark_id, windows_of
from .conditions import Conditions, short
from .generation import GenerationConfig, Steps, TorchSteps, steps_of, write
from .held_out import held_out, told, unsplit
from .lm_text import encode_split, figures_of, mean_nats, predictions, read_pieces

#: Tokens that are read to find the state in which a text begins.
_OPENING_TOKENS = 8192
#: A corpus with at least so many documents teaches a model how a text begins and ends.
_DOCUMENTS_THAT_TEACH = 10

#: Inputs [C + T, B] and targets [T, B]; where texts have conditions, also how many of the targets count.
Batch = tuple[Tensor, Tensor] | tuple[Tensor, Tensor, int]


@dataclass(frozen=True)
class LanguageModelData(ConditionConfig, TokenizerConfig):
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
        self.conditions = Conditions.of(record["corpus"])

    @functools.cached_property
    def _steps(self) -> Steps:
        return steps_of(self.model)

    def next_command(self) -> str:
        """What to try with a new run."""
        given = ("--condition", self.conditions.example) if self.conditions else ()
        return command("generate", self.path, *given)

    @overload
    def generate(
        self,
        prompt: str = ...,
        config: GenerationConfig | None = ...,
        *,
        condition: str | Sequence[str] | None = ...,
        stream: Literal[True],
        **changes: Any,
    ) -> Iterator[str]: ...
    @overload
    def generate(
        self,
        prompt: str = ...,
        config: GenerationConfig | None = ...,
        *,
        condition: str | Sequence[str] | None = ...,
        stream: Literal[False] = ...,
        **changes: Any,
    ) -> Any: ...
    def generate(
        self,
        prompt: str = "",
        config: GenerationConfig | None = None,
        *,
        condition: str | Sequence[str] | None = None,
        stream: bool = False,
        **changes: Any,
    ) -> Any:
        """Write text that begins with ``prompt``, up to the end of the text or ``length`` tokens.

        Args:
            prompt: how the text begins; may be empty.
            config: how to draw; ``changes`` (``temperature=0.7, seed=1, count=3``) go on top of it.
            condition: what the text is written on, for a model trained with ``condition_field``: a text; or several,
                one for each field, or of one field the lines of a list. It is not part of the text.
            stream: True for an iterator of pieces, the prompt first.

        Returns:
            The text; a list of texts when ``count`` is more than one; an iterator when ``stream``.

        Raises:
            PromptError: the prompt or condition holds characters or words that the model has never seen; there is no
                condition where the model needs one, or one where it knows none.
            ConfigError: a setting is out of range, or ``stream`` is asked for together with ``count``.
        """
        config = settings.replace(config or GenerationConfig(), changes)
        seed = secrets.randbits(31) if config.seed is None else config.seed
        if stream:
            if config.count != 1:
                raise ConfigError(f"count must be 1 when streaming, got {config.count}; call generate once a text")
            return self.pieces(prompt, config, seed, 0, condition)
        texts = ["".join(self.pieces(prompt, config, seed, number, condition)) for number in range(config.count)]
        return texts[0] if config.count == 1 else texts

    def pieces(
        self,
        prompt: str,
        config: GenerationConfig,
        seed: int,
        number: int,
        condition: str | Sequence[str] | None = None,
    ) -> Iterator[str]:
        """Text ``number`` of those that ``seed`` draws, piece by piece as it is written."""
        opening = _opening(self.model, int(self.config["corpus"]["documents"]))
        if self.conditions is None and condition is not None:
            raise PromptError(
                f"{self.path} was trained without a condition, got {condition!r}; leave it out, or train with "
                "--condition-field"
            )
        given = self.conditions.ids(condition, self.tokenizer) if self.conditions else ()
        return write(self._steps, self.tokenizer, prompt, config, seed, number, opening, given)

    def evaluate(
        self, corpus: Any = None, split: str | None = None, text_field: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Cross-entropy on held-out text, in float32; of texts that are written on a condition, without that condition.

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
        fields = self._data.condition_field
        config = ConditionConfig(text_field=text_field, documents=self._data.documents, condition_field=fields)
        opened, split = held_out(
            self.config,
            corpus,
            split,
            lambda place: open_texts(place, self._data),
            lambda place, whole: open_texts(place, unsplit(config) if whole else config, least=1),
        )
        encoded = encode_split(opened, split, self.tokenizer, lambda event: None)
        if len(encoded) < 2:
            raise CorpusError(f"the {split} split of {opened.name} is empty; choose from {', '.join(opened.splits)}")
        with torch.no_grad():
            nats = mean_nats(self.model, encoded, self.model.context)
        return {
            **figures_of(nats, encoded),
            "nats_per_token": nats,
            "tokens": predictions(encoded),
            "characters": encoded.characters,
            "documents": encoded.documents,
            "unknown_share": encoded.unknown / len(encoded),
            "corpus": opened.name,
            "split": told(split, opened, opened.config),
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }


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
        self._train = encode_split(corpus, "train", tokenizer, tell, mixed=True)
        self._held_out = encode_split(corpus, "validation", tokenizer, tell)
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
        corpus = open_texts(source, config.data)
        marks = [MARK] * config.data.min_count if isinstance(corpus, ConditionedCorpus) else []  # so that it is known
        texts = itertools.chain(marks, (piece for piece, _ in read_pieces(corpus, "train", "reading", tell)))
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
        return facts | (self.corpus.facts if isinstance(self.corpus, ConditionedCorpus) else {})

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        source = str(self.source) if isinstance(self.source, (str, Path)) else None
        record = {"source": source, **corpus_facts(self.corpus), "documents": self._train.documents}
        if isinstance(self.corpus, ConditionedCorpus):
            record["conditions"] = conditions_record(self.corpus)
        return record

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

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Inputs [C + T, B] and targets [T, B], this process's lanes; each pass begins them at other places."""
        generator = np.random.default_rng([self.config.train.seed, epoch])
        each = self._lanes // self._shard.of
        own = slice(self._shard.rank * each, (self._shard.rank + 1) * each)
        shift = 0 if epoch == 0 else int(generator.integers(len(self._train)))
        for inputs, targets in windows_of(self._train, self._lanes, self._length, shift, self._context, start):
            batch = torch.from_numpy(inputs[:, own]), torch.from_numpy(targets[:, own])
            if isinstance(self._train, ConditionedText):
                yield *batch, int(np.count_nonzero(targets[:, own] != IGNORED))
            else:
                yield batch

    def loss(self, model: nn.Module, batch: Batch, carry: Tensor | None) -> Loss:
        """Mean cross-entropy of a window, in nats a token; the tokens of conditions do not count."""
        inputs, targets = batch[:2]
        counted = batch[2] if len(batch) == 3 else targets.numel()
        logits, state = model(inputs, carry)
        if not counted:  # nothing but (a part of) conditions
            return Loss(0.0 * logits.float().sum(), 1, state.detach())
        ignore = None if counted == targets.numel() else IGNORED
        nats, smoothing = cross_entropy(logits, targets, ignore=ignore), self.config.train.label_smoothing
        smoothed = cross_entropy(logits, targets, smoothing, ignore) if smoothing else nats
        return Loss(smoothed, counted, state.detach(), nats)

    def figures(self, mean_loss: float) -> dict[str, float]:
        """Bits per character, and perplexity where tokens are words or parts of words."""
        return {"loss": mean_loss, **figures_of(mean_loss, self._train)}

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
        return {f"validation_{name}": value for name, value in figures_of(nats, self._held_out).items()}

    def sample(self, model: nn.Module) -> str:
        """The beginning of a text, drawn with the run's seed."""
        config = GenerationConfig(length=240)
        assert isinstance(model, LanguageModel)
        opening, given, before = _opening(model, self._train.documents), [], ""
        if isinstance(self.corpus, ConditionedCorpus):
            condition = next(iter(self.corpus.tally("train").conditions))
            given = [*self.tokenizer.encode(condition).tolist(), mark_id(self.tokenizer)]
            before = f"[{short(condition)}] "
        pieces = write(TorchSteps(model), self.tokenizer, "", config, self.config.train.seed, 0, opening, given)
        return before + "".join(pieces)


def _opening(model: LanguageModel, documents: int) -> np.ndarray | None:
    """The state in which a text begins, if the model has seen enough texts begin."""
    return model.opening.cpu().numpy() if documents >= _DOCUMENTS_THAT_TEACH else None
