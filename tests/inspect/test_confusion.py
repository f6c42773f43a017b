"""The picture of a confusion matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from textdl.errors import ConfigError, TextdlError
from textdl.inspect.confusion import draw_confusion


def square(count: int) -> dict[str, object]:
    counts = np.random.default_rng(count).integers(0, 9, (count, count)) + 3 * np.eye(count, dtype=int)
    return {"labels": [f"class {number}" for number in range(count)], "counts": counts.tolist()}


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_every_kind_of_picture_is_the_same_each_time(suffix: str, start: bytes, tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw_confusion(square(3), tmp_path / f"{name}{suffix}", "three")
    one, two = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
    assert one.startswith(start)
    assert one == two
    assert len(list(tmp_path.iterdir())) == 2, "no temporary file is left"


def test_what_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rows are shaded by their shares, each cell holds its own count, and a label is no formula."""
    from matplotlib.figure import Figure

    figures = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k)))
    counts = [[6, 2], [0, 0]]
    draw_confusion({"labels": ["$x$ & a", "b" * 50], "counts": counts}, tmp_path / "c.svg", "50 $ for $ 5")
    axes = figures[0].axes[0]
    assert np.asarray(axes.images[0].get_array()).tolist() == [[0.75, 0.25], [0.0, 0.0]]
    assert {(t.get_position(), t.get_text()) for t in axes.texts} == {
        ((0, 0), "6"), ((1, 0), "2"), ((0, 1), "0"), ((1, 1), "0"),
    }  # fmt: skip
    assert axes.get_ylabel() == "truth"
    assert axes.get_xlabel() == "predicted"
    names = [t.get_text() for t in axes.get_yticklabels()]
    assert names == [t.get_text() for t in axes.get_xticklabels()] == ["$x$ & a", "b" * 27 + "…"]
    assert not any(t.get_parse_math() for t in [*axes.get_yticklabels(), *axes.get_xticklabels(), axes.title])


@pytest.mark.parametrize("count", [2, 50])
def test_counts_fit_their_cells_and_nothing_is_cut_off(
    count: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (figures.append(self), self.draw_without_rendering()))
    confusion = square(count)
    confusion["counts"][0][0] = 123456
    confusion["labels"][-1] = "a label that is quite long"
    draw_confusion(
        confusion, tmp_path / "c.png", "a_corpus_with_a_name_of_forty_characters, validation: accuracy 0.1234"
    )
    figure, axes = figures[0], figures[0].axes[0]
    renderer = figure.canvas.get_renderer()
    cell = axes.get_window_extent(renderer).width / count
    widest = max(axes.texts, key=lambda text: len(text.get_text()))
    assert widest.get_window_extent(renderer).width <= cell
    assert widest.get_window_extent(renderer).height > 6, "readable"
    whole = figure.bbox
    for piece in (axes.xaxis.label, axes.yaxis.label, axes.title, axes.get_yticklabels()[-1]):
        box = piece.get_window_extent(renderer)
        assert box.x0 >= whole.x0 - 1
        assert box.x1 <= whole.x1 + 1
        assert box.y0 >= whole.y0 - 1
        assert box.y1 <= whole.y1 + 1


@pytest.mark.parametrize(
    ("confusion", "name", "said"),
    [
        (square(2), "c.gif", ".png"),
        ({"labels": ["a"], "counts": [[1, 2]]}, "c.png", "a row and a column"),
        ({"labels": [], "counts": []}, "c.png", "a row and a column"),
        ({"labels": ["a"], "counts": [[0.5]]}, "c.png", "a row and a column"),
        ({"labels": ["a"], "counts": [[-1]]}, "c.png", "a row and a column"),
    ],
)
def test_bad_input(confusion: dict[str, object], name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        draw_confusion(confusion, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TextdlError, match="can not be written"):
        draw_confusion(square(2), tmp_path / "nowhere" / "c.png")
