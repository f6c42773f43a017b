"""A classifier that looks for runs of words anywhere in a text (Kim 2014).

Kim 2014, "Convolutional neural networks for sentence classification". Legend: T tokens, B texts, D width of the input,
F filters of each width, N widths.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError
from .classifier_config import ClassifierConfig


@dataclass(frozen=True)
class ConvolutionClassifierConfig(ClassifierConfig):
    """Convolutions of several widths over the words, and the largest answer of each filter."""

    kind: str = knob("cnn", "Which model.", derived=True)
    dropout: float = knob(0.5, "Dropout on what goes into and out of the layers.", least=0, most=0.95)
    filters: int = knob(100, "Filters of each width.", least=1, most=65536)
    widths: tuple[str, ...] = knob(("3", "4", "5"), "Words that a filter sees, such as 3,4,5.", flag=False)

    def __post_init__(self) -> None:
        check(self)
        if not self.widths or not all(width.isdecimal() and 0 < int(width) <= 100 for width in self.widths):
            raise ConfigError(
                f"widths must be whole numbers from 1 to 100 such as 3,4,5, got {','.join(self.widths)!r}"
            )


class ConvolutionEncoder(nn.Module):
    """``forward(x [T, B, D], mask [T, B, 1], lengths [B]) -> [B, N * F]``."""

    def __init__(self, config: ConvolutionClassifierConfig) -> None:
        super().__init__()
        sizes = [int(width) for width in config.widths]
        self.convolutions = nn.ModuleList(nn.Conv1d(config.width, config.filters, size) for size in sizes)
        self.width = config.filters * len(sizes)

    def forward(self, x: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
        across = x.permute(1, 2, 0)  # [B, D, T], zeros where there is padding
        found = []
        for convolution in self.convolutions:
            assert isinstance(convolution, nn.Conv1d)
            size = convolution.kernel_size[0]
            # a filter may reach over both ends of a text, so that short ones are seen too; not from within padding
            wide = F.pad(across, (size - 1, size - 1))
            answers = F.relu(convolution(wide))  # [B, F, T + size - 1]
            places = torch.arange(answers.shape[-1], device=x.device)
            answers = answers.masked_fill(places >= (lengths + size - 1).unsqueeze(1).unsqueeze(1), 0.0)
            found.append(answers.amax(-1))
        return torch.cat(found, dim=-1)
