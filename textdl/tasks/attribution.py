"""What an explanation of a classifier's decision is: a text in pieces, and what each of them did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Attribution:
    """What the pieces of a text moved the score of a label by.

    Attributes:
        text: the text; of a pair, both texts as they were read.
        label: the class that is explained.
        probability: of that class for this text, 0 to 1.
        pieces: P texts that join to ``text``, white space among them.
        weights: [P], what each piece moved the score of the label by, in the score's own units (of logits, nats);
            positive speaks for the label. Of white space that is no token 0.
        attention: [P], how much of the attention each piece got (0 to 1); None where the model has none.
        rest: the part of the score that no piece has; ``weights.sum() + rest`` is the whole.
    """

    text: str
    label: str
    probability: float
    pieces: tuple[str, ...]
    weights: NDArray[np.float64]
    attention: NDArray[np.float64] | None = None
    rest: float = 0.0

    def __post_init__(self) -> None:
        if "".join(self.pieces) != self.text:
            raise ValueError("the pieces of an attribution must join to its text")
        for name, values in (("weights", self.weights), ("attention", self.attention)):
            if values is not None and np.shape(values) != (len(self.pieces),):
                raise ValueError(f"{name} must be of shape ({len(self.pieces)},), got {np.shape(values)}")

    def record(self) -> dict[str, Any]:
        """The same as plain values for JSON, a table for each piece."""
        pieces: list[dict[str, Any]] = [
            {"piece": piece, "weight": float(weight)} for piece, weight in zip(self.pieces, self.weights, strict=True)
        ]
        if self.attention is not None:
            for piece, share in zip(pieces, self.attention, strict=True):
                piece["attention"] = float(share)
        facts = {"text": self.text, "label": self.label, "probability": float(self.probability)}
        return {**facts, "rest": float(self.rest), "pieces": pieces}
