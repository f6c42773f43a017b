"""The texts of a study: which examples are learned from, which are measured on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import CorpusError
from ..labelled import Example, LabelledCorpus
from ..training.events import Note, Observer

#: Of each subset a tenth is for validation, and no more than this.
VALIDATION_AT_MOST = 2_000


def shuffled(examples: Sequence[Example], seed: int) -> list[int]:
    """The order in which examples are taken: shuffled, but the first ones that show each label are moved to the front.

    So every subset of at least that many has every label, and smaller ones are among larger ones.
    """
    order = np.random.default_rng(seed).permutation(len(examples)).tolist()
    seen: set[str] = set()
    front = []
    for place in order:
        if not seen.issuperset(examples[place].labels):
            seen.update(examples[place].labels)
            front.append(place)
    first = set(front)
    return front + [place for place in order if place not in first]


def divided(order: Sequence[int], size: int) -> tuple[list[int], list[int]]:
    """The first ``size`` of an order as those to learn from, and the tenth at its end for validation."""
    held = min(VALIDATION_AT_MOST, max(1, size // 10))
    return list(order[: size - held]), list(order[size - held : size])


def read(corpus: LabelledCorpus) -> tuple[list[Example], tuple[str, ...]]:
    """The training examples and their labels.

    Raises:
        CorpusError: there are fewer than two labels.
    """
    training = list(corpus.examples("train"))
    labels = tuple(sorted({label for example in training for label in example.labels}))
    if len({example.labels for example in training}) < 2:
        raise CorpusError(f"the training texts of {corpus.name} have one class only; a study needs two to tell apart")
    return training, labels


def held_out(corpus: LabelledCorpus, labels: Sequence[str], most: int) -> list[Example]:
    """The texts that are measured on: those of the test split, of many of them some by lot, the same each time.

    Raises:
        CorpusError: there are none, or none with a known label.
    """
    test = list(corpus.examples("test"))
    if not test:
        raise CorpusError(
            f"{corpus.name} has no test split with labels; add one, or give more texts: a share of them is held out"
        )
    if not any(set(labels) & set(example.labels) for example in test):
        raise CorpusError(f"none of the labels of the test split of {corpus.name} is one of its training split")
    if len(test) <= most:
        return test
    chosen = np.sort(np.random.default_rng(0).permutation(len(test))[:most])
    return [test[place] for place in chosen.tolist()]


def sizes_of(
    wanted: Sequence[int | None] | None, number: int, labels: int, name: str, tell: Observer
) -> tuple[int, ...]:
    """The sizes, ascending, without those that can not be, of which a note is told.

    Raises:
        CorpusError: none is left.
    """
    if wanted is None:
        usual = (base * 10**power for power in range(2, 9) for base in (1, 3))
        wanted = [size for size in usual if size < number] + [number]
    numbers = sorted({number if size is None else size for size in wanted})
    kept = []
    for size in numbers:
        if size > number:
            tell(Note(f"{size:,} examples are skipped: the training split of {name} has {number:,}"))
        elif len(divided(range(size), size)[0]) < max(labels, 2):
            tell(Note(f"{size:,} examples are skipped: too few for {labels} labels and some for validation"))
        else:
            kept.append(size)
    if not kept:
        raise CorpusError(
            f"{name} has too few training texts ({number:,} of {labels} labels) for the sizes "
            f"{', '.join(f'{size:,}' for size in numbers)}; give other sizes or more texts"
        )
    return tuple(kept)


def most_frequent(test: Sequence[Example]) -> float:
    """The accuracy of always saying what is most frequent."""
    counts: dict[tuple[str, ...], int] = {}
    for example in test:
        key = tuple(sorted(example.labels))
        counts[key] = counts.get(key, 0) + 1
    return max(counts.values()) / len(test)
