"""The commands for word vectors, as their users run them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textdl_cli.nearest import terms

from textdl.errors import ConfigError
from textdl.vectors.word_vectors import WordVectors

Cli = Callable[..., tuple[int, str, str]]

#: Worked by hand: man - woman is (0, 2), and so is king - queen.
WORDS = {
    "man": (1, 1, 0), "woman": (1, -1, 0), "king": (1, 1, 2), "queen": (1, -1, 2), "apple": (-1, 0, -1),
    "pear": (-1, 0.1, -1),
}  # fmt: skip


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """A file of six words."""
    path = tmp_path / "six.txt"
    WordVectors(list(WORDS), np.array(list(WORDS.values()), np.float32)).save(path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the built-in news."""
    import textdl

    out = tmp_path_factory.mktemp("runs") / "news"
    settings = {"dim": 16, "least_count": 5, "epochs": 2, "threads": 1, "device": "cpu"}
    textdl.train("vectors", "news", out=out, progress=False, **settings)
    return out


def test_train_tells_what_to_do_next(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code, shown, err = cli("train", "vectors", "news", "--out", out, "--dim", 8, "--epochs", 2, "--threads", 1)
    assert (code, shown) == (0, "")
    assert "word vectors by skipgram, 8 dimensions, on news" in err
    command = err.strip().splitlines()[-1].split("next: textdl ")[1].split()
    code, shown, err = cli(*command)
    assert (code, err) == (0, "")
    assert len(shown.splitlines()) == 11


@pytest.mark.parametrize("method", ["skipgram", "cbow", "glove", "cooccurrence"])
def test_train_by_every_method(method: str, cli: Cli, tmp_path: Path) -> None:
    settings = ["--method", method, "--dim", 8, "--window", 3, "--least-count", 20, "--epochs", 1, "--threads", 1]
    code, shown, err = cli("train", "vectors", "news", "--out", tmp_path / "run", *settings, "--json", "-q")
    assert (code, err) == (0, "")
    report = json.loads(shown)
    assert report["ended"] == "finished"
    assert 200 < report["figures"]["vocabulary"] < 1000
    assert cli("info", tmp_path / "run")[0] == 0


def test_nearest(cli: Cli, vectors: Path) -> None:
    code, out, err = cli("nearest", vectors, "apple", "king - man + woman", "--count", 2)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("  ")][::2] == ["pear", "queen"]
    assert lines[0] == "apple"
    assert lines[4] == "king - man + woman"
    code, out, err = cli("nearest", vectors, "king - queen", "--most", 2)
    assert [line.split()[-1] for line in out.splitlines()[1:]] == ["man", "woman"]
    code, out, err = cli("nearest", vectors, "pear", "--count", 1, "--json")
    found = json.loads(out)
    assert found["query"] == "pear"
    assert found["found"][0]["word"] == "apple"
    assert found["found"][0]["score"] == pytest.approx(2 / np.sqrt(2) / np.sqrt(2.01), abs=1e-5)


@pytest.mark.parametrize(
    ("query", "plus", "minus"),
    [
        ("king", ["king"], []),
        ("king - man + woman", ["king", "woman"], ["man"]),
        ("- man + king", ["king"], ["man"]),
        ("well-known + c++", ["well-known", "c++"], []),
    ],
)
def test_sums_of_words(query: str, plus: list[str], minus: list[str]) -> None:
    assert terms(query) == (plus, minus)


@pytest.mark.parametrize("query", ["", "  ", "king man", "king -", "+", "king - - man", "- man"])
def test_what_is_no_sum(query: str) -> None:
    with pytest.raises(ConfigError, match="sum like"):
        terms(query)


def test_a_word_that_is_a_sign_or_holds_a_space_is_a_word(cli: Cli, tmp_path: Path) -> None:
    words = ["+", "new york", "rome"]
    WordVectors(words, np.eye(3)).save(tmp_path / "v.safetensors")
    code, out, err = cli("nearest", tmp_path / "v.safetensors", *words[:2], "--count", 1)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line and not line.startswith(" ")] == words[:2]


@pytest.mark.parametrize("method", ["add", "mul"])
def test_analogy(method: str, cli: Cli, vectors: Path) -> None:
    code, out, err = cli("analogy", vectors, "man", "king", "woman", "--count", 1, "--method", method)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "man : king = woman : ?"
    assert out.splitlines()[1].split()[1] == "queen"


def test_evaluate(cli: Cli, vectors: Path, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text(": royal\nman king woman queen\nman king woman girl\n")
    (tmp_path / "s.tsv").write_text("apple\tpear\t9\nman\twoman\t5\nking\tapple\t1\n")
    code, out, err = cli("evaluate", vectors, "--analogies", tmp_path / "q.txt", "--similarity", tmp_path / "s.tsv")
    assert (code, err) == (0, "")
    assert "100.0%" in out
    assert "50.0%" in out, "a question with an unknown word counts as wrong in the second figure"
    assert "Spearman 1.0000" in out
    code, out, err = cli("evaluate", vectors, "--analogies", tmp_path / "q.txt", "--json")
    assert json.loads(out)["analogies"]["accuracy"] == 1.0


def test_evaluate_by_the_questions_that_come_with_gensim(cli: Cli, run: Path) -> None:
    code, out, err = cli("evaluate", run, "--json")
    assert (code, err) == (0, "")
    figures = json.loads(out)
    assert figures["analogies"]["questions"] == 19544
    assert figures["analogies"]["unknown_share"] > 0.9, "the news are few"
    assert figures["similarity"]["wordsim353"]["pairs"] == 353
    code, out, err = cli("evaluate", run, "--similarity", "simlex999", "--json")
    assert json.loads(out)["similarity"]["simlex999"]["pairs"] == 999


def test_plot(cli: Cli, run: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("israel palestinian\n\npolice man woman\nman zzz zzz\n")
    code, out, err = cli("plot", run, "--words", words, "--out", tmp_path / "map.svg")
    assert (code, out) == (0, "")
    assert "note: 1 words of" in err
    assert "zzz" in err
    assert "5 words drawn" in err
    drawn = (tmp_path / "map.svg").read_text()
    assert "<svg" in drawn
    assert cli("plot", run, "--out", tmp_path / "map.png", "--count", 30, "--projection", "tsne")[0] == 0
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_plot_of_nothing_but_stop_words(cli: Cli, tmp_path: Path) -> None:
    WordVectors(["the", "of"], np.eye(2)).save(tmp_path / "v.txt")
    code, out, err = cli("plot", tmp_path / "v.txt", "--out", tmp_path / "a.png")
    assert (code, out) == (2, "")
    assert "all 2 words of" in err
    assert "--words FILE" in err


def test_convert_there_and_back(cli: Cli, run: Path, tmp_path: Path) -> None:
    from textdl.vectors.opening import open_vectors

    before, last = open_vectors(run), run
    for name in ("a.txt", "b.bin", "c.glove", "d.vec.gz", "e.safetensors"):
        code, out, err = cli("convert", last, tmp_path / name)
        assert (code, out) == (0, ""), err
        last = tmp_path / name
        assert open_vectors(last).words == before.words
        assert np.array_equal(open_vectors(last).matrix, before.matrix)
    code, _, err = cli("convert", run, tmp_path / "a.txt")
    assert code == 2
    assert "--force" in err
    assert cli("convert", run, tmp_path / "a.txt", "--force", "--most", 7)[0] == 0
    assert open_vectors(tmp_path / "a.txt").words == before.words[:7]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["nearest", "nowhere", "a"], "there are no word vectors at"),
        (["nearest", "RUN", "isreal"], "did you mean 'israel'"),
        (["analogy", "RUN", "man", "zzzzz", "woman"], "'zzzzz' is not among"),
        (["analogy", "RUN", "man", "he", "woman", "--method", "sum"], "sum"),
        (["plot", "RUN", "--out", "map.gif"], ".png"),
        (["plot", "RUN", "--out", "map.png", "--words", "nowhere.txt"], "nowhere.txt"),
        (["plot", "RUN", "--out", "map.png", "--projection", "pac"], "pca"),
        (["plot", "RUN", "--out", "map.png", "--count", "2001"], "--count must be at most 2,000"),
        (["convert", "RUN", "out.xyz"], "xyz"),
        (["convert", "RUN", "out.bin", "--from", "glov"], "--from is the format of a file, got glov"),
        (["convert", "RUN", "out.bin", "--from", "glove"], "leave it out"),
        (["evaluate", "RUN", "news"], "measured by questions"),
        (["evaluate", "RUN", "--analogies", "nowhere.txt"], "nowhere.txt"),
        (["generate", "RUN"], "writes no text"),
        (["lr-find", "vectors", "news", "--device", "cpu"], "without a trainer"),
        (["train", "vectors", "news", "--out", "OUT", "--least-count", "100000"], "100000"),
        (["train", "vectors", "news", "--out", "OUT", "--method", "glov"], "glove"),
        (["train", "vectors", "news", "--out", "OUT", "--steps", "5"], "--engine torch"),
        (["train", "vectors", "nothing.txt", "--out", "OUT"], "nothing.txt"),
    ],
)
def test_bad_input_is_one_line(command: list[str], said: str, cli: Cli, run: Path, tmp_path: Path) -> None:
    places = {"RUN": str(run), "OUT": str(tmp_path / "out")}
    code, out, err = cli(*[places.get(word, word) for word in command])
    assert (code, out) == (2, "")
    assert said in err
    *progress, last = err.strip().splitlines()
    assert last.startswith("textdl: ")
    assert not progress or command[0] == "train"
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("header.txt", "3 2\na 1 2\nb 1 2\n", "3"),
        ("short.txt", "2 3\na 1 2 3\nb 1 2\n", "line 3"),
        ("nan.txt", "2 2\na 1 nan\nb 1 2\n", "line 2"),
        ("twice.txt", "2 2\na 1 2\na 3 4\n", "'a'"),
        ("empty.txt", "", "empty"),
        ("utf8.txt", b"2 2\na 1 2\n\xff\xfe 1 2\n", "UTF-8"),
    ],
)
def test_bad_files_of_vectors_are_one_line(name: str, content: Any, said: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = cli("nearest", tmp_path / name, "a")
    assert (code, out) == (2, "")
    assert said in err
    assert name in err
    assert len(err.strip().splitlines()) == 1


LONG = "a" * 300


@pytest.mark.parametrize(
    "command",
    [
        ["nearest", LONG, "x"],
        ["analogy", LONG, "a", "b", "c"],
        ["convert", LONG, "out.bin"],
        ["convert", "RUN", f"{LONG}.bin"],
        ["evaluate", "RUN", "--analogies", LONG],
        ["evaluate", LONG],
        ["plot", LONG, "--out", "map.png"],
        ["plot", "RUN", "--out", f"{LONG}.png"],
        ["info", LONG],
        ["generate", LONG],
        ["train", "vectors", "news", "--out", LONG],
        ["train", "vectors", LONG, "--out", "OUT"],
    ],
)
def test_a_name_that_is_too_long_is_one_line(command: list[str], cli: Cli, run: Path, tmp_path: Path) -> None:
    places = {"RUN": str(run), "OUT": str(tmp_path / "out")}
    code, out, err = cli(*[places.get(word, word) for word in command])
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("textdl: ")
    assert "aaaaaaaa" in err
    assert "; " in err, "a remedy"
    assert "too long" in err or "there is no corpus" in err


def test_a_failing_disk_is_one_line_and_our_own_mistakes_are_not(
    cli: Cli, vectors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: WordVectors, *_: object) -> None:
        raise OSError(5, "Input/output error", "some file")

    def mistaken(self: WordVectors, *_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(WordVectors, "nearest", fails)
    assert cli("nearest", vectors, "king") == (
        2, "", "textdl: some file: Input/output error; give another file or folder\n"
    )  # fmt: skip
    monkeypatch.setattr(WordVectors, "nearest", mistaken)
    with pytest.raises(ZeroDivisionError):
        cli("nearest", vectors, "king")


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_unknown_word_is_told_before_any_answer(as_json: list[str], cli: Cli, vectors: Path) -> None:
    code, out, err = cli("nearest", vectors, "apple", "king - man", "zzz", *as_json)
    assert (code, out) == (2, "")
    assert "'zzz'" in err
