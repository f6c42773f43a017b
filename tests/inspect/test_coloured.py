"""Explanations as people see them: coloured text, a table of words, a page."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from textdl.errors import ConfigError
from textdl.inspect.coloured import coloured, page, show, strengths, strongest, write_page
from textdl.tasks.attribution import Attribution

PIECES = ("I ", "", "expected", " ", "rubbish", ",\n", "loved <b>&", " ", "סרט", " \x1b[31m", '"it"')
WEIGHTS = np.array([0.01, 0, 0.5, 0, -1.0, 0, 2.0, 0, -0.5, 0.25, 0.0])


def example(attention: bool = False, label: str = "good") -> Attribution:
    shares = np.abs(WEIGHTS) / np.abs(WEIGHTS).sum() if attention else None
    return Attribution("".join(PIECES), label, 0.875, PIECES, WEIGHTS, shares, rest=-0.25)


def printed(attribution: Attribution, **settings: object) -> str:
    file = io.StringIO()
    show(attribution, Console(file=file, width=100, **settings))
    return file.getvalue()


class Page(HTMLParser):
    """The text of each ``pre``, the spans in it, and whatever could fetch or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.spans: list[list[tuple[str, dict[str, str | None]]]] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag == "pre":
            self.inside = True
            self.texts.append("")
            self.spans.append([])
        elif tag == "span" and self.inside:
            self.spans[-1].append(("", dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] += data
            if self.spans[-1] and not self.spans[-1][-1][0]:
                self.spans[-1][-1] = (data, self.spans[-1][-1][1])


def test_strengths() -> None:
    assert strengths(np.array([1.0, -4.0, 0.0])).tolist() == [0.25, -1.0, 0.0]
    assert strengths(np.zeros(3)).tolist() == [0.0] * 3
    assert strengths(np.zeros(0)).tolist() == []
    assert strengths(np.array([np.nan, 2.0])).tolist() == [0.0, 1.0]


def test_strongest_are_in_the_order_of_the_text() -> None:
    assert strongest(example(), 3) == [2, 4, 6]
    assert strongest(example(), 100) == [0, 2, 4, 6, 8, 9]


def test_an_attribution_whose_pieces_are_not_its_text_is_refused() -> None:
    with pytest.raises(ValueError, match="join"):
        Attribution("ab", "x", 0.5, ("a",), np.zeros(1))
    with pytest.raises(ValueError, match="weights must be of shape"):
        Attribution("ab", "x", 0.5, ("a", "b"), np.zeros(1))
    with pytest.raises(ValueError, match="attention must be of shape"):
        Attribution("ab", "x", 0.5, ("a", "b"), np.zeros(2), np.zeros(3))


def test_colours_in_the_terminal() -> None:
    """The text is whole; for is greener, against redder and underlined; weak pieces and white space are plain."""
    text = coloured(example())
    assert text.plain == "".join(PIECES).replace("\x1b", "␛")
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert "I " not in styles, "too weak"
    assert '"it"' not in styles

    def colour(piece: str) -> tuple[int, ...]:
        return tuple(int(part) for part in styles[piece].split("rgb(")[1].rstrip(")").split(","))

    assert colour("loved <b>&") == (60, 190, 90)
    for piece in ("loved <b>&", "expected"):
        red, green, blue = colour(piece)
        assert green > red
        assert green > blue
        assert "underline" not in styles[piece]
    for piece in ("rubbish", "סרט"):
        red, green, blue = colour(piece)
        assert red > green
        assert red > blue
        assert "underline" in styles[piece]
    assert colour("rubbish")[0] > colour("סרט")[0], "the stronger the fuller"


def test_a_terminal_with_colours() -> None:
    out = printed(example(attention=True), force_terminal=True, color_system="truecolor", no_color=False)
    assert "48;2;60;190;90" in out
    assert "attention" in out
    assert "loved <b>& +2.000" in out
    assert "\x1b[31m" not in out, "orders in the text are not obeyed"


@pytest.mark.parametrize("how", ["NO_COLOR", "dumb", "file"])
def test_without_colours_there_are_signed_numbers(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "dumb" if how == "dumb" else "xterm-256color")
    if how == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    settings = {} if how == "file" else {"force_terminal": True}
    out = printed(example(attention=True), **settings)
    assert "48;" not in out
    assert "\x1b[31m" not in out
    lines = [line.split() for line in out.splitlines()]
    assert ["+2.0000", "0.4695", "loved", "<b>&"] in lines
    assert ["-1.0000", "0.2347", "rubbish"] in lines
    assert ["+0.5000", "0.1174", "expected"] in lines
    assert "in no piece: -0.2500" in out
    assert out.startswith("good: probability 0.8750")


def test_of_a_long_text_the_table_has_the_strongest() -> None:
    pieces = tuple(f"w{number} " for number in range(500))
    weights = np.linspace(-1, 0.9, 500)
    out = printed(Attribution("".join(pieces), "x", 0.5, pieces, weights))
    assert "460 weaker pieces" in out
    assert "-1.0000  w0 " in out
    assert "w250" not in out


@pytest.mark.parametrize("attention", [False, True])
def test_the_page_holds_the_text_and_the_numbers(attention: bool) -> None:
    made = Page(page(example(attention)))
    shown = "\n" + "".join(PIECES).replace("\x1b", "␛")  # a browser drops a line end that comes first in a pre
    assert made.texts == [shown] * (2 if attention else 1)
    spans = dict(made.spans[0])
    assert spans["loved <b>&"] == {"class": "for", "style": "--s:1.00", "title": "+2.0000"}
    assert spans["rubbish"] == {"class": "against", "style": "--s:0.50", "title": "-1.0000"}
    assert spans["I "] == {"title": "+0.0100"}, "too weak for a colour"
    assert '"it"' not in spans
    if attention:
        assert dict(made.spans[1])["rubbish"]["title"] == "0.2347"
        assert {attributes.get("class") for _, attributes in made.spans[1]} == {"seen", None}
    assert all(attributes.get("dir") == "auto" for tag, attributes in made.seen if tag == "pre")


def test_the_page_needs_nothing_else_and_obeys_no_text() -> None:
    nasty = '</title></pre><script>alert("x")</script><img src=http://nowhere.example/x onerror=y>'
    pieces = (nasty, " ", "plain")
    text = page(Attribution("".join(pieces), nasty, 0.5, pieces, np.array([1.0, 0.0, -1.0])))
    made = Page(text)
    assert not {tag for tag, _ in made.seen} & {"script", "img", "link", "iframe", "object", "a"}
    for _, attributes in made.seen:
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "href")}
    assert made.texts[0] == "\n" + nasty + " plain"
    style = text.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_a_page_of_a_text_that_moved_nothing_and_of_half_a_character() -> None:
    text = page(Attribution("a \ud83d", "x", 0.5, ("a", " ", "\ud83d"), np.zeros(3)))
    text.encode()
    assert "No piece moved the score" in text
    assert '<span class="for"' not in text.split("<pre")[1].split("</pre>")[0]


def test_white_space_that_is_a_token_is_seen() -> None:
    """Where tokens are characters, a space may be what moved most."""
    attribution = Attribution("a b\n", "x", 0.5, ("a", " ", "b", "\n"), np.array([0.5, 2.0, 0.0, -1.0]))
    assert [line.split() for line in printed(attribution).splitlines()[2:-1]] == [
        ["+0.5000", "a"], ["+2.0000", "␣"], ["-1.0000", "␣"],
    ]  # fmt: skip
    assert "␣ +2.000" in printed(attribution, force_terminal=True, color_system="truecolor", no_color=False)
    text = page(attribution)
    assert "<td><bdi>␣</bdi></td>" in text
    assert [(span, some["title"]) for span, some in Page(text).spans[0]] == [
        ("a", "+0.5000"), (" ", "+2.0000"), ("\n", "-1.0000"),
    ]  # fmt: skip


def test_a_page_is_written(tmp_path: Path) -> None:
    write_page(example(), tmp_path / "why.html")
    assert (tmp_path / "why.html").read_text(encoding="utf-8") == page(example())
    with pytest.raises(ConfigError, match=r"ends in \.html, got 'why\.txt'"):
        write_page(example(), tmp_path / "why.txt")


def test_a_record_is_plain_values() -> None:
    record = example(attention=True).record()
    assert record["pieces"][2] == {"piece": "expected", "weight": 0.5, "attention": pytest.approx(0.5 / 4.26)}
    assert (record["label"], record["probability"], record["rest"]) == ("good", 0.875, -0.25)
    assert "attention" not in example().record()["pieces"][0]
