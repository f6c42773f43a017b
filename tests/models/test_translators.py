"""What is true of every translator: steps agree with whole targets, padding is never seen, nothing looks ahead."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from textdl.config import build, knobs
from textdl.errors import ConfigError
from textdl.models.recurrent_translator import RecurrentTranslatorConfig
from textdl.models.translating import Side, Step, Translator
from textdl.models.translators import TRANSLATORS, chosen_config, translator

from .translator_examples import END, SETTINGS, SOURCES, TARGETS, apart, before, made, side

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def test_every_kind_of_model_is_tried() -> None:
    assert {settings.get("kind", "lstm") for settings in SETTINGS.values()} == set(TRANSLATORS)
    for kind, (config, _) in TRANSLATORS.items():
        assert chosen_config({"kind": kind}) is config
        assert build(config, {"kind": kind}).kind == kind
        assert set(knobs(config)) == {field.name for field in dataclasses.fields(config)}


@pytest.mark.parametrize("name", SETTINGS)
@torch.no_grad()
def test_step_by_step_gives_the_scores_of_whole_targets(name: str) -> None:
    model = made(name)
    source, told = side(SOURCES, filler=3), before(TARGETS, filler=5)
    whole = apart(model(source, told), told.lengths)
    memory = model.encode(source)
    state = model.begin(memory)
    for here, ids in enumerate(told.ids):
        step = model.step(ids.unsqueeze(1), state, memory)
        state = step.state
        for place, length in enumerate(told.lengths):
            if here < length:
                torch.testing.assert_close(step.logits[place, 0], whole[place][here], **CLOSE)


@pytest.mark.parametrize("name", SETTINGS)
@torch.no_grad()
def test_hypotheses_of_a_sentence_go_on_by_themselves_and_can_be_chosen_among(name: str) -> None:
    """Three targets a sentence, of which two change places in the middle and one is dropped for a second of another."""
    model = made(name)
    torch.manual_seed(0)
    first = torch.randint(0, 9, (len(SOURCES), 3, 3))  # [B, K, t]
    order = torch.tensor([2, 0, 2])
    then = torch.randint(0, 9, (len(SOURCES), 3, 2))
    memory = model.encode(side(SOURCES))
    state = model.begin(memory)
    state = tuple(part.repeat_interleave(3, dim=0) for part in state)
    for ids in first.unbind(-1):
        step = model.step(ids, state, memory)
        state = step.state
    rows = (torch.arange(len(SOURCES)).unsqueeze(1) * 3 + order).flatten()
    state = tuple(part[rows] for part in state)
    steps: list[Step] = []
    for ids in then.unbind(-1):
        steps.append(model.step(ids, state, memory))
        state = steps[-1].state
    read = torch.cat([first[:, order], then], dim=-1)
    for place, sentence in enumerate(SOURCES):
        for k in range(3):
            told = side([read[place, k].tolist()])
            alone = model(side([sentence]), told).logits[-2:]
            torch.testing.assert_close(torch.stack([s.logits[place, k] for s in steps]), alone, **CLOSE)


@pytest.mark.parametrize("name", SETTINGS)
@torch.no_grad()
def test_a_padded_batch_gives_the_scores_of_one_by_one(name: str) -> None:
    model = made(name)
    alone = [model(side([s]), before([t])).logits for s, t in zip(SOURCES, TARGETS, strict=True)]
    assert len({tuple(logits[0].tolist()) for logits in alone}) == len(SOURCES), "the sources are told apart"
    for more, filler in ((0, 0), (3, 7)):
        told = before(TARGETS, more, filler)
        together = model(side(SOURCES, more, filler), told)
        assert together.logits.shape == (int(told.lengths.sum()), alone[0].shape[1])
        for one, many in zip(alone, apart(together, told.lengths), strict=True):
            torch.testing.assert_close(many, one, **CLOSE)


def gradients(model: Translator, source: Side, told: Side, wanted: list[Tensor]) -> dict[str, Tensor]:
    """Of the sum of the logits of each sentence times what is wanted of it, and of the penalty."""
    model.zero_grad()
    scored = model(source, told)
    loss = sum((a * w).sum() for a, w in zip(apart(scored, told.lengths), wanted, strict=True))
    (loss + (0.0 if scored.penalty is None else scored.penalty)).backward()  # type: ignore[union-attr]
    reached = {name: weight.grad for name, weight in model.named_parameters()}
    assert all(gradient is not None for gradient in reached.values()), "every parameter has one"
    return {name: gradient.clone() for name, gradient in reached.items() if gradient is not None}


@pytest.mark.parametrize("name", SETTINGS)
def test_gradients_reach_everything_and_do_not_see_padding(name: str) -> None:
    model = made(name)
    vocabulary = model.config.target_vocabulary  # type: ignore[union-attr]
    torch.manual_seed(1)
    wanted = [torch.randn(len(target) + 1, vocabulary) for target in TARGETS]
    alone: dict[str, Tensor] = {}
    for s, t, w in zip(SOURCES, TARGETS, wanted, strict=True):
        for key, gradient in gradients(model, side([s]), before([t]), [w]).items():
            alone[key] = alone.get(key, torch.zeros(())) + gradient
    # What is added to all keys of the Transformer alike changes none of its weights.
    assert all(gradient.abs().max() > 1e-7 for gradient in alone.values()), "all are reached"
    for more, filler in ((0, 0), (2, 7)):
        together = gradients(model, side(SOURCES, more, filler), before(TARGETS, more, filler), wanted)
        for key, gradient in together.items():
            torch.testing.assert_close(gradient, alone[key], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SETTINGS)
@torch.no_grad()
def test_no_score_sees_a_later_token_of_the_target_but_all_earlier_ones(name: str) -> None:
    model = made(name)
    source, target = side([SOURCES[0]]), [3, 1, 4, 4, 0]
    known = model(source, before([target])).logits
    for place in range(len(target)):
        changed = [*target]
        changed[place] = 8
        other = model(source, before([changed])).logits
        # Token ``place`` of the target is read before the score of the next one is made.
        torch.testing.assert_close(other[: place + 1], known[: place + 1], rtol=1e-6, atol=1e-6)
        assert (other[place + 1 :] - known[place + 1 :]).abs().amax(1).min() > 1e-6


@pytest.mark.parametrize("name", SETTINGS)
@torch.no_grad()
def test_attention_sums_to_one_and_ignores_padding(name: str) -> None:
    model = made(name)
    memory = model.encode(side(SOURCES, more=2, filler=9))
    state = tuple(part.repeat_interleave(2, dim=0) for part in model.begin(memory))
    for ids in torch.randint(0, 9, (3, len(SOURCES), 2)):
        step = model.step(ids, state, memory)
        state = step.state
        if SETTINGS[name].get("attention") == "none":
            assert step.attention is None
            continue
        assert step.attention is not None
        assert step.attention.shape == (len(SOURCES), 2, 7)
        torch.testing.assert_close(step.attention.sum(-1), torch.ones(len(SOURCES), 2))
        for place, sentence in enumerate(SOURCES):
            assert (step.attention[place, :, : len(sentence)] > 0).all()
            assert not step.attention[place, :, len(sentence) :].any(), "exactly 0"


@pytest.mark.parametrize("name", SETTINGS)
@torch.no_grad()
def test_a_memory_of_some_sentences_is_theirs(name: str) -> None:
    model = made(name)
    rows = torch.tensor([3, 0])
    some = model.encode(side(SOURCES)).of(rows)
    ids = torch.tensor([[4], [1]])
    step = model.step(ids, model.begin(some), some)
    told = [
        model(side([SOURCES[row]]), Side(ids[place : place + 1], torch.tensor([1]))) for place, row in enumerate(rows)
    ]
    torch.testing.assert_close(step.logits[:, 0], torch.cat([t.logits for t in told]), **CLOSE)


@torch.no_grad()
def own_choices(model: Translator, source: Side, told: Side) -> Tensor:
    """What is read when every token but the first is the model's own: greedily, one sentence at a time."""
    memory = model.encode(source)
    state, read = model.begin(memory), told.ids.clone()
    for here in range(len(read) - 1):
        step = model.step(read[here].unsqueeze(1), state, memory)
        state = step.state
        read[here + 1] = step.logits[:, 0].argmax(-1)
    return read


@pytest.mark.parametrize("name", [name for name in SETTINGS if "transformer" not in name])
@torch.no_grad()
def test_recurrent_scheduled_sampling_reads_what_the_model_itself_would_say(name: str) -> None:
    model = made(name)
    source, told = side(SOURCES), before(TARGETS)
    read = own_choices(model, source, told)
    assert (read != told.ids).any()
    torch.testing.assert_close(model(source, told, own=1.0).logits, model(source, Side(read, told.lengths)).logits)


@pytest.mark.parametrize("name", [name for name in SETTINGS if "transformer" in name])
@torch.no_grad()
def test_scheduled_sampling_of_the_transformer_reads_the_choices_of_a_first_pass(name: str) -> None:
    model = made(name)
    source, told = side(SOURCES), before(TARGETS)
    read = told.ids.clone()
    for place, logits in enumerate(apart(model(source, told), told.lengths)):
        read[1 : len(logits), place] = logits.argmax(-1)[:-1]
    assert (read != told.ids).any()
    torch.testing.assert_close(model(source, told, own=1.0).logits, model(source, Side(read, told.lengths)).logits)


@pytest.mark.parametrize("name", ["lstm general", "gru fed", "transformer"])
@torch.no_grad()
def test_scheduled_sampling_replaces_a_share_drawn_from_the_seed(name: str) -> None:
    model = made(name)
    source, told = side(SOURCES * 50), before([[7] * 6] * len(SOURCES) * 50)
    read: list[Tensor] = []
    model.words.target.register_forward_pre_hook(lambda _, ids: read.append(ids[0]))  # type: ignore[union-attr]

    def share(own: float, seed: int) -> tuple[float, Tensor]:
        torch.manual_seed(seed)
        read.clear()
        model(source, told, own)
        last = read[-1] if read[-1].shape == told.ids.shape else read[-1].T
        assert (last[0] == END).all()
        return (last[1:] != 7).float().mean().item(), last

    whole, half, again, other = share(1.0, 1), share(0.5, 1), share(0.5, 1), share(0.5, 2)
    assert whole[0] > 0.5
    assert 0.35 < half[0] / whole[0] < 0.65
    assert half[1].equal(again[1])
    assert not half[1].equal(other[1])


@pytest.mark.parametrize("own", [0.0, 0.5])
@pytest.mark.parametrize(
    "name",
    [
        "lstm general",
        "gru additive",
        "sru concat",
        "covered dot",
        "fed and covered",
        "tied all",
        "lstm none",
        "transformer",
    ],
)
def test_bfloat16_is_nearly_the_same_and_every_parameter_is_learned(name: str, own: float) -> None:
    model = made(name).train()
    source, told = side(SOURCES), before(TARGETS)

    def run(narrow: bool) -> tuple[Tensor, dict[str, Tensor]]:
        torch.manual_seed(5)
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            scored = model(source, told, own)
        (scored.logits.float().square().mean() + (0.0 if scored.penalty is None else scored.penalty)).backward()
        reached = {key: weight.grad for key, weight in model.named_parameters()}
        assert all(gradient is not None for gradient in reached.values())
        return scored.logits.detach().float(), {k: g.clone() for k, g in reached.items() if g is not None}

    exact, reached = run(False)
    rough, learned = run(True)
    assert rough.isfinite().all()
    if own == 0.0:
        torch.testing.assert_close(rough, exact, rtol=0.05, atol=0.1)
    for key in learned:
        assert learned[key].isfinite().all()
        assert learned[key].abs().max() > 0 or reached[key].abs().max() < 1e-6, key


@pytest.mark.parametrize("name", ["two layers", "fed and covered", "transformer"])
def test_dropout_is_drawn_from_the_seed_and_only_while_training(name: str) -> None:
    model = made(name, dropout=0.5)

    def logits(seed: int) -> Tensor:
        torch.manual_seed(seed)
        found: Tensor = model(side(SOURCES), before(TARGETS)).logits.detach()
        return found

    assert logits(1).equal(logits(2))
    model.train()
    assert logits(1).equal(logits(1))
    assert not logits(1).equal(logits(2))


@pytest.mark.parametrize("kind", ["lstm", "transformer"])
def test_tied_weights_are_one_tensor(kind: str) -> None:
    sizes = {"kind": kind, "embedding": 8, "source_vocabulary": 11, "target_vocabulary": 11}
    config = chosen_config(sizes)
    for tied, one_table in (("none", 3), ("target", 2), ("all", 1)):
        words = translator(config(**sizes, tied=tied, joint=True)).words  # type: ignore[arg-type, union-attr]
        tables = {id(words.source.weight), id(words.target.weight), id(words.output.weight)}  # type: ignore[union-attr]
        assert len(tables) == one_table
    with pytest.raises(ConfigError, match="joint vocabulary"):
        translator(config(**sizes, tied="all"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kind, values, said",
    [
        ("lstm", {"hidden": 7}, "hidden must be even"),
        ("lstm", {"attention": "none", "input_feeding": True}, "input_feeding needs attention"),
        ("lstm", {"attention": "none", "coverage": 1.0}, "coverage needs attention"),
        ("lstm", {"attention": "generl"}, "did you mean 'general'"),
        ("lstm", {"tied": "both"}, "tied has no choice 'both'"),
        ("lstm", {"heads": 2}, "no setting 'heads'"),
        ("transformer", {"embedding": 10, "heads": 4}, "multiple of heads"),
        ("transformer", {"embedding": 9, "heads": 3}, "must be even"),
        ("transformer", {"coverage": 1.0}, "no setting 'coverage'"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(kind: str, values: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        build(chosen_config({"kind": kind}), {"kind": kind, **values})
    assert "\n" not in str(caught.value)


def test_odd_width_is_fine_for_one_direction() -> None:
    assert RecurrentTranslatorConfig(hidden=7, bidirectional=False).hidden == 7


@pytest.mark.parametrize(
    "settings, rate, steps",
    [
        ({"kind": "lstm", "embedding": 32, "hidden": 64}, 0.02, 80),
        ({"kind": "transformer", "embedding": 32, "heads": 4, "layers": 1, "feedforward": 64}, 0.005, 200),
    ],
)
def test_a_copy_task_is_learnt(settings: dict[str, object], rate: float, steps: int) -> None:
    torch.manual_seed(0)
    sizes = {"source_vocabulary": 12, "target_vocabulary": 12, "dropout": 0.0, **settings}
    model = translator(chosen_config(sizes)(**sizes))  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(model.parameters(), rate)

    def drawn(count: int) -> tuple[Side, Side, Tensor]:
        lengths = torch.randint(2, 7, (count,))
        ids = torch.randint(3, 12, (6, count))
        ended = torch.cat([ids, ids[:1]]).scatter(0, lengths.unsqueeze(0), END)
        told = torch.cat([torch.full((1, count), END), ids])
        return Side(ids, lengths), Side(told, lengths + 1), ended

    for step in range(steps):
        source, told, wanted = drawn(64)
        mask = torch.arange(7).unsqueeze(1) < told.lengths
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 20, 2 * (1 - step / steps))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(source, told).logits, wanted[mask]).backward()
        optimizer.step()
    model.eval()
    source, told, wanted = drawn(200)
    read = own_choices(model, source, Side(torch.cat([told.ids, told.ids[:1]]), told.lengths))[1:]
    mask = torch.arange(7).unsqueeze(1) < told.lengths
    assert ((read == wanted) | ~mask).all(0).float().mean() >= 0.99, "whole sentences, said without help"
