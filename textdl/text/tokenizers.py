"""The kinds of tokenizer there are, and how one is trained, stored and read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError, RunError, near
from .base import FILE, FORMAT, Tokenizer, TokenizerConfig
from .bpe import BpeTokenizer
from .characters import CharacterTokenizer
from .utf8 import ByteTokenizer
from .words import WordTokenizer

__all__ = [
    "TOKENIZERS",
    "Tokenizer",
    "TokenizerConfig",
    "load_tokenizer",
    "tokenizer_from_json",
    "train_tokenizer",
]

TOKENIZERS: dict[str, type[Tokenizer]] = {
    "characters": CharacterTokenizer,
    "bytes": ByteTokenizer,
    "words": WordTokenizer,
    "bpe": BpeTokenizer,
}


def train_tokenizer(texts: Iterable[str], config: TokenizerConfig) -> Tokenizer:
    """Train the tokenizer that the config names.

    Raises:
        ConfigError: no such tokenizer.
        CorpusError: there is no text to train on.
    """
    if config.tokenizer not in TOKENIZERS:
        raise ConfigError(f"tokenizer has no kind {config.tokenizer!r}; {near(config.tokenizer, TOKENIZERS)}")
    return TOKENIZERS[config.tokenizer].train(texts, config)


def tokenizer_from_json(data: Any) -> Tokenizer:
    """The tokenizer that ``Tokenizer.to_json`` wrote, of whatever kind.

    Raises:
        RunError: the data are damaged, of an unknown kind, or of a newer format.
    """
    if not isinstance(data, Mapping):
        raise RunError("the stored tokenizer is damaged: it is not a table; train again")
    form, kind = data.get("format"), data.get("kind")
    if isinstance(form, int) and form > FORMAT:
        raise RunError(f"the tokenizer is of format {form}, this textdl reads up to {FORMAT}; install a newer textdl")
    if form != FORMAT or isinstance(form, bool):
        raise RunError(f"the stored tokenizer is damaged: format {form!r} does not exist; train again")
    if not isinstance(kind, str) or kind not in TOKENIZERS:
        raise RunError(f"the tokenizer is of an unknown kind, {kind!r}; {near(str(kind), TOKENIZERS)}")
    return TOKENIZERS[kind].from_json(data)


def load_tokenizer(folder: str | Path, name: str = FILE) -> Tokenizer:
    """Read the tokenizer that ``Tokenizer.save`` wrote into a folder.

    Raises:
        RunError: it is missing, unreadable, damaged, of an unknown kind, or of a newer format.
    """
    path = Path(folder) / name
    try:
        return tokenizer_from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise RunError(f"{folder}: there is no {name} in it; is it the folder of a run?") from None
    except OSError as error:
        raise RunError(f"{path}: can not read the tokenizer: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise RunError(f"{path}: the stored tokenizer is damaged: not JSON; train again") from None
    except RunError as error:
        raise RunError(f"{path}: {error}") from None
