"""What can be set about a linear model."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import check, knob
from ..errors import ConfigError

METHODS = ("nb-svm", "linear-svm", "logistic", "naive-bayes")
FEATURES = ("counts", "one-hot", "tfidf", "vectors")
UNITS = ("word", "character", "within")


@dataclass(frozen=True)
class LinearConfig:
    """A linear model on words and runs of words."""

    kind: str = knob("nb-svm", "Which model.", derived=True)
    features: str | None = knob(None, "What is known of a text (default: that of the method).", choices=FEATURES)
    ngrams: int = knob(2, "Longest run of words (or characters) that is a feature.", least=1, most=20)
    unit: str = knob("word", "What is counted: words, characters, or characters within words.", choices=UNITS)
    least_documents: int = knob(1, "Features of fewer texts are left out.", least=1)
    most_features: int | None = knob(None, "The so many most frequent features are kept.", least=1)
    strength: float | None = knob(
        None, "How closely the training texts are fitted (C; default: that of the method).", above=0
    )
    vectors: str | None = knob(None, "Word vectors, for --features vectors: a run or a file.")
    classes: int = knob(2, "Classes.", derived=True, least=1)
    rows: int = knob(0, "Features.", derived=True, least=0)
    pairs: bool = knob(False, "Two texts are judged together.", derived=True)

    def __post_init__(self) -> None:
        check(self)
        if (self.features == "vectors") != (self.vectors is not None):
            raise ConfigError(
                "--features vectors and --vectors RUN_OR_FILE go together: "
                + ("name the vectors" if self.vectors is None else "add --features vectors, or leave --vectors out")
            )
