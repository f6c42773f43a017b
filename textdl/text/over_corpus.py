"""What stands over a corpus of texts, and gives its texts with something that they have: labels, partners, tags."""

from __future__ import annotations

from typing import Any

from .card import Card


class OverCorpus:
    """Name, card and splits of what has a ``corpus`` below it (a ``textdl.corpus.Corpus``)."""

    corpus: Any

    @property
    def name(self) -> str:
        """The corpus's name."""
        return str(self.corpus.name)

    @property
    def card(self) -> Card:
        """What is known of the corpus."""
        card: Card = self.corpus.card
        return card

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        return tuple(self.corpus.splits)

    @property
    def own_splits(self) -> tuple[str, ...]:
        """The splits that the corpus brings with what is to be learned; the others are held out of train."""
        return tuple(self.corpus.own_splits)
