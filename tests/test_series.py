"""Opening series: what is read of files and of memory, the parts by time, what is filled in, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textdl.errors import ConfigError, CorpusError
from textdl.series import Series, SeriesConfig, open_series


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def sales(tmp_path: Path, *cells: str) -> Path:
    return written(tmp_path / "sales.csv", "month,sold", *(f"2024-{n:02d},{cell}" for n, cell in enumerate(cells, 1)))


def test_the_only_column_of_numbers_is_read_in_its_order(tmp_path: Path) -> None:
    series = open_series(sales(tmp_path, "3", "1e1", " -2.5 ", "0"), SeriesConfig(time_column="month"))
    assert series.values.tolist() == [[3.0], [10.0], [-2.5], [0.0]]
    assert (series.name, series.columns) == ("sales", ("sold",))
    assert series.times == ("2024-01", "2024-02", "2024-03", "2024-04")
    assert series.notes == ()


def test_each_kind_of_file_gives_the_same_numbers(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    numbers = [4.5, 2.0, 8.25, 1.0]
    written(tmp_path / "a.csv", "x;y", *(f"{n};{-n}" for n in numbers))
    written(tmp_path / "b.tsv", "x\ty", *(f"{n}\t{-n}" for n in numbers))
    written(tmp_path / "c.jsonl", *(json.dumps({"x": n, "y": -n}) for n in numbers))
    pyarrow.parquet.write_table(pyarrow.table({"x": numbers, "y": [-n for n in numbers]}), str(tmp_path / "d.parquet"))
    for path in sorted(tmp_path.iterdir()):
        series = open_series(path, SeriesConfig(column=("y", "x")))
        assert series.columns == ("y", "x")
        assert series.values.tolist() == [[-n, n] for n in numbers], path


@pytest.mark.parametrize(
    "given",
    [[1, 2.5, 4], (1.0, 2.5, 4.0), np.array([1, 2.5, 4], np.float32), np.array([[1], [2.5], [4]]), iter([1, 2.5, 4])],
)
def test_numbers_in_memory_are_taken_as_they_are(given: Any) -> None:
    assert open_series(given).values.tolist() == [[1.0], [2.5], [4.0]]


def test_several_columns_in_memory() -> None:
    series = open_series([[1, 10], [2, 20]])
    assert series.values.tolist() == [[1.0, 10.0], [2.0, 20.0]]
    assert len(series.columns) == 2
    assert open_series(series) is series


@pytest.mark.parametrize("number", [10, 11, 37, 100])
@pytest.mark.parametrize("validation, test", [(0.1, 0.1), (0.2, 0.05), (0.0, 0.5), (0.3, 0.0)])
def test_the_parts_follow_one_another_and_are_as_large_as_said(number: int, validation: float, test: float) -> None:
    parts = open_series(list(range(number)), SeriesConfig(validation=validation, test=test)).parts
    assert [*parts] == ["train", "validation", "test"]
    assert parts["train"][0] == 0
    assert parts["train"][1] == parts["validation"][0]
    assert parts["validation"][1] == parts["test"][0]
    assert parts["test"][1] == number
    for name, share in (("validation", validation), ("test", test)):
        begin, end = parts[name]
        assert number * share - 1 < end - begin <= number * share + 1e-6


def test_parts_that_are_given_stay_and_the_others_are_cut_off_train() -> None:
    series = open_series({"test": [7, 8], "train": list(range(10))}, SeriesConfig(validation=0.2, test=0.5))
    assert series.values[:, 0].tolist() == [*map(float, range(10)), 7.0, 8.0]
    assert series.parts == {"train": (0, 8), "validation": (8, 10), "test": (10, 12)}
    assert series.own_splits == ("train", "test")


def test_missing_numbers_are_refused_with_their_line_or_filled_in(tmp_path: Path) -> None:
    path = sales(tmp_path, "2", "", "NA", "8", "9")
    with pytest.raises(CorpusError, match=r"sales\.csv:3: .*'sold' has no number.*--missing"):
        open_series(path)

    def read(how: str) -> Series:
        return open_series(path, SeriesConfig(missing=how, validation=0, test=0))

    assert read("interpolate").values[:, 0].tolist() == [2, 4, 6, 8, 9]
    assert read("last").values[:, 0].tolist() == [2, 2, 2, 8, 9]
    assert "2 missing numbers of 5" in read("last").notes[0]


def test_no_part_is_filled_with_what_comes_after_it() -> None:
    nan = float("nan")
    config = SeriesConfig(missing="interpolate", validation=0.25, test=0.25)
    found = open_series([0, 2, nan, nan, nan, 12, nan, 20], config)
    assert found.parts["train"] == (0, 4)
    # train ends after the fourth and knows nothing of 12; validation goes on from its 2 to 12
    assert found.values[:4, 0].tolist() == [0, 2, 2, 2]
    assert found.values[4:6, 0].tolist() == [7, 12]
    assert found.values[6:, 0].tolist() == [16, 20]


def test_the_digest_is_of_numbers_columns_and_parts() -> None:
    numbers = list(range(40))
    own = open_series(numbers).digest
    assert own == open_series(np.array(numbers, float)).digest
    assert own != open_series([*numbers[:-1], 0]).digest
    assert own != open_series(numbers, SeriesConfig(test=0.2)).digest


def test_a_series_can_not_be_changed() -> None:
    given = np.arange(5.0)
    series = open_series(given)
    with pytest.raises(ValueError):
        series.values[0] = 1
    given[0] = 99  # nor does the caller's array hang on it
    assert series.values[0, 0] == 0


def test_what_is_no_number_is_told_with_file_and_line(tmp_path: Path) -> None:
    for cell in ("about 5", "1_000", "'12'", "12 kg", '"1,5"'):
        with pytest.raises(CorpusError, match=r"sales\.csv:4: column 'sold' must be a number"):
            open_series(sales(tmp_path, "1", "2", cell, "4", "5"))
    with pytest.raises(CorpusError, match=r"l\.jsonl:4: .* got True"):
        open_series(
            written(tmp_path / "l.jsonl", '{"v": 1}', "", '{"v": 2}', '{"v": true}'), SeriesConfig(column=("v",))
        )
    # a cell may hold line ends: the line told is the one in the file
    table = written(tmp_path / "t.csv", "note,v", '"two', 'lines",1', "x,none such", "y,2", "z,3")
    with pytest.raises(CorpusError, match=r"t\.csv:4: "):
        open_series(table)


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e101", "1e999"])
def test_numbers_that_can_not_be_worked_with_are_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(CorpusError, match=r"sales\.csv:3: column 'sold' must be finite and at most 1e\+100"):
        open_series(sales(tmp_path, "1", cell, "2"))
    with pytest.raises(CorpusError, match=r"place 2: .* must be finite"):
        open_series([1.0, float(cell), 2.0])


def test_what_is_large_but_finite_is_read_and_lost_digits_are_told(tmp_path: Path) -> None:
    assert open_series(sales(tmp_path, "1e30", "2e30")).values[:, 0].tolist() == [1e30, 2e30]
    assert open_series(sales(tmp_path, "1e30", "2e30")).notes == ()
    assert open_series(sales(tmp_path, str(2**53), str(2**54))).notes == ()
    (note,) = open_series(sales(tmp_path, "1", str(2**53 + 1))).notes
    assert "2^53" in note


@pytest.mark.parametrize(
    "times, row",
    [
        (["1", "2", "10"], None),
        (["10", "9", "11"], 3),
        (["2024-01", "2024-02", "2023-12"], 4),
        (["2024-01-31", "2024-01-02", "2024-03-01"], 3),
    ],
)
def test_rows_that_are_not_in_the_order_of_time_are_told(tmp_path: Path, times: list[str], row: int | None) -> None:
    path = written(tmp_path / "t.csv", "when,v", *(f"{time},{n}" for n, time in enumerate(times)))
    notes = open_series(path, SeriesConfig(column=("v",), time_column="when")).notes
    if row is None:
        assert notes == ()
    else:
        assert f"t.csv:{row} has" in notes[0]


@pytest.mark.parametrize("times", [["12/31/2024", "12/30/2024"], ["2024-01", "", "2024-02"], ["spring", "autumn"]])
def test_that_an_order_can_not_be_looked_at_is_told(tmp_path: Path, times: list[str]) -> None:
    path = written(tmp_path / "t.csv", "when,v", *(f"{time},{n}" for n, time in enumerate(times)))
    (note,) = open_series(path, SeriesConfig(column=("v",), time_column="when")).notes
    assert f"column 'when' can not be told of times such as {times[0]!r}" in note
    assert open_series(path, SeriesConfig(column=("v",))).notes == ()


def test_the_columns_there_are_are_named_where_it_can_not_be_told_which_is_meant(tmp_path: Path) -> None:
    two = written(tmp_path / "two.csv", "day,sold,staff", "mon,1,2", "tue,3,4")
    with pytest.raises(CorpusError, match="--column, one or more of sold, staff"):
        open_series(two)
    with pytest.raises(CorpusError, match="no column 'sould'; did you mean 'sold'"):
        open_series(two, SeriesConfig(column=("sould",)))
    with pytest.raises(CorpusError, match="no column 'month'"):
        open_series(two, SeriesConfig(column=("sold",), time_column="month"))
    with pytest.raises(CorpusError, match="no column of numbers; it has day"):
        open_series(written(tmp_path / "none.csv", "day", "mon", "tue"))
    # one wrong cell does not make the index the column that is meant
    with pytest.raises(CorpusError, match="one or more of place, v"):
        open_series(written(tmp_path / "slip.csv", "place,v", "1,5", "2,six", "3,7", "4,8"))


@pytest.mark.parametrize(
    "given, said",
    [
        ([], "no numbers"),
        ({}, "no part train"),
        ({"train": []}, "no numbers"),
        ({"train": [1], "holdout": [2]}, "'holdout'"),
        ({"train": [1, 2], "test": [[1, 2]]}, "as many columns"),
        ([1, "two"], r"train\[1\] must be a number"),
        ([[1, 2], [3]], "row 1 of train"),
        ([1, [2]], "row 1 of train"),
        (np.array(["a"]), "numbers"),
        (np.zeros((2, 2, 2)), r"\[2, 2, 2\]"),
        ([None, 1], "has no number"),
        (7, "list of numbers"),
    ],
)
def test_what_is_no_series_in_memory_is_refused_in_one_line(given: Any, said: str) -> None:
    with pytest.raises(CorpusError, match=said) as refused:
        open_series(given)
    assert "\n" not in str(refused.value)


def test_settings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="column"):
        open_series([1, 2], SeriesConfig(column=("x",)))
    with pytest.raises(ConfigError, match=r"0\.95"):
        SeriesConfig(validation=0.5, test=0.5)
    with pytest.raises(CorpusError, match="begins without a number"):
        open_series([None, 1, 2], SeriesConfig(missing="last"))
    with pytest.raises(CorpusError, match="is a folder"):
        open_series(tmp_path)
    with pytest.raises(CorpusError, match="can not be read"):
        open_series(tmp_path / "nowhere.csv")
    with pytest.raises(CorpusError, match=r"nowhere is not there; name a \.csv, \.tsv"):
        open_series(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=r"n\.txt by its name holds no records; name a \.csv, "):
        open_series(written(tmp_path / "n.txt", "1", "2"))
