"""The forecaster: the quantile loss by hand, what it begins with, and that it sees the whole window in its order."""

from __future__ import annotations

import pytest
import torch

from textdl.config import build, to_json
from textdl.errors import ConfigError
from textdl.models.forecaster import Forecaster, ForecasterConfig, pinball
from textdl.models.recurrent import CELLS


def test_the_quantile_loss_is_what_the_hand_finds() -> None:
    said = torch.tensor([[[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]])  # [1, 2, 3]
    truth = torch.tensor([[3.0, -1.0]])
    # levels 0.1, 0.5, 0.9; truth 3: 0.1 * 2, 0.5 * 1, 0.1 * 1; truth -1, all too high: 0.9, 0.5, 0.1
    by_hand = (0.2 + 0.5 + 0.1 + 0.9 + 0.5 + 0.1) / 6
    assert pinball(said, truth, torch.tensor([0.1, 0.5, 0.9])).item() == pytest.approx(by_hand)
    median = pinball(said[..., 1:2], truth, torch.tensor([0.5])).item()
    assert median == pytest.approx((1 + 1) / 2 / 2), "of the median it is half the absolute error"


def test_the_quantile_loss_is_least_at_the_quantile() -> None:
    truth = torch.arange(1.0, 101.0).unsqueeze(1)
    for level in (0.1, 0.5, 0.9):
        losses = [pinball(torch.full((100, 1, 1), s), truth, torch.tensor([level])).item() for s in range(101)]
        assert min(range(101), key=losses.__getitem__) in (round(100 * level), round(100 * level) + 1)


def test_the_levels_lie_about_the_median() -> None:
    assert ForecasterConfig().levels == (0.1, 0.5, 0.9)
    assert ForecasterConfig(band=0.95).levels == (0.025, 0.5, 0.975)
    assert ForecasterConfig(band=0.0).levels == (0.5,)


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_it_begins_with_the_baseline_and_every_weight_is_learned(cell: str, direct: bool) -> None:
    torch.manual_seed(1)
    model = Forecaster(ForecasterConfig(cell=cell, hidden=5, layers=2, direct=direct, shown=4, ahead=3, features=2))
    x = torch.randn(4, 7, 2)
    assert model(x).shape == (7, 3, 3)
    assert (model(x) == 0).all()
    with torch.no_grad():
        model.output.weight.normal_()
    model(x).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_each_window_is_forecast_by_itself_and_from_all_its_numbers_in_order() -> None:
    torch.manual_seed(2)
    model = Forecaster(ForecasterConfig(hidden=6, shown=5, ahead=2, features=1)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    x = torch.randn(5, 3, 1)
    whole = model(x)
    for place in range(3):
        torch.testing.assert_close(model(x[:, place : place + 1])[0], whole[place])
    for step in range(5):
        other = x.clone()
        other[step, 1] += 1
        assert (model(other)[1] != whole[1]).any()
        assert torch.equal(model(other)[[0, 2]], whole[[0, 2]])
    assert not torch.allclose(model(x.flip(0)), whole)


def test_dropout_is_for_training_only() -> None:
    torch.manual_seed(3)
    model = Forecaster(ForecasterConfig(hidden=16, dropout=0.5, shown=4, ahead=1))
    with torch.no_grad():
        model.output.weight.normal_()
    x = torch.randn(4, 2, 1)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_its_settings_are_checked() -> None:
    assert build(ForecasterConfig, to_json(ForecasterConfig(band=0.5))) == ForecasterConfig(band=0.5)
    with pytest.raises(ConfigError, match="band must be at most"):
        ForecasterConfig(band=1.0)
    with pytest.raises(ConfigError, match="sru has no recurrent weights"):
        ForecasterConfig(cell="sru", layer_norm=True)
