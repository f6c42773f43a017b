"""``textdl evaluate`` of a run of images, as its users run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .image_runs import WRONG, bars, train_bars

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It judges all test pictures rightly but the one whose label is wrong."""
    return train_bars(tmp_path_factory.mktemp("runs"), "softmax")


def test_tables(cli: Cli, run: Path) -> None:
    """Worked by hand: 12 pictures, one of the left called right."""
    code, out, err = cli("evaluate", run)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["accuracy", f"{11 / 12:.4f}"] in lines
    assert ["error", f"{1 / 12:.4f}"] in lines
    assert ["class", "precision", "recall", "F1", "images"] in lines
    assert ["left", "0.8000", "1.0000", "0.8889", "4"] in lines
    assert ["right", "1.0000", "0.8000", "0.8889", "5"] in lines
    assert ["3", "right", "1", "0", "4"] in lines, "row of the confusion matrix"
    assert "mistakes" not in out


def test_the_worst_mistakes(cli: Cli, run: Path) -> None:
    _, out, _ = cli("evaluate", run, "--errors", 5)
    table = out.split("the worst mistakes\n")[1].splitlines()
    assert table[0].split() == ["image", "truth", "said", "probability"]
    (row,) = (line.split() for line in table[1:])
    assert row[:3] == [str(WRONG), "right", "left"]
    assert 0.5 < float(row[3]) <= 1
    figures = json.loads(cli("evaluate", run, "--errors", 5, "--json")[1])
    assert [(one["index"], one["truth"], one["said"]) for one in figures["errors"]] == [(WRONG, "right", "left")]
    assert "no mistakes" in cli("evaluate", run, "--split", "validation", "--errors", 5)[1]


def test_pictures(cli: Cli, run: Path, tmp_path: Path) -> None:
    """The sheet holds the very picture that was judged wrongly; --errors is not needed for it."""
    code, out, err = cli("evaluate", run, "--confusion", tmp_path / "c.svg", "--sheet", tmp_path / "s.png")
    assert code == 0
    assert "mistakes" not in out
    assert "1 mistakes drawn in" in err or "1 mistake drawn in" in err
    assert (tmp_path / "c.svg").read_bytes().startswith(b"<?xml")
    sheet = np.asarray(Image.open(tmp_path / "s.png").convert("L"))
    with np.load(run.parent / "bars-softmax.npz") as arrays:
        image = arrays["x_test"][WRONG, ..., 0]
    times = 96 // 12
    enlarged = np.kron(image, np.ones((times, times), np.uint8))
    found = [
        (sheet[y : y + 96, x : x + 96] == enlarged).all()
        for y in range(sheet.shape[0] - 95)
        for x in range(min(40, sheet.shape[1] - 95))
    ]
    assert sum(map(bool, found)) == 1
    code, _, err = cli("evaluate", run, "--split", "validation", "--sheet", tmp_path / "none.png")
    assert (code, (tmp_path / "none.png").exists()) == (0, False)
    assert "there are no mistakes, so" in err


def test_a_sheet_says_how_many_are_on_it(cli: Cli, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More mistakes than a sheet has room for."""
    titles: list[str] = []
    monkeypatch.setattr("textdl.inspect.mistakes_sheet.MOST", 2)
    monkeypatch.setattr("textdl.inspect.mistakes_sheet.contact_sheet", lambda *_, title: titles.append(title))
    pixels, labels = bars(6, 7)
    np.savez(tmp_path / "wrong.npz", images=pixels, labels=np.roll(labels, 1))
    code, _, err = cli("evaluate", run, tmp_path / "wrong.npz", "--errors", 5, "--sheet", tmp_path / "s.png")
    assert code == 0
    assert titles == ["wrong, all: 6 of 6 are wrong, the 2 worst"]
    assert "2 mistakes drawn in" in err


def test_another_corpus(cli: Cli, run: Path, tmp_path: Path) -> None:
    """Brought to the size of the run; labels that it does not know count as wrong."""
    pixels, labels = bars(6, 7)
    large = np.repeat(np.repeat(pixels, 2, axis=1), 2, axis=2)
    np.savez(tmp_path / "large.npz", images=large, labels=np.where(labels == "right", "odd", labels))
    code, out, err = cli("evaluate", run, tmp_path / "large.npz")
    assert (code, out) == (2, "")
    assert "--size 12" in err
    code, out, err = cli("evaluate", run, tmp_path / "large.npz", "--size", 12, "--sheet", tmp_path / "s.png")
    assert code == 0
    assert "note: 2 of 6 images have a label that is no class of" in err
    assert "note: large is not the corpus that the run was trained on" in err
    assert ["accuracy", f"{4 / 6:.4f}"] in [line.split() for line in out.splitlines()]
    assert "no class of the run" in cli("evaluate", run, tmp_path / "large.npz", "--size", 12, "--errors", 1)[1]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["--sheet", "s.jpg"], "a sheet of pictures ends in .png, got 's.jpg'"),
        (["--confusion", "c.gif"], "ends in .png"),
        (["--beam", "3"], "for which --beam says nothing"),
        (["--text-field", "a"], "leave --text-field out"),
        (["--split", "tset"], "did you mean 'test'"),
        (["--sheet", "nowhere/s.png"], "can not be written"),
    ],
)
def test_bad_input_is_one_line(command: list[str], said: str, cli: Cli, run: Path) -> None:
    code, out, err = cli("evaluate", run, *command)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_sheet_of_texts_is_refused(cli: Cli) -> None:
    kept = Path(__file__).parent.parent / "kept" / "lm-format-1"
    for flag, value in (("--sheet", "s.png"), ("--size", "8")):
        code, _, err = cli("evaluate", kept, flag, value)
        assert code == 2
        assert f"is a lm model, for which {flag} says nothing; leave it out" in err
