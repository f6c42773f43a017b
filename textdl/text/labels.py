"""Labels as people read them."""

from __future__ import annotations


def in_order(label: str) -> tuple[int, int, str]:
    """Whole numbers first, in order of number; all other labels by their text."""
    return (0, int(label), label) if label.isdecimal() and label.isascii() and len(label) < 20 else (1, 0, label)
