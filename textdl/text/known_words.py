"""Words with their counts and ids. Counting and encoding are in :mod:`.vocabulary`.

Legend: V words of a vocabulary.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..artifact import read_json, write_atomic
from ..config import check, knob
from ..errors import ConfigError, CorpusError, RunError
from .spelling import near_spellings

FORMAT = 1


@dataclass(frozen=True)
class VocabularyConfig:
    """Which of the words of a text are kept.

    Raises:
        ConfigError: a value is out of range; ``unknown`` is none of ``special``; or there are more of these than words.
    """

    least_count: int = knob(1, "Words seen fewer times are left out.", least=1)
    most_words: int | None = knob(None, "Largest vocabulary, special tokens included.", least=1)
    special: tuple[str, ...] = knob((), "Tokens that come first, whether the text has them or not.", flag=False)
    unknown: str | None = knob(
        None, "The special token that stands for words left out; else they are skipped.", flag=False
    )

    def __post_init__(self) -> None:
        check(self)
        if self.unknown is not None and self.unknown not in self.special:
            raise ConfigError(f"unknown must be one of the special tokens, got {self.unknown!r}; add it to special")
        if len(set(self.special)) < len(self.special) or "" in self.special:
            raise ConfigError(f"special must be distinct tokens, got {self.special!r}; name each once")
        if self.most_words is not None and self.most_words < len(self.special):
            raise ConfigError(
                f"most_words must be at least {len(self.special)}, the special tokens, got {self.most_words}"
            )


class Vocabulary:
    """Distinct words, their counts and ids; immutable.

    Ids are the places in ``words``: special tokens first, then the most frequent word, ties by the words' characters.

    Args:
        words: [V], in the order of their ids.
        counts: [V], how often each was seen.
        special: the first of the words, when those are tokens with a meaning of their own.
        unknown: the one of them that stands for words that are not here; without it these are skipped.
        seen: all words of the text, those left out included; the sum of the counts when not said.
        missed: how much smaller than the truth a count may be, and how often a word that is not here may have
            been seen in spite of ``least_count``, because memory was bounded; 0 when the counts are exact.

    Raises:
        CorpusError: the words are not distinct texts, or the counts not as many whole numbers.
    """

    def __init__(
        self,
        words: Sequence[str],
        counts: Sequence[int] | NDArray[Any],
        *,
        special: Sequence[str] = (),
        unknown: str | None = None,
        seen: int | None = None,
        missed: int = 0,
    ) -> None:
        self._words = tuple(words)
        self._special = tuple(special)
        self._unknown = unknown
        self._counts = _checked_counts(counts, len(self._words))
        self._counts.flags.writeable = False
        _check_words(self._words)
        self._ids = {word: id for id, word in enumerate(self._words)}
        if len(self._ids) < len(self._words):
            twice = next(word for id, word in enumerate(self._words) if self._ids[word] != id)
            raise CorpusError(f"a vocabulary has distinct words, got {twice!r} twice; join their counts")
        if self._words[: len(self._special)] != self._special:
            raise CorpusError(f"the special tokens {self._special!r} must be the first words of a vocabulary")
        if unknown is not None and unknown not in self._special:
            raise CorpusError(f"the token for unknown words must be a special one, got {unknown!r}")
        self.seen = int(self._counts.sum()) if seen is None else seen
        self.missed = missed

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[str, int],
        config: VocabularyConfig | None = None,
        *,
        seen: int | None = None,
        missed: int = 0,
    ) -> Self:
        """The most frequent words of some counts, in order.

        Raises:
            CorpusError: no word is seen ``least_count`` times.
        """
        config = config or VocabularyConfig()
        least, special = config.least_count, set(config.special)
        known = [word for word, count in counts.items() if count >= least and word not in special]
        if not all(isinstance(word, str) for word in known):
            _check_words(tuple(known))
        known.sort()
        known.sort(key=counts.__getitem__, reverse=True)  # stable: ties stay in the order of the words
        if not known:
            raise _none_left(least)
        if config.most_words is not None:
            known = known[: config.most_words - len(config.special)]
        words = [*config.special, *known]
        return cls(
            words,
            [counts.get(word, 0) for word in words],
            special=config.special,
            unknown=config.unknown,
            seen=sum(counts.values()) if seen is None else seen,
            missed=missed,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The words [V] in the order of their ids."""
        return self._words

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each word was seen [V]; read-only."""
        return self._counts

    @property
    def ids(self) -> Mapping[str, int]:
        """The id of each word; read-only."""
        return types.MappingProxyType(self._ids)

    @property
    def special(self) -> tuple[str, ...]:
        """The tokens with a meaning of their own: the first words."""
        return self._special

    @property
    def unknown_id(self) -> int | None:
        """The id that stands for words that are not here, if there is one."""
        return None if self._unknown is None else self._ids[self._unknown]

    def id(self, word: str) -> int:
        """The id of a word; of an unknown one :attr:`unknown_id`.

        Raises:
            CorpusError: it is not here, and nothing stands for unknown words; near spellings are suggested.
        """
        found = self._ids.get(word)
        if found is None:
            found = self.unknown_id
        if found is None:
            close = near_spellings(word, self._ids)
            hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "it may be rarer than least_count"
            raise CorpusError(f"the vocabulary has no word {word!r}; {hint}")
        return found

    def get(self, word: str, default: int | None = None) -> int | None:
        """The id of a word, or ``default``."""
        return self._ids.get(word, default)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self._words, self._counts.tobytes()))

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} words of {self.seen:,} seen)"

    def grown(self, more: Vocabulary) -> Vocabulary:
        """This vocabulary with the counts of another added: its words keep their ids, new ones follow in order."""
        new = [word for word in more.words if word not in self._ids]
        counts = np.concatenate([self._counts, np.zeros(len(new), np.int64)])
        words = (*self._words, *new)
        places = {word: id for id, word in enumerate(words)}
        counts[[places[word] for word in more.words]] += more.counts
        return Vocabulary(
            words,
            counts,
            special=self._special,
            unknown=self._unknown,
            seen=self.seen + more.seen,
            missed=self.missed + more.missed,
        )

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "words": list(self._words),
            "counts": self._counts.tolist(),
            "special": list(self._special),
            "unknown": self._unknown,
            "seen": self.seen,
            "missed": self.missed,
        }

    def save(self, path: str | Path) -> Path:
        """Write it as JSON, all of it or nothing; returns the path.

        Raises:
            RunError: it can not be written.
        """
        content = self.to_json()
        whole = {"format": FORMAT, "sha256": _digest(content), **content}
        write_atomic(Path(path), json.dumps(whole, ensure_ascii=False) + "\n")
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            RunError: it is missing, damaged, or of a newer format.
        """
        data = read_json(Path(path))
        number, digest = data.pop("format", None), data.pop("sha256", None)
        if isinstance(number, int) and number > FORMAT:
            raise RunError(
                f"{path} is a vocabulary of format {number}, this textdl reads up to {FORMAT}; install a newer one"
            )
        if number != FORMAT or digest != _digest(data):
            raise RunError(f"{path} is no vocabulary, or was changed since it was written; count the words again")
        try:
            return cls(data.pop("words"), data.pop("counts"), **data)
        except (CorpusError, TypeError, KeyError) as error:
            raise RunError(f"{path} is no vocabulary ({error}); count the words again") from None


def _checked_counts(counts: Sequence[int] | NDArray[Any], size: int) -> NDArray[np.int64]:
    array = np.array(counts if len(counts) else np.empty(0, np.int64))
    if array.shape != (size,) or array.dtype.kind not in "iu" or (array < 0).any():
        raise CorpusError(f"a vocabulary of {size} words needs as many counts, whole numbers from 0, got {array!r}")
    return array.astype(np.int64)


def _check_words(words: tuple[str, ...]) -> None:
    try:
        "".join(words).encode()
        wrong: list[Any] = [""] if "" in words else []
    except (TypeError, UnicodeEncodeError):
        wrong = [word for word in words if not isinstance(word, str) or _is_broken(word)]
    if wrong:
        raise CorpusError(f"a word of a vocabulary must be a text of whole characters, got {wrong[0]!r}; leave it out")


def _is_broken(word: str) -> bool:
    return any(0xD800 <= ord(character) < 0xE000 for character in word)


def _none_left(least: int) -> CorpusError:
    if least <= 1:
        return CorpusError("there is no word to count; give text with words in it")
    return CorpusError(f"no word is seen {least} times (least_count); lower it or add text")


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
