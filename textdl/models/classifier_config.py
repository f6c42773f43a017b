"""What all classifiers that read tokens have in common, and which there are."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import knob
from .word_input import WordInputConfig


@dataclass(frozen=True)
class ClassifierConfig(WordInputConfig):
    """The input of a classifier, and what it is to tell."""

    kind: str = knob("", "Which model.", derived=True)
    wide: int = knob(0, "Longest run of words with a weight of its own beside the network (0: none).", least=0, most=5)
    wide_rows: int = knob(2**20, "Rows of the table of these weights, a power of two.", least=2, most=2**24, flag=False)
    classes: int = knob(2, "Classes.", derived=True, least=1)
    pairs: bool = knob(False, "Two texts are judged together.", derived=True)
