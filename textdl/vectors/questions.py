"""All the questions that word vectors are judged by, in one call; the usual ones by their names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import near
from ..text.files import package_file, stem
from .evaluate import Analogies, Similarity, evaluate_analogies, evaluate_similarity
from .word_vectors import METHODS, Method, VectorsError, WordVectors

#: name -> (package, file in it). gensim carries them; nothing of it is imported to find them.
ANALOGIES = {"google": ("gensim", "test/test_data/questions-words.txt")}  # Mikolov et al. 2013
SIMILARITIES = {
    "wordsim353": ("gensim", "test/test_data/wordsim353.tsv"),  # Finkelstein et al. 2002
    "simlex999": ("gensim", "test/test_data/simlex999.txt"),  # Hill et al. 2015
}


@dataclass(frozen=True)
class Answers:
    """How vectors did. As text it is a table for people."""

    words: int
    analogies: Analogies | None
    similarities: tuple[Similarity, ...]

    def figures(self) -> dict[str, Any]:
        """The figures by name, for programs; None where there is none (no question was answered)."""
        found: dict[str, Any] = {"words": self.words}
        if self.analogies is not None:
            total = self.analogies.total
            found["analogies"] = {
                "accuracy": _there(total.accuracy),
                "accuracy_of_all": _there(total.accuracy_of_all),
                "unknown_share": _there(total.unknown_share),
                "questions": total.answered + total.unknown,
                "sections": {section.name: _there(section.accuracy) for section in self.analogies.sections},
            }
        if self.similarities:
            found["similarity"] = {
                each.name: {
                    "spearman": _there(each.spearman),
                    "spearman_of_all": _there(each.spearman_of_all),
                    "unknown_share": each.unknown_share,
                    "pairs": each.pairs,
                }
                for each in self.similarities
            }
        return found

    def __str__(self) -> str:
        tables = [self.analogies] if self.analogies is not None else []
        return "\n".join(map(str, [*tables, *self.similarities]))


def ask(
    vectors: WordVectors,
    analogies: str | Path | None = None,
    similarity: str | Path | Sequence[str | Path] = (),
    most: int | None = None,
    method: Method = "add",
) -> Answers:
    """Judge vectors by analogies, and by people's judgements of the similarity of words.

    Args:
        vectors: of V words.
        analogies: a file; see :func:`textdl.vectors.evaluate.read_analogies`; or a name of :data:`ANALOGIES`.
        similarity: files; see :func:`textdl.vectors.evaluate.read_similarity`; or names of :data:`SIMILARITIES`.
        most: only the so many most frequent words are known.
        method: how analogies are answered; see :meth:`WordVectors.analogy`.

    Raises:
        VectorsError: neither is given, a file is not there or wrong, or there is no such method.
    """
    several = [similarity] if isinstance(similarity, str | Path) else list(similarity)
    if analogies is None and not several:
        raise VectorsError("word vectors are measured by questions; give --analogies FILE, --similarity FILE, or both")
    if method not in METHODS:
        raise VectorsError(f"there is no analogy method {method!r}; {near(str(method), METHODS)}")
    files = [_question_file(source) for source in several]
    stems = [stem(file) for file in files]
    names = [str(file) if stems.count(name) > 1 else name for file, name in zip(files, stems, strict=True)]
    answered = None
    if analogies is not None:
        answered = evaluate_analogies(vectors, _question_file(analogies), most=most, method=method)
    judged = tuple(
        evaluate_similarity(vectors, file, most=most, name=name) for file, name in zip(files, names, strict=True)
    )
    return Answers(len(vectors), answered, judged)


def _question_file(source: str | Path) -> Path:
    """The file that is meant by a name, or by its path."""
    named, path = ANALOGIES | SIMILARITIES, Path(source)
    if str(source) not in named:
        if not path.is_file():
            raise VectorsError(f"there is no file of questions {str(source)!r}; give one or {', '.join(named)}")
        return path
    package, inside = named[str(source)]
    if (found := package_file(package, inside)) is not None:
        return found
    raise VectorsError(f"{source} comes with the package {package}, which does not hold it here; give a file instead")


def _there(value: float) -> float | None:
    return None if math.isnan(value) else value
