"""Words by their letters: what a network makes of how a word is spelled, worked out once for each distinct word.

Legend: U distinct words of a batch, L letters of the longest, A letters known, K width of a letter, F features of a
word.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .bidirectional import Reading

#: How the letters of a word become features.
SPELLINGS = ("cnn", "lstm", "none")
#: Letters that a convolution looks at together.
SPAN = 3


class SpellingInput(nn.Module):
    """``forward(letters [L, U], counts [U]) -> features [U, F]``.

    - "cnn": of each of F filters over three letters in a row the largest answer (dos Santos & Zadrozny 2014; Ma & Hovy
      2016, "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF").
    - "lstm": the last states of an LSTM that reads the word forwards and of one that reads it backwards, F / 2 each
      (Lample et al. 2016, "Neural architectures for named entity recognition").

    ``letters`` are numbers below A; what stands behind the end of a word (``counts``, at least 1) is never seen.

    Args:
        kind: "cnn" or "lstm".
        letters: A.
        embedding: K.
        features: F; of "lstm" an even number.
    """

    def __init__(self, kind: str, letters: int, embedding: int, features: int) -> None:
        super().__init__()
        self.kind = kind
        self.embedding = nn.Parameter(torch.empty(letters, embedding))
        bound = (3 / embedding) ** 0.5  # of spread 1 / √K, as Ma & Hovy have it
        nn.init.uniform_(self.embedding, -bound, bound)
        self.filters = nn.Conv1d(embedding, features, SPAN, padding=SPAN // 2) if kind == "cnn" else None
        self.reading = Reading("lstm", embedding, features // 2) if kind == "lstm" else None

    def forward(self, letters: Tensor, counts: Tensor) -> Tensor:
        inside = torch.arange(len(letters), device=letters.device).unsqueeze(1) < counts
        x = F.embedding(torch.where(inside, letters, 0), self.embedding) * inside.unsqueeze(-1)
        if self.filters is not None:
            answers = self.filters(x.permute(1, 2, 0))  # [U, F, L]
            answers = answers.masked_fill(~inside.T.unsqueeze(1), torch.finfo(answers.dtype).min)
            largest: Tensor = answers.amax(-1)
            return largest
        assert self.reading is not None
        y = self.reading(x, counts)  # [L, U, F]
        forwards, backwards = y.chunk(2, dim=-1)
        last = (counts - 1).view(1, -1, 1).expand(1, -1, forwards.shape[-1])
        return torch.cat([forwards.gather(0, last)[0], backwards[0]], dim=-1)
