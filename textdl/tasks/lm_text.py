"""The text of a language model as ids, and how well a model foretells it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..corpus import Corpus
from ..text.encoded import Encoded, default_cache, encode_pieces
from ..text.tokenizers import Tokenizer
from ..training.events import Observer, Reading
from .conditioned import ConditionedCorpus
from .conditioned_text import IGNORED, ConditionedText, conditioned_text, windows_of

#: A corpus with more bytes than this is encoded into a file once, and read from there.
_CACHE_FROM_BYTES = 16_000_000
#: Steps of the windows in which a model is evaluated.
_EVALUATION_WINDOW = 256


def mean_nats(model: nn.Module, encoded: Encoded, context: int, at_most: int | None = None) -> float:
    """Mean cross-entropy of the model on (the beginning of) a text, in nats a token.

    The text is read in up to 64 lanes side by side, the state carried along each. ``context`` is the model's.
    """
    size = len(encoded) if at_most is None else min(len(encoded), at_most + 1)
    lanes = max(1, min(64, (size - 1) // (4 * _EVALUATION_WINDOW)))
    total, state, tokens, device = 0.0, None, 0, next(model.parameters()).device
    for inputs, targets in windows_of(encoded, lanes, _EVALUATION_WINDOW, context=context, at_most=size):
        logits, state = model(torch.from_numpy(inputs).to(device), state)
        aims = torch.from_numpy(targets).to(device).flatten()
        total += float(F.cross_entropy(logits.float().flatten(0, 1), aims, reduction="sum", ignore_index=IGNORED))
        tokens += int(np.count_nonzero(targets != IGNORED))
    return total / max(1, tokens)


def predictions(encoded: Encoded) -> int:
    """The tokens that count."""
    return encoded.tokens if isinstance(encoded, ConditionedText) else len(encoded)


def figures_of(nats: float, encoded: Encoded) -> dict[str, float]:
    """Bits per character, and perplexity, of a mean cross-entropy in nats a token."""
    bits = nats * predictions(encoded) / encoded.characters / math.log(2)
    return {"bits_per_character": bits, "perplexity": math.exp(min(nats, 700.0))}


def encode_split(corpus: Corpus, split: str, tokenizer: Tokenizer, tell: Observer, mixed: bool = False) -> Encoded:
    """A split as one array of ids: in memory when small, else in a file that is kept for the next time.

    Args:
        mixed: bring documents that are written on a condition into an order drawn by chance, where that fits into
            memory.
    """
    hint = corpus.size_hint(split)
    large = hint is None or hint > _CACHE_FROM_BYTES
    pieces = read_pieces(corpus, split, f"encoding {split}", tell)
    key = f"{corpus.digest} {split}" if large else ""
    cache = default_cache() / "encoded" if large else None
    encoded = encode_pieces(pieces, tokenizer, cache=cache, key=key)
    if not isinstance(corpus, ConditionedCorpus):
        return encoded
    tally = corpus.tally(split)
    mixed = mixed and encoded.ids.nbytes <= _CACHE_FROM_BYTES
    return conditioned_text(encoded, tokenizer, tally.characters, tally.documents, cache, mixed)


def read_pieces(corpus: Corpus, split: str, what: str, tell: Observer) -> Iterator[tuple[str, bool]]:
    """The pieces of a split, telling how far the reading is each time another million characters are done."""
    done, told, hint = 0, 0, corpus.size_hint(split)
    for piece, last in corpus.stream(split):
        yield piece, last
        done += len(piece)
        if done - told >= 1_000_000:
            told = done
            tell(Reading(what, done, hint))
