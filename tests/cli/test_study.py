"""``textdl study``, as its users run it."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textdl_cli.study_dataset_size import spread

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of 150 texts with a text and a label under unusual names."""
    draw = random.Random(1)
    with (tmp_path / "films.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["number", "says", "stars"])
        for number in range(150):
            label = draw.choice(["five", "one"])
            words = ["good", "fine"] if (label == "five") == (draw.random() < 0.8) else ["bad", "dull"]
            rows.writerow([number, f"a {draw.choice(words)} {draw.choice(['film', 'book'])} {number}", label])
    return tmp_path / "films.csv"


def test_lists_are_parted_by_spaces_or_commas() -> None:
    assert spread(["x", "--sizes", "1", "3", "--out", "o"]) == ["x", "--sizes", "1", "--sizes", "3", "--out", "o"]
    assert spread(["--models", "a,b", "c,", "-q"]) == ["--models", "a", "--models", "b", "--models", "c", "-q"]
    assert spread(["--sizes=100,300", "--sizes", "5"]) == ["--sizes", "100", "--sizes", "300", "--sizes", "5"]
    assert spread(["--sizes=", "7"]) == ["--sizes=", "--sizes", "7"]
    assert spread(["x", "--sizes", "--out", "o"]) == ["x", "--sizes=", "--out", "o"]
    assert spread(["x", "--models"]) == ["x", "--models="]
    assert spread(["x", "--set", "a=b,c", "y"]) == ["x", "--set", "a=b,c", "y"]


def test_a_study(cli: Cli, table: Path, tmp_path: Path) -> None:
    ask: list[Any] = [
        "study", "dataset-size", table, "--out", tmp_path / "s", "--text-field", "says", "--label-field", "stars",
        "--models", "nb-svm", "lstm", "--sizes", "20", "all", "--seeds", "2", "--epochs", "1",
        "--set", "data.test=0.2", "--set", "hidden=4", "--set", "ngrams=1",
    ]  # fmt: skip
    code, out, err = cli(*ask)
    assert code == 0
    kept = {".lock", "accuracy.png", "rows.jsonl", "study.json", "table.md"}
    assert {path.name for path in (tmp_path / "s").iterdir()} == kept
    assert [line.split(":")[0] for line in err.splitlines()[:2]] == [
        "20 examples, nb-svm, seed 1", "20 examples, lstm, seed 1"
    ]  # fmt: skip
    assert len(err.splitlines()) == 9
    assert out.startswith("| examples | model |")
    assert out.count("\n| 20 | ") == 3, "a line for each model, one for their comparison"
    assert "| nb-svm | lstm |" in out
    study = json.loads((tmp_path / "s" / "study.json").read_text())
    assert study["sizes"] == [20, study["examples"]]
    assert study["asked"]["settings"] == {
        "data.test": 0.2, "hidden": 4, "ngrams": 1, "data.text_field": ["says"], "data.label_field": "stars"
    }  # fmt: skip
    code, out, err = cli(*ask, "--json")
    assert (code, err) == (0, ""), "nothing is left to do"
    told = json.loads(out)
    assert len(told["rows"]) == 8
    assert {name: told[name] for name in ("cells", "claim")} == {name: study[name] for name in ("cells", "claim")}
    code, out, err = cli(*ask, "--quiet")
    assert (code, err) == (0, "")
    code, out, err = cli(*[word if word != "20" else "30" for word in ask])
    assert (code, out) == (2, "")
    assert "holds a study with sizes 20, " in err
    assert err.count("\n") == 1


def test_ctrl_c(cli: Cli, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textdl.tasks import base

    train, calls = base.train, []

    def stopping(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train(*given)

    ask = ["study", "dataset-size", table, "--out", tmp_path / "s", "--text-field", "says", "--label-field", "stars"]
    ask += ["--models", "nb-svm", "--sizes", "20", "40", "--seeds", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(base, "train", stopping)
        code, out, err = cli(*ask)
    assert (code, out) == (130, "")
    assert "the same command goes on" in err.splitlines()[-1]
    assert len((tmp_path / "s" / "rows.jsonl").read_text().splitlines()) == 1
    code, out, err = cli(*ask)
    assert code == 0
    assert err.splitlines()[0].startswith("40 examples"), "the first one is not done again"


@pytest.mark.parametrize(("words", "message"), [
    (["--models", "nb-svn"], "there is no model 'nb-svn'; did you mean 'nb-svm'"),
    (["--models", "lm"], "needs a language model"),
    (["--sizes", "1e3"], "--sizes takes whole numbers or all, got '1e3'"),
    (["--sizes"], "--sizes takes whole numbers or all, got ''"),
    (["--models", "--quiet"], "there is no model ''"),
    (["--sizes", "5000"], "too few training texts"),
    (["--set", "hiden=4"], "did you mean 'hidden'"),
    (["--set", "hidden"], "--set takes NAME=VALUE, got 'hidden'"),
    (["--set", "hidden=wide"], "hidden must be a whole number, got 'wide'"),
    (["--label-field", "star"], "did you mean 'stars'"),
])  # fmt: skip
def test_what_the_user_can_mend_is_one_line(
    words: list[str], message: str, cli: Cli, table: Path, tmp_path: Path
) -> None:
    fields = ["--text-field", "says", "--label-field", "stars"]
    code, out, err = cli("study", "dataset-size", table, "--out", tmp_path / "s", *fields, *words)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert not (tmp_path / "s").exists()


def test_help_and_names(cli: Cli) -> None:
    code, out, _ = cli("study", "--help")
    assert code == 0
    assert "dataset-size" in out
    code, _, err = cli("study", "dataset-sise")
    assert code == 2
    assert "did you mean 'dataset-size'?" in err


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['textdl', 'study', 'dataset-size', '--help']\n"
        "from textdl_cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print({'torch', 'numpy', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "set()"
    assert "--sizes" in done.stdout
