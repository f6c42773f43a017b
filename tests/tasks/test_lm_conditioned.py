"""Language models that write on a condition, end to end on texts that the condition decides."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import textdl
from textdl import artifact
from textdl.config import replace
from textdl.errors import CorpusError, PromptError
from textdl.tasks.base import load
from textdl.tasks.conditioned_text import IGNORED, MARK
from textdl.tasks.generation import GenerationConfig, TorchSteps, steps_of, write
from textdl.tasks.lm import LanguageModelling, LanguageModellingConfig, LanguageModelRun
from textdl.training.processes import Shard

SMALL: dict[str, Any] = {
    "hidden": 40,
    "embedding": 16,
    "ngram_rows": 256,
    "batch_size": 8,
    "seq_length": 48,
    "lr": 0.02,
    "progress": False,
    "device": "cpu",
    "precision": "float32",
}
#: The first letter after the mark can be known from the condition alone, and from nothing else.
DECIDED = {"stop": "red light", "go": "green light", "sea": "deep blue", "snow": "all white", "coal": "so black"}
#: Sorted by their condition, as the files of a folder are.
ROWS = [{"sign": sign, "text": text} for sign, text in DECIDED.items() for _ in range(30)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LanguageModelRun:
    out = tmp_path_factory.mktemp("runs") / "signs"
    splits = {"train": ROWS, "validation": ROWS[::7]}
    made = textdl.train("lm", splits, out=out, steps=200, condition_field=("sign",), **SMALL)
    assert isinstance(made, LanguageModelRun)
    return made


def test_the_condition_decides_the_text(run: LanguageModelRun) -> None:
    for sign, text in DECIDED.items():
        assert run.generate(condition=sign, temperature=0) == text
        assert set(run.generate(condition=sign, count=20, seed=1)) == {text}
        assert run.generate(text[:3], condition=sign, temperature=0) == text
        assert "".join(run.generate(condition=[sign], temperature=0, stream=True)) == text


def test_the_figures_are_those_of_the_text_given_its_condition(run: LanguageModelRun) -> None:
    """The text is certain once its sign is known, and the sign, one of five, is not: it would cost 2.3 bits."""
    figures = run.evaluate({"train": ROWS})
    assert figures["bits_per_character"] < 0.01
    assert figures["perplexity"] < 1.01
    assert figures["tokens"] == figures["characters"] == sum(len(row["text"]) + 1 for row in ROWS)
    assert figures["documents"] == len(ROWS)
    assert run.report["figures"]["validation_bits_per_character"] < 0.01
    swapped = [{"sign": sign, "text": DECIDED[other]} for sign, other in itertools.permutations(DECIDED, 2)]
    assert run.evaluate(swapped)["bits_per_character"] > 0.5


def test_evaluation_is_the_mean_cross_entropy_of_the_texts_by_a_slow_loop(run: LanguageModelRun) -> None:
    rows = [{"sign": "sea", "text": "deep red"}, {"sign": "snow", "text": "light"}, {"sign": "go", "text": "a"}]
    tokenizer = run.tokenizer
    mark = int(tokenizer.encode(MARK)[0])
    steps, nats, tokens = TorchSteps(run.model), 0.0, 0
    state, logits = steps.state(), np.zeros(tokenizer.size)
    for row in rows:
        for token in [*tokenizer.encode(row["sign"]).tolist(), mark]:
            state, logits = steps.feed(state, [token])
        for token in [*tokenizer.encode(row["text"]).tolist(), tokenizer.end]:
            nats -= float(F.log_softmax(torch.from_numpy(logits).double(), dim=-1)[token])
            tokens += 1
            state, logits = steps.feed(state, [token])
    figures = run.evaluate(rows)
    assert figures["tokens"] == tokens
    assert figures["nats_per_token"] == pytest.approx(nats / tokens, rel=1e-5)
    assert figures["bits_per_character"] == pytest.approx(nats / math.log(2) / sum(len(r["text"]) + 1 for r in rows))


def prepared(shard: Shard | None = None, source: Any = None, **settings: Any) -> LanguageModelling:
    plain = {name: value for name, value in SMALL.items() if name != "progress"}
    config = replace(LanguageModellingConfig(), {"condition_field": ["sign"], **plain, **settings})
    return LanguageModelling.prepare(source or {"train": ROWS}, config, lambda event: None, shard or Shard())


def test_only_texts_are_learned(run: LanguageModelRun) -> None:
    """Loss and gradient, against those of the places picked out one by one."""
    task = prepared()
    end, mark = task.tokenizer.end, int(task.tokenizer.encode(MARK)[0])
    for inputs, targets, counted in itertools.islice(task.batches("train", 1), 3):  # type: ignore[misc]
        loss = task.loss(task.model, (inputs, targets, counted), None)
        logits, _ = task.model(inputs, None)
        picked, aims = [], []
        for lane, column in enumerate(inputs[12:].T.tolist()):  # 12 rows of context
            inside = None
            for step, token in enumerate(column):
                inside = True if token == mark else False if token == end else inside
                if inside is None:  # the lane begins within a document: what is to be learned there is told by its end
                    ahead = [t for t in column[step:] if t in (mark, end)]
                    inside = bool(ahead) and ahead[0] == end
                if inside:
                    picked.append(logits[step, lane])
                    aims.append(targets[step, lane])
        assert counted == len(aims)
        assert all(aim != IGNORED for aim in aims)
        slow = F.cross_entropy(torch.stack(picked), torch.stack(aims))
        torch.testing.assert_close(loss.mean, slow)
        assert loss.units == counted
        ours, theirs = (torch.autograd.grad(one, task.model.output.bias)[0] for one in (loss.mean, slow))
        torch.testing.assert_close(ours, theirs)


def test_texts_that_lie_sorted_are_mixed_to_be_learned_from() -> None:
    task = prepared()
    signs = [text.split(MARK)[0] for text in _documents(task)]
    assert sorted(signs) == sorted(row["sign"] for row in ROWS)
    same = sum(one == other for one, other in itertools.pairwise(signs))
    assert same < 60, "of 149 neighbours 30 are alike by chance, and sorted 145"


def _documents(task: LanguageModelling) -> list[str]:
    ids, tokenizer = task._train.ids, task.tokenizer
    parts = np.split(ids, np.flatnonzero(ids == tokenizer.end) + 1)[:-1]
    return [tokenizer.decode(part) for part in parts]


def test_a_long_condition_is_shown_before_the_sample_in_one_short_line() -> None:
    task = prepared(source={"train": [{"sign": f"soup {n}\nwater\n" + "salt " * 30, "text": "yes"} for n in range(60)]})
    assert task.sample(task.model).startswith("[soup 0…] ")


def test_a_window_of_conditions_only_is_no_mistake(tmp_path: Path) -> None:
    rows = [{"sign": f"{n} " + "a long condition " * 20, "text": "yes"} for n in range(4)]
    task = prepared(source={"train": rows}, batch_size=1, seq_length=16, label_smoothing=0.1)
    batches = list(task.batches("train", 0))
    assert any(not counted for *_, counted in batches)  # type: ignore[has-type]
    for batch in batches:
        loss = task.loss(task.model, batch, None)
        assert torch.isfinite(loss.mean)
        loss.mean.backward()
        assert loss.units >= 1
    made = textdl.train("lm", {"train": rows}, out=tmp_path / "r", condition_field=("sign",),
                        **{**SMALL, "batch_size": 1, "seq_length": 16, "steps": 12})  # fmt: skip
    assert math.isfinite(made.report["figures"]["loss"])


@pytest.mark.parametrize("tokenizer", ["characters", "words"])
def test_the_mark_is_known_however_few_the_documents_are(tokenizer: str) -> None:
    rows = [{"sign": "aaa bbb", "text": "aaa bbb " * 40}] * 2
    task = prepared(source={"train": rows}, tokenizer=tokenizer, min_count=5, seq_length=8, batch_size=1)
    assert task.tokenizer.decode(task._train.ids).count(MARK) == 2


def test_shards_and_a_later_start_give_the_same_batches() -> None:
    whole, parts = prepared(batch_size=6), [prepared(Shard(rank, 3), batch_size=2) for rank in range(3)]
    for epoch in (0, 1):
        batches = [*whole.batches("train", epoch)]
        shares = [[*part.batches("train", epoch)] for part in parts]
        for batch, *some in zip(batches, *shares, strict=True):
            assert torch.equal(batch[1], torch.cat([share[1] for share in some], dim=1))
            assert batch[2] == sum(share[2] for share in some) == int((batch[1] != IGNORED).sum())  # type: ignore[misc]
        later = [*whole.batches("train", epoch, 3)]
        assert len(later) == len(batches) - 3
        assert all(torch.equal(a[1], b[1]) for a, b in zip(later, batches[3:], strict=True))


def test_a_run_says_what_it_is_to_be_given(run: LanguageModelRun, tmp_path: Path) -> None:
    assert artifact.read_config(run.path)["corpus"]["conditions"]["counts"] == dict.fromkeys(sorted(DECIDED), 30)
    loaded = load(run.path)
    assert isinstance(loaded, LanguageModelRun)
    assert loaded.generate(condition="sea", seed=3) == run.generate(condition="sea", seed=3)
    assert loaded.next_command().endswith("--condition coal")
    with pytest.raises(PromptError, match=r"knows no condition 'cole'; did you mean 'coal'\?"):
        run.generate(condition="cole")
    with pytest.raises(PromptError, match=r"writes on a condition \(sign\) .* of 'coal', 'go', 'sea', 'snow', 'stop'$"):
        run.generate("red")
    with pytest.raises(PromptError, match=r"the condition \(sign\) is empty"):
        run.generate(condition="")
    with pytest.raises(PromptError, match="the prompt holds characters that the model has never seen"):
        run.generate(f"a{MARK}b", condition="sea")
    with pytest.raises(PromptError):  # before the first piece is asked for
        run.generate(condition="cole", stream=True)
    with pytest.raises(CorpusError, match="has no field 'sign'"):
        run.evaluate(["a text"])
    plain = textdl.train("lm", [row["text"] for row in ROWS], out=tmp_path / "plain", steps=1, **SMALL)
    with pytest.raises(PromptError, match=r"was trained without a condition, got 'sea'; leave it out, or train with"):
        plain.generate(condition="sea")


def test_the_mark_is_never_written_and_kernel_and_torch_agree(run: LanguageModelRun) -> None:
    assert run.conditions is not None
    given = run.conditions.ids("sea", run.tokenizer)
    config = GenerationConfig(length=80, temperature=30.0)
    texts = [
        "".join(write(steps, run.tokenizer, "", config, 1, number, run.model.opening.numpy(), given))
        for number in range(30)
        for steps in (steps_of(run.model), TorchSteps(run.model))
    ]
    assert sum(map(len, texts)) > 20 * run.tokenizer.size, "enough that the mark would have come"
    assert not any(MARK in text for text in texts)
    assert texts[::2] == texts[1::2]


def test_conditions_that_are_many_are_free(tmp_path: Path) -> None:
    rows = [{"needs": ["salt", f"{a} {b}"], "text": f"Boil the {b}."} for a in range(30) for b in ("leeks", "peas")]
    made = textdl.train("lm", rows, out=tmp_path / "r", steps=150, condition_field=("needs",), **SMALL)
    assert made.generate(condition=["salt", "77 peas"], temperature=0) == "Boil the peas."
    assert made.generate(condition="salt\n77 leeks", temperature=0) == "Boil the leeks."
    assert made.next_command().endswith("--condition TEXT")
    with pytest.raises(PromptError, match=r"such as 'salt…', 'salt…', \.\.\.$"):
        made.generate()
    with pytest.raises(PromptError, match="the condition holds characters that the model has never seen: 'ž'"):
        made.generate(condition="ža")


@pytest.mark.parametrize("tokenizer, vocabulary", [("bytes", 8000), ("words", 60), ("bpe", 300)])
def test_other_tokenizers_learn_it_too(tmp_path: Path, tokenizer: str, vocabulary: int) -> None:
    settings = {**SMALL, "tokenizer": tokenizer, "data.vocabulary": vocabulary}
    made = textdl.train("lm", {"train": ROWS}, out=tmp_path / "r", steps=150, condition_field=("sign",), **settings)
    for sign, text in DECIDED.items():
        assert made.generate(condition=sign, temperature=0) == text
    first, last = DECIDED["sea"].split()
    assert made.generate(first, condition="sea", temperature=0) == f"{first} {last}"
    figures = made.evaluate({"train": ROWS})
    assert figures["characters"] == sum(len(row["text"]) + 1 for row in ROWS)
    assert figures["bits_per_character"] < 0.02
    wild = "".join(made.generate(condition="sea", temperature=100, count=30, length=200))
    assert MARK not in wild
    assert "<unk>" not in wild


def test_a_large_corpus_is_mapped_and_gives_the_same(
    run: LanguageModelRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"sign": row["sign"], "text": f"{row['text']} {number}"} for number, row in enumerate(ROWS)]
    table = tmp_path / "rows.jsonl"
    table.write_text("".join(f'{{"sign": "{row["sign"]}", "text": "{row["text"]}"}}\n' for row in rows))
    monkeypatch.setenv("TEXTDL_CACHE", str(tmp_path / "cache"))
    small = prepared(source=table)
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr("textdl.tasks.lm_text._CACHE_FROM_BYTES", 100)
    for _ in range(2):  # encoded, and from the cache
        large = prepared(source=table)
        assert isinstance(large._train.ids, np.memmap)
        for ours, theirs in ((large._train, small._train), (large._held_out, small._held_out)):
            assert (ours.characters, ours.documents, len(ours)) == (theirs.characters, theirs.documents, len(theirs))
            assert ours.tokens == theirs.tokens == int(ours.counts.sum())  # type: ignore[attr-defined]
        assert large.corpus_record() == small.corpus_record()
    assert sorted(path.suffix for path in (tmp_path / "cache" / "encoded").iterdir()) == [".ids"] * 2 + [".json"] * 2


def test_a_killed_training_goes_on_to_the_same_end(tmp_path: Path) -> None:
    settings = {**SMALL, "condition_field": ("sign",), "steps": 40, "checkpoint_steps": 10, "dropout": 0.1}
    whole = textdl.train("lm", {"train": ROWS}, out=tmp_path / "whole", **settings)

    def kill(event: Any) -> None:
        if getattr(event, "step", 0) >= 25:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        textdl.train("lm", {"train": ROWS}, out=tmp_path / "cut", observers=[kill], **settings)
    again = textdl.train("lm", {"train": ROWS}, out=tmp_path / "cut", resume=True, progress=False)
    assert (again.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()
    rows = [{"sign": row["sign"] + "!", "text": row["text"]} for row in ROWS]
    (tmp_path / "cut" / "report.json").unlink()
    with pytest.raises(CorpusError, match="was trained on another corpus"):
        textdl.train("lm", {"train": rows}, out=tmp_path / "cut", resume=True, progress=False)
