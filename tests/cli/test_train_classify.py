"""``textdl train classify`` as its users run it: each model's own flags, and whatever they may give it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from textdl import artifact
from textdl.config import knobs
from textdl.models.classifier import ENCODERS, chosen_config

Cli = Callable[..., tuple[int, str, str]]
QUICK = [
    "--device",
    "cpu",
    "--set",
    "threads=1",
    "--steps",
    6,
    "--hidden",
    4,
    "--embedding",
    3,
    "--min-count",
    1,
    "--quiet",
]
ROWS = [
    (f"{word} {thing} {n}", label)
    for n in range(6)
    for thing in ("film", "meal")
    for word, label in (("good", "pos"), ("bad", "neg"))
]


def table(folder: Path, rows: list[tuple[str, str]] = ROWS, name: str = "table.jsonl", label: str = "label") -> Path:
    path = folder / name
    path.write_text(
        "".join(json.dumps({"text": text, label: own, "id": 1}) + "\n" for text, own in rows), encoding="utf-8"
    )
    return path


def refused(cli: Cli, folder: Path, *arguments: object) -> str:
    """What is said, in one line; nothing is left behind."""
    code, out, err = cli("train", "classify", *arguments, "--out", folder / "refused", *QUICK)
    assert (code, out) == (2, "")
    assert err.startswith("textdl: ")
    assert err.count("\n") == 1, err
    assert not (folder / "refused").exists()
    return err.removeprefix("textdl: ").strip()


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_help_of_each_model_shows_its_own_flags(kind: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    for given in (["--model", kind], [f"--model={kind}"], ["--model", "bag", "--model", kind]):
        code, out, err = cli("train", "classify", *given, "--help")
        assert (code, err) == (0, "")
        shown = set(re.findall(r"--[a-z][a-z0-9-]*", out))
        own = {
            f"--{name.replace('_', '-')}"
            for name, (knob, _, _) in knobs(chosen_config({"kind": kind})).items()
            if knob.flag
        }
        assert own <= shown
        for other in ENCODERS:
            for name, (knob, _, _) in knobs(chosen_config({"kind": other})).items():
                flag = f"--{name.replace('_', '-')}"
                assert not knob.flag or flag in own or flag not in shown, (kind, flag)
        assert f"here: {kind})" in re.sub(r"[│\s]+", " ", out)


def test_a_model_trains_with_its_flags_and_sets(cli: Cli, tmp_path: Path) -> None:
    path, out = table(tmp_path), tmp_path / "run"
    given = [
        path,
        "--out",
        out,
        "--model",
        "cnn",
        "--filters",
        5,
        "--set",
        "widths=1,2",
        "--set",
        "model.vectors_use=both",
    ]
    code, _, err = cli("train", "classify", *given, "--steps", 4, "--device", "cpu", "--embedding", 4, "--quiet")
    assert (code, err) == (0, "")
    model = artifact.read_config(out)["model"]
    assert (model["kind"], model["filters"], model["widths"], model["embedding"]) == ("cnn", 5, ["1", "2"], 4)
    code, shown, err = cli("predict", out, "good film", "bad meal", "--json")
    assert (code, err) == (0, "")
    assert cli("info", out)[0] == 0
    config = tmp_path / "config.json"
    config.write_text((out / artifact.CONFIG).read_text())
    code, _, err = cli(
        "train", "classify", path, "--out", tmp_path / "again", "--config", config, "--filters", 6, "--quiet"
    )
    assert (code, err) == (0, "")
    assert artifact.read_config(tmp_path / "again")["model"]["filters"] == 6
    assert shown


def test_resuming_with_another_model_is_refused(cli: Cli, tmp_path: Path) -> None:
    path, out = table(tmp_path), tmp_path / "run"
    assert cli("train", "classify", path, "--out", out, "--model", "gru", *QUICK)[0] == 0
    before = (out / artifact.MODEL).read_bytes()
    for other in ("bag", "lstm", "cnn"):  # a kind of the same class of settings is another one too
        code, shown, err = cli("train", "classify", path, "--out", out, "--model", other, "--resume", "--quiet")
        assert (code, shown) == (2, "")
        said = f"textdl: {out} was trained with --model gru, not {other}; "
        assert err == f"{said}to resume leave that setting out, or give another --out\n"
    code, _, err = cli("train", "classify", path, "--out", out, "--resume", "--hidden", 5, "--quiet")
    assert (code, err.count("\n")) == (2, 1)
    assert "model.hidden 4, not 5" in err
    for given in ([], ["--model", "gru"], ["--hidden", 4]):
        assert cli("train", "classify", path, "--out", out, "--resume", "--quiet", *given) == (0, "", "")
    assert (out / artifact.MODEL).read_bytes() == before


@pytest.mark.parametrize(
    "name, near", [("lsmt", "'lstm' or 'lm'"), ("cnn_rnn", "'cnn-rnn' or 'rnn'"), ("bgg", "'bag'")]
)
def test_an_unknown_model_brings_up_near_names(name: str, near: str, cli: Cli, tmp_path: Path) -> None:
    for more in (["--help"], [table(tmp_path), "--out", tmp_path / "run"]):
        code, out, err = cli("train", "classify", "--model", name, *more)
        assert (code, out) == (2, "")
        assert err == f"textdl: model has no choice '{name}'; did you mean {near}?\n"
    code, _, err = cli("train", "classify", table(tmp_path), "--out", tmp_path / "run", "--set", f"kind={name}")
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = cli("train", "classify", table(tmp_path), "--out", tmp_path / "run", "--model")
    assert code == 2
    assert "Traceback" not in err


def test_flags_of_another_model_are_refused(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli(
        "train", "classify", table(tmp_path), "--out", tmp_path / "run", "--model", "bag", "--pooling", "max"
    )
    assert code == 2
    assert "--pooling" in err
    assert "Traceback" not in err


def test_one_class_only(cli: Cli, tmp_path: Path) -> None:
    said = refused(cli, tmp_path, table(tmp_path, [("good film", "pos"), ("bad film", "pos")]))
    assert "has one class only, 'pos'; a classifier needs two" in said


def test_a_class_that_only_held_out_texts_have(cli: Cli, tmp_path: Path) -> None:
    """Two classes in all, but one in training: the split takes the only text of the other."""
    (tmp_path / "parts").mkdir()
    table(tmp_path / "parts", [("good", "pos")] * 4, "train.jsonl")
    table(tmp_path / "parts", [("bad", "neg")] * 4, "validation.jsonl")
    assert "has one class only, 'pos'" in refused(cli, tmp_path, tmp_path / "parts")


def test_empty_texts_are_texts(cli: Cli, tmp_path: Path) -> None:
    rows = [*ROWS, *[("", "pos"), ("   ", "neg"), ("\n", "pos")] * 5]
    for model in ("lstm", "bag", "cnn", "cnn-rnn"):
        out = tmp_path / model
        hidden = QUICK if model != "cnn" else [part for part in QUICK if part not in ("--hidden", 4)]
        code, _, err = cli("train", "classify", table(tmp_path, rows), "--out", out, "--model", model, *hidden)
        assert (code, err) == (0, "")
        code, shown, err = cli("predict", out, "", " ", "good film")
        assert (code, err) == (0, "")
        assert len(shown.splitlines()) == 3
        assert cli("explain", out, "")[2].count("\n") == 1
    said = refused(cli, tmp_path, table(tmp_path, [("", "pos"), (" ", "neg")] * 5))
    assert "text" in said


def test_a_wrong_column_lists_the_columns_there_are(cli: Cli, tmp_path: Path) -> None:
    path = table(tmp_path, label="mood")
    for field in ("sentiment", "modo", "labels"):
        said = refused(cli, tmp_path, path, "--label-field", field)
        assert f"has no field {field!r}" in said
        assert "mood" in said
    said = refused(cli, tmp_path, path)
    assert "text, mood, id" in said
    assert "--label-field" in said
    assert "has no field 'other'" in refused(cli, tmp_path, path, "--label-field", "mood", "--second-field", "other")


def test_wrong_vectors(cli: Cli, tmp_path: Path) -> None:
    path = table(tmp_path)
    assert "nowhere.vec" in refused(cli, tmp_path, path, "--vectors", tmp_path / "nowhere.vec")
    assert "vectors" in refused(cli, tmp_path, path, "--vectors", path)
    (tmp_path / "empty.txt").write_text("")
    assert "empty.txt" in refused(cli, tmp_path, path, "--vectors", tmp_path / "empty.txt")
    (tmp_path / "v.txt").write_text("2 3\ngood 1 2 3\nbad 3 2 1\n")
    said = refused(cli, tmp_path, path, "--vectors", tmp_path / "v.txt", "--tokenizer", "bpe")
    assert said == "--vectors are of words, and the tokens are bpe; leave --tokenizer out"
    assert "vectors_use" in refused(cli, tmp_path, path, "--set", "vectors_use=keep")


def test_the_encoder_of_another_task(cli: Cli, tmp_path: Path) -> None:
    path, out = table(tmp_path), tmp_path / "bag"
    assert cli("train", "classify", path, "--out", out, "--model", "bag", *QUICK)[0] == 0
    hidden = ["--model", "lm", "--encoder"]
    given = [part for part in QUICK if part not in ("--embedding", 3)]
    for encoder, words in (
        (out, "is a run of task classify, not of a language model"),
        (tmp_path / "none", "none"),
        (path, "table"),
    ):
        code, shown, err = cli("train", "classify", path, "--out", tmp_path / "run", *hidden, encoder, *given)
        assert (code, shown, err.count("\n")) == (2, "", 1), err
        assert words in err
        assert not (tmp_path / "run").exists()
    code, _, err = cli("train", "classify", path, "--out", tmp_path / "run", "--model", "lm", *given)
    assert (code, err.count("\n")) == (2, 1)
    assert "--encoder RUN" in err


LONG = "good " * 50_000 + 'so it "was" ' + "meal " * 49_997


def test_a_text_of_a_hundred_thousand_words(cli: Cli, tmp_path: Path) -> None:
    rows: list[Any] = [*ROWS, (LONG, "pos"), (LONG.replace("good", "bad"), "neg")]
    out = tmp_path / "run"
    for more in (["--longest", 50], ["--longest", 2000, "--model", "bag"]):
        code, _, err = cli("train", "classify", table(tmp_path, rows), "--out", out, *QUICK, *more)
        assert (code, err) == (0, "")
        (tmp_path / "long.txt").write_text(LONG + "\ngood film\n")
        code, shown, err = cli("predict", out, "--file", tmp_path / "long.txt")
        assert (code, err) == (0, "")
        assert len(shown.splitlines()) == 2
        code, shown, err = cli("explain", out, LONG)
        assert (code, err) == (0, "")
        assert shown.count("meal") > 5
        out = tmp_path / "bag"


ODD = [
    "😀👍🏽 👨‍👩‍👧",
    "הסרט היה טוב מאוד",
    "الفيلم جيّد جداً",
    "漢字の映画",
    "e\u0301te\u0301 İstanbul",
    "\u202eevil\u202c",
    "a\x00b",
    "<b>&amp;</b>",
]


@pytest.mark.parametrize("tokenizer", ["words", "subwords", "bpe", "characters", "bytes"])
def test_emoji_and_text_from_right_to_left(tokenizer: str, cli: Cli, tmp_path: Path) -> None:
    rows = [(text, label) for text in ODD for label in ("😀", "שלילי") for _ in range(2)]
    out = tmp_path / "run"
    code, _, err = cli("train", "classify", table(tmp_path, rows), "--out", out, "--tokenizer", tokenizer, *QUICK)
    assert (code, err) == (0, "")
    code, shown, err = cli("predict", out, *ODD, "--json")
    assert (code, err) == (0, "")
    assert "😀" in shown or "שלילי" in shown or "\\u" in shown
    for text in ODD:
        code, shown, err = cli("explain", out, text)
        assert (code, err) == (0, "")


def test_second_texts_and_several_labels(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("text,other,label\n" + "".join(f"a {a},the {b},{a == b}\n" for a in "xyz" for b in "xyz") * 3)
    out = tmp_path / "pairs"
    given = ["--second-field", "other", *QUICK]
    code, _, err = cli("train", "classify", path, "--out", out, *given)
    assert (code, err) == (0, "")
    assert cli("predict", out, "a x", "--second", "the x")[0] == 0
    assert cli("predict", out, "a x")[0] == 2
    said = refused(cli, tmp_path, path, "--second-field", "other", "--wide", 2)
    assert said == "wide weights are not for pairs of texts; leave --wide out"
    path = tmp_path / "tags.csv"
    path.write_text("text,label\n" + 'x y,"a,b"\nx,a\ny,b\nnone,\n' * 8)
    code, _, err = cli(
        "train", "classify", path, "--out", tmp_path / "tags", "--several-labels", "--set", "label_separator=,", *QUICK
    )
    assert (code, err) == (0, "")
    assert artifact.read_config(tmp_path / "tags")["corpus"]["labels"] == ["a", "b"]
    assert "wide_rows must be a power of two" in refused(cli, tmp_path, path, "--wide", 1, "--set", "wide_rows=1000")
