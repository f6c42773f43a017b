"""Byte-level byte-pair encoding, by the Hugging Face ``tokenizers`` package.

Method: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", on
bytes as in Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". There are no special
tokens in the package's model, so none can be matched inside a text; the end is an id of ours after its
last.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from ..errors import RunError
from .base import Decoder, Ids, Tokenizer, TokenizerConfig, checked_texts, stored
from .utf8 import BytesDecoder

TRAINING_BYTES = 200_000_000
SLICE = 1 << 14  # characters handed over at once: the package keeps about 100 bytes a token
GROUP = 64  # slices a call, which it spreads over the processor's cores
_SURROGATE = re.compile("[\ud800-\udfff]")
# A cut between a character and the space after it is one that the model's own splitting makes too.
_CUT = re.compile(r"(?<=\S)[ \n]")


class BpeTokenizer(Tokenizer):
    """See :mod:`.bpe`. Lossless, except that a lone surrogate (which UTF-8 has not) becomes U+FFFD."""

    kind = "bpe"
    unit = "token"
    lossless = True

    def __init__(self, model: Mapping[str, Any], *, lowercase: bool = False) -> None:
        """
        Args:
            model: the JSON of a byte-level BPE of the ``tokenizers`` package.

        Raises:
            RunError: it is damaged.
        """
        vocabulary, merges = _checked_model(model)
        super().__init__(len(vocabulary) + 1, lowercase)
        self._json = dict(model)
        self._model = _assemble(vocabulary, merges)
        alphabet = {character: value for value, character in enumerate(byte_alphabet())}
        self._pieces = [bytes(alphabet[c] for c in token) for token in sorted(vocabulary, key=vocabulary.__getitem__)]

    @classmethod
    def train(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn the merges on at most the first 200 MB of the texts (UTF-8); a merge needs two sightings.

        Raises:
            CorpusError: there is no text.
        """
        from tokenizers import trainers

        model = _assemble({}, [])
        trainer = trainers.BpeTrainer(
            vocab_size=config.vocabulary - 1,  # the end is ours
            min_frequency=2,
            show_progress=False,
            special_tokens=[],
            initial_alphabet=list(byte_alphabet()),
        )
        model.train_from_iterator(_training_texts(texts, config.lowercase), trainer)
        return cls(json.loads(model.to_str()), lowercase=config.lowercase)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(stored(data, "tokenizers", dict), lowercase=stored(data, "lowercase", bool))

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        slices: list[str] = []
        lengths: list[int] = []
        for text in texts:
            before = len(slices)
            slices.extend(_slices(_whole(self._normal(text))))
            lengths.append(len(slices) - before)
        parts: list[Ids] = []
        for start in range(0, len(slices), GROUP):
            found = self._model.encode_batch_fast(slices[start : start + GROUP], add_special_tokens=False)
            parts.extend(np.array(encoding.ids, np.int32) for encoding in found)
        ends = np.cumsum(lengths).tolist()
        return [
            parts[end - 1] if length == 1 else np.concatenate([*parts[end - length : end], np.empty(0, np.int32)])
            for end, length in zip(ends, lengths, strict=True)
        ]

    def decoder(self) -> Decoder:
        return BytesDecoder(self._pieces, "replace")

    def _encode(self, text: str) -> Ids:
        return self.encode_many([text])[0]

    def _decode(self, ids: Ids) -> str:
        return b"".join([self._pieces[id] for id in ids.tolist()]).decode("utf-8", "replace")

    def _content(self) -> dict[str, Any]:
        return {"tokenizers": self._json}


@functools.cache
def byte_alphabet() -> str:
    """The 256 characters that stand for the bytes 0 to 255 in byte-level BPE.

    Printable ones stand for themselves, the others for the code points from 256 on, in order (as in GPT-2).
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return "".join(chr(value if value in printable else next(others)) for value in range(256))


def _assemble(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Any:
    from tokenizers import Tokenizer as Assembled
    from tokenizers import decoders, models, pre_tokenizers

    model = Assembled(models.BPE(vocab=vocabulary, merges=merges))
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    return model


def _checked_model(data: Mapping[str, Any]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The vocabulary and merges of the package's JSON.

    Raises:
        RunError: they do not fit each other; the package itself would panic.
    """
    model = stored(data, "model", dict)
    vocabulary: dict[str, int] = stored(model, "vocab", dict)
    # Earlier versions of the package write a merge as one text with a space.
    pairs = [m.split(" ") if isinstance(m, str) else m for m in stored(model, "merges", list)]
    ids = list(vocabulary.values())
    alphabet = set(byte_alphabet())
    sound = (
        all(type(id) is int for id in ids)
        and sorted(ids) == list(range(len(ids)))
        and alphabet <= set(vocabulary)
        and all(token and alphabet.issuperset(token) for token in vocabulary)
        and all(_joins(pair, vocabulary) for pair in pairs)
    )
    if not sound:
        raise RunError("the stored tokenizer is damaged: the vocabulary and merges of bpe do not fit; train again")
    return vocabulary, [(left, right) for left, right in pairs]


def _joins(pair: Any, vocabulary: Mapping[str, int]) -> bool:
    """Whether a pair is a merge of two tokens into a third."""
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(token, str) for token in pair):
        return False
    return all(token in vocabulary for token in (*pair, pair[0] + pair[1]))


def _whole(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which UTF-8 can not hold."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def _slices(text: str) -> Iterator[str]:
    """The text in slices that are encoded to the same ids as the whole."""
    start = 0
    while len(text) - start > SLICE:
        cut = _CUT.search(text, start + SLICE)
        if cut is None:
            break
        yield text[start : cut.start()]
        start = cut.start()
    if start < len(text):
        yield text[start:]


def _training_texts(texts: Iterable[str], lowercase: bool) -> Iterator[str]:
    used = 0
    for text in checked_texts(texts):
        for part in _slices(_whole(text.lower() if lowercase else text)):
            yield part
            used += len(part.encode())
            if used >= TRAINING_BYTES:
                return
