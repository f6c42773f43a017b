"""The task forecast: that nothing leaks, what it learns, what a run says, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textdl
from textdl import artifact
from textdl.artifact import SERIES
from textdl.config import replace
from textdl.errors import ConfigError, CorpusError, RunError
from textdl.tasks.forecast import ForecastConfig, Forecasting
from textdl.training.events import Event, Note
from textdl.training.processes import Shard

QUICK = {"device": "cpu", "precision": "float32", "threads": 1, "progress": False}
RANDOM = np.random.default_rng(7)


def sine(number: int) -> np.ndarray:
    """A season of 20, with noise."""
    return np.sin(2 * np.pi * np.arange(number) / 20) + 0.1 * RANDOM.normal(size=number)


def trend(number: int) -> np.ndarray:
    """A season of 12 on a rising line, with noise."""
    at = np.arange(number)
    return 0.1 * at + 5 * np.sin(2 * np.pi * at / 12) + 0.5 * RANDOM.normal(size=number)


AT, SINE, TREND = np.arange(400.0), sine(400), trend(400)


def prepared(numbers: Any, shard: Shard | None = None, **settings: Any) -> Forecasting:
    torch.manual_seed(1)
    config = replace(ForecastConfig(), {"device": "cpu", **settings})
    return Forecasting.prepare(numbers, config, lambda event: None, *([shard] if shard else []))


def told(numbers: Any, **settings: Any) -> list[str]:
    notes: list[str] = []

    def tell(event: Event) -> None:
        assert isinstance(event, Note)
        notes.append(event.text)

    Forecasting.prepare(numbers, replace(ForecastConfig(), settings), tell)
    return notes


def trained(numbers: Any, out: Path, **settings: Any) -> Any:
    return textdl.train("forecast", numbers, out=out, **{**QUICK, **settings})


@pytest.mark.parametrize("scaling", ["window", "train"])
def test_what_comes_later_changes_no_batch_and_no_scaling(scaling: str) -> None:
    settings = {"scaling": scaling, "batch_size": 16, "horizon": 5}
    task = prepared(TREND, **settings)
    assert task.series.parts == {"train": (0, 320), "validation": (320, 360), "test": (360, 400)}
    later = TREND.copy()
    later[320:] = 1e6 * RANDOM.normal(size=80)
    other = prepared(later, **settings)
    assert other.framing == task.framing
    batches, others = ([*one.batches("train", 2)] for one in (task, other))
    assert len(batches) == task.steps_per_epoch() > 10
    for batch, after in zip(batches, others, strict=True):
        assert all(map(torch.equal, batch, after))
    earlier = TREND.copy()
    earlier[319] += 1  # the last number of the training part is learned from
    assert any(
        not torch.equal(batch[1], after[1])
        for batch, after in zip(batches, prepared(earlier, **settings).batches("train", 2), strict=True)
    )


def test_every_training_window_is_in_a_pass_and_none_reaches_beyond() -> None:
    numbers = 1000.0 + AT[:100] + 0.001 * RANDOM.normal(size=100)
    task = prepared(numbers, scaling="train", season=1, window=6, horizon=3, batch_size=7)
    framing, seen = task.framing, set()
    for features, truth in task.batches("train", 0):
        framed = framing.frame(np.zeros((1, 6)), np.zeros(1, int))
        back = features[:, -1, 0].double() * framing.spread[0] + framing.centre[0]
        ahead = back.unsqueeze(1) + truth.double() * torch.from_numpy(framed.unit)
        for last, numbers_ahead in zip(back, ahead, strict=True):
            place = round(float(last)) - 1000
            assert [round(float(n)) - 1000 for n in numbers_ahead] == [place + 1, place + 2, place + 3]
            seen.add(place + 3)
    assert seen == set(range(8, 80)), "the last number ahead is from the ninth to the last of the 80 for training"


def test_the_processes_share_the_windows_of_a_pass() -> None:
    whole = [*prepared(SINE, batch_size=8).batches("train", 1)]
    halves = [[*prepared(SINE, Shard(rank, 2), batch_size=4).batches("train", 1)] for rank in (0, 1)]
    for batch, first, second in zip(whole, *halves, strict=True):
        assert torch.equal(batch[0], torch.cat([first[0], second[0]]))


def test_the_loss_is_the_quantile_loss_by_hand() -> None:
    task = prepared(SINE, batch_size=5, horizon=2)
    batch = next(iter(task.batches("train", 0)))
    truth = batch[1].numpy()
    # the network begins at zero: of a truth y the loss is q y where it is above, (q - 1) y where it is below
    by_hand = np.mean([[max(q * y, (q - 1) * y) for q in (0.1, 0.5, 0.9)] for y in truth.ravel()])
    made = task.loss(task.model, batch, None)
    assert made.mean.item() == pytest.approx(by_hand, rel=1e-5)
    assert made.units == 10


def test_before_training_it_is_the_baseline_that_it_corrects() -> None:
    for around, name in (("last", "last_value"), ("season", "season_before")):
        figures = prepared(TREND, around=around).metrics(prepared(TREND, around=around).model, None)
        for one in ("mae", "rmse", "mase"):
            assert figures[f"validation_{one}"] == pytest.approx(figures[f"{name}_{one}"])
    assert prepared(TREND).sample(torch.nn.Identity()) == ""


def test_seasons_are_told_and_taken_as_given() -> None:
    assert told(TREND) == ["season of 12 numbers (found in the training part)"]
    assert told(TREND, season=6) == ["season of 6 numbers (as given)"]
    assert told(RANDOM.normal(size=300)) == ["no season (found in the training part)"]
    assert told(TREND, season=1) == ["no season (as given)"]
    assert prepared(TREND).framing.around == "season"
    assert prepared(TREND, season=1).framing.around == "last"
    assert prepared(TREND).framing.window == 24
    assert prepared(TREND, season=30).framing.window == 60


def test_a_short_series_gets_a_horizon_and_a_window_that_fit() -> None:
    task = prepared(RANDOM.normal(size=50))
    assert (task.framing.horizon, task.framing.window) == (5, 17)
    run_of_ten = prepared(RANDOM.normal(size=10))
    assert (run_of_ten.framing.horizon, run_of_ten.framing.window) == (1, 3)


LEARNING = {"window": 24, "horizon": 6, "hidden": 16, "steps": 150, "evaluations": 5, "seed": 3, "test": 0.0}


@pytest.mark.parametrize("made, cell, share", [(sine, "gru", 1.0), (trend, "lstm", 0.7)])
def test_a_season_is_learned_better_than_by_saying_it_again(made: Any, cell: str, share: float, tmp_path: Path) -> None:
    numbers = made(1400)
    run = trained(numbers[:400], tmp_path / "run", cell=cell, **LEARNING)
    figures = run.evaluate({"train": numbers[:400], "test": numbers[400:]}, "test")
    methods = {name.split(" (")[0]: errors["mase"] for name, errors in figures["methods"].items()}
    assert methods["network"] < 0.5 * methods["last value"]
    assert methods["network"] < share * methods["season before"], "which has twice the noise, and no trend"
    assert figures["better"] is True
    assert "better than every baseline" in figures["verdict"]
    assert 0.5 < figures["coverage"] <= 1
    assert figures["forecasts"] == 1000 - 6 + 1
    assert figures["same_corpus"] is False


def test_where_nothing_can_be_learned_the_report_says_so(tmp_path: Path) -> None:
    walk = np.random.default_rng(11).normal(size=400).cumsum()
    run = trained(walk, tmp_path / "run", steps=150, patience=None, evaluations=2, horizon=3)
    figures = run.evaluate({"train": walk[:320], "test": walk[320:]}, "test")
    assert figures["better"] is (figures["methods"]["network"]["mase"] < figures["methods"]["last value"]["mase"])
    assert figures["better"] is False
    assert "the baseline will do" in figures["verdict"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small run of a trend and season from a file, 8 numbers and a season in, 4 out."""
    folder = tmp_path_factory.mktemp("forecast")
    lines = [f"day {n},{value!r}" for n, value in enumerate(TREND.tolist())]
    (folder / "trend.csv").write_text("day,v\n" + "\n".join(lines) + "\n")
    settings = {"column": ("v",), "time_column": "day", "window": 8, "horizon": 4, "hidden": 8}
    return trained(str(folder / "trend.csv"), folder / "run", steps=30, evaluations=2, **settings)


def test_a_forecast_goes_on_from_the_end_of_the_series(run: Any) -> None:
    found = run.forecast()
    assert found.median.shape == found.low.shape == found.high.shape == (4,)
    assert (found.low <= found.median).all()
    assert (found.median <= found.high).all()
    assert np.asarray(found).tolist() == found.median.tolist()
    assert len(found) == 4
    assert found.columns == ("v",)
    assert found.band == 0.8
    assert found.times[-1] == "day 399"
    assert found.history[-1, 0] == TREND[-1]
    for given in (TREND, TREND[-20:], TREND[-20:].tolist(), TREND[-50:, None]):
        np.testing.assert_allclose(run.forecast(given).median, found.median, rtol=1e-6)
    assert abs(run.forecast(TREND[:-1]).median - found.median).max() > 0.01


def test_beyond_the_horizon_the_medians_are_fed_back(run: Any) -> None:
    whole = run.forecast(steps=10)
    assert whole.median.shape == whole.high.shape == (10,)
    known, pieces = TREND, []
    for _ in range(3):
        pieces.append(run.forecast(known).median)
        known = np.concatenate([known, pieces[-1]])
    np.testing.assert_allclose(whole.median, np.concatenate(pieces)[:10], rtol=1e-6)
    np.testing.assert_allclose(run.forecast(steps=1).median, whole.median[:1], rtol=1e-6)


def test_its_figures_are_those_of_a_slow_loop_over_its_forecasts(run: Any) -> None:
    figures = run.evaluate()
    off, last, season, inside = [], [], [], []
    for place in range(360, 397):
        found, truth = run.forecast(TREND[:place]), TREND[place : place + 4]
        off.append(abs(found.median - truth))
        inside.append((found.low <= truth) & (truth <= found.high))
        last.append(abs(TREND[place - 1] - truth))
        season.append(abs(TREND[place - 12 : place - 8] - truth))
    step = np.mean([abs(TREND[n] - TREND[n - 1]) for n in range(1, 320)])
    assert figures["forecasts"] == 37
    assert figures["coverage"] == pytest.approx(np.mean(inside))
    methods = {"network": off, "last value": last, "season before (12)": season}
    assert [*figures["methods"]] == [*methods]
    for name, errors in methods.items():
        assert figures["methods"][name]["mae"] == pytest.approx(np.mean(errors), rel=1e-5)
        assert figures["methods"][name]["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-5)
        assert figures["methods"][name]["mase"] == pytest.approx(np.mean(errors) / step, rel=1e-5)
    assert figures["same_corpus"] is True
    assert figures["split"] == "test"


def test_figures_of_a_few_places_at_a_time_are_those_of_all(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, sizes, plain = run.evaluate(), [], run.quantiles

    def counted(history: np.ndarray, columns: np.ndarray) -> np.ndarray:
        sizes.append(len(history))
        return plain(history, columns)

    monkeypatch.setattr("textdl.tasks.forecast_run.AT_ONCE", 8)
    monkeypatch.setattr(run, "quantiles", counted)
    figures = run.evaluate()
    assert sizes == [8, 8, 8, 8, 5]
    assert list(figures) == list(whole)
    for name, errors in whole["methods"].items():
        assert figures["methods"][name] == pytest.approx(errors, rel=1e-6)
    assert (figures["coverage"], figures["forecasts"]) == (whole["coverage"], 37)


def test_a_forecast_that_grows_beyond_all_bounds_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "quantiles", lambda history, columns: 1e40 * np.repeat(history[:, -4:, None], 3, axis=2))
    assert len(run.forecast(steps=8)) == 8
    with pytest.raises(ConfigError, match=r"beyond 8 steps the forecast, .* grows over 1e\+100; .* got 20"):
        run.forecast(steps=20)


def test_other_series_are_measured_whole(run: Any) -> None:
    figures = run.evaluate(TREND[:100])
    assert (figures["split"], figures["same_corpus"], figures["forecasts"]) == ("all", False, 100 - 20 - 4 + 1)
    assert run.evaluate(split="validation")["forecasts"] == 37
    with pytest.raises(CorpusError, match="no split 'dev'"):
        run.evaluate(split="dev")
    with pytest.raises(CorpusError, match="too few for one forecast"):
        run.evaluate(TREND[:23])
    with pytest.raises(ConfigError, match="no text"):
        run.evaluate(text_field=("v",))


@pytest.mark.parametrize(
    "arguments, error, said",
    [
        (
            {"numbers": TREND[:19]},
            CorpusError,
            r"needs the last 20 numbers \(a window of 8 and a season of 12\), got 19",
        ),
        ({"numbers": []}, CorpusError, "no numbers"),
        ({"numbers": [1.0, None] * 20}, CorpusError, "no number"),
        ({"numbers": np.zeros((30, 2))}, CorpusError, r"forecasts 1 columns \(v\).* has 2"),
        ({"numbers": "nowhere.csv"}, CorpusError, "can not be read"),
        ({"steps": 0}, ConfigError, "steps must be"),
        ({"steps": 2.5}, ConfigError, "steps must be"),
        ({"steps": 10**9}, ConfigError, "steps must be"),
    ],
)
def test_what_can_not_be_forecast_is_refused(
    run: Any, arguments: Mapping[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as refused:
        run.forecast(**arguments)
    assert "\n" not in str(refused.value)


def test_several_columns_are_learned_by_one_model(tmp_path: Path) -> None:
    both = np.stack([TREND, 1000 - 50 * TREND], axis=1)
    run = trained(both, tmp_path / "run", steps=20, evaluations=2, horizon=3, window=12)
    found = textdl.load(tmp_path / "run").forecast(steps=5)
    assert found.median.shape == found.low.shape == (5, 2)
    assert abs(found.median[:, 0] - TREND[-1]).max() < 20
    assert abs(found.median[:, 1] - both[-1, 1]).max() < 1000
    assert run.evaluate({"train": both[:360], "test": both[360:]})["forecasts"] == 2 * 38


def test_without_a_band_there_is_the_median_alone(tmp_path: Path) -> None:
    run = trained(SINE, tmp_path / "run", steps=5, evaluations=1, band=0.0, horizon=1)
    assert run.forecast().low is None
    assert run.forecast().high is None
    assert run.forecast().median.shape == (1,)
    assert "coverage" not in run.evaluate(SINE)


@pytest.mark.parametrize("size", [1e30, 1e-30])
def test_the_size_of_the_numbers_does_not_matter(size: float, tmp_path: Path) -> None:
    settings = {"steps": 10, "evaluations": 2, "horizon": 3}
    usual, large = (trained(s * SINE, tmp_path / f"{s}", **settings).forecast().median for s in (1.0, size))
    np.testing.assert_allclose(large / size, usual, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "numbers, settings, error, said",
    [
        ([1.0, 2.0, 1.5], {"horizon": 2, "window": 2}, CorpusError, r"fewer than the 4 of one window \(window 2 \+"),
        (np.ones(50), {}, CorpusError, "is 1 throughout its training part of 40 numbers"),
        ([*[2.0] * 80, *range(20)], {}, CorpusError, "is 2 throughout its training part"),
        (1e-200 * SINE, {}, CorpusError, "throughout its training part of 320 numbers"),
        (SINE[:9], {}, CorpusError, r"validation part .* 0 of the 2 .*--validation \(0 for none\)"),
        ({"train": SINE, "validation": []}, {}, CorpusError, r"validation part .* 0 of the"),
        (SINE, {"season": 321}, ConfigError, "season must be at most the training part of 320 numbers, got 321"),
        (SINE, {"season": 300, "window": 20}, CorpusError, r"window 20 \+ season 300"),
        (RANDOM.normal(size=90), {"around": "season"}, ConfigError, "none was found"),
        (SINE, {"horizon": 41}, CorpusError, "validation part .* 40 of the 41 numbers"),
        (SINE, {"horizon": 300}, CorpusError, "validation part|one window"),
    ],
)
def test_series_that_can_not_be_learned_are_refused(
    numbers: Any, settings: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as refused:
        prepared(numbers, **settings)
    assert "\n" not in str(refused.value)


def test_with_nothing_held_out_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    run = trained(SINE, tmp_path / "run", validation=0.0, test=0.0, steps=4, evaluations=2)
    assert run.report["ended"] == "finished"
    with pytest.raises(CorpusError, match="from memory"):
        run.evaluate()


def test_a_run_that_was_changed_is_refused(tmp_path: Path) -> None:
    trained(SINE, tmp_path / "run", steps=2, evaluations=1)
    whole = artifact.read_json(tmp_path / "run" / SERIES)
    short = {name: value for name, value in whole["framing"].items() if name != "units"}
    for wrong in ({"columns": ["v"]}, {**whole, "framing": short}, {**whole, "recent": "x"}, {**whole, "columns": 5}):
        artifact.write_json(tmp_path / "run" / SERIES, wrong)
        with pytest.raises(RunError, match="is not what it was"):
            textdl.load(tmp_path / "run")
