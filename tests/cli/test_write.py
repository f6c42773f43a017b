"""``textdl write``, by a run that is worked by hand."""

from __future__ import annotations

import io
import sys
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from textdl.strokes.line import Line, of_strokes
from textdl.strokes.npz import read_lines, write_lines

Cli = Callable[..., tuple[int, str, str]]


class Hand:
    """Writes each character as a slash, as slanted as the seed says; tells what it was asked for."""

    alphabet = " 'abcdefghijklmnopqrstuvwxyz"
    unconditional = False

    def __init__(self) -> None:
        self.config = {"task": "handwriting"}
        self.asked: list[tuple[Any, ...]] = []

    def write(self, text: str | None, bias: float = 0.0, prime: Any = None, seed: int | None = None) -> NDArray[Any]:
        self.asked.append((text, bias, prime, seed))
        if text == "long":
            warnings.warn("'long' was cut after 9 points", RuntimeWarning, stacklevel=2)
        slant = 1 + (seed or 0) % 97 / 20
        return of_strokes([np.array([[5 * at, 0], [5 * at + slant, 9]]) for at in range(len(text or "three"))])

    def write_page(self, *given: Any) -> None:
        raise AssertionError("the command writes line by line, to tell how far it is")


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hand:
    from textdl.tasks import base

    made = Hand()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base, "load", lambda *given: made)
    return made


def paths(file: str) -> list[ET.Element]:
    return [one for one in ET.parse(file).iter() if one.get("data-stroke")]


def test_all_kinds_of_files(cli: Cli, hand: Hand) -> None:
    code, out, err = cli(
        "write", "RUN", "good morning", "--out", "a.svg", "--png", "a.png", "--gif", "a.gif", "--strokes", "a.npz",
        "--seed", 3, "--bias", 1.5,
    )  # fmt: skip
    assert (code, out) == (0, "")
    assert err == "1 line of 24 points with seed 3 written in a.svg, a.png, a.gif, a.npz\n"
    assert len(paths("a.svg")) == 12
    assert ET.parse("a.svg").getroot()[0].text == "good morning"
    assert "animation" not in Path("a.svg").read_text()
    with Image.open("a.png") as still, Image.open("a.gif") as moving:
        assert still.size[0] > still.size[1]
        assert moving.n_frames > 5  # type: ignore[attr-defined]
    (line,) = read_lines("a.npz")
    assert (line.text, len(line.points)) == ("good morning", 24)
    assert hand.asked[0][:3] == ("good morning", 1.5, None)
    cli("write", "RUN", "good", "--out", "a.svg", "--animate")
    assert "animation" in Path("a.svg").read_text(), "written over"


def test_long_texts_wrap_and_breaks_stay(cli: Cli, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("letter.txt").write_text("dear aunt\n\nthe extraordinarily  small\tspoons\n")
    code, _, err = cli("write", "RUN", "--file", "letter.txt", "--out", "a.svg", "--strokes", "a.npz", "--lines", 11)
    assert code == 0
    assert "note: cut, longer than a line of 11 characters (--lines): 'extraordinarily'" in err
    texts = [asked[0] for asked in hand.asked]
    assert [text for text in texts if len(text) > 11] == []
    assert " ".join(texts).replace(" ", "") == "dearaunttheextraordinarilysmallspoons"
    assert read_lines("a.npz").texts == tuple(texts)
    lines = [one.get("data-line") for one in ET.parse("a.svg").iter() if one.get("data-line")]
    assert lines[:2] == ["1", "3"], "the blank line is left free"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"one\ntwo\n"), isatty=lambda: False))
    cli("write", "RUN", "--file", "-", "--out", "a.svg")
    assert [asked[0] for asked in hand.asked[-2:]] == ["one", "two"]


def test_the_same_seed_writes_the_same(cli: Cli, hand: Hand) -> None:
    """Line n is drawn by the seed and n, as by write_page; without a seed one is told."""
    cli("write", "RUN", "one two", "--lines", 3, "--out", "a.svg", "--seed", 5)
    seeds = [asked[3] for asked in hand.asked]
    assert seeds == np.random.default_rng(5).integers(0, 2**31, 2).tolist()
    first = Path("a.svg").read_bytes()
    _, _, err = cli("write", "RUN", "one two", "--lines", 3, "--out", "a.svg")
    told = err.split("with seed ")[1].split()[0]
    other = Path("a.svg").read_bytes()
    cli("write", "RUN", "one two", "--lines", 3, "--out", "a.svg", "--seed", told)
    assert Path("a.svg").read_bytes() == other != first


def test_priming(cli: Cli, hand: Hand) -> None:
    points = of_strokes([np.array([[0, 0], [3, 9]]), np.array([[5, 0], [6, 9]])])
    write_lines("style.npz", [Line(points, "my hand"), Line(points[:2], "other")])
    assert cli("write", "RUN", "good", "--out", "a.svg", "--prime", "style.npz")[0] == 0
    assert hand.asked[-1][2].text == "my hand"
    np.testing.assert_array_equal(hand.asked[-1][2].points, points)
    cli("write", "RUN", "good", "--out", "a.svg", "--prime", "style.npz", "--prime-text", "said")
    assert hand.asked[-1][2].text == "said"
    cli("write", "RUN", "on", "--out", "b.svg", "--prime", "a.svg")
    assert hand.asked[-1][2].text == "good", "a picture of ours tells what it says"
    assert len(hand.asked[-1][2].points) == 8


def test_notes_of_the_run_are_told(cli: Cli, hand: Hand) -> None:
    _, _, err = cli("write", "RUN", "a long", "--lines", 4, "--out", "a.svg")
    assert err.startswith("note: 'long' was cut after 9 points\n2 lines")
    assert "Warning" not in err


def test_strokes_alone(cli: Cli, hand: Hand) -> None:
    hand.unconditional, hand.alphabet = True, ""
    code, _, err = cli("write", "RUN", "--out", "a.svg", "--strokes", "a.npz", "--seed", 4)
    assert code == 0
    assert hand.asked == [(None, 0.5, None, 4)]
    assert read_lines("a.npz").texts == ("",)
    code, _, err = cli("write", "RUN", "some", "--out", "a.svg")
    assert code == 2
    assert "strokes alone" in err


@pytest.mark.parametrize(
    "given, message",
    (
        (["café ☃", "--out", "a.svg"], "'é' (LATIN SMALL LETTER E WITH ACUTE), '☃' (SNOWMAN)"),
        (["good"], "write needs a file to write to"),
        (["good", "--out", "a.png"], "--out takes a name that ends in .svg, got 'a.png'"),
        (["good", "--png", "a.svg"], "--png takes a name that ends in .png"),
        (["good", "--out", "none/a.svg"], "there is no folder none"),
        (["--out", "a.svg"], "writes a given text"),
        ([" \n", "--out", "a.svg"], "writes a given text"),
        (["a", "--file", "b", "--out", "a.svg"], "one of the two"),
        (["--file", "missing.txt", "--out", "a.svg"], "missing.txt"),
        (["a", "--png", "a.png", "--animate"], "--animate is of the .svg"),
        (["a", "--out", "a.svg", "--prime-text", "x"], "give --prime FILE"),
        (["a", "--out", "a.svg", "--prime", "missing.npz"], "missing.npz"),
        (["a b" * 9999, "--out", "a.svg"], "at most 20,000 characters"),
    ),
)
def test_what_is_refused(cli: Cli, hand: Hand, given: list[str], message: str) -> None:
    """In one line, before anything is written."""
    code, out, err = cli("write", "RUN", *given)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert hand.asked == []
    assert not list(Path().iterdir())


def test_another_run(cli: Cli, tmp_path: Path) -> None:
    kept = Path(__file__).parent.parent / "kept" / "lm-format-1"
    code, _, err = cli("write", kept, "good", "--out", tmp_path / "a.svg")
    assert code == 2
    assert "is a lm model, which has no hand; name a run of textdl train handwriting" in err
