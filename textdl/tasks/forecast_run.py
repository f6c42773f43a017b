"""A trained forecaster: it says which numbers come next, and is measured beside the naive forecasts.

Legend: N times, C columns, S steps ahead, W numbers in a window, H numbers ahead at once, M numbers in a season,
L = W + M, B windows, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .. import artifact
from ..errors import ConfigError, CorpusError, RunError
from ..models.forecaster import Forecaster
from ..series import LARGEST, Series, SeriesConfig, open_series
from .base import Run, command
from .forecast_figures import LAST, SEASON, forecast_figures
from .forecast_windows import Framing, Numbers, Places, cut, last_value, places, seasonal

#: Windows that go through the model at once.
AT_ONCE = 512
#: Steps that a forecast may be told to go on for.
MOST_STEPS = 100_000


@dataclass(frozen=True, eq=False)
class Forecast:
    """The numbers to come; ``numpy.asarray(forecast)`` is the median.

    Attributes:
        median: [S], of several columns [S, C].
        low, high: the ends of the band, each as the median; None where the run has none.
        band: the share of the numbers that the band is to hold.
        columns: names of the C columns.
        history: [n, C], the last numbers that were known.
        times: n labels of those, or none.
    """

    median: Numbers
    low: Numbers | None
    high: Numbers | None
    band: float
    columns: tuple[str, ...]
    history: Numbers
    times: tuple[str, ...]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.median, dtype=dtype)

    def __len__(self) -> int:
        return len(self.median)


class ForecastRun(Run):
    """A trained forecaster: ``forecast`` and ``evaluate``."""

    model: Forecaster

    def __init__(
        self, path: Path, record: Mapping[str, Any], model: nn.Module, data: SeriesConfig, kept: Mapping[str, Any]
    ) -> None:
        super().__init__(path, record, model)
        self._data = data
        self.framing = Framing.of(kept["framing"])
        self.columns: tuple[str, ...] = tuple(kept["columns"])
        self._recent = np.array(kept["recent"], np.float64).reshape(-1, len(self.columns))
        self._times: tuple[str, ...] = tuple(kept["times"])

    @property
    def horizon(self) -> int:
        """H, the numbers that are forecast at once."""
        return self.framing.horizon

    def next_command(self) -> str:
        """What to try with a new run."""
        return command("forecast", self.path)

    def forecast(self, numbers: Any = None, steps: int | None = None) -> Forecast:
        """The numbers that come next, with their band.

        H numbers are forecast at once. Further ones are forecast from the medians of those before, fed back as if they
        had come true; so beyond H the band is too narrow, for it knows nothing of how unsure its own beginning is.

        Args:
            numbers: what was before, anything that ``textdl.series.open_series`` takes, at least L numbers; the series
                of the training, to its end, when none are given.
            steps: S; by default H.

        Raises:
            CorpusError: no numbers, too few, or of other columns than the run's.
            ConfigError: steps is less than 1 or more than 100,000, or so many that the numbers grow beyond all bounds.
        """
        steps = self.horizon if steps is None else steps
        if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or not 1 <= steps <= MOST_STEPS:
            raise ConfigError(f"steps must be a whole number from 1 to {MOST_STEPS:,}, got {steps!r}")
        known, times = self._recent, self._times
        if numbers is not None:
            series = self.opened(numbers, whole=True)
            known, times = series.values, series.times
        need = self.framing.lookback
        if len(known) < need:
            season = f" and a season of {self.framing.season}" if self.framing.season else ""
            raise CorpusError(
                f"a forecast needs the last {need} numbers (a window of {self.framing.window}{season}), "
                f"got {len(known)}; give more"
            )
        pieces: list[Numbers] = []
        history = known[-need:].T  # [C, L]
        which = np.arange(len(self.columns))
        for _ in range(-(-steps // self.horizon)):
            said = self.quantiles(history, which)  # [C, H, Q]
            if not (np.abs(said) <= LARGEST).all():
                most = len(pieces) * self.horizon
                raise ConfigError(
                    f"beyond {most} steps the forecast, made from its own numbers, grows over {LARGEST:g}; "
                    f"steps must be at most {most} here, got {steps}"
                )
            pieces.append(said)
            history = np.concatenate([history, said[..., said.shape[-1] // 2]], axis=1)[:, -need:]
        whole = np.concatenate(pieces, axis=1)[:, :steps].transpose(1, 0, 2)  # [S, C, Q]
        if len(self.columns) == 1:
            whole = whole[:, 0]
        band = self.model.config.band
        low, high = (whole[..., 0], whole[..., -1]) if band else (None, None)
        shown = max(need, 4 * steps)
        return Forecast(
            whole[..., whole.shape[-1] // 2], low, high, band, self.columns, known[-shown:], tuple(times[-shown:])
        )

    def evaluate(
        self, corpus: Any = None, split: str | None = None, text_field: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Figures on held-out numbers, of the network and of the forecasts that cost nothing.

        Every place of the part is forecast from: H numbers ahead of each, so that their spans overlap. What is known
        before the first of them may lie in the part before.

        Args:
            corpus: anything that ``textdl.series.open_series`` takes; the series of the training when none is given.
            split: by default ``test`` of the training's series or of one that brings such a part, and all of another.
            text_field: a series has no text; nothing else than () is taken.

        Returns:
            What :func:`textdl.tasks.forecast_figures.forecast_figures` gives; ``corpus``, ``split``, ``same_corpus``.

        Raises:
            CorpusError: no such series, of other columns, or too short for one forecast.
        """
        if text_field:
            raise ConfigError("a series of numbers has no text; leave --text-field out")
        source = self.config["corpus"]["source"]
        if corpus is None and source is None:
            raise CorpusError("the run was trained on numbers from memory; name a file to evaluate it on")
        own = corpus is None or (isinstance(corpus, (str, Path)) and str(corpus) == source)
        series = self.opened(source if own else corpus, whole=not own and split is None)
        split = split or ("test" if own or "test" in series.own_splits else "train")
        if split not in series.parts:
            raise CorpusError(f"{series.name} has no split {split!r}; choose from {', '.join(series.parts)}")
        begin, end = series.parts[split]
        which = places(begin, end, len(self.columns), self.framing.lookback, self.horizon)
        if not len(which.ends):
            raise CorpusError(
                f"the {split} split of {series.name} has {end - begin} numbers, too few for one forecast of "
                f"{self.horizon} from {self.framing.lookback} before; give more, or another --split"
            )
        return {
            **measured(self.quantiles, self.framing, series.values, which, self.model.config.band),
            "corpus": series.name,
            "split": "all" if not own and not series.own_splits and split == "train" else split,
            "same_corpus": series.digest == self.config["corpus"]["digest"],
        }

    def quantiles(self, history: Numbers, columns: NDArray[np.int64]) -> Numbers:
        """The quantiles [B, H, Q] of what comes after ``history`` [B, L], of columns [B]; from low to high."""
        return quantiles(self.model, self.framing, history, columns)

    def opened(self, source: Any, whole: bool = False) -> Series:
        """A series of the run's columns; ``whole`` where nothing of it is held out.

        Raises:
            CorpusError: it has other columns.
        """
        data = self._data
        if isinstance(source, (str, Path)):
            named = self.config["corpus"]["source"] is not None  # numbers in memory have no names to look for
            data = replace(data, column=self.columns if named else data.column)
        elif not isinstance(source, Series):
            data = replace(data, column=(), time_column=None)
        series = open_series(source, replace(data, validation=0.0, test=0.0) if whole else data)
        if len(series.columns) != len(self.columns):
            raise CorpusError(
                f"the run forecasts {len(self.columns)} columns ({', '.join(self.columns)}), and {series.name} has "
                f"{len(series.columns)}; give the same ones"
            )
        return series


def quantiles(model: nn.Module, framing: Framing, history: Numbers, columns: NDArray[np.int64]) -> Numbers:
    """The quantiles [B, H, Q] of what comes after ``history`` [B, L]; in evaluation, from low to high.

    Where learned quantiles cross they are put in order (Chernozhukov et al. 2010).
    """
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    said = []
    with torch.inference_mode():
        for start in range(0, len(history), AT_ONCE):
            framed = framing.frame(history[start : start + AT_ONCE], columns[start : start + AT_ONCE])
            x = torch.from_numpy(framed.features).transpose(0, 1).to(device)
            said.append(framed.back(np.sort(model(x).float().cpu().numpy(), axis=-1)))
    model.train(was_training)
    return np.concatenate(said)


def measured(predict: Any, framing: Framing, values: Numbers, which: Places, band: float) -> dict[str, Any]:
    """The figures of forecasts at some places of values [N, C]; ``predict(history, columns) -> [B, H, Q]``.

    What is known before each place is cut out of a few at a time: all of it would be the part many times over.
    """
    parts: dict[str, list[Numbers]] = {}
    for start in range(0, len(which.ends), AT_ONCE):
        some = Places(which.columns[start : start + AT_ONCE], which.ends[start : start + AT_ONCE])
        known, truth = cut(values, some, framing.lookback, framing.horizon)
        made = {"truth": truth.copy(), "said": predict(known, some.columns), LAST: last_value(known, framing.horizon)}
        if framing.season:
            made[f"{SEASON} ({framing.season})"] = seasonal(known, framing.horizon, framing.season)
        for name, numbers in made.items():
            parts.setdefault(name, []).append(numbers)
    whole = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    truth, said = whole.pop("truth"), whole.pop("said")
    return forecast_figures(truth, said, whole, np.asarray(framing.step)[which.columns], band)


def kept_of(path: Path) -> dict[str, Any]:
    """What a run keeps of its series.

    Raises:
        RunError: missing or damaged.
    """
    kept = artifact.read_json(path / artifact.SERIES)
    try:
        Framing.of(kept["framing"])
        np.array(kept["recent"], np.float64).reshape(-1, len(kept["columns"]))
        tuple(kept["times"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RunError(f"{path / artifact.SERIES} is not what it was; restore it or train again") from None
    return kept
