"""Word vectors from wherever they lie: a run folder, or a file in any format. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import artifact
from ..errors import RunError
from ..text.known_words import Vocabulary
from .formats import load_vectors
from .subwords import GramVectors
from .word_vectors import WordVectors

TASK = "vectors"


def open_vectors(path: str | Path) -> WordVectors:
    """The vectors of a run of ``textdl train vectors``, or of a file; see :func:`textdl.vectors.formats.load_vectors`.

    Raises:
        RunError: nothing is there, the run is of another task, or it is damaged.
        VectorsError, CorpusError: the file can not be read.
    """
    path = Path(path)
    if not path.exists():
        raise RunError(f"there are no word vectors at {path}; make some: textdl train vectors CORPUS --out RUN")
    return vectors_of_run(path) if path.is_dir() else load_vectors(path)


def vectors_of_run(path: Path) -> WordVectors:
    """The vectors in a run folder, mapped into memory, and so are its n-grams where it has subwords.

    These are read through once, by :func:`textdl.artifact.map_arrays`: each must have the digest that it was written
    with. What a training would go on from (``contexts``) is neither read nor checked.

    Raises:
        RunError: it is no such run, or it is damaged.
    """
    record = artifact.read_config(path)
    if record.get("task") != TASK:
        raise RunError(f"{path} is a run of task {record.get('task')}, not of vectors; name one of train vectors")
    arrays = artifact.map_arrays(path / artifact.MODEL, ("vectors", "grams"))
    words = Vocabulary.load(path / artifact.WORDS)
    matrix = arrays.get("vectors")
    if matrix is None or matrix.ndim != 2 or len(matrix) != len(words):
        raise RunError(f"{path / artifact.MODEL} does not fit {artifact.WORDS}: one of them is from another run")
    return vectors_of(words, arrays)


def vectors_of(words: Vocabulary, tables: Mapping[str, NDArray[np.float32]]) -> WordVectors:
    """The words with the tables of a model: ``vectors`` [V, D], and ``grams`` [V + G, D] where there are subwords."""
    grams = tables.get("grams")
    subwords = None if grams is None else GramVectors(grams[len(words) :])
    return WordVectors(words.words, tables["vectors"], words.counts, subwords)
