"""Figures of a classifier of points as tables: what ``textdl evaluate`` prints of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .class_tables import show_classes


def show_points(figures: Mapping[str, Any]) -> None:
    """Print the figures of a classifier of points."""
    show_classes(figures, "points")
