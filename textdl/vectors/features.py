"""What is counted in a text: words or characters, alone and in runs (n-grams).

A text becomes one line of features with a space between them, which the compiled counting reads; within a feature a
space is written as :data:`MARK`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, CorpusError, near
from ..text.letters import WORDS as WORDS
from ..text.stop_words import stop_words

#: Stands for a space within a feature: a character that no text has, and that is no white space.
MARK = "\x01"
UNITS = ("word", "character", "within")
CUTS = ("words", "space", "nltk")
BATCH = 1 << 20  # characters that are counted at a time
REMEMBERED = 1 << 16  # words whose runs of characters are kept


class TakesTexts:
    """For an estimator of scikit-learn's: says that it takes texts, and no numbers. Stands before its other bases."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    def _more_tags(self) -> dict[str, Any]:  # the same for scikit-learn before 1.6
        return {"X_types": ["string"]}


Cut: TypeAlias = str | Callable[[str], Sequence[str]]
StopWords: TypeAlias = str | Path | Iterable[str] | None
Line: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class Features:
    """The settings that the vectorizers share; they say what each means.

    Raises:
        ConfigError: a value has no such choice, is out of range, or does not go with another.
    """

    unit: str = "word"
    ngrams: tuple[int, int] = (1, 1)
    cut: Cut = "words"
    lowercase: bool = True
    stop_words: StopWords = None
    stem: Callable[[str], str] | None = None
    prepare: Callable[[str], str] | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ConfigError(f"unit has no choice {self.unit!r}; {near(str(self.unit), UNITS)}")
        if not callable(self.cut) and self.cut not in CUTS:
            raise ConfigError(f"cut has no choice {self.cut!r}; {near(str(self.cut), CUTS)}, or give a function")
        try:
            least, most = self.ngrams
            is_range = 1 <= least <= most and least == int(least) and most == int(most)
        except (TypeError, ValueError):
            is_range = False
        if not is_range:
            raise ConfigError(f"ngrams must be two lengths, from 1 on, in order, got {self.ngrams!r}; write (1, 2)")
        for name in ("stop_words", "stem"):
            if self.unit != "word" and getattr(self, name) is not None:
                raise ConfigError(f"{name} goes with unit='word', got unit={self.unit!r}; leave one of them out")

    def line(self) -> Line:
        """The function that makes a text a line of features."""
        least, most = self.ngrams
        if self.unit == "character":
            return self._prepared(lambda text: " ".join(_characters(MARK.join(text.split()), least, most)))
        if self.unit == "within":
            # Text has the same words again and again.
            runs = lru_cache(REMEMBERED)(lambda word: _within(word, least, most))
            return self._prepared(lambda text: " ".join(map(runs, text.split())))
        stop = stop_words(self.stop_words)
        if self.lowercase:  # as the words that they are compared with
            stop = frozenset(word.lower() for word in stop)
        if self.cut == "space" and most == 1 and not stop and self.stem is None:
            return self._prepared(lambda text: text.replace("\n", " ").replace("\r", " "))
        words = self._words(stop)
        if most == 1:
            return self._prepared(lambda text: " ".join(words(text)))
        return self._prepared(lambda text: " ".join(_runs(words(text), least, most)))

    def _prepared(self, work: Line) -> Line:
        prepare, lowercase = self.prepare, self.lowercase

        def line(text: str) -> str:
            if prepare is not None:
                text = prepare(text)
            if MARK in text or "\0" in text:
                text = text.replace(MARK, "\ufffd").replace("\0", "\ufffd")
            return work(text.lower() if lowercase else text)

        return line

    def _words(self, stop: frozenset[str]) -> Callable[[str], Sequence[str]]:
        cut, stem = cutter(self.cut), self.stem
        if not stop and stem is None:
            return cut

        def words(text: str) -> list[str]:
            kept = [word for word in cut(text) if word not in stop and word.lower() not in stop]
            return kept if stem is None else _sound(map(stem, kept))

        return words


def cutter(cut: Cut) -> Callable[[str], Sequence[str]]:
    """The function that cuts a text into words, none of them with white space in it."""
    if cut == "words":
        return WORDS.findall
    if cut == "space":
        return str.split
    if cut == "nltk":
        from ..text.word_rules import words

        return lambda text: [word for word in words(text) if not word.isspace()]
    assert callable(cut)
    return lambda text: _sound(cut(text))


def _sound(words: Iterable[str]) -> list[str]:
    """The words that a user's function gives, white space within them written as the mark."""
    return [word if word.isalnum() else MARK.join(word.split()) for word in words if word and not word.isspace()]


def _runs(words: Sequence[str], least: int, most: int) -> Iterator[str]:
    for n in range(least, most + 1):
        yield from words if n == 1 else map(MARK.join, zip(*(words[start:] for start in range(n)), strict=False))


def _characters(text: str, least: int, most: int) -> list[str]:
    return [text[start : start + n] for n in range(least, most + 1) for start in range(len(text) - n + 1)]


def _within(word: str, least: int, most: int) -> str:
    """Runs of characters of a word with a space before and after it, as a line; a short word once as a whole."""
    text = f"{MARK}{word}{MARK}"
    runs = _characters(text, least, min(most, len(text) - 1))
    return " ".join([*runs, text] if most >= len(text) else runs)


def checked_texts(texts: Iterable[str]) -> Iterable[str]:
    """Several texts.

    Raises:
        CorpusError: they are one text, or nothing that can be gone through.
    """
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__iter__"):
        kind = "one text" if isinstance(texts, str) else type(texts).__name__
        raise CorpusError(f"texts must be a list of texts, got {kind}; write [text]")
    return texts


def line_batches(texts: Iterable[str], line: Line) -> Iterator[NDArray[np.uint8]]:
    """Lines of features as UTF-8 bytes [B], each closed by a line end, about :data:`BATCH` at a time.

    Raises:
        CorpusError: one of the texts is no text.
    """
    lines: list[str] = []
    size = 0
    for number, text in enumerate(checked_texts(texts), 1):
        if not isinstance(text, str):
            raise CorpusError(f"text {number} must be a text, got {_named(text)}; leave it out or write it as a text")
        lines.append(line(text))
        size += len(lines[-1]) + 1
        if size >= BATCH:
            yield _bytes(lines)
            lines, size = [], 0
    if lines:
        yield _bytes(lines)


def _bytes(lines: list[str]) -> NDArray[np.uint8]:
    text = "\n".join([*lines, ""])
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which is no character
        data = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return np.frombuffer(data, np.uint8)


def _named(value: Any) -> str:
    return repr(value) if isinstance(value, (int, float)) or value is None else type(value).__name__
