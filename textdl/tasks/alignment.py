"""Which words of a source each word of its target looked at.

Legend: S source tokens, T target tokens, W and X words of the source and of the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..text.base import Tokenizer
from ..text.word_rules import Spacing
from ..text.words import WordTokenizer
from .pair_reader import PairReader


@dataclass(frozen=True)
class Alignment:
    """A source, what was made of it, and the attention between their words.

    Attributes:
        source: its W words.
        target: its X words.
        weights: [X, W], how much each target word looked at each source word; rows sum to one.
        text: the target as a text.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: NDArray[np.float32]
    text: str


def align(
    reader: PairReader,
    source: Sequence[int],
    target: Sequence[int],
    attention: NDArray[np.float32],
    words: Sequence[str] = (),
) -> Alignment:
    """The attention of tokens [T, S] as that of words: a source word has what its tokens have together, a target word
    the mean of its tokens.

    Args:
        reader: made the ids, and makes texts of them.
        source, target: the ids.
        attention: [T, S].
        words: the source words, where an unknown target word is to be replaced by the one it looked at.
    """
    heard = list(map(Spacing().piece, words)) or pieces(reader.source, source)
    left = [[n] for n in range(len(heard))] if isinstance(reader.source, WordTokenizer) else groups(heard, True)
    if words and len(target):
        looked = attention.argmax(-1)
        text = reader.decode_with(target, words, looked)
        unknown = reader.target.unknown_id
        told = [
            heard[place] if id == unknown else piece
            for id, place, piece in zip(target, looked.tolist(), pieces(reader.target, target), strict=True)
        ]
    else:
        text, told = reader.decode(target), pieces(reader.target, target)
    right = [[n] for n in range(len(told))] if isinstance(reader.target, WordTokenizer) else groups(told)
    weights = np.zeros((len(right), len(left)), np.float32)
    for row, mine in enumerate(right):
        for column, theirs in enumerate(left):
            weights[row, column] = attention[np.ix_(mine, theirs)].sum(1).mean()
    return Alignment(_words(heard, left), _words(told, right), weights, text)


def pieces(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """The text of each token; where a character is made of several tokens, it is with the last of them."""
    decoder = tokenizer.decoder()
    return [decoder.push(int(id)) for id in ids]


def groups(told: Sequence[str], every: bool = False) -> list[list[int]]:
    """Which tokens make a word: a blank before a token begins a new one.

    Args:
        told: the text of each token.
        every: tokens that are blanks belong to the word before them; else to none.
    """
    found: list[list[int]] = []
    fresh = True
    for number, piece in enumerate(told):
        blank = bool(piece) and not piece.strip()
        if blank and every and found:
            found[-1].append(number)
        elif not blank:
            if fresh or piece[:1].isspace():
                found.append([])
            found[-1].append(number)
        fresh = blank or piece[-1:].isspace()
    return found


def _words(told: Sequence[str], tokens: Sequence[Sequence[int]]) -> tuple[str, ...]:
    return tuple("".join(told[n] for n in some).strip() for some in tokens)
