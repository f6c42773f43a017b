"""IAM-OnDB, InkML and SVG files written by hand, read into lines; and what is refused of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from textdl.errors import CorpusError
from textdl.strokes.inkml import read_inkml
from textdl.strokes.line import to_strokes
from textdl.strokes.opening import read_strokes
from textdl.strokes.svg_paths import read_svg

BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


def xml_line(*strokes: list[tuple[int, int]]) -> str:
    inner = "".join(
        '<Stroke colour="black">' + "".join(f'<Point x="{x}" y="{y}" time="1.5"/>' for x, y in stroke) + "</Stroke>"
        for stroke in strokes
    )
    return f'<?xml version="1.0"?><WhiteboardCaptureSession><StrokeSet>{inner}</StrokeSet></WhiteboardCaptureSession>'


def iam(folder: Path, forms: dict[str, tuple[list[str], str]]) -> Path:
    for form, (lines, text) in forms.items():
        (folder / "lineStrokes" / form[:3] / form[:7]).mkdir(parents=True, exist_ok=True)
        (folder / "ascii" / form[:3] / form[:7]).mkdir(parents=True, exist_ok=True)
        for number, line in enumerate(lines, 1):
            (folder / "lineStrokes" / form[:3] / form[:7] / f"{form}-{number:02d}.xml").write_text(line)
        (folder / "ascii" / form[:3] / form[:7] / f"{form}.txt").write_text(text)
    return folder


def test_iam(tmp_path: Path) -> None:
    one = xml_line([(10, 20), (13, 24)], [(5, 5), (6, 5), (6, 6)])
    forms = {
        "a01-001u": ([one, xml_line([(0, 0), (1, 1)])], "OCR:\n\nwrong\n\nCSR:\n\nBy Trevor\nMr. Fox\n"),
        "a01-000x": ([one, one], "CSR:\n\nonly one line\n"),
        "b02-000a": ([xml_line([(3, 3)]), one], "CSR:\na dot\nkept\n"),
    }
    lines = read_strokes(iam(tmp_path, forms))
    assert [(line.text, line.group) for line in lines] == [
        ("By Trevor", "a01-001u"),
        ("Mr. Fox", "a01-001u"),
        ("kept", "b02-000a"),
    ]
    assert lines[0].points.tolist() == [[0, 0, 0], [3, 4, 1], [-8, -19, 0], [1, 0, 0], [0, 1, 1]]
    assert "left out 2 lines of 1 forms" in lines.notes[0]
    assert "left out 1 lines without a text or of fewer than two points" in lines.notes[1]


@pytest.mark.parametrize(
    "line, said",
    [
        (BOMB + "<StrokeSet>&b;</StrokeSet>", "declares entities"),
        ("<StrokeSet><Stroke>", "is no well-formed IAM-OnDB XML"),
        ('<StrokeSet><Stroke><Point x="1" y="nan"/></Stroke></StrokeSet>', "stroke 1, point 1 must have x and y"),
        ('<StrokeSet><Stroke><Point x="1"/></Stroke></StrokeSet>', 'must have x and y, got x="1"'),
    ],
)
def test_iam_that_is_wrong(tmp_path: Path, line: str, said: str) -> None:
    folder = iam(tmp_path, {"a01-000u": ([line], "CSR:\n\ntext\n")})
    with pytest.raises(CorpusError) as error:
        read_strokes(folder)
    assert said in str(error.value)
    assert "a01-000u-01.xml" in str(error.value)


def test_iam_without_its_texts(tmp_path: Path) -> None:
    folder = iam(tmp_path, {"a01-000u": ([xml_line([(0, 0), (1, 1)])], "OCR:\ntext\n")})
    with pytest.raises(CorpusError, match="no form has as many lines"):
        read_strokes(folder)
    next(folder.rglob("*.txt")).unlink()
    with pytest.raises(CorpusError, match="holds no transcripts in ascii"):
        read_strokes(folder)


def ink(folder: Path, inner: str, name: str = "word.inkml") -> Path:
    path = folder / name
    path.write_text(f'<ink xmlns="http://www.w3.org/2003/InkML">{inner}</ink>')
    return path


def test_inkml(tmp_path: Path) -> None:
    inner = (
        '<annotation type="writer">w</annotation><annotation type="truth"> good\n day </annotation>'
        '<traceFormat><channel name="T"/><channel name="X"/><channel name="Y"/></traceFormat>'
        "<definitions><trace>0 99 99, 1 98 98</trace></definitions>"
        '<traceGroup><annotation type="truth">g</annotation><trace>0 1 2, 10 4 6</trace>'
        '<trace type="penUp">0 0 0, 1 1 1</trace><trace>20 8.5 1e1,30 9 11</trace></traceGroup>'
    )
    line = read_inkml(ink(tmp_path, inner))
    assert line.text == "good day"
    assert line.points.tolist() == [[0, 0, 0], [3, 4, 1], [4.5, 4, 0], [0.5, 1, 1]]


def test_inkml_by_differences(tmp_path: Path) -> None:
    # As in the W3C's own example of differences: values, then steps, then changes of steps.
    line = read_inkml(ink(tmp_path, "<trace>1125 18432,'23'43,\"7\"-8,3-5,7 -3,6 2,6 8,3 6,2 4,*5</trace>"))
    (stroke,) = to_strokes(line.points)
    x, y = np.add(stroke, [1125, 18432]).T
    assert x.tolist() == [1125, 1148, 1178, 1211, 1251, 1297, 1349, 1404, 1461, 1518]
    assert y.tolist() == [18432, 18475, 18510, 18540, 18567, 18596, 18633, 18676, 18723, 18775]
    assert line.text == "word"


@pytest.mark.parametrize(
    "inner, said",
    [
        ("<trace>1 2, 3</trace>", "trace 1, point 2 must have an x and a y"),
        ("<trace>1 2, a b</trace>", "trace 1, point 2 must be numbers, got 'a b'"),
        ("<trace>1 ?, 3 4</trace>", "trace 1, point 1 must have an x and a y"),
        ("<trace>1 1e999, 3 4</trace>", "trace 1, point 1 must have an x and a y"),
        (f"<trace>1 #{'F' * 400}, 3 4</trace>", "trace 1, point 1 must have an x and a y"),
        ("<trace>1 2</trace>", "has one point"),
        ("<trace></trace>", "has no point"),
        ("", "holds no traces"),
        ('<traceFormat><channel name="X"/></traceFormat><trace>1,2</trace>', "strokes need X and Y"),
    ],
)
def test_inkml_that_is_wrong(tmp_path: Path, inner: str, said: str) -> None:
    path = ink(tmp_path, inner)
    with pytest.raises(CorpusError) as error:
        read_inkml(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def svg(folder: Path, inner: str, name: str = "word.svg", before: str = "") -> Path:
    path = folder / name
    path.write_text(f'{before}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{inner}</svg>')
    return path


def places(folder: Path, inner: str) -> list[list[list[float]]]:
    """The strokes of an SVG, from the first point of all, to a thousandth."""
    return [stroke.round(3).tolist() for stroke in to_strokes(read_svg(svg(folder, inner)).points)]


@pytest.mark.parametrize(
    "data, strokes",
    [
        ("M1 1L3 4 5 1", [[[0, 0], [2, 3], [4, 0]]]),
        ("m1 1 2 3", [[[0, 0], [2, 3]]]),
        ("m1,1l2,3 2-3", [[[0, 0], [2, 3], [4, 0]]]),
        ("M1 1 3 4M5.5.5h2v-1H1V0", [[[0, 0], [2, 3]], [[4.5, -0.5], [6.5, -0.5], [6.5, -1.5], [0, -1.5], [0, -1]]]),
        ("M0 0h2v2zl-1-1", [[[0, 0], [2, 0], [2, 2], [0, 0]], [[0, 0], [-1, -1]]]),
        ("M0 0h2zm5 5h1", [[[0, 0], [2, 0], [0, 0]], [[5, 5], [6, 5]]]),
        ("M9 9M0 0l1e1-.5", [[[0, 0], [10, -0.5]]]),
    ],
)
def test_straight_paths(tmp_path: Path, data: str, strokes: list[list[list[float]]]) -> None:
    assert places(tmp_path, f'<path d="{data}"/>') == strokes


def test_shapes_and_transforms(tmp_path: Path) -> None:
    inner = (
        '<title>hello\n there</title><defs><path d="M0 0L9 9"/></defs>'
        '<g transform="translate(10 0) scale(2)"><line x1="0" y1="0" x2="1" y2="2"/>'
        '<g transform="rotate(90)"><polyline points="0,0 1,0"/></g></g>'
        '<polygon points="0 0 1 0 1 1" transform="matrix(0 1 1 0 10 5)"/>'
        '<path display="none" d="M0 0L9 9"/><rect width="5" height="5"/>'
        '<path d="M1 0L3 0" transform="rotate(180, 2, 0), skewX(45)"/>'
    )
    # All from 10, 0, where the first stroke begins.
    assert places(tmp_path, inner) == [
        [[0, 0], [2, 4]],
        [[0, 0], [0, 2]],
        [[0, 5], [0, 6], [1, 6], [0, 5]],
        [[-7, 0], [-9, 0]],
    ]
    assert read_svg(svg(tmp_path, inner)).text == "hello there"
    assert read_svg(svg(tmp_path, '<path d="M0 0L1 1"/>', "good day.svg")).text == "good day"


def test_arcs_lie_on_their_circle_and_go_evenly(tmp_path: Path) -> None:
    for flags, middle, share in (("0 0", (0, 10), 0.25), ("1 0", (-10, 0), 0.75), ("01", (-10, 0), 0.25)):
        path = svg(tmp_path, f'<path d="M0 0A10 10 0 {flags} -10 10"/>')
        (stroke,) = to_strokes(read_svg(path).points)
        assert np.hypot(*(stroke - middle).T) == pytest.approx(np.full(len(stroke), 10), abs=0.02)
        assert stroke[-1] == pytest.approx([-10, 10], abs=1e-4)
        steps = np.hypot(*np.diff(stroke, axis=0).T)
        assert np.ptp(steps) < 0.02 * steps.mean()
        assert steps.sum() == pytest.approx(2 * math.pi * 10 * share, rel=0.01), flags


@pytest.mark.parametrize("radius", ["1e200", "1e-320"])
def test_an_arc_of_a_circle_without_bounds_is_straight(tmp_path: Path, radius: str) -> None:
    way = svg(tmp_path, f'<path d="M0 0A{radius} {radius} 0 0 0 10 0"/>')
    (stroke,) = to_strokes(read_svg(way).points)
    assert stroke[-1].tolist() == pytest.approx([10, 0], abs=1e-4)
    assert np.abs(stroke[:, 1]).max() < 5.01


def test_curves_against_their_formula(tmp_path: Path) -> None:
    t = np.linspace(0, 1, 2001)[:, None]

    def bezier(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int], d: tuple[int, int]) -> np.ndarray:
        return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * np.array(d)

    first, second = bezier((0, 0), (0, 10), (10, 10), (10, 0)), bezier((10, 0), (10, -10), (20, -10), (20, 0))
    true = np.concatenate([first, second])
    for data in ("M0 0C0 10 10 10 10 0S20-10 20 0", "m0 0c0 10 10 10 10 0s10-10 10 0"):
        (stroke,) = to_strokes(read_svg(svg(tmp_path, f'<path d="{data}"/>')).points)
        nearest = np.hypot(*(stroke[:, None] - true[None]).transpose(2, 0, 1)).min(1)
        assert nearest.max() < 0.02
        long, true_long = (np.hypot(*np.diff(way, axis=0).T).sum() for way in (stroke, true))
        assert long == pytest.approx(true_long, rel=0.01)
    quadratic = [(1 - t) ** 2 * a + 2 * (1 - t) * t * b + t**2 * c for a, b, c in ((0, 5, 10), (0, 10, 0))]
    other = [(1 - t) ** 2 * a + 2 * (1 - t) * t * b + t**2 * c for a, b, c in ((10, 15, 20), (0, -10, 0))]
    true = np.concatenate([np.hstack(quadratic), np.hstack(other)])
    (stroke,) = to_strokes(read_svg(svg(tmp_path, '<path d="M0 0Q5 10 10 0T20 0"/>')).points)
    assert np.hypot(*(stroke[:, None] - true[None]).transpose(2, 0, 1)).min(1).max() < 0.02


@pytest.mark.parametrize(
    "inner, said",
    [
        ('<path d="L1 1"/>', "can not be read from 'L1 1' on"),
        ('<path d="M1 1L2"/>', "shape 1 has path data that can not be read"),
        ('<path d="M1 1X2 2"/>', "can not be read from 'X2 2' on"),
        ('<path d="M1 1Z5"/>', "can not be read from '5' on"),
        ('<path d="M0 0A1 1 0 2 0 1 1"/>', "can not be read from '2 0 1 1' on"),
        ('<path d="M0 0L1e999 0"/>', "can not be read"),
        ('<path d=" , "/>', "holds no paths"),
        ('<path transform="scale(1e308)" d="M0 0Q1e10 1 2 2"/>', "places that are no numbers, or too large"),
        ('<path d="M0 0C1e308 1e308 -1e308 1e308 1e308 -1e308"/>', "places that are no numbers, or too large"),
        ('<polyline points="1e999,0 1,1"/>', "places that are no numbers, or too large"),
        ('<polyline points="1 2 3"/>', "a polyline, must have pairs of numbers"),
        ('<path transform="turn(3)" d="M0 0L1 1"/>', "has the transform turn of 1 numbers"),
        ('<path transform="scale(" d="M0 0L1 1"/>', "has a transform that can not be read"),
        ("<rect/>", "holds no paths"),
        ('<path d="M1 1"/>', "holds no paths"),
    ],
)
def test_svg_that_is_wrong(tmp_path: Path, inner: str, said: str) -> None:
    with pytest.raises(CorpusError) as error:
        read_svg(svg(tmp_path, inner))
    assert said in str(error.value)
    assert "word.svg" in str(error.value)


def test_a_doctype_is_let_through_and_entities_are_not(tmp_path: Path) -> None:
    public = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert len(read_svg(svg(tmp_path, '<path d="M0 0L1 1"/>', before=public)).points) == 2
    with pytest.raises(CorpusError, match="declares entities"):
        read_svg(svg(tmp_path, '<path d="M0 0L1 1"/>', before=BOMB))
    wide = (BOMB + "<svg/>").encode("utf-16")
    (tmp_path / "wide.svg").write_bytes(wide)
    with pytest.raises(CorpusError, match="declares entities"):
        read_svg(tmp_path / "wide.svg")
    with pytest.raises(CorpusError, match="begins with <svg>, and InkML with <ink>"):
        read_inkml(svg(tmp_path, ""))


def test_folders(tmp_path: Path) -> None:
    svg(tmp_path, '<path d="M0 0L1 1"/>', "b.svg")
    ink(tmp_path, "<trace>1 2, 3 4</trace>", "a.inkml")
    svg(tmp_path, "broken", ".hidden.svg")
    assert [line.text for line in read_strokes(tmp_path)] == ["a", "b"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="holds no file of strokes"):
        read_strokes(tmp_path / "empty")
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(CorpusError, match="is of no kind of strokes"):
        read_strokes(tmp_path / "x.png")
    with pytest.raises(CorpusError, match="there is no file"):
        read_strokes(tmp_path / "y.npz")
