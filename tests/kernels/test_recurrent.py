"""The stepping loops against torch's own layers, and against a plain loop where torch has no such layer."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from textdl.errors import ConfigError, PromptError, RunError
from textdl.kernels import packing
from textdl.kernels.ngrams import ORDERS, ngram_row
from textdl.kernels.packing import LayerWeights, NgramWeights
from textdl.kernels.recurrent import State, Stepper
from textdl.kernels.sampling import pick

V, D, H = 37, 11, 20
R, END = 64, 4
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
#: Each cell without and with layer normalisation of its sums, which an sru does not have.
KINDS = [*itertools.product(GATES, (False, True)), ("sru", False)]
Parts = dict[str, Any]
Orders = tuple[int, ...]


def weights(cell: str, layers: int, normed: bool = False, tied: bool = False, orders: Orders = ()) -> Parts:
    """Random weights of one model, as the arguments of Stepper."""
    generator = np.random.default_rng(0)
    wide = GATES.get(cell, 3) * H

    def draw(*shape: int) -> NDArray[np.float32]:
        return generator.uniform(-0.5, 0.5, shape).astype(np.float32)

    made = []
    for number in range(layers):
        if cell == "sru":
            width = D if number == 0 else H
            weight, bias = draw((3 if width == H else 4) * H, width), draw(3 * H)
            made.append(LayerWeights(weight, None, bias, None, gain_cell=1 + draw(H), norm_bias_cell=draw(H)))
            continue
        norms = [1 + draw(wide), draw(wide), 1 + draw(wide), draw(wide)] if normed else []
        norms += [1 + draw(H), draw(H)] if normed and cell == "lstm" else []
        matrices = draw(wide, D if number == 0 else H), draw(wide, H), draw(wide), draw(wide)
        made.append(LayerWeights(*matrices, *norms))
    projection, embedding = draw(H, D) if tied else None, 2 * draw(V, D)
    return {
        "cell": cell,
        "embedding": embedding,
        "layers": made,
        "output": embedding if tied else draw(V, H),
        "output_bias": draw(V),
        "projection": projection,
        "ngrams": NgramWeights([2 * draw(R, D) for _ in orders], orders, END) if orders else None,
        "top": (1 + draw(H), draw(H)) if cell == "sru" else None,
    }


def torch_logits(parts: Parts, ids: list[int]) -> NDArray[Any]:
    """The scores ``[V]`` after the ids by ``torch.nn``."""
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[parts["cell"]]
    layer = kind(D, H, len(parts["layers"]))
    with torch.no_grad():
        for number, made in enumerate(parts["layers"]):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(layer, f"{name}_l{number}").copy_(torch.from_numpy(getattr(made, name)))
        top = layer(torch.from_numpy(parts["embedding"])[torch.tensor(ids)][:, None])[0][-1, 0].numpy()
    return head(parts, top)


def head(parts: Parts, top: NDArray[Any]) -> NDArray[Any]:
    projected = top if parts["projection"] is None else top @ parts["projection"]
    answer: NDArray[Any] = parts["output"] @ projected + parts["output_bias"]
    return answer


def plain_logits(parts: Parts, ids: list[int]) -> NDArray[Any]:
    """The scores after the ids by the formulas, in float64, one gate at a time."""
    memory = [(torch.zeros(H).double(), torch.zeros(H).double()) for _ in parts["layers"]]
    ngrams, read = parts["ngrams"] or NgramWeights([], (), END), [END] * max(ORDERS)
    for token in ids:
        read.append(token)
        x = torch.from_numpy(parts["embedding"][token]).double()
        for table, order in zip(ngrams.tables, ngrams.orders, strict=True):
            x += torch.from_numpy(table[ngram_row(np.array(read), order, len(table), ngrams.end)])
        for number, layer in enumerate(parts["layers"]):
            memory[number] = plain_cell(parts["cell"], layer, x, *memory[number])
            x = memory[number][0]
    top = memory[-1][0]
    if parts["top"] is not None:
        top = torch.nn.functional.layer_norm(top, (H,), *(torch.from_numpy(part).double() for part in parts["top"]))
    return head(parts, top.numpy())


def plain_cell(
    cell: str, layer: LayerWeights, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    w = {name: torch.from_numpy(value).double() for name, value in layer._asdict().items() if value is not None}

    def norm(values: torch.Tensor, gain: str, bias: str, part: slice = slice(None)) -> torch.Tensor:
        if gain not in w:
            return values
        return torch.nn.functional.layer_norm(values, (H,), w[gain][part], w[bias][part], eps=1e-5)

    def of_input(gate: int) -> torch.Tensor:
        part = slice(gate * H, (gate + 1) * H)
        return norm(w["weight_ih"][part] @ x + w["bias_ih"][part], "gain_ih", "norm_bias_ih", part)

    def of_state(gate: int) -> torch.Tensor:
        part = slice(gate * H, (gate + 1) * H)
        return norm(w["weight_hh"][part] @ h + w["bias_hh"][part], "gain_hh", "norm_bias_hh", part)

    if cell == "sru":
        z, f, r = (w["weight_ih"][gate * H : (gate + 1) * H] @ x + w["bias_ih"][gate * H :][:H] for gate in range(3))
        c = torch.sigmoid(f) * c + (1 - torch.sigmoid(f)) * z
        shown = norm(c, "gain_cell", "norm_bias_cell")
        return torch.sigmoid(r) * shown + (x if len(x) == H else w["weight_ih"][3 * H :] @ x), c
    if cell == "rnn":
        return torch.tanh(of_input(0) + of_state(0)), c
    if cell == "gru":
        r, z = (torch.sigmoid(of_input(gate) + of_state(gate)) for gate in (0, 1))
        n = torch.tanh(of_input(2) + r * of_state(2))
        return (1 - z) * n + z * h, c
    i, f, g, o = (of_input(gate) + of_state(gate) for gate in range(4))
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(norm(c, "gain_cell", "norm_bias_cell")), c


def prompt(length: int, seed: int = 1) -> list[int]:
    return [int(token) for token in np.random.default_rng(seed).integers(0, V, length)]


def assert_same(state: State, other: State) -> None:
    np.testing.assert_array_equal(state.hidden, other.hidden)
    np.testing.assert_array_equal(state.recent, other.recent)


@pytest.mark.parametrize("length", [1, 50])
@pytest.mark.parametrize("cell, layers, tied", list(itertools.product(GATES, (1, 2), (False, True))))
def test_feed_gives_the_scores_of_torchs_layer(cell: str, layers: int, tied: bool, length: int) -> None:
    parts = weights(cell, layers, tied=tied)
    stepper = Stepper(**parts)
    logits = stepper.feed(stepper.state(), prompt(length))[1]
    np.testing.assert_allclose(logits, torch_logits(parts, prompt(length)), atol=1e-5)


@pytest.mark.parametrize("length", [1, 50])
@pytest.mark.parametrize("cell, layers, tied", list(itertools.product(GATES, (1, 2), (False, True))))
def test_feed_with_layer_norm_gives_the_scores_of_the_formulas(cell: str, layers: int, tied: bool, length: int) -> None:
    parts = weights(cell, layers, normed=True, tied=tied)
    stepper = Stepper(**parts)
    logits = stepper.feed(stepper.state(), prompt(length))[1]
    np.testing.assert_allclose(logits, plain_logits(parts, prompt(length)), atol=1e-5)


@pytest.mark.parametrize("length", [1, 50])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("width, layers", [(D, 1), (D, 3), (H, 1), (H, 2)])
def test_feed_gives_the_scores_of_an_srus_formulas(
    width: int, layers: int, tied: bool, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "D", width)
    parts = weights("sru", layers, tied=tied)
    stepper = Stepper(**parts)
    logits = stepper.feed(stepper.state(), prompt(length))[1]
    np.testing.assert_allclose(logits, plain_logits(parts, prompt(length)), atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell, normed", KINDS)
def test_feed_adds_the_ngrams_of_the_plain_rule(cell: str, normed: bool, layers: int) -> None:
    parts = weights(cell, layers, normed, tied=layers == 2, orders=ORDERS)
    stepper = Stepper(**parts)
    ids = [*prompt(15), END, *prompt(12, seed=2), END, END, 0, 1, 2]
    for stop in (1, 15, 16, 17, 20, 29, 30, 33):
        state, logits = stepper.feed(stepper.state(), ids[:stop])
        np.testing.assert_allclose(logits, plain_logits(parts, ids[:stop]), atol=1e-5)
        assert state.recent.tolist() == [*[END] * 12, *ids[:stop]][-12:]
    without = Stepper(**{**parts, "ngrams": None})
    assert np.abs(without.feed(without.state(), ids)[1] - logits).max() > 1e-3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(2, 6), min_size=1, max_size=24),
    st.integers(0, 24),
    st.sets(st.sampled_from(ORDERS), min_size=1).map(sorted).map(tuple),
)
def test_any_orders_and_any_ends_of_text_fed_in_two_parts(ids: list[int], cut: int, orders: Orders) -> None:
    parts = weights("rnn", 1, orders=orders)
    stepper = Stepper(**parts)
    state = stepper.state()
    assert state.recent.tolist() == [END] * (orders[-1] - 1)
    for piece in (ids[:cut], ids[cut:]):
        if piece:
            state, logits = stepper.feed(state, piece)
    np.testing.assert_allclose(logits, plain_logits(parts, ids), atol=1e-5)


def test_no_ngram_reaches_over_an_end_of_text() -> None:
    stepper = Stepper(**weights("gru", 1, orders=ORDERS))
    after = stepper.feed(stepper.state(), [*prompt(20), END])[0]
    fresh = stepper.state(after.hidden)  # nothing of the text before but the hidden state
    assert fresh.recent.tolist() != after.recent.tolist()
    np.testing.assert_array_equal(stepper.feed(after, [9, 8, 7])[1], stepper.feed(fresh, [9, 8, 7])[1])


def test_a_state_begins_with_a_copy_of_the_hidden_state_given() -> None:
    stepper = Stepper(**weights("lstm", 2))
    hidden = np.random.default_rng(0).random((2, 2, H))
    state = stepper.state(hidden)
    assert_same(state, State(hidden.astype(np.float32), np.empty(0, np.int64)))
    state.hidden[:] = 0
    assert hidden.any()
    with pytest.raises(ConfigError, match=r"hidden must have shape \(2, 2, 20\), got \(2, 20\)"):
        stepper.state(hidden[0])


@pytest.mark.parametrize("cell, normed", KINDS)
def test_an_embedding_too_large_to_fold_gives_the_same(
    cell: str, normed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = weights(cell, 2, normed)
    folded = Stepper(**parts)
    monkeypatch.setattr(packing, "FOLD_LIMIT", 0)
    unfolded = Stepper(**parts)
    assert len(folded._net.first) == 0
    assert len(unfolded._net.first) == D
    one, other = (s.feed(s.state(), prompt(30))[1] for s in (folded, unfolded))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("size", [1, 5, 8, 13])
def test_widths_that_are_no_multiple_of_eight(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "H", size)
    parts = weights("gru", 2)
    stepper = Stepper(**parts)
    logits = stepper.feed(stepper.state(), prompt(9))[1]
    np.testing.assert_allclose(logits, torch_logits(parts, prompt(9)), atol=1e-5)


@pytest.mark.parametrize("scale", [30.0, 1e4])
@pytest.mark.parametrize("cell", GATES)
def test_saturated_gates_stay_finite(cell: str, scale: float) -> None:
    parts = weights(cell, 1)
    parts["layers"] = [LayerWeights(*(scale * array for array in parts["layers"][0][:4]))]
    stepper = Stepper(**parts)
    state, logits = stepper.feed(stepper.state(), prompt(20))
    assert np.abs(state.hidden[:, 0]).max() <= 1.0
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("orders", [(), ORDERS])
@pytest.mark.parametrize("cell, normed", KINDS)
def test_generating_is_feeding_what_pick_draws(cell: str, normed: bool, orders: Orders) -> None:
    parts = weights(cell, 2, normed, orders=orders)
    parts["output_bias"][END] += 2  # so that texts end now and then
    stepper = Stepper(**parts)
    start = stepper.feed(stepper.state(), [3, 1, 4])
    uniforms = np.random.default_rng(5).random(60)
    rule: Parts = {"temperature": 0.7, "top_k": 20, "top_p": 0.9}
    ids, state, logits = stepper.generate(*start, 60, uniforms, **rule, banned_ids=[7, 2])
    slow_state, slow_logits = start
    for token, uniform in zip(ids, uniforms, strict=True):
        assert token == pick(slow_logits, uniform, **rule, banned=[7, 2])
        slow_state, slow_logits = stepper.feed(slow_state, [token])
    assert_same(slow_state, state)
    np.testing.assert_array_equal(slow_logits, logits)
    np.testing.assert_allclose(logits, plain_logits(parts, [3, 1, 4, *ids]), atol=1e-5)
    assert len(set(ids.tolist())) > 5
    assert END in ids


@pytest.mark.parametrize("orders", [(), ORDERS])
def test_generating_in_two_parts_is_generating_in_one(orders: Orders) -> None:
    stepper = Stepper(**weights("lstm", 1, orders=orders))
    start = stepper.feed(stepper.state(), [0])
    uniforms = np.random.default_rng(6).random(40)
    whole, *_ = stepper.generate(*start, 40, uniforms)
    first, state, logits = stepper.generate(*start, 15, uniforms[:15])
    second, *_ = stepper.generate(state, logits, 25, uniforms[15:])
    assert whole.tolist() == [*first.tolist(), *second.tolist()]


def test_a_stop_id_ends_the_text_and_is_part_of_it() -> None:
    stepper = Stepper(**weights("gru", 1))
    start = stepper.feed(stepper.state(), [0])
    uniforms = np.random.default_rng(7).random(200)
    free = stepper.generate(*start, 200, uniforms)[0].tolist()
    stops = [free[30], free[31]]
    ids, state, _ = stepper.generate(*start, 200, uniforms, stop_ids=stops)
    end = min(free.index(stop) for stop in stops)
    assert ids.tolist() == free[: end + 1]
    assert_same(state, stepper.generate(*start, end + 1, uniforms[: end + 1])[1])


def test_stop_ids_in_the_prompt_stop_nothing_and_a_count_of_zero_draws_nothing() -> None:
    stepper = Stepper(**weights("rnn", 1))
    start = stepper.feed(stepper.state(), [5, 5])
    ids, state, logits = stepper.generate(*start, 0, np.empty(0), stop_ids=[5])
    assert ids.tolist() == []
    assert_same(state, start[0])
    np.testing.assert_array_equal(logits, start[1])


def test_arguments_are_left_as_they_were_and_threads_do_not_meet() -> None:
    stepper = Stepper(**weights("lstm", 2, orders=ORDERS))
    state, logits = stepper.feed(stepper.state(), [1, 2])
    kept = State(state.hidden.copy(), state.recent.copy()), logits.copy()
    uniforms = np.random.default_rng(8).random((8, 300))
    alone = [stepper.generate(state, logits, 300, row)[0].tolist() for row in uniforms]
    together: dict[int, list[int]] = {}

    def work(row: int) -> None:
        together[row] = stepper.generate(state, logits, 300, uniforms[row])[0].tolist()

    threads = [threading.Thread(target=work, args=(row,)) for row in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[row] for row in range(8)] == alone
    stepper.feed(state, [3])
    assert_same(state, kept[0])
    np.testing.assert_array_equal(logits, kept[1])


def test_arrays_of_other_types_and_orders_are_taken() -> None:
    parts = weights("lstm", 1)
    other = dict(parts, embedding=np.asfortranarray(parts["embedding"].astype(np.float64)))
    other["embedding"].flags.writeable = False
    one, two = Stepper(**parts), Stepper(**other)
    np.testing.assert_array_equal(one.feed(one.state(), [1])[1], two.feed(two.state(), np.array([1], np.int32))[1])
    start = two.feed(State(two.state().hidden.astype(np.float64), np.empty(0, np.int32)), [1])
    assert two.generate(*start, 3, np.zeros(3, np.float32), temperature=1, top_k=2**40)[0].shape == (3,)


def test_weights_that_are_not_numbers_are_reported() -> None:
    parts = weights("gru", 1)
    parts["layers"][0].weight_hh[3, 3] = np.nan
    stepper = Stepper(**parts)
    start = stepper.feed(stepper.state(), [1, 2])
    assert np.isnan(start[1]).any()
    with pytest.raises(RunError, match="not finite"):
        stepper.generate(*start, 5, np.zeros(5))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"cell": "lstn"}, "did you mean 'lstm'"),
        ({"layers": []}, "at least one recurrent layer"),
        ({"embedding": np.zeros((V, D + 1))}, "layer 0 weight_ih must have shape"),
        ({"output": np.zeros((V, H + 1))}, "output must have shape"),
        ({"output_bias": np.zeros(V + 1)}, "output_bias must have shape"),
        ({"projection": np.zeros((D, H))}, "must have shape"),
        ({"cell": "gru"}, "layer 0 weight_hh must have shape|layer 0 weight_ih must have shape"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: Parts, message: str) -> None:
    with pytest.raises((ConfigError, RunError), match=message) as caught:
        Stepper(**{**weights("lstm", 1), **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"orders": ()}, r"orders must be some of 3, 5, 8, 13, ascending, got \(\)"),
        ({"orders": (3, 2)}, "ascending"),
        ({"orders": (2, 4)}, "orders must be some of"),
        ({"end": V}, f"end must be an id from 0 to {V - 1}, got {V}"),
        ({"end": -1}, "end must be an id"),
        ({"tables": [np.zeros((R, D))]}, "a table for each of the orders .*, got 1"),
        ({"tables": [np.zeros((R - 1, D))] * 2}, "power of two, at most 16777216, got 63"),
        ({"tables": [np.zeros((0, D))] * 2}, "power of two, .* got 0"),
        ({"tables": [np.zeros((R, D)), np.zeros((2 * R, D))]}, r"table of 5-grams must have shape \(64, 11\)"),
        ({"tables": [np.zeros((R, D + 1))] * 2}, "table of 3-grams must have shape"),
    ],
)
def test_ngrams_that_do_not_fit_are_refused(change: Parts, message: str) -> None:
    parts = weights("lstm", 1, orders=(3, 5))
    with pytest.raises((ConfigError, RunError), match=message) as caught:
        Stepper(**{**parts, "ngrams": parts["ngrams"]._replace(**change)})
    assert "\n" not in str(caught.value)


def test_half_a_layer_norm_is_refused() -> None:
    parts = weights("lstm", 2, normed=True)
    parts["layers"][1] = parts["layers"][1]._replace(gain_hh=None)
    with pytest.raises(RunError, match=r"layer 1 gain_hh must have shape .*, got nothing"):
        Stepper(**parts)
    parts = weights("lstm", 2)
    parts["layers"][1] = parts["layers"][1]._replace(gain_cell=np.ones(H))
    with pytest.raises(RunError, match="layer 1 has a gain_cell"):
        Stepper(**parts)


def test_calls_that_can_not_be_answered_are_refused() -> None:
    stepper = Stepper(**weights("lstm", 1))
    state, logits = stepper.feed(stepper.state(), [0])
    chance = np.zeros(4)
    with pytest.raises(PromptError, match="empty"):
        stepper.feed(state, [])
    with pytest.raises(ConfigError, match=f"ids from 0 to {V - 1}, got {V}"):
        stepper.feed(state, [0, V])
    with pytest.raises(ConfigError, match="ids must be a list"):
        stepper.feed(state, [0.5])  # type: ignore[list-item]
    for change in ({"hidden": state.hidden[:, :1]}, {"recent": np.array([0, 1])}, {"recent": np.array([V])}):
        with pytest.raises(ConfigError, match=r"hidden must have shape|state.recent must hold (0 ids, got 2|ids from)"):
            stepper.feed(state._replace(**change), [0])
    with pytest.raises(ConfigError, match="state must be a State, got ndarray"):
        stepper.feed(state.hidden, [0])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="logits must have shape"):
        stepper.generate(state, logits[:-1], 4, chance)
    with pytest.raises(ConfigError, match="one number a token"):
        stepper.generate(state, logits, 5, chance)
    with pytest.raises(ConfigError, match=r"\[0, 1\)"):
        stepper.generate(state, logits, 4, chance + 1)
    with pytest.raises(ConfigError, match="temperature"):
        stepper.generate(state, logits, 4, chance, temperature=float("nan"))
    with pytest.raises(ConfigError, match="stop_ids"):
        stepper.generate(state, logits, 4, chance, stop_ids=[-1])
    with pytest.raises(ConfigError, match="no token is left"):
        stepper.generate(state, logits, 4, chance, banned_ids=range(V))
