"""``textdl tag``, as its users run it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from textdl_cli.tag_tables import show_tags, tags_json

Cli = Callable[..., tuple[int, str, str]]
KEPT = Path(__file__).parent.parent / "kept" / "lm-format-1"


class HandMade:
    """A tagger that is worked by hand: a word that begins with a capital is of a name."""

    tags = ("B-NAME", "I-NAME", "O")
    spans = True

    def __init__(self) -> None:
        self.config = {"task": "tag"}
        self.batches: list[int] = []

    def tag(self, texts: Sequence[str | Sequence[str]], probabilities: bool = False) -> list[Any]:
        from textdl.tasks.tagger_run import Tagged

        self.batches.append(len(texts))
        found = []
        for number, text in enumerate(texts):
            for sentence in text.split(". ") if isinstance(text, str) else [" ".join(text)]:
                words, tags = tuple(sentence.split()), []
                for word in words:
                    goes_on = bool(tags) and tags[-1] != "O"
                    tags.append("O" if not word[0].isupper() else "I-NAME" if goes_on else "B-NAME")
                rows = np.full((len(words), 3), 0.125, np.float32)
                for row, tag in zip(rows, tags, strict=True):
                    row[self.tags.index(tag)] = 0.75
                found.append(Tagged(words, tuple(tags), rows if probabilities else None, number))
        return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> HandMade:
    from textdl.tasks import base

    made, load = HandMade(), base.load
    monkeypatch.setattr(base, "load", lambda path, *more: made if Path(path).name == "RUN" else load(path, *more))
    return made


def test_texts(cli: Cli, run: HandMade) -> None:
    code, out, err = cli("tag", "RUN", "she met Ann Lee. in May", "\x1b[31m😀", "")
    assert (code, err) == (0, "")
    assert out == "she/O met/O Ann/B-NAME Lee/I-NAME\nin/O May/B-NAME\n␛[31m😀/O\n\n"
    assert cli("tag", "RUN", "she met Ann", "--probabilities")[1] == "she/O=0.7500 met/O=0.7500 Ann/B-NAME=0.7500\n"


def test_conll(cli: Cli, run: HandMade) -> None:
    assert cli("tag", "RUN", "by Ann Lee. yes", "", "no", "--conll")[1] == (
        "by\tO\nAnn\tB-NAME\nLee\tI-NAME\n\nyes\tO\n\nno\tO\n\n"
    )
    assert cli("tag", "RUN", "by Ann", "--conll", "--probabilities")[1] == "by\tO\t0.7500\nAnn\tB-NAME\t0.7500\n\n"


def test_json(cli: Cli, run: HandMade) -> None:
    code, out, _ = cli("tag", "RUN", "by Ann Lee. סרט", "no", "--json", "--probabilities")
    assert code == 0
    assert "סרט" in out
    first, second, third = map(json.loads, out.splitlines())
    assert first["tokens"] == ["by", "Ann", "Lee"]
    assert first["tags"] == ["O", "B-NAME", "I-NAME"]
    assert first["spans"] == [{"label": "NAME", "start": 1, "end": 3, "text": "Ann Lee"}]
    assert first["probabilities"][1] == {"B-NAME": 0.75, "I-NAME": 0.125, "O": 0.125}
    assert [some["text"] for some in (first, second, third)] == [0, 0, 1]
    assert "probabilities" not in json.loads(cli("tag", "RUN", "no", "--json")[1])


def test_in_colour(cli: Cli, run: HandMade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = cli("tag", "RUN", "by Ann Lee")[1]
    assert out.startswith("by \x1b[")
    assert "Ann Lee\x1b[0m" in out
    assert "/O" not in out
    assert "\x1b" not in cli("tag", "RUN", "by Ann Lee", "--conll")[1]


def test_a_file_is_read_in_batches(cli: Cli, run: HandMade, tmp_path: Path) -> None:
    """Texts are numbered over all batches."""
    (tmp_path / "new.txt").write_text("by Ann\n\nno. yes\n" * 200)
    _, out, _ = cli("tag", "RUN", "--file", tmp_path / "new.txt", "--json")
    assert run.batches == [256, 256, 88]
    numbers = [json.loads(line)["text"] for line in out.splitlines()]
    assert numbers == [number for at in range(200) for number in (3 * at, 3 * at + 1, 3 * at + 2, 3 * at + 2)]


def test_standard_input_and_tokenized(cli: Cli, run: HandMade, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = SimpleNamespace(buffer=io.BytesIO(b"by Ann. Lee\n"), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", typed)
    assert cli("tag", "RUN", "--file", "-", "--tokenized")[1] == "by/O Ann./B-NAME Lee/I-NAME\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b""), isatty=lambda: False))
    code, _, err = cli("tag", "RUN", "--file", "-")
    assert (code, err.count("\n")) == (2, 1)
    assert "standard input is empty" in err


def test_page(cli: Cli, run: HandMade, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, out, err = cli("tag", "RUN", "by Ann Lee. yes", "", "--html", page)
    assert (code, out) == (0, "")
    assert err == f"2 sentences; see {page}\n"
    assert "Ann Lee" in page.read_text(encoding="utf-8")
    assert cli("tag", "RUN", "by Ann", "--html", page, "--conll")[1] == "by\tO\nAnn\tB-NAME\n\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["RUN"], "tag takes texts or --file FILE"),
        (["RUN", "a", "--file", "b"], "tag takes texts or --file FILE"),
        (["RUN", "a", "--json", "--conll"], "--json and --conll"),
        (["RUN", "a", "--html", "page.txt"], "ends in .html"),
        (["RUN", "--file", "nowhere.txt"], "nowhere.txt"),
        (["nowhere", "a"], "no run at nowhere"),
        ([str(KEPT), "a"], "is a lm model, which tags no words"),
    ],
)
def test_mistakes(cli: Cli, run: HandMade, arguments: list[str], said: str) -> None:
    code, out, err = cli("tag", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_figures_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    from textdl.tasks.tag_figures import tag_figures

    truth, found = [["B-X", "I-X", "O"], ["O", "B-:cat:"]], [["B-X", "I-X", "O"], ["O", "O"]]
    figures = tag_figures(truth, found, [[False] * len(some) for some in truth], spans=True)
    show_tags({**figures, "corpus": "letters", "same_corpus": True})
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["accuracy", "0.8000"] in rows
    assert ["span", "recall", "0.5000"] in rows
    assert ["X", "1.0000", "1.0000", "1.0000", "1"] in rows
    assert ["B-:cat:", "0.0000", "0.0000", "0.0000", "1"] in rows
    assert json.loads(json.dumps(tags_json({**figures, "accuracy": float("nan")})))["accuracy"] is None
    assert tags_json(figures)["per_span"] == figures["per_span"]
