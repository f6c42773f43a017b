"""Counts weighted by how much they say: term frequency times inverse document frequency."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, near
from ..text.known_words import Vocabulary
from .counts import BagOfWords
from .features import Cut, StopWords

__all__ = ["NORMS", "TfIdf", "scale_rows"]

NORMS = ("l2", "l1")


class TfIdf(BagOfWords):
    """A bag of words in which a word counts the more, the fewer texts have it.

    Spärck Jones 1972, "A statistical interpretation of term specificity and its application in retrieval"; Salton &
    Buckley 1988, "Term-weighting approaches in automatic text retrieval". The weight of a feature in a text is its
    count times ln(n / d) + 1, d of n texts having it; with ``smooth`` ln((1 + n) / (1 + d)) + 1, as if one more text
    had every word.

    Args:
        smooth: see above; without it a feature of no text (of a given ``vocabulary``) weighs nothing.
        sublinear: take 1 + ln(count) instead of the count.
        norm: what each row is scaled to have: "l2" length 1, "l1" sum 1; None leaves it.

    The other settings are those of :class:`BagOfWords`.

    Attributes:
        vocabulary_, document_counts_: as there.
        idf_: [V], the inverse document frequencies, float32.
    """

    def __init__(
        self,
        unit: str = "word",
        ngrams: tuple[int, int] = (1, 1),
        cut: Cut = "words",
        lowercase: bool = True,
        stop_words: StopWords = None,
        stem: Callable[[str], str] | None = None,
        prepare: Callable[[str], str] | None = None,
        least_count: int = 1,
        least_documents: float = 1,
        most_documents: float = 1.0,
        most_words: int | None = None,
        vocabulary: Vocabulary | Sequence[str] | None = None,
        binary: bool = False,
        smooth: bool = True,
        sublinear: bool = False,
        norm: str | None = "l2",
    ) -> None:
        super().__init__(
            unit=unit,
            ngrams=ngrams,
            cut=cut,
            lowercase=lowercase,
            stop_words=stop_words,
            stem=stem,
            prepare=prepare,
            least_count=least_count,
            least_documents=least_documents,
            most_documents=most_documents,
            most_words=most_words,
            vocabulary=vocabulary,
            binary=binary,
        )
        self.smooth = smooth
        self.sublinear = sublinear
        self.norm = norm

    def _check(self) -> None:
        super()._check()
        check_norm(self.norm)

    def _fit(self, texts: Iterable[str]) -> Any:
        counts = super()._fit(texts)
        more = int(self.smooth)
        with np.errstate(divide="ignore"):
            idf = np.log((counts.shape[0] + more) / (self.document_counts_ + more)) + 1
        self.idf_: NDArray[np.float32] = np.where(np.isfinite(idf), idf, 0).astype(np.float32)
        return counts

    def _values(self, counts: Any) -> Any:
        values = super()._values(counts)
        if self.sublinear:
            values.data = np.log(values.data) + 1
        values.data *= self.idf_[values.indices]
        return scale_rows(values, self.norm)


def check_norm(norm: str | None) -> None:
    """Raises:
    ConfigError: there is no such norm.
    """
    if norm is not None and norm not in NORMS:
        raise ConfigError(f"norm has no choice {norm!r}; {near(str(norm), NORMS)}, or None")


def scale_rows(rows: Any, norm: str | None) -> Any:
    """The rows of a CSR matrix [n, V] scaled to a norm, in place; rows of zeros stay."""
    if norm is None:
        return rows
    sizes = abs(rows).sum(axis=1) if norm == "l1" else np.sqrt(rows.multiply(rows).sum(axis=1))
    sizes = np.asarray(sizes, np.float32).ravel()
    sizes[sizes == 0] = 1
    rows.data /= np.repeat(sizes, np.diff(rows.indptr))
    return rows
