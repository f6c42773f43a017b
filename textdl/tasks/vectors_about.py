"""What a run of word vectors says of itself, whichever way it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import artifact
from ..corpus import Corpus
from ..text.known_words import Vocabulary
from .base import corpus_facts

if TYPE_CHECKING:
    from .vectors import WordVectorsConfig


class AboutVectors:
    """Title, facts and records of a task of word vectors.

    Attributes:
        vocabulary: the words that have a vector, once they are known.
    """

    config: WordVectorsConfig
    corpus: Corpus
    source: Any
    vocabulary: Vocabulary | None

    @property
    def title(self) -> str:
        """One line for people."""
        model = self.config.model
        return f"word vectors by {model.method}, {model.dim} dimensions, on {self.corpus.name}"

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        return (
            {} if self.vocabulary is None else {"vocabulary": len(self.vocabulary), "words read": self.vocabulary.seen}
        )

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the corpus."""
        source = str(self.source) if isinstance(self.source, str | Path) else None
        return {"source": source, **corpus_facts(self.corpus)}

    def save_parts(self, path: Path) -> None:
        """Write the words, once they are known."""
        if self.vocabulary is not None:
            self.vocabulary.save(path / artifact.WORDS)
