"""What a training shows."""

from __future__ import annotations

import io

from rich.console import Console

from textdl.training.events import Evaluated, Note, Started
from textdl.training.observers import LiveView, PlainView, view

EVENTS = [
    Started("on \x1b[31mred", {"classes": "\x1b]0;owned\x07 :cat:"}, 3, "token", 0),
    Evaluated(1, 0.5, {"loss": 1.0}, "\x1b[2Jsample :dog:", 1.0),
    Note("done with :cat: \x9b1m"),
]


def test_what_is_shown_of_somebodys_data_gives_the_terminal_no_orders() -> None:
    for live in (False, True):
        shown = io.StringIO()
        watch = view(shown)
        assert isinstance(watch, PlainView)
        if live:
            watch = LiveView(Console(file=shown, force_terminal=True, color_system=None, emoji=False, width=100))
        for event in EVENTS:
            watch(event)
        if isinstance(watch, LiveView):
            watch.close()
        text = shown.getvalue()
        assert ":cat:" in text
        assert ":dog:" in text
        for order in ("\x1b[31m", "\x1b]0;", "\x07", "\x1b[2J", "\x9b"):
            assert order not in text, repr(order)
