"""A trained classifier: what it refuses, which texts it is measured on, and a run folder that was changed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textdl
from textdl import artifact
from textdl.errors import CorpusError, RunError

QUICK = {"device": "cpu", "threads": 1, "epochs": 1, "progress": False}
WORDY = [(f"{word} {n}", label) for n in range(9) for word, label in (("good", "pos"), ("bad", "neg"), ("so", "mid"))]


@pytest.mark.parametrize("model", ["bag", "nb-svm"])
def test_what_is_no_text_is_refused_in_one_line(model: str, tmp_path: Path) -> None:
    run = textdl.train("classify", WORDY, out=tmp_path / "run", model=model, progress=False)
    for texts in ([None], [3], [{"a", "b"}], [("good", "bad")], [["good", "bad"]], ["good", b"bad"], None, 5, "good"):
        with pytest.raises(CorpusError, match=r"must be a (list|text)"):
            run.predict(texts)
    assert run.predict(np.array(["good", "bad"])) == run.predict(["good", "bad"])


def test_another_corpus_is_read_as_that_of_the_training(tmp_path: Path) -> None:
    """What parts several labels in one cell is kept; so is which part of the corpus was measured."""
    rows = [f"{'x;y' if n % 2 else 'y;z'},{'one' if n % 2 else 'two'} text {n}" for n in range(40)]
    for name in ("first.csv", "second.csv"):
        (tmp_path / name).write_text("\n".join(["label,text", *rows]) + "\n", encoding="utf-8")
    tagged = {"several_labels": True, "label_separator": ";", "test": 0.0}
    run = textdl.train("classify", str(tmp_path / "first.csv"), out=tmp_path / "run", model="bag", **tagged, **QUICK)
    assert run.labels == ("x", "y", "z")
    figures = run.evaluate(tmp_path / "second.csv")
    assert (figures["examples"], figures["unknown_labels"], figures["split"]) == (40, 0, "all")
    parts = {split: run.evaluate(split=split) for split in ("train", "validation")}
    assert {split: part["split"] for split, part in parts.items()} == {split: split for split in parts}
    assert sum(part["examples"] for part in parts.values()) == 40
    with pytest.raises(CorpusError, match="no field 'tags'"):
        run.evaluate(split="train", label_field="tags")


@pytest.mark.parametrize("model", ["bag", "nb-svm"])
@pytest.mark.parametrize(
    "changed",
    [
        {"corpus": {"labels": ["mid", "neg"]}},
        {"corpus": {"labels": ["mid", "neg", "neg"]}},
        {"corpus": {"labels": ["mid", "neg", 3]}},
        {"corpus": {"labels": None}},
        {"corpus": {"several": None}},
        {"corpus": {"pairs": True}},
        {"corpus": None},
    ],
    ids=str,
)
def test_a_config_edited_by_hand_is_refused(model: str, changed: dict[str, Any], tmp_path: Path) -> None:
    path = textdl.train("classify", WORDY, out=tmp_path / "run", model=model, progress=False).path
    record = artifact.read_json(path / artifact.CONFIG)
    record["corpus"] = changed["corpus"] and {**record["corpus"], **changed["corpus"]}
    artifact.write_json(path / artifact.CONFIG, record)
    with pytest.raises(RunError, match=r"config\.json says of the corpus does not go with the model"):
        textdl.load(path)


@pytest.mark.parametrize("changed", [{"model": {"vocabulary": 5}}, {"data": {"tokenizer": "subwords"}}], ids=str)
def test_settings_that_are_not_those_of_the_tokenizer_are_refused(changed: dict[str, Any], tmp_path: Path) -> None:
    path = textdl.train("classify", WORDY, out=tmp_path / "run", **QUICK).path
    record = artifact.read_json(path / artifact.CONFIG)
    for part, values in changed.items():
        record[part] |= values
    artifact.write_json(path / artifact.CONFIG, record)
    with pytest.raises(RunError, match=r"do not go with tokenizer\.json"):
        textdl.load(path)
