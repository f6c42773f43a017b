"""Where a pen goes next, as a mixture of two-dimensional Gaussians, and whether it is lifted there.

Bishop 1994 ("Mixture density networks") in the form of Graves 2013 (arXiv:1308.0850, equations 15 to 23, 25, 26). A
network says 1 + 6 M numbers of a point: the logit of pen-up; then, M each, the logits of the components, their means
(x, y), the logarithms of their deviations (x, y), and what becomes their correlation.

Two things are kept from the edges, where a density of a few pixels would grow without bound: a deviation is at least
``exp(LEAST)`` (approached smoothly, so that a gradient is always left), a correlation at most ``STRONGEST``. All of it
is worked out in float32 at least.

Legend: M components; [...] is any shape.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

#: The least logarithm of a deviation: about a hundredth of the spread of all steps; and the largest one.
LEAST, MOST = -4.5, 7.0
#: The largest correlation, in size.
STRONGEST = 0.99
#: Distances in deviations are cut here, so that their squares are numbers.
FARTHEST = 1e9
#: Uniform numbers that a point is drawn with: the component, two for the place, the pen.
UNIFORMS = 4


class Mixture(NamedTuple):
    """What 1 + 6 M numbers stand for; each [..., M], but for the pen."""

    pen: Tensor  # [...], the logit of pen-up
    log_weights: Tensor
    mean_x: Tensor
    mean_y: Tensor
    log_x: Tensor  # logarithms of the deviations
    log_y: Tensor
    correlation: Tensor


def width(components: int) -> int:
    """Numbers that M components take: 1 + 6 M."""
    return 1 + 6 * components


def mixture(parameters: Tensor, bias: float = 0.0) -> Mixture:
    """The mixture that parameters [..., 1 + 6 M] stand for.

    Args:
        bias: neatness b (Graves 2013, equations 61 and 62): logits of the components times 1 + b, logarithms of the
            deviations less b. 0 is the mixture as it was learned.
    """
    full = parameters.to(torch.promote_types(parameters.dtype, torch.float32))
    logits, mean_x, mean_y, log_x, log_y, correlation = full[..., 1:].chunk(6, dim=-1)
    return Mixture(
        full[..., 0],
        F.log_softmax(logits * (1.0 + bias), dim=-1),
        mean_x,
        mean_y,
        (LEAST + F.softplus(log_x - LEAST)).clamp(max=MOST) - bias,
        (LEAST + F.softplus(log_y - LEAST)).clamp(max=MOST) - bias,
        STRONGEST * torch.tanh(correlation),
    )


def log_prob(parameters: Tensor, points: Tensor) -> Tensor:
    """The log-density of points, in nats: parameters [..., 1 + 6 M], points [..., 3] (dx, dy, pen_up) -> [...].

    A density over dx and dy times the probability of the pen; so it may be above 0.
    """
    mix = mixture(parameters)
    x, y, pen = points.to(mix.pen.dtype).unsqueeze(-2).unbind(-1)  # [..., 1]
    z_x = ((x - mix.mean_x) * torch.exp(-mix.log_x)).clamp(-FARTHEST, FARTHEST)
    z_y = ((y - mix.mean_y) * torch.exp(-mix.log_y)).clamp(-FARTHEST, FARTHEST)
    rest = (1.0 - mix.correlation) * (1.0 + mix.correlation)
    # z_x² + z_y² - 2 ρ z_x z_y would cancel where ρ is near 1; this is the same over 1 - ρ², and never negative.
    square = (z_x - mix.correlation * z_y).square() / rest + z_y.square()
    each = mix.log_weights - 0.5 * (square + torch.log(rest)) - mix.log_x - mix.log_y
    steps = torch.logsumexp(each, dim=-1) - math.log(2 * math.pi)
    return steps - F.binary_cross_entropy_with_logits(mix.pen, pen.squeeze(-1), reduction="none")


def sample(parameters: Tensor, uniforms: Tensor, bias: float = 0.0) -> Tensor:
    """Draw a point from each mixture: parameters [..., 1 + 6 M], uniforms [..., 4] in [0, 1) -> points [..., 3].

    The first uniform number picks the component, the next two are the angle and distance of Box & Muller (1958), the
    last one is the pen's. ``textdl.kernels.writing`` draws by the same rule.

    Args:
        bias: neatness, as of :func:`mixture`.
    """
    mix = mixture(parameters, bias)
    chances = uniforms.to(mix.pen.dtype)
    cumulative = mix.log_weights.exp().cumsum(-1)
    passed = cumulative <= chances[..., :1] * cumulative[..., -1:]
    which = passed.sum(-1, keepdim=True).clamp(max=cumulative.shape[-1] - 1)
    mean_x, mean_y, log_x, log_y, correlation = (part.gather(-1, which).squeeze(-1) for part in mix[2:])
    distance = torch.sqrt(-2.0 * torch.log1p(-chances[..., 1]))
    angle = 2 * math.pi * chances[..., 2]
    along, across = distance * torch.cos(angle), distance * torch.sin(angle)
    x = mean_x + log_x.exp() * along
    rest = torch.sqrt((1.0 - correlation) * (1.0 + correlation))
    y = mean_y + log_y.exp() * (correlation * along + rest * across)
    return torch.stack([x, y, (chances[..., 3] < torch.sigmoid(mix.pen)).to(x.dtype)], dim=-1)
