"""The server of the capture page: for one person on this machine, and only as long as they write.

It listens on 127.0.0.1. All it serves lies below a random token, and it answers only who calls it by that address: a
page of another site that is open in the same browser can neither guess the token nor come by another name.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from textdl.errors import ConfigError, TextdlError
from textdl.inspect.captured import STEP, Notebook, line_of

#: Bytes of one line that are taken; 100,000 points need fewer.
LARGEST = 8 << 20
_PATIENCE = 20.0  # seconds for a request to come in


class RefusedError(Exception):
    """A request that is not answered; its text is a line for the page."""


class CaptureServer(ThreadingHTTPServer):
    """Serves one page and takes its lines. ``serve_forever`` ends when the page says that it is done."""

    daemon_threads = True

    def __init__(self, page: str, notebook: Notebook, port: int = 0, step: float = STEP) -> None:
        """Listen.

        Args:
            port: 0 is one that is free.

        Raises:
            ConfigError: the port is taken, or none of ours.
        """
        self.writing = threading.Lock()
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigError(f"--port {port} can not be listened on ({why}); give another, or none") from None
        self.page, self.notebook, self.step = page.encode(), notebook, step
        self.token = secrets.token_urlsafe(16)
        self.hosts = {f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"}

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"

    def server_close(self) -> None:
        """Listen no more. A line that is just being saved is waited for."""
        super().server_close()
        with self.writing:
            pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    server: CaptureServer
    timeout = _PATIENCE
    server_version, sys_version = "textdl", ""

    def do_GET(self) -> None:
        try:
            if self._place() != "":
                raise RefusedError("there is nothing here")
        except RefusedError as refusal:
            self._answer(400, {"error": str(refusal)})
            return
        self._send(200, "text/html; charset=utf-8", self.server.page)

    def do_POST(self) -> None:
        try:
            place = self._place()
            if place not in ("line", "done"):
                raise RefusedError("there is nothing here")
            record = self._record()
            if place == "line":
                self._take(record)
        except (RefusedError, TextdlError) as refusal:
            self.close_connection = True  # what was not read of the body is no request
            self._answer(400, {"error": str(refusal)})
            return
        self._answer(200, {"lines": len(self.server.notebook)})
        if place == "done":
            threading.Thread(target=self.server.shutdown, daemon=True).start()

    def _place(self) -> str:
        """What is asked for, below the token."""
        if self.headers.get("Host", "").lower() not in self.server.hosts:
            raise RefusedError("another host was meant; open the address that textdl capture told")
        origin = self.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://").lower() not in self.server.hosts:
            raise RefusedError("that comes from another page; open the address that textdl capture told")
        _, token, *rest = [*self.path.split("/"), ""]
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            raise RefusedError("there is nothing here; open the address that textdl capture told")
        return "/".join(rest).rstrip("/")

    def _record(self) -> Any:
        """The body, which must be JSON."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or len(length) > 12:
            raise RefusedError("the length of the line is not said; send Content-Length")
        if int(length) > LARGEST:
            raise RefusedError(f"a line must have at most {LARGEST:,} bytes, got {int(length):,}; divide it")
        try:
            body = self.rfile.read(int(length))
        except OSError:
            raise RefusedError("the line did not come in time; send it again") from None
        if len(body) < int(length):
            raise RefusedError("the line was cut short; send it again")
        try:
            return json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            raise RefusedError("that is no JSON; send an object with text and strokes") from None

    def _take(self, record: Any) -> None:
        """Save a line."""
        line = line_of(record, self.server.step)
        name = record.get("id")
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise RefusedError("a line must have an id, a short text of its own; send one")
        with self.server.writing:
            self.server.notebook.save(line, name)

    def _answer(self, code: int, values: dict[str, Any]) -> None:
        self._send(code, "application/json", json.dumps(values).encode())

    def _send(self, code: int, kind: str, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the page tells the person."""
