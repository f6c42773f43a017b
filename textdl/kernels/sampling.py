"""How the next token is drawn from a model's scores: one rule, in plain numpy.

The rule, in order:

1. a banned token has probability 0;
2. at temperature 0 the token of the largest score is taken, the lowest id among equals;
3. the weights are ``exp((score - largest) / temperature)`` in float64, so that no temperature overflows;
4. top-k keeps the ``top_k`` largest scores, lower ids first among equals;
5. top-p keeps the smallest set of the largest weights left by 4 whose share of their sum is at least ``top_p``
   (Holtzman et al. 2020, "The curious case of neural text degeneration"); at least one token is kept;
6. the uniform number picks a token by the inverse of the cumulative distribution, in the order of the ids.

:func:`textdl.kernels.stepping.draw` is its compiled twin. The two do the same float64 operations in the same order
(sums from left to right, one exponential written out below), so that they always give the same id.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, RunError

LOG2_E = 1.0 / math.log(2.0)
LN2_HIGH = math.ldexp(math.floor(math.ldexp(math.log(2.0), 32)), -32)  # so few bits that n * LN2_HIGH is exact
LN2_LOW = 2.3190468138462996e-17 + (math.log(2.0) - LN2_HIGH)  # the rest of ln 2, beyond what a float64 holds
TAYLOR = tuple(1.0 / math.factorial(k) for k in range(14))
POWERS = np.ldexp(1.0, -np.arange(1024))  # POWERS[n] is 2 ** -n
SMALLEST = -700.0  # exp of anything lower counts as 0

NO_TOKEN = -1  # every token is banned or has probability 0
NOT_A_NUMBER = -2  # a score is not a number, or infinite


def pick(
    logits: NDArray[Any],
    uniform: float,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    banned: Sequence[int] | NDArray[np.int64] = (),
) -> int:
    """Draw one token.

    Args:
        logits: scores ``[V]``, before any softmax.
        uniform: a number in [0, 1), from the caller's generator.
        temperature: 0 takes the best token; 1 the model's own distribution; more is wilder.
        top_k: keep the k likeliest; 0, or ``V`` and more, keeps all.
        top_p: keep the likeliest that together have this share; 1 keeps all.
        banned: ids that must not come.

    Raises:
        ConfigError: a setting out of range, or no token left to draw.
        RunError: the scores hold NaN or +infinity.
    """
    check_settings(temperature, top_k, top_p)
    check_uniform(uniform)
    scores = np.array(logits, np.float32)
    if not scores.ndim == 1:
        raise ConfigError(f"logits must have one axis, got shape {scores.shape}: hand over the scores of one step")
    scores[id_array(banned, len(scores), "banned")] = -np.inf
    best = scores.max(initial=-np.inf)  # NaN when any score is
    if not best < np.inf:
        raise failure(NOT_A_NUMBER)
    if best == -np.inf:
        raise failure(NO_TOKEN)
    if temperature == 0:
        return int(scores.argmax())
    with np.errstate(over="ignore"):  # a tiny temperature: -infinity is right
        weights = exponential((scores.astype(np.float64) - np.float64(best)) / temperature)
    cumulative = np.cumsum(_keep(scores, weights, top_k, top_p))
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))


def _keep(scores: NDArray[Any], weights: NDArray[Any], top_k: int, top_p: float) -> NDArray[Any]:
    """The weights ``[V]``, those that top-k and top-p leave out set to 0."""
    count = len(scores) if top_k == 0 else min(top_k, len(scores))
    if count == len(scores) and top_p >= 1:
        return weights
    order = np.argsort(-scores, kind="stable")[:count]
    if top_p < 1:
        shares = np.cumsum(weights[order])
        total = shares[-1] if count < len(scores) else np.cumsum(weights)[-1]
        order = order[: np.searchsorted(shares, top_p * total, side="left") + 1]
    kept = np.zeros_like(weights)
    kept[order] = weights[order]
    return kept


def exponential(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``exp(x)`` of ``x <= 0`` to two units in the last place, by operations that every machine rounds alike.

    ``exp(x) = 2**n exp(r)``, where ``|r| <= ln(2) / 2`` has a Taylor series of 14 terms; below ``exp(-700)`` it is 0.
    """
    inside = np.maximum(x, SMALLEST)
    n = np.floor(inside * LOG2_E + 0.5)
    r = (inside - n * LN2_HIGH) - n * LN2_LOW
    series = np.full_like(r, TAYLOR[-1])
    for term in TAYLOR[-2::-1]:
        series = series * r + term
    exact: NDArray[np.float64] = np.where(x < SMALLEST, 0.0, series * POWERS[(-n).astype(np.int64)])
    return exact


def check_settings(temperature: float, top_k: int, top_p: float) -> None:
    """Raises ConfigError for a temperature, top-k or top-p that the rule has no meaning for."""
    if not 0 <= temperature < math.inf:
        raise ConfigError(f"temperature must be a finite number, at least 0, got {temperature}; 0 takes the best token")
    if top_k < 0:
        raise ConfigError(f"top_k must be at least 0, got {top_k}; 0 keeps every token")
    if not 0 <= top_p <= 1:
        raise ConfigError(f"top_p must lie in 0 to 1, got {top_p}; 1 keeps every token")


def check_uniform(uniform: Any) -> None:
    """Raises ConfigError unless every random number lies in [0, 1)."""
    if not np.all((np.asarray(uniform) >= 0) & (np.asarray(uniform) < 1)):
        raise ConfigError("the uniform numbers must lie in [0, 1): draw them by numpy's Generator.random")


def id_array(ids: Sequence[int] | NDArray[Any], vocabulary: int, name: str) -> NDArray[np.int64]:
    """Token ids as a fresh int64 array.

    Raises:
        ConfigError: an id is no whole number, or outside the vocabulary.
    """
    given = np.asarray(ids)
    if given.size == 0:
        return np.empty(0, np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise ConfigError(f"{name} must be a list of token ids, got {ids!r}")
    outside = given[(given < 0) | (given >= vocabulary)]
    if outside.size:
        raise ConfigError(
            f"{name} must hold ids from 0 to {vocabulary - 1}, got {outside[0]}; use the run's own tokenizer"
        )
    return given.astype(np.int64)


def failure(code: int) -> ConfigError | RunError:
    """The error for what a draw answers instead of an id."""
    if code == NO_TOKEN:
        return ConfigError("no token is left to draw: every one is banned or has probability 0; ban fewer")
    return RunError(
        "the model's scores are not finite numbers: its weights are broken; train it again, with a lower lr"
    )
