"""Classifiers of every kind, small, with texts of very different lengths; an empty one is among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textdl.models.classifier import Classifier, chosen_config
from textdl.models.lm import LanguageModelConfig
from textdl.models.pooling import POOLINGS
from textdl.models.word_input import Tokens
from textdl.tasks.text_reader import TextReader, TextsConfig
from textdl.text.words import WordTokenizer

WORDS = ("a", "bad", "cow", "dog", "egg", "fly", "good", "hat", "ink", "jam")
#: Not sorted by length; the second is empty, one is a single word, one holds a word that no one knows.
TEXTS = ("bad dog", "", "good", "a good cow a bad fly jam jam ink", "unheard egg fly", "hat", "a cow , good dog egg")
OTHERS = ("jam", "ink good a bad", "", "fly", "a a a a a a a a a a a a", "hat ink", "dog")
LANGUAGE = {"hidden": 5, "embedding": 6, "ngram_rows": 16, "vocabulary": 13, "end": 12}


def _settings() -> dict[str, tuple[dict[str, Any], bool]]:
    """name -> (settings of a model, whether words are made of parts)."""
    made: dict[str, dict[str, Any]] = {}
    for cell in ("lstm", "gru", "sru", "rnn"):
        for layers in (1, 2):
            for both in (True, False):
                made[f"{cell} {layers} {'both' if both else 'one'}"] = {
                    "kind": cell, "layers": layers, "bidirectional": both,
                }  # fmt: skip
    for pooling in POOLINGS:
        for both in (True, False):
            made[f"{pooling} {'both' if both else 'one'}"] = {
                "kind": "gru", "layers": 2, "pooling": pooling, "bidirectional": both,
            }  # fmt: skip
        made[f"lm {pooling}"] = {"kind": "lm", "pooling": pooling,
                                 "language_model": LanguageModelConfig(cell="lstm", **LANGUAGE)}  # fmt: skip
    normed = LanguageModelConfig(cell="gru", layer_norm=True, ngrams=0, **LANGUAGE)
    made["lm without n-grams"] = {"kind": "lm", "language_model": normed}
    made["lm sru"] = {"kind": "lm", "language_model": LanguageModelConfig(**LANGUAGE)}
    made["layer norm"] = {"kind": "lstm", "layer_norm": True}
    made["cnn"] = {"kind": "cnn"}
    made["cnn of many widths"] = {"kind": "cnn", "filters": 3, "widths": ("1", "2", "7", "12")}
    for pool in (1, 3):
        for pooling in POOLINGS:
            made[f"cnn-rnn {pool} {pooling}"] = {
                "kind": "cnn-rnn", "pool": pool, "pooling": pooling,
            }  # fmt: skip
    made["cnn-rnn far"] = {"kind": "cnn-rnn", "pool": 2, "reach": 7, "cell": "gru"}
    made["bag"] = {"kind": "bag"}
    made["bag deep"] = {"kind": "bag", "layers": 2}
    for use in ("tuned", "frozen", "both"):
        for kind in ("lstm", "cnn", "bag", "cnn-rnn"):
            made[f"{kind} {use}"] = {"kind": kind, "vectors": "x", "vectors_use": use}
        made[f"bag {use}, some untrained"] = {"kind": "bag", "vectors": "x", "vectors_use": use, "extra": 3}
    for kind in ("lstm", "cnn", "bag", "cnn-rnn", "lm"):
        own = {"language_model": LanguageModelConfig(**LANGUAGE)} if kind == "lm" else {}
        made[f"{kind} wide"] = {"kind": kind, "wide": 3, "wide_rows": 64, **own}
        made[f"{kind} pairs"] = {"kind": kind, "pairs": True, **own}
    found = {name: (settings, False) for name, settings in made.items()}
    for kind in ("lstm", "cnn", "bag", "cnn-rnn"):
        found[f"{kind} subwords"] = ({"kind": kind, "subwords": True}, True)
    return found


SETTINGS = _settings()


def reader_of(subwords: bool) -> TextReader:
    """What reads the texts."""
    config = TextsConfig(tokenizer="subwords" if subwords else "words", grams=20)
    return TextReader(WordTokenizer([*WORDS, "\n"], lowercase=True), config)


def made(name: str) -> tuple[Classifier, TextReader]:
    """A classifier of three classes with weights that are all drawn, in evaluation; and what reads its texts."""
    settings, subwords = SETTINGS[name]
    reader = reader_of(subwords)
    values = {"vocabulary": reader.rows, "classes": 3, "dropout": 0.3, "embedding": 6, "hidden": 5, "filters": 4}
    config = chosen_config(settings)
    names = {field.name for field in fields(config)}
    torch.manual_seed(3)
    model = Classifier(config(**{**{name: value for name, value in values.items() if name in names}, **settings}))
    with torch.no_grad():
        for key, tensor in (*model.named_parameters(), *model.named_buffers()):
            if key not in ("temperature", "thresholds"):
                tensor.copy_(torch.randn_like(tensor) * 0.4)
    return model.eval(), reader


def batch(reader: TextReader, texts: Sequence[str], more: int = 0) -> Tokens:
    """The texts as one batch, with ``more`` rows of padding than there need be."""
    tokens = reader.batch(reader.read(texts), np.arange(len(texts)))
    padding = len(tokens.starts) if len(tokens.starts) else reader.rows
    return tokens._replace(ids=torch.cat([tokens.ids, torch.full((more, len(texts)), padding)]))


def logits(model: Classifier, reader: TextReader, places: Sequence[int], more: int = 0) -> Tensor:
    """Of the texts at some places: [B, C]."""
    first = batch(reader, [TEXTS[place] for place in places], more)
    if not model.config.pairs:
        return model(first)
    return model(first, batch(reader, [OTHERS[place] for place in places], 2 * more))
