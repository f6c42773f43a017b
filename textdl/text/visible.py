"""Text that somebody wrote, as it can be shown."""

from __future__ import annotations


def visible(text: str) -> str:
    """The text without what a terminal or a browser would take for an order: control characters become pictures."""
    shown = "".join(
        c if c in "\n\t" or c.isprintable() or ord(c) > 0x9F else chr(0x2400 + ord(c)) if ord(c) < 32 else "�"
        for c in text
    )
    return shown.encode("utf-8", "replace").decode("utf-8")
