"""Forecasting: many numbers in, the next ones out.

Legend: N times, C columns, W numbers in a window, H numbers ahead, M numbers in a season, L = W + M, B windows of a
batch, D features, Q quantiles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from .. import artifact
from ..config import knob
from ..errors import ConfigError, CorpusError
from ..models.forecaster import Forecaster, ForecasterConfig, pinball
from ..series import LARGEST, Series, SeriesConfig, open_series
from ..training.config import TrainConfig
from ..training.events import Note, Observer
from ..training.gradient_task import Loss
from ..training.processes import WHOLE, Shard
from .forecast_run import ForecastRun, kept_of, measured, quantiles
from .forecast_windows import Framing, Places, cut, find_season, learn_framing, places

#: Where nothing is said: numbers ahead; the window, so many numbers, or so many seasons.
USUAL_HORIZON, USUAL_WINDOW, USUAL_SEASONS = 12, 24, 2


@dataclass(frozen=True)
class ForecastData(SeriesConfig):
    """What is read, and how it is cut and scaled."""

    window: int | None = knob(
        None, "Numbers that a forecast is made from (default: two seasons, at least 24).", least=1, most=100_000
    )
    horizon: int | None = knob(
        None,
        "Numbers that are forecast at once; 1: many to one (default: 12, or as many as each held-out part has).",
        least=1,
        most=10_000,
    )
    season: int | None = knob(
        None, "Numbers in a season, such as 12 or 24; 1: none (default: found in the training part).", least=1
    )
    around: str = knob(
        "auto",
        "What the network corrects: the last value again and again, the last season, or whichever there is.",
        choices=("auto", "last", "season"),
    )
    scaling: str = knob(
        "window",
        "What numbers are scaled by: each window's own level and spread, or those of the training part.",
        choices=("window", "train"),
    )


@dataclass(frozen=True)
class ForecastTraining(TrainConfig):
    """How long and how fast it is trained."""

    epochs: float = knob(40.0, "Passes over the training windows (unless --steps or --minutes is given).", above=0)
    batch_size: int = knob(32, "Windows in a batch (of each process).", least=1, most=1_000_000)
    lr: float = knob(0.01, "Highest learning rate.", above=0, most=1000)
    patience: int | None = knob(
        8,
        "Stop after so many evaluations without a better one; the run is then the best (not where nothing is held "
        "out).",
        least=1,
    )
    evaluations: int = knob(32, "Evaluations spread over the training.", least=1, most=10_000, flag=False)
    evaluate_at_most: int = knob(
        200_000, "Numbers of the validation part that an evaluation forecasts.", least=1, flag=False
    )


@dataclass(frozen=True)
class ForecastConfig:
    """Everything that can be set."""

    data: ForecastData = field(default_factory=ForecastData)
    model: ForecasterConfig = field(default_factory=ForecasterConfig)
    train: ForecastTraining = field(default_factory=ForecastTraining)


class Forecasting:
    """Train a forecaster: the numbers so far go in, those to come go out.

    A batch is windows of all columns, shuffled; each column is a series of its own that one model learns. The loss is
    the mean quantile loss of what the scaling leaves (``textdl.models.forecaster.pinball``): the median of it is half
    the absolute error, so that a wild number pulls less than it would on a squared one.
    """

    name: ClassVar[str] = "forecast"
    config_class: ClassVar[type] = ForecastConfig
    example: ClassVar[str] = "sales.csv --column sold --out runs/sales"
    unit, watched, higher_is_better = "number", "validation_mase", False

    def __init__(self, config: ForecastConfig, series: Series, source: Any, tell: Observer, shard: Shard) -> None:
        self.series, self.source, self._shard = series, source, shard
        for note in series.notes:
            tell(Note(note))
        self.framing, said = _framing(series, config.data)
        tell(Note(said))
        framing = self.framing
        derived = {"shown": framing.window, "ahead": framing.horizon, "features": framing.features}
        self.config = replace(config, model=replace(config.model, **derived))  # type: ignore[arg-type]
        self._train, self._held = (self._places(split) for split in ("train", "validation"))
        begin, end = series.parts["validation"]
        if (end > begin or config.data.validation) and not len(self._held.ends):
            raise CorpusError(
                f"the validation part of {series.name} is too short: it has {end - begin} of the {framing.horizon} "
                "numbers of one forecast; raise --validation (0 for none), or lower --horizon"
            )
        self.model: nn.Module = Forecaster(self.config.model)
        self._levels = torch.tensor(self.config.model.levels)
        self._last: dict[str, Any] | None = None  # figures on the validation part

    @classmethod
    def training(cls, config: ForecastConfig) -> ForecastTraining:
        """The settings of the trainer; there is nothing to wait for where nothing is held out."""
        return config.train if config.data.validation else replace(config.train, patience=None)

    @classmethod
    def prepare(cls, source: Any, config: ForecastConfig, tell: Observer, shard: Shard = WHOLE) -> Forecasting:
        """Read the series, learn its scaling from the training part, and build the model on the CPU."""
        return cls(config, open_series(source, config.data), source, tell, shard)

    @property
    def title(self) -> str:
        """One line for people."""
        framing = self.framing
        return f"{self.config.model.cell}, {framing.window} numbers in, {framing.horizon} out, on {self.series.name}"

    @property
    def facts(self) -> dict[str, str | int]:
        """What was read, for people."""
        parts = {name: end - begin for name, (begin, end) in self.series.parts.items()}
        framing = self.framing
        return {
            "column": ", ".join(self.series.columns),
            "numbers": ", ".join(f"{size:,} {name}" for name, size in parts.items()),
            "training windows": len(self._train.ends),
            "season": framing.season or "none",
            "corrects": f"the {'last season' if framing.around == 'season' else 'last value'}, repeated",
        }

    def corpus_record(self) -> dict[str, Any]:
        """What ``config.json`` says of the series."""
        source = str(self.source) if isinstance(self.source, (str, Path)) else None
        return {
            "source": source,
            "name": self.series.name,
            "licence": "unknown",
            "digest": self.series.digest,
            "columns": list(self.series.columns),
            "season": self.framing.season,
        }

    def save_parts(self, path: Path) -> None:
        """Write the scaling, and the last numbers, from which a forecast goes on."""
        kept = max(self.framing.lookback, 4 * self.framing.horizon)
        values = {
            "columns": list(self.series.columns),
            "framing": self.framing.to_json(),
            "recent": self.series.values[-kept:].tolist(),
            "times": list(self.series.times[-kept:]),
        }
        artifact.write_atomic(path / artifact.SERIES, json.dumps(values, ensure_ascii=False) + "\n")

    @classmethod
    def load_run(cls, path: Path, record: Mapping[str, Any], config: ForecastConfig) -> ForecastRun:
        """The run in a folder, its weights still to be read."""
        return ForecastRun(path, record, Forecaster(config.model), config.data, kept_of(path))

    def _places(self, split: str) -> Places:
        framing, series = self.framing, self.series
        return places(*series.parts[split], len(series.columns), framing.lookback, framing.horizon)

    def steps_per_epoch(self) -> int:
        """Batches in a pass."""
        return -(-len(self._train.ends) // (self._shard.of * self.config.train.batch_size))

    def batches(self, split: str, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Features [B, W, D] and what is to be said [B, H], both scaled; each pass in another order."""
        order = np.random.default_rng([self.config.train.seed, epoch]).permutation(len(self._train.ends))
        shape = (self.steps_per_epoch(), self._shard.of, self.config.train.batch_size)
        # The last batch is filled up from the beginning of the pass, so that all processes have as many windows.
        for which in np.resize(order, shape)[start:, self._shard.rank]:
            columns = self._train.columns[which]
            own = Places(columns, self._train.ends[which])
            known, truth = cut(self.series.values, own, self.framing.lookback, self.framing.horizon)
            framed = self.framing.frame(known, columns)
            yield torch.from_numpy(framed.features), torch.from_numpy(framed.scaled(truth))

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor], carry: Tensor | None) -> Loss:
        """Mean quantile loss of a batch, in units of a usual correction to the baseline, in float32."""
        features, truth = batch
        said = model(features.transpose(0, 1)).float()
        return Loss(pinball(said, truth, self._levels.to(said.device)), truth.numel())

    def figures(self, mean_loss: float) -> dict[str, float]:
        """The loss as it is."""
        return {"loss": mean_loss}

    def settle(self, model: nn.Module) -> None:
        """The weights are all that inference needs."""

    def metrics(self, model: nn.Module, at_most: int | None) -> dict[str, float]:
        """Errors on the validation part, those of the baselines beside them."""
        figures = self._last = self._measured(model, at_most)
        if figures is None:
            return {}
        kept = {f"validation_{name}": figures[name] for name in ("mae", "rmse", "mase", "coverage") if name in figures}
        for name, errors in list(figures["methods"].items())[1:]:
            kept |= {f"{name.split(' (')[0].replace(' ', '_')}_{one}": errors[one] for one in ("mae", "rmse", "mase")}
        return kept

    def sample(self, model: nn.Module) -> str:
        """What is to be thought of it, in words."""
        return "" if self._last is None else str(self._last["verdict"])

    def _measured(self, model: nn.Module, at_most: int | None) -> dict[str, Any] | None:
        """The figures on the validation part, of windows spread over it evenly; None where it is empty."""
        held, framing = self._held, self.framing
        if not len(held.ends):
            return None
        most = len(held.ends) if at_most is None else max(1, at_most // framing.horizon)
        apart = -(-len(held.ends) // most)
        some = Places(held.columns[::apart], held.ends[::apart])

        def predict(history: Any, columns: Any) -> Any:
            return quantiles(model, framing, history, columns)

        return measured(predict, framing, self.series.values, some, self.config.model.band)


def _framing(series: Series, data: ForecastData) -> tuple[Framing, str]:
    """The framing, learned from the training part alone, and what was found of the season, for people.

    Raises:
        CorpusError: the training part is too short for one window, or constant.
        ConfigError: the season is longer than the training part, or there is none to forecast around.
    """
    begin, end = series.parts["train"]
    train = series.values[begin:end]
    for column, name in enumerate(series.columns):
        if len(train) and np.ptp(train[:, column]) <= 1 / LARGEST:  # smaller changes have no squares
            raise CorpusError(
                f"column {name!r} of {series.name} is {train[0, column]:g} throughout its training part of "
                f"{len(train)} numbers; there is nothing to learn, give a series that changes"
            )
    if data.season is not None and data.season > len(train):
        raise ConfigError(
            f"season must be at most the training part of {len(train)} numbers, got {data.season}; "
            "give more, or 1 for none"
        )
    found = find_season(train) if data.season is None else data.season if data.season > 1 else 0
    if data.around == "season" and not found:
        raise ConfigError("around season needs one, and none was found; give --season N, or leave --around out")
    held = [stop - start for start, stop in list(series.parts.values())[1:] if stop > start]
    horizon = data.horizon or min([USUAL_HORIZON, max(1, len(train) // 4), *held])
    room = len(train) - horizon
    if data.season is None and found + 1 > room // 2 and data.around != "season":
        found = 0  # it would leave no windows to learn from
    usual = max(USUAL_WINDOW, USUAL_SEASONS * found)
    window = data.window or max(1, min(usual, (room - found) // 2))
    need = window + found + horizon
    if len(train) < need:
        season = f" + season {found}" if found else ""
        raise CorpusError(
            f"the training part of {series.name} has {len(train)} numbers, fewer than the {need} of one window "
            f"(window {window}{season} + horizon {horizon}); give more, or lower --window, --horizon or --season"
        )
    around = data.around if data.around != "auto" else "season" if found else "last"
    said = f"season of {found} numbers" if found else "no season"
    how = "found in the training part" if data.season is None else "as given"
    return learn_framing(train, window, horizon, found, around, data.scaling), f"{said} ({how})"
