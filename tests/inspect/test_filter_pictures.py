"""Filters and feature maps as pictures, and the sheet of mistakes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from textdl.errors import ConfigError, RunError, TextdlError
from textdl.inspect.filter_pictures import about_zero, draw_feature_maps, draw_filters, filters_of, maps_of, shades
from textdl.inspect.mistakes_sheet import caption, draw_mistakes


def some(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_a_filter_is_scaled_about_zero() -> None:
    """Worked by hand: 0 is middle grey, the farthest weight an end; colours share one scale."""
    assert about_zero(np.array([[[2.0, -1.0], [0.0, 1.0]]])).squeeze().tolist() == [[1.0, 0.25], [0.5, 0.75]]
    colour = np.array([[[-4.0]], [[0.0]], [[2.0]]])
    assert about_zero(colour).tolist() == [[[0.0, 0.5, 0.75]]]
    assert about_zero(np.zeros((1, 2, 2))).squeeze().tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert about_zero(np.array([[[1.0]], [[3.0]]])).shape == (1, 1), "two channels: their mean"


def test_a_map_is_scaled_from_its_least_to_its_most() -> None:
    first, same = shades(np.array([[[1.0, 3.0], [2.0, 5.0]], [[7.0, 7.0], [7.0, 7.0]]]))
    assert first.tolist() == [[0.0, 0.5], [0.25, 1.0]]
    assert same.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    single = shades(np.array([[[1.0]], [[3.0]], [[2.0]]]))
    assert [one.item() for one in single] == [0.0, 1.0, 0.5], "maps of one value by those of their layer"
    assert np.isfinite(shades(np.array([[[np.nan, np.inf, 1.0]]]))[0]).all()


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_every_kind_of_picture_is_the_same_each_time(suffix: str, start: bytes, tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw_filters(some(4, 1, 3, 3), tmp_path / f"f{name}{suffix}", "$x_1$ costs $ 5")
        draw_feature_maps(np.zeros((8, 6, 1), np.uint8), {"one": some(2, 4, 3)}, tmp_path / f"m{name}{suffix}", "m")
    for kind in "fm":
        one, two = ((tmp_path / f"{kind}{name}{suffix}").read_bytes() for name in ("a", "b"))
        assert one.startswith(start)
        assert one == two
    assert len(list(tmp_path.iterdir())) == 4, "no temporary file is left"


@pytest.mark.parametrize("count", [1, 6, 10, 64, 300])
def test_filters_lie_side_by_side_in_order(count: int, drawn: list[Any], tmp_path: Path) -> None:
    labels = [f"label {number}" for number in range(count)]
    shown = draw_filters(some(count, 1, 5, 5), tmp_path / "f.png", "a title", labels)
    assert shown == min(count, 256)
    axes = drawn[0].axes[0]
    places = [image.get_extent() for image in axes.images]
    assert len(places) == shown
    assert len({(place[0], place[3]) for place in places}) == shown, "none on another"
    assert [(place[3], place[0]) for place in places] == sorted((place[3], place[0]) for place in places)
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    assert all(left < x0 < x1 < right and top < y1 < y0 < bottom for x0, x1, y0, y1 in places)
    assert all(x1 - x0 == pytest.approx(y0 - y1) for x0, x1, y0, y1 in places), "squares"
    note = axes.texts[1].get_text()
    assert ("The first 256 of 300" in " ".join(note.split())) == (count == 300)
    for text, (x0, x1, y0, _) in zip(axes.texts[2:], places, strict=True):
        assert x0 < text.get_position()[0] < x1
        assert y0 < text.get_position()[1]


def test_words_do_not_run_into_pictures(drawn: list[Any], tmp_path: Path) -> None:
    """Names of layers of any length lie between the picture and the maps, and titles within the sheet."""
    maps = {"a": some(3, 9, 9), "a_very_long_name_of_a_layer_indeed": some(128, 4, 8), "c": some(9, 1, 1)}
    assert draw_feature_maps(np.zeros((20, 30, 3), np.uint8), maps, tmp_path / "m.png", "long " * 40) == tuple(maps)
    figure = drawn[0]
    axes, renderer = figure.axes[0], figure.canvas.get_renderer()
    tiles = [image.get_window_extent(renderer) for image in axes.images]
    assert len(tiles) == 1 + 3 + 8 + 8
    for text in axes.texts:
        box = text.get_window_extent(renderer)
        assert not any(box.overlaps(tile) for tile in tiles), text.get_text()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
    lines = [text.get_text() for text in axes.texts]
    assert "128 maps of 4 × 8" in lines
    assert "a_very_long_name_of_a…" in lines


def test_of_many_layers_some_are_drawn(tmp_path: Path) -> None:
    maps = {f"layer{number}": some(2, 2, 2) for number in range(60)}
    shown = draw_feature_maps(np.zeros((4, 4, 1), np.uint8), maps, tmp_path / "m.png", count=1)
    assert len(shown) == 24
    assert (shown[0], shown[-1]) == ("layer0", "layer59")
    named = draw_feature_maps(np.zeros((4, 4, 1), np.uint8), maps, tmp_path / "m.png", "", 1, ["layer9", "layer3"])
    assert named == ("layer3", "layer9")


@pytest.mark.parametrize(
    ("kind", "settings", "layer"),
    [
        ("perceptron", {}, "output"),
        ("mlp", {"widths": ["5", "4"]}, "hidden1"),
        ("mlp", {"widths": ["5"], "activation": "maxout"}, "hidden1"),
        ("convnet", {}, "conv1_1"),
        ("resnet", {"depth": 20}, "stem"),
        ("lenet5", {}, "c1"),
    ],
)
def test_every_model_names_its_layers(kind: str, settings: dict[str, Any], layer: str) -> None:
    """Filters come from the layer that is named; a model of one layer has one for each class."""
    from textdl.config import build
    from textdl.models.image_models import build_image_model, image_config

    values = {"kind": kind, "height": 28, "width": 28, "channels": 1, "classes": 3, **settings}
    model = build_image_model(build(image_config(values), values)).eval()
    run = SimpleNamespace(path=Path("run"), model=model, labels=("a", "b", "c"), shape=(28, 28, 1))
    found = filters_of(run)
    assert found.layer == layer
    weights = next(iter(dict(model.layers.named_children())[layer].parameters()))
    assert found.weights.ravel() == pytest.approx(weights.detach().numpy().ravel())
    assert found.labels == (("a", "b", "c") if kind == "perceptron" else ())
    pixels = np.arange(784, dtype=np.uint8).reshape(28, 28, 1)
    pixels.flags.writeable = False  # as those of a corpus are
    if kind in ("perceptron", "mlp"):
        with pytest.raises(RunError, match="without feature maps"):
            maps_of(run, pixels)
    else:
        maps = maps_of(run, pixels)
        assert all(one.ndim == 3 for one in maps.values())


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda to: draw_filters(some(2, 1, 3, 3), to / "a.bmp"), "a.bmp"),
        (lambda to: draw_filters(some(2, 3, 3), to / "a.png"), r"\[2, 3, 3\]"),
        (lambda to: draw_filters(some(0, 1, 3, 3), to / "a.png"), r"\[0, 1, 3, 3\]"),
        (lambda to: draw_filters(some(2, 1, 3, 3), to / "a.png", "", ["one"]), "one a filter"),
        (lambda to: draw_filters(some(2, 1, 3, 3), to / "a.png", most=0), "got 0"),
        (lambda to: draw_filters(some(2, 1, 3, 3), to / "none" / "a.png"), "can not be written"),
        (lambda to: draw_feature_maps(some(2, 2, 1), {"a": some(1, 2, 2)}, to / "a.png", count=0), "got 0"),
        (lambda to: draw_feature_maps(some(2, 2, 1), {"pool": some(1, 2, 2)}, to / "a.png", layers=["pol"]), "'pool'"),
        (lambda to: draw_mistakes(np.zeros((1, 2, 2, 1), np.uint8), [], to / "a.png"), "no mistake"),
        (lambda to: draw_mistakes(np.zeros((1, 2, 2, 1), np.uint8), [{}], to / "a.jpg"), r"ends in \.png"),
    ],
)
def test_bad_input(draw: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(TextdlError, match=said):
        draw(tmp_path)
    assert not list(tmp_path.iterdir())


def test_captions() -> None:
    mistake = {"index": 0, "truth": "7", "said": "2", "probability": 0.9984}
    assert caption(mistake) == "7 → 2, 0.998"
    assert caption({**mistake, "truth": None}) == "no class → 2, 0.998"
    assert caption({**mistake, "said": "a long\nlabel"}, 8) == "7 → a long …, 0.998"


def test_a_sheet_shows_the_pictures_of_the_mistakes(tmp_path: Path) -> None:
    """In their order, not in that of the split."""
    from PIL import Image

    pixels = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.full((8, 8, 3), 50, np.uint8)
    mistakes = [{"index": at, "truth": "a", "said": "b", "probability": 0.5} for at in (4, 1)]
    assert draw_mistakes(pixels, mistakes, tmp_path / "s.png", "") == 2
    sheet = np.asarray(Image.open(tmp_path / "s.png").convert("L"))
    middle = sheet[60]
    runs = [value for value in (200, 50) if (middle == value).sum() >= 90]
    assert runs == [200, 50]
    assert (middle == 200).argmax() < (middle == 50).argmax()


def test_a_sheet_ends_in_png() -> None:
    with pytest.raises(ConfigError, match=r"ends in \.png"):
        draw_mistakes(np.zeros((1, 2, 2, 1), np.uint8), [{}], "a.svg")
