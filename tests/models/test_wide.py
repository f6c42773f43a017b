"""Weights of words and runs of words, against a slow dictionary of them."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from textdl.errors import ConfigError
from textdl.models.bag_classifier import BagClassifierConfig
from textdl.models.classifier import Classifier
from textdl.models.wide import WideWeights
from textdl.models.word_input import Tokens

TEXTS = [[3, 1, 3, 1, 3], [2], [1, 3, 2, 2, 0, 4], [0, 0, 0]]
NOTHING = torch.empty(0, dtype=torch.int64)


def batch(texts: list[list[int]], padding: int = 5, more: int = 0) -> tuple[Tensor, Tensor]:
    longest = max(map(len, texts)) + more
    ids = torch.tensor([text + [padding] * (longest - len(text)) for text in texts]).T
    return ids, torch.tensor([len(text) for text in texts])


def runs(text: list[int], longest: int) -> set[tuple[int, ...]]:
    return {tuple(text[at : at + n]) for n in range(1, longest + 1) for at in range(len(text) - n + 1)}


def row_of(wide: WideWeights, run: tuple[int, ...]) -> int:
    """The row of one run by itself."""
    ids, lengths = batch([list(run)])
    return int(wide.rows_of(ids, lengths)[len(run) - 1, len(run) - 1, 0])


def test_different_runs_have_different_rows_but_by_chance() -> None:
    wide = WideWeights(3, 2**22, 1)
    torch.manual_seed(1)
    ids, lengths = batch([[0, 1, 2], [2, 1, 0], [1, 1], [1], [0, 0, 1], [1, 0, 0], [2, 1]])
    every = [run for place in range(ids.shape[1]) for run in runs(ids[: int(lengths[place]), place].tolist(), 3)]
    distinct = set(every)
    assert len({row_of(wide, run) for run in distinct}) == len(distinct)
    # 20,000 drawn pairs fall upon each other about as often as drawn numbers would: 20,000^2 / 2 / 2^22 = 48 times
    pairs = torch.unique(torch.randint(0, 30_000, (20_000, 2)), dim=0)
    rows = wide.rows_of(pairs.T, torch.full((len(pairs),), 2))[1, 1]
    assert len(pairs) - 120 < len(torch.unique(rows)) < len(pairs)
    # and as many single words and triples
    single = wide.rows_of(torch.arange(20_000).view(1, -1), torch.ones(20_000))[0, 0]
    assert len(torch.unique(single)) > 20_000 - 120
    assert int(single.min()) >= 0
    assert int(single.max()) < 2**22


@pytest.mark.parametrize("more", [0, 3])
@pytest.mark.parametrize("longest", [1, 2, 4])
@torch.no_grad()
def test_the_sum_over_the_distinct_runs_is_that_of_a_dictionary(longest: int, more: int) -> None:
    wide = WideWeights(longest, 2**16, 3)
    torch.manual_seed(1)
    wide.weights.copy_(torch.randn_like(wide.weights))
    wide.scale.fill_(0.7)
    found = wide(*batch(TEXTS, more=more)).numpy()
    for text, scores in zip(TEXTS, found, strict=True):
        own = runs(text, longest)
        wanted = 0.7 * sum(wide.weights[row_of(wide, run)].numpy() for run in own) / math.sqrt(len(own))
        np.testing.assert_allclose(scores, wanted, rtol=1e-5, atol=1e-6)
    rows, owners, counts = wide.runs(*batch(TEXTS, more=more))
    assert counts.tolist() == [len(runs(text, longest)) for text in TEXTS]
    listed = Counter(zip(owners.tolist(), rows.tolist(), strict=True))
    assert listed == Counter((n, row_of(wide, run)) for n, text in enumerate(TEXTS) for run in runs(text, longest))


@torch.no_grad()
def test_a_classifier_adds_them_to_its_logits() -> None:
    model = Classifier(BagClassifierConfig(vocabulary=5, embedding=3, wide=2, wide_rows=64, classes=2)).eval()
    torch.manual_seed(1)
    model.wide.weights.copy_(torch.randn(64, 2))
    ids, lengths = batch(TEXTS)
    tokens = Tokens(ids, lengths, NOTHING, NOTHING)
    without = model.judge(model.input(tokens), tokens)
    torch.testing.assert_close(model(tokens), without + model.wide(ids, lengths))


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"pairs": True}, "wide weights are not for pairs of texts; leave --wide out"),
        ({"subwords": True}, "wide weights are not for subwords; leave --wide out"),
        ({"wide_rows": 1000}, "wide_rows must be a power of two, got 1000"),
        ({"wide_rows": 2**25}, "wide_rows must be at most"),  # a hash has 24 bits
    ],
)
def test_what_has_no_wide_weights_is_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Classifier(BagClassifierConfig(vocabulary=5, embedding=3, wide=1, **settings))
