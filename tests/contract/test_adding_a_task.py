"""docs/adding-a-task.md tells the truth: its code is taken out of it and run.

Its task also passes through test_every_task.py, by the table OUTSIDE of examples.py.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import textdl
from textdl import artifact
from textdl.errors import CorpusError
from textdl.tasks import find_task
from textdl.training.events import Event, Progress
from textdl.training.processes import Shard

from .packages import DOCUMENT, blocks, documented_files

Cli = Callable[..., tuple[int, str, str]]

#: Vowels and consonants in turns, and sometimes a stop: what comes next is certain but at the beginning of a word.
TEXTS = ["banana. ", "canal. ", "tomato. ", "salad. ", "panorama. ", "paper. "] * 6
QUICK = {"device": "cpu", "precision": "float32", "threads": 1, "steps": 150, "lr": 0.02, "progress": False}
TASKS = ["next-is-vowel", "next-is-vowel-by-convolution"]


class Cut(BaseException):
    """What a kill is here."""


def train(task: str, out: Path, **settings: Any) -> Any:
    return textdl.train(task, {"train": TEXTS, "validation": TEXTS, "test": TEXTS}, out=out, **{**QUICK, **settings})


def test_the_document_has_the_files_that_it_speaks_of() -> None:
    files = documented_files()
    assert set(files) == {"pyproject.toml", "vowels/task.py", "vowels/convolution.py"}
    assert all(ast.parse(content) for name, content in files.items() if name.endswith(".py"))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.usefixtures("vowels")
def test_the_task_learns_what_it_is_for(task: str, tmp_path: Path) -> None:
    run = train(task, tmp_path / "run", steps=400)
    assert run.predict("banan") > 0.9
    assert run.predict("bana") < 0.1
    figures = run.evaluate({"train": TEXTS, "test": TEXTS}, split="test")
    always_no = 1 - sum(map("".join(TEXTS).count, "aeiou")) / len("".join(TEXTS))
    assert figures["accuracy"] > always_no + 0.2
    assert figures["accuracy"] == pytest.approx(run.report["figures"]["validation_accuracy"])
    assert find_task(task).watched in run.report["figures"]
    with pytest.raises(CorpusError, match="name a corpus"):
        run.evaluate()


@pytest.mark.usefixtures("vowels")
def test_what_it_predicts_is_what_its_weights_say(tmp_path: Path) -> None:
    run = train("next-is-vowel", tmp_path / "run", steps=20)
    weights = {name: torch.from_numpy(array) for name, array in artifact.load_arrays(run.path / artifact.MODEL).items()}
    ids = [0, 2, 1, 14]  # nothing, b, a, n
    seen = torch.cat([weights["embedding.weight"][number] for number in ids])
    hidden = torch.tanh(weights["hidden.weight"] @ seen + weights["hidden.bias"])
    score = weights["output.weight"] @ hidden + weights["output.bias"]
    assert run.predict("Ban") == pytest.approx(1 / (1 + float(torch.exp(-score))), rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.usefixtures("vowels")
def test_it_resumes_and_loads_through_python(task: str, tmp_path: Path) -> None:
    def cut(event: Event) -> None:
        if isinstance(event, Progress) and event.step >= 60:
            raise Cut

    whole = train(task, tmp_path / "whole", checkpoint_steps=25)
    with pytest.raises(Cut):
        train(task, tmp_path / "cut", checkpoint_steps=25, observers=[cut])
    assert (tmp_path / "cut" / artifact.RESUME).exists()
    train(task, tmp_path / "cut", checkpoint_steps=25, resume=True)
    loaded = textdl.load(tmp_path / "cut")
    assert (loaded.path / artifact.MODEL).read_bytes() == (whole.path / artifact.MODEL).read_bytes()
    assert loaded.predict("pap") == whole.predict("pap")


@pytest.mark.usefixtures("vowels")
def test_it_trains_and_is_evaluated_through_the_command_line(cli: Cli, tmp_path: Path) -> None:
    corpus, out = tmp_path / "words.txt", tmp_path / "run"
    corpus.write_text("\n".join(TEXTS))
    given = ["--out", out, "--documents", "line", "--device", "cpu", "--shown", 3, "--steps", 40]
    code, shown, err = cli("train", "next-is-vowel", corpus, *given, "--json", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(shown)["steps"] == 40
    before = (out / artifact.MODEL).stat().st_mtime_ns
    assert cli("train", "next-is-vowel", corpus, *given, "--quiet")[0] == 2, "there is a run already"
    assert cli("train", "next-is-vowel", corpus, *given, "--quiet", "--resume")[0] == 0
    assert (out / artifact.MODEL).stat().st_mtime_ns == before, "a finished run stays as it is"
    record = artifact.read_config(out)
    assert (record["task"], record["data"]["shown"], record["model"]["shown"]) == ("next-is-vowel", 3, 3)
    code, shown, err = cli("evaluate", out, "--split", "train", "--json")
    assert (code, err) == (0, "")
    assert json.loads(shown)["same_corpus"] is True
    assert cli("info", out)[0] == 0
    assert cli("train", "next-is-vowel", corpus, "--out", tmp_path / "q", "--shown", 0)[2].startswith(
        "textdl: shown must be at least 1, got 0"
    )


@pytest.mark.parametrize("of", [2, 3])
@pytest.mark.usefixtures("vowels")
def test_several_processes_get_the_batches_of_one(of: int) -> None:
    cls = find_task("next-is-vowel")
    from vowels.task import NextIsVowelConfig, VowelTraining  # type: ignore[import-not-found]

    def dealt(size: int, shard: Shard) -> list[list[torch.Tensor]]:
        task = cls.prepare(TEXTS, NextIsVowelConfig(train=VowelTraining(batch_size=size)), print, shard)
        return [list(batch) for batch in task.batches("train", 1)]

    whole = dealt(6 * of, Shard())
    parts = [dealt(6, Shard(rank, of)) for rank in range(of)]
    together = [[torch.cat(pieces) for pieces in zip(*step, strict=True)] for step in zip(*parts, strict=True)]
    assert len(whole) == len(together) > 3
    for one, several in zip(whole, together, strict=True):
        assert all(map(torch.equal, one, several))


@pytest.mark.slow
@pytest.mark.usefixtures("vowels")
def test_the_commands_and_the_scripts_of_the_document_run(
    vowels: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line)[1:] for block in blocks("sh") for line in block.splitlines()]
    assert [command[0] for command in commands] == ["train", "evaluate"]
    for command in commands:
        code, out, err = cli(*command)
        assert code == 0, err
    assert float(re.search(r"accuracy +(\S+)", out)[1]) > 0.7  # type: ignore[index]
    scripts = [code for code in blocks("python") if not re.match(r"# \S+\.py\n", code)]
    assert len(scripts) == 2
    for code in scripts:
        path = f"import sys; sys.path.insert(0, {str(vowels)!r})\n"
        done = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert 0 < float(done.stdout.split()[0]) < 1


def test_what_the_document_names_is_there() -> None:
    root = DOCUMENT.parents[1]
    named = re.findall(r"`((?:textdl|tests|cli|benchmarks)/[\w/.-]+)`", DOCUMENT.read_text(encoding="utf-8"))
    assert len(named) > 5
    assert [name for name in named if "NAME" not in name and not (root / name).exists()] == []
