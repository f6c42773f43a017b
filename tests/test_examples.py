"""The examples run."""

import importlib.util
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parent.parent / "examples"

#: What to give each example so that it is quick; an example without a line here is not tested, so it fails.
QUICK = {
    "recipes.py": ["--minutes", "0.03", "--hand-minutes", "0.02", "--hand-lines", "60"],
    "own_text.py": ["--steps", "100"],
    "word_vectors.py": ["--epochs", "2"],
    "translate.py": ["--minutes", "0.03"],
    "handwriting.py": ["--minutes", "0.02", "--limit", "300"],
}
#: Those that take a folder or a run's path with --out, and what they draw beside it.
DRAWN = {
    "recipes.py": ["run-card.svg"],
    "handwriting.py": ["run/kettle.svg", "run/primed.svg"],
}


def test_every_example_is_listed():
    assert {p.name for p in FOLDER.glob("*.py")} == set(QUICK)


@pytest.mark.parametrize("name", QUICK)
def test_example(name, monkeypatch, capsys, tmp_path):
    arguments = [*QUICK[name], *(["--out", str(tmp_path / "run")] if name in DRAWN else [])]
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
        "handwriting.py": "wrote ",
    }
    assert out.startswith(begins[name])
    for picture in DRAWN.get(name, ()):
        ids = [one.get("id", "") for one in ElementTree.parse(tmp_path / picture).iter()]
        assert "stroke-1" in ids, f"{picture} has no stroke"
