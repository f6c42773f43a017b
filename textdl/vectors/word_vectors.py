"""Words and their vectors: which are near, what is to one as two are to each other, which does not belong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import TextdlError, near
from ..text.spelling import near_spellings
from .searching import largest

Vector = NDArray[np.float32]
#: A word or a vector, as it is or with a weight.
Concept = str | NDArray[Any] | tuple[str | NDArray[Any], float]
Found = list[tuple[str, float]]
Method = Literal["add", "mul"]
METHODS = ("add", "mul")

#: Kept from dividing by zero in 3CosMul; the value of Levy & Goldberg 2014.
EPSILON = 1e-3
#: A vector shorter than this counts as zeros; sums of squares of a longer one than ``LONGEST`` overflow float32.
SHORTEST, LONGEST = 1e-30, 1e30
BLOCK_BYTES = 1 << 26  # of scores held at once


class VectorsError(TextdlError):
    """Vectors can not be read, written, drawn, or asked for this."""


class Subwords(Protocol):
    """What gives a vector to a word that has no row of its own."""

    def vector(self, word: str) -> NDArray[Any] | None:
        """The vector [D] of a word, or None when nothing is known of its parts."""


class WordVectors:
    """Words, each with a vector. Immutable; the matrix may be a memory map, and is never copied when it is float32.

    Vectors are compared by their cosine; one of zeros has the cosine 0 with all. Beside the matrix only the lengths of
    its rows are kept, worked out when first needed. Answers come largest first, the earlier word first among equals.

    Args:
        words: V words, each once; the most frequent first where that is known.
        matrix: [V, D], any float type, kept as float32; not to be changed by the caller any more.
        counts: [V], how often each word stood in the training text.
        subwords: what gives vectors to words that have no row; it is not saved with them.
        check: False when the rows are known to be finite, so that a memory map is not read through.

    Raises:
        VectorsError: no words, a repeated one, shapes that do not fit, or a value that is not finite.
    """

    def __init__(
        self,
        words: Iterable[str],
        matrix: ArrayLike,
        counts: ArrayLike | None = None,
        subwords: Subwords | None = None,
        *,
        check: bool = True,
    ) -> None:
        self._words = _distinct(words)
        self._index = {word: place for place, word in enumerate(self._words)}
        self._matrix = _rows(matrix, self._words, check)
        self._counts = None if counts is None else _checked_counts(counts, len(self._words))
        self._subwords = subwords
        self._inverse: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self._words)

    def __contains__(self, word: object) -> bool:
        """Whether the word has a row of its own."""
        return word in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __getitem__(self, word: str) -> Vector:
        """The vector [D] of a word: its row, or what the subwords make of it.

        Raises:
            VectorsError: unknown; near spellings are suggested.
        """
        vector = self.find(word)
        if vector is None:
            raise VectorsError(self._unknown(word))
        return vector

    def __repr__(self) -> str:
        return f"WordVectors({len(self):,} words of {self.dim} dimensions)"

    @property
    def words(self) -> tuple[str, ...]:
        """The V words in the order of the rows."""
        return self._words

    @property
    def matrix(self) -> NDArray[np.float32]:
        """The vectors [V, D], read-only."""
        return self._matrix

    @property
    def counts(self) -> NDArray[np.int64] | None:
        """How often each word stood in the training text [V], where that is known; read-only."""
        return self._counts

    @property
    def subwords(self) -> Subwords | None:
        """What gives vectors to words that have no row."""
        return self._subwords

    @property
    def dim(self) -> int:
        """D."""
        return int(self._matrix.shape[1])

    def find(self, word: str) -> Vector | None:
        """The vector [D] of a word, or None when neither the matrix nor the subwords have one."""
        place = self._index.get(word)
        if place is not None:
            row: Vector = self._matrix[place]
            return row
        vector = None if self._subwords is None or not isinstance(word, str) else self._subwords.vector(word)
        return None if vector is None else self._checked(vector)[0]

    def place(self, word: str) -> int:
        """The row of a word.

        Raises:
            VectorsError: it has none; near spellings are suggested.
        """
        place = self._index.get(word)
        if place is None:
            raise VectorsError(self._unknown(word))
        return place

    def frequent(self, most: int | None = None) -> NDArray[np.int64]:
        """The rows [N] of the ``most`` most frequent words: by their counts, else as the words are ordered."""
        if most is not None and most < 1:
            raise VectorsError(f"the number of most frequent words must be at least 1, got {most}")
        if self._counts is None or most is None:
            return np.arange(len(self))[:most]
        return np.argsort(-self._counts, kind="stable")[:most]

    def unit_rows(self, places: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows at ``places``, scaled to length 1 [N, D]; those of zeros stay zeros."""
        rows: NDArray[np.float32] = self._matrix[places] * self._inverse_lengths()[places, None]
        return rows

    def nearest(self, query: str | NDArray[Any], count: int = 10, most: int | None = None) -> Found:
        """The words whose vectors have the largest cosine with the query's, the query itself left out.

        Args:
            query: a word, or a vector [D].
            count: how many.
            most: look among the so many most frequent words only.

        Raises:
            VectorsError: unknown word, wrong shape, or a value that is not finite.
        """
        return self.nearest_many([query], count, most)[0]

    def nearest_many(
        self, queries: Sequence[str | NDArray[Any]] | NDArray[Any], count: int = 10, most: int | None = None
    ) -> list[Found]:
        """:meth:`nearest` for Q queries at once, by matrix products.

        Args:
            queries: words or vectors [D], or an array [Q, D].
        """
        if isinstance(queries, str):
            raise VectorsError(f"nearest_many takes a list of words, got the text {queries!r}; use nearest for one")
        vectors = [self._unit(query) for query in queries]
        left_out = [[self._index[q]] if isinstance(q, str) and q in self._index else [] for q in queries]
        found: list[Found] = []
        step = max(1, BLOCK_BYTES // (4 * len(self)))
        for start in range(0, len(vectors), step):
            block = np.stack(vectors[start : start + step])
            found += self._ranked(self._cosines(block), left_out[start : start + step], count, most)
        return found

    def similarity(self, one: str, other: str) -> float:
        """The cosine of two words' vectors, from -1 to 1.

        Raises:
            VectorsError: unknown word.
        """
        return float(np.clip(self._unit(one) @ self._unit(other), -1, 1))  # rounding may go beyond

    def combine(
        self,
        positive: Sequence[Concept] | str,
        negative: Sequence[Concept] | str = (),
        count: int = 10,
        most: int | None = None,
    ) -> Found:
        """Concept arithmetic: the words nearest to the sum of the positive less the negative, each of length 1.

        Args:
            positive, negative: words, vectors [D], or either with a weight, ``("king", 0.5)``.
            count, most: as of :meth:`nearest`; the words handed over are never among those found.

        Raises:
            VectorsError: nothing to combine, unknown word, wrong shape or weight.
        """
        signed = [(concept, 1.0) for concept in _several(positive)] + [(c, -1.0) for c in _several(negative)]
        if not signed:
            raise VectorsError("there is nothing to combine; give at least one positive or negative word")
        total, left_out = np.zeros(self.dim), []
        for concept, sign in signed:
            item, weight = _weighted(concept)
            total += sign * weight * self._unit(item)
            left_out += [self._index[item]] if isinstance(item, str) and item in self._index else []
        return self._ranked(self._cosines(_unit_length(total)[None]), [left_out], count, most)[0]

    def analogy(self, a: str, b: str, c: str, count: int = 1, method: Method = "add") -> Found:
        """The words that are to c as b is to a: ``analogy("man", "king", "woman")``; a, b, c are never among them.

        Args:
            method: "add" takes the largest cosine with b - a + c, of unit vectors (3CosAdd; Mikolov, Yih & Zweig 2013,
                "Linguistic regularities in continuous space word representations"). "mul" takes the largest
                ``cos(x, b) cos(x, c) / (cos(x, a) + 0.001)``, cosines moved to 0 to 1 (3CosMul; Levy & Goldberg 2014,
                "Linguistic regularities in sparse and explicit word representations").

        Raises:
            VectorsError: unknown word or method.
        """
        if method not in METHODS:
            raise VectorsError(f"there is no analogy method {method!r}; {near(str(method), METHODS)}")
        if method == "add":
            return self.combine((b, c), (a,), count)
        shares = (1 + self._cosines(np.stack([self._unit(word) for word in (a, b, c)]))) / 2
        scores = shares[1] * shares[2] / (shares[0] + EPSILON)
        return self._ranked(scores[None], [[self._index[w] for w in (a, b, c) if w in self._index]], count, None)[0]

    def odd_one_out(self, words: Sequence[str]) -> str:
        """The word whose vector is farthest, by its cosine, from the mean of all; the first among equals.

        Raises:
            VectorsError: fewer than three different words, or an unknown one.
        """
        different = list(dict.fromkeys(_several(words)))
        if len(different) < 3:
            raise VectorsError(f"one word among others takes at least three different words, got {len(different)}")
        units = np.stack([self._unit(word) for word in different])
        return str(different[int(np.argmin(units @ units.mean(axis=0)))])

    def save(self, path: str | Path, format: str | None = None) -> None:
        """Write the words and vectors, atomically; see :func:`textdl.vectors.formats.save_vectors`."""
        from .formats import save_vectors

        save_vectors(self, path, format)

    def to_gensim(self) -> Any:
        """The same as gensim ``KeyedVectors``, counts included; see :func:`textdl.vectors.formats.to_gensim`."""
        from .formats import to_gensim

        return to_gensim(self)

    @classmethod
    def from_gensim(cls, keyed: Any) -> WordVectors:
        """Of gensim ``KeyedVectors`` in memory; see :func:`textdl.vectors.formats.from_gensim`."""
        from .formats import from_gensim

        return from_gensim(keyed)

    def _unknown(self, word: Any) -> str:
        if not isinstance(word, str):
            return f"a word must be text, got {word!r}"
        close = near_spellings(word, self._index)
        remedy = f"did you mean {' or '.join(map(repr, close))}?" if close else "none of them is spelled like it"
        return f"{word!r} is not among the {len(self):,} words; {remedy}"

    def _checked(self, query: Any) -> tuple[Vector, float]:
        """A vector [D] and its length."""
        try:
            vector = np.asarray(query, np.float32)
        except (TypeError, ValueError):
            raise VectorsError(f"a query must be a word or a vector, got {query!r}") from None
        if vector.shape != (self.dim,):
            raise VectorsError(f"a vector must have the shape ({self.dim},), got {vector.shape}")
        length = float(np.linalg.norm(vector.astype(np.float64)))
        if not length < LONGEST:
            raise VectorsError("a vector must be of finite numbers, got one with NaN, infinity or a huge value")
        return vector, length

    def _unit(self, query: Any) -> Vector:
        """The vector [D] of a word or of a vector, scaled to length 1; one of zeros stays."""
        return _unit_length(self._checked(self[query] if isinstance(query, str) else query)[0].astype(np.float64))

    def _inverse_lengths(self) -> NDArray[np.float32]:
        """One over the length of each row [V], 0 for a row of zeros."""
        if self._inverse is None:
            lengths, step = np.empty(len(self)), max(1, BLOCK_BYTES // (8 * self.dim))
            for start in range(0, len(self), step):
                block = self._matrix[start : start + step].astype(np.float64)
                lengths[start : start + step] = np.sqrt(np.einsum("vd,vd->v", block, block))
            if lengths.max() > LONGEST:
                word = self._words[int(lengths.argmax())]
                raise VectorsError(
                    f"the vector of {word!r} is {lengths.max():.3g} long, too long for float32; scale it"
                )
            self._inverse = np.where(lengths < SHORTEST, 0.0, 1 / np.maximum(lengths, SHORTEST)).astype(np.float32)
        return self._inverse

    def _cosines(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of each of Q unit vectors [Q, D] with every row [Q, V]."""
        scores = (self._matrix @ units[0])[None] if len(units) == 1 else units @ self._matrix.T
        scores *= self._inverse_lengths()
        return scores

    def _ranked(
        self, scores: NDArray[np.float32], left_out: Sequence[Sequence[int]], count: int, most: int | None
    ) -> list[Found]:
        """The words of the largest scores in each row of [Q, V], without those left out. Overwrites the scores."""
        if count < 1:
            raise VectorsError(f"the count of words to give must be at least 1, got {count}")
        for row, without in zip(scores, left_out, strict=True):
            row[list(without)] = -np.inf
        pool = None if most is None or most >= len(self) else self.frequent(most)
        columns, values = largest(scores if pool is None else scores[:, pool], count)
        places = columns if pool is None else pool[columns]
        return [
            [(self._words[p], v) for p, v in zip(ps, vs, strict=True) if v > -math.inf]
            for ps, vs in zip(places.tolist(), values.tolist(), strict=True)
        ]


def _unit_length(vector: NDArray[np.float64]) -> Vector:
    length = float(np.linalg.norm(vector))
    return (vector / length if length >= SHORTEST else np.zeros_like(vector)).astype(np.float32)


def _several(concepts: Any) -> list[Any]:
    """A list of concepts; a lone word or weighted word is one, not a list of letters."""
    is_weighted = isinstance(concepts, tuple) and len(concepts) == 2 and isinstance(concepts[1], int | float)
    return [concepts] if isinstance(concepts, str) or is_weighted else list(concepts)


def _weighted(concept: Any) -> tuple[Any, float]:
    """A word or a vector, and its weight."""
    pair = concept if isinstance(concept, tuple) else (concept, 1.0)
    if len(pair) != 2 or not isinstance(pair[1], int | float | np.floating) or not math.isfinite(pair[1]):
        shown = ", ".join(map(repr, pair[1:])) or "none"
        raise VectorsError(f"the weight of a concept must be a finite number, got {shown}")
    return pair[0], float(pair[1])


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    if isinstance(words, str):
        raise VectorsError(f"words must be a list of words, got the text {words!r}")
    whole = tuple(words)
    if not whole:
        raise VectorsError("there are no words; vectors need at least one")
    seen: dict[str, int] = {}
    for place, word in enumerate(whole):
        if not isinstance(word, str):
            raise VectorsError(f"a word must be text, got {word!r} at place {place}")
        if word in seen:
            raise VectorsError(f"the word {word!r} is repeated, at places {seen[word]} and {place}; keep one of them")
        seen[word] = place
    return whole


def _rows(matrix: ArrayLike, words: tuple[str, ...], check: bool) -> NDArray[np.float32]:
    """The matrix as read-only float32 rows, not copied if it is such already."""
    rows: NDArray[np.float32] = np.ascontiguousarray(matrix, np.float32).view(np.ndarray)
    if rows.ndim != 2 or rows.shape[0] != len(words) or rows.shape[1] == 0:
        raise VectorsError(f"the matrix must have the shape (words, dimensions) = ({len(words)}, D), got {rows.shape}")
    if check and (wrong := not_finite(rows)) is not None:
        raise VectorsError(f"the vector of {words[wrong]!r} holds NaN or infinity; every value must be a finite number")
    rows = rows.view()
    rows.flags.writeable = False
    return rows


def not_finite(rows: NDArray[np.float32]) -> int | None:
    """The first row of [V, D] with NaN or infinity, looked for in bounded memory."""
    step = max(1, BLOCK_BYTES // (4 * rows.shape[1]))
    for start in range(0, len(rows), step):
        good = np.isfinite(rows[start : start + step]).all(axis=1)
        if not good.all():
            return start + int(good.argmin())
    return None


def _checked_counts(counts: ArrayLike, size: int) -> NDArray[np.int64]:
    given = np.asarray(counts)
    if given.shape != (size,) or given.dtype.kind not in "iu" or (given < 0).any():
        raise VectorsError(f"counts must be {size} whole numbers, none below 0, got {given.dtype} of {given.shape}")
    own: NDArray[np.int64] = given.astype(np.int64)
    own.flags.writeable = False
    return own
