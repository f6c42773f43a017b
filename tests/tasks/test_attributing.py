"""What each word moved a network's decision by: whole, exact where the model is linear, and laid out on any text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from textdl.errors import ConfigError
from textdl.models.classifier import Classifier, chosen_config
from textdl.models.lm import LanguageModelConfig
from textdl.tasks import attributing
from textdl.tasks.attributing import pieces_of
from textdl.tasks.classifier_run import NeuralRun
from textdl.tasks.text_reader import TextReader, TextsConfig
from textdl.text.base import TokenizerConfig
from textdl.text.tokenizers import train_tokenizer
from textdl.text.word_rules import words

RECURRENT = ("rnn", "lstm", "gru", "sru", "cnn-rnn", "lm")  # a wild one is too steep for 64 steps
LABELS = ("bad", "good", "neither")
LEARNED = ["The good film, a bad one and the dull one. Naïve «is» it?", "It isn't good: 'the bad' \"one\" cannot be\n"]
TEXT = "The film is good, and not one bad."


def made(kind: str = "bag", several: bool = False, **settings: Any) -> NeuralRun:
    """A classifier whose weights are drawn; no training is needed to hold its attributions against its scores."""
    tokenizer, longest = settings.pop("tokenizer", "words"), settings.pop("longest", 400)
    lowercase = settings.pop("lowercase", True)
    data = TextsConfig(tokenizer=tokenizer, min_count=1, longest=longest, lowercase=lowercase, grams=32, vocabulary=300)
    own = train_tokenizer(LEARNED, replace(data.tokenizing(), min_count=1))
    reader = TextReader(own, data)
    settings = {"embedding": 4, **settings}
    if kind == "lm":
        settings["language_model"] = LanguageModelConfig(
            cell="lstm", hidden=5, embedding=4, ngram_rows=16, vocabulary=own.size, end=own.end
        )
    torch.manual_seed(5)
    config = chosen_config({"kind": kind})
    derived = {"vocabulary": reader.rows, "classes": len(LABELS), "subwords": tokenizer == "subwords"}
    model = Classifier(config(kind=kind, **derived, **settings))
    with torch.no_grad():
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if name not in ("temperature", "thresholds"):
                tensor.copy_(torch.randn_like(tensor) * (0.3 if kind in RECURRENT else 1.0))
    model.temperature.fill_(1.7)
    facts = {"source": None, "digest": "", "labels": list(LABELS), "several": several}
    record = {"corpus": {**facts, "pairs": settings.get("pairs", False)}}
    return NeuralRun(Path("RUN"), record, model, reader, data)


def log_odds(run: NeuralRun, text: Any, place: int) -> float:
    scores = run.scores([text])[0].astype(np.float64)
    return float(scores[place] if run.several else scores[place] - np.log(np.exp(np.delete(scores, place)).sum()))


KINDS: dict[str, dict[str, Any]] = {
    "bag": {},
    "bag deep": {"kind": "bag", "layers": 2, "hidden": 6},
    "lstm": {},
    "sru": {},
    "attention": {"kind": "gru", "pooling": "attention"},
    "cnn": {"filters": 5},
    "cnn-rnn": {"pool": 2},
    "lm": {"hidden": 6},
    "wide": {"kind": "lstm", "wide": 3, "wide_rows": 256},
    "subwords": {"kind": "gru", "tokenizer": "subwords"},
    "bpe": {"kind": "gru", "tokenizer": "bpe"},
    "characters": {"kind": "cnn", "tokenizer": "characters"},
    "both": {"kind": "cnn", "vectors": "x", "vectors_use": "both"},
}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_the_weights_and_the_rest_are_the_whole_score(name: str, several: bool) -> None:
    run = made(**{"kind": name, "several": several, **KINDS[name]})
    found = run.attribute(TEXT)
    probabilities = run.probabilities([TEXT])[0]
    place = int(probabilities.argmax())
    assert (found.label, found.probability) == (LABELS[place], pytest.approx(probabilities[place]))
    for label in LABELS:
        place = LABELS.index(label)
        found = run.attribute(TEXT, label)
        whole = log_odds(run, TEXT, place)
        assert found.weights.sum() + found.rest == pytest.approx(whole, abs=1e-5)
        # the rest is the score of a text of zeros, and a sum of 64 parts in place of an integral
        zeros = at_zeros(run, TEXT, place)
        assert abs(found.rest - zeros) < 0.01 * abs(found.weights).sum() + 1e-6, (found.rest, zeros)
        assert all(
            weight == 0 for piece, weight in zip(found.pieces, found.weights, strict=True) if piece.isspace()
        ) or (run.reader.tokenizer.kind != "words")


@torch.no_grad()
def at_zeros(run: NeuralRun, text: str, place: int) -> float:
    """The log-odds of a text whose vectors are all zeros."""
    tokens = run.reader.batch(run.reader.read([run.reader.clean(text)]), np.zeros(1, np.int64))
    scores = run.model.judge(torch.zeros_like(run.model.input(tokens)), tokens)[0].double().numpy()
    return float(scores[place] if run.several else scores[place] - np.log(np.exp(np.delete(scores, place)).sum()))


@pytest.mark.parametrize("name", ["wide", "lm", "pair"])
def test_many_points_are_looked_at_in_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps there are, no more vectors are held at once; and the weights are the same."""
    text: Any = ("The film is good", "and not one bad") if name == "pair" else TEXT
    run = made(**({"kind": "lstm", "pairs": True} if name == "pair" else {"kind": name, **KINDS[name]}))
    whole, held, encode = run.attribute(text, "good", 50), [], run.model.encode

    def watched(x: torch.Tensor, tokens: Any) -> torch.Tensor:
        held.append(x.shape[0] * x.shape[1])
        return encode(x, tokens)

    monkeypatch.setattr(run.model, "encode", watched)
    monkeypatch.setattr(attributing, "_VECTORS_AT_ONCE", 64)
    parts = run.attribute(text, "good", 50)
    assert max(held) <= 64
    np.testing.assert_allclose(parts.weights, whole.weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_more_steps_come_nearer_to_the_integral(kind: str) -> None:
    run = made(kind, pooling="mean")  # the largest of a steep one has too many edges
    errors = [abs(run.attribute(TEXT, "good", steps).rest - at_zeros(run, TEXT, 1)) for steps in (2, 512)]
    assert errors[1] < 1e-4
    assert errors[1] < errors[0]


@pytest.mark.parametrize("text", [TEXT, "good good bad dull unheard-of", "film"])
def test_of_a_linear_model_each_word_has_its_exact_weight(text: str) -> None:
    """Of several labels the score is a sum over the words: head · vector / number of words."""
    run = made("bag", several=True)
    found = run.attribute(text, "neither")
    own = words(text)
    table, head = run.model.input.trained.detach().numpy(), run.model.head.weight[2].detach().numpy()
    ids = run.reader.tokenizer.encode(text)
    exact = dict.fromkeys(own, 0.0)
    for word, id in zip(own, ids.tolist(), strict=True):
        exact[word] = float(table[id] @ head) / len(own)
    shown = [(piece, weight) for piece, weight in zip(found.pieces, found.weights, strict=True) if not piece.isspace()]
    assert [piece for piece, _ in shown] == own
    for piece, weight in shown:
        assert weight == pytest.approx(exact[piece], rel=1e-4, abs=1e-6)
    assert found.rest == pytest.approx(run.model.head.bias[2].item(), rel=1e-4, abs=1e-6)


def test_the_part_of_a_run_is_shared_by_its_words_wherever_it_stands() -> None:
    run = made("bag", several=True, wide=2, wide_rows=1024)
    with torch.no_grad():
        run.model.input.trained.zero_()  # only the wide weights speak
        run.model.wide.scale.fill_(0.5)
    text = "good bad good bad"
    found = run.attribute(text, "good")
    good, bad = run.reader.tokenizer.encode("good bad").tolist()
    wide = run.model.wide
    one = {pair: _weight(wide, pair) for pair in ((good,), (bad,), (good, bad), (bad, good))}
    scale = 0.5 / 4**0.5  # four distinct runs
    # each single word stands twice; "good bad" twice, so a quarter of it is for each of its words; "bad good" once
    first = scale * (one[good,] / 2 + one[good, bad] / 4)
    last = scale * (one[bad,] / 2 + one[good, bad] / 4)
    middle = scale * one[bad, good] / 2
    np.testing.assert_allclose(found.weights[::2], [first, last + middle, first + middle, last], rtol=1e-4)
    assert found.rest == pytest.approx(run.model.head.bias[1].item(), abs=1e-5)


def _weight(wide: Any, run: tuple[int, ...]) -> float:
    rows = wide.rows_of(torch.tensor([run]).T, torch.tensor([len(run)]))
    return wide.weights[rows[len(run) - 1, -1, 0], 1].item()


QUOTES = ('"', "``", "''")
ODD = [
    "",
    " ",
    "\n",
    "good",
    "  The\tgood \n\n film \r\n is\r\nbad ",
    "He said \"it isn't good\", 'bad' “bad” ``dull'' and «so» on… \"",
    '"" " "\'" \'\'',
    "gonna cannot I'd've d'ye 'tis more'n gimme",
    "Mr. Good paid $3.50 (50%) -- at 12:30... etc.",
    "😀 good👍🏽👨‍👩‍👧 film 🇫🇷!",
    "הסרט היה טוב מאוד. الفيلم جيّد جداً، 'نعم'",
    "e\u0301te\u0301 naïve q\u0323\u0307 ȩ\u0301",
    "İSTANBUL IS Good İ ΟΔΟΣ ẞ ŉ bad",
    "漢字 の good\u3000film\u00a0bad\u200b",
    "a" * 300 + " " + "b" * 3,
]


@pytest.mark.parametrize("tokenizer", ["words", "subwords", "characters", "bytes", "bpe"])
@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("text", ODD, ids=[text[:12] for text in ODD])
def test_pieces_join_to_any_text(text: str, lowercase: bool, tokenizer: str) -> None:
    run = made(tokenizer=tokenizer, lowercase=lowercase)
    found = run.attribute(text, "good")
    assert "".join(found.pieces) == found.text == run.reader.clean(text)
    assert all(found.pieces), "no piece is empty"
    assert found.weights.sum() + found.rest == pytest.approx(log_odds(run, text, 1), abs=1e-4)
    pieces, places = pieces_of(run.reader, found.text)
    assert tuple(pieces) == found.pieces
    assert places == sorted(places)
    if tokenizer in ("words", "subwords"):
        own = words(found.text)
        assert len(places) == len(own)
        for place, word in zip(places, own, strict=True):
            assert pieces[place] == word or (pieces[place] in QUOTES and word in QUOTES), (pieces[place], word)
        between = [piece for place, piece in enumerate(pieces) if place not in places]
        assert all(piece.isspace() or piece == "\u200b" for piece in between), between
    else:
        assert set(places) == set(range(len(pieces))), "each piece has a token"


def test_in_lower_case_letters_that_grow_do_not_move_the_words_behind_them() -> None:
    run = made(tokenizer="characters")
    pieces, places = pieces_of(run.reader, "İİ good")
    assert pieces == ["İ", "İ", *" good"]
    assert run.reader.tokenizer.encode("İ").size * 2 + 5 == len(places)


def test_of_a_shortened_text_only_what_is_read_has_moved_anything() -> None:
    run = made("bag", several=True, longest=5)
    text = "the good film is dull, and a bad one"
    found = run.attribute(text, "good")
    own = [(piece, weight) for piece, weight in zip(found.pieces, found.weights, strict=True) if not piece.isspace()]
    assert [piece for piece, _ in own] == words(text)
    assert [weight != 0 for _, weight in own] == [True] * 3 + [False] * 5 + [True] * 2
    assert found.weights.sum() + found.rest == pytest.approx(log_odds(run, text, 1), abs=1e-5)
    short = run.attribute("the good film bad one", "good")
    np.testing.assert_allclose([w for _, w in own if w], short.weights[::2], rtol=1e-4)


@pytest.mark.parametrize("kind", ["bag", "lstm", "cnn", "lm"])
def test_of_a_pair_both_texts_are_shown(kind: str) -> None:
    run = made(kind, pairs=True)
    pair = ("The good  film", "is <b>not</b> bad,\nbut dull")
    found = run.attribute(pair, "good")
    assert found.text == "The good  film\nis not bad,\nbut dull"
    assert found.weights.sum() + found.rest == pytest.approx(log_odds(run, pair, 1), abs=1e-5)
    moved = dict(zip(found.pieces, found.weights, strict=True))
    assert moved["film"] != 0
    assert moved["dull"] != 0
    assert found.attention is None
    swapped = run.attribute(pair[::-1], "good")
    assert swapped.text == "is not bad,\nbut dull\nThe good  film"


def test_attention_is_shown_where_there_is_some() -> None:
    run = made("gru", pooling="attention")
    found = run.attribute(TEXT, "good")
    assert found.attention is not None
    assert found.attention.sum() == pytest.approx(1, abs=1e-5)
    assert all((share > 0) != piece.isspace() for piece, share in zip(found.pieces, found.attention, strict=True))
    assert run.attribute("", "good").attention is not None
    assert made("gru").attribute(TEXT).attention is None


def test_nothing_is_changed_and_unknown_labels_are_refused() -> None:
    run = made("gru")
    before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    first, again = run.attribute(TEXT), run.attribute(TEXT)
    assert np.array_equal(first.weights, again.weights)
    assert all(torch.equal(tensor, run.model.state_dict()[name]) for name, tensor in before.items())
    assert all(parameter.grad is None for parameter in run.model.parameters())
    assert not run.model.training
    with pytest.raises(ConfigError, match="no label 'god'; did you mean 'good'"):
        run.attribute(TEXT, "god")


def test_a_tokenizer_config_is_all_there_is_to_cutting() -> None:
    assert TextsConfig(tokenizer="subwords").tokenizing() == TokenizerConfig("words", 30_000, 2, True)
