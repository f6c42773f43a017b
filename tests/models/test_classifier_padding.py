"""No classifier sees padding: whom a text shares a batch with changes neither its logits nor any gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from textdl.models.classifier import ENCODERS, Classifier
from textdl.models.word_input import inside

from .classifier_examples import SETTINGS, TEXTS, batch, logits, made

EVERY = list(range(len(TEXTS)))


def test_every_kind_of_model_is_tried() -> None:
    assert {settings["kind"] for settings, _ in SETTINGS.values()} == set(ENCODERS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_padded_batch_gives_the_logits_of_one_by_one(name: str) -> None:
    model, reader = made(name)
    with torch.no_grad():
        alone = torch.cat([logits(model, reader, [place]) for place in EVERY])
        assert len({tuple(row.tolist()) for row in alone}) == len(TEXTS), "the texts are told apart"
        for more in (0, 1, 5):
            torch.testing.assert_close(logits(model, reader, EVERY, more), alone, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(logits(model, reader, [1, 1], 4), alone[[1, 1]], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["lstm 1 both", "bag", "lm max", "lstm subwords", "cnn both", "bag both, some untrained"]
)
def test_padding_has_a_vector_of_zeros(name: str) -> None:
    model, reader = made(name)
    tokens = batch(reader, TEXTS, more=2)
    x, mask = model.input(tokens).detach(), inside(tokens).squeeze(-1)
    assert not x[~mask].any()
    assert x[mask].abs().amax(-1).count_nonzero() == mask.sum() - 1, "all but the one place of the empty text"


def gradients(model: Classifier, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    named = model.named_parameters()
    return {name: torch.zeros_like(p) if p.grad is None else p.grad.clone() for name, p in named}


@pytest.mark.parametrize("name", SETTINGS)
def test_gradients_do_not_see_padding(name: str) -> None:
    model, reader = made(name)
    torch.manual_seed(1)
    wanted = torch.randn(len(TEXTS), 3)
    alone = gradients(model, sum((logits(model, reader, [p]) * wanted[p]).sum() for p in EVERY))  # type: ignore[arg-type]
    assert all(gradient.abs().max() > 0 for key, gradient in alone.items() if "bias_hh" not in key), "all are reached"
    for more in (0, 4):
        together = gradients(model, (logits(model, reader, EVERY, more) * wanted).sum())
        for key, gradient in together.items():
            torch.testing.assert_close(gradient, alone[key], rtol=1e-5, atol=1e-5)
