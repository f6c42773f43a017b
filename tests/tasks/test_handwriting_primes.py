"""A line that a writer goes on from, whatever it was recorded with; and a run whose parts do not fit together."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textdl
from textdl import artifact
from textdl.errors import RunError
from textdl.stroke_corpus import open_strokes
from textdl.strokes.drawing_layout import measure
from textdl.strokes.line import to_strokes
from textdl.tasks import handwriting_run
from textdl.tasks.base import train
from textdl.tasks.handwriting_run import HandwritingRun, written_by

QUICK: dict[str, Any] = {"device": "cpu", "precision": "float32", "threads": 1, "evaluations": 1, "steps": 1}
QUICK |= {"hidden": 6, "mixtures": 2}
LINES = list(open_strokes("strokes").lines("train")[:400:4])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> HandwritingRun:
    """A writer that has seen these lines and learned nothing."""
    made = train("handwriting", LINES, tmp_path_factory.mktemp("primes") / "run", settings=QUICK)
    assert isinstance(made, HandwritingRun)
    return made


@pytest.mark.parametrize("units", [1 / 20, 1.2, 30.0])
def test_a_prime_in_other_units_is_brought_to_those_of_the_training(
    run: HandwritingRun, monkeypatch: pytest.MonkeyPatch, units: float
) -> None:
    """An SVG or a captured line has the units of its page; letters that are only a little larger stay so."""
    prime, read = LINES[5], []
    monkeypatch.setattr(handwriting_run, "written_by", lambda *given: read.append(given[6]) or written_by(*given))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has learned nothing and does not come to an end
        for line in (prime, prime._replace(points=prime.points * np.array([units, units, 1], np.float32))):
            run.write("on", prime=line, seed=1)
    assert run.letters is not None
    low, middle, high = run.letters
    letter = measure(to_strokes(prime.points)).letter
    assert low <= letter <= 1.2 * letter <= high, "so the test is of the usual"
    wide = [float(np.ptp(np.cumsum(points[:, 0]))) for points in read]
    assert wide[1] / wide[0] == pytest.approx(1.2 if units == 1.2 else middle / letter, rel=0.05)
    assert read[1][:, 2].sum() == read[0][:, 2].sum()


def test_a_run_of_words_takes_a_prime_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no training text has a space, none is put between the two texts."""
    words = [line for line in LINES if " " not in line.text]
    made = train("handwriting", words, tmp_path / "run", settings=QUICK)
    before: list[str] = []
    monkeypatch.setattr(handwriting_run, "written_by", lambda *given: before.append(given[7]) or written_by(*given))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.write("on", prime=words[0], seed=1)
    assert before == [words[0].text]


@pytest.mark.parametrize(
    "changes",
    [{"alphabet": "abcdefghijkl"}, {"alphabet": 5}, {"longest_text": "x"}, {"step": "x"}, {"letters": [1, 2]}],
)
def test_a_damaged_part_of_a_run_is_refused(run: HandwritingRun, tmp_path: Path, changes: dict[str, Any]) -> None:
    """An alphabet of more characters than the model has would let the compiled loop write beyond its arrays."""
    folder = tmp_path / "run"
    shutil.copytree(run.path, folder)
    kept = json.loads((folder / artifact.STROKES).read_text(encoding="utf-8"))
    (folder / artifact.STROKES).write_text(json.dumps(kept | changes), encoding="utf-8")
    with pytest.raises(RunError, match="is not what it was; restore it or train again"):
        textdl.load(folder)
