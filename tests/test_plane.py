"""Opening points on a plane: what is read, what is held out, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdl.errors import ConfigError, CorpusError
from textdl.plane import LARGEST, PointsConfig, coordinates, open_points

WHOLE = PointsConfig(validation=0, test=0)


def written(folder: Path, text: str, name: str = "points.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(source: Any, config: PointsConfig = WHOLE) -> tuple[list[list[float]], list[str]]:
    corpus = open_points(source, config)
    xy, places = corpus.points("train")
    return xy.tolist(), [corpus.labels[place] for place in places]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("x,y,label", "1.5,-2,{}"),
        ("label,y,x", "{},-2,1.5"),
        ("id,x,note,y,label", "7,1.5,hm,-2,{}"),
        ("longitude,kind,latitude", "1.5,{},-2"),
        ("a,b,kind", "1.5,-2,{}"),
        ("x;y;label", "1.5;-2;{}"),
    ],
)
def test_the_columns_are_found(tmp_path: Path, header: str, row: str) -> None:
    path = written(tmp_path, f"{header}\n{row.format('red')}\n{row.format('blue')}\n")
    assert read(path) == ([[1.5, -2.0], [1.5, -2.0]], ["red", "blue"])


def test_named_columns_and_whole_numbers_as_labels(tmp_path: Path) -> None:
    path = written(tmp_path, "x,y,a,b,label\n1,2,3,4,10\n5,6,7,8,9\n")
    config = PointsConfig(x_field="b", y_field="a", label_field="y", validation=0, test=0)
    assert read(path, config) == ([[4.0, 3.0], [8.0, 7.0]], ["2", "6"])
    assert read(path) == ([[1.0, 2.0], [5.0, 6.0]], ["10", "9"])
    assert open_points(path, WHOLE).labels == ("9", "10"), "in order of number"
    assert read(path, PointsConfig(label_field="label", x_field="y", validation=0, test=0))[0] == [[2, 1], [6, 5]]


def test_json_lines_and_arrays_hold_the_same(tmp_path: Path) -> None:
    rows = [(0.25, -1, 1), (3, 4.5, 0)]
    lines = "\n\n".join(json.dumps({"x": x, "y": y, "label": label}) for x, y, label in rows)
    path = written(tmp_path, lines + "\n", "points.jsonl")
    xy, labels = np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])
    assert read(path) == read((xy, labels)) == read({"train": (xy.tolist(), ["1", "0"])})
    assert open_points(path, WHOLE).digest == open_points((xy, labels), WHOLE).digest
    assert open_points((xy, labels[::-1]), WHOLE).digest != open_points((xy, labels), WHOLE).digest


def test_splits_of_their_own_are_taken_as_they_are() -> None:
    corpus = open_points({"train": ([[0, 1], [1, 0]], ["a", "b"]), "val": ([[5, 5]], ["b"]), "test": ([[6, 6]], ["c"])})
    assert corpus.own_splits == ("train", "validation", "test")
    assert len(corpus.points("train").xy) == 2
    assert corpus.points("validation").labels.tolist() == [1]
    assert corpus.points("test").labels.tolist() == [-1], "a label that train has not"
    assert corpus.points("test", ("c", "a")).labels.tolist() == [0]


numbers = st.floats(-10, 10).map(lambda x: round(x, 1))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=60), st.randoms())
def test_what_is_held_out_goes_by_the_numbers_alone(points: list[tuple[float, float]], shuffle: Any) -> None:
    labels = [f"{'ab'[n % 2]}" for n in range(len(points))]

    def splits(order: list[int]) -> dict[str, set[tuple[float, float]]]:
        xy = [points[place] for place in order]
        corpus = open_points((xy, [labels[place] for place in order]), PointsConfig(validation=0.3, test=0.3), least=1)
        found = {split: [tuple(row) for row in corpus.points(split).xy.tolist()] for split in corpus.splits}
        assert sorted(row for some in found.values() for row in some) == sorted(tuple(row) for row in xy)
        return {split: set(some) for split, some in found.items()}

    order = list(range(len(points)))
    first = splits(order)
    assert first["train"]
    assert not first["train"] & first["test"]
    assert not first["validation"] & (first["train"] | first["test"])
    shuffle.shuffle(order)
    assert splits(order) == first


def test_a_limit_is_of_the_first_points(tmp_path: Path) -> None:
    path = written(tmp_path, "x,y,label\n1,1,a\n2,2,b\n3,3,a\n")
    assert read(path, PointsConfig(limit=2, validation=0, test=0))[0] == [[1, 1], [2, 2]]
    with pytest.raises(CorpusError, match="one class only in its first 1 points, 'a'"):
        open_points(path, PointsConfig(limit=1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,y,label\n1,2,a\n1,nan,b\n", r"points.csv:3: column 'y' must be a finite number .* got 'nan'"),
        ("x,y,label\n1,2,a\n\n1,inf,b\n", r"points.csv:4: column 'y' must be a finite number .* got 'inf'"),
        ("x,y,label\n1,2,a\nwide,2,b\n", r"points.csv:3: column 'x' must be a finite number .* got 'wide'"),
        ("x,y,label\n1,2,a\n,2,b\n", r"points.csv:3: column 'x' must be a finite number .* got ''"),
        ("x,y,label\n1,2,a\n1_0,2,b\n", r"points.csv:3: column 'x' .* got '1_0'"),
        ("x,y,label\n1,2,a\n1e101,2,b\n", r"points.csv:3: .* at most 1e\+100, got '1e101'"),
        ('x,y,label\n1,2,"a\nb"\n1,2, \n', r"points.csv:4: column 'label' must be a label"),
        ("x,y,label\n1,2,a\n3,4,a\n", "points has one class only, 'a'"),
        ("x,y,label\n1,2,a\n3,4\n", r"points.csv:3 has 2 cells"),
        ("x,y,label\n", "holds no records"),
        ("x,label\n1,a\n2,b\n", "fewer than two columns of numbers; it has x, label"),
        ("x,y\n1,2\n2,3\n", "does not say which column is the label"),
        ("x,y,kind,size\n1,2,a,b\n2,3,c,d\n", r"--label-field\) to one of kind, size"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CorpusError, match=said) as refused:
        open_points(written(tmp_path, text))
    assert "\n" not in str(refused.value)


def test_bad_json_lines_are_refused_with_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, '{"x": 1, "y": 2, "label": 0}\n\n{"x": NaN, "y": 2, "label": 1}\n', "p.jsonl")
    with pytest.raises(CorpusError, match=r"p\.jsonl:3: column 'x' must be a finite number .* got nan"):
        open_points(path)
    path = written(tmp_path, '{"x": 1, "y": 2, "label": 0}\n{"x": true, "y": 2, "label": 1}\n', "p.jsonl")
    with pytest.raises(CorpusError, match=r"p\.jsonl:2: column 'x' .* got True"):
        open_points(path)
    path = written(tmp_path, '{"x": 1, "y": 2, "label": 0}\n{"x": 1, "y": 2}\n', "p.jsonl")
    with pytest.raises(CorpusError, match=r"p\.jsonl:2: column 'label' must be a label, .* got None"):
        open_points(path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (([[1, 2, 3]], ["a"]), r"two numbers each, \[N, 2\], got an array of int64 \[1, 3\]"),
        (([[1, 2], [3]], ["a", "b"]), "two numbers each"),
        (([["1", "2"], ["3", "4"]], ["a", "b"]), "two numbers each"),
        (([[1, 2], [3, float("nan")]], ["a", "b"]), "point 1 must be finite"),
        (([[1, 2], [3, 4]], ["a"]), "a label each, got 2 points and 1 labels"),
        (([[1, 2], [3, 4]], ["a", None]), "label 1 must be a label"),
        (([[1, 2], [3, 4]], ["a", 10**5000]), "label 1 must be a label, .* got one beyond 1e\\+100"),
        (([[1, 2], [3, 4]], ["a", float("inf")]), "label 1 must be a label, .* got inf"),
        (([[1, 2], [3, 4]], "ab"), "labels must be a list"),
        (([[1, 2], [3, 4]], ["a", "a"]), "one class only, 'a'"),
        (([], []), "holds no points in train"),
        ([[1, 2], [3, 4], [5, 6]], r"must be \(xy, labels\), got list"),
        ({"test": ([[1, 2]], ["a"])}, "no split 'train', only test"),
        ({"val": ([[1, 2]], ["a"]), "dev": ([[1, 2]], ["a"])}, "validation is given twice"),
        ("no-such-file.csv", "no corpus or file 'no-such-file.csv'; name a .csv"),
        ("spiral", "did you mean 'spirals'"),
        ("recipes", "no corpus or file 'recipes'"),
    ],
)
def test_what_is_no_corpus_of_points_is_refused(source: Any, said: str) -> None:
    with pytest.raises(CorpusError, match=said) as refused:
        open_points(source)
    assert "\n" not in str(refused.value)


def test_folders_texts_and_wrong_fields_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is a folder"):
        open_points(tmp_path)
    with pytest.raises(CorpusError, match="holds no records"):
        open_points(written(tmp_path, "hm", "points.txt"))
    path = written(tmp_path, "x,y,label\n1,2,a\n3,4,b\n")
    with pytest.raises(CorpusError, match="no column 'labl'; did you mean 'label'"):
        open_points(path, PointsConfig(label_field="labl"))
    with pytest.raises(CorpusError, match="must be three columns, got x, y, x"):
        open_points(path, PointsConfig(label_field="x", x_field="x"))
    with pytest.raises(ConfigError, match="x_field is of a file"):
        open_points(([[1, 2], [3, 4]], ["a", "b"]), PointsConfig(x_field="x"))
    with pytest.raises(ConfigError, match=r"at most 0\.95 together"):
        PointsConfig(validation=0.5, test=0.5)
    with pytest.raises(CorpusError, match="no split 'dev'"):
        open_points(path, WHOLE).points("dev")


def test_labels_of_very_many_digits_are_texts() -> None:
    long = "9" * 5000
    corpus = open_points(([[1, 2], [3, 4], [5, 6]], [long, "10", "2"]), PointsConfig(validation=0, test=0))
    assert corpus.labels == ("2", "10", long)


def test_coordinates_are_read_only_and_of_one_zero() -> None:
    corpus = open_points(([[-0.0, 1], [0.0, 1]], ["a", "b"]), WHOLE)
    assert not np.signbit(corpus.points("train").xy).any()
    for array in corpus.points("train"):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert coordinates([]).shape == (0, 2)
    assert coordinates([[LARGEST, 0]]).tolist() == [[LARGEST, 0]]
