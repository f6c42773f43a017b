"""How good translations are: sacrebleu's figures, exact matches, and the perplexity of the references.

Legend: N texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ..models.translating import Side, Translator
from .pair_reader import PairReader, Read

#: Target tokens that are scored at once, and how many looks of them at a source token attention takes at once.
_TOKENS_AT_ONCE, _LOOKS_AT_ONCE = 4096, 1 << 18


def translation_figures(said: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
    """Figures of N translations by their references.

    Returns:
        bleu (Papineni et al. 2002) and chrf (Popović 2015, chrF2), 0 to 100, by sacrebleu (Post 2018) as its command
        line has them by default, each with its signature; exact_match, the share of translations that are the
        reference to the letter; length_ratio, of all tokens of BLEU.
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    bleu, chrf = BLEU(force=True), CHRF()  # force: not a word of how the texts look, amid the display of a training
    by_words = bleu.corpus_score(list(said), [list(references)])
    by_characters = chrf.corpus_score(list(said), [list(references)])
    same = np.mean([one.strip() == other.strip() for one, other in zip(said, references, strict=True)])
    return {
        "bleu": float(by_words.score),
        "chrf": float(by_characters.score),
        "exact_match": float(same),
        "length_ratio": float(by_words.sys_len / max(1, by_words.ref_len)),
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
    }


def nats_of(model: Translator, reader: PairReader, read: Read, most: int | None = None) -> float:
    """Mean cross-entropy of the target tokens and ends of (the first) pairs, in nats a token; in evaluation.

    Args:
        most: the target tokens after which no further pair is read.
    """
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    total, tokens, start = 0.0, 0, 0
    lengths = read.targets.lengths + 1
    number = len(read) if most is None else max(1, int(np.searchsorted(np.cumsum(lengths), most, "right")))
    order = np.argsort(-lengths[:number], kind="stable")
    with torch.inference_mode():
        while start < len(order):
            longest = int(lengths[order[start]])
            which = order[start : start + max(1, _TOKENS_AT_ONCE // longest)]
            sources = np.maximum.accumulate(read.sources.lengths[which])  # the longest so far
            fitting = longest * sources * np.arange(1, len(which) + 1) <= _LOOKS_AT_ONCE
            size = max(1, int(fitting.sum()))
            batch = reader.batch(read, which[:size])
            source, before = (Side(*(part.to(device) for part in side)) for side in (batch.source, batch.before))
            logits = model(source, before).logits.float()
            total += float(F.cross_entropy(logits, batch.aims.to(device), reduction="sum"))
            tokens, start = tokens + len(batch.aims), start + size
    model.train(was_training)
    return total / max(1, tokens)
