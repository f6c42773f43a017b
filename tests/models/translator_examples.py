"""Small translators of every kind, and sentences for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from textdl.models.recurrent import CELLS
from textdl.models.source_attention import SCORES
from textdl.models.translating import Scored, Side, Translator
from textdl.models.translators import chosen_config, translator

SOURCE, TARGET, END = 11, 9, 2  # sizes of the vocabularies; the end of a target

#: Every kind with every attention, and every other setting with some of them.
SETTINGS: dict[str, dict[str, Any]] = {
    **{f"{kind} {how}": {"kind": kind, "attention": how} for kind in CELLS for how in ("none", *SCORES)},
    **{f"{kind} fed": {"kind": kind, "input_feeding": True} for kind in CELLS},
    **{f"covered {how}": {"attention": how, "coverage": 1.0} for how in SCORES},
    "fed and covered": {"kind": "gru", "input_feeding": True, "coverage": 0.5, "layers": 2},
    "two layers": {"layers": 2},
    "two layers, none": {"layers": 2, "attention": "none", "kind": "gru"},
    "three layers of sru": {"layers": 3, "kind": "sru"},
    "one way": {"bidirectional": False, "attention": "dot"},
    "one way, two layers, none": {"bidirectional": False, "attention": "none", "layers": 2},
    "tied": {"tied": "target"},
    "tied, as wide": {"tied": "target", "embedding": 8},
    "tied all": {"tied": "all"},
    "transformer": {"kind": "transformer"},
    "transformer of one layer": {"kind": "transformer", "layers": 1, "heads": 1},
    "transformer tied": {"kind": "transformer", "tied": "target"},
    "transformer tied all": {"kind": "transformer", "tied": "all"},
}

SOURCES = [[4, 1, 7, 7, 3], [5], [6, 10, 2], [9, 8, 1, 0]]
TARGETS = [[3, 1], [8, 8, 4, 5, 1, 6], [7], [0, 5, 3]]


def made(name: str, **more: Any) -> Translator:
    """A translator with weights of its own, dropout only where asked for, ready for evaluation."""
    settings: dict[str, Any] = {"kind": "lstm", "dropout": 0.0, "end": END, **SETTINGS[name], **more}
    if settings["kind"] != "transformer":
        settings.setdefault("attention", "general")
    if settings["kind"] == "transformer":
        sizes = {"embedding": 8, "heads": 2, "layers": 2, "feedforward": 12}
    else:
        sizes = {"embedding": 6, "hidden": 8}
    joint = settings.get("tied") == "all"
    sizes |= {"source_vocabulary": SOURCE, "target_vocabulary": SOURCE if joint else TARGET, "joint": joint}
    torch.manual_seed(3)
    model = translator(chosen_config(settings)(**{**sizes, **settings}))
    for name, weight in model.named_parameters():  # so that none is of no effect: biases and coverage begin with zeros
        weight.data += 0.3 * torch.randn_like(weight) * (1.0 if weight.dim() == 1 or "words" in name else 0.5)
    return model.eval()


def side(sentences: list[list[int]], more: int = 0, filler: int = 0) -> Side:
    """Sentences as a model reads them, with ``filler`` behind the ends."""
    lengths = torch.tensor([len(s) for s in sentences])
    ids = torch.full((int(lengths.max()) + more, len(sentences)), filler)
    for place, sentence in enumerate(sentences):
        ids[: len(sentence), place] = torch.tensor(sentence)
    return Side(ids, lengths)


def before(targets: list[list[int]], more: int = 0, filler: int = 0) -> Side:
    """What stands before each token of the targets and their ends."""
    return side([[END, *target] for target in targets], more, filler)


def apart(scored: Scored, lengths: Tensor) -> list[Tensor]:
    """The logits [length, V] of each sentence, from those of all [N, V], first places first."""
    by_sentence: list[list[Tensor]] = [[] for _ in lengths]
    rows = iter(scored.logits)
    for step in range(int(lengths.max())):
        for place, length in enumerate(lengths.tolist()):
            if step < length:
                by_sentence[place].append(next(rows))
    assert next(rows, None) is None
    return [torch.stack(part) for part in by_sentence]
