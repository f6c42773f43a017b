"""The compiled writing loop against the torch model stepped point by point, fed the same uniform numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from textdl.errors import RunError
from textdl.kernels.pens import Pen, PenLayer
from textdl.models.handwriting import Handwriting, HandwritingConfig
from textdl.models.mixture_density import LEAST, MOST, STRONGEST, sample
from textdl.tasks.handwriting_run import pen_of

IDS = np.array([2, 0, 0, 3, 1, 5])
START = np.zeros((1, 3), np.float32)


def made(**settings: object) -> Handwriting:
    torch.manual_seed(2)
    values = {"hidden": 12, "layers": 2, "mixtures": 4, "windows": 3, "characters": 6, "pace": 5.0, **settings}
    model = Handwriting(HandwritingConfig(**values)).eval()  # type: ignore[arg-type]
    with torch.no_grad():  # so that what is said depends on all that there is
        for weight in model.parameters():
            weight += 0.25 * torch.randn_like(weight)
    return model


def uniforms(number: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((number, 4))


@torch.no_grad()
def stepped(model: Handwriting, prime: np.ndarray, chances: np.ndarray, bias: float) -> tuple[np.ndarray, np.ndarray]:
    """Points [N, 3] drawn by torch, and the window's φ [N, U] after each was read."""
    ids = None if model.config.unconditional else torch.from_numpy(IDS)[None]
    texts = (ids, None if ids is None else torch.tensor([len(IDS)]))
    said, state = model(torch.from_numpy(prime)[:, None], *texts)
    said, points, seen = said[-1:], [], []
    for some in torch.from_numpy(chances).float():
        point = sample(said, some.view(1, 1, 4), bias)
        points.append(point[0, 0].numpy())
        said, state = model(point, *texts, state)
        seen.append(np.zeros(0) if state.window is None else state.window.phi[0].numpy())
    return np.array(points), np.array(seen)


def behind(points: np.ndarray, phi: np.ndarray) -> int:
    """How many points there are when the pen is first lifted and the end is then seen more than all else."""
    at_end = phi[:, -1] > phi[:, :-1].sum(1)
    ends = np.flatnonzero(at_end & (points[:, 2] == 1))
    return int(ends[0]) + 1 if len(ends) else len(points)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bias", [0.0, 1.2])
def test_it_draws_what_the_torch_model_draws_and_ends_where_it_sees_the_end(layers: int, bias: float) -> None:
    model, chances = made(layers=layers), uniforms(60)
    expected, phi = stepped(model, START, chances, bias)
    drawn = pen_of(model).write(IDS, START, chances, bias, patience=1000)
    assert len(drawn.points) == behind(expected, phi)
    np.testing.assert_allclose(drawn.points, expected[: len(drawn.points)], rtol=1e-3, atol=1e-3)
    assert len(np.unique(drawn.points[:, 2])) == 2
    assert drawn.ended


@pytest.mark.parametrize("layers", [1, 2])
def test_strokes_alone_have_no_end_but_that_of_the_room(layers: int) -> None:
    model, chances = made(unconditional=True, layers=layers), uniforms(40)
    expected, _ = stepped(model, START, chances, 0.0)
    drawn = pen_of(model).write(np.empty(0, np.int64), START, chances)
    assert not drawn.ended
    np.testing.assert_allclose(drawn.points, expected, rtol=1e-3, atol=1e-3)


def test_it_reads_what_was_written_before() -> None:
    model, chances = made(), uniforms(12, seed=3)
    prime = np.random.default_rng(4).standard_normal((9, 3)).astype(np.float32)
    expected, phi = stepped(model, prime, chances, 0.0)
    drawn = pen_of(model).write(IDS, prime, chances, patience=1000)
    count = behind(expected, phi)
    np.testing.assert_allclose(drawn.points, expected[:count], rtol=1e-3, atol=1e-3)
    without = pen_of(model).write(IDS, START, chances, patience=1000)
    assert not np.allclose(drawn.points[0], without.points[0], atol=1e-3)


def test_it_ends_at_a_pen_up_behind_the_text_or_when_patience_is_over() -> None:
    model = made()
    assert model.first is not None
    with torch.no_grad():
        model.output.weight[0], model.output.bias[0] = 0.0, -50.0  # the pen is never lifted
        model.first.look.weight.zero_()
        model.first.look.bias[6:] = 0.0  # a character in five points
        model.first.look.bias[:6] = 2.0
    chances = uniforms(200)
    for patience in (0, 4):
        drawn = pen_of(model).write(IDS, START, chances, patience=patience)
        # the end, character 5, is nearest after 4.5 characters, 22.5 points; 0 is read before the first is drawn
        assert drawn.ended
        assert len(drawn.points) == 23 + patience
        assert drawn.points[:, 2].tolist() == [0.0] * (22 + patience) + [1.0]
    short = pen_of(model).write(IDS, START, chances[:20])
    assert not short.ended
    assert len(short.points) == 20


def test_weights_that_are_no_numbers_are_refused() -> None:
    model = made()
    with torch.no_grad():
        model.output.bias[3] = float("nan")
    with pytest.raises(RunError, match="no number"):
        pen_of(model).write(IDS, START, uniforms(3))


def test_weights_that_do_not_fit_are_refused() -> None:
    layer = PenLayer(np.zeros((8, 3)), np.zeros((8, 4)), None, np.zeros((8, 2)), np.zeros(8))
    rest = (np.zeros((3, 2)), np.zeros(3), np.zeros((7, 2)), np.zeros(7), 0.1, (LEAST, MOST, STRONGEST))
    Pen([layer], *rest)
    with pytest.raises(RunError, match=r"bias of layer 0 must have shape \(8,\), got \(7,\)"):
        Pen([layer._replace(bias=np.zeros(7))], *rest)
    with pytest.raises(RunError, match="output must have shape"):
        Pen([layer, layer], *rest)
