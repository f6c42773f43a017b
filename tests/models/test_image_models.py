"""Models of pictures: published counts, sizes, gradients, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from textdl import artifact
from textdl.config import build, to_json
from textdl.errors import ConfigError
from textdl.models.image_classifier import ImageClassifier, ImageConfig, paper_config
from textdl.models.image_models import IMAGE_MODELS, build_image_model, image_config
from textdl.models.layer_table import layer_table
from textdl.training.checkpoint import put_weights, restore_tensors, tensors_of, weights_of


def config(kind: str, side: int = 28, channels: int = 1, **settings: Any) -> ImageConfig:
    return image_config({"kind": kind})(height=side, width=side, channels=channels, **settings)


def model(kind: str, side: int = 28, channels: int = 1, **settings: Any) -> ImageClassifier:
    torch.manual_seed(1)
    return build_image_model(config(kind, side, channels, **settings))


#: A small one of each kind and form: (kind, side, channels, settings).
SMALL: list[tuple[str, int, int, dict[str, Any]]] = [
    ("perceptron", 8, 1, {}),
    ("mlp", 8, 1, {"widths": ("12,9",), "batch_norm": True, "dropout": 0.2}),
    ("mlp", 8, 1, {"activation": "maxout", "drop_connect": 0.3}),
    ("mlp", 8, 1, {"activation": "sigmoid", "shakeout": 0.2}),
    ("convnet", 8, 1, {}),
    ("convnet", 28, 1, {"filters": ("4", "6"), "blocks": 1, "pooling": "sum"}),
    ("lenet5", 8, 1, {}),
    ("lenet5", 28, 1, {"activation": "leaky-relu", "pooling": "max"}),
    ("alexnet", 63, 3, {"hidden": 16}),
    ("zfnet", 63, 1, {"hidden": 16, "norm": "batch"}),
    ("vgg", 32, 3, {"depth": 13, "filters": 4, "hidden": 16, "batch_norm": True}),
    ("googlenet", 79, 1, {}),
    ("googlenet", 32, 1, {"auxiliary": False, "batch_norm": True}),
    ("resnet", 8, 1, {"depth": 20, "filters": 4}),
    ("resnet", 28, 1, {"depth": 32, "filters": 4, "plain": True}),
    ("resnet", 64, 3, {"depth": 18, "filters": 4}),
    ("resnet", 64, 3, {"depth": 50, "filters": 4}),
    ("densenet", 8, 1, {"depth": 40, "growth": 3}),
    ("densenet", 28, 1, {"depth": 40, "growth": 3, "bottleneck": True, "dropout": 0.2}),
    ("densenet", 64, 3, {"depth": 121, "growth": 4}),
]
small = pytest.mark.parametrize("kind, side, channels, settings", SMALL)


@pytest.mark.parametrize(
    "kind, settings, published",
    [
        ("perceptron", {}, 28 * 28 * 10 + 10),
        ("mlp", {"widths": ("300",)}, 785 * 300 + 301 * 10),
        ("alexnet", {}, 60_965_224),
        ("vgg", {"depth": 11}, 132_863_336),
        ("vgg", {"depth": 13}, 133_047_848),
        ("vgg", {"depth": 16}, 138_357_544),
        ("vgg", {"depth": 19}, 143_667_240),
        ("vgg", {"depth": 16, "batch_norm": True}, 138_365_992 - 4224),  # torchvision's with a bias before each norm
        ("googlenet", {}, 6_998_552),
        ("resnet", {"depth": 18}, 11_689_512),
        ("resnet", {"depth": 34}, 21_797_672),
        ("resnet", {"depth": 50}, 25_557_032),
        ("resnet", {"depth": 101}, 44_549_160),
        ("resnet", {"depth": 152}, 60_192_808),
        ("densenet", {"depth": 121}, 7_978_856),
        ("densenet", {"depth": 169}, 14_149_480),
        ("densenet", {"depth": 201}, 20_013_928),
    ],
)
def test_published_counts(kind: str, settings: dict[str, Any], published: int) -> None:
    made = image_config({"kind": kind})(**settings)
    assert layer_table(paper_config(made)).parameters == published


@pytest.mark.parametrize(
    "kind, settings, millions",
    [
        *(("resnet", {"depth": d}, m) for d, m in ((20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7))),
        ("densenet", {"depth": 40}, 1.0),
        ("densenet", {"depth": 100}, 7.0),
        ("densenet", {"depth": 100, "growth": 24}, 27.2),
        ("densenet", {"depth": 100, "bottleneck": True}, 0.8),
        ("densenet", {"depth": 250, "growth": 24, "bottleneck": True}, 15.3),
        ("densenet", {"depth": 190, "growth": 40, "bottleneck": True}, 25.6),
    ],
)
def test_counts_as_the_papers_round_them(kind: str, settings: dict[str, Any], millions: float) -> None:
    found = layer_table(paper_config(image_config({"kind": kind})(**settings))).parameters / 1e6
    assert found == pytest.approx(millions, abs=0.005 if kind == "resnet" and millions < 1 else 0.05)


def test_lenet_and_zfnet_by_hand() -> None:
    rows = {row.name: row.parameters for row in layer_table(paper_config(config("lenet5"))).rows if row.parameters}
    assert rows == {"c1": 6 * 26, "c3": 16 * 151, "c5": 120 * 401, "f6": 84 * 121, "output": 850}
    zfnet = layer_table(paper_config(config("zfnet")))
    maps = (96 * (49 * 3 + 1), 256 * (25 * 96 + 1), 384 * (9 * 256 + 1), 384 * (9 * 384 + 1), 256 * (9 * 384 + 1))
    assert zfnet.parameters == sum(maps) + 4096 * (9216 + 1) + 4096 * 4097 + 1000 * 4097


def test_plain_twins_have_the_same_layers() -> None:
    for depth in (20, 56, 18, 50):
        residual, plain = (layer_table(paper_config(config("resnet", depth=depth, plain=p))) for p in (False, True))
        shapes = [[row.shape for row in table.rows] for table in (residual, plain)]
        assert shapes[0] == shapes[1]
        # option A has no parameters; option B has those of its projections
        assert (residual.parameters == plain.parameters) == (depth in (20, 56))


@small
def test_gradient_reaches_every_parameter(kind: str, side: int, channels: int, settings: dict[str, Any]) -> None:
    made = model(kind, side, channels, **settings).train()
    logits = made(torch.rand(6, channels, side, side))
    heads = 1 + len(made.heads)
    assert logits.shape == ((heads, 6, 10) if heads > 1 else (6, 10))
    F.cross_entropy(logits.reshape(-1, 10), torch.arange(6).repeat(heads)).backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@small
def test_sizes_told_are_the_real_ones(kind: str, side: int, channels: int, settings: dict[str, Any]) -> None:
    made, table = model(kind, side, channels, **settings).eval(), layer_table(config(kind, side, channels, **settings))
    x = torch.rand(2, channels, side, side)
    y, real = made.normalised(x), []
    for name, layer in made.layers.named_children():
        y = layer(y)
        real.append((name, tuple(y.shape[1:])))
    assert [(row.name, row.shape) for row in table.rows] == real
    maps = made.feature_maps(x)
    pictured = {name: shape for name, shape in real if len(shape) == 3 and not name.startswith("dropout")}
    assert {name: tuple(found.shape[1:]) for name, found in maps.items()} == pictured
    torch.testing.assert_close(made(x), y)
    assert made(x).shape == (2, 10)
    assert table.parameters + sum(row.parameters for row in table.heads) == sum(p.numel() for p in made.parameters())


@small
def test_the_same_seed_gives_the_same_weights(kind: str, side: int, channels: int, settings: dict[str, Any]) -> None:
    first, second = model(kind, side, channels, **settings), model(kind, side, channels, **settings)
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    again = build(image_config({"kind": kind}), to_json(first.config))
    assert again == first.config


def test_heads_are_there_while_training_only() -> None:
    made = model("googlenet", 79, dropout=0.0)
    x, ran = torch.rand(2, 1, 79, 79), []
    for head in made.heads.values():
        head.register_forward_hook(lambda *_: ran.append(1))
    with torch.no_grad():
        assert made.train()(x).shape == (3, 2, 10)
        assert len(ran) == 2
        torch.testing.assert_close(made.train()(x)[0], made.eval()(x))  # the main one is the first
        assert made.eval()(x).shape == (2, 10)
        assert len(ran) == 4
    assert model("googlenet", 79, auxiliary=False).train()(x).shape == (2, 10)
    assert list(made.heads) == ["inception_4a", "inception_4d"]
    assert not made.feature_maps(x).keys() & {"auxiliary_4a", "pool5"}


def test_pixels_are_normalised_first() -> None:
    made = model("convnet", 8, 3).eval()
    x = torch.rand(2, 3, 8, 8)
    by_hand = torch.stack([(x[:, c] - m) / s for c, (m, s) in enumerate(((0.1, 0.5), (0.2, 2.0), (0.3, 0.25)))], 1)
    before, maps = made(by_hand), made.feature_maps(by_hand)
    made.mean.copy_(torch.tensor([0.1, 0.2, 0.3]))
    made.spread.copy_(torch.tensor([0.5, 2.0, 0.25]))
    torch.testing.assert_close(made(x), before)
    torch.testing.assert_close(made.feature_maps(x), maps)
    assert {"mean", "spread"} < set(weights_of(made))


def test_filters() -> None:
    assert model("lenet5").filters().shape == (6, 1, 5, 5)
    assert model("resnet", 8, 3).filters().shape == (16, 3, 3, 3)
    for settings in ({}, {"drop_connect": 0.5}, {"shakeout": 0.5}):
        mlp = model("mlp", 8, 3, widths=("7",), **settings)
        weights = mlp.filters()
        assert weights.shape == (7, 3, 8, 8)
        x = torch.rand(1, 3, 8, 8)
        by_hand = (weights * x).sum((1, 2, 3))
        torch.testing.assert_close(mlp.eval().layers[1].linear(x.flatten(1))[0], by_hand)
    assert model("mlp", 8, 3, widths=("7",), activation="maxout").filters().shape == (14, 3, 8, 8)
    assert model("perceptron", 8, 3).filters().shape == (10, 3, 8, 8)


def test_every_activation_of_an_mlp() -> None:
    x = torch.rand(5, 1, 8, 8)
    by_name = {
        "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
        "leaky-relu": lambda v: torch.where(v > 0, v, 0.01 * v),
    }  # fmt: skip
    for name, worked in by_name.items():
        made = model("mlp", 8, widths=("7",), activation=name).eval()
        first, last = made.layers[1].linear, made.layers[2].linear
        torch.testing.assert_close(made(x), last(worked(first(x.flatten(1)))))


def test_maxout_against_a_loop() -> None:
    made = model("mlp", 8, widths=("7",), activation="maxout", **{"pieces": 3}).eval()
    x = torch.rand(4, 1, 8, 8)
    affine = made.layers[1].linear.affine.requires_grad_(False)
    hidden = np.full((4, 7), -np.inf)
    for row, unit, piece in np.ndindex(4, 7, 3):
        place = unit * 3 + piece
        value = float(x[row].flatten() @ affine.weight[place] + affine.bias[place])
        hidden[row, unit] = max(hidden[row, unit], value)
    torch.testing.assert_close(made.layers[1](x.flatten(1)), torch.from_numpy(hidden).float())


@pytest.mark.parametrize("settings", [{"drop_connect": 0.4}, {"shakeout": 0.4, "shakeout_scale": 0.05}])
def test_disturbed_weights_are_the_plain_ones_on_average(settings: dict[str, Any]) -> None:
    made = model("mlp", 8, widths=("7",), activation="relu", **settings)
    layer, x = made.layers[1].linear, torch.rand(3, 64)
    with torch.no_grad():
        plain = made.eval().layers[1].linear(x)
        made.train()
        drawn = torch.stack([layer(x) for _ in range(3000)])
    assert drawn.std(0).min() > 0.05  # it is disturbed
    off = (drawn.mean(0) - plain).abs() / (drawn.std(0) / 3000**0.5)
    assert off.max() < 4.5  # standard errors


@pytest.mark.parametrize(
    "kind, settings, words",
    [
        ("resnet", {"depth": 21}, "depth of resnet must be one of 18, 20"),
        ("vgg", {"depth": 12}, "11, 13, 16, 19, got 12"),
        ("densenet", {"depth": 7}, "depth of densenet"),
        ("densenet", {"depth": 121, "bottleneck": False}, "leave --no-bottleneck out"),
        (
            "mlp",
            {"widths": ("512", "-3")},
            "widths must be whole numbers from 1 to 65536 such as 512,256, got '512,-3'",
        ),
        ("mlp", {"widths": ()}, "widths must be"),
        ("convnet", {"filters": ("0",)}, "filters must be"),
        ("mlp", {"shakeout": 0.1, "drop_connect": 0.1}, "give one of them"),
        ("mlp", {"shakeout": 0.1, "activation": "maxout"}, "not for maxout"),
        ("mlp", {"activation": "swish"}, "activation has no choice 'swish'"),
        ("alexnet", {"groups": 3}, "groups must be"),
    ],
)
def test_settings_refused(kind: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        image_config({"kind": kind})(**settings)


def test_unknown_kinds() -> None:
    with pytest.raises(ConfigError, match="did you mean 'resnet'"):
        image_config({"kind": "resnet50"})
    with pytest.raises(ConfigError, match="model has no choice None"):
        image_config({})


@pytest.mark.parametrize(
    "kind, settings, layer",
    [
        ("alexnet", {"hidden": 4}, "pool2"),
        ("zfnet", {"hidden": 4}, "pool2"),
        ("vgg", {"hidden": 4, "depth": 11}, "pool5"),
        ("googlenet", {}, "auxiliary_4a"),
        ("convnet", {"filters": tuple("444444")}, "pool5"),
    ],
)
def test_too_small_pictures(kind: str, settings: dict[str, Any], layer: str) -> None:
    """The least size that is told is the least: it works, and one pixel less does not."""
    with pytest.raises(ConfigError, match=f"layer {layer} would make 0 × 0 of") as refused:
        model(kind, 28, **settings)
    words = str(refused.value)
    assert "for pictures of 28 × 28" in words
    least = int(words.split("at least ")[1].split(" ")[0])
    assert least > 28
    assert model(kind, least, **settings).eval()(torch.rand(1, 1, least, least)).shape == (1, 10)
    with pytest.raises(ConfigError, match=f"at least {least} × {least}"):
        model(kind, least - 1, **settings)


@pytest.mark.parametrize(("stages", "said"), [(14, "at least 8192 × 8192"), (16, "no picture is large enough for it")])
def test_more_stages_than_pictures_have_room_for(stages: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        model("convnet", 28, filters=("1",) * stages)


@pytest.mark.parametrize("kind, settings", [("resnet", {"depth": 50}), ("densenet", {"depth": 121})])
def test_forms_for_large_pictures_are_not_for_small_ones(kind: str, settings: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=f"{kind} --depth .* at least 64 × 64.* got 63 × 63; take .*resnet --depth 20"
    ):
        model(kind, 63, **settings)


def test_a_picture_that_is_no_square() -> None:
    for kind, settings in (("convnet", {}), ("lenet5", {}), ("resnet", {"filters": 4}), ("mlp", {})):
        made = build_image_model(image_config({"kind": kind})(height=20, width=45, classes=3, **settings)).eval()
        assert made(torch.rand(2, 1, 20, 45)).shape == (2, 3)


def test_lenet_pads_evenly() -> None:
    made = model("lenet5", 28)
    x = torch.rand(1, 1, 28, 28)
    assert torch.equal(made.feature_maps(x)["pad"], F.pad(x, (2, 2, 2, 2)))
    assert made.feature_maps(x)["c1"].shape == (1, 6, 28, 28)
    small, x = model("lenet5", 8), torch.arange(64.0).view(1, 1, 8, 8)
    maps = small.feature_maps(x)
    # pixel i of the larger one lies at (i + 0.5) / 3 - 0.5 of the smaller one
    place = ((torch.arange(24.0) + 0.5) / 3 - 0.5).clamp(0, 7)
    torch.testing.assert_close(maps["enlarge"][0, 0], 8 * place[:, None] + place)
    assert torch.equal(maps["pad"], F.pad(maps["enlarge"], (4, 4, 4, 4)))
    assert [
        side for side in (14, 15, 28) if "enlarge" in model("lenet5", side).feature_maps(torch.rand(1, 1, side, side))
    ] == [14]
    assert "pad" not in dict(model("lenet5", 32).layers.named_children())


def trained(made: ImageClassifier, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(made(torch.rand(8, 1, 8, 8)), torch.arange(8)).backward()
        optimizer.step()


@pytest.mark.parametrize("kind", ["convnet", "resnet", "mlp"])
def test_a_checkpoint_keeps_running_statistics(kind: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"resnet": {"filters": 4}, "mlp": {"batch_norm": True}}.get(kind, {})
    made = model(kind, 8, **settings).train()
    optimizer = torch.optim.AdamW(made.parameters(), 0.01)
    trained(made, optimizer, 3)
    arrays, plain = tensors_of(made, optimizer)
    artifact.save_arrays(tmp_path / "step.safetensors", arrays, plain)
    artifact.save_arrays(tmp_path / artifact.MODEL, weights_of(made))
    state = torch.get_rng_state()
    trained(made, optimizer, 3)

    torch.manual_seed(99)
    again = build_image_model(made.config).train()
    fresh = torch.optim.AdamW(again.parameters(), 0.01)
    arrays, plain = artifact.load_arrays_and_facts(tmp_path / "step.safetensors")
    restore_tensors(arrays, plain, again, fresh)
    torch.set_rng_state(state)
    trained(again, fresh, 3)
    names = made.state_dict().keys()
    assert any("running_mean" in name for name in names)
    for name in names:
        assert torch.equal(made.state_dict()[name], again.state_dict()[name]), name

    loaded = build_image_model(made.config)
    assert put_weights(loaded, artifact.load_arrays(tmp_path / artifact.MODEL))
    saved = {name.removeprefix("model."): array for name, array in arrays.items() if name.startswith("model.")}
    for name, tensor in loaded.state_dict().items():
        assert np.array_equal(tensor.numpy(), saved[name]), name


def test_the_table_of_kinds() -> None:
    for kind in IMAGE_MODELS:
        made = image_config({"kind": kind})()
        assert made.kind == kind
        assert made.paper.classes >= 10
