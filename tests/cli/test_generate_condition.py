"""``textdl train lm --condition-field`` and ``textdl generate --condition``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

NAMES = {"Italian": ("Rossi", "Bianchi", "Verdi"), "Greek": ("Samaras", "Rallis", "Kostas")}
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of names for each nationality."""
    folder = tmp_path_factory.mktemp("names")
    for nation, some in NAMES.items():
        (folder / f"{nation}.txt").write_text("\n".join(some * 20) + "\n")
    return folder


def test_names_of_a_nationality(cli: Cli, names: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, _, err = cli(
        *("train", "lm", names, "--documents", "line", "--condition-field", "file", "--out", run, "--steps", 120),
        *("--hidden", 32, "--embedding", 12, "--batch-size", 8, "--seq-length", 24, "--lr", 0.02, "--device", "cpu"),
        *("--validation", 0, "--test", 0),
    )
    assert code == 0, err
    assert "next: textdl generate" in err
    assert "--condition Greek" in err
    for nation, some in NAMES.items():
        code, out, err = cli("generate", run, "--condition", nation, "--count", 5, "--seed", 1, "--json")
        assert (code, err) == (0, "")
        for line in out.splitlines():
            told = json.loads(line)
            assert told["condition"] == nation
            assert told["text"] in some
    assert cli("generate", run, "--condition", "Greek", "--prompt", "Ra", "--temperature", 0)[1] == "Rallis\n"
    code, out, _ = cli("evaluate", run, "--split", "train", "--json")
    assert code == 0
    assert json.loads(out)["documents"] == 120
    code, out, err = cli("evaluate", run, names / "Greek.txt", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["documents"] == 60
    assert json.loads(out)["perplexity"] < 2
    for words, message in (
        (["--condition", "Itallian"], "knows no condition 'Itallian'; did you mean 'Italian'?"),
        ([], "writes on a condition (file) and was given none; give --condition TEXT"),
    ):
        code, out, err = cli("generate", run, *words)
        assert (code, out) == (2, "")
        assert message in err
        assert len(err.splitlines()) == 1


def test_a_run_without_a_condition_takes_none(cli: Cli, names: Path, tmp_path: Path) -> None:
    settings = ["--documents", "line", "--steps", 1, "--hidden", 8, "--seq-length", 8, "--device", "cpu", "--quiet"]
    assert cli("train", "lm", names, "--out", tmp_path / "run", *settings)[0] == 0
    code, out, err = cli("generate", tmp_path / "run", "--condition", "Greek")
    assert (code, out) == (2, "")
    assert "was trained without a condition, got 'Greek'" in err
    told = json.loads(cli("generate", tmp_path / "run", "--length", 3, "--json")[1])
    assert "condition" not in told
    code, out, err = cli("train", "lm", names, "--condition-field", "nation", "--out", tmp_path / "other", *settings)
    assert (code, out) == (2, "")
    assert "has no field 'nation'; --condition-field file takes the name of each file" in err
    assert not (tmp_path / "other").exists()
