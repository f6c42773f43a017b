"""The task classify: its loss by hand, what it finds on the validation texts, vectors from elsewhere, its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import textdl
from textdl import artifact
from textdl.config import build, replace, to_json
from textdl.errors import ConfigError, TextdlError
from textdl.models.classifier import ENCODERS
from textdl.tasks import find_task
from textdl.tasks.base import config_from_record
from textdl.tasks.class_figures import fit_temperature, fit_thresholds
from textdl.tasks.classify import ClassificationConfig
from textdl.training.processes import Shard

QUICK = {"device": "cpu", "precision": "float32", "threads": 1, "progress": False}
#: 6 of a, 3 of b, 1 of c.
TEXTS = [(f"{('one', 'two', 'three')[n % 3]} word {n}", "aaaaaabbbc"[n]) for n in range(10)]
TAGS = [(f"{'x ' * (n % 2)}{'y ' * (n % 3)}here {n}", [*("x" * (n % 2)), *("y" * (n % 3 > 0))]) for n in range(24)]
PAIRS = [
    ((f"the {a} sat", f"a {b} sat"), "same" if a == b else "other")
    for a in ("cat", "dog", "owl")
    for b in ("cat", "dog", "owl")
]


def prepared(corpus: Any, shard: Shard = Shard(), **settings: Any) -> Any:
    config = replace(
        ClassificationConfig(),
        {"min_count": 1, "hidden": 4, "embedding": 3, "validation": 0.0, "test": 0.0, **settings},
    )
    return find_task("classify").prepare(corpus, config, lambda event: None, shard)


def logits_and_truth(task: Any) -> tuple[Any, Any, Any]:
    torch.manual_seed(1)
    task.model.eval()
    (batch,) = task.batches("train", 0)
    return batch, task.model(batch[0], batch[1]).detach(), batch[2]


def test_balanced_weights_by_hand() -> None:
    """10 texts in 3 classes: one of a counts 10 / (3 * 6), of b 10 / (3 * 3), of c 10 / 3; ten of them count 10."""
    task = prepared(TEXTS, class_weights="balanced")
    batch, logits, truth = logits_and_truth(task)
    each = np.array([10 / 18, 10 / 9, 10 / 3])[truth.numpy()]
    assert each.sum() == pytest.approx(10)
    chosen = torch.log_softmax(logits.double(), dim=1).numpy()[np.arange(10), truth.numpy()]
    loss = task.loss(task.model, batch, None)
    assert loss.mean.item() == pytest.approx(-(each * chosen).sum() / 10, rel=1e-5)
    # torch's own, which divides by the sum of the weights: that is 10 too
    weight = torch.tensor([10 / 18, 10 / 9, 10 / 3])
    assert loss.mean.item() == pytest.approx(F.cross_entropy(logits, truth, weight=weight).item(), rel=1e-5)
    assert loss.reported.item() == pytest.approx(-chosen.mean(), rel=1e-5), "the reported loss is without weights"
    assert loss.units == 10


def test_smoothing_is_in_the_gradient_and_not_in_the_reported_loss() -> None:
    task = prepared(TEXTS, label_smoothing=0.1)
    batch, logits, truth = logits_and_truth(task)
    aims = np.full((10, 3), 0.1 / 3)
    aims[np.arange(10), truth.numpy()] += 0.9
    logs = torch.log_softmax(logits.double(), dim=1).numpy()
    loss = task.loss(task.model, batch, None)
    assert loss.mean.item() == pytest.approx(-(aims * logs).sum(1).mean(), rel=1e-5)
    assert loss.reported.item() == pytest.approx(F.cross_entropy(logits, truth).item(), rel=1e-5)
    plain = prepared(TEXTS)
    plain_loss = plain.loss(plain.model, batch, None)
    assert plain_loss.reported is plain_loss.mean


def test_of_several_labels_a_yes_counts_as_often_as_there_are_noes_to_it() -> None:
    task = prepared(TAGS, class_weights="balanced")
    batch, logits, truth = logits_and_truth(task)
    assert task.labels == ("x", "y")
    ratio = torch.tensor([12 / 12, 8 / 16])  # noes to each yes
    wanted = F.binary_cross_entropy_with_logits(logits, truth.float(), pos_weight=ratio)
    loss = task.loss(task.model, batch, None)
    assert loss.mean.item() == pytest.approx(wanted.item(), rel=1e-5)
    z, y = logits.double().numpy(), truth.numpy()
    by_hand = np.where(y, ratio.numpy() * np.log1p(np.exp(-z)), np.log1p(np.exp(z))).mean()
    assert loss.mean.item() == pytest.approx(by_hand, rel=1e-5)
    assert loss.reported.item() == pytest.approx(
        F.binary_cross_entropy_with_logits(logits, truth.float()).item(), rel=1e-5
    )


def train(corpus: Any, out: Path, **settings: Any) -> Any:
    small = {"hidden": 6, "embedding": 5, "batch_size": 4, "steps": 15, "min_count": 1, "lr": 0.02, "seed": 4}
    return textdl.train("classify", corpus, out=out, **{**QUICK, **small, **settings})


WORDY = [
    (f"{w} {n} {'indeed ' * (n % 4)}", label)
    for n in range(9)
    for w, label in (("good", "pos"), ("bad", "neg"), ("so", "mid"))
]
HELD_OUT = [*WORDY[::2], ("good bad", "neg"), ("bad so", "pos"), ("good", "neg"), ("nothing known", "odd")]


@pytest.mark.parametrize("best", [False, True])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_temperature_is_that_of_the_validation_texts(ema: float, best: bool, tmp_path: Path) -> None:
    train({"train": WORDY, "validation": HELD_OUT}, tmp_path / "run", ema=ema, evaluations=3)
    run = textdl.load(tmp_path / "run", best=best)
    texts = [text for text, _ in HELD_OUT]
    truth = np.array([run.labels.index(label) if label in run.labels else -1 for _, label in HELD_OUT])
    assert (truth == -1).sum() == 1, "one label is no class"
    scores = run.scores(texts)
    assert run.temperature == pytest.approx(fit_temperature(scores, truth), rel=1e-4)
    assert abs(run.temperature - 1) > 0.01

    known = truth >= 0
    softened = np.full((known.sum(), 3), 1 / (known.sum() + 2) / 3)  # as Platt has it
    softened[np.arange(known.sum()), truth[known]] += 1 - 1 / (known.sum() + 2)

    def logs(temperature: float) -> np.ndarray:
        return torch.log_softmax(torch.from_numpy(scores[known]).double() / temperature, dim=1).numpy()

    def loss(temperature: float) -> float:
        return float(-(softened * logs(temperature)).sum(1).mean())

    assert all(loss(run.temperature) <= loss(other) + 1e-7 for other in np.geomspace(0.05, 20, 200))
    powers = np.exp((scores.astype(np.float64) - scores.max(1, keepdims=True)) / run.temperature)
    np.testing.assert_allclose(run.probabilities(texts), powers / powers.sum(1, keepdims=True), rtol=1e-6)
    assert run.predict(texts) == [run.labels[place] for place in scores.argmax(1)]
    if not best:
        nats = -logs(run.temperature)[np.arange(known.sum()), truth[known]].mean()
        assert run.report["figures"]["validation_nats"] == pytest.approx(nats, rel=1e-4)


def test_the_thresholds_are_those_of_the_validation_texts(tmp_path: Path) -> None:
    held_out = [*TAGS[::2], ("x here", ["y"]), ("y y here 3", [])]
    run = train({"train": TAGS * 2, "validation": held_out}, tmp_path / "run")
    texts, truth = [text for text, _ in held_out], np.array([["x" in some, "y" in some] for _, some in held_out])
    scores = run.scores(texts)
    assert run.temperature == pytest.approx(fit_temperature(scores, truth), rel=1e-4)
    found = 1 / (1 + np.exp(-scores.astype(np.float64) / run.temperature))
    np.testing.assert_allclose(run.probabilities(texts), found, rtol=1e-6)
    np.testing.assert_allclose(run.thresholds, fit_thresholds(found, truth), rtol=1e-5)
    said = [tuple(np.array(run.labels)[row]) for row in found >= run.thresholds]
    assert run.predict(texts) == said
    figures = run.evaluate({"train": TAGS, "test": held_out}, split="test")
    assert figures["micro_f1"] == pytest.approx(run.report["figures"]["validation_micro_f1"])


def test_without_validation_texts_there_is_no_temperature(tmp_path: Path) -> None:
    run = train(WORDY, tmp_path / "run", validation=0.0)
    assert run.temperature == 1.0
    assert (run.path / artifact.BEST).exists() is False


def vectors_file(folder: Path, words: dict[str, list[float]]) -> Path:
    path = folder / "vectors.txt"
    lines = [f"{len(words)} 3", *(f"{word} {' '.join(map(str, row))}" for word, row in words.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("use", ["tuned", "frozen", "both"])
def test_vectors_from_elsewhere(use: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    known = {word: generator.normal(size=3).tolist() for word in ("good", "bad", "lovely", "indeed")}
    path = vectors_file(tmp_path, known)
    run = train(
        {"train": WORDY, "validation": WORDY[::3]},
        tmp_path / "run",
        model="bag",
        vectors=str(path),
        vectors_use=use,
        embedding=100,
    )
    assert run.config["model"]["embedding"] == 3, "their width"
    assert "lovely" in run.reader.tokenizer.words, "a word that only the vectors know is known too"
    given = np.array(list(known.values()))
    scaled = given * 0.1 / given.std(ddof=1)
    channels = {"tuned": ["own"], "frozen": ["kept"], "both": ["own", "kept"]}[use]

    def read(word: str) -> dict[str, Any]:
        tokens = run.reader.batch(run.reader.read([word]), np.zeros(1, np.int64))
        return dict(zip(channels, run.model.input(tokens)[0, 0].detach().split(3), strict=True))

    for word, vector in zip(known, scaled, strict=True):
        found = read(word)
        if "kept" in found:
            np.testing.assert_allclose(found["kept"], vector, rtol=1e-5)
        if "own" in found:
            moved = np.abs(found["own"].numpy() - vector).max()
            assert (moved > 1e-3) == (word != "lovely"), "all are tuned but the one that no text holds"
            assert moved < 0.5
    for word in ("so", "unheard-of"):
        assert "kept" not in channels or not read(word)["kept"].any(), "no vector, none is made up"
        assert "own" not in channels or read(word)["own"].abs().min() > 0
    path.unlink()
    again = textdl.load(run.path)
    assert np.array_equal(again.probabilities(["good lovely"]), run.probabilities(["good lovely"]))
    pieces = again.attribute("good lovely so", "pos")
    assert abs(pieces.weights[2]) > 0
    assert pieces.rest + pieces.weights.sum() != 0


@pytest.mark.parametrize("kind", [kind for kind in ENCODERS if kind != "lm"])
def test_a_model_given_by_name_is_written_whole_and_read_back(kind: str, tmp_path: Path) -> None:
    settings = {"hidden": 6} if kind not in ("cnn", "bag") else {"dropout": 0.25}
    corpus = {"train": WORDY, "validation": WORDY[::3]}
    settings |= {"model": kind, "steps": 2, "embedding": 7}
    run = textdl.train("classify", corpus, out=tmp_path / "run", **QUICK, **settings)
    record = artifact.read_config(tmp_path / "run")
    assert record["model"]["kind"] == kind
    config = config_from_record(find_task("classify"), record)
    assert (
        {field: record["model"][field] for field in to_json(config)["model"]}
        == to_json(config)["model"]
        == record["model"]
    )
    assert build(ClassificationConfig, to_json(config)) == config
    assert record["model"]["embedding"] == 7
    loaded = textdl.load(tmp_path / "run")
    assert loaded.model.config == config.model == run.model.config
    again = textdl.train(
        "classify", {"train": WORDY, "validation": WORDY[::3]}, out=tmp_path / "again", config=record, progress=False
    )
    assert (again.path / artifact.MODEL).read_bytes() == (run.path / artifact.MODEL).read_bytes()


def test_the_kind_is_changed_before_all_other_settings() -> None:
    config = replace(ClassificationConfig(), {"filters": 7, "model": "cnn", "lr": 0.5})
    assert (type(config.model).__name__, config.model.filters, config.model.dropout) == (
        "ConvolutionClassifierConfig",
        7,
        0.5,
    )
    assert replace(config, {"model": "cnn"}).model.filters == 7, "of that kind already: it stays as it is"
    assert replace(config, {"model": "gru"}).model.kind == "gru"
    assert replace(ClassificationConfig(), {"model": "rnn"}).model.kind == "rnn", "kinds of one class are kinds too"
    for name in ("cnm", "", "CNN"):
        with pytest.raises(ConfigError, match=f"model has no choice '{name}'"):
            replace(ClassificationConfig(), {"model": name})
    with pytest.raises(ConfigError, match="did you mean 'cnn'"):
        replace(ClassificationConfig(), {"model": "cnm"})
    with pytest.raises(ConfigError, match="filters"):
        replace(ClassificationConfig(), {"filters": 7})


@pytest.mark.parametrize("kind", [["cnn"], {"a": 1}, 3, None])
def test_a_kind_that_is_no_name_is_refused(kind: Any) -> None:
    with pytest.raises(TextdlError):
        build(ClassificationConfig, {"model": {"kind": kind}})


@pytest.mark.parametrize("of", [2, 3])
@pytest.mark.parametrize("corpus", [WORDY, PAIRS * 3], ids=["texts", "pairs"])
def test_several_processes_get_the_texts_of_one(corpus: Any, of: int) -> None:
    def dealt(size: int, shard: Shard) -> list[list[list[tuple[Any, ...]]]]:
        task = prepared(corpus, shard, batch_size=size)
        made = []
        for epoch in (0, 1):
            steps = []
            for first, second, truth in task.batches("train", epoch):
                ids = [
                    (tokens.ids[:n, b].tolist())
                    for tokens in (first, second)
                    if tokens is not None
                    for b, n in enumerate(tokens.lengths)
                ]
                steps.append(list(zip(ids[: len(truth)], ids[-len(truth) :], truth.tolist(), strict=True)))
            made.append(steps)
        return made

    whole, parts = dealt(2 * of, Shard()), [dealt(2, Shard(rank, of)) for rank in range(of)]
    assert whole[0] != whole[1]
    for epoch, steps in enumerate(whole):
        own = [part[epoch] for part in parts]
        assert len({len(part) for part in own}) == 1
        for number in range(len(own[0])):
            together = [text for part in own for text in part[number]]
            assert sorted(map(str, together)) == sorted(map(str, steps[number]))
        assert sum(len(step) for step in steps) == len(corpus)


def test_pairs_are_judged_as_pairs(tmp_path: Path) -> None:
    run = train(
        {"train": PAIRS * 8, "validation": PAIRS},
        tmp_path / "run",
        model="bag",
        steps=300,
        dropout=0.0,
        embedding=8,
        lr=0.05,
    )
    pairs = [pair for pair, _ in PAIRS]
    assert run.predict(pairs) == [label for _, label in PAIRS], "no bag of both texts together could"
    assert run.probabilities(pairs[:1]).shape == (1, 2)
    with pytest.raises(TextdlError, match=r"text 1 must be a pair of texts"):
        run.predict(["the cat sat"])


@pytest.mark.parametrize("pairs", [False, True])
def test_the_padding_told_is_that_of_the_batches(pairs: bool) -> None:
    texts = ["word " * (1 + n % 40) for n in range(500)]
    both = [(text, "word " * (1 + 7 * n % 23)) for n, text in enumerate(texts)] if pairs else texts
    task = prepared([(text, "ab"[n % 2]) for n, text in enumerate(both)], batch_size=8)
    places = words = 0
    for first, second, _ in task.batches("train", 0):
        for side in (first, second) if pairs else (first,):
            places += side.ids.numel()
            words += int(side.lengths.sum())
    assert task.facts["padding"] == f"{1 - words / places:.1%} of the computed places"
    assert pairs or 1 - words / places < 0.03


def test_the_wide_weights_begin_at_zero_and_learn_of_the_runs_that_are_there(tmp_path: Path) -> None:
    assert not prepared(TEXTS, wide=1, wide_rows=64).model.wide.weights.any()
    run = train({"train": WORDY, "validation": WORDY[::3]}, tmp_path / "run", wide=2, wide_rows=4096)
    wide, reader = run.model.wide, run.reader
    read = reader.read([text for text, _ in WORDY])
    tokens = reader.batch(read, np.arange(len(WORDY)))
    seen = set(wide.runs(tokens.ids, tokens.lengths)[0].tolist())
    assert set(wide.weights.abs().sum(1).nonzero()[:, 0].tolist()) == seen


@pytest.mark.parametrize("pairs", [False, True])
def test_an_evaluation_that_reads_a_part_sees_all_classes(pairs: bool) -> None:
    """A corpus in the order of its classes, of whose 100 validation texts only 20 may be read."""
    rows = [
        ((f"{label} text {n} here", "b b b b") if pairs else f"{label} text {n} here", label)
        for label in "abcd"
        for n in range(25)
    ]
    task = prepared({"train": rows, "validation": rows}, evaluate_at_most=80)
    task.settle(task.model)
    judged = task._scores
    assert 15 <= len(judged) <= 20
    seen = task._held_out.truth[: len(judged)]
    assert set(seen.tolist()) == {0, 1, 2, 3}
    first = task.reader.batch(task._held_out.first, np.arange(5))
    for column, truth in enumerate(seen[:5].tolist()):
        assert first.ids[0, column] == task.reader.tokenizer.encode("abcd"[truth])[0], "each with its own label"
