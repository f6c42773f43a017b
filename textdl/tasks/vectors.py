"""Word vectors: a text is read sentence by sentence, its words counted, and each is given a vector.

On a CPU they are made in one call of an estimator, in compiled loops; on a GPU word2vec is learned by the trainer.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from .. import artifact
from ..config import knob, knobs
from ..corpus import Corpus, open_corpus
from ..errors import ConfigError, RunError
from ..models.vectors import VectorsConfig, VectorTable
from ..text.known_words import Vocabulary
from ..training.config import OPTIMIZERS, PRECISIONS, SCHEDULES, TrainConfig
from ..training.device import pick_device
from ..training.events import Note, Observer, Progress, Report, Started, Working
from ..training.processes import WHOLE, Shard
from ..vectors.opening import TASK, vectors_of, vectors_of_run
from ..vectors.questions import ask
from ..vectors.word_vectors import Method, WordVectors
from .base import Run, command
from .vector_text import VectorsData, write_words
from .vectors_about import AboutVectors
from .vectors_by_gradient import WordContextsTask

if TYPE_CHECKING:
    from ..vectors.word2vec import Word2Vec

WORD2VEC = ("skipgram", "cbow")
#: What the compiled loops go by; the rest of the settings of training are the trainer's.
OF_LOOPS = ("epochs", "lr", "patience", "seed", "device", "threads", "engine", "earlier")
LR_OF_TRAINER = 0.02  # with Adam and 8192 words a step; the vectors are then as good as those of the loops
LR_OF_BAGS = 0.05  # twice that of skip-gram, as in the program of Mikolov et al.
NO_LOCKS = "several threads work without locks: the vectors differ a little each time; --threads 1 repeats them"


@dataclass(frozen=True)
class VectorsTraining(TrainConfig):
    """How long and how fast vectors are trained; compiled loops and the trainer share the first settings only."""

    epochs: float = knob(5.0, "Passes over the text.", above=0)
    lr: float | None = knob(  # type: ignore[assignment]
        None, "Highest learning rate (default: that of the method).", above=0, most=1000
    )
    batch_size: int = knob(8192, "Words of the text in a step (engine torch).", least=2, most=10_000_000)
    optimizer: str = knob("adam", "How the weights are changed (engine torch).", choices=OPTIMIZERS)
    schedule: str = knob("linear", "How the learning rate changes (engine torch).", choices=SCHEDULES)
    precision: str = knob("float32", "Precision of the matrix products (engine torch).", choices=PRECISIONS)
    clip: float | None = knob(None, "Largest norm of the gradient; none for no limit.", above=0, flag=False)
    threads: int | None = knob(
        None, "CPU threads (default: one a core). One alone gives the same vectors each time.", least=1, most=4096
    )
    engine: str = knob(
        "auto", "loops: compiled, on the CPU; torch: the trainer, as on a GPU.", choices=("auto", "loops", "torch")
    )
    earlier: str | None = knob(None, "Folder of a run of word vectors to go on from (skipgram, cbow).", flag=False)


@dataclass(frozen=True)
class WordVectorsConfig:
    """Everything that can be set about training word vectors."""

    data: VectorsData = field(default_factory=VectorsData)
    model: VectorsConfig = field(default_factory=VectorsConfig)
    train: VectorsTraining = field(default_factory=VectorsTraining)


class VectorsRun(Run):
    """Trained word vectors: ``nearest``, ``analogy`` and ``evaluate``; all else by ``run.vectors``."""

    def __init__(self, path: Path, config: Mapping[str, Any], model: VectorTable, words: Vocabulary) -> None:
        super().__init__(path, config, model)
        self._words = words
        self._vectors: WordVectors | None = None

    @property
    def vectors(self) -> WordVectors:
        """The words and their vectors."""
        if self._vectors is None:
            tables = {name: table.detach().cpu().numpy() for name, table in self.model.named_parameters()}
            self._vectors = vectors_of(self._words, tables)
        return self._vectors

    def next_command(self) -> str:
        """What to try with a new run."""
        words = self.vectors.words
        return command("nearest", self.path, words[min(len(words) - 1, 50 + len(words) // 200)])

    def nearest(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words whose vectors have the highest cosine with that of ``word``."""
        return self.vectors.nearest(word, count)

    def analogy(self, a: str, b: str, c: str, count: int = 1, method: Method = "add") -> list[tuple[str, float]]:
        """What is to ``c`` as ``b`` is to ``a``."""
        return self.vectors.analogy(a, b, c, count, method)

    def evaluate(  # type: ignore[override]
        self,
        analogies: str | Path | None = None,
        similarity: str | Path | Sequence[str | Path] = (),
        most: int | None = None,
        method: Method = "add",
    ) -> dict[str, Any]:
        """Accuracy on analogies and rank correlation with people's judgements of similarity.

        Args:
            analogies: a file of Google's form (``: section``, then four words a line), or "google".
            similarity: files of two words and a number a line, or "wordsim353", "simlex999".
            most: only the so many most frequent words are known.
            method: how analogies are answered, "add" or "mul".

        Raises:
            VectorsError: neither is given, or a file can not be read.
        """
        return ask(self.vectors, analogies, similarity, most, method).figures()


class TrainingVectors(AboutVectors):
    """Train word vectors: each word of a text gets one, near to those of words that are used alike."""

    name: ClassVar[str] = TASK
    config_class: ClassVar[type] = WordVectorsConfig
    example: ClassVar[str] = "news --out runs/news --dim 50 --least-count 3 --epochs 20"

    def __init__(self, config: WordVectorsConfig, corpus: Corpus, source: Any) -> None:
        self.config, self.corpus, self.source = config, corpus, source
        self.model = VectorTable(config.model)
        self.vocabulary: Vocabulary | None = None

    @classmethod
    def training(cls, config: WordVectorsConfig) -> VectorsTraining | None:
        """The settings of the trainer; None where the compiled loops do it in one call.

        Raises:
            ConfigError: a setting of the one is given where the other is to work.
        """
        model, train = config.model, config.train
        able = model.method in WORD2VEC and not model.hierarchical and not model.subwords and train.earlier is None
        if train.engine == "torch" and not able:
            raise ConfigError(
                "the engine torch does skipgram and cbow with negative samples, from the beginning; "
                "take --engine loops for hierarchical, subwords, earlier, glove and cooccurrence"
            )
        gpu = train.engine != "loops" and pick_device(train.device).type != "cpu"
        if train.engine == "torch" or (able and gpu):
            return replace(train, lr=LR_OF_TRAINER) if train.lr is None else train
        _refuse_trainers(train)
        _refuse_unused(model.method, train)
        return None

    @classmethod
    def prepare(
        cls, source: Any, config: WordVectorsConfig, tell: Observer, shard: Shard = WHOLE
    ) -> TrainingVectors | WordContextsTask:
        """Open the corpus; with the engine torch also read it."""
        corpus = open_corpus(source, config.data)
        if cls.training(config) is not None:
            return WordContextsTask(config, corpus, source, shard, tell)
        return cls(config, corpus, source)

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: WordVectorsConfig) -> VectorsRun:
        """The run in a folder, its table still to be filled."""
        return VectorsRun(path, record, VectorTable(config.model), Vocabulary.load(path / artifact.WORDS))

    def fit(self, tell: Observer) -> Report:
        """Write the text as words, a sentence a line; count them; train."""
        started, epochs = time.monotonic(), round(self.config.train.epochs)
        with tempfile.TemporaryDirectory() as folder:
            text, words, _ = write_words(self.corpus, self.config.data, Path(folder), tell)
            tell(Started(self.title, self.facts, epochs, "word"))
            if self.config.train.threads != 1 and self.config.model.method != "cooccurrence":
                tell(Note(NO_LOCKS))
            tell(Working("counting and encoding the words", 0.0))
            watch = _Watch(tell, epochs, words)
            estimator = self._train(text, watch)
        found: WordVectors = estimator.vectors_
        self.vocabulary, tables = estimator.vocabulary_, self._tables(estimator)
        sizes: dict[str, Any] = {"vocabulary": len(found), "dim": found.dim}
        sizes |= {name: len(tables[name]) for name in ("contexts", "grams") if name in tables}
        self.config = replace(self.config, model=replace(self.config.model, **sizes))
        self.model = VectorTable(self.config.model)
        for name, table in tables.items():
            self.model.get_parameter(name).copy_(torch.from_numpy(np.array(table)))
        seconds, done = time.monotonic() - started, len(watch.losses)
        figures = {"vocabulary": float(len(found)), **({"loss": watch.losses[-1]} if done else {})}
        report = Report("finished", done or 1, float(done or 1), seconds, words * (done or 1), figures)
        tell(report)
        return report

    def _train(self, text: Path, watch: _Watch) -> Any:
        """The estimator of the method, fitted."""
        model, train, data = self.config.model, self.config.train, self.config.data
        common: dict[str, Any] = {
            "dim": model.dim,
            "window": model.window,
            "least_count": data.least_count,
            "most_words": data.most_words,
            "seed": train.seed,
            "threads": train.threads,
        }
        if model.method == "cooccurrence":
            from ..vectors.cooccurrence import CoOccurrence

            own = {name: getattr(model, name) for name in ("shift", "smoothing", "power")}
            return CoOccurrence(**own, **common).fit(text)
        common["epochs"] = round(train.epochs)
        if train.lr is not None or model.method == "cbow":
            common["lr"] = train.lr or LR_OF_BAGS
        if model.method == "glove":
            from ..vectors.glove import Glove

            return Glove(x_max=model.x_max, **common).fit(text, tell=watch)
        from ..vectors.word2vec import Word2Vec

        own = {n: getattr(model, n) for n in ("method", "negative", "hierarchical", "sample", "subwords")}
        estimator = Word2Vec(patience=train.patience, **own, **common)
        if train.earlier is None:
            return estimator.fit(text, tell=watch, watch=watch.working)
        return restored(estimator, Path(train.earlier)).fit_more(text, tell=watch, watch=watch.working)

    def _tables(self, estimator: Any) -> dict[str, Any]:
        """The vectors, and what a further training goes on from."""
        tables = {"vectors": estimator.vectors_.matrix}
        if self.config.model.method in WORD2VEC and not self.config.model.hierarchical:
            weights, dim = estimator.weights_, estimator.vectors_.dim
            tables["contexts"] = weights.outputs[:, :dim]
        if self.config.model.subwords:
            tables["grams"] = estimator.weights_.inputs[:, :dim]
        return tables


def restored(estimator: Word2Vec, path: Path) -> Word2Vec:
    """An estimator as it was at the end of the training of a run.

    Raises:
        RunError: the run is none of word vectors, or one that can not be gone on from.
    """
    from ..vectors.word2vec import Weights

    found, arrays = vectors_of_run(path), artifact.load_arrays(path / artifact.MODEL)
    if "contexts" not in arrays:
        raise RunError(f"{path} can not be gone on from: it was not made by skipgram or cbow with negative samples")
    if found.dim != estimator.dim or ("grams" in arrays) != estimator.subwords:
        what = f"--dim {found.dim} {'--subwords' if 'grams' in arrays else '--no-subwords'}"
        raise RunError(f"{path} is of vectors of {what}; to go on from it say so again")
    estimator.vocabulary_ = Vocabulary.load(path / artifact.WORDS)
    inputs, outputs = (_padded(rows) for rows in (arrays.get("grams", arrays["vectors"]), arrays["contexts"]))
    estimator.weights_ = Weights(inputs, outputs, None)
    estimator.vectors_ = found
    return estimator


def _padded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows as wide as the loops want them."""
    from ..kernels.word2vec_threads import aligned_rows

    wide = aligned_rows(len(rows), rows.shape[1])
    wide[:, : rows.shape[1]] = rows
    return wide


class _Watch:
    """Tells the observers of each epoch."""

    def __init__(self, tell: Observer, epochs: int, words: int) -> None:
        self._tell, self._epochs, self._words = tell, epochs, words
        self._started = time.monotonic()
        self.losses: list[float] = []

    def __call__(self, epoch: int, loss: float) -> None:
        self.losses.append(loss)
        seconds = max(time.monotonic() - self._started, 1e-9)
        left, speed = seconds * (self._epochs - epoch) / epoch, self._words * epoch / seconds
        self._tell(Progress(epoch, epoch, epoch / self._epochs, {"loss": loss}, 0.0, speed, seconds, left))

    def working(self, epochs: float) -> None:
        """Tell that so many are done."""
        seconds = time.monotonic() - self._started
        loss = f"  loss {self.losses[-1]:.3f}" if self.losses else ""
        speed = self._words * epochs / max(seconds, 1e-9) / 1e6
        self._tell(Working(f"epoch {epochs:.2f}{loss}  {speed:.2f} M words/s", epochs / self._epochs))


def _refuse_trainers(train: VectorsTraining) -> None:
    """Raise a ``ConfigError`` where a setting of the trainer is given that the compiled loops do not know."""
    for name, (_, _, default) in knobs(VectorsTraining).items():
        if name not in OF_LOOPS and getattr(train, name) != default:
            raise ConfigError(
                f"{name} is a setting of the trainer, which is used on a GPU or with --engine torch; leave it out"
            )
    if train.epochs != round(train.epochs):
        raise ConfigError(f"epochs must be a whole number where the compiled loops train, got {train.epochs}")
    if train.device.split(":")[0] not in ("auto", "cpu"):
        raise ConfigError(
            f"the compiled loops run on the CPU, got device {train.device}; leave --engine or --device out"
        )


def _refuse_unused(method: str, train: VectorsTraining) -> None:
    """Raise a ``ConfigError`` where a setting is given that the method has no use for."""
    unused = {"glove": ("patience", "earlier"), "cooccurrence": ("patience", "earlier", "lr")}.get(method, ())
    for name in unused:
        if getattr(train, name) is not None:
            raise ConfigError(f"{name} is not for the method {method}; leave it out, or take skipgram or cbow")
