"""`textdl predict RUN X,Y` of a run of points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import textdl


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "circles"
    textdl.train("points", "circles", out=path, progress=False, steps=300, seed=1)
    return path


def test_points_are_judged(cli: Any, run: Path, tmp_path: Path) -> None:
    code, out, err = cli("predict", run, "0,0", "--", "-2.5, 0")
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[2] for row in rows] == ["0,0", "-2.5,0"]
    assert rows[0][0] != rows[1][0]  # the middle, and outside
    (tmp_path / "points.txt").write_text("0 0\n-2.5\t0\n", encoding="utf-8")
    code, out, _ = cli("predict", run, "--file", tmp_path / "points.txt", "--json", "--probabilities")
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [record["label"] for record in records] == [row[0] for row in rows]
    assert [f"{record['probability']:.4f}" for record in records] == [row[1] for row in rows]
    for record in records:
        assert sum(record["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("wrong", ["1", "1,2,3", "one,two", "nan,1", "1,nan", "1,inf", "1e101,1", "1_0,2"])
def test_what_is_no_point_is_refused(cli: Any, run: Path, wrong: str) -> None:
    code, out, err = cli("predict", run, "0,0", wrong)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert f"point 2 must be two finite numbers X,Y, at most 1e+100, got '{wrong}'" in err


def test_a_point_is_told_as_it_was_given(cli: Any, run: Path) -> None:
    assert cli("predict", run, "0.123456789,1e-9")[1].endswith("\t0.123456789,1e-09\n")
