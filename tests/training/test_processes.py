"""Several processes, started by torchrun as a user does, against one process with as large a batch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from textdl import artifact
from textdl.errors import CorpusError
from textdl.tasks.lm import LanguageModelling, LanguageModellingConfig
from textdl.training.processes import Shard

TEXTS = [f"{a} {b} {c}." for a in ("a red", "the blue", "one") for b in ("cat", "dog", "owl") for c in ("sits", "runs")]
FLAGS = [
    *("--hidden", "16", "--embedding", "8", "--seq-length", "12", "--steps", "60", "--precision", "float32"),
    *("--device", "cpu", "--quiet", "--set", "ngram_rows=64", "--set", "train.evaluations=3"),
    *("--set", "train.checkpoint_steps=8", "--set", "train.threads=1"),
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    path.mkdir()
    (path / "train.txt").write_text("\n\n".join(TEXTS * 20), encoding="utf-8")
    (path / "validation.txt").write_text("\n\n".join(TEXTS), encoding="utf-8")
    return path


def started(processes: int, corpus: Path, out: Path, *flags: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m"]
    if processes > 1:
        program += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    arguments = ["textdl_cli", "train", "lm", str(corpus), "--out", str(out), *FLAGS, *flags]
    return subprocess.Popen(
        program + arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        _, errors = process.communicate(timeout=100)
    except subprocess.TimeoutExpired:
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        raise
    return process.returncode, errors


def lines(run: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (run / artifact.METRICS).read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "units_per_s")} for line in found]


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one_with_twice_the_batch(corpus: Path, tmp_path: Path) -> None:
    two = started(2, corpus, tmp_path / "two", "--batch-size", "3")
    one = started(1, corpus, tmp_path / "one", "--batch-size", "6")
    for process in (two, one):
        code, errors = ended(process)
        assert code == 0, errors
    ours, wanted = lines(tmp_path / "two"), lines(tmp_path / "one")
    assert [line.get("step") for line in ours] == [line.get("step") for line in wanted]
    for line, other in zip(ours, wanted, strict=True):
        for name, value in other.items():
            # the sums are the same, in another order: what that does in 60 steps of Adam
            assert line[name] == (pytest.approx(value, rel=1e-3) if isinstance(value, float) else value)


@pytest.mark.slow
def test_two_processes_killed_and_resumed_end_as_if_they_had_not_been(corpus: Path, tmp_path: Path) -> None:
    flags = ("--batch-size", "3", "--dropout", "0.2")
    whole, cut = (started(2, corpus, tmp_path / name, *flags) for name in ("whole", "cut"))
    end = time.monotonic() + 60
    while not list((tmp_path / "cut" / artifact.RESUME).glob("step-*")) and cut.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.002)
    for process in children(cut.pid):
        os.kill(process, signal.SIGKILL)
    ended(cut)
    code, errors = ended(whole)
    assert code == 0, errors
    assert (tmp_path / "cut" / artifact.RESUME).exists(), "it was over before it could be killed"
    code, errors = ended(started(1, corpus, tmp_path / "cut", "--resume", *flags))
    assert code == 2
    assert "begun by 2 process(es), not 1; resume it with as many" in errors
    code, errors = ended(started(2, corpus, tmp_path / "cut", "--resume", *flags))
    assert code == 0, errors
    assert (tmp_path / "cut" / artifact.MODEL).read_bytes() == (tmp_path / "whole" / artifact.MODEL).read_bytes()
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")


def children(parent: int) -> list[int]:
    """The process and all below it, the deepest first."""
    below = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [pid for child in below.stdout.split() for pid in children(int(child))] + [parent]


def test_the_shards_together_are_the_whole_batch_and_have_nothing_in_common(corpus: Path) -> None:
    from textdl.config import replace

    config = replace(LanguageModellingConfig(), {"seq_length": 12, "ngram_rows": 64, "hidden": 4, "batch_size": 2})

    def task(shard: Shard, **settings: Any) -> LanguageModelling:
        return LanguageModelling.prepare(corpus, replace(config, settings), lambda event: None, shard)

    whole = task(Shard(), batch_size=6)
    parts = [task(Shard(rank, 3)) for rank in range(3)]
    assert {part.steps_per_epoch() for part in parts} == {whole.steps_per_epoch()}
    for epoch in (0, 1):
        together = zip(whole.batches("train", epoch), *(part.batches("train", epoch) for part in parts), strict=True)
        for (inputs, targets), *shares in together:
            assert [tuple(share[1].shape) for share in shares] == [(len(targets), 2)] * 3
            assert (inputs == _beside([share[0] for share in shares])).all()
            assert (targets == _beside([share[1] for share in shares])).all()
    with pytest.raises(CorpusError, match="too short for 3 processes with 500 sequences each"):
        task(Shard(0, 3), batch_size=500)


def _beside(parts: list[Any]) -> Any:
    import torch

    return torch.cat(parts, dim=1)
