"""``textdl convert IN OUT.npz``: strokes of other programs into the one format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from textdl.strokes.line import Line, of_strokes
from textdl.strokes.npz import read_lines, write_lines

Cli = Callable[..., tuple[int, str, str]]

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><title>hi</title><path d="M0 0L10 0 10 10"/><path d="M20 0h4"/></svg>'


def test_svg(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(SVG)
    code, out, err = cli("convert", tmp_path / "a.svg", tmp_path / "a.npz")
    assert (code, out) == (0, "")
    assert err == f"{tmp_path / 'a.npz'}: 1 lines, 5 points\n"
    (line,) = read_lines(tmp_path / "a.npz")
    assert line.text == "hi"
    assert line.points.tolist() == [[0, 0, 0], [10, 0, 0], [0, 10, 1], [10, -10, 0], [4, 0, 1]]
    code, _, err = cli("convert", tmp_path / "a.svg", tmp_path / "a.npz")
    assert code == 2
    assert "is there already" in err
    assert cli("convert", tmp_path / "a.svg", tmp_path / "a.npz", "--force", "--step", "2")[0] == 0
    assert len(read_lines(tmp_path / "a.npz")[0].points) == 11 + 3


def test_npz_and_most(cli: Cli, tmp_path: Path) -> None:
    some = [Line(of_strokes([np.array([[0, 0], [at, 1]])]), str(at), f"w{at % 2}") for at in range(5)]
    write_lines(tmp_path / "a.npz", some)
    code, _, err = cli("convert", tmp_path / "a.npz", tmp_path / "b.npz", "--most", 3)
    assert code == 0, err
    assert err.endswith("3 lines of 2 groups, 6 points\n")
    assert read_lines(tmp_path / "b.npz").texts == ("0", "1", "2")


def test_sketch(cli: Cli, tmp_path: Path) -> None:
    one, two = np.array([[5, 5, 0], [1, 2, 1]], np.int16), np.array([[5, 5, 0], [3, 4, 1]], np.int16)
    rows = np.empty(2, object)
    rows[0], rows[1] = one, two
    np.savez(tmp_path / "a.npz", train=rows, test=rows[1:])
    assert cli("convert", tmp_path / "a.npz", tmp_path / "all.npz")[0] == 0
    assert [line.points[1, 0] for line in read_lines(tmp_path / "all.npz")] == [1, 3, 3]
    assert cli("convert", tmp_path / "a.npz", tmp_path / "test.npz", "--split", "test")[0] == 0
    assert [line.points[1, 0] for line in read_lines(tmp_path / "test.npz")] == [3]
    code, _, err = cli("convert", tmp_path / "a.npz", tmp_path / "x.npz", "--split", "tset")
    assert code == 2
    assert "did you mean 'test'" in err


def test_refused_in_a_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(SVG)
    (tmp_path / "a.txt").write_text("x 1 2\n")
    for arguments, said in (
        (("none.svg", "b.npz"), "there is no file or folder"),
        (("a.txt", "b.npz"), "is of no kind of strokes"),
        (("a.svg", "b.npz", "--step", "0"), "step must be a number more than 0"),
        (("a.svg", "b.npz", "--from", "glove"), "--from is of word vectors"),
        (("a.svg", "b.npz", "--first"), "--first is of word vectors"),
        (("a.svg", "b.npz", "--split", "train"), "--split is of a sketch-rnn npz"),
        (("a.txt", "b.vec", "--step", "1"), "--step is of strokes"),
    ):
        paths = [tmp_path / name for name in arguments[:2]]
        code, out, err = cli("convert", *paths, *arguments[2:])
        assert (code, out) == (2, ""), arguments
        assert said in " ".join(err.split()), err
        assert "Traceback" not in err
        assert not (tmp_path / "b.npz").exists()
