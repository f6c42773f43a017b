"""The multilayer perceptron: fully connected layers of any widths.

Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors". Legend: B pictures, P = H W C
values of one, N width of a hidden layer, K classes::

    pixels [B, C, H, W] → flatten [B, P] → (linear → batch norm → activation → dropout) [B, N] ... → linear [B, K]
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..config import knob
from ..errors import ConfigError
from .image_blocks import ACTIVATIONS, Connected
from .image_classifier import ImageClassifier, ImageConfig, Stack, whole_numbers
from .regularizing import DropConnect, Maxout, ShakeOut


@dataclass(frozen=True)
class MlpConfig(ImageConfig):
    """Fully connected layers."""

    kind: str = knob("mlp", "Which model.", derived=True)
    widths: tuple[str, ...] = knob(("512", "256"), "Widths of the hidden layers, such as 512,256.")
    activation: str = knob("relu", "Activation of the hidden layers.", choices=(*ACTIVATIONS, "maxout"))
    dropout: float = knob(0.0, "Dropout behind each hidden layer.", least=0, most=0.95)
    drop_connect: float = knob(0.0, "DropConnect on the weights of each hidden layer.", least=0, most=0.95)
    shakeout: float = knob(0.0, "How likely ShakeOut reverses an input of a hidden layer.", least=0, most=0.95)
    shakeout_scale: float = knob(0.1, "How far ShakeOut reverses it.", least=0, most=100, flag=False)
    batch_norm: bool = knob(False, "Batch normalisation before each activation.")
    pieces: int = knob(2, "Linear pieces of a maxout unit.", least=2, most=64, flag=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_numbers(self, "widths")
        if self.drop_connect and self.shakeout:
            raise ConfigError("drop_connect and shakeout both disturb the weights; give one of them")
        if self.shakeout and self.activation == "maxout":
            raise ConfigError("shakeout is not for maxout units; give --drop-connect or another --activation")


class Mlp(ImageClassifier):
    """``forward(x [B, C, H, W]) -> logits [B, K]``."""

    config: MlpConfig

    def build(self, stack: Stack) -> None:
        stack.add("flatten", nn.Flatten())
        for number, width in enumerate(self.config.widths, 1):
            stack.add(f"hidden{number}", Hidden(stack.channels, int(width), self.config))
        stack.add("output", Connected(stack.channels, self.config.classes))


class Hidden(nn.Sequential):
    """``forward(x [B, D]) -> [B, N]``: one hidden layer.

    DropConnect: Wan et al. 2013; ShakeOut: Kang et al. 2016; maxout: Goodfellow et al. 2013 (a maxout unit is linear
    map and activation in one, so its batch normalisation stands behind it); batch normalisation: Ioffe & Szegedy 2015.
    """

    def __init__(self, inputs: int, outputs: int, config: MlpConfig) -> None:
        super().__init__()
        self.outputs = outputs
        self.words = f"fully connected, {config.activation}"
        maxout = config.activation == "maxout"
        linear: nn.Module
        if maxout:
            linear = Maxout(inputs, outputs, config.pieces)
        elif config.shakeout:
            linear = ShakeOut(inputs, outputs, config.shakeout, config.shakeout_scale)
        else:
            linear = nn.Linear(inputs, outputs)
        if config.drop_connect:
            linear = DropConnect(linear, config.drop_connect, ("affine.weight" if maxout else "weight",))
        self.add_module("linear", linear)
        if config.batch_norm:
            self.add_module("norm", nn.BatchNorm1d(outputs))
        if not maxout:
            self.add_module("activation", ACTIVATIONS[config.activation]())
        if config.dropout:
            self.add_module("dropout", nn.Dropout(config.dropout))
