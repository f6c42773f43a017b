"""Runs of word vectors, from a text to what is asked of them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textdl
from textdl import artifact
from textdl.config import replace
from textdl.errors import ConfigError, RunError
from textdl.tasks import vectors as tasks_vectors
from textdl.tasks.vectors import TrainingVectors, VectorsTraining, WordVectorsConfig
from textdl.vectors.opening import open_vectors
from textdl.vectors.word_vectors import VectorsError

QUICK = {"device": "cpu", "dim": 6, "least_count": 1, "threads": 1, "epochs": 10, "progress": False, "sample": 0}


def topics(seed: int = 1, letters: str = "ab") -> list[str]:
    """Sentences of words of one topic each, told by their first letters."""
    random = np.random.default_rng(seed)
    words = [[f"{letter}{n}" for n in range(8)] for letter in letters]
    return [" ".join(random.choice(words[n % len(words)], 9)) for n in range(600)]


def is_mapped(array: Any) -> bool:
    """Whether an array is a view of a file."""
    return array is not None and (isinstance(array, np.memmap) or is_mapped(getattr(array, "base", None)))


def trained(out: Path, texts: list[str] | None = None, **settings: Any) -> Any:
    return textdl.train("vectors", texts or topics(), out=out, **{**QUICK, **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "cbow"},
        {"hierarchical": True},
        {"subwords": True},
        {"method": "glove", "epochs": 30},
        {"method": "cooccurrence"},
    ],
)
def test_topics_are_told_apart_by_every_method(settings: dict[str, Any], tmp_path: Path) -> None:
    run = trained(tmp_path / "run", **settings)
    right = [found[0] == word[0] for word in run.vectors.words for found, _ in run.nearest(word, 5)]
    assert len(right) == 16 * 5
    assert sum(right) >= 0.95 * len(right)
    loaded = textdl.load(run.path)
    assert loaded.vectors.words == run.vectors.words
    assert np.array_equal(loaded.vectors.matrix, run.vectors.matrix)
    assert np.array_equal(open_vectors(run.path).matrix, run.vectors.matrix), "without torch, too"
    assert np.array_equal(run.vectors.counts, [" ".join(topics()).split().count(w) for w in run.vectors.words])


def test_with_subwords_an_unknown_word_has_a_vector_after_loading(tmp_path: Path) -> None:
    texts = ["cooking cooked cook kitchen pan", "walking walked walk street shoe"] * 200
    run = trained(tmp_path / "run", texts, subwords=True, epochs=20)
    loaded = textdl.load(run.path)
    assert "cooks" not in loaded.vectors
    assert loaded.vectors.similarity("cooks", "pan") > loaded.vectors.similarity("cooks", "shoe")
    with pytest.raises(VectorsError, match="cooks"):
        trained(tmp_path / "plain", texts).vectors.similarity("cooks", "pan")


@pytest.mark.parametrize("subwords", [False, True])
def test_going_on_from_a_run_keeps_its_words_and_adds_new_ones(subwords: bool, tmp_path: Path) -> None:
    first = trained(tmp_path / "first", subwords=subwords)
    second = trained(
        tmp_path / "second", topics(2, "ac"), subwords=subwords, earlier=str(tmp_path / "first"), least_count=2, lr=0.01
    )
    assert second.vectors.words[:16] == first.vectors.words
    assert {word[0] for word in second.vectors.words[16:]} == {"c"}
    assert [found[0] for found, _ in second.nearest("c0", 5)] == ["c"] * 5
    if not subwords:
        b = [word for word in first.vectors.words if word[0] == "b"]
        assert all(np.array_equal(second.vectors[w], first.vectors[w]) for w in b), "the new text says nothing of them"


def test_what_can_not_be_gone_on_from(tmp_path: Path) -> None:
    trained(tmp_path / "glove", method="glove", epochs=1)
    with pytest.raises(RunError, match="can not be gone on from"):
        trained(tmp_path / "next", earlier=str(tmp_path / "glove"))
    trained(tmp_path / "first")
    with pytest.raises(RunError, match="--dim 6"):
        trained(tmp_path / "next", earlier=str(tmp_path / "first"), dim=7)
    with pytest.raises(RunError, match="nowhere"):
        trained(tmp_path / "next", earlier=str(tmp_path / "nowhere"))
    assert not (tmp_path / "next").exists()


def test_which_engine_works() -> None:
    def chosen(**settings: Any) -> VectorsTraining | None:
        return TrainingVectors.training(replace(WordVectorsConfig(), settings))

    assert chosen(device="cpu") is None
    assert chosen(device="cpu", engine="loops") is None
    by_torch = chosen(device="cpu", engine="torch")
    assert by_torch is not None
    assert by_torch.lr == pytest.approx(0.02)
    assert chosen(device="cpu", engine="torch", lr=0.5).lr == 0.5  # type: ignore[union-attr]
    for settings in ({"hierarchical": True}, {"subwords": True}, {"method": "glove"}, {"earlier": "run"}):
        assert chosen(device="cpu", **settings) is None
        with pytest.raises(ConfigError, match="take --engine loops"):
            chosen(engine="torch", **settings)
    with pytest.raises(ConfigError, match="whole number"):
        chosen(device="cpu", epochs=1.5)
    with pytest.raises(ConfigError, match="run on the CPU, got device cuda"):
        chosen(engine="loops", device="cuda")
    for setting in ({"steps": 3}, {"minutes": 1.0}, {"optimizer": "sgd"}, {"compile": True}):
        with pytest.raises(ConfigError, match="with --engine torch"):
            chosen(device="cpu", **setting)
    if not torch.cuda.is_available():
        assert chosen(device="auto") is None


def test_settings_that_a_method_has_no_use_for() -> None:
    for method, name, value in (
        ("glove", "patience", 2),
        ("glove", "earlier", "run"),
        ("cooccurrence", "patience", 2),
        ("cooccurrence", "earlier", "run"),
        ("cooccurrence", "lr", 0.1),
    ):
        config = replace(WordVectorsConfig(), {"device": "cpu", "method": method, name: value})
        with pytest.raises(ConfigError, match=f"{name} is not for the method {method}"):
            TrainingVectors.training(config)


def test_a_gpu_that_would_not_be_used_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_vectors, "pick_device", torch.device)
    for settings in ({"method": "glove"}, {"hierarchical": True}):
        with pytest.raises(ConfigError, match="run on the CPU, got device cuda"):
            TrainingVectors.training(replace(WordVectorsConfig(), {"device": "cuda", **settings}))
    assert TrainingVectors.training(replace(WordVectorsConfig(), {"device": "cuda"})) is not None


def test_the_next_command_can_be_typed_as_it_is(tmp_path: Path) -> None:
    run = trained(tmp_path / "my run", ["it's it's it's"] * 20, epochs=1)
    assert shlex.split(run.next_command()) == ["textdl", "nearest", str(run.path), "it's"]


def test_settings_that_do_not_go_together() -> None:
    for settings in ({"subwords": True, "method": "glove"}, {"hierarchical": True, "method": "cooccurrence"}):
        with pytest.raises(ConfigError, match="skipgram and cbow"):
            replace(WordVectorsConfig(), settings)


def test_early_stopping_by_the_running_loss(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", epochs=300, patience=2, lr=0.05)
    assert run.report["epochs"] < 300
    assert run.report["ended"] == "finished"


def test_a_run_that_is_not_whole(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", epochs=1)
    other = trained(tmp_path / "other", ["a b c"] * 20, epochs=1)
    (run.path / artifact.WORDS).write_bytes((other.path / artifact.WORDS).read_bytes())
    with pytest.raises(RunError, match="does not fit"):
        open_vectors(run.path)
    (run.path / artifact.WORDS).write_text('{"format": 1')
    with pytest.raises(RunError):
        open_vectors(run.path)
    with pytest.raises(RunError):
        textdl.load(run.path)
    with pytest.raises(RunError, match="there are no word vectors"):
        open_vectors(tmp_path / "nowhere")


def test_run_answers_questions(tmp_path: Path) -> None:
    run = trained(tmp_path / "run")
    (tmp_path / "q.txt").write_text(": one\na0 a1 a2 a3\nzz a1 a2 a3\n")
    (tmp_path / "s.txt").write_text("a0 a1 9\na0 b1 1\na2 a3 8\na2 b3 2\na0 zz 3\n")
    figures = run.evaluate(analogies=tmp_path / "q.txt", similarity=tmp_path / "s.txt")
    assert figures["words"] == 16
    assert figures["analogies"]["questions"] == 2
    assert figures["analogies"]["unknown_share"] == 0.5
    assert figures["similarity"]["s"]["spearman"] > 0.7
    assert figures["similarity"]["s"]["unknown_share"] == pytest.approx(0.2)
    with pytest.raises(VectorsError, match="--analogies FILE"):
        run.evaluate()


def test_estimator_by_its_short_name() -> None:
    model = textdl.Word2Vec(dim=4, least_count=1, threads=1, epochs=2).fit([text.split() for text in topics()])
    assert model.vectors_.matrix.shape == (16, 4)
    assert "Word2Vec" in dir(textdl)
    with pytest.raises(AttributeError, match="Word3Vec"):
        textdl.Word3Vec  # noqa: B018


@pytest.mark.parametrize("subwords", [False, True])
def test_a_run_is_mapped_and_what_is_not_asked_for_is_not_read(subwords: bool, tmp_path: Path) -> None:
    run = trained(tmp_path / "run", epochs=1, subwords=subwords, method="skipgram")
    file, whole = run.path / "model.safetensors", artifact.load_arrays(run.path / "model.safetensors")
    assert set(whole) == {"vectors", "contexts"} | ({"grams"} if subwords else set())

    def damage(name: str) -> None:
        data, held = bytearray(file.read_bytes()), whole[name].tobytes()
        data[data.index(held) + len(held) // 2] ^= 1
        file.write_bytes(data)

    found = open_vectors(run.path)
    assert is_mapped(found.matrix)
    assert np.array_equal(found.matrix, whole["vectors"])
    unknown = found.find("zzzzz")
    assert (unknown is not None) == subwords
    assert unknown is None or np.array_equal(unknown, run.vectors["zzzzz"])
    damage("contexts")
    assert np.array_equal(open_vectors(run.path).matrix, whole["vectors"])
    with pytest.raises(RunError, match="damaged"):
        textdl.load(run.path)
    damage("grams" if subwords else "vectors")
    with pytest.raises(RunError, match="damaged"):
        open_vectors(run.path)
