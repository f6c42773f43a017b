"""The recurrent translator against torch's own layers put together by hand, and coverage against sums by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from textdl.models.recurrent_translator import RecurrentTranslator

from .translator_examples import SETTINGS, SOURCES, TARGETS, apart, before, made, side


def by_hand(model: RecurrentTranslator, source: list[int], told: list[int]) -> Tensor:
    """The scores [T, V] of one sentence: an LSTM of torch that reads both ways, then one token of the target by one."""
    config, state = model.config, model.state_dict()
    both = nn.LSTM(config.embedding, config.hidden // 2, bidirectional=True)
    names = {"forwards": "", "backwards": "_reverse"}
    both.load_state_dict(
        {
            f"{part}{end}": state[f"encoder.{way}.0.layers.0.{part}"]
            for way, end in names.items()
            for part in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        }
    )
    fed = torch.zeros(config.hidden if config.input_feeding else 0)
    one = nn.LSTMCell(config.embedding + len(fed), config.hidden)
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    one.load_state_dict({part: state[f"decoder.layers.0.{part}_l0"] for part in parts})
    values, (last, _) = both(state["words.source.weight"][source])  # [S, E]
    first = torch.tanh(state["bridge.weight"] @ last.flatten() + state["bridge.bias"])
    h, c = first.split(config.hidden)
    rows = []
    for token in told:
        h, c = one(torch.cat([state["words.target.weight"][token], fed]), (h, c))
        y = h
        if config.attention == "general":
            scores = torch.stack([h @ (state["attention.of_values"] @ value) for value in values])
            context = (torch.softmax(scores, 0).unsqueeze(1) * values).sum(0)
            y = torch.tanh(state["combine.weight"] @ torch.cat([context, h]))
            fed = y if config.input_feeding else fed
        narrow = state["words.projection.weight"] @ y if config.tied == "target" else y
        rows.append(state["words.output.weight"] @ narrow + state["words.output.bias"])
    return torch.stack(rows)


@pytest.mark.parametrize("name", ["lstm general", "lstm none", "lstm fed", "tied"])
@torch.no_grad()
def test_lstm_against_layers_of_torch_put_together_by_hand(name: str) -> None:
    model = made(name)
    assert isinstance(model, RecurrentTranslator)
    told = before(TARGETS)
    scores = apart(model(side(SOURCES), told), told.lengths)
    for place, source in enumerate(SOURCES):
        ids = told.ids[: int(told.lengths[place]), place].tolist()
        torch.testing.assert_close(scores[place], by_hand(model, source, ids), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_the_penalty_of_coverage_where_every_token_is_looked_at_alike() -> None:
    """With all scores alike, a source of S tokens is looked at by 1 / S each time: nothing the first time, when none
    was looked at before, and S times 1 / S at every time after it."""
    model = made("covered general", coverage=0.25)
    assert isinstance(model, RecurrentTranslator)
    assert model.attention is not None
    for weight in model.attention.parameters():
        weight.zero_()
    told = before(TARGETS)
    penalty = model(side(SOURCES), told).penalty
    assert penalty is not None
    assert penalty.item() == pytest.approx(0.25 * sum(len(target) for target in TARGETS), rel=1e-5)


@pytest.mark.parametrize("name", [name for name in SETTINGS if "covered" in name])
@torch.no_grad()
def test_the_penalty_of_coverage_is_the_sum_of_what_is_looked_at_again(name: str) -> None:
    model = made(name, coverage=2.0)
    expected = 0.0
    for source, target in zip(SOURCES, TARGETS, strict=True):
        memory = model.encode(side([source]))
        state, seen = model.begin(memory), [0.0] * len(source)
        for token in before([target]).ids.flatten():
            step = model.step(token.view(1, 1), state, memory)
            state = step.state
            assert step.attention is not None
            for place, weight in enumerate(step.attention.flatten().tolist()):
                expected += 2.0 * min(weight, seen[place])
                seen[place] += weight
        torch.testing.assert_close(state[-1][0], torch.tensor(seen), rtol=1e-5, atol=1e-5)
    penalty = model(side(SOURCES, 2, 5), before(TARGETS, 1, 5)).penalty
    assert penalty is not None
    assert penalty.item() == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_coverage_is_seen_by_the_scores() -> None:
    model = made("covered additive")
    assert isinstance(model, RecurrentTranslator)
    assert model.attention is not None
    assert model.attention.of_coverage is not None
    seeing = model(side(SOURCES), before(TARGETS)).logits
    model.attention.of_coverage.zero_()
    assert (model(side(SOURCES), before(TARGETS)).logits - seeing).abs().max() > 1e-4


@torch.no_grad()
def test_input_feeding_hands_on_what_was_made_of_the_source() -> None:
    """With the same weights, the second step differs by what was fed, and the first, fed with zeros, does not."""
    model = made("lstm fed")
    assert isinstance(model, RecurrentTranslator)
    source, told = side(SOURCES[:1]), before(TARGETS[:1])
    fed = model(source, told).logits
    model.decoder.layers[0].weight_ih_l0[:, model.config.embedding :] = 0.0  # type: ignore[index, operator]
    deaf = model(source, told).logits
    torch.testing.assert_close(fed[0], deaf[0], rtol=1e-5, atol=1e-6)
    assert (fed[1:] - deaf[1:]).abs().amax(1).min() > 1e-4
    plain = made("lstm general")
    assert isinstance(plain, RecurrentTranslator)
    weights = model.state_dict()
    weights["decoder.layers.0.weight_ih_l0"] = weights["decoder.layers.0.weight_ih_l0"][:, : model.config.embedding]
    plain.load_state_dict(weights)
    torch.testing.assert_close(plain(source, told).logits, deaf, rtol=1e-5, atol=1e-5)
