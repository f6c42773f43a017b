"""The task `lm`, end to end on texts small enough to know the answer."""

import itertools
import json
import math
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import textdl
from textdl import artifact
from textdl.errors import ConfigError, CorpusError, PromptError, RunError, TrainingError
from textdl.models.lm import LanguageModel
from textdl.tasks.base import Run
from textdl.tasks.generation import GenerationConfig, TorchSteps, steps_of, write
from textdl.tasks.lm import mean_nats
from textdl.text.encoded import Encoded
from textdl.text.windows import window_count, windows

FOX = "The quick brown fox jumps over the lazy dog."
SMALL = {"hidden": 48, "embedding": 16, "batch_size": 8, "seq_length": 32, "progress": False, "device": "cpu"}


@pytest.fixture(scope="module")
def texts():
    """Sixty different short texts of one pattern."""
    fruits, verbs = ("apple", "plum", "pear", "fig", "lime"), ("eat", "cut", "peel", "cook")
    return [f"{v} the {f}, then {w} the {f}.\n" for f in fruits for v in verbs for w in verbs if v != w]


@pytest.fixture(scope="module")
def run(texts, tmp_path_factory):
    return textdl.train("lm", texts, out=tmp_path_factory.mktemp("runs") / "fruit", steps=150, lr=0.02, **SMALL)


def test_it_learns_the_pattern(run, texts):
    written = run.generate("peel the fig, then ", temperature=0.0)
    assert re.match(r"peel the fig, then (eat|cut|cook) the (apple|plum|pear|fig|lime)[.,]", written)
    figures = run.evaluate(texts)
    assert figures["bits_per_character"] < 0.6
    assert (figures["split"], figures["documents"], figures["unknown_share"]) == ("all", 60, 0.0)
    assert figures["characters"] == sum(len(t) + 1 for t in texts)


def test_a_run_is_a_folder_and_needs_nothing_else(run):
    names = {p.name for p in run.path.iterdir()} - {".lock"}
    weights = {"model.safetensors", "best.safetensors"}
    assert names == {"config.json", "tokenizer.json", "metrics.jsonl", "report.json", "card.md"} | weights
    loaded = textdl.load(run.path)
    for name, weight in run.model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], weight)
    assert loaded.generate("eat ", seed=5) == run.generate("eat ", seed=5)
    assert "fruit" in (run.path / "card.md").read_text()


def test_the_next_command_can_be_typed_as_it_is(run, tmp_path):
    path = tmp_path / "it's my run"
    shutil.copytree(run.path, path)
    assert shlex.split(textdl.load(path).next_command()) == ["textdl", "generate", str(path)]
    assert shlex.split(Run.next_command(textdl.load(path))) == ["textdl", "info", str(path)]


def test_same_seed_same_model_another_seed_another(texts, tmp_path):
    def weights(name, seed):
        made = textdl.train("lm", texts, out=tmp_path / name, steps=12, seed=seed, dropout=0.2, **SMALL)
        return (made.path / "model.safetensors").read_bytes()

    first = weights("a", 1)
    assert weights("b", 1) == first
    assert weights("c", 2) != first


def test_same_seed_same_text_however_it_is_asked_for(run):
    whole = run.generate("cut the ", seed=3, length=40)
    assert "".join(run.generate("cut the ", seed=3, length=40, stream=True)) == whole
    several = run.generate("cut the ", seed=3, length=40, count=3)
    assert several[0] == whole
    assert len(set(several)) > 1
    assert len({run.generate("cut the ", length=40, temperature=2.0) for _ in range(10)}) > 1, "unseeded draws differ"


def test_the_kernel_writes_what_torch_writes(run):
    """Same weights, same uniform numbers: the same text from the compiled loop and from the torch model."""
    config = GenerationConfig(length=60, temperature=1.3, top_p=0.95)
    for seed in range(8):
        texts = [
            "".join(write(steps, run.tokenizer, "eat the ", config, seed, 0, run.model.opening.numpy()))
            for steps in (steps_of(run.model), TorchSteps(run.model))
        ]
        assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "rnn", "layers": 1},
        {"cell": "gru", "layers": 2, "layer_norm": True, "tied": True},
        {"cell": "lstm", "layers": 2, "layer_norm": True},
        {"cell": "lstm", "layers": 1, "tied": True},
        {"cell": "lstm", "layers": 1, "ngrams": 0},
        {"cell": "rnn", "layers": 1, "ngrams": 4, "ngram_rows": 64},
        {"cell": "sru", "layers": 2},
        {"cell": "sru", "layers": 1, "tied": True},
        {"cell": "sru", "layers": 3, "ngrams": 0, "embedding": 24},
    ],
)
def test_the_kernel_scores_as_torch_does_for_every_kind_of_model(settings):
    from textdl.models.lm import LanguageModelConfig

    torch.manual_seed(0)
    model = LanguageModel(LanguageModelConfig(vocabulary=30, end=29, hidden=24, **{"embedding": 10, **settings})).eval()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    ids = np.array([3, 1, 4, 1, 5, 9, 2, 6, 29, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8])
    kernel, plain = steps_of(model), TorchSteps(model)
    ours, theirs = kernel.feed(kernel.state(), ids), plain.feed(plain.state(), ids)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5)


def test_stop_length_and_prompt(run):
    text = run.generate("eat the apple", stop=("then",), seed=1)
    assert "then" not in text
    assert text.startswith("eat the apple")
    assert len(run.generate("eat ", length=7, seed=1)) == len("eat ") + 7
    assert run.generate("", seed=1, temperature=0.3).split()[0] in {"eat", "cut", "peel", "cook"}
    with pytest.raises(PromptError, match="characters that the model has never seen: 'Z', 'é'; leave them out"):
        run.generate("Zé Z")
    with pytest.raises(ConfigError, match="count must be 1 when streaming"):
        run.generate("eat", stream=True, count=2)
    with pytest.raises(ConfigError, match="temperature must be at least 0"):
        run.generate("eat", temperature=-1)


def test_evaluation_is_the_mean_cross_entropy_by_a_slow_loop(run, texts):
    """One lane, one token at a time, softmax by hand."""
    ids = [i for t in texts[:5] for i in [*run.tokenizer.encode(t).tolist(), run.tokenizer.end]]
    steps, state, nats = TorchSteps(run.model), TorchSteps(run.model).state(), 0.0
    for now, following in itertools.pairwise(ids):
        state, logits = steps.feed(state, [now])
        nats -= float(F.log_softmax(torch.from_numpy(logits).double(), dim=-1)[following])
    figures = run.evaluate(texts[:5])
    assert figures["nats_per_token"] == pytest.approx(nats / (len(ids) - 1), rel=1e-5)
    assert figures["perplexity"] == pytest.approx(math.exp(nats / (len(ids) - 1)), rel=1e-5)
    assert figures["bits_per_character"] == pytest.approx(nats / (len(ids) - 1) / math.log(2), rel=1e-5)


def test_lanes_see_every_token_but_their_first():
    class Uniform(torch.nn.Module):
        seen = 0

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, ids, state):
            self.seen += ids.numel()
            return torch.zeros(*ids.shape, 7), state

    encoded = Encoded(np.zeros(70_001, np.uint8), 70_001, 1, 0)
    model = Uniform()
    assert mean_nats(model, encoded, 0) == pytest.approx(math.log(7))
    assert model.seen >= 70_000 - 64
    model.seen = 0
    mean_nats(model, encoded, 0, 500)
    assert model.seen == 500


@pytest.mark.parametrize("tokens, lanes, length", [(101, 5, 7), (100, 1, 200), (13, 12, 1), (64, 4, 16)])
def test_windows_are_the_text_side_by_side(tokens, lanes, length):
    ids = np.arange(tokens, dtype=np.uint16)
    parts = list(windows(ids, lanes, length))
    assert len(parts) == window_count(tokens, lanes, length)
    inputs, targets = (np.concatenate(side) for side in zip(*parts, strict=True))
    assert (targets == inputs + 1).all()
    for lane in range(lanes):
        assert (np.diff(inputs[:, lane]) == 1).all()
        assert inputs[0, lane] == lane * ((tokens - 1) // lanes)
    with_context = list(windows(ids, lanes, length, context=3))
    for (whole, aims), (x, y) in zip(with_context, parts, strict=True):
        assert (aims == y).all()
        assert (whole[3:] == x).all()
        assert (whole[:3] == (x[0] + np.arange(-3, 0)[:, None]) % tokens).all()
    shifted = np.concatenate([x for x, _ in windows(ids, lanes, length, shift=5)])
    assert (shifted == (inputs + 5) % tokens).all()


@pytest.mark.parametrize("tokenizer, unit", [("bytes", "byte"), ("words", "word"), ("bpe", "token")])
def test_other_tokenizers(texts, tmp_path, tokenizer, unit):
    vocabulary = {} if tokenizer == "bytes" else {"data.vocabulary": 300}
    made = textdl.train("lm", texts, out=tmp_path / tokenizer, steps=60, tokenizer=tokenizer, **vocabulary, **SMALL)
    figures = made.evaluate(texts)
    assert made.tokenizer.unit == unit
    bits = figures["nats_per_token"] * figures["tokens"] / figures["characters"] / math.log(2)
    assert figures["bits_per_character"] == pytest.approx(bits)
    assert figures["characters"] == sum(len(t) + 1 for t in texts)
    text = made.generate("eat the fig", seed=1, length=10)
    assert text.startswith("eat the fig")


def test_unknown_characters_cost_their_bits(run):
    plain, odd = run.evaluate(["eat the apple"] * 4), run.evaluate(["eat the äpple"] * 4)
    assert odd["unknown_share"] > 0
    assert odd["characters"] == plain["characters"]
    assert odd["bits_per_character"] > plain["bits_per_character"]


def test_a_config_file_gives_the_same_run_and_settings_go_on_top(run, texts, tmp_path):
    record = artifact.read_config(run.path)
    again = textdl.train("lm", texts, out=tmp_path / "again", config=record, progress=False)
    assert artifact.read_config(again.path)["train"] == record["train"]
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()
    other = textdl.train("lm", texts, out=tmp_path / "other", config=record, progress=False, steps=2, hidden=8)
    assert other.config["model"]["hidden"] == 8
    assert other.report["steps"] == 2


def test_observers_are_plain_callables(texts, tmp_path):
    seen = []
    textdl.train("lm", texts, out=tmp_path / "r", steps=3, observers=[seen.append], **SMALL)
    names = [type(e).__name__ for e in seen]
    assert names[0] == "Started"
    assert names[-2:] == ["Evaluated", "Report"]
    assert names.count("Progress") == 3


def test_failures_leave_no_half_made_run(texts, tmp_path):
    with pytest.raises(CorpusError, match="fewer than one sequence of 32"):
        textdl.train("lm", ["short"], out=tmp_path / "r", **SMALL)
    assert not (tmp_path / "r").exists()
    with pytest.raises(ConfigError, match=r"no task is called 'lmm'.*did you mean 'lm'"):
        textdl.train("lmm", texts, out=tmp_path / "r")
    with pytest.raises(ConfigError, match="no setting is called 'hiden'; did you mean 'hidden'"):
        textdl.train("lm", texts, out=tmp_path / "r", hiden=3)
    textdl.train("lm", texts, out=tmp_path / "r", steps=1, **SMALL)
    before = (tmp_path / "r" / "model.safetensors").read_bytes()
    with pytest.raises(RunError, match="holds a run already"):
        textdl.train("lm", texts, out=tmp_path / "r", steps=1, **SMALL)
    assert (tmp_path / "r" / "model.safetensors").read_bytes() == before


def test_a_loss_that_is_no_number_is_refused(texts, tmp_path, monkeypatch):
    plain = F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", lambda *a, **k: plain(*a, **k) * math.nan)
    with pytest.raises(TrainingError, match="the loss is nan at step 1 "):
        textdl.train("lm", texts, out=tmp_path / "r", steps=5, **SMALL)


def test_damaged_runs_are_refused(run, tmp_path):

    def broken(change):
        path = tmp_path / "broken"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(run.path, path)
        change(path)
        with pytest.raises(RunError) as caught:
            textdl.load(path)
        return str(caught.value)

    def cut(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:-100])

    assert "cut short" in broken(lambda p: cut(p / "model.safetensors"))
    assert "is missing" in broken(lambda p: (p / "model.safetensors").unlink())
    assert "tokenizer.json" in broken(lambda p: (p / "tokenizer.json").unlink())
    assert "is no run" in broken(lambda p: (p / "config.json").unlink())

    def widen(path: Path) -> None:
        record = json.loads((path / "config.json").read_text())
        record["model"]["hidden"] = 64
        (path / "config.json").write_text(json.dumps(record))

    assert "does not fit config.json" in broken(widen)


def test_text_files_are_streams_and_need_no_end_of_text(tmp_path):
    file = tmp_path / "fox.txt"
    file.write_text((FOX + "\n") * 300)
    made = textdl.train("lm", file, out=tmp_path / "r", steps=150, lr=0.02, **SMALL)
    assert FOX in made.generate("The quick", temperature=0.2, length=120, seed=1)
    assert made.evaluate()["split"] == "test"
    assert made.evaluate()["same_corpus"]
    file.write_text(FOX * 200)
    assert not made.evaluate()["same_corpus"]
    assert made.generate("", seed=1, length=20)


def test_a_text_begins_in_the_state_of_a_reader_who_has_finished_another(run, texts):
    """The opening state, recomputed token by token over the training texts up to their last end."""
    ids = [
        i
        for t in textdl.open_corpus(texts).split("train")
        for i in [*run.tokenizer.encode(t).tolist(), run.tokenizer.end]
    ]
    assert len(ids) < 8192
    steps = TorchSteps(run.model)
    state, _ = steps.feed(steps.state(), ids[:-1])
    np.testing.assert_allclose(run.model.opening.numpy(), state.hidden, atol=1e-5)
    first = steps.feed(state, ids[-1:])[1]
    assert run.tokenizer.decode([int(first.argmax())]) in "ecp", "eat, cut, cook or peel"
