"""The losses, as scalars in nats (the squared error: in squared units), on torch's own functions.

All are worked out in float32 at least, whatever the precision of the model: the sum over a large vocabulary is no place
for bfloat16. Float64 stays float64.

Legend: C classes, N targets; [...] is any shape.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ConfigError

#: What torch is told to ignore when nothing is: no target has this value, where torch's default, -100, hides a mistake.
_NOTHING = torch.iinfo(torch.int64).min


def cross_entropy(
    logits: Tensor, targets: Tensor, smoothing: float = 0.0, ignore: int | None = None, weights: Tensor | None = None
) -> Tensor:
    """Mean cross-entropy of a softmax, in nats: logits [..., C], targets [...] of whole numbers -> a scalar.

    ::

        -(1 / N) Σ_n Σ_k q_nk log softmax(z_n)_k,   q_nk = (1 - ε) [k = y_n] + ε / C

    ε is ``smoothing`` (label smoothing, Szegedy et al. 2016, "Rethinking the inception architecture"); at 0 it is the
    mean of -log of the probability of the target.

    Args:
        logits: z, before the softmax.
        targets: y, the number of the right class.
        smoothing: share of the target's probability that is spread evenly over all classes.
        ignore: a target that does not count (padding); N then is the number of the others, and the loss of a batch
            without others is not a number.

    Raises:
        ValueError: the shapes do not fit, or the targets are not whole numbers.
        ConfigError: ``smoothing`` is not in 0 ≤ smoothing < 1.
    """
    _check_smoothing(smoothing)
    if logits.ndim == 0 or logits.shape[:-1] != targets.shape:
        raise ValueError(f"cross_entropy takes logits [..., C] and targets [...], got {_shapes(logits, targets)}")
    if targets.is_floating_point() or targets.is_complex():
        raise ValueError(f"cross_entropy takes the numbers of the right classes as targets, got {targets.dtype}")
    rows, aims = _full(logits).reshape(-1, logits.shape[-1]), targets.reshape(-1).long()
    nothing = _NOTHING if ignore is None else ignore
    if weights is None:
        return F.cross_entropy(rows, aims, ignore_index=nothing, label_smoothing=smoothing)
    each = F.cross_entropy(rows, aims, ignore_index=nothing, label_smoothing=smoothing, reduction="none")
    counted = aims != nothing
    return (each * weights.to(each.dtype)[torch.where(counted, aims, 0)]).sum() / counted.sum()


def smoothed_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """The mean cross-entropy with label smoothing, and the one without, from one softmax.

    Both are those of :func:`cross_entropy`: logits [N, C], targets [N] -> two scalars; the second has no gradient.

    Raises:
        ConfigError: ``smoothing`` is not in 0 ≤ smoothing < 1.
    """
    _check_smoothing(smoothing)
    if not smoothing:
        plain = cross_entropy(logits, targets)
        return plain, plain.detach()
    chances = F.log_softmax(_full(logits), dim=-1)
    nats = F.nll_loss(chances, targets)
    even = -chances.mean()
    return (1 - smoothing) * nats + smoothing * even, nats.detach()


def binary_cross_entropy(
    logits: Tensor, targets: Tensor, smoothing: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """Mean cross-entropy of independent yes-or-no answers, in nats: logits [...], targets [...] -> a scalar.

    ::

        -(1 / N) Σ_n (q_n log σ(z_n) + (1 - q_n) log(1 - σ(z_n))),   q_n = (1 - ε) y_n + ε / 2

    Args:
        logits: z, before the sigmoid.
        targets: y, 0 or 1 (also as truth values), or a probability.
        smoothing: ε, as in :func:`cross_entropy` with two classes.
        weights: what a "yes" counts, of the shape of the last dimension or of all; a "no" counts 1.

    Raises:
        ValueError: the shapes differ.
        ConfigError: ``smoothing`` is not in 0 ≤ smoothing < 1.
    """
    _check_smoothing(smoothing)
    if logits.shape != targets.shape:
        raise ValueError(f"binary_cross_entropy takes logits and targets of one shape, got {_shapes(logits, targets)}")
    full = _full(logits)
    aims = (1 - smoothing) * targets.to(full.dtype) + smoothing / 2
    return F.binary_cross_entropy_with_logits(full, aims, pos_weight=weights)


def mean_squared_error(predicted: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error: predicted [...], targets [...] -> a scalar, ``(1 / N) Σ_n (p_n - y_n)²``.

    Raises:
        ValueError: the shapes differ.
    """
    if predicted.shape != targets.shape:
        raise ValueError(
            f"mean_squared_error takes predictions and targets of one shape, got {_shapes(predicted, targets)}"
        )
    full = _full(predicted)
    return F.mse_loss(full, targets.to(full.dtype))


def _full(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _shapes(first: Tensor, second: Tensor) -> str:
    return f"{list(first.shape)} and {list(second.shape)}"


def _check_smoothing(smoothing: float) -> None:
    if not 0.0 <= smoothing < 1.0:
        raise ConfigError(f"smoothing must be at least 0 and less than 1, got {smoothing}")
