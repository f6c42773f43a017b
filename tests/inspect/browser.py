"""Headless Chromium driven by its DevTools protocol over two pipes: no port, no package."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 20.0  # seconds for an answer: far more than it takes, so that a slow machine is no failure


def chromium() -> str:
    """Where Chromium is: TEXTDL_CHROMIUM, or on the PATH; the test is skipped where it is not."""
    found = os.environ.get("TEXTDL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium: set TEXTDL_CHROMIUM, or install one of {', '.join(NAMES)}")
    return found


class Browser:
    """One page of a browser."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self.number, self.held = 0, b""
        self.session: str | None = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._next(end)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self.held:
            assert select.select([self.reading], [], [], max(0.0, end - time.monotonic()))[0], "Chromium is silent"
            piece = os.read(self.reading, 1 << 16)
            assert piece, "Chromium has ended"
            self.held += piece
        first, _, self.held = self.held.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message

    def open(self, address: str) -> None:
        self.ask("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until an expression is true; its value."""
        end = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"never came: {script}"
            time.sleep(0.02)
        return value

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """A real event of the mouse: pressed, moved, released."""
        self.ask("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, button="left", buttons=1, **more)

    def stroke(self, places: list[tuple[float, float]]) -> None:
        """Draw with the mouse through places of the window."""
        self.mouse("Pressed", *places[0], clickCount=1)
        for place in places[1:]:
            self.mouse("Moved", *place)
        self.mouse("Released", *places[-1], clickCount=1)

    def click(self, selector: str) -> None:
        """Press a button with the mouse, in its middle."""
        box = self.run(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        self.stroke([tuple(box)])

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))


@contextlib.contextmanager
def browser(folder: Path, width: int = 1000, height: int = 700) -> Iterator[Browser]:
    """A browser with a window of some size, with its own profile in a folder."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars"]
    flags += [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}", "--no-first-run"]
    program = chromium()
    (its_read, our_write), (our_read, its_write) = os.pipe(), os.pipe()
    # out of the way of 3 and 4, where it looks for its ends
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (its_read, its_write)]
    quiet = os.open(folder / "chromium.log", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC)
    actions = [(os.POSIX_SPAWN_DUP2, ends[0], 3), (os.POSIX_SPAWN_DUP2, ends[1], 4), (os.POSIX_SPAWN_DUP2, quiet, 2)]
    process = os.posix_spawn(program, [program, *flags], os.environ, file_actions=actions, setpgroup=0)
    for end in (its_read, its_write, *ends, quiet):
        os.close(end)
    try:
        yield Browser(our_read, our_write)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(our_read)
        os.close(our_write)
