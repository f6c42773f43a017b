"""Tagged sentences in memory, those of spans in one spelling.

Legend: N sentences, C tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from ..tagged import TaggedCorpus
from ..text.spans import scheme_of, spells_span, to_iob2
from ..training.events import Observer, Reading
from .tag_reader import whole

_TOLD = 100_000  # words between two events


@dataclass(frozen=True)
class Sentences:
    """N sentences with their tags; ``scheme`` is how the corpus spells spans, None where there are none."""

    tokens: list[tuple[str, ...]]
    tags: list[tuple[str, ...]]
    scheme: str | None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def words(self) -> int:
        """Words of all sentences."""
        return sum(map(len, self.tokens))


def read_sentences(
    corpus: TaggedCorpus, split: str, spans: bool | None = None, tell: Observer = lambda event: None
) -> Sentences:
    """The sentences of a split, in their order; tags that spell spans are turned into IOB2.

    Args:
        corpus, split: what is read.
        spans: whether tags spell spans; None where that is up to the sentences.
        tell: told of what has been read.

    Raises:
        CorpusError: tags are to spell spans, and some do not; whatever is wrong with the files.
    """
    tokens, tags, done, told = [], [], 0, 0
    for sentence in corpus.sentences(split):
        tokens.append(tuple(map(whole, sentence.tokens)))
        tags.append(tuple(sentence.tags))
        done += len(sentence.tokens)
        if done - told >= _TOLD:
            told = done
            tell(Reading(f"reading {split}", done, None))
    scheme = None if spans is False else scheme_of(tags)
    if spans and scheme is None and any(tag != "O" for some in tags for tag in some):
        odd = next((tag for some in tags for tag in some if not spells_span(tag)), None)
        wrong = "mixes the tags of IOBES and BILOU" if odd is None else f"has the tag {odd!r}, which marks no span"
        where = f"the {split} split of {corpus.name}"
        raise CorpusError(f"{where} {wrong}, and the tagger is one of spans; mend it or name another column")
    if scheme is not None:
        tags = [tuple(to_iob2(some, scheme)) for some in tags]
    return Sentences(tokens, tags, scheme)


def tags_of(sentences: Sentences, name: str) -> tuple[str, ...]:
    """The tags: the distinct ones of the training sentences, sorted.

    Raises:
        CorpusError: there is only one, or none.
    """
    tags = tuple(sorted({tag for some in sentences.tags for tag in some}))
    if len(tags) < 2:
        got = f"one tag only, {tags[0]!r}" if tags else "no tag"
        raise CorpusError(f"the training sentences of {name} have {got}; a tagger needs two to tell apart")
    return tags


def numbers_of(sentences: Sentences, tags: Sequence[str]) -> list[NDArray[np.int32]]:
    """The tags as numbers; -1 for one that is not among them."""
    place = {tag: number for number, tag in enumerate(tags)}
    return [np.array([place.get(tag, -1) for tag in some], np.int32) for some in sentences.tags]


def forbidden_of(tags: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the tags can not begin a sentence in IOB2, bool [C], and which can not follow which, bool [C, C].

    I-X stands behind B-X and I-X only.
    """
    goes_on = np.array([tag[:1] == "I" for tag in tags])
    kinds = [tag.partition("-")[2] if tag != "O" else None for tag in tags]
    same = np.array([[one is not None and one == other for other in kinds] for one in kinds])
    return goes_on, goes_on[None, :] & ~same
