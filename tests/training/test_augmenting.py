"""Pictures changed by chance: each change against what it is said to be, and where it is drawn from."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from textdl.errors import ConfigError
from textdl.training.augmenting import Plan, augment, draw_places, mixup, sampled, smooth_noise

CPU = torch.device("cpu")
EVERYTHING = Plan(
    shift=1.5, rotation=20, scale=0.2, shear=10, elastic=1.0, flip=True, crop=1, cutout=3, elastic_smoothness=2.0
)


def pictures(count: int = 6, channels: int = 2, height: int = 7, width: int = 9) -> torch.Tensor:
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(7))


def places(plan: Plan, count: int = 200, height: int = 7, width: int = 10) -> tuple[torch.Tensor, torch.Tensor]:
    """Where pixels come from, and where they go to, both from the middle: [B, H, W, 2] and [H, W, 2]."""
    torch.manual_seed(3)
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return draw_places(count, height, width, plan, CPU) - middle, torch.stack([x, y], -1) - middle


def test_a_plan_of_nothing_changes_nothing_and_draws_nothing() -> None:
    given, before = pictures(), torch.get_rng_state()
    assert augment(given, Plan()) is given
    assert augment(given, Plan(mixup=0.3)) is given, "mixing is apart"
    assert torch.equal(torch.get_rng_state(), before)
    assert Plan().told == "none"
    assert Plan(shift=2, flip=True).told == "shift 2, flip"


def test_reading_at_places_is_that_of_scipy() -> None:
    given, ground = pictures(), torch.tensor([0.25, 0.75])
    generator = torch.Generator().manual_seed(1)
    where = torch.rand(6, 5, 4, 2, generator=generator) * torch.tensor([13.0, 11.0]) - 2.0  # beyond the border, too
    found = sampled(given, where, ground)
    assert found.shape == (6, 2, 5, 4)
    for picture in range(6):
        for channel in range(2):
            # grid-constant: between the last pixel and the background, too, values are interpolated
            expected = ndimage.map_coordinates(
                given[picture, channel].double().numpy(),
                where[picture].flip(-1).permute(2, 0, 1).double().numpy(),
                order=1,
                mode="grid-constant",
                cval=float(ground[channel]),
            )
            np.testing.assert_allclose(found[picture, channel].numpy(), expected, atol=2e-6)


def test_a_crop_is_a_shift_by_whole_pixels_and_all_of_them_occur() -> None:
    one = pictures(1)[0]
    ground = torch.tensor([0.5, 0.1])
    torch.manual_seed(0)
    found = augment(one.expand(300, -1, -1, -1), Plan(crop=2), ground)
    padded = ground[:, None, None].expand(2, 11, 13).clone()
    padded[:, 2:-2, 2:-2] = one
    cuts = [padded[:, y : y + 7, x : x + 9] for y in range(5) for x in range(5)]
    seen = {next(n for n, cut in enumerate(cuts) if torch.allclose(cut, picture, atol=1e-5)) for picture in found}
    assert seen == set(range(25))


def test_half_of_the_pictures_are_mirrored() -> None:
    given = pictures(400)
    torch.manual_seed(0)
    found = augment(given, Plan(flip=True))
    as_they_were = torch.isclose(found, given, atol=1e-5).flatten(1).all(1)
    turned = torch.isclose(found, given.flip(-1), atol=1e-5).flatten(1).all(1)
    assert (as_they_were ^ turned).all()
    assert 140 < int(turned.sum()) < 260


def test_a_rotation_keeps_distances_and_stays_within_its_angle() -> None:
    found, before = places(Plan(rotation=30))
    torch.testing.assert_close(found.norm(dim=-1), before.norm(dim=-1).expand(200, -1, -1))
    angles = torch.atan2(found[:, 0, 0, 1], found[:, 0, 0, 0]) - torch.atan2(before[0, 0, 1], before[0, 0, 0])
    degrees = torch.rad2deg(torch.remainder(angles + math.pi, 2 * math.pi) - math.pi)
    assert float(degrees.abs().max()) <= 30.001
    assert float(degrees.min()) < -25
    assert float(degrees.max()) > 25
    # all pixels of a picture turn by one angle, and the picture is not mirrored
    other = torch.atan2(found[:, -1, 0, 1], found[:, -1, 0, 0]) - torch.atan2(before[-1, 0, 1], before[-1, 0, 0])
    torch.testing.assert_close(torch.cos(other), torch.cos(angles))
    torch.testing.assert_close(torch.sin(other), torch.sin(angles))


def test_a_scale_is_a_share_of_each_side_apart() -> None:
    found, before = places(Plan(scale=0.25), height=8)
    ratios = (found / before).reshape(200, -1, 2)
    factors = 1 / ratios[:, 0]
    torch.testing.assert_close(ratios, (1 / factors)[:, None].expand_as(ratios))
    assert float(factors.min()) >= 1 / 1.25 - 1e-5
    assert float(factors.max()) <= 1.25 + 1e-5
    assert float(factors.max(0).values.min()) > 1.2
    assert float(factors.min(0).values.max()) < 0.83
    assert abs(float(torch.corrcoef(factors.T)[0, 1])) < 0.25


def test_a_shear_moves_rows_along_themselves() -> None:
    found, before = places(Plan(shear=40))
    torch.testing.assert_close(found[..., 1], before[..., 1].expand(200, -1, -1))
    slopes = (found[..., 0] - before[..., 0]) / before[..., 1]
    own = slopes[:, 0, 0]
    torch.testing.assert_close(slopes[:, [0, 1, -1]], own[:, None, None].expand(-1, 3, 10), atol=1e-5, rtol=1e-4)
    assert float(own.abs().max()) <= math.tan(math.radians(40)) + 1e-5
    assert float(own.min()) < -0.6 < 0.6 < float(own.max())


def test_a_shift_is_the_same_for_all_pixels_and_bounded() -> None:
    found, before = places(Plan(shift=2.5))
    moved = found - before
    torch.testing.assert_close(moved, moved[:, :1, :1].expand_as(moved), atol=1e-5, rtol=0)
    assert 2.3 < float(moved.abs().max()) <= 2.5001
    assert float(moved[..., 0].min()) < -2 < 2 < float(moved[..., 1].max())


def test_together_they_are_one_map_whose_area_is_that_of_the_scale() -> None:
    found, before = places(Plan(rotation=50, shear=30, shift=2))
    a, b, c = found[:, 0, 0], found[:, 0, 1], found[:, 1, 0]
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    torch.testing.assert_close(area, torch.ones(200), atol=1e-4, rtol=1e-4)
    # straight lines stay straight
    torch.testing.assert_close(found[:, 3, 4] - found[:, 3, 3], found[:, 6, 9] - found[:, 6, 8], atol=1e-4, rtol=1e-3)
    assert torch.equal(before[0, 0], torch.tensor([-4.5, -3.0]))


def test_the_elastic_field_has_its_strength_everywhere_and_its_smoothness() -> None:
    torch.manual_seed(1)
    smooth = 3.0
    field = smooth_noise(3000, 12, 17, smooth, CPU)
    assert field.shape == (3000, 12, 17, 2)
    deviation = field.std(0)
    assert float(deviation.min()) > 0.93, "also at the border"
    assert float(deviation.max()) < 1.07
    assert abs(float(field.mean())) < 0.02
    # white noise under a Gaussian of deviation s correlates by exp(-d² / 4 s²) at distance d
    for distance in (1, 2, 4, 6):
        expected = math.exp(-(distance**2) / (4 * smooth**2))
        across = (field[:, :, distance:] * field[:, :, :-distance]).mean()
        down = (field[:, distance:] * field[:, :-distance]).mean()
        assert float(across) == pytest.approx(expected, abs=0.03)
        assert float(down) == pytest.approx(expected, abs=0.03)
    assert abs(float((field[..., 0] * field[..., 1]).mean())) < 0.03, "x and y are drawn apart"

    found, before = places(Plan(elastic=0.7, elastic_smoothness=2.0), count=3000)
    assert float((found - before).std()) == pytest.approx(0.7, abs=0.02)
    wide, _ = places(Plan(elastic=1.0), 500, 70, 70)
    narrow = (wide - places(Plan(), 500, 70, 70)[0])[:, 10:, 0, 0]
    assert float((narrow[:, 10:] * narrow[:, :-10]).mean()) == pytest.approx(math.exp(-1 / 4), abs=0.06), "a seventh"


@pytest.mark.parametrize("side", [1, 2, 3, 5])
def test_cutout_blanks_one_square_and_nothing_else(side: int) -> None:
    given, ground = pictures(400) + 2, torch.tensor([0.5, 0.25])
    torch.manual_seed(0)
    found = augment(given, Plan(cutout=side), ground)
    blank = (found == ground[:, None, None]).all(1)
    assert torch.equal(found.movedim(1, -1)[~blank], given.movedim(1, -1)[~blank])
    sizes = set()
    for square in blank:
        rows, columns = torch.nonzero(square.any(1)).ravel(), torch.nonzero(square.any(0)).ravel()
        high, wide = len(rows), len(columns)
        assert int(square.sum()) == high * wide, "a rectangle without holes"
        assert int(rows[-1] - rows[0]) + 1 == high
        assert int(columns[-1] - columns[0]) + 1 == wide
        sizes.add((high, wide))
    assert max(sizes) == (side, side)
    assert blank.any(0).all(), "anywhere"


def test_mixup_is_a_mean_by_beta_and_says_of_which() -> None:
    given = pictures(2000, 1, 2, 2)
    torch.manual_seed(0)
    mixed = mixup(given, 0.4)
    share = mixed.share[:, None, None, None]
    torch.testing.assert_close(mixed.pixels, share * given + (1 - share) * given[mixed.order])
    assert sorted(mixed.order.tolist()) == list(range(2000))
    assert float(mixed.share.min()) >= 0.5
    drawn = stats.beta(0.4, 0.4).rvs(20_000, random_state=1)
    assert stats.ks_2samp(mixed.share.numpy(), np.maximum(drawn, 1 - drawn)).pvalue > 1e-3


def test_what_is_outside_is_the_background() -> None:
    ground = torch.tensor([0.9, 0.2])
    flat = ground[None, :, None, None].expand(5, 2, 8, 8)
    torch.testing.assert_close(augment(flat, EVERYTHING, ground), flat.contiguous())
    far = augment(torch.ones(50, 1, 4, 4), Plan(shift=100))
    assert float(far.mean()) < 0.2, "black, where nothing is said"


def test_everything_is_drawn_from_torchs_generator_in_turn() -> None:
    given = pictures()
    torch.manual_seed(5)
    first, kept = augment(given, EVERYTHING), torch.get_rng_state()
    second, third = augment(given, EVERYTHING), mixup(given, 0.5)
    assert not torch.equal(first, second)
    torch.manual_seed(5)
    assert torch.equal(augment(given, EVERYTHING), first)
    torch.set_rng_state(kept)
    assert torch.equal(augment(given, EVERYTHING), second)
    again = mixup(given, 0.5)
    assert torch.equal(again.pixels, third.pixels)
    assert torch.equal(again.order, third.order)


def test_pictures_are_changed_each_in_its_own_way_and_stay_as_they_were() -> None:
    one = pictures(1)
    given = one.expand(20, -1, -1, -1).clone()
    found = augment(given, EVERYTHING)
    assert torch.equal(given, one.expand(20, -1, -1, -1))
    assert len({tuple(picture.ravel().tolist()) for picture in found}) == 20
    assert found.shape == given.shape
    assert not augment(given.requires_grad_(), EVERYTHING).requires_grad


def test_the_precision_of_the_model_does_not_move_pixels() -> None:
    given = pictures()
    torch.manual_seed(2)
    plain = augment(given, EVERYTHING)
    torch.manual_seed(2)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(given, EVERYTHING), plain)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shift": -1.0}, "shift must be at least 0"),
        ({"rotation": 200.0}, "rotation must be at most 180"),
        ({"mixup": 0.001}, "mixup must be 0 .* or at least 0.01"),
        ({"crop": 1.5}, "crop must be a whole number"),
        ({"elastic_smoothness": 0.0}, "elastic_smoothness must be at least 0.25"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Plan(**settings)  # type: ignore[arg-type]
