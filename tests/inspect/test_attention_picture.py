"""Pictures and pages of what the words of a translation looked at."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from textdl.errors import ConfigError
from textdl.inspect.attention_picture import draw_attention
from textdl.tasks.alignment import Alignment


def alignment(source: list[str], target: list[str]) -> Alignment:
    weights = np.random.default_rng(0).dirichlet(np.ones(len(source)), len(target)).astype(np.float32)
    return Alignment(tuple(source), tuple(target), weights, " ".join(target))


@pytest.mark.parametrize(
    "source, target",
    [
        (["one"], ["\ufffd" * 24]),
        (["W" * 24], ["M" * 30]),
        (["a"], list("abcdefghij") * 12),
        (list("abcdefghij") * 30, ["x", "y"]),
        (["$1^$", "<b>"], ["&amp;", "ñ"]),
    ],
    ids=["wide letters", "capitals", "tall", "broad", "signs"],
)
def test_there_is_room_for_all_words(source: list[str], target: list[str], tmp_path: Path) -> None:
    path = tmp_path / "why.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a picture too small for what stands beside it
        draw_attention(alignment(source, target), path)
        before = path.read_bytes()
        draw_attention(alignment(source, target), path)
    assert path.read_bytes() == before, "the same each time"


def test_what_can_not_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the translation has no word"):
        draw_attention(Alignment(("a",), (), np.zeros((0, 1), np.float32), ""), tmp_path / "why.html")
    assert not list(tmp_path.iterdir())
