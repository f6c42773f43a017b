"""Runs written in the past load today and give what they gave then; README.md says how they were written."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import textdl
from textdl import artifact
from textdl.errors import RunError

FOLDER = Path(__file__).parent
KEPT = sorted(path for path in FOLDER.iterdir() if (path / artifact.CONFIG).is_file())


def gives(run: Any, expected: dict[str, Any]) -> None:
    """Hold a loaded run against what it gave when it was written."""
    text = run.generate(expected["prompt"], seed=expected["seed"], length=expected["length"])
    assert text == expected["text"]
    with torch.no_grad():
        logits = run.model(torch.tensor(expected["ids"]).unsqueeze(1))[0][:, 0]
    torch.testing.assert_close(logits, torch.tensor(expected["logits"]), rtol=1e-4, atol=1e-4)


def expected_of(path: Path) -> dict[str, Any]:
    """The JSON beside a kept run."""
    values: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return values


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of the newest kept run, to be changed."""
    return Path(shutil.copytree(KEPT[-1], tmp_path / "run"))


def change(run: Path, **values: Any) -> dict[str, Any]:
    """Change ``config.json`` of a copy; returns what is then in it."""
    config = {**artifact.read_json(run / artifact.CONFIG), **values}
    artifact.write_json(run / artifact.CONFIG, config)
    return config


def test_a_run_of_every_format_is_kept() -> None:
    formats = {expected_of(path)["format"] for path in KEPT}
    assert formats == set(range(1, artifact.FORMAT + 1)), "write one with tests/kept/write.py"
    assert set(artifact.MIGRATIONS) == set(range(1, artifact.FORMAT)), "every older format has a migration"


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_a_kept_run_gives_what_it_gave(path: Path) -> None:
    gives(textdl.load(path), expected_of(path))
    assert textdl.load(path).report["ended"] == "finished"


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_a_kept_run_is_as_it_was_written(path: Path) -> None:
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in path.iterdir()}
    assert files == expected_of(path)["sha256"]
    assert sum(file.stat().st_size for file in path.iterdir()) < 60_000
    assert artifact.read_json(path / artifact.CONFIG)["format"] == expected_of(path)["format"]


def test_other_weights_give_something_else(run: Path) -> None:
    arrays = artifact.load_arrays(run / artifact.MODEL)
    artifact.save_arrays(run / artifact.MODEL, {**arrays, "output.bias": arrays["output.bias"] + 0.01})
    with pytest.raises(AssertionError):
        gives(textdl.load(run), expected_of(KEPT[-1]))


def test_a_newer_format_is_refused(run: Path) -> None:
    change(run, format=artifact.FORMAT + 1, versions={"textdl": "9.8"})
    with pytest.raises(RunError, match=rf"newer textdl \(9\.8, format {artifact.FORMAT + 1}; .*pip install --upgrade"):
        textdl.load(run)
    with pytest.raises(RunError, match="newer textdl"):
        textdl.train("lm", ["a text"], out=run, resume=True, progress=False)


@pytest.mark.parametrize("number", [0, -1, None, "1", 1.5])
def test_a_format_that_never_was_is_refused(run: Path, number: Any) -> None:
    change(run, format=number)
    with pytest.raises(RunError, match="has no format number"):
        textdl.load(run)


def test_an_older_format_goes_through_each_migration_once_and_in_order(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today, model = artifact.FORMAT, artifact.read_json(run / artifact.CONFIG)["model"]
    hidden = model.pop("hidden")
    change(run, model={**model, "width": hidden})
    before = (run / artifact.CONFIG).read_bytes()
    asked: list[int] = []

    def renamed(number: int, old: str, new: str) -> Any:
        def migrate(config: dict[str, Any]) -> dict[str, Any]:
            asked.append(number)
            values = {new if name == old else name: value for name, value in config["model"].items()}
            return {**config, "format": number + 1, "model": values}

        return migrate

    monkeypatch.setattr(artifact, "FORMAT", today + 2)
    monkeypatch.setitem(artifact.MIGRATIONS, today, renamed(today, "width", "units"))
    monkeypatch.setitem(artifact.MIGRATIONS, today + 1, renamed(today + 1, "units", "hidden"))
    loaded = textdl.load(run)
    assert asked == [today, today + 1]
    assert loaded.config["model"]["hidden"] == hidden
    gives(loaded, expected_of(KEPT[-1]))
    assert (run / artifact.CONFIG).read_bytes() == before, "the folder itself is left as it is"
