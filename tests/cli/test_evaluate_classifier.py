"""``textdl evaluate`` of a classifier, as its users run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .classifiers import TEXTS, HandMade

Cli = Callable[..., tuple[int, str, str]]
Make = Callable[..., HandMade]
KEPT = Path(__file__).parent.parent / "kept" / "lm-format-1"


def test_tables(cli: Cli, hand_made: Make) -> None:
    """Worked by hand: three of six are right; one has a label that is no class."""
    hand_made()
    code, out, err = cli("evaluate", "RUN")
    assert code == 0
    assert "1 of 6 texts have a label that is no class of RUN; they count as wrong" in err
    lines = [line.split() for line in out.splitlines()]
    assert ["accuracy", f"{3 / 6:.4f}"] in lines
    assert any(line[:2] == ["calibration", "error"] for line in lines)
    assert ["neg", "0.5000", "1.0000", "0.6667", "2"] in lines
    assert ["pos", "0.5000", "0.3333", "0.4000", "3"] in lines
    assert ["truth", "\\", "predicted", "neg", "pos"] in lines, "head of the confusion matrix"
    assert ["neg", "2", "0"] in lines, "row of it"
    assert ["pos", "2", "1"] in lines
    assert "mistakes" not in out


def test_the_worst_mistakes(cli: Cli, hand_made: Make) -> None:
    hand_made()
    _, out, _ = cli("evaluate", "RUN", "--errors", 2)
    told = out.split("the worst mistakes")[1].strip().splitlines()
    assert told == [
        "neg, probability 0.9526; truth: pos", "bad, bad and so dull :cat: [b]", "",
        "neg, probability 0.7311; truth: pos", "dull",
    ]  # fmt: skip
    _, out, _ = cli("evaluate", "RUN", "--errors", 9)
    assert "pos, probability 0.7311; truth: no class of the run\nfine" in out


def test_json_and_what_is_asked_of_the_run(cli: Cli, hand_made: Make) -> None:
    made = hand_made()
    command = ["--split", "all", "--text-field", "a", "--label-field", "b", "--errors", 1, "--json"]
    code, out, err = cli("evaluate", "RUN", "other", *command)
    assert code == 0
    assert made.asked == ("other", "all", ("a",), "b", 1)
    figures = json.loads(out)
    assert figures["confusion"] == {"labels": ["neg", "pos"], "counts": [[2, 0], [2, 1]]}
    assert [mistake["text"] for mistake in figures["errors"]] == [TEXTS[2][0]]
    _, out, err = cli("evaluate", "RUN", "other")
    assert "note: other is not the text that the run was trained on" in err


def test_the_picture(cli: Cli, hand_made: Make, tmp_path: Path) -> None:
    hand_made()
    code, _, err = cli("evaluate", "RUN", "--confusion", tmp_path / "c.png")
    assert code == 0
    assert "c.png" in err
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_several_labels(cli: Cli, hand_made: Make) -> None:
    hand_made(several=True)
    code, out, err = cli("evaluate", "RUN", "--errors", 1)
    assert (code, err) == (0, "")
    assert "hamming loss" in out
    assert "truth \\ predicted" not in out
    assert "neg (neg), probability 0.9526; truth: pos" in out
    code, out, err = cli("evaluate", "RUN", "--confusion", "c.png")
    assert (code, out) == (2, "")
    assert "leave --confusion out" in err


def test_many_classes_are_told_by_class_only(cli: Cli, hand_made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hand_made()
    labels = [f"class-{number}" for number in range(21)]
    row = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    figures = {
        "corpus": "x", "split": "test", "same_corpus": True, "examples": 21, "unknown_labels": 0,
        "per_class": dict.fromkeys(labels, row), "confusion": {"labels": labels, "counts": [[0] * 21] * 21},
    }  # fmt: skip
    monkeypatch.setattr(made, "evaluate", lambda *args, **more: figures)
    _, out, _ = cli("evaluate", "RUN")
    assert "class-20" in out
    assert "21 classes are too many" in out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["RUN", "--confusion", "c.gif"], "ends in .png"),
        ([KEPT, "--errors", "3"], "is a lm model, for which --errors says nothing; leave it out"),
        ([KEPT, "--confusion", "c.png"], "for which --confusion says nothing; leave it out"),
        ([KEPT, "--label-field", "x"], "for which --label-field says nothing; leave it out"),
        (["VECTORS", "--errors", "3"], "word vectors have no --errors; leave it out"),
    ],
)
def test_bad_input_is_one_line(command: list[str], said: str, cli: Cli, hand_made: Make, tmp_path: Path) -> None:
    hand_made()
    (tmp_path / "two.txt").write_text("2 2\none 1 2\ntwo 2 1\n")
    code, out, err = cli("evaluate", *[tmp_path / "two.txt" if word == "VECTORS" else word for word in command])
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
