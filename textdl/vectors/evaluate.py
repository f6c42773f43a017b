"""Judging word vectors by analogies and by the similarity of pairs, unknown words told apart.

Two figures are given of each: of the questions whose words are all known, and of all questions, where one with an
unknown word counts as wrong (a pair with one, as of similarity 0). Only the second compares different vocabularies.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import near
from ..text.files import read_lines, stem
from .word_vectors import EPSILON, METHODS, Method, VectorsError, WordVectors

Question = tuple[str, str, str, str]
Pair = tuple[str, str, float]

QUESTIONS, COLUMNS = 256, 8192  # how many questions are held against how many words at once
CELLS, LEAST_COLUMNS = 1 << 24, 256  # cosines held at once, of the words of the questions with so many columns
_FIELDS = re.compile(r"[,;]|\s+")


@dataclass(frozen=True)
class Section:
    """How the questions of one section were answered.

    Attributes:
        name: of the section.
        correct: questions answered rightly.
        answered: questions whose words are all known.
        unknown: questions with an unknown word.
    """

    name: str
    correct: int
    answered: int
    unknown: int

    @property
    def accuracy(self) -> float:
        """The share of right answers among the questions whose words are known; NaN when there is none."""
        return self.correct / self.answered if self.answered else math.nan

    @property
    def accuracy_of_all(self) -> float:
        """The share of right answers among all questions, those with unknown words being wrong."""
        return self.correct / (self.answered + self.unknown) if self.answered + self.unknown else math.nan

    @property
    def unknown_share(self) -> float:
        """The share of questions with an unknown word."""
        return self.unknown / (self.answered + self.unknown) if self.answered + self.unknown else math.nan


@dataclass(frozen=True)
class Analogies:
    """The sections of an analogy test, and all of them together. As text it is a table."""

    sections: tuple[Section, ...]
    total: Section

    def __str__(self) -> str:
        rows = [*self.sections, self.total]
        width = max(len(section.name) for section in rows)
        lines = [f"{'section':{width}}  right   of all  unknown  questions"]
        for s in rows:
            right, of_all, unknown = (
                f"{share:6.1%}" if share == share else f"{'-':>6}"
                for share in (s.accuracy, s.accuracy_of_all, s.unknown_share)
            )
            shares = f"{right}  {of_all}   {unknown}"
            lines.append(f"{s.name:{width}} {shares}  {s.answered + s.unknown:9,}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Similarity:
    """How the cosines of pairs go with what people said of them.

    Attributes:
        name: of the set.
        pairs: how many there are.
        unknown: how many have a word without a vector.
        spearman: rank correlation over the known pairs, from -1 to 1; NaN where there is none.
        spearman_of_all: the same over all, an unknown pair having the cosine 0.
        pearson: linear correlation over the known pairs.
    """

    name: str
    pairs: int
    unknown: int
    spearman: float
    spearman_of_all: float
    pearson: float

    @property
    def unknown_share(self) -> float:
        """The share of pairs with an unknown word."""
        return self.unknown / self.pairs

    def __str__(self) -> str:
        return (
            f"{self.name}: Spearman {self.spearman:.4f} (of all pairs {self.spearman_of_all:.4f}), "
            f"{self.unknown} of {self.pairs} pairs with unknown words ({self.unknown_share:.1%})"
        )


def read_analogies(path: str | Path) -> dict[str, list[Question]]:
    """The questions of a file in the form of Google's (Mikolov et al. 2013), section by section.

    A line ``: name`` begins a section, every other holds four words. Questions before the first are of section "all".

    Raises:
        VectorsError: a line without four words, or no question at all.
        CorpusError: the file is missing, not readable, or not UTF-8.
    """
    path = Path(path)
    sections: dict[str, list[Question]] = {}
    name = "all"
    for number, line in enumerate(read_lines(path), 1):
        if line.startswith(":"):
            name = line[1:].strip()
            sections.setdefault(name, [])
        elif line.strip():
            words = line.split()
            if len(words) != 4:
                raise VectorsError(f"{path} line {number:,} must hold four words or ': section', got {line[:60]!r}")
            sections.setdefault(name, []).append((words[0], words[1], words[2], words[3]))
    if not any(sections.values()):
        raise VectorsError(f"{path} holds no analogy; a line is four words, or ': section'")
    return sections


def read_similarity(path: str | Path) -> list[Pair]:
    """The pairs of a similarity set: two words and the first number after them, parted by tabs, commas or semicolons;
    or two words and a number between spaces.

    That fits WordSim353, MEN, SimLex-999, SimVerb and Rare Words. Left out are lines that begin with #, and a heading:
    a first line of three columns or more without a number behind the second.

    Raises:
        VectorsError: another line is no pair, or there is none.
        CorpusError: the file is missing, not readable, or not UTF-8.
    """
    path = Path(path)
    pairs: list[Pair] = []
    heading = True  # may still come
    for number, line in enumerate(read_lines(path), 1):
        if line.startswith("#") or not line.strip():
            continue
        fields = _columns(line)
        pair = _pair(fields)
        if pair is not None:
            pairs.append(pair)
        elif not heading or len(fields) < 3 or any(_is_number(field) for field in fields[2:]):
            raise VectorsError(
                f"{path} line {number:,} must hold two words and a number, got {line[:60]!r}; "
                "put tabs between them where a word holds a space"
            )
        heading = False
    if not pairs:
        raise VectorsError(f"{path} holds no pair; a line is two words and a number")
    return pairs


def _columns(line: str) -> list[str]:
    """The columns of a line; with tabs or commas one may hold spaces. Others than three between spaces are none."""
    mark = next((mark for mark in ("\t", ",", ";") if line.count(mark) >= 2), None)
    if mark is not None:
        return [field.strip() for field in line.split(mark)]
    fields = _FIELDS.split(line.strip())
    return fields if len(fields) == 3 else []  # which of four are a word of two?


def _pair(fields: Sequence[str]) -> Pair | None:
    """Two words and the first number after them."""
    number = next((float(field) for field in fields[2:] if _is_number(field)), math.nan)
    return (fields[0], fields[1], number) if math.isfinite(number) and fields[0] and fields[1] else None


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def evaluate_analogies(
    vectors: WordVectors,
    questions: str | Path | dict[str, list[Question]],
    *,
    most: int | None = None,
    fold: bool = True,
    method: Method = "add",
) -> Analogies:
    """Answer "a is to b as c is to what" for every question, by matrix products over all of them at once.

    Args:
        vectors: of V words.
        questions: a file, or the sections of one; see :func:`read_analogies`.
        most: only the so many most frequent words are known.
        fold: ignore case; of words that differ by case only, the first (most frequent) stands for all.
        method: "add" or "mul"; see :meth:`WordVectors.analogy`.

    Raises:
        VectorsError: a wrong file, or an unknown method.
    """
    if method not in METHODS:
        raise VectorsError(f"there is no analogy method {method!r}; {near(str(method), METHODS)}")
    sections = questions if isinstance(questions, dict) else read_analogies(questions)
    known = _Known(vectors, most, fold)
    asked = [(name, question) for name, listed in sections.items() for question in listed]
    rows = [known.rows(question) for _, question in asked]
    whole = [place for place, row in enumerate(rows) if row is not None]
    wanted = np.array([rows[place] for place in whole], np.int64).reshape(-1, 4)
    answers = _answers(vectors, known, wanted[:, :3], method)
    right = (answers >= 0) & (known.groups[answers] == known.groups[wanted[:, 3]])
    number_of = {name: number for number, name in enumerate(sections)}
    named = np.array([number_of[asked[place][0]] for place in whole], np.int64)
    found = []
    for number, (name, listed) in enumerate(sections.items()):
        here = named == number
        found.append(Section(name, int(right[here].sum()), int(here.sum()), len(listed) - int(here.sum())))
    total = Section("total", int(right.sum()), len(whole), len(asked) - len(whole))
    return Analogies(tuple(found), total)


class _Known:
    """The words that count as known: a pool of N rows, and which of them are the same but for case."""

    def __init__(self, vectors: WordVectors, most: int | None, fold: bool) -> None:
        self.fold = fold
        self.pool = vectors.frequent(most)
        self.first: dict[str, int] = {}  # form -> its first place in the pool
        groups = [self.first.setdefault(self.form(vectors.words[p]), n) for n, p in enumerate(self.pool.tolist())]
        #: [N], for each word of the pool the place of the first one of its form.
        self.groups = np.array(groups, np.int64)

    def form(self, word: str) -> str:
        return word.casefold() if self.fold else word

    def rows(self, words: Sequence[str]) -> list[int] | None:
        """The places of words in the pool; None when one is unknown."""
        places = [self.first.get(self.form(word), -1) for word in words]
        return None if -1 in places else places

    def same(self) -> dict[int, list[int]]:
        """For each group of more than one, all of its places."""
        size = np.bincount(self.groups, minlength=len(self.groups))
        found: dict[int, list[int]] = {}
        for place in np.flatnonzero(size[self.groups] > 1).tolist():
            found.setdefault(int(self.groups[place]), []).append(place)
        return found


def _answers(vectors: WordVectors, known: _Known, asked: NDArray[np.int64], method: Method) -> NDArray[np.int64]:
    """The place in the pool of the best answer to each of Q questions [Q, 3] (a, b, c), none of these; -1 is none."""
    if not len(asked):
        return np.empty(0, np.int64)
    words, inverse = np.unique(asked, return_inverse=True)
    places = inverse.reshape(asked.shape)
    units = vectors.unit_rows(known.pool[words])
    left_out = _left_out(known, asked)
    best = np.full(len(asked), -np.inf, np.float32)
    answer = np.full(len(asked), -1, np.int64)
    step = max(LEAST_COLUMNS, min(COLUMNS, CELLS // len(words)))
    for start in range(0, len(known.pool), step):
        block = vectors.unit_rows(known.pool[start : start + step]).T
        cosines = units @ block  # of each word of the questions, once; a question is a sum or product of three rows
        if method == "mul":
            cosines = (1 + cosines) / np.float32(2)
        for at in range(0, len(asked), QUESTIONS):
            some = slice(at, at + QUESTIONS)
            scores = _scores(cosines, places[some], method)
            inside = (left_out[some] >= start) & (left_out[some] < start + block.shape[1])
            row, column = np.nonzero(inside)
            scores[row, left_out[some][row, column] - start] = -np.inf
            top = scores.argmax(axis=1)
            value = scores[np.arange(len(top)), top]
            better = value > best[some]
            best[some] = np.where(better, value, best[some])
            answer[some] = np.where(better, start + top, answer[some])
    return answer


def _scores(cosines: NDArray[Any], places: NDArray[np.int64], method: Method) -> NDArray[np.float32]:
    """3CosAdd or 3CosMul of Q questions over C words [Q, C], of the questions' words over the same [W, C]."""
    scores: NDArray[np.float32] = cosines[places[:, 1]]
    if method == "add":
        scores += cosines[places[:, 2]]
        scores -= cosines[places[:, 0]]
    else:
        scores *= cosines[places[:, 2]]
        scores /= cosines[places[:, 0]] + np.float32(EPSILON)
    return scores


def _left_out(known: _Known, asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places that may not answer each question [Q, E], filled up by -1: its words in every case they come in."""
    same = known.same() if known.fold else {}
    lists = [[place for word in row for place in same.get(word, [word])] for row in asked.tolist()]
    out = np.full((len(lists), max(map(len, lists))), -1, np.int64)
    for row, places in zip(out, lists, strict=True):
        row[: len(places)] = places
    return out


def evaluate_similarity(
    vectors: WordVectors,
    pairs: str | Path | Iterable[Pair],
    *,
    most: int | None = None,
    fold: bool = True,
    name: str = "",
) -> Similarity:
    """Correlate the cosines of pairs with what people said. A word without a row may get a vector of its subwords.

    Args:
        vectors: of V words.
        pairs: a file, or what is in one; see :func:`read_similarity`.
        most: only the so many most frequent words are known.
        fold: ignore case, as in :func:`evaluate_analogies`.
        name: of the set; by default the file's.

    Raises:
        VectorsError: a wrong file, or no pair.
    """
    given = isinstance(pairs, str | Path)
    listed = read_similarity(Path(pairs)) if isinstance(pairs, str | Path) else list(pairs)
    if not listed:
        raise VectorsError("there is no pair to judge the vectors by; give at least one")
    known = _Known(vectors, most, fold)
    cosines = np.array([_cosine(vectors, known, one, other) for one, other, _ in listed])
    people = np.array([score for _, _, score in listed], np.float64)
    there = ~np.isnan(cosines)
    return Similarity(
        name=name or (stem(Path(str(pairs))) if given else "pairs"),
        pairs=len(listed),
        unknown=int((~there).sum()),
        spearman=correlation(ranks(cosines[there]), ranks(people[there])),
        spearman_of_all=correlation(ranks(np.where(there, cosines, 0.0)), ranks(people)),
        pearson=correlation(cosines[there], people[there]),
    )


def _cosine(vectors: WordVectors, known: _Known, *pair: str) -> float:
    """The cosine of two words; NaN when one has no vector."""
    found = list(_vectors(vectors, known, pair))
    if len(found) < 2:
        return math.nan
    lengths = float(np.linalg.norm(found[0]) * np.linalg.norm(found[1]))
    return float(found[0] @ found[1]) / lengths if lengths else 0.0


def _vectors(vectors: WordVectors, known: _Known, words: Iterable[str]) -> Iterator[NDArray[np.float64]]:
    for word in words:
        places = known.rows([word])
        if places is not None:
            yield vectors.matrix[known.pool[places[0]]].astype(np.float64)
        elif vectors.subwords is not None and (guess := vectors.subwords.vector(word)) is not None:
            yield np.asarray(guess, np.float64)


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """The ranks [N] of values from 1 up, equal ones sharing the mean of theirs."""
    _, inverse, size = np.unique(values, return_inverse=True, return_counts=True)
    mean: NDArray[np.float64] = (np.cumsum(size) - (size - 1) / 2)[inverse]
    return mean


def correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Pearson's correlation of two lists of N numbers; NaN where one of them does not vary."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:  # rounding could give the latter a length
        return math.nan
    x, y = one - one.mean(), other - other.mean()
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / lengths if lengths else math.nan
