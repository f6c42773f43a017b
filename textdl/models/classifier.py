"""A classifier: tokens become vectors, an encoder makes one vector of a text, a linear layer tells the class.

Legend: T tokens, B texts, D width of the input, E width of what is known of a text, C classes.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from .classifier_config import ClassifierConfig
from .transfer_classifier import LanguageInput, TransferConfig
from .wide import WideWeights
from .word_input import Tokens, WordInput, inside

#: kind -> (module, its config, its encoder); a new model is a file in this folder and a line here. An encoder reads the
#: vectors of :class:`.word_input.WordInput`, unless its module has another input (that of a language model).
ENCODERS: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(
        ("lstm", "gru", "sru", "rnn"), ("recurrent_classifier", "RecurrentClassifierConfig", "RecurrentEncoder")
    ),
    "cnn": ("convolution_classifier", "ConvolutionClassifierConfig", "ConvolutionEncoder"),
    "cnn-rnn": ("stacked_classifier", "StackedClassifierConfig", "StackedEncoder"),
    "bag": ("bag_classifier", "BagClassifierConfig", "BagEncoder"),
    "lm": ("transfer_classifier", "TransferConfig", "TransferEncoder"),
}


def encoder_part(kind: str, part: int) -> Any:
    """The config (1) or the encoder (2) of a kind of model."""
    return getattr(importlib.import_module(f".{ENCODERS[kind][0]}", __package__), ENCODERS[kind][part])


class Classifier(nn.Module):
    """``forward(tokens, second) -> logits [B, C]``; see :class:`textdl.models.word_input.Tokens`.

    Of a pair of texts, one encoder reads both, and what is known of it is u, v, |u - v| and u * v side by side (Conneau
    et al. 2017, "Supervised learning of universal sentence representations").

    ``temperature`` [1] and ``thresholds`` [C] are found after training, on held-out texts: logits are divided by the
    one (Guo et al. 2017); a class of several is told above the other.
    """

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.input = LanguageInput(config.language_model) if isinstance(config, TransferConfig) else WordInput(config)
        self.encoder = encoder_part(config.kind, 2)(config)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(self.encoder.width * (4 if config.pairs else 1), config.classes)
        nn.init.zeros_(self.head.bias)
        if config.wide and (config.pairs or config.subwords):
            what = "pairs of texts" if config.pairs else "subwords"
            raise ConfigError(f"wide weights are not for {what}; leave --wide out")
        if config.wide and config.wide_rows & (config.wide_rows - 1):
            raise ConfigError(f"wide_rows must be a power of two, got {config.wide_rows}")
        self.wide = WideWeights(config.wide, config.wide_rows, config.classes) if config.wide else None
        self.register_buffer("temperature", torch.ones(1))
        self.register_buffer("thresholds", torch.full((config.classes,), 0.5))

    temperature: Tensor
    thresholds: Tensor

    def forward(self, tokens: Tokens, second: Tokens | None = None) -> Tensor:
        tokens = Tokens(*tokens)
        logits = self.judge(self.input(tokens), tokens, None if second is None else self.known(Tokens(*second)))
        return logits if self.wide is None else logits + self.wide(tokens.ids, tokens.lengths)

    def judge(self, x: Tensor, tokens: Tokens, second: Tensor | None = None) -> Tensor:
        """The logits [B, C] of texts whose words are ``x`` [T, B, D], without the wide weights; ``second`` [B, E]."""
        first = self.encode(x, tokens)
        if second is not None:
            first = torch.cat([first, second, (first - second).abs(), first * second], dim=-1)
        logits: Tensor = self.head(self.dropout(first))
        return logits

    def known(self, tokens: Tokens) -> Tensor:
        """What is known of texts: [B, E]."""
        return self.encode(self.input(tokens), tokens)

    def encode(self, x: Tensor, tokens: Tokens) -> Tensor:
        """What is known of texts whose words are ``x`` [T, B, D]: [B, E]."""
        encoded: Tensor = self.encoder(self.dropout(x), inside(tokens), tokens.lengths)
        return encoded

    def attention(self, tokens: Tokens) -> Tensor | None:
        """The weights of the tokens [T, B] in what is known of a text, where the encoder has such."""
        if not hasattr(self.encoder, "attention"):
            return None
        weights = self.encoder.attention(self.input(tokens), inside(tokens), tokens.lengths)
        return None if weights is None else weights.squeeze(-1)


def chosen_config(values: Mapping[str, Any]) -> type:
    """The config class of the model of some kind.

    Raises:
        KeyError: there is no such kind here.
    """
    cls: type = encoder_part(str(values["kind"]), 1)
    return cls
