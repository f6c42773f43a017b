"""``textdl train forecast``, ``textdl forecast`` and the tables of its figures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]
QUICK = ("--steps", 6, "--device", "cpu", "--set", "train.evaluations=2", "--set", "train.threads=1", "--hidden", 6)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    rows = [f"{2000 + n // 12}-{n % 12 + 1:02d},{100 + n + 30 * math.sin(n * math.pi / 6):.3f},{n}" for n in range(120)]
    (tmp_path / "sales.csv").write_text("month,sold,staff\n" + "\n".join(rows) + "\n")
    return tmp_path / "sales.csv"


@pytest.fixture
def run(sales: Path, cli: Cli) -> Path:
    out = sales.parent / "run"
    named = ("--column", "sold", "--time-column", "month")
    code, _, err = cli("train", "forecast", sales, *named, "--out", out, "--horizon", 4, *QUICK)
    assert code == 0, err
    assert "season of 12 numbers (found in the training part)" in err
    assert "the baseline" in err or "every baseline" in err, "what is to be thought of it is told while it trains"
    assert f"next: textdl forecast {out}" in err
    return out


def test_a_forecast_is_a_table_of_steps_with_its_band(run: Path, sales: Path, cli: Cli) -> None:
    code, out, err = cli("forecast", run)
    assert (code, err) == (0, "after 2009-12\n")
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["step", "sold", "sold 0.1", "sold 0.9"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    for row in rows:
        assert float(row[2]) <= float(row[1]) <= float(row[3])
    assert cli("forecast", run, "--file", sales)[1] == out
    longer = cli("forecast", run, "--steps", 6)
    assert len(longer[1].splitlines()) == 7
    assert "beyond 4 steps" in longer[2]


def test_what_is_to_be_known_of_a_file_is_told(run: Path, sales: Path, cli: Cli) -> None:
    header, *rows = sales.read_text().splitlines()
    sales.write_text("\n".join([header, *rows[::-1]]) + "\n")
    code, out, err = cli("forecast", run, "--file", sales)
    assert code == 0
    assert len(out.splitlines()) == 5
    assert f"note: {sales} is not in the order of its column 'month' ({sales}:3 has '2009-11'" in err


def test_large_numbers_are_printed_so_that_they_can_be_told_apart(
    tmp_path: Path, cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{331_002_651 + 50 * n + 2000 * math.sin(n * math.pi / 6):.0f}" for n in range(120)]
    (tmp_path / "people.csv").write_text("people\n" + "\n".join(rows) + "\n")
    code, _, err = cli("train", "forecast", tmp_path / "people.csv", "--out", tmp_path / "run", *QUICK)
    assert code == 0, err
    out = cli("forecast", tmp_path / "run", "--steps", 6)[1]
    medians = [line.split("\t")[1] for line in out.splitlines()[1:]]
    assert "e" not in "".join(medians)
    assert len(set(medians)) == 6

    from textdl_cli.forecast_tables import show_figures

    import textdl

    figures = textdl.load(tmp_path / "run").evaluate()
    figures["methods"]["last value"]["mae"] = 1_234_567.8
    show_figures(figures)
    assert "1234568" in capsys.readouterr().out


def test_json_holds_the_numbers_whole(run: Path, cli: Cli) -> None:
    import textdl

    code, out, _ = cli("forecast", run, "--steps", 2, "--json")
    record, found = json.loads(out), textdl.load(run).forecast(steps=2)
    assert code == 0
    assert record == {
        "columns": ["sold"],
        "after": "2009-12",
        "band": 0.8,
        "median": found.median.tolist(),
        "low": found.low.tolist(),
        "high": found.high.tolist(),
    }


def test_a_picture_is_drawn_beside(run: Path, tmp_path: Path, cli: Cli) -> None:
    code, out, err = cli("forecast", run, "--plot", tmp_path / "sales.svg")
    assert code == 0
    assert len(out.splitlines()) == 5
    assert f"forecast drawn in {tmp_path / 'sales.svg'}" in err
    assert "<svg" in (tmp_path / "sales.svg").read_text()
    code, out, err = cli("forecast", run, "--plot", tmp_path / "sales.bmp")
    assert (code, out) == (2, "")
    assert "ends in .png" in err


def test_the_figures_of_all_methods_stand_in_one_table(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from textdl_cli.forecast_tables import show_figures

    import textdl

    figures = textdl.load(run).evaluate()
    show_figures(figures)
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split() == ["MAE", "RMSE", "MASE"]
    for line, (name, errors) in zip(lines[1:4], figures["methods"].items(), strict=True):
        assert line.startswith(name)
        assert [float(cell) for cell in line.removeprefix(name).split()] == [
            pytest.approx(errors[one], rel=1e-3) for one in ("mae", "rmse", "mase")
        ]
    assert figures["verdict"] in lines
    assert any(line.split() == ["coverage", f"{figures['coverage']:.4f}"] for line in lines)


def test_wrong_use_is_told_in_one_line(run: Path, sales: Path, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "short.csv").write_text("month,sold\n2024-01,1\n2024-02,2\n")
    (tmp_path / "other.csv").write_text("month,bought\n2024-01,1\n")
    (tmp_path / "text.csv").write_text("month,sold\n2024-01,1\n2024-02,many\n")
    for arguments, said in (
        (("forecast", tmp_path / "nowhere"), "no run at"),
        (("forecast", run, "--file", tmp_path / "short.csv"), "got 2; give more"),
        (("forecast", run, "--file", tmp_path / "other.csv"), "no column 'sold'"),
        (("forecast", run, "--file", tmp_path / "text.csv"), "text.csv:3: column 'sold' must be a number"),
        (("train", "forecast", sales, "--out", tmp_path / "new"), "--column, one or more of sold, staff"),
        (("train", "forecast", "recipes", "--out", tmp_path / "new"), "recipes is not there; name a .csv"),
    ):
        code, out, err = cli(*arguments)
        assert (code, out) == (2, ""), err
        assert said in err
        assert len(err.strip().splitlines()) == 1
        assert not (tmp_path / "new").exists()


def test_a_run_of_another_task_forecasts_nothing(tmp_path: Path, cli: Cli) -> None:
    import textdl

    texts, tiny = ["one two", "three"] * 50, {"steps": 1, "device": "cpu", "hidden": 4, "seq_length": 9}
    textdl.train("lm", texts, out=tmp_path / "lm", progress=False, **tiny)
    code, _, err = cli("forecast", tmp_path / "lm")
    assert code == 2
    assert "is a lm model, which forecasts no numbers" in err
