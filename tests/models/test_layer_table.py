"""The table of layers: multiply-adds by hand and as published, nothing allocated."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from textdl.models.image_classifier import ImageConfig, paper_config
from textdl.models.image_models import IMAGE_MODELS, build_image_model, image_config
from textdl.models.layer_table import LayerTable, as_record, layer_table


def paper_table(kind: str, **settings: Any) -> LayerTable:
    return layer_table(paper_config(image_config({"kind": kind})(**settings)))


def test_lenet_by_hand() -> None:
    config = image_config({"kind": "lenet5"})()
    rows = {row.name: row for row in layer_table(config).rows}
    assert list(rows) == ["pad", "c1", "s2", "c3", "s4", "c5", "flatten", "f6", "output"]
    shapes = [(1, 32, 32), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1), (120,), (84,), (10,)]
    assert [row.shape for row in rows.values()] == shapes
    adds = {name: row.multiply_adds for name, row in rows.items() if row.multiply_adds}
    # outputs times the values that each is a sum of
    assert adds == {
        "c1": 6 * 28 * 28 * 25, "c3": 16 * 10 * 10 * 6 * 25, "c5": 120 * 16 * 25, "f6": 84 * 120, "output": 840,
    }  # fmt: skip
    assert (rows["c1"].parameters, rows["s2"].parameters) == (156, 0)
    assert rows["s2"].kind == "average pooling 2×2, stride 2"


def test_groups_are_counted() -> None:
    rows = {row.name: row for row in paper_table("alexnet").rows}
    # of two groups, each filter sees half of the maps
    assert rows["conv2"].multiply_adds == 256 * 27 * 27 * 48 * 25
    assert rows["conv1"].multiply_adds == 96 * 55 * 55 * 3 * 121
    assert rows["conv1"].kind == "convolution 11×11, stride 4, padding 2"
    assert [rows[name].shape[1] for name in ("conv1", "pool1", "pool2", "pool5")] == [55, 27, 13, 6]


def test_maxout_counts_all_pieces() -> None:
    config = image_config({"kind": "mlp"})(height=8, width=8, widths=("7",), activation="maxout", drop_connect=0.5)
    hidden = layer_table(config).rows[1]
    assert (hidden.shape, hidden.parameters, hidden.multiply_adds) == ((7,), 14 * 65, 14 * 64)


@pytest.mark.parametrize(
    "kind, settings, billions",
    [
        ("vgg", {"depth": 16}, 15.5),
        ("vgg", {"depth": 19}, 19.6),
        ("resnet", {"depth": 18}, 1.8),
        ("resnet", {"depth": 34}, 3.6),
        ("resnet", {"depth": 50}, 4.1),  # 3.8 in the paper, whose stride is in the first convolution of a block
        ("googlenet", {}, 1.5),
        ("alexnet", {}, 0.72),
    ],
)
def test_published_multiply_adds(kind: str, settings: dict[str, Any], billions: float) -> None:
    assert paper_table(kind, **settings).multiply_adds / 1e9 == pytest.approx(billions, abs=0.09, rel=0.0)


def test_resnet_50_as_in_the_paper() -> None:
    """The stride in the first convolution instead of the second: the first then has a quarter of the pixels."""
    rows = {row.name: row for row in paper_table("resnet", depth=50).rows}
    total = sum(row.multiply_adds for row in rows.values())
    for stage, side in ((2, 56), (3, 28), (4, 14)):
        inputs, inner = 256 * 2 ** (stage - 2), 64 * 2 ** (stage - 1)
        total -= side**2 * inputs * inner * 3 // 4  # 1 × 1 on a quarter of the pixels; the 3 × 3 is as it was
    assert total / 1e9 == pytest.approx(3.86, abs=0.01)  # "3.8 × 10^9"


def test_googlenet_as_its_table_says() -> None:
    """Table 1 of the paper: parameters of each block (in units of 1024, without biases), size of its output."""
    rows = {row.name: row for row in paper_table("googlenet").rows}
    told = {
        "3a": (159, 256, 28), "3b": (380, 480, 28), "4a": (364, 512, 14), "4b": (437, 512, 14), "4c": (463, 512, 14),
        "4d": (580, 528, 14), "4e": (840, 832, 14), "5a": (1072, 832, 7), "5b": (1388, 1024, 7),
    }  # fmt: skip
    millions = {"3a": 128, "3b": 304, "4a": 73, "4b": 88, "4c": 100, "4d": 119, "4e": 170, "5a": 54, "5b": 71}
    for name, (thousands, channels, side) in told.items():
        row = rows[f"inception_{name}"]
        assert row.shape == (channels, side, side)
        assert row.parameters / 1024 == pytest.approx(thousands, rel=0.08)  # its sums and its widths differ that much
        assert row.multiply_adds / 1e6 == pytest.approx(millions[name], rel=0.06)
    assert rows["conv2"].parameters + rows["conv2_reduce"].parameters == 112 * 1024 + 64 + 192
    assert [rows[name].shape for name in ("conv1", "pool1", "pool5")] == [(64, 112, 112), (64, 56, 56), (1024,)]


def test_heads_are_not_in_the_sums() -> None:
    with_heads, without = paper_table("googlenet"), paper_table("googlenet", auxiliary=False)
    assert with_heads.rows == without.rows
    assert (with_heads.parameters, with_heads.multiply_adds) == (without.parameters, without.multiply_adds)
    assert [row.name for row in with_heads.heads] == ["beside inception_4a", "beside inception_4d"]
    # pooled to 4 × 4: 1 × 1 of 128, 1024 units, 1000 classes
    first = 512 * 128 + 128 + 2048 * 1024 + 1024 + 1025 * 1000
    assert with_heads.heads[0].parameters == first
    assert as_record(with_heads)["auxiliary_parameters"] == first + 16 * 128 + first
    assert as_record(without)["auxiliary"] == []


def test_the_formula_of_the_width() -> None:
    """W' = (W - F + 2 P) / S + 1, layer by layer, from the words of the table alone."""
    for kind, settings in (("lenet5", {}), ("alexnet", {}), ("vgg", {}), ("convnet", {})):
        width, seen = 0, 0
        for row in paper_table(kind, **settings).rows:
            if ("pooling " in row.kind and "×" in row.kind) or row.kind.startswith("convolution"):
                parts = row.kind.replace(",", "").split()
                kernel = int(next(part for part in parts if "×" in part).split("×")[0])
                stride, padding = (
                    int(parts[parts.index(name) + 1]) if name in parts else other
                    for name, other in (("stride", 1), ("padding", 0))
                )
                width = width or paper_config(image_config({"kind": kind})(**settings)).width
                width, seen = (width - kernel + 2 * padding) // stride + 1, seen + 1
                assert row.shape[1:] == (width, width), (kind, row)
        assert seen >= 5


def test_nothing_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[nn.Module] = []

    def kept(config: ImageConfig) -> nn.Module:
        made.append(build_image_model(config))
        return made[-1]

    monkeypatch.setattr("textdl.models.layer_table.build_image_model", kept)
    state = torch.get_rng_state()
    for kind in IMAGE_MODELS:
        paper_table(kind)
    assert len(made) == len(IMAGE_MODELS)
    for model in made:
        assert {tensor.device.type for tensor in model.state_dict().values()} == {"meta"}
    assert torch.equal(torch.get_rng_state(), state)
