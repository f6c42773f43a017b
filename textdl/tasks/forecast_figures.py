"""How good forecasts are, always beside those that cost nothing.

Legend: B forecasts, H numbers ahead, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
NETWORK, LAST, SEASON = "network", "last value", "season before"


def errors(truth: Numbers, said: Numbers, step: Numbers) -> dict[str, float]:
    """Mean absolute error, root mean squared error, and mean absolute scaled error of forecasts.

    MASE (Hyndman & Koehler 2006) is the absolute error in units of the mean change from one number to the next in the
    training part: 1 is as good as saying there, one step ahead, the last value.

    Args:
        truth, said: [B, H].
        step: [B], that mean change of the column of each.
    """
    off = np.abs(said - truth)
    largest = max(float(off.max()), np.finfo(float).tiny)  # huge errors have no squares
    return {
        "mae": float(off.mean()),
        "rmse": float(largest * np.sqrt(((off / largest) ** 2).mean())),
        "mase": float((off / step[:, None]).mean()),
    }


def forecast_figures(
    truth: Numbers, quantiles: Numbers, baselines: Mapping[str, Numbers], step: Numbers, band: float
) -> dict[str, Any]:
    """All figures of forecasts.

    Args:
        truth: [B, H].
        quantiles: [B, H, Q], from low to high; the middle one is the forecast.
        baselines: name -> [B, H].
        step: [B]; see :func:`errors`.
        band: the share that lies between the lowest and the highest quantile, if all is well; 0 for no band.

    Returns:
        ``mae``, ``rmse``, ``mase`` of the network; with a band its ``coverage`` (the share of the truth that lies in
        it), the ``band`` that it should be, and its mean ``width``; ``methods``, the errors of the network and of each
        baseline; ``better``, whether the network's MASE is below that of every baseline; ``verdict``, that in words;
        ``forecasts`` and ``numbers``, how many.
    """
    methods = {NETWORK: errors(truth, quantiles[..., quantiles.shape[-1] // 2], step)}
    methods |= {name: errors(truth, said, step) for name, said in baselines.items()}
    figures: dict[str, Any] = {**methods[NETWORK]}
    if band:
        low, high = quantiles[..., 0], quantiles[..., -1]
        inside = (low <= truth) & (truth <= high)
        figures |= {"coverage": float(inside.mean()), "band": band, "width": float((high - low).mean())}
    figures |= {"methods": methods, "better": _is_better(methods), "verdict": verdict(methods)}
    return figures | {"forecasts": len(truth), "numbers": int(truth.size)}


def verdict(methods: Mapping[str, Mapping[str, float]]) -> str:
    """Whether the network is worth its while, in words."""
    best, network = _best_baseline(methods), methods[NETWORK]["mase"]
    other = methods[best]["mase"]
    if _is_better(methods):
        return (
            f"the network is better than every baseline: its MASE is {1 - network / other:.1%} below that of {best!r}"
        )
    same = "is no better than" if network == other else "is worse than"
    return f"the network {same} the baseline {best!r} (MASE {network:.4g} against {other:.4g}): the baseline will do"


def _is_better(methods: Mapping[str, Mapping[str, float]]) -> bool:
    return methods[NETWORK]["mase"] < methods[_best_baseline(methods)]["mase"]


def _best_baseline(methods: Mapping[str, Mapping[str, float]]) -> str:
    return min((name for name in methods if name != NETWORK), key=lambda name: methods[name]["mase"])
