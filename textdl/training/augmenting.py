"""Training pictures changed by chance, a little each time they are seen, on whatever device they lie.

Shift, rotation, scale, shear, flip, crop and elastic distortion move where a pixel is taken from; they are put together
into one place for each pixel, and the picture is read once (bilinear), so that it is blurred once. Cutout comes after.

All is drawn from torch's global generator of the device, which a checkpoint keeps.

Legend: B pictures, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import check, knob
from ..errors import ConfigError

#: What the smoothness of the elastic distortion is of the shorter side, where nothing is said: 4 of 28 pixels, as in
#: Simard et al. 2003.
USUAL_SMOOTHNESS = 1 / 7
#: Of a smaller alpha both parts of a mixture may be drawn as 0.
LEAST_MIXUP = 0.01


@dataclass(frozen=True)
class Plan:
    """How pictures are changed while training; all is off at first."""

    shift: float = knob(0.0, "Training pictures are moved by up to so many pixels each way.", least=0, most=4096)
    rotation: float = knob(0.0, "Training pictures are turned by up to so many degrees.", least=0, most=180)
    scale: float = knob(0.0, "Training pictures grow or shrink by up to this share, each side apart.", least=0, most=4)
    shear: float = knob(0.0, "Training pictures are slanted by up to so many degrees.", least=0, most=60)
    elastic: float = knob(0.0, "Training pictures are bent: pixels move by about so many pixels.", least=0, most=100)
    elastic_smoothness: float | None = knob(
        None,
        "Pixels over which the bending changes (default: a seventh of the shorter side).",
        least=0.25,
        most=1000,
        flag=False,
    )
    flip: bool = knob(False, "Half of the training pictures are mirrored, left to right.")
    crop: int = knob(
        0,
        "Training pictures get so many pixels around them and are cut back anywhere.",
        least=0,
        most=4096,
    )
    cutout: int = knob(0, "A square of such a side is blanked out in each training picture.", least=0, most=16384)
    mixup: float = knob(
        0.0, "Training pictures are mixed in pairs, and their labels; 0.2 is usual (alpha).", least=0, most=100
    )

    def __post_init__(self) -> None:
        check(self)
        if 0 < self.mixup < LEAST_MIXUP:
            raise ConfigError(f"mixup must be 0 (none) or at least {LEAST_MIXUP}, got {self.mixup}")

    @property
    def moves(self) -> bool:
        """Whether pixels are taken from elsewhere."""
        return any((self.shift, self.rotation, self.scale, self.shear, self.elastic, self.flip, self.crop))

    @property
    def told(self) -> str:
        """What is done, for people."""
        names = ("shift", "rotation", "scale", "shear", "elastic", "flip", "crop", "cutout", "mixup")
        said = {name: getattr(self, name) for name in names if getattr(self, name)}
        return ", ".join(name if value is True else f"{name} {value:g}" for name, value in said.items()) or "none"


@torch.no_grad()
def augment(pixels: Tensor, plan: Plan, background: Tensor | None = None) -> Tensor:
    """Pictures [B, C, H, W], changed as the plan says, each in its own way; the same tensor where it says nothing.

    Mixing, which changes labels too, is :func:`mixup`.

    Args:
        background: [C], what is taken for the pixels outside of a picture and for those cut out; 0 by default.
    """
    if not (plan.moves or plan.cutout):
        return pixels
    with torch.autocast(pixels.device.type, enabled=False):  # places in bfloat16 would be off by pixels
        ground = pixels.new_zeros(pixels.shape[1]) if background is None else background.to(pixels)
        if plan.moves:
            places = draw_places(len(pixels), pixels.shape[2], pixels.shape[3], plan, pixels.device)
            pixels = sampled(pixels, places, ground)
        return _cut_out(pixels, plan.cutout, ground) if plan.cutout else pixels


class Mixed(NamedTuple):
    """Pictures of which each is ``share`` itself and for the rest the one at ``order``, and so is its label."""

    pixels: Tensor
    order: Tensor
    share: Tensor


@torch.no_grad()
def mixup(pixels: Tensor, alpha: float) -> Mixed:
    """Mix pictures [B, C, H, W] in pairs: ``x_i ← s_i x_i + (1 - s_i) x_order(i)``, s from Beta(α, α), at least a half.

    Zhang, Cissé, Dauphin & Lopez-Paz 2018, "mixup: beyond empirical risk minimization". A mixture of i with j by s is
    one of j with i by 1 - s, so nothing is lost where a picture is always the larger part of its own.
    """
    count, device = len(pixels), pixels.device
    order = torch.randperm(count, device=device)
    both = torch.full((count,), alpha, dtype=torch.float32, device=device)
    share = torch.distributions.Beta(both, both, validate_args=False).sample()
    share = torch.maximum(share, 1 - share)
    own = share[:, None, None, None].to(pixels.dtype)
    return Mixed(torch.lerp(pixels[order], pixels, own), order, share)


def draw_places(count: int, height: int, width: int, plan: Plan, device: torch.device) -> Tensor:
    """Where each pixel is taken from: [B, H, W, 2] places (x, y) in pixels, (0, 0) the middle of the first pixel."""
    across, down = _steps(width, device), _steps(height, device)
    turned = _affine(count, plan, device)
    # from the middle of the picture: x' = a x + b y + e, y' = c x + d y + f
    places = (
        across[None, None, :, None] * turned[:, None, None, :, 0]
        + down[None, :, None, None] * turned[:, None, None, :, 1]
        + turned[:, None, None, :, 2]
    )
    if plan.elastic:
        smooth = plan.elastic_smoothness or USUAL_SMOOTHNESS * min(height, width)
        places = places + plan.elastic * smooth_noise(count, height, width, smooth, device)
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=device)
    return places + middle


def sampled(pixels: Tensor, places: Tensor, background: Tensor) -> Tensor:
    """Pictures [B, C, H, W] read at places [B, H', W', 2] (bilinear); outside of them is the background [C]."""
    height, width = pixels.shape[2:]
    size = torch.tensor([width, height], device=pixels.device)
    ground = background[:, None, None]
    found = F.grid_sample(pixels - ground, (2 * places + 1) / size - 1, padding_mode="zeros", align_corners=False)
    return found + ground


def smooth_noise(count: int, height: int, width: int, smooth: float, device: torch.device) -> Tensor:
    """Random fields [B, H, W, 2], normal with mean 0 and variance 1 everywhere, that change over ``smooth`` pixels.

    They are white noise after a Gaussian filter of that standard deviation (Simard, Steinkraus & Platt 2003, "Best
    practices for convolutional neural networks applied to visual document analysis"). The noise is drawn on a grid as
    coarse as the filter, whose points lie beyond the border too: the filter hides the grid, and little is drawn.
    """
    rows, columns = _filter(height, smooth, device), _filter(width, smooth, device)
    noise = torch.randn(count, 2, rows.shape[1], columns.shape[1], device=device)
    return (rows @ noise @ columns.T).permute(0, 2, 3, 1)


def _filter(side: int, smooth: float, device: torch.device) -> Tensor:
    """What each of M points adds to each pixel of a side: [side, M], the squares of a row add up to 1."""
    beyond = 4  # points on either side; the next one's part is 3e-4 at most
    points = (torch.arange(math.ceil(side / smooth) + 2 * beyond, device=device) - beyond) * smooth
    weights = torch.exp(-0.5 * ((torch.arange(side, device=device)[:, None] - points) / smooth) ** 2)
    return F.normalize(weights)


def _steps(side: int, device: torch.device) -> Tensor:
    """Pixels counted from the middle of a side."""
    return torch.arange(side, device=device, dtype=torch.float32) - (side - 1) / 2


def _affine(count: int, plan: Plan, device: torch.device) -> Tensor:
    """A map each [B, 2, 3] from places in the new picture to those in the old one, both from their middles."""
    drawn = torch.rand(count, 7, device=device) * 2 - 1
    angle, slant = drawn[:, 0] * math.radians(plan.rotation), drawn[:, 1] * math.radians(plan.shear)
    wide, high = torch.exp(-math.log1p(plan.scale) * drawn[:, 2:4]).unbind(1)
    if plan.flip:
        wide = torch.where(drawn[:, 4] < 0, -wide, wide)
    cosine, sine, slope = angle.cos(), angle.sin(), slant.tan()
    # the new picture is first turned back, then straightened, then brought to the old size
    rows = torch.stack(
        [
            torch.stack([wide * (cosine - slope * sine), wide * (-sine - slope * cosine)], 1),
            torch.stack([high * sine, high * cosine], 1),
        ],
        1,
    )
    moved = drawn[:, 5:7] * plan.shift
    if plan.crop:
        moved = moved + torch.randint(-plan.crop, plan.crop + 1, (count, 2), device=device)
    return torch.cat([rows, moved[:, :, None]], 2)


def _cut_out(pixels: Tensor, side: int, background: Tensor) -> Tensor:
    """Pictures with a square around a pixel drawn by chance blanked out; at a border a part of it lies outside.

    DeVries & Taylor 2017, "Improved regularization of convolutional neural networks with cutout".
    """
    count, _, height, width = pixels.shape
    within = []
    for length in (height, width):
        first = torch.randint(length, (count, 1), device=pixels.device) - side // 2
        steps = torch.arange(length, device=pixels.device)
        within.append((steps >= first) & (steps < first + side))
    square = within[0][:, None, :, None] & within[1][:, None, None, :]
    return torch.where(square, background[:, None, None].to(pixels.dtype), pixels)
