"""The network that writes by hand."""

from __future__ import annotations

import pytest
import torch

from textdl.errors import ConfigError
from textdl.models.handwriting import Handwriting, HandwritingConfig
from textdl.models.mixture_density import mixture

T, B = 12, 3
IDS, LENGTHS = torch.tensor([[0, 1, 2, 4], [3, 4, 0, 0], [4, 0, 0, 0]]), torch.tensor([4, 2, 1])


def made(**settings: object) -> tuple[Handwriting, torch.Tensor]:
    torch.manual_seed(0)
    values = {"hidden": 8, "layers": 3, "mixtures": 4, "windows": 2, "characters": 5, "pace": 3.0, **settings}
    return Handwriting(HandwritingConfig(**values)).eval(), torch.randn(T, B, 3)  # type: ignore[arg-type]


def texts(model: Handwriting) -> tuple[torch.Tensor, ...]:
    return () if model.config.unconditional else (IDS, LENGTHS)


@pytest.mark.parametrize("unconditional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_it_says_a_mixture_of_each_next_point_and_goes_on_from_its_state(unconditional: bool, layers: int) -> None:
    model, points = made(unconditional=unconditional, layers=layers)
    whole, _ = model(points, *texts(model))
    assert whole.shape == (T, B, 1 + 6 * 4)
    state, pieces = model.start(B, None if unconditional else IDS), []
    for point in points:
        said, state = model(point.unsqueeze(0), *(texts(model) or (None, None)), state)
        pieces.append(said)
    torch.testing.assert_close(torch.cat(pieces), whole)


@pytest.mark.parametrize("unconditional", [False, True])
def test_later_points_and_other_lines_change_nothing(unconditional: bool) -> None:
    model, points = made(unconditional=unconditional)
    before, _ = model(points, *texts(model))
    changed = points.clone()
    changed[7:] += 1
    changed[:, 1] -= 1
    after, _ = model(changed, *texts(model))
    torch.testing.assert_close(after[:7, [0, 2]], before[:7, [0, 2]])
    assert not torch.isclose(after[7:], before[7:]).all(-1).any()


def test_points_and_window_reach_every_layer_and_every_layer_the_output() -> None:
    _, points = made()
    for removed in range(3):  # without two of the layers at the output, the third still tells point and text
        twin, _ = made()
        with torch.no_grad():
            for layer in range(3):
                if layer != removed:
                    twin.output.weight[:, 8 * layer : 8 * layer + 8] = 0
            for layer in range(2):  # cut what layers get from those below
                weight = twin.upper[layer].layers[0].weight_ih_l0
                weight[:, 3 + 5 :] = 0
        said, _ = twin(points, IDS, LENGTHS)
        moved, _ = twin(points + torch.tensor([1.0, 0.0, 0.0]), IDS, LENGTHS)
        told, _ = twin(points, (IDS + 1) % 5, LENGTHS)
        assert (said - moved).abs().amax() > 1e-4
        assert (said - told)[1:].abs().amax() > 1e-5


def test_every_weight_learns() -> None:
    model, points = made()
    said, _ = model.train()(points, IDS, LENGTHS)
    said.square().sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None
        assert weight.grad.abs().sum() > 0, name


def test_it_begins_with_components_apart_and_the_pen_down() -> None:
    model, points = made()
    with torch.no_grad():
        mix = mixture(model(points, IDS, LENGTHS)[0])
    assert len(set(mix.mean_x[0, 0].round(decimals=2).tolist())) > 1
    assert (mix.pen < 0).all()
    assert mix.log_x.abs().max() < 0.5


def test_dropout_is_there_while_training_only() -> None:
    model, points = made(dropout=0.5)
    first, again = (model(points, IDS, LENGTHS)[0] for _ in range(2))
    assert torch.equal(first, again)
    model.train()
    first, again = (model(points, IDS, LENGTHS)[0] for _ in range(2))
    assert not torch.equal(first, again)


def test_what_it_can_not_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="mixtures must be at least 1, got 0"):
        HandwritingConfig(mixtures=0)
    model, points = made()
    with pytest.raises(ValueError, match="ids and lengths"):
        model(points)
