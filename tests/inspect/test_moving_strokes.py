"""The SVG that shows the pen, in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from textdl.strokes import drawing
from textdl.strokes.line import of_strokes

from .browser import browser

LINE = of_strokes([np.array([[0, 0], [30.0, 0]]), np.array([[40, 0], [60.0, 20], [80, 0]]), np.array([[90.0, 0]])])
SHOWN = """
[...document.querySelectorAll('[data-stroke]')].map(stroke => getComputedStyle(stroke)).map(
  style => style.visibility === 'hidden' ? 0 : 1 - (parseFloat(style.strokeDashoffset) || 0))
"""


def test_the_pen_moves(tmp_path: Path) -> None:
    """How much of each stroke is there at some times; the tip is where the ink ends, and goes when it is done."""
    drawing.svg([LINE], tmp_path / "a.svg", animate=True, seconds=10)
    with browser(tmp_path) as page:
        page.open((tmp_path / "a.svg").as_uri())

        def at(seconds: float) -> list[float]:
            page.run(f"document.getAnimations().forEach(one => {{ one.pause(); one.currentTime = {1000 * seconds}; }})")
            shown: list[float] = page.run(SHOWN)
            return shown

        assert at(0) == [0, 0, 0]
        first = float(page.run("document.getElementById('stroke-1').style.getPropertyValue('--t')")[:-1])
        assert 2 < first < 4
        assert at(first / 2) == pytest.approx([0.5, 0, 0], abs=0.01)
        moved = "new DOMMatrix(getComputedStyle(document.querySelector('.tip')).transform)"
        tip = f"new DOMPoint().matrixTransform({moved}).x"
        ends = page.run(
            "(() => { const box = document.getElementById('stroke-1').getBBox(); return [box.x, box.width]; })()"
        )
        assert page.run(tip) == pytest.approx(ends[0] + ends[1] / 2, abs=0.5)
        middle = at(first + 2)
        assert middle[0] == 1
        assert 0.2 < middle[1] < 0.9
        assert middle[2] == 0
        assert at(10.1) == [1, 1, 1]
        assert page.run("getComputedStyle(document.querySelector('.tip')).visibility") == "hidden"


def test_less_motion_is_all_at_once(tmp_path: Path) -> None:
    drawing.svg([LINE], tmp_path / "a.svg", animate=True, seconds=3600)
    with browser(tmp_path) as page:
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        page.open((tmp_path / "a.svg").as_uri())
        assert page.run(SHOWN) == [1, 1, 1]
        assert page.run("getComputedStyle(document.querySelector('.tip')).display") == "none"
