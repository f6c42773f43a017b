"""A network that writes by hand: the next point of a pen, given those before and the text (Graves 2013).

Legend: T points, B lines in a batch, U characters of the longest text, C kinds of characters, H width of a layer,
L layers, M components of the mixture, K Gaussians of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ..config import check, knob
from .mixture_density import width
from .recurrent import Recurrent, locked_dropout
from .text_window import WindowedLSTM, WindowState


@dataclass(frozen=True)
class HandwritingConfig:
    """What the network looks like."""

    hidden: int = knob(160, "Width of each recurrent layer.", least=1, most=65536)
    layers: int = knob(2, "Recurrent layers; the first one has the window over the text.", least=1, most=64)
    mixtures: int = knob(16, "Gaussians that say together where the pen goes next.", least=1, most=1000)
    windows: int = knob(6, "Gaussians of the window over the text.", least=1, most=1000)
    dropout: float = knob(0.0, "Dropout on what a layer gives to those above and to the output.", least=0, most=0.95)
    unconditional: bool = knob(False, "Learn strokes alone, without the text: the run writes what it likes.")
    characters: int = knob(1, "Kinds of characters, the end of a text among them.", derived=True, least=1)
    pace: float = knob(16.0, "Points of a character, on average.", derived=True, above=0)

    def __post_init__(self) -> None:
        check(self)


class HandwritingState(NamedTuple):
    """What is remembered from one point to the next."""

    window: WindowState | None  # of the first layer; None where there is no text
    upper: tuple[Tensor, ...]  # [1, 2, B, H] of each further layer; without a text of the first one too


class Handwriting(nn.Module):
    """``forward(points [T, B, 3], ids [B, U], lengths [B], state) -> (parameters [T, B, 1 + 6 M], state)``.

    Of each point (dx, dy, pen_up; scaled) the parameters of the one after it, for
    :mod:`textdl.models.mixture_density`. As in the paper's figure 12, the points and the window go to every layer, each
    layer to the next one, and all of them to the output::

        h_1, w = WindowedLSTM(x, text)      h_n = LSTM([x, w, h_(n-1)])      parameters = W [h_1 ... h_L] + b

    Only the first layer feeds its window back to itself, so that only it is a loop of our own
    (:mod:`textdl.models.text_window`); the others are torch's fused layers, over all points at once. With
    ``unconditional`` the first one is such a layer too, and there is no text: ``ids`` and ``lengths`` are None.
    """

    def __init__(self, config: HandwritingConfig) -> None:
        super().__init__()
        self.config = config
        size, beside = config.hidden, 3
        self.first: WindowedLSTM | None = None
        if not config.unconditional:
            self.first = WindowedLSTM(3, size, config.characters, config.windows, config.pace)
            beside += config.characters
        upper = config.layers if self.first is None else config.layers - 1
        self.upper = nn.ModuleList(
            Recurrent("lstm", beside + (size if self.first is not None or n else 0), size) for n in range(upper)
        )
        self.output = nn.Linear(config.layers * size, width(config.mixtures))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """The layers begin as they do by themselves. The components begin on a ring about the mean step (0, 0) with the
        deviation of all steps, so that none of them has to learn alone what another one knows."""
        nn.init.uniform_(self.output.weight, -0.02, 0.02)
        nn.init.zeros_(self.output.bias)
        angle = torch.linspace(0, 2 * torch.pi, self.config.mixtures + 1)[:-1]
        parts = self.output.bias.data[1:].chunk(6)
        parts[1].copy_(0.5 * torch.cos(angle))
        parts[2].copy_(0.5 * torch.sin(angle))
        self.output.bias.data[0] = -2.0  # the pen is lifted at a few points only

    def start(self, batch: int, ids: Tensor | None) -> HandwritingState:
        """The state before the first point."""
        like = self.output.weight
        window = None if self.first is None or ids is None else self.first.start(ids)
        return HandwritingState(window, tuple(cast(Recurrent, layer).zero_state(batch, like) for layer in self.upper))

    def forward(
        self,
        points: Tensor,
        ids: Tensor | None = None,
        lengths: Tensor | None = None,
        state: HandwritingState | None = None,
    ) -> tuple[Tensor, HandwritingState]:
        state = self.start(points.shape[1], ids) if state is None else state
        beside, outputs, window = points, [], state.window
        if self.first is not None:
            if ids is None or lengths is None:
                raise ValueError("a model that was trained with texts needs ids and lengths")
            hidden, seen, window = self.first(points, ids, lengths, window)
            beside = torch.cat([points, seen], dim=-1)
            outputs.append(self._dropped(hidden))
        ends = []
        for layer, before in zip(self.upper, state.upper, strict=True):
            x = torch.cat([beside, outputs[-1].to(beside.dtype)], dim=-1) if outputs else beside
            hidden, end = layer(x, before)
            outputs.append(self._dropped(hidden))
            ends.append(end)
        with torch.autocast(points.device.type, enabled=False):  # means are to be finer than bfloat16 can tell them
            whole = torch.cat([hidden.to(self.output.weight.dtype) for hidden in outputs], dim=-1)
            return self.output(whole), HandwritingState(window, tuple(ends))

    def _dropped(self, x: Tensor) -> Tensor:
        return locked_dropout(x, self.config.dropout, self.training)
