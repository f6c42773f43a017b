"""The capture page, in a real browser and by what it says."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from textdl_cli.capture_server import CaptureServer

from textdl.errors import ConfigError
from textdl.inspect.capture_page import capture_page
from textdl.inspect.capture_prompts import PROMPTS
from textdl.inspect.captured import Notebook, read_captured
from textdl.strokes.line import Line
from textdl.strokes.npz import read_lines, write_lines

from .browser import Browser, browser, chromium


@contextlib.contextmanager
def served(path: Path, prompts: list[str]) -> Iterator[CaptureServer]:
    server = CaptureServer(capture_page(prompts, True, path.name), Notebook(path), step=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


def corner(page: Browser) -> tuple[float, float]:
    """Where the canvas begins in the window."""
    box = page.run("(() => { const box = canvas.getBoundingClientRect(); return [box.x, box.y]; })()")
    return box[0], box[1]


def test_lines_drawn_with_the_mouse_are_in_the_npz(tmp_path: Path) -> None:
    """Two strokes, next, another line, back and over it again: texts, pen-ups and every step are as they were drawn."""
    chromium()
    with served(tmp_path / "mine.npz", ["on </script> it", "two", "three"]) as server, browser(tmp_path) as page:
        page.open(server.address)
        assert page.run("find('prompt').textContent") == "on </script> it"
        x, y = corner(page)
        page.stroke([(x + 50, y + 60), (x + 70, y + 90), (x + 90, y + 55), (x + 120, y + 100)])
        page.stroke([(x + 150, y + 60), (x + 150, y + 110)])
        page.stroke([(x + 300, y + 60), (x + 310, y + 65)])
        page.click("#undo")
        page.click("#redo")
        assert page.run("state.strokes.length") == 3
        page.click("#undo")
        page.stroke([(x + 300, y + 60), (x + 310, y + 65)])
        assert page.run("find('redo').disabled"), "a new stroke is the end of what was undone"
        page.click("#undo")
        page.click("#next")
        page.until("state.done[0] && state.done[0].sent")
        (line,) = read_lines(tmp_path / "mine.npz")
        assert line.text == "on </script> it"
        wanted = [[0, 0, 0], [20, 30, 0], [20, -35, 0], [30, 45, 1], [30, -40, 0], [0, 50, 1]]
        np.testing.assert_allclose(line.points, wanted, atol=0.02)

        assert page.run("find('prompt').textContent") == "two"
        page.stroke([(x + 40, y + 50), (x + 60, y + 80)])
        page.ask("Input.dispatchKeyEvent", type="keyDown", key="Enter")
        page.until("state.done[1] && state.done[1].sent")
        page.click("#back")
        assert page.run("[state.at, state.strokes.length]") == [1, 1], "what was written is shown again"
        page.click("#clear")
        page.stroke([(x + 40, y + 50), (x + 45, y + 85), (x + 99, y + 50)])
        page.click("#next")
        page.until("state.done[1].sent")
        page.click("#skip")
        assert page.run("find('next').disabled"), "after the last line"
        page.click("#done")
        page.until("document.body.className === 'over'")
    lines = read_lines(tmp_path / "mine.npz")
    assert lines.texts == ("on </script> it", "two")
    np.testing.assert_allclose(lines[1].points, [[0, 0, 0], [5, 35, 0], [54, -35, 1]], atol=0.02)


def test_touch_and_a_reload(tmp_path: Path) -> None:
    """A finger draws and does not scroll; a line that is begun is there after a reload; a refused one comes back."""
    with served(tmp_path / "mine.npz", ["one", "two"]) as server, browser(tmp_path, 500, 800) as page:
        page.ask("Emulation.setTouchEmulationEnabled", enabled=True)
        page.open(server.address)
        x, y = corner(page)
        for kind, at in (("Start", 30), ("Move", 50), ("Move", 80)):
            page.ask("Input.dispatchTouchEvent", type=f"touch{kind}", touchPoints=[{"x": x + at, "y": y + at}])
        page.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        page.until("state.strokes.length === 1")
        drawn = page.run("state.strokes[0].map(point => point.slice(0, 2))")
        assert drawn[0] == [30, 30]
        assert drawn[-1] == [80, 80]
        page.ask("Page.reload")
        page.until("document.readyState === 'complete' && state.strokes.length === 1")
        assert page.run("state.strokes[0].map(point => point.slice(0, 2))") == drawn
        page.run("given.prompts[0] = ''")
        page.click("#next")
        page.until("find('status').className === 'wrong'")
        assert "must have a text" in page.run("find('status').textContent")
        assert page.run("[state.at, state.strokes.length]") == [0, 1]
        assert not (tmp_path / "mine.npz").exists()


def test_done_does_not_end_while_a_line_is_refused(tmp_path: Path) -> None:
    """The last line can not be saved: the page says so, keeps it and stays; wiped, it may end."""
    path = tmp_path / "mine.npz"
    with served(path, ["one", "two"]) as server, browser(tmp_path) as page:
        page.open(server.address)
        x, y = corner(page)
        write_lines(path, [Line(np.array([[0, 0, 0], [5, 5, 1]], np.float32), "of another program")])
        page.stroke([(x + 40, y + 50), (x + 60, y + 80), (x + 90, y + 40)])
        page.click("#done")
        page.until("find('status').className === 'wrong'")
        page.run("new Promise(then => setTimeout(then, 200))")
        assert "Not saved" in page.run("find('status').textContent")
        assert page.run("[ended, state.at, state.strokes.length]") == [False, 0, 1]
        page.click("#clear")
        page.click("#done")
        page.until("ended")
    assert read_lines(path).texts == ("of another program",)


def test_a_full_browser_is_told(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(capture_page(["one", "two"]), encoding="utf-8")
    with browser(tmp_path) as page:
        page.open((tmp_path / "page.html").as_uri())
        page.run("Storage.prototype.setItem = () => { throw new Error('full'); }; 0")
        x, y = corner(page)
        page.stroke([(x + 40, y + 50), (x + 60, y + 80), (x + 90, y + 40)])
        page.click("#next")
        assert page.run("find('status').className") == "wrong"
        assert "can keep no more lines: save them as a file" in page.run("find('status').textContent")


def test_the_page_as_a_file(tmp_path: Path) -> None:
    """Without a program it gives the lines as a file, and that file is read."""
    (tmp_path / "page.html").write_text(capture_page(["one", "two"]), encoding="utf-8")
    with browser(tmp_path) as page:
        page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "got"))
        page.open((tmp_path / "page.html").as_uri())
        x, y = corner(page)
        page.stroke([(x + 40, y + 50), (x + 60, y + 80), (x + 90, y + 40)])
        page.click("#next")
        page.click("#done")
        saved = tmp_path / "got" / "strokes.json"
        page.until("find('status').textContent.startsWith('1 lines in strokes.json')")
        for _ in range(500):
            if saved.exists():
                break
            page.run("new Promise(then => setTimeout(then, 20))")
    (line,) = read_captured(saved, step=0)
    assert line.text == "one"
    np.testing.assert_allclose(line.points, [[0, 0, 0], [20, 30, 0], [30, -40, 1]], atol=0.02)


def test_the_page_needs_nothing_else() -> None:
    page = capture_page(["a </script><b> & 'c'"], True, "<i>.npz")
    assert "http:" not in page.replace("http://www.w3.org", "")
    assert "https:" not in page
    assert page.count("</script>") == 1
    assert "<i>" not in page
    given = page.split("const given = ")[1].split(";\n")[0]
    assert json.loads(given)["prompts"] == ["a </script><b> & 'c'"]


@pytest.mark.parametrize("prompts", ([], [""], ["  "], ["two\nlines"], ["x" * 1001], ["\x1b"]))
def test_texts_that_can_not_be_written(prompts: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"texts to write|text 1 must be"):
        capture_page(prompts)


def test_the_built_in_lines() -> None:
    """Every letter at least four times, every capital and digit, the common marks; lines that fit a screen."""
    text = "".join(PROMPTS)
    assert len(set(PROMPTS)) == len(PROMPTS) >= 50
    assert max(map(len, PROMPTS)) <= 35
    assert not [letter for letter in "abcdefghijklmnopqrstuvwxyz" if text.count(letter) < 4]
    assert set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:?!'()-") <= set(text)
