"""Text to ids and back: tokenizers (:mod:`.tokenizers`) and corpora as arrays of ids (:mod:`.encoded`)."""

from __future__ import annotations

from .base import Decoder, Tokenizer, TokenizerConfig
from .encoded import Encoded, default_cache, encode_pieces
from .tokenizers import TOKENIZERS, load_tokenizer, tokenizer_from_json, train_tokenizer

__all__ = [
    "TOKENIZERS",
    "Decoder",
    "Encoded",
    "Tokenizer",
    "TokenizerConfig",
    "default_cache",
    "encode_pieces",
    "load_tokenizer",
    "tokenizer_from_json",
    "train_tokenizer",
]
