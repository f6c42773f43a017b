"""Layers against overfitting: they disturb the training and are a plain function, mostly the identity, in evaluation.

Legend: T time steps, B sequences in a batch, D width of the input, H width of the output, K pieces of a maxout unit;
[..., D] is any shape whose last size is D. All masks and noise come from torch's seeded generator.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from ..errors import ConfigError, near
from .recurrent import locked_dropout


class Dropout(nn.Dropout):
    """``forward(x [...]) -> y [...]``: each value is zeroed with probability p = ``share``, the rest made larger.

    ::

        y = m x / (1 - p),   m = 0 with probability p, else 1              so that E[y] = x

    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", in the inverted form,
    whose evaluation is the identity.

    Raises:
        ConfigError: ``share`` is not in 0 ≤ share < 1.
    """

    def __init__(self, share: float = 0.5) -> None:
        super().__init__(_share("share", share))

    def extra_repr(self) -> str:
        return f"share={self.p:g}"


class LockedDropout(nn.Module):
    """``forward(x [T, B, D]) -> y [T, B, D]``: dropout that zeroes the same features at every time step.

    ::

        y[t] = m x[t] / (1 - p),   m [1, B, D] = 0 with probability p, else 1, and the same for all t

    Gal & Ghahramani 2016, "A theoretically grounded application of dropout in recurrent neural networks", also called
    variational dropout.

    Raises:
        ConfigError: ``share`` is not in 0 ≤ share < 1.
    """

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        self.share = _share("share", share)

    def forward(self, x: Tensor) -> Tensor:
        return locked_dropout(x, self.share, self.training)

    def extra_repr(self) -> str:
        return f"share={self.share:g}"


class DropConnect(nn.Module):
    """Any module, some of its weights zeroed while training: ``DropConnect(nn.LSTM(4, 3), 0.5, ("weight_hh_l0",))``.

    ::

        y = f(x; M W / (1 - p)),   M of the shape of W, 0 with probability p, else 1

    Wan et al. 2013, "Regularization of neural networks using DropConnect"; on recurrent weights it is the weight drop
    of Merity et al. 2018, "Regularizing and optimizing LSTM language models". One mask a forward call serves all
    sequences and steps, where Wan et al. draw one an example; evaluation uses W itself, the mean of the weights in
    training, where they sample. The gradient goes to W, through the mask. ``forward`` takes and gives what the wrapped
    module does, and ``state_dict`` holds its plain names below ``module.``.

    Args:
        module: the module; it stays whole, ``self.module``.
        share: p.
        weights: the names of the parameters to drop from, dotted where they lie deeper (``"0.weight"``).

    Raises:
        ConfigError: ``share`` is not in 0 ≤ share < 1, or the module has no parameter of such a name.
    """

    def __init__(self, module: nn.Module, share: float = 0.5, weights: tuple[str, ...] = ("weight",)) -> None:
        super().__init__()
        self.share, self.weights = _share("share", share), tuple(weights)
        known = [name for name, _ in module.named_parameters(remove_duplicate=False)]
        if not self.weights:
            raise ConfigError(f"weights must name at least one parameter, got none; known: {', '.join(known)}")
        for name in self.weights:
            if name not in known:
                raise ConfigError(f"weights has {name!r}, which {type(module).__name__} lacks; {near(name, known)}")
        self.module = module

    def forward(self, *inputs: Any, **named: Any) -> Any:
        if not self.training or self.share == 0.0:
            return self.module(*inputs, **named)
        # The weights change place for this call alone; torch's recurrent layers notice it and flatten theirs anew.
        dropped = {name: F.dropout(self.module.get_parameter(name), self.share) for name in self.weights}
        return functional_call(self.module, dropped, inputs, named)

    def extra_repr(self) -> str:
        return f"share={self.share:g}, weights={self.weights}"


class ShakeOut(nn.Linear):
    """``forward(x [..., D]) -> y [..., H]``: a linear layer that enhances or reverses what an input adds, by chance.

    ::

        y_i = Σ_j W~_ij x_j + b_i,   W~_ij = -c sign(W_ij)                             with probability τ,
                                             (W_ij + c τ sign(W_ij)) / (1 - τ)         else

    Kang, Li & Tao 2016, "Shakeout: a new regularized deep neural network training scheme". The case is drawn for each
    input unit j of each row of x, the same for all outputs i. E[W~] = W, so evaluation is the plain layer; c = 0 is
    dropout on the inputs, a larger c adds to its L2 penalty on the weights an L1 penalty. The sign counts as a
    constant in the gradient.

    Args:
        inputs: D.
        outputs: H.
        tau: τ, how likely an input is reversed.
        c: how far, on the scale of the weights.
        bias: whether there is b.

    Raises:
        ConfigError: ``tau`` is not in 0 ≤ τ < 1, or ``c`` is negative.
    """

    def __init__(self, inputs: int, outputs: int, tau: float, c: float, bias: bool = True) -> None:
        super().__init__(inputs, outputs, bias)
        self.tau, self.c = _share("tau", tau), _at_least_zero("c", c)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.tau == 0.0:
            return super().forward(x)
        # With r = 0 or 1 / (1 - τ), both cases are W~ = r W + c (r - 1) sign(W), and r goes to x: no weights a sample.
        kept = F.dropout(x, self.tau)  # r x
        y = super().forward(kept)
        return y if self.c == 0.0 else y + self.c * F.linear(kept - x, self.weight.detach().sign())

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, tau={self.tau:g}, c={self.c:g}"


class GaussianNoise(nn.Module):
    """``forward(x [...]) -> y [...]``: y = x + σ ε, ε drawn from the normal distribution, σ = ``std``; while training.

    Bishop 1995, "Training with noise is equivalent to Tikhonov regularization".

    Raises:
        ConfigError: ``std`` is negative.
    """

    def __init__(self, std: float = 0.1) -> None:
        super().__init__()
        self.std = _at_least_zero("std", std)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training and self.std > 0.0 else x

    def extra_repr(self) -> str:
        return f"std={self.std:g}"


class Maxout(nn.Module):
    """``forward(x [..., D]) -> y [..., H]``: each output is the largest of K affine functions of the input.

    ::

        y_i = max over k of (Σ_j W_ikj x_j + b_ik)

    Goodfellow et al. 2013, "Maxout networks": a convex activation that is learned, made to go with dropout. It is the
    same in training and in evaluation. Row i K + k of ``affine.weight`` [H K, D] is piece k of output i.

    Raises:
        ConfigError: ``pieces`` is less than 1.
    """

    def __init__(self, inputs: int, outputs: int, pieces: int = 2, bias: bool = True) -> None:
        super().__init__()
        if pieces < 1:
            raise ConfigError(f"pieces must be at least 1, got {pieces}")
        self.outputs, self.pieces = outputs, pieces
        self.affine = nn.Linear(inputs, outputs * pieces, bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.affine(x).unflatten(-1, (self.outputs, self.pieces)).amax(-1)
        return y

    def extra_repr(self) -> str:
        return f"outputs={self.outputs}, pieces={self.pieces}"


class LeakyReLU(nn.LeakyReLU):
    """``forward(x [...]) -> y [...]``: y = x where x > 0, else a x, a = ``slope``; no unit is ever without a gradient.

    Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models".

    Raises:
        ConfigError: ``slope`` is not in 0 ≤ slope < 1.
    """

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__(_share("slope", slope))

    def extra_repr(self) -> str:
        return f"slope={self.negative_slope:g}"


def _share(name: str, value: float) -> float:
    if not 0.0 <= value < 1.0:
        raise ConfigError(f"{name} must be at least 0 and less than 1, got {value}")
    return float(value)


def _at_least_zero(name: str, value: float) -> float:
    if not 0.0 <= value < math.inf:
        raise ConfigError(f"{name} must be at least 0 and finite, got {value}")
    return float(value)
