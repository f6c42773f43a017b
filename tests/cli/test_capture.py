"""``textdl capture`` without a browser: its server, the conversion, and what they refuse."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textdl_cli.capture_server import CaptureServer

from textdl.errors import CorpusError
from textdl.inspect.captured import Notebook, line_of, thinned
from textdl.strokes.line import Line, of_strokes
from textdl.strokes.npz import read_lines, write_lines

Cli = Callable[..., tuple[int, str, str]]
STROKES = [[[0, 0, 1], [10, 30, 2], [20, 0, 3]], [[30, 5], [30, 40]]]
POINTS = [[0, 0, 0], [10, 30, 0], [10, -30, 1], [10, 5, 0], [0, 35, 1]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CaptureServer]:
    with serving(tmp_path / "mine.npz") as made:
        yield made


@contextlib.contextmanager
def serving(path: Path) -> Iterator[CaptureServer]:
    made = CaptureServer("the page", Notebook(path))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join(20)
        made.server_close()


def ask(
    server: CaptureServer, place: str, body: Any = None, token: str | None = None, **headers: str
) -> tuple[int, str]:
    """Status and body of an answer; ``body`` None is a GET."""
    call = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    where = f"/{server.token if token is None else token}/{place}"
    call.request("GET" if sent is None else "POST", where, sent, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = call.getresponse()
    try:
        return answer.status, answer.read().decode()
    finally:
        call.close()


def line(name: str = "1", text: str = "good day", **more: Any) -> dict[str, Any]:
    return {"id": name, "text": text, "strokes": STROKES} | more


def test_closing_waits_for_a_line_that_is_being_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def slowly(path: Path, lines: Any) -> None:
        begun.set()
        time.sleep(0.5)
        write_lines(path, lines)

    monkeypatch.setattr("textdl.inspect.captured.write_lines", slowly)
    with serving(tmp_path / "mine.npz") as made:
        threading.Thread(target=ask, args=(made, "line", line()), daemon=True).start()
        assert begun.wait(20)
    assert read_lines(tmp_path / "mine.npz").texts == ("good day",)


def test_a_file_whose_lines_would_be_lost_is_refused(tmp_path: Path) -> None:
    """Of the other spelling lines without a text are left out; written anew, the file would lack them."""
    path = tmp_path / "other.npz"
    dxyt, ends = np.array([[0, 0, 0], [5, 5, 1]] * 2, np.int16), np.array([0, 1, 0, 1], np.uint8)
    np.savez(path, dxyt=dxyt, pen_up=ends, offsets=np.array([0, 2, 4]), texts=np.array(["one", ""]))
    with pytest.raises(CorpusError, match="1 lines without a text, which new lines would wipe out; give another name"):
        Notebook(path)


def test_lines_go_into_the_file_at_once(server: CaptureServer) -> None:
    path = server.notebook.path
    assert ask(server, "") == (200, "the page")
    assert ask(server, "line", line()) == (200, '{"lines": 1}')
    (saved,) = read_lines(path)
    assert (saved.text, saved.group) == ("good day", "")
    np.testing.assert_array_equal(saved.points, POINTS)
    assert ask(server, "line", line("2", "bye")) == (200, '{"lines": 2}')
    assert ask(server, "line", line("1", strokes=STROKES[:1])) == (200, '{"lines": 2}'), "written anew, not twice"
    lines = read_lines(path)
    assert lines.texts == ("good day", "bye")
    assert lines.lengths.tolist() == [3, 5]


def test_lines_that_were_there_stay(tmp_path: Path) -> None:
    before = [Line(of_strokes([np.array([[0, 0], [1.5, 2]])]), "old", "someone")]
    write_lines(tmp_path / "mine.npz", before)
    with serving(tmp_path / "mine.npz") as server:
        assert ask(server, "line", line()) == (200, '{"lines": 2}')
        lines = read_lines(tmp_path / "mine.npz")
        assert lines.texts == ("old", "good day")
        assert lines.groups[0] == "someone"
        np.testing.assert_array_equal(lines[0].points, before[0].points)
        write_lines(tmp_path / "mine.npz", before * 3)
        code, said = ask(server, "line", line("2"))
        assert code == 400
        assert "changed by another program" in said
    assert len(read_lines(tmp_path / "mine.npz")) == 3


BAD: list[tuple[Any, str]] = [
    (b"{", "no JSON"),
    (b"\xff", "no JSON"),
    (b"[" * 100_000, "no JSON"),
    ([], "must be an object"),
    (line(text=""), "must have a text"),
    (line(text="  "), "must have a text"),
    (line(text=7), "must have a text"),
    (line(text="two\nlines"), "must be one line"),
    (line(text="x" * 1001), "must be one line"),
    (line(strokes=None), "must be a list of strokes"),
    (line(strokes=[3]), "must be a list of strokes"),
    (line(strokes=[]), "at least two points, got 0"),
    (line(strokes=[[[1, 1]]]), "at least two points, got 1"),
    (line(strokes=[[[1, 1], [float("nan"), 2]]]), "must be numbers from -1e6 to 1e6"),
    (line(strokes=[[[1, 1], [float("inf"), 2]]]), "must be numbers from -1e6 to 1e6"),
    (line(strokes=[[[1, 1], [10**400, 2]]]), "must be numbers from -1e6 to 1e6"),
    (line(strokes=[[[1, 1], ["1", 2]]]), "a point must be [x, y, ...]"),
    (line(strokes=[[[1, 1], [True, 2]]]), "a point must be [x, y, ...]"),
    (line(strokes=[[[1, 1], [2]]]), "a point must be [x, y, ...]"),
    (line(strokes=[[[1, 1]] * 100_001]), "at most 100,000 points"),
    ({"text": "a", "strokes": STROKES}, "must have an id"),
    (line("x" * 101), "must have an id"),
]


def test_what_the_server_refuses(server: CaptureServer) -> None:
    """With status 400 and a line, and it goes on."""
    for body, message in BAD:
        code, said = ask(server, "line", body)
        assert code == 400, message
        told = json.loads(said)["error"]
        assert message in told
        assert "\n" not in told
    assert not server.notebook.path.exists()
    assert ask(server, "line", line())[0] == 200


def test_who_is_refused(server: CaptureServer) -> None:
    port = server.server_port
    for headers in ({"Host": "evil.example"}, {"Host": "127.0.0.1:1"}, {"Host": f"evil.example:{port}"}, {"Host": ""}):
        assert ask(server, "", **headers)[0] == 400
        assert ask(server, "line", line(), **headers)[0] == 400
    assert ask(server, "line", line(), Origin="http://evil.example")[0] == 400
    assert ask(server, "line", line(), Origin="null")[0] == 400
    for token in ("", "x", server.token + "x", server.token[:-1]):
        assert ask(server, "", token=token)[0] == 400
        assert ask(server, "line", line(), token=token)[0] == 400
    for place in ("line", "../", "none", "line/more"):
        assert ask(server, place)[0] == 400
    assert ask(server, "none", line())[0] == 400
    assert not server.notebook.path.exists()
    assert ask(server, "line", line(), Host=f"localhost:{port}", Origin=f"http://127.0.0.1:{port}")[0] == 200


def test_bodies_of_a_wrong_length(server: CaptureServer) -> None:
    """Too large, without a length, or cut short: refused without being read."""
    head = f"POST /{server.token}/line HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n"
    for more, message in (
        ("Content-Length: 9000000\r\n\r\n", b"at most"),
        ("Content-Length: " + "9" * 5000 + "\r\n\r\n", b"Content-Length"),
        ("Content-Length: -1\r\n\r\n", b"Content-Length"),
        ("\r\n", b"Content-Length"),
        ("Content-Length: 50\r\n\r\n{}", b"cut short"),
    ):
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as call:
            call.sendall((head + more).encode())
            call.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda call=call: call.recv(4096), b""))  # type: ignore[misc]
        assert b" 400 " in answer.partition(b"\r\n")[0]
        assert message in answer
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as call:
        call.sendall(
            f"GET /\xe9\udcff/ HTTP/1.0\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode("latin-1", "replace")
        )
        assert b" 400 " in call.recv(4096)
    assert ask(server, "line", line())[0] == 200


def test_the_command_serves_and_ends(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells the address, opens the browser there, asks only for what is not written yet, and Done ends it."""
    import webbrowser

    (tmp_path / "texts.txt").write_text("old\nnew one\n\nnew one\nnew two\n")
    write_lines(tmp_path / "mine.npz", [Line(of_strokes([np.array([[0, 0], [1, 2]])]), "old")])
    got: list[str] = []

    def person(address: str) -> bool:
        def write() -> None:
            with urllib.request.urlopen(address, timeout=20) as page:
                got.append(page.read().decode())
            for place, record in (("line", line(text="new one")), ("done", {})):
                with urllib.request.urlopen(address + place, json.dumps(record).encode(), timeout=20) as answer:
                    got.append(answer.read().decode())

        threading.Thread(target=write, daemon=True).start()
        return True

    late: list[str] = []
    serve = CaptureServer.serve_forever

    def patiently(self: CaptureServer, poll_interval: float) -> None:
        timer = threading.Timer(30, lambda: (late.append("Done did not end it"), self.shutdown()))
        timer.daemon = True
        timer.start()
        serve(self, poll_interval)
        timer.cancel()

    monkeypatch.setattr(CaptureServer, "serve_forever", patiently)
    monkeypatch.setattr(webbrowser, "open", person)
    code, out, err = cli("capture", "--out", tmp_path / "mine.npz", "--texts", tmp_path / "texts.txt")
    assert (code, out, late) == (0, "", [])
    assert '"prompts": ["new one", "new two"]' in got[0]
    assert "note: 1 of 3 lines are in" in err
    assert "write at http://127.0.0.1:" in err
    assert f"1 new line; {tmp_path}/mine.npz holds 2" in err
    assert f"textdl train handwriting {tmp_path}/mine.npz" in err
    assert read_lines(tmp_path / "mine.npz").texts == ("old", "new one")


def test_ctrl_c_ends_it(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*given: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CaptureServer, "serve_forever", stop)
    code, _, err = cli("capture", "--out", tmp_path / "mine.npz", "--no-browser")
    assert code == 0
    assert "nothing was written" in err
    assert not (tmp_path / "mine.npz").exists()


def test_the_page_and_its_file(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("capture", "--page", tmp_path / "page.html")
    assert code == 0
    assert "The quick brown fox" in (tmp_path / "page.html").read_text().replace("the quick", "The quick")
    record = {"format": "textdl capture", "lines": [{"text": "good day", "strokes": STROKES}]}
    (tmp_path / "strokes.json").write_text(json.dumps(record))
    for times, told in ((1, "1 lines of"), (2, "0 lines of")):
        code, _, err = cli("capture", "--from", tmp_path / "strokes.json", "--out", tmp_path / "mine.npz")
        assert code == 0
        assert told in err, times
        assert len(read_lines(tmp_path / "mine.npz")) == 1, "the same file twice is one"
    np.testing.assert_array_equal(read_lines(tmp_path / "mine.npz")[0].points, POINTS)


@pytest.mark.parametrize(
    "content, message",
    (
        ("{", "is no JSON"),
        ("[]", "is no file of the capture page"),
        ('{"format": "textdl capture", "lines": []}', "holds no line"),
        ('{"format": "textdl capture", "lines": [{"text": "", "strokes": []}]}', "line 1: a line must have a text"),
        ('{"format": "textdl capture", "lines": [{"text": "a", "strokes": [[[NaN, 1], [2, 2]]]}]}', "is no JSON"),
        ('{"format": "textdl capture", "lines": [{"text": "a", "strokes": [[[1, 1]]]}]}', "line 1: a line needs"),
    ),
)
def test_files_that_can_not_be_read(cli: Cli, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "strokes.json").write_text(content)
    code, _, err = cli("capture", "--from", tmp_path / "strokes.json", "--out", tmp_path / "mine.npz")
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
    assert not (tmp_path / "mine.npz").exists()


@pytest.mark.parametrize(
    "given, message",
    (
        ([], "give --out mine.npz"),
        (["--out", "mine.csv"], "ends in .npz"),
        (["--out", "none/mine.npz"], "there is no folder none"),
        (["--page", "a.txt"], "ends in .html"),
        (["--page", "a.html", "--out", "a.npz"], "--page writes the page alone"),
        (["--from", "a.json", "--texts", "b", "--out", "a.npz"], "--from puts written lines"),
        (["--from", "a.json", "--out", "a.npz"], "a.json can not be read"),
        (["--out", "a.npz", "--texts", "b.txt"], "b.txt"),
    ),
)
def test_what_the_command_refuses(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = cli("capture", *given)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_and_a_file_that_is_no_npz(cli: Cli, server: CaptureServer, tmp_path: Path) -> None:
    code, _, err = cli("capture", "--out", tmp_path / "a.npz", "--port", server.server_port, "--no-browser")
    assert code == 2
    assert f"--port {server.server_port} can not be listened on" in err
    (tmp_path / "a.npz").write_text("no npz")
    assert cli("capture", "--out", tmp_path / "a.npz", "--no-browser")[0] == 2
    assert (tmp_path / "a.npz").read_text() == "no npz"


def test_all_is_written_already(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("old\n")
    write_lines(tmp_path / "mine.npz", [Line(of_strokes([np.array([[0, 0], [1, 2]])]), "old")])
    code, _, err = cli("capture", "--out", tmp_path / "mine.npz", "--texts", tmp_path / "texts.txt", "--no-browser")
    assert code == 2
    assert "all 1 lines are in" in err


def test_thinning() -> None:
    """Ends stay, steps are as long as was asked, no point is new; 0 leaves out only points on top of each other."""
    fine = np.linspace(0, 40, 401)
    strokes = [np.stack([fine, 40 * np.abs(np.sin(fine / 4))], 1), np.array([[50.0, 0], [50, 0.1]]), np.zeros((1, 2))]
    made = thinned(strokes, 0.125)
    assert 20 < len(made[0]) < 120
    for before, after in zip(strokes, made, strict=True):
        np.testing.assert_array_equal(after[[0, -1]], before[[0, -1]])
        assert {tuple(point) for point in after.tolist()} <= {tuple(point) for point in before.tolist()}
    steps = np.hypot(*np.diff(made[0], axis=0).T)
    assert steps[:-1].min() >= 0.125 * 30
    assert len(made[2]) == 1
    doubled = [np.repeat(strokes[0], 2, axis=0)]
    np.testing.assert_array_equal(thinned(doubled, 0)[0], strokes[0])


def test_a_line_on_one_place() -> None:
    """Points on top of each other are one point."""
    with pytest.raises(CorpusError, match="one point"):
        line_of({"text": "-", "strokes": [[[0, 0], [0, 0], [0, 0]]]})
