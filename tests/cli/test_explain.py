"""``textdl explain``, as its users run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .classifiers import HandMade

Cli = Callable[..., tuple[int, str, str]]
Make = Callable[..., HandMade]


def test_in_a_file_it_is_a_table(cli: Cli, hand_made: Make) -> None:
    made = hand_made()
    code, out, err = cli("explain", "RUN", "lovely but dull, fine")
    assert (code, err) == (0, "")
    assert made.asked == ("lovely but dull, fine", None, 64)
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["pos:", "probability", "0.7311"]
    assert [line for line in lines if line[0][0] in "+-"] == [
        ["+1.0000", "lovely"], ["-1.0000", "dull,"], ["+1.0000", "fine"],
    ]  # fmt: skip


def test_json_of_a_label_that_is_asked_for(cli: Cli, hand_made: Make) -> None:
    made = hand_made()
    code, out, err = cli("explain", "RUN", "good film", "--label", "neg", "--steps", 8, "--json")
    assert (code, err) == (0, "")
    assert made.asked == ("good film", "neg", 8)
    record = json.loads(out)
    assert record["label"] == "neg"
    assert [piece["weight"] for piece in record["pieces"]] == [-1.0, 0.0, 0.0]
    assert "".join(piece["piece"] for piece in record["pieces"]) == record["text"] == "good film"


def test_a_page(cli: Cli, hand_made: Make, tmp_path: Path) -> None:
    hand_made()
    code, out, err = cli("explain", "RUN", "good <film>", "--out", tmp_path / "why.html")
    assert (code, out) == (0, "")
    assert "why.html" in err
    text = (tmp_path / "why.html").read_text()
    assert "&lt;film&gt;" in text
    assert 'title="+1.0000">good</span>' in text


def test_a_pair(cli: Cli, hand_made: Make) -> None:
    made = hand_made(pairs=True)
    assert cli("explain", "RUN", "good", "--second", "fine")[0] == 0
    assert made.asked == (("good", "fine"), None, 64)


@pytest.mark.parametrize(
    ("pairs", "command", "said"),
    [
        (False, ["good", "--label", "poss"], "did you mean 'pos'"),
        (False, ["good", "--out", "why.txt"], "ends in .html"),
        (False, [" \n"], "at least one word"),
        (False, ["good", "--second", "x"], "not pairs"),
        (True, ["good"], "--second once"),
        (False, ["good", "--out", "nowhere/why.html"], "can not be written"),
    ],
)
def test_bad_input_is_one_line(pairs: bool, command: list[str], said: str, cli: Cli, hand_made: Make) -> None:
    made = hand_made(pairs=pairs)
    code, out, err = cli("explain", "RUN", *command)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert (made.asked == ()) == ("nowhere" not in command[-1]), "told before the work, where it can be"
