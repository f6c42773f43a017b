"""From raw text to a trained neural model that you can use, look inside, and trust.

    import textdl

    run = textdl.train("lm", "recipes", out="runs/recipes", minutes=2)
    print(run.generate("Lemon ", temperature=0.7, seed=1))
    print(textdl.load("runs/recipes").evaluate())

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .corpus import Corpus, CorpusConfig
    from .tasks.text_classifier import TextClassifier
    from .training.events import Observer
    from .vectors.word2vec import Word2Vec
    from .vectors.word_vectors import WordVectors

__version__ = "0.1.0"
__all__ = ["TextClassifier", "Word2Vec", "WordVectors", "__version__", "load", "open_corpus", "open_vectors", "train"]

#: Classes that are imported when they are first asked for.
_LATER = {
    "TextClassifier": "textdl.tasks.text_classifier",
    "Word2Vec": "textdl.vectors.word2vec",
    "WordVectors": "textdl.vectors.word_vectors",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def train(
    task: str,
    corpus: str | Path | Iterable[str] | Mapping[str, Iterable[str]] | Corpus,
    *,
    out: str | Path,
    config: Any = None,
    observers: Sequence[Observer] = (),
    progress: bool = True,
    resume: bool = False,
    **settings: Any,
) -> Any:
    """Train a model and return its run.

    Args:
        task: the kind of job: ``"lm"``, ``"classify"``, ``"translate"``, ``"tag"``, ``"forecast"``, ``"vectors"``.
        corpus: a built-in name, a file, a folder, ``"hf:NAME"``, an iterable of texts, or ``{"train": texts, ...}``.
        out: the folder of the run; it must not hold one, unless ``resume``.
        config: the task's config, or the table of a ``config.json``; the defaults when none is given.
        observers: callables, each called with every event of the training.
        progress: show how the training goes, on standard error.
        resume: go on with the run in ``out`` from its last checkpoint, with its settings, to the same end as if it had
            never been stopped; start it where there is none. A finished run is returned as it is.
        settings: any setting by its name (``hidden=512``, ``minutes=2``), or in parts (``**{"train.lr": 0.01}``).

    Returns:
        The task's ``Run`` with its verb (``generate``, ``predict``, ``translate``, ``tag``, ``forecast``, ``nearest``)
        and ``evaluate``.

    Raises:
        TextdlError: in one line, what has to change.
    """
    from .tasks import base
    from .training.observers import view

    watching = [*observers, view()] if progress else list(observers)
    return base.train(task, corpus, out, config, watching, settings, resume)


def load(run: str | Path, device: str = "cpu", best: bool = False) -> Any:
    """Load a run from its folder; nothing else is needed.

    Args:
        run: the folder.
        device: where the model is to be.
        best: the model as it was at its best evaluation, instead of the one at the end of the training.

    Raises:
        RunError: no run there, or one that is damaged or made by a newer textdl.
        ConfigError: the device is not there.
    """
    from .tasks import base

    return base.load(run, device, best)


def open_vectors(source: str | Path) -> WordVectors:
    """The word vectors of a run, or of a file (word2vec, GloVe, safetensors); needs no torch.

    Raises:
        TextdlError: nothing is there, or it can not be read.
    """
    from .vectors import opening

    return opening.open_vectors(source)


def open_corpus(
    source: str | Path | Iterable[str] | Mapping[str, Iterable[str]] | Corpus,
    config: CorpusConfig | None = None,
) -> Corpus:
    """Open a corpus as ``train`` does; see :func:`textdl.corpus.open_corpus`."""
    from . import corpus

    return corpus.open_corpus(source, config or corpus.CorpusConfig())
