"""Tagged sentences as people see them: coloured text and a page."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from textdl.errors import ConfigError
from textdl.inspect.tagged_page import Piece, coloured_sentence, labels_of, pieces, tagged_page, write_tagged_page
from textdl.tasks.tagger_run import Tagged

TAGS = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
WORDS = ("Ann", "Lee", "met", "<b>", "in", "New", "York", "\x1b[31m")
NAMED = Tagged(WORDS, ("B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "I-LOC", "O"), None, 0)


def sure() -> Tagged:
    """Each tag with probability 0.9, but for Lee: 0.6."""
    rows = np.full((len(WORDS), len(TAGS)), 0.025, np.float32)
    for at, tag in enumerate(NAMED.tags):
        rows[at, TAGS.index(tag)] = 0.6 if at == 1 else 0.9
    return NAMED._replace(probabilities=rows)


def test_pieces_of_spans() -> None:
    assert pieces(NAMED, TAGS, True) == [
        Piece(("Ann", "Lee"), "PER", None),
        Piece(("met",), "", None),
        Piece(("<b>",), "PER", None),
        Piece(("in",), "", None),
        Piece(("New", "York"), "LOC", None),
        Piece(("\x1b[31m",), "", None),
    ]
    found = [piece.sure for piece in pieces(sure(), TAGS, True)]
    np.testing.assert_allclose(np.array(found, float), [0.6, 0.9, 0.9, 0.9, 0.9, 0.9])
    assert labels_of(TAGS, True) == ("LOC", "PER")


def test_pieces_of_words() -> None:
    sentence = Tagged(("a", "cat"), ("DET", "NOUN"), None, 0)
    assert pieces(sentence, ("DET", "NOUN"), False) == [Piece(("a",), "DET", None), Piece(("cat",), "NOUN", None)]
    assert pieces(Tagged((), (), None, 0), TAGS, True) == []


def test_in_the_terminal() -> None:
    text = coloured_sentence(sure(), TAGS, True)
    assert text.plain == "Ann Lee PER 0.60 met <b> PER 0.90 in New York LOC 0.90 ␛[31m"
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styles["Ann Lee"] == styles["<b>"] != styles["New York"]
    assert "met" not in styles
    file = io.StringIO()
    Console(file=file, force_terminal=True, color_system="truecolor", width=200).print(text)
    assert "\x1b[31m" not in file.getvalue()


class Page(HTMLParser):
    """The marks of a page with their titles, its text, and whatever could fetch or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.marks: list[str | None] = []
        self.tags: set[str] = set()
        self.links = 0
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += any(name in ("src", "href") or name.startswith("on") for name, _ in attrs)
        if tag == "span" and "title" in dict(attrs):
            self.marks.append(dict(attrs)["title"])

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page(tmp_path: Path) -> None:
    page = Page(tagged_page([sure(), Tagged(("x",), ("O",), None, 1)], TAGS, True))
    assert page.marks == ["PER 0.6000", "PER 0.9000", "LOC 0.9000"]
    assert "New York" in page.text
    assert "<b>" in page.text
    assert "2 sentences" in page.text
    assert not {"script", "b", "link", "img"} & page.tags
    assert not page.links
    assert "\x1b" not in page.text
    write_tagged_page(tmp_path / "a.html", [NAMED], TAGS, True)
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == tagged_page([NAMED], TAGS, True)
    with pytest.raises(ConfigError, match=r"ends in \.html"):
        write_tagged_page(tmp_path / "a.txt", [NAMED], TAGS, True)
