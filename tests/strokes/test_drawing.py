"""Pictures of strokes: what is drawn is what was written, in its order."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from textdl.errors import ConfigError, RunError
from textdl.strokes import drawing, drawing_raster
from textdl.strokes.drawing_curves import controls, flattened, path_data
from textdl.strokes.drawing_layout import LETTER, clearance, measure, place
from textdl.strokes.drawing_svg import timed
from textdl.strokes.line import of_strokes, to_strokes
from textdl.strokes.svg_paths import read_svg

NAME = "{http://www.w3.org/2000/svg}"
BLANK = np.zeros((0, 3), np.float32)


def letters(count: int = 8, height: float = 10.0, drift: float = 0.0) -> NDArray[np.float32]:
    """Zigzags as high as small letters, one with an ascender and one with a tail; standing on y = 0."""
    strokes = []
    for at in range(count):
        x, y = 8.0 * at, drift * at
        top = -2.2 * height if at == 2 else -height
        low = 1.1 * height if at == 5 else 0.0
        strokes.append(np.array([(x, y - height), (x + 1, y), (x + 3, y + top), (x + 5, y + low), (x + 6, y - height)]))
    return of_strokes(strokes)


def wave(points: int = 40, seed: int = 0) -> NDArray[np.float32]:
    made = np.random.default_rng(seed).normal(0, 3, (points, 3)).astype(np.float32)
    made[:, 0] += 1.5
    made[:, 2] = 0
    made[[points // 3, -1], 2] = 1
    made[0, :2] = 0
    return made


def shapes(svg: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter(f"{NAME}path") if one.get("data-stroke")]


def knots(data: str) -> NDArray[np.float64]:
    """The points that a path goes through: of a curve every third."""
    numbers = np.array([float(one) for one in re.findall(r"-?[\d.]+", data)])
    if data.endswith("h0"):
        return numbers[:2].reshape(1, 2)
    return numbers.reshape(-1, 2)[:: 3 if "C" in data else 1]


def test_every_stroke_in_its_order_and_place() -> None:
    """One path a stroke; all points of all lines by one factor, each line moved as a whole."""
    lines = [wave(40, 1), BLANK, wave(31, 2), of_strokes([np.zeros((1, 2)), np.array([[4, 4], [9, 5]])])]
    made = shapes(drawing.svg(lines))
    strokes = [stroke for line in lines if len(line) for stroke in to_strokes(line)]
    assert [one.get("data-stroke") for one in made] == [str(at) for at in range(1, len(strokes) + 1)]
    assert [one.get("id") for one in made] == [f"stroke-{at}" for at in range(1, len(strokes) + 1)]
    drawn = [knots(str(one.get("d"))) for one in made]
    sizes = [np.ptp(one, axis=0) for one in strokes]
    factor = np.ptp(drawn[0], axis=0)[0] / sizes[0][0]
    moves = []
    for line in filter(len, lines):
        own = to_strokes(line)
        here, drawn = drawn[: len(own)], drawn[len(own) :]
        gap = np.concatenate(here) - factor * np.concatenate(own)
        np.testing.assert_allclose(gap, np.broadcast_to(gap[0], gap.shape), atol=0.02)
        moves.append(gap[0])
    assert moves[0][1] < moves[1][1] < moves[2][1]


def test_read_back(tmp_path: Path) -> None:
    """What is drawn is read as the same strokes, with the text as its title."""
    line = letters()
    drawing.svg([line], tmp_path / "a.svg", title="a line", look=drawing.Look(curved=False))
    read = read_svg(tmp_path / "a.svg")
    assert read.text == "a line"
    factor = LETTER / measure(to_strokes(line)).letter
    np.testing.assert_allclose(read.points, line * [factor, factor, 1], atol=0.02)


def catmull_rom(p: list[NDArray[np.float64]], part: float) -> NDArray[np.float64]:
    """Centripetal, by the recursion of Barry and Goldman, between p[1] and p[2]."""
    t = list(itertools.accumulate((math.dist(a, b) ** 0.5 for a, b in itertools.pairwise(p)), initial=0.0))
    at = t[1] + part * (t[2] - t[1])

    def between(a: Any, b: Any, begin: float, end: float) -> Any:
        return (end - at) / (end - begin) * a + (at - begin) / (end - begin) * b

    a1, a2, a3 = (between(p[n], p[n + 1], t[n], t[n + 1]) for n in range(3))
    b1, b2 = between(a1, a2, t[0], t[2]), between(a2, a3, t[1], t[3])
    return between(b1, b2, t[1], t[2])  # type: ignore[no-any-return]


def test_curves_are_centripetal_catmull_rom() -> None:
    stroke = np.random.default_rng(3).normal(0, 5, (9, 2))
    first, second = controls(stroke)
    for at in range(1, 7):
        for part in (0.0, 0.2, 0.5, 0.9):
            bezier = (
                (1 - part) ** 3 * stroke[at]
                + 3 * (1 - part) ** 2 * part * first[at]
                + 3 * (1 - part) * part**2 * second[at]
                + part**3 * stroke[at + 1]
            )
            np.testing.assert_allclose(bezier, catmull_rom(list(stroke[at - 1 : at + 3]), part), atol=1e-9)
    np.testing.assert_allclose(flattened(stroke)[::6], stroke, atol=1e-12)
    straight = np.array([[0, 0], [1, 1], [4, 4], [5, 5.0]])
    np.testing.assert_allclose(np.ptp(flattened(straight) @ [1, -1]), 0, atol=1e-12)


def test_points_on_top_of_each_other() -> None:
    """Neither a division by zero nor a lost dot."""
    with np.errstate(all="raise"):
        assert path_data(np.array([[3.0, 4.0]] * 3)) == "M3,4h0"
        assert path_data(np.array([[3.0, 4.0], [3.0, 4.0], [5.0, 4.0]])) == "M3,4L5,4"
        assert "nan" not in drawing.svg(
            [of_strokes([np.zeros((2, 2)), np.array([[1, 1], [1, 1], [2, 5], [2, 5], [7, 5]])])]
        )


def test_measure_of_a_hand() -> None:
    """The median: neither an ascender, nor a tail, nor a line that climbs makes the letters larger."""
    assert measure(to_strokes(letters())) == pytest.approx((10, 10))  # it begins at the top of the first letter
    assert measure(to_strokes(letters(height=30))).letter == pytest.approx(30)
    assert measure(to_strokes(letters(30, drift=0.3))).letter == pytest.approx(10, rel=0.15)
    printed = [np.array([[5.0 * at, 0], [5.0 * at, 20 if at == 1 else 10]]) for at in range(5)]
    assert measure(printed) == (10, 10), "strokes that only go down have a top too"
    dash = of_strokes([np.array([[0, 0], [12.0, 0]])])
    assert measure(to_strokes(dash)) == (12, 0)
    assert measure([np.zeros((1, 2))]).letter == 1


def test_lines_stand_on_even_baselines() -> None:
    placed = place([letters(), BLANK, letters(3), letters()])
    assert np.ptp(np.diff(placed.baselines)) < 1e-9
    for strokes, baseline in zip(placed.lines, placed.baselines, strict=True):
        for at, stroke in enumerate(strokes):
            if at not in (2, 5):
                assert stroke[:, 1].max() == pytest.approx(baseline)
                assert stroke[:, 1].min() == pytest.approx(baseline - LETTER)
    every = np.concatenate([stroke for strokes in placed.lines for stroke in strokes])
    assert every.min() > LETTER
    assert (every.max(0) < [placed.width - LETTER, placed.height - LETTER]).all()


def test_lines_never_touch() -> None:
    """A long tail over a tall letter pushes the lines apart; side by side they pass."""
    tail, tall = np.array([[0, -16], [0, 60.0]]), np.array([[0, -60], [0, 0.0]])
    beside = np.array([[200, -60], [200, 0.0]])
    assert clearance([tail], [tall]) == pytest.approx(60 + 60 + 4)
    assert clearance([tail], [beside]) == 0
    assert clearance([tail], [beside, np.array([[0, -16], [0, 0.0]])]) == pytest.approx(60 + 16 + 4)
    assert clearance([], [tall]) == 0
    without_end = np.array([[0, -16], [1e12, 60.0]])  # looked at in wide columns, not in as many as fit in no memory
    assert clearance([without_end], [without_end]) >= 60 + 16
    for gap in range(0, 17, 4):
        across = np.array([[gap, -60], [gap, 0.0]])
        assert clearance([tail], [across]) == pytest.approx(124), "just beside is not side by side"
    hook = np.array([[100, 0], [101.0, 60], [102, 0]])
    placed = place([of_strokes([*to_strokes(letters()), hook])] * 2)
    assert np.diff(placed.baselines)[0] > 5 * LETTER


def test_title_and_description_are_xml() -> None:
    made = ET.fromstring(drawing.svg([letters()], title='<a> & "b"\x00\x1b\ud800', description="two\nlines"))
    assert made.findtext(f"{NAME}title") == '<a> & "b"���'
    assert made.findtext(f"{NAME}desc") == "two\nlines"
    assert made.get("role") == "img"
    told = ET.fromstring(drawing.svg([letters(), BLANK])).findtext(f"{NAME}desc") or ""
    assert "8 strokes" in told
    assert "1 line." in told


def test_a_pen_in_proportion_to_the_writing() -> None:
    """Whatever units the strokes are in, the picture is the same."""
    small = letters()
    large = (small * [1000, 1000, 1]).astype(np.float32)
    assert drawing.svg([small]) == drawing.svg([large])
    assert 'stroke-width="2.24"' in drawing.svg([small])


def test_times_go_by_the_way_of_the_pen() -> None:
    strokes = [[np.array([[0, 0], [30.0, 40]]), np.array([[0, 0], [100.0, 0]])], [], [np.zeros((1, 2))]]
    timing = timed(strokes, 10.0, True)
    ways = np.array([50, 100, 0]) + LETTER / 2  # a dot takes its time too
    np.testing.assert_allclose(timing.durations, 10 * ways / ways.sum())
    np.testing.assert_allclose(timing.begins, [0, *np.cumsum(timing.durations)[:-1]])
    made = shapes(drawing.svg([letters()], animate=True, seconds=4))
    starts = [float(re.search(r"--d:([\d.]+)s", str(one.get("style")))[1]) for one in made]  # type: ignore[index]
    assert starts == sorted(starts)
    assert 3 < starts[-1] < 4


def test_png_holds_the_ink(tmp_path: Path) -> None:
    """The area of a straight stroke is its length times the width of the pen, and its round ends."""
    line = of_strokes([np.array([[0, 0], [100.0, 0]])])  # its letter is 100: drawn 16 units long
    look = drawing.Look(ink="#000000", paper="#ffffff", width=0.25)
    drawing.png([line], tmp_path / "a.png", 10, look)
    with Image.open(tmp_path / "a.png") as picture:
        dark = 1 - np.asarray(picture.convert("L")) / 255
        assert picture.size == (800, 640)
    assert dark.sum() == pytest.approx(160 * 40 + math.pi * 20**2, rel=0.02)
    rows, columns = np.nonzero(dark > 0.5)
    assert (np.ptp(rows), np.ptp(columns)) == (pytest.approx(40, abs=2), pytest.approx(200, abs=2))
    drawing.png([line] * 3, tmp_path / "clear.png", 2, drawing.Look(paper=None))
    with Image.open(tmp_path / "clear.png") as picture:
        assert picture.mode == "RGBA"
        assert picture.getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_png_and_gif_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing_raster, "MOST", 200_000)
    lines = [letters(60)] * 6
    drawing.png(lines, tmp_path / "a.png", 50)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size[0] * picture.size[1] <= 201_000
    drawing.gif(lines, tmp_path / "a.gif", frames=12)
    with Image.open(tmp_path / "a.gif") as moving:
        assert moving.n_frames <= 12  # type: ignore[attr-defined]
        assert moving.size[0] <= 1000
        assert moving.size[1] <= 1400


def test_gif_shows_the_pen(tmp_path: Path) -> None:
    """Ink only ever grows, from the left on; the last frame is the whole picture."""
    look = drawing.Look(ink="#000000", paper="#ffffff", ruled=True, rule="#ff0000")
    drawing.gif([letters()], tmp_path / "a.gif", frames=20, seconds=2, look=look)
    with Image.open(tmp_path / "a.gif") as moving:
        frames = []
        assert moving.n_frames == 20  # type: ignore[attr-defined]
        for at in range(20):
            moving.seek(at)
            frames.append(255 - np.asarray(moving.convert("RGB"))[..., 0].astype(int))
    for before, after in itertools.pairwise(frames):
        assert (after >= before).all()
    amounts = [frame.sum() for frame in frames]
    assert amounts[-1] > 1.5 * amounts[9] > 0
    assert np.nonzero(frames[4] > 100)[1].max() < 0.5 * frames[4].shape[1]
    drawing.png([letters()], tmp_path / "a.png", 1.5, look)
    with Image.open(tmp_path / "a.png") as whole:
        ink = 255 - np.asarray(whole)[..., 0].astype(int)
    assert abs(ink - frames[-1]).max() <= 20, "in fewer shades"


def bounds(svg: str) -> tuple[NDArray[np.float64], float, float]:
    root = ET.fromstring(svg)
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    return np.concatenate([knots(str(one.get("d"))) for one in shapes(svg)]), width, height


def test_a_card() -> None:
    """A larger title, an indented list with dots, strokes numbered on; everything inside the border."""
    Block = drawing.Block
    blocks = [
        Block([letters()], 1.75, head=True),
        Block([letters(), letters()], 1, 3, "dot"),
        Block([BLANK, letters(4)]),
    ]
    made = drawing.page(blocks, title="Soup")
    points, width, height = bounds(made)
    assert points.min() > 20
    assert (points.max(0) < [width - 20, height - 20]).all()
    numbered = [int(str(one.get("data-stroke"))) for one in shapes(made)]
    assert numbered == list(range(1, 8 * 3 + 4 + 1))
    tall = [np.ptp(knots(str(one.get("d")))[:, 1]) for one in shapes(made)]
    assert tall[0] == pytest.approx(1.75 * tall[8], rel=0.01)
    left = [knots(str(one.get("d")))[:, 0].min() for one in shapes(made)]
    assert left[8] - left[0] == pytest.approx(3 * LETTER, abs=0.1)
    assert made.count('class="mark"') == 1
    groups = [one.get("data-line") for one in ET.fromstring(made).iter(f"{NAME}g") if one.get("data-line")]
    assert groups == ["1", "2", "3", "5"], "a blank line counts"
    assert drawing.page([([letters()], 1, 0)]) == drawing.page([Block([letters()])]), "plain tuples do"


def test_what_is_too_wide_is_written_smaller() -> None:
    points, width, _ = bounds(drawing.page([drawing.Block([letters(200)]), drawing.Block([letters(3)])]))
    assert width - 60 < points[:, 0].max() <= width - 55


@pytest.mark.parametrize(
    "lines, message",
    (
        ([], "a drawing needs a line with strokes"),
        ([BLANK], "a drawing needs a line with strokes"),
        ([letters(), np.full((3, 3), np.nan)], "line 2 to draw has NaN"),
        ([np.zeros((3, 2))], r"line 1 to draw must be points \[T, 3\]"),
        ([np.array([["a"] * 3])], "line 1 to draw must be points"),
    ),
)
def test_what_can_not_be_drawn(lines: list[Any], message: str, tmp_path: Path) -> None:
    for draw in (drawing.svg, drawing.png, drawing.gif):
        with pytest.raises(ConfigError, match=message):
            draw(lines, tmp_path / "out")
    with pytest.raises(ConfigError):
        drawing.page([drawing.Block(lines)])
    assert not list(tmp_path.iterdir())


def test_settings_that_are_none(tmp_path: Path) -> None:
    for seconds in (0, -1, math.nan, math.inf):
        with pytest.raises(ConfigError, match="seconds"):
            drawing.svg([letters()], animate=True, seconds=seconds)
        with pytest.raises(ConfigError, match="seconds"):
            drawing.gif([letters()], tmp_path / "a.gif", seconds=seconds)
    with pytest.raises(ConfigError, match="frames"):
        drawing.gif([letters()], tmp_path / "a.gif", frames=1)
    with pytest.raises(ConfigError, match="scale"):
        drawing.png([letters()], tmp_path / "a.png", 0)
    with pytest.raises(ConfigError, match="colour"):
        drawing.png([letters()], tmp_path / "a.png", look=drawing.Look(ink="blurple"))
    with pytest.raises(ConfigError, match="block 1: size"):
        drawing.page([drawing.Block([letters()], 0)])
    with pytest.raises(RunError):
        drawing.svg([letters()], tmp_path / "none" / "a.svg")
