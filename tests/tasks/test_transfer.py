"""A classifier that begins with a language model: copied whole, read alike, unfrozen layer by layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import textdl
from textdl import artifact
from textdl.errors import ConfigError, RunError
from textdl.tasks import find_task
from textdl.training.descent import Descent
from textdl.training.events import Event, Progress

WORDS = {"pos": ["good", "fine", "lovely"], "neg": ["bad", "awful", "dull"]}
TEXTS = [
    (f"A {word} {thing}, and {end}", label)
    for label, some in WORDS.items()
    for word in some
    for thing in ("film", "meal")
    for end in ("that is all", "we left early")
]
QUICK = {"device": "cpu", "precision": "float32", "threads": 1, "progress": False}
LAYERS = 2


class Cut(BaseException):
    """What a kill is here."""


def language_model(out: Path, **settings: Any) -> Any:
    texts = [text for text, _ in TEXTS]
    small = {"hidden": 6, "embedding": 5, "ngram_rows": 32, "layers": LAYERS, "batch_size": 2, "seq_length": 12}
    corpus = {"train": texts, "validation": texts[:4]}
    return textdl.train("lm", corpus, out=out, steps=12, **{**small, **QUICK, **settings})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Language models of several kinds."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "words": language_model(folder / "words", tokenizer="words", cell="lstm", lowercase=True),
        "bpe": language_model(folder / "bpe", tokenizer="bpe", vocabulary=280, cell="gru", layer_norm=True),
        "characters": language_model(folder / "characters", cell="sru", tied=True, ngrams=0),
    }


def settings_of(model: Any, **more: Any) -> dict[str, Any]:
    train = {"steps": 20, "batch_size": 5, "dropout": 0.1, "hidden": 4, "evaluations": 2, "unfreeze": 0.2, "lr": 0.01}
    return {
        **train,
        **{k: v for k, v in QUICK.items() if k != "progress"},
        "model": "lm",
        "encoder": str(model.path),
    } | more


def prepared(model: Any, **more: Any) -> Any:
    from textdl.config import replace

    cls = find_task("classify")
    config = replace(cls.config_class(), settings_of(model, **more))
    return cls.prepare({"train": TEXTS, "validation": TEXTS[::3]}, config, lambda event: None)


def train(model: Any, out: Path, **more: Any) -> Any:
    resume, observers = more.pop("resume", False), more.pop("observers", ())
    corpus = {"train": TEXTS, "validation": TEXTS[::3], "test": TEXTS[1::3]}
    settings = settings_of(model, **more)
    return textdl.train("classify", corpus, out=out, progress=False, resume=resume, observers=observers, **settings)


KINDS = ["words", "bpe", "characters"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_below_is_the_language_models(kind: str, models: dict[str, Any]) -> None:
    source = models[kind].model
    task = prepared(models[kind])
    made = task.model
    theirs = {f"input.{n}": p for n, p in source.named_parameters() if n.startswith(("embedding", "ngrams"))}
    theirs |= {f"encoder.{n}": p for n, p in source.named_parameters() if n.startswith("recurrent")}
    assert len(theirs) >= 5
    ours = dict(made.named_parameters())
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor), name
    new = {name for name in ours if name not in theirs}
    assert {name.split(".")[0] + "." + name.split(".")[1] for name in new} == {
        "encoder.new",
        "head.weight",
        "head.bias",
    }
    assert torch.equal(made.encoder.opening, source.opening)
    assert source.opening.abs().max() > 0
    assert task.model.config.language_model == source.config


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_its_states_are_those_of_the_language_model(kind: str, models: dict[str, Any]) -> None:
    """The same text gives the same outputs of the recurrent layers, from the state in which a text begins."""
    run, task = models[kind], prepared(models[kind])
    text = "A lovely cafe\u0301 <b>film</b>,\r\n &amp; we left unheard-of"
    tokens = task.reader.batch(task.reader.read([text]), np.zeros(1, np.int64))
    ids = torch.from_numpy(run.tokenizer.encode(text)).long().unsqueeze(1)
    assert torch.equal(tokens.ids, ids), "the text is read as the language model reads it"
    model, source = task.model.eval(), run.model.eval()
    seen: list[Tensor] = []
    hook = source.recurrent.register_forward_hook(lambda layer, given, result: seen.append(result[0]))
    before = torch.full((source.context, 1), run.tokenizer.end)
    source(torch.cat([before, ids]), source.opening.unsqueeze(2))
    hook.remove()
    hook = model.encoder.recurrent.register_forward_hook(lambda layer, given, result: seen.append(result[0]))
    model(tokens)
    hook.remove()
    torch.testing.assert_close(seen[1], seen[0], rtol=1e-6, atol=1e-6)


def depth_of(name: str) -> int:
    """0 what is new, 1 the highest layer, ... LAYERS + 1 the input."""
    if name.startswith("input."):
        return LAYERS + 1
    if not name.startswith("encoder.recurrent"):
        return 0
    part = name.split(".")
    return 1 if part[2] == "top" else LAYERS - int(part[3])


@pytest.mark.parametrize("kind", KINDS)
def test_layers_have_their_rates_and_starts(kind: str, models: dict[str, Any]) -> None:
    task = prepared(models[kind], unfreeze=0.3, layer_rates=2.0)
    layers = task.layers(task.model)
    names = {id(parameter): name for name, parameter in task.model.named_parameters()}
    listed = [sorted(names[id(p)] for p in layer.parameters) for layer in layers]
    assert sorted(name for some in listed for name in some) == sorted(names.values()), "each parameter once"
    assert [{depth_of(name) for name in some} for some in listed] == [{0}, {1}, {2}, {3}]
    assert [layer.rate for layer in layers] == [1, 1 / 2, 1 / 4, 1 / 8]
    assert [layer.start for layer in layers] == pytest.approx([0, 0.3, 0.6, 0.9])


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """The weights before the first step and after each one."""
    seen: list[dict[str, Tensor]] = []
    step: Callable[..., Any] = Descent.step

    def watched(self: Descent, *arguments: Any, **named: Any) -> Any:
        if not seen:
            seen.append({name: p.detach().clone() for name, p in self.model.named_parameters()})
        result = step(self, *arguments, **named)
        seen.append({name: p.detach().clone() for name, p in self.model.named_parameters()})
        return result

    monkeypatch.setattr(Descent, "step", watched)
    return seen


@pytest.mark.parametrize("with_gradients", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "momentum", "adamw"])
def test_layers_are_as_they_were_until_their_time_and_then_learn(
    optimizer: str,
    with_gradients: bool,
    models: dict[str, Any],
    tmp_path: Path,
    steps: list[dict[str, Tensor]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Alone a process leaves them out of the backward pass; several have gradients of them all, and a rate of 0."""
    if with_gradients:
        monkeypatch.setattr("textdl.training.descent.thaw", lambda optimizer, share: None)
    decay = {"weight_decay": 0.1} if optimizer == "adamw" else {}
    train(models["words"], tmp_path / "run", optimizer=optimizer, l2=0.01 if not decay else 0.0, **decay)
    assert len(steps) == 21
    for name, start in steps[0].items():
        # after n of 20 steps n / 20 of the training is done: a layer of start s learns from step 20 s on
        first = max(1, 4 * depth_of(name))
        changed = next((n for n in range(1, 21) if not torch.equal(steps[n][name], start)), None)
        if "ngrams" in name or "embedding" in name or changed is not None:
            assert changed == first, (name, changed)
        else:
            assert start.numel() < 3, name


def test_the_rates_are_divided_layer_by_layer(
    models: dict[str, Any], tmp_path: Path, steps: list[dict[str, Tensor]]
) -> None:
    """Adam's first step has the length of the rate: so each layer's is seen in what its first step changes."""
    more = {"schedule": "constant", "warmup": 0, "layer_rates": 4.0, "lr": 0.001}
    train(models["words"], tmp_path / "run", optimizer="adam", **more)
    for depth in range(LAYERS + 2):
        first = max(1, 4 * depth)
        moved = [
            (steps[first][name] - steps[first - 1][name]).abs().max().item()
            for name in steps[0]
            if depth_of(name) == depth
        ]
        assert max(moved) == pytest.approx(0.001 / 4.0**depth, rel=0.02), depth


def what_counts(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    lines = [json.loads(line) for line in (run / artifact.METRICS).read_text().splitlines()]
    times = ("seconds", "units_per_s")
    return (run / artifact.MODEL).read_bytes(), [{k: v for k, v in line.items() if k not in times} for line in lines]


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
@pytest.mark.parametrize("step", [3, 6, 13])
def test_cut_off_and_resumed_it_ends_the_same(
    step: int, optimizer: str, models: dict[str, Any], tmp_path: Path
) -> None:
    def cut(event: Event) -> None:
        if isinstance(event, Progress) and event.step >= step:
            raise Cut

    more = {"optimizer": optimizer, "checkpoint_steps": 2}
    train(models["words"], tmp_path / "whole", **more)
    with pytest.raises(Cut):
        train(models["words"], tmp_path / "cut", observers=[cut], **more)
    train(models["words"], tmp_path / "cut", resume=True, **more)
    assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")


@pytest.mark.parametrize("kind", KINDS)
def test_the_run_needs_the_language_model_no_more(kind: str, models: dict[str, Any], tmp_path: Path) -> None:
    source = models[kind]
    run = train(source, tmp_path / "run")
    hidden = source.path.rename(source.path.with_name("gone"))
    try:
        again = textdl.load(tmp_path / "run")
        texts = ["A good film", "cafe\u0301 <b>dull</b>", ""]
        assert np.array_equal(again.probabilities(texts), run.probabilities(texts))
        figures = again.evaluate({"train": TEXTS[:6], "test": TEXTS[1::3]}, split="test")
        assert figures["accuracy"] >= 0
        found = again.attribute("cafe\u0301 <b>dull</b>", "neg")
        assert "".join(found.pieces) == "cafe\u0301 <b>dull</b>"
    finally:
        hidden.rename(source.path)


def test_what_is_no_language_model_is_refused(models: dict[str, Any], tmp_path: Path) -> None:
    other = textdl.train("classify", TEXTS, out=tmp_path / "bag", model="bag", steps=2, **QUICK)
    with pytest.raises(RunError, match=r"bag is a run of task classify, not of a language model; name one of train lm"):
        prepared(other)
    with pytest.raises(ConfigError, match=r"--model lm needs --encoder RUN"):
        prepared(other, encoder=None)
    with pytest.raises(RunError, match=r"nowhere"):
        prepared(other, encoder=str(tmp_path / "nowhere"))
