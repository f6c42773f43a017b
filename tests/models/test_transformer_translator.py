"""The Transformer against torch's own layers with the same weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from textdl.models.transformer_translator import (
    Attention,
    DecoderLayer,
    EncoderLayer,
    TransformerTranslator,
    TransformerTranslatorConfig,
    sinusoids,
)

from .translator_examples import SOURCES, TARGETS, apart, before, made, side


def copied(ours: Attention, theirs: nn.MultiheadAttention) -> None:
    """Our weights into a layer of torch."""
    theirs.in_proj_weight.data = torch.cat([ours.query.weight, ours.remember.weight]).detach().clone()
    theirs.in_proj_bias.data = torch.cat([ours.query.bias, ours.remember.bias]).detach().clone()
    theirs.out_proj.load_state_dict(ours.output.state_dict())


def of_torch(layer: EncoderLayer | DecoderLayer, config: TransformerTranslatorConfig) -> nn.Module:
    """A layer of torch with the weights of ours."""
    kind = nn.TransformerDecoderLayer if isinstance(layer, DecoderLayer) else nn.TransformerEncoderLayer
    made = kind(config.embedding, config.heads, config.feedforward, 0.0, batch_first=True, norm_first=True)
    copied(layer.reading, made.self_attn)
    made.norm1.load_state_dict(layer.reading_norm.state_dict())
    inner_norm = made.norm2
    if isinstance(layer, DecoderLayer) and isinstance(made, nn.TransformerDecoderLayer):
        copied(layer.looking, made.multihead_attn)
        made.norm2.load_state_dict(layer.looking_norm.state_dict())
        inner_norm = made.norm3
    inner_norm.load_state_dict(layer.inner_norm.state_dict())
    made.linear1.load_state_dict(layer.inner.state_dict())
    made.linear2.load_state_dict(layer.outer.state_dict())
    return made.train()  # without dropout; in evaluation torch would take another, fused way


def placed(x: Tensor) -> Tensor:
    """Embeddings [T, D] scaled, plus where they stand, number by number as in section 3.5 of the paper."""
    places = torch.zeros_like(x)
    for place in range(len(x)):
        for feature in range(x.shape[1] // 2):
            angle = place / 10000 ** (2 * feature / x.shape[1])
            places[place, 2 * feature] = math.sin(angle)
            places[place, 2 * feature + 1] = math.cos(angle)
    return x * math.sqrt(x.shape[1]) + places


@torch.no_grad()
def by_torch(model: TransformerTranslator, source: list[int], told: list[int]) -> tuple[Tensor, Tensor]:
    """The scores [T, V] of one sentence, and what the last layer looks at [T, S], by layers of torch."""
    words, config = model.words, model.config
    x = placed(words.source.weight[source])[None]
    for layer in model.encoder:
        x = of_torch(layer, config)(x)  # type: ignore[arg-type]
    memory = model.encoder_norm(x)
    y = placed(words.target.weight[told])[None]
    causal = nn.Transformer.generate_square_subsequent_mask(len(told))
    asked: list[Tensor] = []
    for layer in model.decoder:
        theirs = of_torch(layer, config)  # type: ignore[arg-type]
        looking = theirs.multihead_attn
        looking.register_forward_pre_hook(lambda _, queries: asked.append(queries[0]))  # type: ignore[union-attr, operator]
        y = theirs(y, memory, tgt_mask=causal)
    _, attention = looking(asked[-1], memory, memory, need_weights=True)  # type: ignore[operator]
    return words.output(model.decoder_norm(y))[0], attention[0]


@pytest.mark.parametrize("name", ["transformer", "transformer of one layer", "transformer tied"])
@torch.no_grad()
def test_scores_and_attention_are_those_of_layers_of_torch(name: str) -> None:
    model = made(name)
    assert isinstance(model, TransformerTranslator)
    told = before(TARGETS)
    scores = apart(model(side(SOURCES), told), told.lengths)
    for place, source in enumerate(SOURCES):
        ids = told.ids[: int(told.lengths[place]), place].tolist()
        expected, attention = by_torch(model, source, ids)
        torch.testing.assert_close(scores[place], expected, rtol=1e-5, atol=1e-5)
        memory = model.encode(side([source]))
        state = model.begin(memory)
        for here, token in enumerate(ids):
            step = model.step(torch.tensor([[token]]), state, memory)
            state = step.state
            assert step.attention is not None
            torch.testing.assert_close(step.attention[0, 0], attention[here], rtol=1e-5, atol=1e-6)


def test_places_of_any_length_and_from_any_place_on() -> None:
    like = torch.zeros(1, 8)
    whole = sinusoids(0, 5000, like)
    torch.testing.assert_close(sinusoids(4711, 3, like), whole[4711:4714])
    torch.testing.assert_close(whole[:40], placed(torch.zeros(40, 8)))
    # 4999 radians are 795 turns and 3.867... radians; the slowest pair turns once in 2π * 1000 places.
    torch.testing.assert_close(whole[4999, :2], torch.tensor([math.sin(4999.0), math.cos(4999.0)]), rtol=0, atol=1e-3)
    torch.testing.assert_close(whole[4999, 6:], torch.tensor([math.sin(4.999), math.cos(4.999)]), rtol=0, atol=1e-3)


def test_weights_begin_as_xavier_glorot_and_biases_with_zero() -> None:
    config = TransformerTranslatorConfig(source_vocabulary=9, target_vocabulary=9)
    for name, weight in TransformerTranslator(config).named_parameters():
        if "norm" in name:
            continue
        if name.endswith("bias"):
            assert not weight.any(), name
        elif "words" not in name:
            assert weight.abs().max().item() == pytest.approx(math.sqrt(6 / sum(weight.shape)), rel=0.01), name
