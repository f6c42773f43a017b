"""What every tokenizer is: text to ids and back, immutable once trained.

Legend of shapes: N ids of one text, V ids that there are.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..artifact import write_atomic
from ..config import check, knob
from ..errors import ConfigError, CorpusError, PromptError, RunError

Ids: TypeAlias = NDArray[np.int32]

FILE = "tokenizer.json"
FORMAT = 1
KINDS = ("characters", "bytes", "words", "bpe")
LEAST_BPE = 257  # the 256 bytes and the end of the text


@dataclass(frozen=True)
class TokenizerConfig:
    """How text is cut into ids.

    Raises:
        ConfigError: a value is out of range, or ``vocabulary`` has no room for the bytes bpe starts from.
    """

    tokenizer: str = knob("characters", "What one id stands for.", choices=KINDS)
    vocabulary: int = knob(8000, "Largest vocabulary, for words and bpe.", least=4)
    min_count: int = knob(1, "Characters and words seen fewer times are unknown.", least=1)
    lowercase: bool = knob(False, "Turn the text into lower case first.")

    def __post_init__(self) -> None:
        check(self)
        if self.tokenizer == "bpe" and self.vocabulary < LEAST_BPE:
            raise ConfigError(
                f"vocabulary must be at least {LEAST_BPE} for bpe (every byte and the end of the text),"
                f" got {self.vocabulary}"
            )


class Decoder(ABC):
    """Ids to text one id at a time, for streaming.

    The pieces of :meth:`push` and the last :meth:`flush`, joined, are ``Tokenizer.decode`` of the same ids.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def push(self, id: int) -> str:
        """The text that is certain after one more id; "" while a character is incomplete.

        Raises:
            PromptError: not an id of the tokenizer.
        """
        if not 0 <= id < self._size:
            raise _not_an_id(id, self._size)
        return self.flush() if id == self._size - 1 else self._piece(int(id))

    @abstractmethod
    def flush(self) -> str:
        """What is still held back, an incomplete character as U+FFFD; the decoder is as new afterwards."""

    @abstractmethod
    def _piece(self, id: int) -> str: ...


class Tokenizer(ABC):
    """Text to ids and back.

    Attributes:
        kind: its name in :data:`.tokenizers.TOKENIZERS`.
        unit: what one id stands for, as a word for reports ("character").
        lossless: whether ``decode(encode(text)) == text`` for any text (its lower case, if ``lowercase``).
        lowercase: whether text is turned into lower case first.
        size: V.
        end: V - 1, the id that separates documents; ``encode`` never gives it.
        unknown_id: the id that is written once for every unknown character or word, if there is one.
    """

    kind: ClassVar[str]
    unit: ClassVar[str]
    lossless: ClassVar[bool]

    def __init__(self, size: int, lowercase: bool, unknown_id: int | None = None) -> None:
        self._size = size
        self._lowercase = lowercase
        self._unknown_id = unknown_id

    @classmethod
    @abstractmethod
    def train(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn the vocabulary of some texts; the order of the texts does not matter.

        Raises:
            CorpusError: there is no text, or nothing is seen ``min_count`` times.
        """

    @classmethod
    @abstractmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The tokenizer that :meth:`to_json` wrote.

        Raises:
            RunError: the data are damaged.
        """

    @property
    def size(self) -> int:
        return self._size

    @property
    def end(self) -> int:
        return self._size - 1

    @property
    def lowercase(self) -> bool:
        return self._lowercase

    @property
    def unknown_id(self) -> int | None:
        return self._unknown_id

    @property
    def never(self) -> Ids:
        """The ids that generation must not choose: training never showed them, or they stand for no text."""
        return np.empty(0, np.int32)

    @functools.cached_property
    def digest(self) -> str:
        """sha256 of the content, in hexadecimal: equal digests encode alike."""
        content = {name: value for name, value in self.to_json().items() if name != "format"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def encode(self, text: str) -> Ids:
        """The ids [N] of a text. Text that looks like a special token is ordinary text."""
        return self._encode(self._normal(text))

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        """``[encode(text) for text in texts]``, faster where a kind can do it."""
        return [self.encode(text) for text in texts]

    def decode(self, ids: Sequence[int] | NDArray[Any]) -> str:
        """The text of ids [N]; the end of a document is no text.

        Raises:
            PromptError: not ids of this tokenizer.
        """
        array = self._checked(ids)
        parts = np.split(array, np.flatnonzero(array == self.end)) if len(array) else []
        return "".join(self._decode(part[part != self.end]) for part in parts)

    @abstractmethod
    def decoder(self) -> Decoder:
        """A fresh incremental decoder."""

    def unknown(self, text: str) -> tuple[str, ...]:
        """The distinct characters or words of a text outside the vocabulary, in order of appearance."""
        return ()

    def to_json(self) -> dict[str, Any]:
        """The whole tokenizer as plain JSON values."""
        return {"format": FORMAT, "kind": self.kind, "lowercase": self.lowercase, **self._content()}

    def save(self, folder: str | Path, name: str = FILE) -> Path:
        """Write ``tokenizer.json`` into a folder, all of it or nothing; returns its path.

        Raises:
            RunError: it can not be written.
        """
        path = Path(folder) / name
        with contextlib.suppress(OSError):  # where there can be no such folder, the write says so
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(self.to_json()) + "\n")
        return path

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"

    def _normal(self, text: str) -> str:
        return text.lower() if self.lowercase else text

    def _checked(self, ids: Sequence[int] | NDArray[Any]) -> Ids:
        array = np.asarray(ids)
        if not array.size:
            return np.empty(0, np.int32)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise PromptError(f"ids must be a list of whole numbers, got {array.dtype} of shape {array.shape}")
        bad = array[(array < 0) | (array >= self.size)]
        if len(bad):
            raise _not_an_id(int(bad[0]), self.size)
        return array.astype(np.int32, copy=False)

    @abstractmethod
    def _encode(self, text: str) -> Ids: ...

    def _decode(self, ids: Ids) -> str:
        """The text of ids without the end."""
        decoder = self.decoder()
        return "".join([*map(decoder.push, ids.tolist()), decoder.flush()])

    @abstractmethod
    def _content(self) -> dict[str, Any]: ...


def checked_texts(texts: Iterable[str]) -> Iterator[str]:
    """The texts that are not empty.

    Raises:
        CorpusError: one text instead of several, something that is no text, or nothing but empty texts.
    """
    if isinstance(texts, str):
        raise CorpusError("a tokenizer is trained on several texts, got one text; write [text]")
    found = False
    for text in texts:
        if not isinstance(text, str):
            raise CorpusError(f"a tokenizer is trained on texts, got {type(text).__name__}; pass strings")
        if text:
            found = True
            yield text
    if not found:
        raise CorpusError("there is no text to train a tokenizer on; give a corpus whose documents are not empty")


def stored(data: Mapping[str, Any], name: str, kind: type) -> Any:
    """A value of a stored tokenizer.

    Raises:
        RunError: it is missing, or of another type.
    """
    value = data.get(name)
    if not isinstance(value, kind):
        raise RunError(f"the stored tokenizer is damaged: {name!r} is missing or wrong; train again")
    return value


def stored_words(data: Mapping[str, Any], name: str) -> list[str]:
    """A list of distinct strings of a stored tokenizer.

    Raises:
        RunError: it is not one.
    """
    words: list[str] = stored(data, name, list)
    if not words or not all(isinstance(word, str) and word for word in words) or len(set(words)) < len(words):
        raise RunError(f"the stored tokenizer is damaged: {name!r} must be distinct texts; train again")
    return words


def _not_an_id(id: int, size: int) -> PromptError:
    return PromptError(f"{id} is not an id of this tokenizer; its ids are 0 to {size - 1}")
