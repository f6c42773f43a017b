"""Shared by the tests of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .classifiers import HandMade


@pytest.fixture
def hand_made(monkeypatch: pytest.MonkeyPatch) -> Callable[..., HandMade]:
    """``hand_made(several=True)`` makes a classifier and lets every command find it as the run ``RUN``."""

    def make(**settings: Any) -> HandMade:
        from textdl.tasks import base

        made, load = HandMade(**settings), base.load
        monkeypatch.setattr(base, "load", lambda path, *more: made if Path(path).name == "RUN" else load(path, *more))
        return made

    return make
