"""The perceptron: one linear layer from pixels to classes, trained as a softmax.

Rosenblatt 1958, "The perceptron"; with a softmax it is multinomial logistic regression. Legend: B pictures, P = H W C
values of one, K classes::

    pixels [B, C, H, W] → flatten [B, P] → linear [B, K]
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from .image_blocks import Connected
from .image_classifier import ImageClassifier, ImageConfig, Stack


@dataclass(frozen=True)
class PerceptronConfig(ImageConfig):
    """One linear layer."""

    kind: str = knob("perceptron", "Which model.", derived=True)


class Perceptron(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``; P K + K parameters."""

    def build(self, stack: Stack) -> None:
        stack.add("flatten", nn.Flatten())
        stack.add("output", Connected(stack.channels, self.config.classes))
