"""What a model of pictures is made of, layer by layer, worked out without allocating it (on torch's meta device)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .image_blocks import ACTIVATIONS, LocalResponse
from .image_classifier import ImageConfig
from .image_models import build_image_model

#: Layers that change no shape.
_SAME_SHAPE = (
    *(type(make()) for make in ACTIVATIONS.values()),
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    LocalResponse,
    nn.Dropout,
    nn.Dropout2d,
)


class LayerRow(NamedTuple):
    """One layer.

    Attributes:
        name: as in the model and its feature maps.
        kind: what it is, in words.
        shape: of its output for one picture: (C, H, W), or (features,).
        parameters: weights that are learned.
        multiply_adds: for one picture; a multiplication with its addition is one.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class LayerTable:
    """The layers of a model in order, and its auxiliary heads.

    Attributes:
        config: of the model.
        rows: what a picture goes through in evaluation.
        heads: what is worked out while training beside it; not in the sums.
    """

    config: ImageConfig
    rows: tuple[LayerRow, ...]
    heads: tuple[LayerRow, ...]

    @property
    def parameters(self) -> int:
        """Weights that are learned, without the auxiliary heads."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Of convolutions and linear layers for one picture, without the auxiliary heads."""
        return sum(row.multiply_adds for row in self.rows)


def layer_table(config: ImageConfig) -> LayerTable:
    """The table of a model.

    Multiply-adds are those of convolutions and linear layers, without their biases; normalisation, activation, pooling
    and sums are not counted, as is usual.

    Raises:
        ConfigError: the pictures are too small for the model.
    """
    with torch.device("meta"), torch.no_grad():
        model = build_image_model(config).eval()
        counted: list[int] = []
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.register_forward_hook(lambda module, inputs, out: counted.append(_multiply_adds(module, out)))
            elif isinstance(module, _SAME_SHAPE):
                module.forward = nn.Identity().forward  # type: ignore[method-assign]  # slow on the meta device
        x = torch.zeros(1, config.channels, config.height, config.width)
        rows, heads = [], []
        for name, layer in model.layers.named_children():
            row, x = _row(name, layer, x, counted)
            rows.append(row)
            if name in model.heads:
                heads.append(_row(f"beside {name}", model.heads[name], x, counted)[0])
    assert sum(row.parameters for row in (*rows, *heads)) == parameters_of(model)
    return LayerTable(config, tuple(rows), tuple(heads))


def parameters_of(module: nn.Module) -> int:
    """How many weights a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def as_record(table: LayerTable) -> dict[str, Any]:
    """The table as plain values."""
    c = table.config
    return {
        "kind": c.kind,
        "height": c.height,
        "width": c.width,
        "channels": c.channels,
        "classes": c.classes,
        "parameters": table.parameters,
        "multiply_adds": table.multiply_adds,
        "auxiliary_parameters": sum(row.parameters for row in table.heads),
        "layers": [{**row._asdict(), "shape": list(row.shape)} for row in table.rows],
        "auxiliary": [{**row._asdict(), "shape": list(row.shape)} for row in table.heads],
    }


def _row(name: str, layer: nn.Module, x: Tensor, counted: list[int]) -> tuple[LayerRow, Tensor]:
    counted.clear()
    y: Tensor = layer(x)
    words = str(getattr(layer, "words", type(layer).__name__.lower()))
    return LayerRow(name, words, tuple(y.shape[1:]), parameters_of(layer), sum(counted)), y


def _multiply_adds(module: nn.Module, out: Tensor) -> int:
    """Of one output value: as many as it has weights; the weights of a filter or a row."""
    assert isinstance(module, nn.Conv2d | nn.Linear)
    return math.prod(out.shape[1:]) * math.prod(module.weight.shape[1:])
