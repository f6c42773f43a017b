"""Projection to a plane against scikit-learn and planted groups; the picture by its labels."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from textdl.vectors import projection
from textdl.vectors.projection import draw, plot_words, project
from textdl.vectors.word_vectors import VectorsError, WordVectors


def groups(seed: int = 0) -> NDArray[np.float64]:
    """Two groups of 15 far from each other, in 10 dimensions."""
    rows = np.random.default_rng(seed).standard_normal((30, 10))
    rows[15:] += 12
    return rows


def apart(points: NDArray[np.float64]) -> bool:
    """Whether every point is nearer to all of its own group than to any of the other."""
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    own = np.kron(np.eye(2, dtype=bool), np.ones((15, 15), bool))
    return all(gaps[n][own[n]].max() < gaps[n][~own[n]].min() for n in range(30))


@pytest.mark.parametrize("shape", [(40, 10), (5, 30), (3, 2)])
def test_pca_is_that_of_scikit_learn_but_for_the_signs(shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(0).standard_normal(shape)
    ours, theirs = project(rows), PCA(2).fit_transform(rows)
    assert np.allclose(np.abs(ours), np.abs(theirs))
    assert (ours[np.abs(ours).argmax(axis=0), [0, 1]] > 0).all()


def test_pca_keeps_the_distances_of_what_lies_on_a_plane() -> None:
    plane = np.random.default_rng(1).standard_normal((12, 2))
    turned = plane @ np.linalg.qr(np.random.default_rng(2).standard_normal((7, 7)))[0][:2] + 5
    points = project(turned)
    for a, b in itertools.combinations(range(12), 2):
        assert np.linalg.norm(points[a] - points[b]) == pytest.approx(np.linalg.norm(plane[a] - plane[b]))


def test_pca_of_a_line_and_of_one_point() -> None:
    assert project(np.array([[1.0], [2], [4]])).tolist() == pytest.approx(
        np.array([[-4 / 3, 0], [-1 / 3, 0], [5 / 3, 0]])
    )
    assert project(np.ones((4, 3))).tolist() == [[0, 0]] * 4


def test_tsne_keeps_groups_apart_and_its_seed() -> None:
    points = project(groups(), "tsne", seed=3)
    assert points.shape == (30, 2)
    assert apart(points)
    assert np.array_equal(points, project(groups(), "tsne", seed=3))
    assert project(np.eye(3), "tsne").shape == (3, 2)  # fewer words than the usual perplexity
    assert np.isfinite(project(np.ones((5, 2)), "tsne")).all()


def test_umap_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(VectorsError, match="pip install umap-learn, or take the projection 'tsne' or 'pca'"):
        project(groups(), "umap")


def test_umap_is_asked_for_what_the_words_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Stand:
        def __init__(self, **settings: Any) -> None:
            asked.update(settings)

        def fit_transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
            return rows[:, :2]

    module = ModuleType("umap")
    module.UMAP = Stand  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", module)
    assert np.array_equal(project(groups()[:6], "umap", seed=9), groups()[:6, :2])
    assert (asked["random_state"], asked["n_neighbors"]) == (9, 5)


@pytest.mark.parametrize(
    "matrix, method, message",
    [
        (np.ones((1, 3)), "pca", r"at least 2 vectors, \[N, D\], got the shape \(1, 3\)"),
        (np.ones((2, 3)), "tsne", "at least 3"),
        (np.ones(3), "pca", r"got the shape \(3,\)"),
        (np.ones((3, 0)), "pca", "got the shape"),
        (np.full((3, 2), np.nan), "pca", "finite"),
        (np.ones((3, 2)), "tnse", "'tnse'; did you mean 'tsne'"),
    ],
)
def test_what_can_not_be_projected(matrix: NDArray[np.float64], method: Any, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        project(matrix, method)


def vectors() -> WordVectors:
    words = [f"word{n}" for n in range(28)] + ["$x^", "日本"]
    return WordVectors(words, groups().astype(np.float32))


@pytest.mark.filterwarnings("ignore:.* letters are drawn as boxes")
@pytest.mark.parametrize(
    "suffix, start", [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_the_same_words_give_the_same_picture(tmp_path: Path, suffix: str, start: bytes) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    plot_words(vectors(), vectors().words, first, title="a $ of words_1")
    plot_words(vectors(), vectors().words, second, title="a $ of words_1")
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == second.read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_letters_that_no_font_has_are_told_once(tmp_path: Path) -> None:
    nowhere = "\U00012000\U00012001"  # cuneiform
    with pytest.warns(UserWarning, match="install one") as told:
        draw([nowhere, nowhere[0]], np.eye(2), tmp_path / "a.png")
    assert [str(warning.message).split(" are ")[0] for warning in told] == ["2 letters"]
    assert told[0].filename == __file__


def test_points_are_those_of_the_unit_vectors(tmp_path: Path) -> None:
    words = ["word3", "word20", "word7", "word3"]
    points = plot_words(vectors(), words, tmp_path / "a.svg")
    rows = np.array([vectors()[word] for word in ("word3", "word20", "word7")], np.float64)
    assert np.allclose(points, project(rows / np.linalg.norm(rows, axis=1, keepdims=True)))


def test_lists_of_words_have_colours_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(projection, "draw", lambda words, points, path, groups, *rest: seen.append((words, groups)))
    plot_words(vectors(), [["word1", "word2"], ["word2", "word3"], ["word4"]], tmp_path / "a.svg")
    plot_words(vectors(), ["word1", "word2"], tmp_path / "a.svg")
    assert seen == [(["word1", "word2", "word3", "word4"], [0, 0, 1, 2]), (["word1", "word2"], [0, 0])]


def labels(points: NDArray[np.float64]) -> tuple[list[Any], NDArray[np.float64], Any, list[Any]]:
    """The rectangles of the labels, the dots, the frame and the lines from dots to labels [2, 2], in pixels."""
    figure = Figure(figsize=(10, 8), dpi=120, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.scatter(points[:, 0], points[:, 1], s=9)
    axes.margins(0.08)
    words = [f"label{n}" for n in range(len(points) - 3)] + ["a label as long as this"] * 3  # of dots in corners
    projection._label(figure, axes, words, points, ["C0"] * len(points))
    canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    lines = [axes.transData.transform(line.get_xydata()) for line in axes.lines]
    return boxes, axes.transData.transform(points), axes.get_window_extent(), lines


@pytest.mark.parametrize("spread", [1.0, 0.25])
def test_labels_keep_off_each_other_the_dots_and_the_frame(spread: float) -> None:
    generator = np.random.default_rng(0)
    points = np.concatenate([generator.normal(0, spread, (40, 2)), [[-2, -2], [2, 2], [2, -2]]])
    boxes, dots, frame, lines = labels(points)
    assert len(boxes) == 43
    for one, other in itertools.combinations(boxes, 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        up = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(across, up) < 1.5  # pixels
    for number, box in enumerate(boxes):
        assert frame.x0 - 1 < box.x0 < box.x1 < frame.x1 + 1
        assert frame.y0 - 1 < box.y0 < box.y1 < frame.y1 + 1
        covered = [n for n, (x, y) in enumerate(dots) if box.x0 < x < box.x1 and box.y0 < y < box.y1]
        assert not covered
        near = np.clip(dots[number], [box.x0, box.y0], [box.x1, box.y1])
        gap = np.linalg.norm(near - dots[number])
        assert gap < 120
        if gap > 12:  # pixels: too far to be seen to belong to it without a line
            assert any(np.allclose(line, [dots[number], near], atol=2) for line in lines)
    assert len(lines) < len(boxes) / 2 or spread < 1


def test_other_mistakes(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match=r"a picture ends in \.png, \.svg, \.pdf, got 'a.gif'"):
        plot_words(vectors(), ["word1", "word2"], tmp_path / "a.gif")
    with pytest.raises(VectorsError, match="'wurd1' is not among the 30 words; did you mean"):
        plot_words(vectors(), ["wurd1", "word2"], tmp_path / "a.png")
    with pytest.raises(VectorsError, match="at least 2 vectors"):
        plot_words(vectors(), ["word1"], tmp_path / "a.png")
    with pytest.raises(VectorsError, match="at least 2 vectors"):
        plot_words(vectors(), [], tmp_path / "a.png")
    with pytest.raises(VectorsError, match="got the text 'word1'"):
        plot_words(vectors(), "word1", tmp_path / "a.png")
    with pytest.raises(VectorsError, match=r"shape \(2, 2\), got \(3, 2\)"):
        draw(["a", "b"], np.zeros((3, 2)), tmp_path / "a.png")
    with pytest.raises(VectorsError, match="each of 2 points, got 1"):
        draw(["a", "b"], np.zeros((2, 2)), tmp_path / "a.png", [0])
    assert not list(tmp_path.iterdir())
