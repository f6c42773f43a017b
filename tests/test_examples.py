"""The examples run."""

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples"

#: What to give each example so that it is quick; an example without a line here is not tested, so it fails.
QUICK = {
    "recipes.py": ["--minutes", "0.03"],
    "own_text.py": ["--steps", "100"],
    "word_vectors.py": ["--epochs", "2"],
    "translate.py": ["--minutes", "0.03"],
}


def test_every_example_is_listed():
    assert {p.name for p in FOLDER.glob("*.py")} == set(QUICK)


@pytest.mark.parametrize("name", QUICK)
def test_example(name, monkeypatch, capsys, tmp_path):
    arguments = [*QUICK[name], *(["--out", str(tmp_path / "run")] if name == "recipes.py" else [])]
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    spec = importlib.util.spec_from_file_location(f"example_{Path(name).stem}", FOLDER / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
    out = capsys.readouterr().out
    begins = {
        "recipes.py": "Lemon ",
        "own_text.py": "after 100 steps",
        "word_vectors.py": "loss an epoch: ",
        "translate.py": " -",
    }
    assert out.startswith(begins[name])
