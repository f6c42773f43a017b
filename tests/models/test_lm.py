"""The language model as a module."""

import torch

from textdl.models.lm import LanguageModel, LanguageModelConfig


def test_shapes_and_state():
    model = LanguageModel(LanguageModelConfig(vocabulary=11, hidden=6, embedding=5, layers=2, cell="lstm", ngrams=0))
    logits, state = model(torch.zeros(4, 3, dtype=torch.long))
    assert logits.shape == (4, 3, 11)
    assert state.shape == (2, 2, 3, 6)


def test_tied_weights_are_one_tensor_and_projected_when_widths_differ():
    wide = LanguageModel(LanguageModelConfig(vocabulary=11, hidden=6, embedding=6, tied=True))
    assert wide.output.weight is wide.embedding.weight
    assert wide.projection is None
    narrow = LanguageModel(LanguageModelConfig(vocabulary=11, hidden=6, embedding=4, tied=True))
    assert narrow.output.weight is narrow.embedding.weight
    y = torch.randn(2, 1, 6)
    by_hand = y @ narrow.projection.weight.T @ narrow.embedding.weight.T + narrow.output.bias
    torch.testing.assert_close(narrow.output(narrow.projection(y)), by_hand)
    assert sum(p.numel() for p in narrow.parameters()) < sum(p.numel() for p in wide.parameters())


def test_dropout_acts_only_while_training():
    model = LanguageModel(LanguageModelConfig(vocabulary=11, hidden=64, embedding=5, dropout=0.5))
    ids = torch.zeros(4 + model.context, 3, dtype=torch.long)
    assert model(ids)[0].shape == (4, 3, 11)
    assert not torch.equal(model.train()(ids)[0], model(ids)[0])
    assert torch.equal(model.eval()(ids)[0], model(ids)[0])
