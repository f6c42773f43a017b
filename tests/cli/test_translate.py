"""`textdl train translate`, `textdl translate`, `textdl evaluate` of a translator."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import textdl

ROWS = [(f"{a} {b}", f"{b} {a}") for a in ("red", "blue", "green", "old") for b in ("cat", "dog", "owl", "cow", "hen")]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    table = folder / "pairs.tsv"
    table.write_text("".join(f"{source}\t{target}\n" for source, target in ROWS * 2), encoding="utf-8")
    settings = {"tokenizer": "words", "hidden": 16, "embedding": 8, "steps": 60, "lr": 0.02, "dropout": 0.0}
    textdl.train("translate", str(table), out=folder / "run", progress=False, test=0.3, **settings)
    return folder / "run"


def test_from_two_files(cli: Any, tmp_path: Path) -> None:
    for name, side in (("train.en", 0), ("train.xx", 1)):
        (tmp_path / name).write_text("".join(row[side] + "\n" for row in ROWS), encoding="utf-8")
    common = ["--out", tmp_path / "run", "--steps", "3", "--hidden", "8", "--embedding", "4", "--json", "-q"]
    code, out, err = cli(
        "train", "translate", "--source", tmp_path / "train.en", "--target", tmp_path / "train.xx", *common
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["steps"] == 3
    code, out, _ = cli("translate", tmp_path / "run", "red cat")
    assert (code, len(out.splitlines())) == (0, 1)
    code, out, err = cli("evaluate", tmp_path / "run", "--split", "train", "--json", "--beam", "1")
    assert (code, err) == (0, "")
    assert json.loads(out)["same_corpus"]
    # Other files, the other pairs beside them, and those of a table: none is taken for the files of the training.
    (tmp_path / "new.en").write_text("red cat\nblue dog\n", encoding="utf-8")
    (tmp_path / "new.xx").write_text("cat red\ndog blue\n", encoding="utf-8")
    (tmp_path / "table.txt").write_text("red cat\tcat red\n" * 3, encoding="utf-8")
    other = ["--source", tmp_path / "new.en", "--target", tmp_path / "new.xx"]
    for arguments, number in ((other, 2), ([".", *other], 2), ([tmp_path / "table.txt"], 3)):
        code, out, err = cli("evaluate", tmp_path / "run", *arguments, "--json", "--beam", "1")
        assert (code, err) == (0, "")
        figures = json.loads(out)
        assert (figures["pairs"], figures["split"], figures["same_corpus"]) == (number, "all", False)


def test_files_that_are_not_there(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "train.en").write_text("a\n", encoding="utf-8")
    for name, told in (
        ("trian.en", "; did you mean 'train.en'?\n"),
        ("nowhere/x", "; name the file, or the corpus that it is a side of\n"),
        ("a" * 500, "; name the file, or the corpus that it is a side of\n"),
    ):
        path = tmp_path / name
        code, out, err = cli("train", "translate", "--source", path, "--target", "b.xx", "--out", tmp_path / "run")
        assert (code, out, err) == (2, "", f"textdl: --source: there is no file '{path}'{told}")


def test_a_rate_is_found_for_two_files(cli: Any, tmp_path: Path) -> None:
    for name, side in (("train.en", 0), ("train.xx", 1)):
        (tmp_path / name).write_text("".join(row[side] + "\n" for row in ROWS), encoding="utf-8")
    files = ["--source", tmp_path / "train.en", "--target", tmp_path / "train.xx"]
    small = ["--hidden", "8", "--embedding", "4", "--rates", "20", "--json", "-q"]
    code, out, _ = cli("lr-find", "translate", *files, *small)
    assert code == 0
    assert json.loads(out)
    code, _, err = cli("lr-find", "translate", *small)
    assert code == 2
    assert "name a corpus, or --source FILE and --target FILE" in err


def test_neither_corpus_nor_files(cli: Any, tmp_path: Path) -> None:
    code, out, err = cli("train", "translate", "--out", tmp_path / "run", "--source", "a.en")
    assert (code, out) == (2, "")
    assert err == (
        "textdl: name a corpus, or --source FILE and --target FILE; textdl corpora lists those that are built in\n"
    )
    assert not (tmp_path / "run").exists()


def test_arguments_a_file_and_standard_input_say_the_same(
    cli: Any, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["red cat", "", "old hen"]
    code, out, err = cli("translate", run, *texts)
    assert (code, err, len(out.split("\n"))) == (0, "", 4)
    file = tmp_path / "new.txt"
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    assert cli("translate", run, "--file", file) == (0, out, "")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert cli("translate", run, "--file", "-") == (0, out, "")
    file.write_bytes("red cat\r\nold\rhen\x0ccow\r\r\n\u2028red hen".encode())  # only \n ends a line
    code, out, _ = cli("translate", run, "--file", file)
    assert (code, out.count("\n")) == (0, 3)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert cli("translate", run, "--file", "-")[:2] == (0, out)


def test_several_with_scores_and_as_json(cli: Any, run: Path) -> None:
    code, out, _ = cli("translate", run, "red cat", "--n-best", "3", "--beam", "4")
    lines = [line.split("\t") for line in out.splitlines()]
    assert (code, len(lines)) == (0, 3)
    scores = [float(score) for score, _ in lines]
    assert scores == sorted(scores, reverse=True)
    code, out, _ = cli("translate", run, "red cat", "old hen", "--n-best", "2", "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["source"] for record in records] == ["red cat", "old hen"]
    assert records[0]["translations"][0]["text"] == lines[0][1]
    assert records[0]["translations"][0]["score"] == pytest.approx(scores[0], abs=1e-4)


def test_what_is_drawn_does_not_go_by_how_many_are_worked_on_at_once(
    cli: Any, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "new.txt"
    file.write_text("red cat\n\n" * 6, encoding="utf-8")
    asked = ("translate", run, "--file", file, "--sample", "--temperature", "5")
    code, out, _ = cli(*asked)
    assert (code, len(set(out.splitlines())) > 2) == (0, True)
    monkeypatch.setattr("textdl_cli.translate.BATCH", 3)
    assert cli(*asked)[:2] == (0, out)


@pytest.mark.parametrize("name", ["why.html", "why.png", "why.svg"])
def test_attention_is_drawn(cli: Any, run: Path, tmp_path: Path, name: str) -> None:
    code, out, err = cli("translate", run, "red <cat>", "--attention", tmp_path / name)
    assert (code, err) == (0, f"attention drawn in {tmp_path / name}\n")
    content = (tmp_path / name).read_bytes()
    if name.endswith("html"):
        page = content.decode()
        assert "&lt;" in page
        assert "<cat>" not in page
        assert page.count('scope="row"') == len(out.split())
    else:
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


@pytest.mark.parametrize(
    "arguments, told",
    [
        ((), "takes texts or --file FILE, one of the two"),
        (("a", "--file", "b"), "takes texts or --file FILE, one of the two"),
        (("--file", "nowhere.txt"), "nowhere.txt"),
        (("a", "b", "--attention", "x.png"), "--attention draws one text"),
        (("a", "--attention", "x.gif"), "attention is drawn as .html, .png, .svg, .pdf, got 'x.gif'"),
        (("a", "--beam", "2", "--n-best", "3"), "n_best can be at most the beam, 2, got 3"),
        (("a", "--beam", "0"), "beam must be at least 1, got 0"),
        (("a", "--attention", "x.png", "--file", "b"), "takes texts or --file FILE"),
    ],
)
def test_bad_input_is_one_line(cli: Any, run: Path, arguments: tuple[str, ...], told: str) -> None:
    code, out, err = cli("translate", run, *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_other_runs_and_other_options_are_refused(cli: Any, run: Path) -> None:
    kept = Path(__file__).parents[1] / "kept" / "lm-format-1"
    code, _, err = cli("translate", kept, "a")
    assert (code, err) == (
        2,
        f"textdl: {kept} is a lm model, which translates nothing; name a run of textdl train translate\n",
    )
    code, _, err = cli("predict", run, "a")
    assert code == 2
    assert "translate model, which judges no texts" in err
    code, _, err = cli("evaluate", run, "--errors", "3")
    assert code == 2
    assert "for which --errors says nothing" in err


def test_evaluate_shows_figures_and_examples(cli: Any, run: Path) -> None:
    code, out, err = cli("evaluate", run, "--examples", "2")
    assert (code, err) == (0, "")
    assert "bleu signature       nrefs:1|case:mixed" in out
    assert out.count("source  ") == out.count("said    ") == 2
    code, out, _ = cli("evaluate", run, "--json", "--examples", "1")
    figures = json.loads(out)
    assert {"bleu", "chrf", "exact_match", "perplexity", "bleu_signature"} <= set(figures)


@pytest.mark.parametrize(
    "rows, told",
    [
        ("", "empty"),
        ("a b\n", "pairs.tsv:1 has no tab"),
        ("red\t\n\tblue\n", "empty"),
    ],
)
def test_a_table_that_holds_no_pairs(cli: Any, tmp_path: Path, rows: str, told: str) -> None:
    (tmp_path / "pairs.tsv").write_text(rows, encoding="utf-8")
    code, out, err = cli("train", "translate", tmp_path / "pairs.tsv", "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "run").exists()
