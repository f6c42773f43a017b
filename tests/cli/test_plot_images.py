"""``textdl plot`` of runs of images and of points, as its users run it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .image_runs import bars, train_bars

Cli = Callable[..., tuple[int, str, str]]
VECTORS = "2 2\none 1 2\ntwo 2 1\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each of some models, the convnet in colour."""
    folder = tmp_path_factory.mktemp("runs")
    for model in ("convnet", "softmax", "knn"):
        train_bars(folder, model, colour=model == "convnet")
    Image.fromarray(bars(1, 3, colour=True)[0][0]).save(folder / "left.png")
    (folder / "vectors.txt").write_text(VECTORS)
    return folder


def words(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_filters(cli: Cli, runs: Path, drawn: list[Any], tmp_path: Path) -> None:
    """The weights of the file are those of the picture, in colour."""
    from safetensors.numpy import load_file

    code, out, err = cli("plot", runs / "convnet", "--filters", "--out", tmp_path / "f.png")
    assert (code, out) == (0, "")
    assert "6 of 6 filters of conv1_1 drawn in" in err
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    (weights,) = (
        some for some in load_file(runs / "convnet" / "model.safetensors").values() if some.shape == (6, 3, 3, 3)
    )
    images = drawn[0].axes[0].images
    assert len(images) == 6
    for image, one in zip(images, weights, strict=True):
        expected = 0.5 + np.moveaxis(one, 0, -1) / np.abs(one).max() / 2
        assert np.asarray(image.get_array()) == pytest.approx(expected, abs=1e-6)
    assert words(drawn[0])[0] == "convnet: 6 filters of conv1_1, 3 × 3"
    code, _, err = cli(
        "plot", runs / "convnet", "--filters", "--out", tmp_path / "f.svg", "--count", 2, "--title", "Two"
    )
    assert "2 of 6 filters" in err
    assert words(drawn[1])[0] == "Two"
    assert len(drawn[1].axes[0].images) == 2


def test_filters_of_a_linear_map_are_one_a_class(cli: Cli, runs: Path, drawn: list[Any], tmp_path: Path) -> None:
    """What speaks for left is brighter on the left, and so on."""
    code, _, err = cli("plot", runs / "softmax", "--filters", "--out", tmp_path / "f.png")
    assert code == 0, err
    assert words(drawn[0])[2:] == ["left", "middle", "right"]
    for place, image in enumerate(drawn[0].axes[0].images):
        thirds = [np.asarray(image.get_array())[:, 4 * at : 4 * at + 4].mean() for at in range(3)]
        assert int(np.argmax(thirds)) == place


def test_feature_maps(cli: Cli, runs: Path, drawn: list[Any], tmp_path: Path) -> None:
    """The picture, then the first maps of each layer, in order; worked out by the layers themselves."""
    import torch

    import textdl

    code, out, err = cli("plot", runs / "convnet", "--feature-maps", runs / "left.png", "--out", tmp_path / "m.png")
    assert (code, out) == (0, "")
    run = textdl.load(runs / "convnet")
    x = torch.tensor(np.asarray(Image.open(runs / "left.png"))).permute(2, 0, 1)[None] / 255
    x = (x - run.model.mean[:, None, None]) / run.model.spread[:, None, None]
    tiles = [np.asarray(image.get_array()) for image in drawn[0].axes[0].images]
    assert tiles[0] == pytest.approx(np.asarray(Image.open(runs / "left.png")) / 255)
    names, at = [], 1
    with torch.no_grad():
        for name, layer in run.model.layers.named_children():
            x = layer(x)
            if x.ndim != 4 or isinstance(layer, torch.nn.Dropout2d):
                continue
            names.append(name)
            for one in x[0].numpy()[:8]:
                span = one.max() - one.min()
                assert tiles[at] == pytest.approx((one - one.min()) / (span or 1), abs=1e-5)
                at += 1
    assert at == len(tiles) == 1 + 6 + 6 + 8
    assert [word for word in words(drawn[0]) if word in names] == names
    assert f"maps of {', '.join(names)} drawn in" in err
    label = run.labels[int(run.probabilities(np.asarray(Image.open(runs / "left.png"))[None])[0].argmax())]
    assert words(drawn[0])[0].startswith(f"convnet on left.png: {label}, probability 0.")
    command = ["--feature-maps", runs / "left.png", "--layer", names[-1], "--count", 3]
    code, _, err = cli("plot", runs / "convnet", *command, "--out", tmp_path / "m.pdf")
    assert f"maps of {names[-1]} drawn in" in err
    assert len(drawn[1].axes[0].images) == 4


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["convnet", "--out", "a.png"], "--filters or --feature-maps FILE is drawn; give one of the two"),
        (["convnet", "--filters", "--feature-maps", "left.png", "--out", "a.png"], "give one of the two"),
        (["convnet", "--filters", "--out", "a.gif"], "ends in .png, .svg, .pdf, got 'a.gif'"),
        (["convnet", "--filters", "--layer", "x", "--out", "a.png"], "--layer is of --feature-maps"),
        (["convnet", "--feature-maps", "no.png", "--out", "a.png"], "no.png can not be read"),
        (["convnet", "--feature-maps", "vectors.txt", "--out", "a.png"], "vectors.txt is no picture"),
        (["convnet", "--feature-maps", "left.png", "--layer", "pol1", "--out", "a.png"], "did you mean 'pool1'"),
        (["convnet", "--feature-maps", "left.png", "--count", "65", "--out", "a.png"], "from 1 to 64 maps"),
        (["convnet", "--words", "w.txt", "--out", "a.png"], "a model of images, for which --words says nothing"),
        (["convnet", "--seed", "0", "--out", "a.png"], "a model of images, for which --seed says nothing"),
        (["convnet", "--animation", "--out", "a.gif"], "a model of images, for which --animation says nothing"),
        (["knn", "--filters", "--out", "a.png"], "a model without filters"),
        (["softmax", "--feature-maps", "left.png", "--out", "a.png"], "a model without feature maps"),
        (["vectors.txt", "--filters", "--out", "a.png"], "vectors.txt is of words, for which --filters says nothing"),
        (["vectors.txt", "--count", "1", "--out", "a.png"], "--count must be at least 2 words, got 1"),
    ],
)
def test_bad_input_is_one_line(
    command: list[str], said: str, cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    code, out, err = cli("plot", *command)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (runs / "a.png").exists()


def test_words_are_drawn_as_before(cli: Cli, runs: Path, tmp_path: Path) -> None:
    code, out, err = cli("plot", runs / "vectors.txt", "--out", tmp_path / "w.svg", "--seed", 0, "--count", 2)
    assert (code, out) == (0, "")
    assert "2 words drawn by pca in" in err
    assert (tmp_path / "w.svg").read_bytes().startswith(b"<?xml")


def test_an_animation_of_points(cli: Cli, tmp_path: Path) -> None:
    import textdl

    run = textdl.train("points", "circles", out=tmp_path / "circles", progress=False, steps=4)
    for command in (["--animation"], []):
        code, out, err = cli("plot", run.path, *command, "--out", tmp_path / "bending.png")
        assert (code, out) == (0, ""), err
        assert Image.open(tmp_path / "bending.png").size > (100, 100)
        (tmp_path / "bending.png").unlink()
    for flag in ("--filters", "--title=x", "--words=w.txt"):
        code, _, err = cli("plot", run.path, flag, "--out", tmp_path / "a.png")
        assert code == 2
        assert f"a model of points, for which {flag.partition('=')[0]} says nothing" in err
    shutil.rmtree(tmp_path)
