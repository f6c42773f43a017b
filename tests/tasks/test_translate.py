"""The task `translate`: what it learns, what it is told, and its figures."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textdl
from textdl.config import replace
from textdl.errors import ConfigError, CorpusError
from textdl.parallel import open_parallel
from textdl.tasks import translation_figures as translation_figures_module
from textdl.tasks.pair_reader import PairReader, PairsConfig, Texts
from textdl.tasks.translate import Translating, TranslatingConfig
from textdl.tasks.translation_figures import nats_of, translation_figures

LETTERS = "abcdefgh"


def strings(number: int, seed: int, longest: int = 6) -> list[str]:
    """Distinct rows of letters."""
    draw, found = np.random.default_rng(seed), {}
    while len(found) < number:
        row = " ".join(draw.choice(list(LETTERS), draw.integers(1, longest + 1)))
        found[row] = True
    return list(found)


def pairs(made: Any, number: int = 2000) -> dict[str, list[tuple[str, str]]]:
    """A language that a rule makes of another, the held-out texts unseen in training."""
    texts = [(text, made(text)) for text in strings(number + 100, 1)]
    return {"train": texts[:number], "validation": texts[number : number + 20], "test": texts[number + 20 :]}


def backwards(text: str) -> str:
    return " ".join(reversed(text.split()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule, settings",
    [
        (str, {"attention": "additive"}),
        (backwards, {"attention": "additive"}),
        (backwards, {"attention": "concat", "input_feeding": True}),
        (
            backwards,
            {"model": "transformer", "embedding": 32, "feedforward": 64, "layers": 2, "lr": 0.005, "epochs": 40.0},
        ),
    ],
    ids=["copy", "reverse", "reverse, input feeding", "reverse, transformer"],
)
def test_a_rule_is_learned_whole(tmp_path: Path, rule: Any, settings: dict[str, Any]) -> None:
    usual = {"hidden": 64, "embedding": 32, "dropout": 0.0, "lr": 0.007, "epochs": 25.0, "label_smoothing": 0.0}
    given = {**usual, **settings}
    if given.get("model") == "transformer":
        given.pop("hidden")
    run = textdl.train(
        "translate",
        pairs(rule),
        out=tmp_path / "run",
        tokenizer="words",
        batch_size=400,
        progress=False,
        device="cpu",
        precision="float32",
        evaluations=1,
        **given,
    )
    figures = run.evaluate(pairs(rule), split="test", beam=1)
    assert figures["exact_match"] == 1.0
    assert figures["bleu"] == pytest.approx(100)
    assert run.evaluate(pairs(rule), split="test")["exact_match"] == 1.0


def task_of(corpus: Any, **settings: Any) -> Translating:
    config = replace(
        TranslatingConfig(), {"device": "cpu", "tokenizer": "words", "hidden": 8, "embedding": 4, **settings}
    )
    torch.manual_seed(1)
    return Translating.prepare(corpus, config, lambda event: None)


def test_batches_against_one_pair_at_a_time() -> None:
    corpus = pairs(backwards, 60)
    task = task_of(corpus, batch_size=50)
    end, seen = task.reader.target.end, []
    for batch in task.batches("train", 0):
        aims = iter(batch.aims.tolist())
        number = batch.source.ids.shape[1]
        rows: list[list[int]] = [[] for _ in range(number)]
        for step in range(len(batch.before.ids)):
            for n in range(number):
                if step < int(batch.before.lengths[n]):
                    rows[n].append(next(aims))
        assert next(aims, None) is None
        for n, row in enumerate(rows):
            source = batch.source.ids[: int(batch.source.lengths[n]), n].tolist()
            before = batch.before.ids[: len(row), n].tolist()
            assert row[-1] == end
            assert before == [end, *row[:-1]]
            seen.append((task.reader.source.decode(source), task.reader.target.decode(row[:-1])))
        assert batch.own == 0.0
    assert sorted(seen) == sorted(corpus["train"])


def test_the_share_of_own_choices_rises_over_the_epochs() -> None:
    task = task_of(pairs(backwards, 60), batch_size=50, scheduled_sampling=0.5, epochs=4.0)
    number = task.steps_per_epoch()
    shares = [batch.own for epoch in range(6) for batch in task.batches("train", epoch)]
    wanted = [0.5 * min(1.0, place / (4 * number)) for place in range(6 * number)]
    assert shares == pytest.approx(wanted)
    assert [b.own for b in task.batches("train", 2, 3)] == pytest.approx(wanted[2 * number + 3 : 3 * number])


def test_long_pairs_are_left_out_and_counted() -> None:
    corpus = {"train": [("a b c", "x"), ("a", "x y z w"), ("a b", "x y")] * 3, "validation": [("a b c d", "x")]}
    task = task_of(corpus, longest=3)
    assert task.facts["training pairs"] == "6"
    assert task.facts["left out"] == "3 pairs with a side of more than 3 tokens"
    assert task.facts["validation pairs"] == "1", "what is measured on is not chosen"
    with pytest.raises(
        CorpusError, match=r"all 9 pairs of .* have a side of more than 1 tokens; use a larger --longest"
    ):
        task_of({"train": [("a b", "x y")] * 9}, longest=1)


def test_what_is_left_out_of_training_is_told_whatever_the_other_splits_hold() -> None:
    corpus = {"train": [*pairs(backwards, 60)["train"], ("", "a"), ("a", " "), ("z", "z")], "validation": [("a", "a")]}
    facts = task_of(corpus, test=0.0).facts
    same = sum(source == target for source, target in corpus["train"])
    assert facts["empty"] == "2 pairs with an empty side"
    assert facts["identical"] == f"{same} pairs whose sides are the same"


def test_the_padding_told_is_that_of_the_targets() -> None:
    facts = task_of([("a b c d e f g h", "x y")] * 9, validation=0.0, test=0.0).facts
    assert facts["padding"] == "0.0% of the target's places"
    task = task_of(pairs(backwards, 60), batch_size=50)
    before = [batch.before for batch in task.batches("train", 0)]
    share = 1 - sum(int(b.lengths.sum()) for b in before) / sum(b.ids.numel() for b in before)
    assert task.facts["padding"] == f"{share:.1%} of the target's places"


def test_of_long_texts_the_beginning_is_told() -> None:
    article = "word " * 500
    task = task_of({"train": [(article, "x")] * 9, "validation": [(article, "x")]}, longest=600)
    assert len(task.corpus_record()["example"]) == 100
    task.metrics(task.model, None)
    assert len(task.sample(task.model)) < 700
    task = task_of({"train": [(article, "x"), ("two\nlines", "x"), ("a b", "x")]}, validation=0.0, longest=600)
    assert task.corpus_record()["example"] == "a b"


@pytest.mark.parametrize("looks", [1, 40, 1 << 18])
def test_long_sources_make_small_batches_of_the_loss(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of(
        {"train": [("a b c d", "x y")] * 9, "validation": [("a " * n, "x " * (n % 3 + 1)) for n in range(1, 9)]}
    )
    wanted, seen = nats_of(task.model, task.reader, task._held_out), []
    task.model.register_forward_pre_hook(lambda _, given: seen.append((given[0].ids.shape, given[1].ids.shape)))
    monkeypatch.setattr(translation_figures_module, "_LOOKS_AT_ONCE", looks)
    assert nats_of(task.model, task.reader, task._held_out) == pytest.approx(wanted, rel=1e-5)
    assert sum(batch for (_, batch), _ in seen) == 8
    assert all(batch == 1 or sources * targets * batch <= looks for (sources, batch), (targets, _) in seen)
    assert len(seen) == {1: 8, 1 << 18: 1}.get(looks, len(seen))


def test_the_loss_is_the_mean_over_tokens_of_the_whole_split(tmp_path: Path) -> None:
    corpus = pairs(backwards, 60)
    run = textdl.train(
        "translate", corpus, out=tmp_path / "run", tokenizer="words", hidden=8, embedding=4, steps=3, progress=False
    )
    figures = run.evaluate(corpus, split="test", beam=1)
    total, tokens = 0.0, 0
    for source, target in corpus["test"]:
        read = run.reader.read(Texts([source], [target]), None)
        batch = run.reader.batch(read, np.array([0]))
        with torch.no_grad():
            chances = run.model(batch.source, batch.before).logits.log_softmax(-1)
        total -= float(chances[torch.arange(len(batch.aims)), batch.aims].sum())
        tokens += len(target.split()) + 1
    assert figures["nats_per_token"] == pytest.approx(total / tokens, rel=1e-5)
    assert figures["perplexity"] == pytest.approx(math.exp(total / tokens), rel=1e-5)
    assert figures["pairs"] == len(corpus["test"])


def test_figures_are_those_of_the_command_of_sacrebleu(tmp_path: Path) -> None:
    said = ["The cat sat on the mat.", "Où est la gare ?", "no", "It is 3.5 km, isn't it?"]
    references = ["The cat sat on a mat.", "Où est la gare ?", "yes no maybe", "It's 3.5 km, isn't it?"]
    for name, lines in (("said", said), ("references", references)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    figures = translation_figures(said, references)
    command = [sys.executable, "-m", "sacrebleu", str(tmp_path / "references"), "-i", str(tmp_path / "said")]
    for metric in ("bleu", "chrf"):
        told = subprocess.run([*command, "-m", metric, "-b", "-w", "6"], capture_output=True, text=True, check=True)
        assert figures[metric] == pytest.approx(float(told.stdout), abs=1e-6)
    assert figures["exact_match"] == 0.25
    assert "tok:13a" in figures["bleu_signature"]


def test_nothing_is_said_of_texts_that_look_tokenized(capfd: Any, caplog: Any) -> None:
    assert translation_figures(["the old cat sat ."] * 120, ["the old cat sat ."] * 120)["bleu"] == pytest.approx(100)
    assert not caplog.records
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["words", "bpe", "characters", "bytes"])
@pytest.mark.parametrize("joint", [None, True, False])
def test_texts_come_back_from_their_tokens(tmp_path: Path, kind: str, joint: bool | None) -> None:
    texts = Texts(["Where is it?", "I want two."], ["¿Dónde está?", "Quiero dos."])
    reader = PairReader.train(texts, PairsConfig(tokenizer=kind, vocabulary=400, joint=joint))
    assert reader.joint == (joint if joint is not None else kind != "words")
    reader.save(tmp_path)
    again = PairReader.load(tmp_path)
    assert again.joint == reader.joint
    for one in (reader, again):
        ids = one.encode(one.target, ["  ¿Dónde está? "])[0]
        assert one.decode(ids.tolist()) == "¿Dónde está?"
    assert np.array_equal(reader.encode(reader.source, ["I want"])[0], again.encode(again.source, ["I want"])[0])


def test_the_first_word_of_a_text_is_the_word_it_is_elsewhere() -> None:
    reader = PairReader.train(Texts(["cat dog"] * 9, ["dog cat"] * 9), PairsConfig(vocabulary=300))
    (first,), (second,) = (reader.encode(reader.source, [text]) for text in ("cat dog", "dog cat"))
    assert first.tolist() == second.tolist()[::-1]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("translate")
    settings = {"tokenizer": "words", "hidden": 32, "embedding": 16, "lr": 0.01, "steps": 120, "dropout": 0.0}
    return textdl.train("translate", pairs(str, 300), out=folder / "run", progress=False, **settings)


def test_translations_come_in_the_order_of_the_texts(run: Any) -> None:
    texts = ["a b", "", "c", "d e f g h", "   ", "a b c"]
    together = run.translations(texts, n_best=3)
    assert [some[0].text for some in together] == run.translate(texts)
    assert together[1][0].text == together[4][0].text == ""
    for text, some in zip(texts, together, strict=True):
        if text.strip():
            (alone,) = run.translations([text], n_best=3)
            assert [one.text for one in alone] == [one.text for one in some]
            assert [one.score for one in alone] == pytest.approx([one.score for one in some], abs=1e-4)
            assert [one.score for one in some] == sorted((one.score for one in some), reverse=True)


def test_an_unknown_word_is_copied_by_attention(run: Any) -> None:
    assert "<unk>" not in run.translate(["a Zorro b"], copy_unknown=False)[0]
    bias = run.model.words.output.bias.data
    bias[run.reader.target.unknown_id] += 100  # whatever is said is an unknown word
    try:
        for text in ("Zorro", "\nZorro", " Zorro\n"):
            (said,) = run.translate([text])
            assert set(said.split()) == {"Zorro"}
            found = run.attention(text)
            assert (found.source, set(found.target), found.text) == (("Zorro",), {"Zorro"}, said)
        assert run.translate(["\na Zorro b\n"]) == run.translate(["a Zorro b"])
    finally:
        bias[run.reader.target.unknown_id] -= 100
    found = run.attention("a Zorro b")
    assert found.source == ("a", "Zorro", "b")
    assert found.weights.sum(1) == pytest.approx(1, abs=1e-4)


def test_what_is_asked_wrongly_is_said(run: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="texts must be a list of texts, got one text"):
        run.translate("a b")
    with pytest.raises(CorpusError, match="text 2 must be a text, got int"):
        run.translate(["a", 3])
    with pytest.raises(CorpusError, match="the text is empty"):
        run.attention(" ")
    with pytest.raises(ConfigError, match="n_best can be at most the beam"):
        run.translate(["a"], beam=1, n_best=2)
    with pytest.raises(CorpusError, match="trained on texts from memory"):
        run.evaluate()
    with pytest.raises(ConfigError, match="name them by --source and --target"):
        run.evaluate(pairs(str), text_field=("a",))
    plain = textdl.train(
        "translate", pairs(str, 60), out=tmp_path / "plain", attention="none", hidden=8, steps=2, progress=False
    )
    with pytest.raises(ConfigError, match="has no attention; train with --attention additive"):
        plain.attention("a")
    assert len(plain.translate(["a b"])) == 1


def test_a_corpus_is_known_by_its_digest(run: Any) -> None:
    corpus = pairs(str, 300)
    assert run.evaluate(corpus, split="test", beam=1)["same_corpus"]
    other = {**corpus, "test": corpus["test"][:5]}
    figures = run.evaluate(other, split="test", beam=1, examples=3)
    assert not figures["same_corpus"]
    assert len(figures["examples"]) == 3
    assert set(figures["examples"][0]) == {"source", "target", "said"}
    assert open_parallel(corpus).digest == run.config["corpus"]["digest"]


def test_the_split_is_told_that_was_measured(tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_text("".join(f"{a}\t{b}\n" for a, b in pairs(str, 60)["train"]), encoding="utf-8")
    settings: dict[str, Any] = {"hidden": 8, "embedding": 4, "steps": 1, "validation": 0.3, "test": 0.0}
    run = textdl.train("translate", str(table), out=tmp_path / "run", progress=False, **settings)
    assert run.evaluate(split="validation", beam=1)["split"] == "validation"
    assert run.evaluate(split="train", beam=1)["split"] == "train"
    (tmp_path / "other.tsv").write_text("a b\tb a\n", encoding="utf-8")
    assert run.evaluate(tmp_path / "other.tsv", beam=1)["split"] == "all"
    turned = run.evaluate(source="2", target="1", examples=60, beam=1)
    assert (turned["split"], turned["pairs"], turned["same_corpus"]) == ("all", 60, False)
    assert {(row["target"], row["source"]) for row in turned["examples"]} == set(pairs(str, 60)["train"])


def test_drawing_is_seeded(run: Any) -> None:
    texts = ["a b c d", "e f", "g"]
    drawn = run.translate(texts, sample=True, seed=3, temperature=3.0)
    assert drawn == run.translate(texts, sample=True, seed=3, temperature=3.0)
    assert drawn != run.translate(texts, sample=True, seed=4, temperature=3.0)
    assert len(run.translations(texts, sample=True, n_best=4)[0]) == 4


@pytest.mark.parametrize("kind", ["words", "bpe", "characters"])
def test_a_language_never_seen_is_told(tmp_path: Path, kind: str) -> None:
    rows = [
        (f"the {a} {b} is here", "x") for a in ("green", "yellow", "little") for b in ("garden", "window", "kitchen")
    ]
    settings = {"tokenizer": kind, "hidden": 8, "embedding": 4, "steps": 1, "test": 0.0, "validation": 0.0}
    run = textdl.train("translate", rows * 3, out=tmp_path / "run", progress=False, **settings)
    assert run.strangeness(["the green window is here", "the kitchen is little"]) is None
    told = run.strangeness(["зелёное окно здесь", "кухня маленькая"])
    wanted = "100% of the source's words are unknown" if kind == "words" else "tokens a character, where that of"
    assert told is not None
    assert wanted in told
    assert run.strangeness([""]) is None
