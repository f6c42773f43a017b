"""Classifiers that are learned by gradient descent, on batches of texts of about the same length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import artifact
from ..errors import ConfigError, RunError
from ..labelled import LabelledCorpus
from ..models.classifier import Classifier
from ..models.transfer_classifier import TransferConfig, TransferEncoder, begin_with, depths
from ..models.word_input import WordInput
from ..text.base import Tokenizer
from ..text.buckets import batches_of, padding_share
from ..text.tokenizers import load_tokenizer, train_tokenizer
from ..text.words import WordTokenizer
from ..training.events import Observer
from ..training.gradient_task import Layer, Loss
from ..training.losses import binary_cross_entropy, cross_entropy
from ..training.processes import WHOLE, Shard
from ..vectors.opening import open_vectors
from .base import load
from .class_figures import class_figures, fit_temperature, fit_thresholds
from .classifier_run import ClassifierRun, NeuralRun, as_probabilities, judged, records_of, validation_figures
from .labelled_texts import Texts, classes_of, read_texts, told_classes, truth_of
from .lm import LanguageModelRun
from .text_reader import SUBWORDS, Read, TextReader

if TYPE_CHECKING:
    from .classify import ClassificationConfig

#: Words of given vectors that are known beside those of the training texts.
_MOST_EXTRA = 100_000


class Part(NamedTuple):
    """A split as the model reads it: N texts with what is to be said of them; ``shown`` is the first of them."""

    shown: str
    first: Read
    second: Read | None
    truth: NDArray[Any]

    @property
    def number(self) -> int:
        """N."""
        return len(self.truth)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[N], the tokens that are computed for each text; of a pair the longer one's."""
        own = self.first.tokens.lengths
        return own if self.second is None else np.maximum(own, self.second.tokens.lengths)


class LearningClasses:
    """A classifier that the trainer teaches."""

    name: ClassVar[str] = "classify"
    unit = "text"
    higher_is_better = True
    model: nn.Module

    def __init__(
        self,
        config: ClassificationConfig,
        corpus: LabelledCorpus,
        source: Any,
        tell: Observer,
        shard: Shard = WHOLE,
    ) -> None:
        self.corpus, self.source, self._shard = corpus, source, shard
        training = read_texts(corpus, "train", tell)
        self.labels = classes_of(training, corpus.name)
        earlier, vectors, extra = _earlier_of(config), None, 0
        if earlier is None:
            self._tokenizer, vectors, extra = _tokenizer_of(config, training)
        else:
            self._tokenizer, config = earlier.tokenizer, _as_was_read(config, earlier)
        self.reader = TextReader(self._tokenizer, config.data)
        self._train = self._part(training)
        # only so many are judged: texts of all classes, also where the corpus has one class after the other
        self._held_out = self._part(read_texts(corpus, "validation", tell).shuffled())
        derived = {
            "vocabulary": self.reader.rows,
            "classes": len(self.labels),
            "pairs": corpus.pairs,
            "subwords": config.data.tokenizer == SUBWORDS,
        }
        if vectors is not None:
            derived |= {"embedding": vectors.dim, "extra": extra}
        self.config = replace(config, model=replace(config.model, **derived))  # type: ignore[type-var]
        model = Classifier(self.config.model)  # type: ignore[arg-type]
        self.model: nn.Module = model
        self._told: dict[str, str | int] = {}
        if earlier is not None:
            begin_with(model.input, model.encoder, earlier.model)  # type: ignore[arg-type]
        if vectors is not None:
            self._told["words with a vector"] = _begin_with(model.input, self._tokenizer, vectors)
        self.watched = "validation_micro_f1" if corpus.several else "validation_accuracy"
        self._weights = _class_weights(self._train.truth, len(self.labels), config.train.class_weights)
        self._scores: NDArray[np.float32] | None = None

    def _part(self, texts: Texts) -> Part:
        second = self.reader.read(texts.seconds) if self.corpus.pairs else None
        return Part(
            texts.texts[0] if len(texts) else "",
            self.reader.read(texts.texts),
            second,
            truth_of(texts, self.labels, self.corpus.several),
        )

    @property
    def title(self) -> str:
        """One line for people."""
        return f"{self.config.model.kind} classifier of {len(self.labels)} classes, on {self.corpus.name}"  # type: ignore[attr-defined]

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        part = self._train
        sides = [side.tokens.lengths for side in (part.first, part.second) if side is not None]
        batches = [which + part.number * side for side in range(len(sides)) for which in self._order(0)]
        shares = padding_share(np.concatenate(sides), batches)
        cut = part.first.shortened / max(1, part.number)
        return {
            "training texts": f"{part.number:,}",
            "validation texts": f"{self._held_out.number:,}",
            "classes": told_classes(part.truth, self.labels),
            "vocabulary": f"{self._tokenizer.size:,} ({self.config.data.tokenizer})",
            **self._told,
            "padding": f"{shares:.1%} of the computed places",
            **({"shortened": f"{cut:.1%} of the texts, to {self.config.data.longest} tokens"} if cut else {}),
        }

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        return records_of(self.corpus, self.source, self.labels)

    def save_parts(self, path: Path) -> None:
        """Write the tokenizer."""
        self._tokenizer.save(path)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: ClassificationConfig) -> ClassifierRun:
        """The run in a folder, its weights still to be read."""
        reader, model = TextReader(load_tokenizer(path), config.data), config.model
        subwords = config.data.tokenizer == SUBWORDS
        if (reader.rows, subwords) != (model.vocabulary, model.subwords):  # type: ignore[attr-defined]
            raise RunError(
                f"the settings in {path / artifact.CONFIG} do not go with {artifact.TOKENIZER}: one of them was "
                "changed; train again or restore it"
            )
        return NeuralRun(path, record, Classifier(config.model), reader, config.data)  # type: ignore[arg-type]

    def steps_per_epoch(self) -> int:
        """Batches in a pass."""
        return len(self._order(0))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[Any]:
        """First texts, second texts or None, and the truth ([B], or [B, C] of several labels); this process's."""
        part, shard = self._train, self._shard
        for which in self._order(epoch)[start:]:
            own = which[shard.rank :: shard.of]
            second = None if part.second is None else self.reader.batch(part.second, own)
            yield self.reader.batch(part.first, own), second, torch.from_numpy(part.truth[own])

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        """Which texts are in which batch; none so small that a process would have nothing of it."""
        size = self.config.train.batch_size * self._shard.of
        generator = np.random.default_rng([self.config.train.seed, epoch])
        return [batch for batch in batches_of(self._train.lengths, size, generator) if len(batch) >= self._shard.of]

    def layers(self, model: nn.Module) -> list[Layer]:
        """The layers of a language model are trained later and slower than what is new, the lower the more."""
        assert isinstance(model, Classifier)
        if not isinstance(model.encoder, TransferEncoder):
            return [Layer(list(model.parameters()))]
        train = self.config.train
        old = depths(model.input, model.encoder)  # type: ignore[arg-type]
        known = {id(parameter) for part in old for parameter in part}
        layers = [Layer([p for p in model.parameters() if id(p) not in known])]
        for depth, part in enumerate(old, 1):
            layers.append(Layer(part, train.layer_rates**-depth, min(1.0, round(train.unfreeze * depth, 9))))
        return layers

    def loss(self, model: nn.Module, batch: Any, carry: Tensor | None) -> Loss:
        """Mean cross-entropy of the batch, in nats a text (of several labels: a yes or no)."""
        first, second, truth = batch
        logits, smoothing = model(first, second), self.config.train.label_smoothing
        weights = None if self._weights is None else self._weights.to(logits.device)
        score = binary_cross_entropy if self.corpus.several else cross_entropy
        mean = score(logits, truth, smoothing, weights=weights)
        return Loss(mean, len(truth), None, score(logits.detach(), truth) if smoothing or weights is not None else mean)

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss as it is, in nats."""
        return {"loss": mean_loss}

    def settle(self, model: nn.Module) -> None:
        """Find the temperature and, of several labels, the thresholds on the validation texts."""
        assert isinstance(model, Classifier)
        model.temperature.fill_(1.0)
        part, several = self._held_out, self.corpus.several
        self._scores = None
        if not part.number:
            return
        self._scores = self._judge(model)
        truth = part.truth[: len(self._scores)]
        model.temperature.fill_(fit_temperature(self._scores, truth))
        if several:
            found = as_probabilities(self._scores, float(model.temperature), several)
            model.thresholds.copy_(torch.from_numpy(fit_thresholds(found, truth)))

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Figures on the validation texts; nothing when there is none."""
        assert isinstance(model, Classifier)
        if not self._held_out.number:
            return {}
        scores = self._judge(model) if self._scores is None else self._scores
        found = as_probabilities(scores, float(model.temperature), self.corpus.several)
        truth = self._held_out.truth[: len(scores)]
        thresholds = model.thresholds.cpu().numpy()
        figures = class_figures(truth, found, self.labels, self.corpus.several, thresholds, confusion=False)
        return validation_figures(figures)

    def sample(self, model: nn.Module) -> str:
        """A held-out text, and what is said of it."""
        if self._scores is None or not len(self._scores):
            return ""
        assert isinstance(model, Classifier)
        found = as_probabilities(self._scores[:1], float(model.temperature), self.corpus.several)[0]
        best = int(found.argmax())
        text = " ".join(self._held_out.shown.split())
        return f"{text[:160]}{'…' if len(text) > 160 else ''}  →  {self.labels[best]} ({found[best]:.0%})"

    def _judge(self, model: Classifier) -> NDArray[np.float32]:
        """The logits of the validation texts, of as many as may be read."""
        part = self._held_out
        ends = np.cumsum(part.lengths)
        number = max(1, int(np.searchsorted(ends, self.config.train.evaluate_at_most, "right")))
        return judged(model, self.reader, part.first, part.second, number)


def _earlier_of(config: ClassificationConfig) -> LanguageModelRun | None:
    """The language model to begin with.

    Raises:
        RunError: what is named is no run of one.
    """
    if not isinstance(config.model, TransferConfig):
        return None
    path = config.model.encoder
    if path is None:
        raise ConfigError("--model lm needs --encoder RUN, a run of textdl train lm; make one of your own text first")
    run = load(path)
    if not isinstance(run, LanguageModelRun):
        raise RunError(f"{path} is a run of task {run.config['task']}, not of a language model; name one of train lm")
    return run


def _as_was_read(config: ClassificationConfig, earlier: LanguageModelRun) -> ClassificationConfig:
    """The config with texts read as the language model read them, and its layers."""
    tokenizer, model = earlier.tokenizer, earlier.model.config
    data = replace(config.data, tokenizer=tokenizer.kind, lowercase=tokenizer.lowercase, markup=False, form="none")
    own = replace(config.model, language_model=model, embedding=model.embedding)  # type: ignore[type-var]
    return replace(config, data=data, model=own)


def _tokenizer_of(config: ClassificationConfig, training: Texts) -> tuple[Tokenizer, Any, int]:
    """The tokenizer, trained on the training texts; the vectors to begin with, whose words it then knows too; and how
    many words it knows only from them, the last ones.

    Raises:
        ConfigError: vectors are given where tokens are no words, or their width is not the embedding's.
    """
    cleaner, model = TextReader.cleaning(config.data), config.model
    tokenizer = train_tokenizer(map(cleaner, training.every()), config.data.tokenizing())
    path = model.vectors  # type: ignore[attr-defined]
    if path is None:
        return tokenizer, None, 0
    if not isinstance(tokenizer, WordTokenizer) or config.data.tokenizer != "words":
        raise ConfigError(f"--vectors are of words, and the tokens are {config.data.tokenizer}; leave --tokenizer out")
    vectors = open_vectors(path)
    known = set(tokenizer.words)
    extra = [word for word in vectors.words if word not in known][:_MOST_EXTRA]
    return WordTokenizer([*tokenizer.words, *extra], lowercase=tokenizer.lowercase), vectors, len(extra)


def _begin_with(part: nn.Module, tokenizer: Tokenizer, vectors: Any) -> str:
    """Put the vectors into the embedding; says how many of the words have one."""
    assert isinstance(part, WordInput)
    assert isinstance(tokenizer, WordTokenizer)
    rows, known = np.zeros((tokenizer.size, vectors.dim), np.float32), np.zeros(tokenizer.size, bool)
    for row, word in enumerate(tokenizer.words):
        found = vectors.find(word)
        if found is not None:
            rows[row], known[row] = found, True
    part.start_from(torch.from_numpy(rows), torch.from_numpy(known))
    return f"{known.sum():,} of {len(tokenizer.words):,}"


def _class_weights(truth: NDArray[Any], classes: int, kind: str) -> Tensor | None:
    """What a text of each class counts [C]; of several labels what a yes counts beside a no."""
    if kind == "none":
        return None
    if truth.ndim == 2:
        yes = np.maximum(1, truth.sum(0))
        return torch.from_numpy((np.maximum(1, len(truth) - yes) / yes).astype(np.float32))
    counts = np.bincount(truth, minlength=classes)
    return torch.from_numpy((len(truth) / (classes * np.maximum(1, counts))).astype(np.float32))
