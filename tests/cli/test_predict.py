"""``textdl predict``, as its users run it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from .classifiers import HandMade

Cli = Callable[..., tuple[int, str, str]]
Make = Callable[..., HandMade]
KEPT = Path(__file__).parent.parent / "kept" / "lm-format-1"


def typed(monkeypatch: pytest.MonkeyPatch, content: bytes, terminal: bool = False) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: terminal))


def test_texts(cli: Cli, hand_made: Make) -> None:
    hand_made()
    code, out, err = cli("predict", "RUN", "a good, lovely film", "awful", "two\tcells\nand lines")
    assert (code, err) == (0, "")
    assert out == "pos\t0.8808\ta good, lovely film\nneg\t0.7311\tawful\nneg\t0.5000\ttwo cells and lines\n"
    code, out, _ = cli("predict", "RUN", "good\x1b[31m\u2028\x85film")
    assert out == "pos\t0.7311\tgood␛[31m  film\n", "a line, and no order to the terminal"
    code, out, _ = cli("predict", "RUN", "good", "--probabilities")
    assert out == "pos\t0.7311\tneg=0.2689 pos=0.7311\tgood\n"


def test_json(cli: Cli, hand_made: Make) -> None:
    hand_made()
    code, out, err = cli("predict", "RUN", "good\tstuff סרט", "--json", "--probabilities")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "text": "good\tstuff סרט", "label": "pos", "probability": 0.731059,
        "probabilities": {"neg": 0.268941, "pos": 0.731059},
    }  # fmt: skip
    assert "סרט" in out
    assert "probabilities" not in json.loads(cli("predict", "RUN", "good", "--json")[1])


def test_several_labels_by_their_thresholds(cli: Cli, hand_made: Make) -> None:
    """neg from 0.8 on, pos from 0.5 on."""
    hand_made(several=True)
    _, out, _ = cli("predict", "RUN", "good", "bad", "bad dull")
    assert out == "pos\t0.7311\tgood\n-\t-\tbad\nneg\t0.8808\tbad dull\n"
    _, out, _ = cli("predict", "RUN", "bad", "good", "--json")
    first, other = map(json.loads, out.splitlines())
    assert first == {"text": "bad", "labels": [], "probability": []}
    assert other == {"text": "good", "labels": ["pos"], "probability": [0.731059]}


def test_a_file_of_lines_is_read_in_batches(cli: Cli, hand_made: Make, tmp_path: Path) -> None:
    """A line of output for each of input, empty ones too."""
    made = hand_made()
    (tmp_path / "new.txt").write_text("good\n\nbad\n" * 200)
    code, out, err = cli("predict", "RUN", "--file", tmp_path / "new.txt")
    assert (code, err) == (0, "")
    assert made.batches == [256, 256, 88]
    assert [line.split("\t")[0] for line in out.splitlines()] == ["pos", "neg", "neg"] * 200


def test_a_table(cli: Cli, hand_made: Make, tmp_path: Path) -> None:
    made = hand_made()
    (tmp_path / "new.csv").write_text('id,text,note\n1,"good, ""really""",x\n2,bad,good\n')
    _, out, _ = cli("predict", "RUN", "--file", tmp_path / "new.csv")
    assert out == 'pos\t0.7311\tgood, "really"\nneg\t0.7311\tbad\n'
    _, out, _ = cli("predict", "RUN", "--file", tmp_path / "new.csv", "--text-field", "note")
    assert [line.split("\t")[2] for line in out.splitlines()] == ["x", "good"]
    made.config["data"] = {"text_field": ["note"]}
    assert cli("predict", "RUN", "--file", tmp_path / "new.csv")[1] == out, "the field that it was trained on"
    made.config["data"] = {"text_field": ["sentence"]}
    assert "really" in cli("predict", "RUN", "--file", tmp_path / "new.csv")[1], "which this table lacks"


def test_standard_input(cli: Cli, hand_made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hand_made()
    typed(monkeypatch, "\ufeffgood סרט\r\n\nbad".encode())
    code, out, err = cli("predict", "RUN", "--file", "-")
    assert (code, err) == (0, "")
    assert out == "pos\t0.7311\tgood סרט\nneg\t0.5000\t\nneg\t0.7311\tbad\n"
    assert made.batches == [3]
    typed(monkeypatch, b"good\nbad\n", terminal=True)
    cli("predict", "RUN", "--file", "-")
    assert made.batches == [3, 1, 1], "who types is answered line by line"


def test_pairs(cli: Cli, hand_made: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = hand_made(pairs=True)
    assert cli("predict", "RUN", "good", "bad", "--second", "fine")[1] == (
        "pos\t0.8808\tgood\tfine\nneg\t0.5000\tbad\tfine\n"
    )
    assert "neg\t0.5000\tgood\tbad\n" in cli("predict", "RUN", "x", "good", "--second", "y", "--second", "bad")[1]
    typed(monkeypatch, b"good\tfine\n")
    assert cli("predict", "RUN", "--file", "-")[1] == "pos\t0.8808\tgood\tfine\n"
    (tmp_path / "p.tsv").write_text("text\tclaim\ngood\tlovely\n")
    _, out, _ = cli("predict", "RUN", "--file", tmp_path / "p.tsv", "--second-field", "claim", "--json")
    assert json.loads(out) == {"text": "good", "second": "lovely", "label": "pos", "probability": 0.880797}
    assert cli("predict", "RUN", "--file", tmp_path / "p.tsv", "--second", "bad")[1] == "neg\t0.5000\tgood\tbad\n"
    made.config["data"] = {"second_field": "claim"}
    assert cli("predict", "RUN", "--file", tmp_path / "p.tsv", "--json")[1] == out


@pytest.mark.parametrize(
    ("pairs", "command", "said"),
    [
        (False, [], "texts or --file"),
        (False, ["a", "--file", "b.txt"], "texts or --file"),
        (False, ["a", "--text-field", "x"], "of the table in --file"),
        (False, ["a", "--second", "b"], "not pairs"),
        (False, ["--file", "nowhere.txt"], "nowhere.txt"),
        (False, ["--file", "EMPTY.txt"], "EMPTY.txt is empty"),
        (False, ["--file", "LINES.txt", "--text-field", "x"], "has no fields"),
        (False, ["--file", "TABLE.csv", "--text-field", "txet"], "did you mean 'text'"),
        (True, ["a"], "give --second once"),
        (True, ["a", "b", "c", "--second", "x", "--second", "y"], "each of the 3 texts, got 2"),
        (True, ["--file", "LINES.txt"], "LINES.txt line 1 has no tab"),
        (True, ["--file", "TABLE.csv"], "it has id, text"),
        (True, ["--file", "TABLE.csv", "--second-field", "other"], "no field 'other'"),
        (True, ["--file", "TABLE.csv", "--second-field", "id", "--second", "x"], "say the same twice"),
        (True, ["--file", "TABLE.csv", "--second", "y", "--second", "x"], "one --second"),
    ],
)
def test_bad_input_is_one_line(
    pairs: bool,
    command: list[str],
    said: str,
    cli: Cli,
    hand_made: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("EMPTY.txt").write_text("")
    Path("LINES.txt").write_text("one\ntwo\n")
    Path("TABLE.csv").write_text("id,text\n1,good\n")
    hand_made(pairs=pairs)
    code, out, err = cli("predict", "RUN", *command)
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("textdl: ")
    assert len(err.splitlines()) == 1


def test_standard_input_that_is_no_text(cli: Cli, hand_made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_made()
    for content, said in ((b"good\n\xff\n", "line 2 is not UTF-8 (byte 0xff)"), (b"", "standard input is empty")):
        typed(monkeypatch, content)
        code, out, err = cli("predict", "RUN", "--file", "-")
        assert (code, out) == (2, "")
        assert said in err


@pytest.mark.parametrize("command", [["predict"], ["explain"]])
def test_a_run_of_another_task(command: list[str], cli: Cli) -> None:
    code, out, err = cli(*command, KEPT, "a text")
    assert (code, out) == (2, "")
    assert "is a lm model, which judges no texts; name a run of textdl train classify" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("command", ["predict", "explain", "evaluate"])
def test_help_has_an_example(command: str, cli: Cli) -> None:
    code, out, _ = cli(command, "--help")
    assert code == 0
    assert f"Example: textdl {command}" in out
