"""What each word moved a network's decision by: integrated gradients, and attention where there is one.

Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks". Legend: T tokens, S steps on the path, D width
of the input, C classes, P pieces of the text, F distinct runs of words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..models.classifier import Classifier
from ..models.word_input import Tokens
from ..text.word_rules import BREAK, words
from ..text.words import WordTokenizer
from .attribution import Attribution
from .text_reader import TextReader

if TYPE_CHECKING:
    from .classifier_run import NeuralRun, OneOrPair

#: What stands between the two texts of a pair where they are shown together.
BETWEEN = "\n"
#: Vectors of tokens, of all points of the path that are looked at together: so many bound the memory.
_VECTORS_AT_ONCE = 32_768
_QUOTES = ("``", "''")  # what a quotation mark may have become, and may have been
_SPACE = re.compile(r"\s*")


def attribute(run: NeuralRun, text: OneOrPair, place: int, probability: float, steps: int = 64) -> Attribution:
    """What each piece of a text moved the score of class ``place`` by.

    The score is the logarithm of the odds of the class (of several labels: its own yes against no), before the
    temperature. The path goes from vectors of zeros to those of the text; its gradients are taken at the middle of
    ``steps`` equal parts. What the sum of all weights misses of the score is told as ``rest``: the score of a text of
    zeros, and the error of the sum. Tokens that are not read, as the text is too long, have moved nothing.
    """
    model, reader = run.model, run.reader
    texts = [reader.clean(part) for part in ((text,) if isinstance(text, str) else text)]
    batches = [_moved(reader.batch(reader.read([part]), np.zeros(1, np.int64)), model) for part in texts]
    was_training = model.training
    model.eval()
    weights, total = _integrated(model, batches, place, steps, run.several)
    with torch.inference_mode():
        seen = [model.attention(tokens) for tokens in batches]
    model.train(was_training)
    pieces: list[str] = []
    moved: list[float] = []
    shares: list[float] = []
    for number, (part, tokens) in enumerate(zip(texts, weights, strict=True)):
        if number:
            pieces, moved, shares = [*pieces, BETWEEN], [*moved, 0.0], [*shares, 0.0]
        own, places = pieces_of(reader, part)
        attention = seen[number]
        pieces += own
        moved += _on_pieces(tokens, places, len(own))
        shares += _on_pieces(np.zeros(0) if attention is None else attention[:, 0].cpu().numpy(), places, len(own))
    return Attribution(
        "".join(pieces),
        run.labels[place],
        probability,
        tuple(pieces),
        np.array(moved),
        None if seen[0] is None else np.array(shares),
        total - sum(moved),
    )


def pieces_of(reader: TextReader, text: str) -> tuple[list[str], list[int]]:
    """A text in pieces that join to it, and which of them each of its tokens is.

    Between two words stands a piece of white space. A token that can not be found in the text (a quotation mark that
    has been changed) is the next character that is no white space. Tokens that are only part of a character share the
    piece that it is in.
    """
    tokenizer = reader.tokenizer
    if isinstance(tokenizer, WordTokenizer):  # as they stand in the text, before they are turned into lower case
        low, tokens = text, words(text)
    else:
        decoder = tokenizer.decoder()
        tokens = [decoder.push(int(id)) for id in tokenizer.encode(text)]
        low = text.lower() if tokenizer.lowercase else text
    place_of = _places(text, low)
    pieces: list[str] = []
    places: list[int] = []
    at = shown = 0  # in the lower case, and in the text
    for token in tokens:
        start, at = _found(token, low, at)
        if token and place_of[start] > shown:
            pieces.append(text[shown : place_of[start]])
            shown = place_of[start]
        places.append(len(pieces))
        end = place_of[at] if token else shown
        if end > shown:
            pieces.append(text[shown:end])
            shown = end
    pieces += [text[shown:]] if shown < len(text) else []
    return pieces, [min(place, len(pieces) - 1) for place in places]


def _places(text: str, low: str) -> Sequence[int]:
    """Where in the text each character of its lower case is, which may be longer; and the end."""
    if len(low) == len(text):
        return range(len(text) + 1)
    return [place for place, letter in enumerate(text) for _ in letter.lower()] + [len(text)]


def _found(token: str, text: str, at: int) -> tuple[int, int]:
    """Where a token begins and ends: right here, or behind white space; or what stands there in its place."""
    if text.startswith(token, at):
        return at, at + len(token)
    space = _SPACE.match(text, at)
    start = at if space is None else text.find(token, at) if token == BREAK else space.end()
    for written in (token, *(_QUOTES if token in _QUOTES else ())):
        if text.startswith(written, start):
            return start, start + len(written)
    return start, min(start + 1, len(text))


def _integrated(
    model: Classifier, batches: list[Tokens], place: int, steps: int, several: bool
) -> tuple[list[NDArray[np.float64]], float]:
    """The weights of the tokens [T] of each text, and the score."""
    ends = [model.input(tokens).detach() for tokens in batches]  # [T, 1, D]
    shares = (torch.arange(steps, device=ends[0].device) + 0.5) / steps
    at_once = max(1, _VECTORS_AT_ONCE // max(1, sum(len(end) for end in ends)))
    parts = [_slopes(model, batches, ends, some, place, several) for some in shares.split(at_once)]
    slopes = [torch.stack(some).sum(0) / steps for some in zip(*parts, strict=True)]
    weights = [(slope * end[:, 0]).sum(-1).double().cpu().numpy() for slope, end in zip(slopes[:-1], ends, strict=True)]
    with torch.inference_mode():
        whole = model(*batches)
    if model.wide is not None:
        weights[0] = weights[0] + _of_runs(model, batches[0], slopes[-1])
    return weights, float(_score(whole, place, several))


def _slopes(
    model: Classifier, batches: list[Tokens], ends: list[Tensor], shares: Tensor, place: int, several: bool
) -> list[Tensor]:
    """The gradients of the score, summed over ``shares`` of the way: of each text's vectors [T, D], of logits [C]."""
    on_path = [(end * shares.view(1, -1, 1)).requires_grad_() for end in ends]  # [T, S, D]
    with torch.backends.cudnn.flags(enabled=False):  # whose recurrent layers have no gradient in evaluation
        logits = _logits(model, on_path, batches)
        if model.wide is not None:
            wide = model.wide(batches[0].ids, batches[0].lengths).detach()  # [1, C]
            logits = logits + shares.view(-1, 1) * wide
        slopes = torch.autograd.grad(_score(logits, place, several).sum(), [*on_path, logits])
    return [*(slope.sum(1) for slope in slopes[:-1]), slopes[-1].sum(0)]


def _logits(model: Classifier, inputs: list[Tensor], batches: list[Tokens]) -> Tensor:
    """Of S versions of the texts: [S, C]."""
    wide = [Tokens(t.ids.expand(-1, x.shape[1]), t.lengths.expand(x.shape[1]), t.parts, t.starts)
            for t, x in zip(batches, inputs, strict=True)]  # fmt: skip
    second = model.encode(inputs[1], wide[1]) if len(inputs) > 1 else None
    return model.judge(inputs[0], wide[0], second)


def _score(logits: Tensor, place: int, several: bool) -> Tensor:
    """The logarithm of the odds of a class: [...] of logits [..., C]."""
    own = logits[..., place]
    if several or logits.shape[-1] == 1:
        return own
    others = torch.cat([logits[..., :place], logits[..., place + 1 :]], dim=-1)
    return own - others.logsumexp(-1)


def _of_runs(model: Classifier, tokens: Tokens, slope: Tensor) -> NDArray[np.float64]:
    """What the wide weights give the tokens [T]: each run's part is shared by its words, wherever it stands."""
    assert model.wide is not None
    with torch.inference_mode():
        rows, _, counts = model.wide.runs(tokens.ids, tokens.lengths)
        scale = float(model.wide.scale) / float(counts[0].clamp_min(1)) ** 0.5
        parts = (model.wide.weights[rows] @ slope * scale).double().cpu().numpy()  # [F]
        every = model.wide.rows_of(tokens.ids, tokens.lengths)[:, :, 0].cpu().numpy()  # [N, T]
    part = dict(zip(rows.tolist(), parts.tolist(), strict=True))
    values, numbers = np.unique(every, return_counts=True)
    number = dict(zip(values.tolist(), numbers.tolist(), strict=True))
    weights = np.zeros(every.shape[1])
    for back, row_at in enumerate(every.tolist()):
        for end, row in enumerate(row_at):
            if row in part:
                weights[end - back : end + 1] += part[row] / number[row] / (back + 1)
    return weights


def _on_pieces(values: NDArray[np.float64], places: list[int], pieces: int) -> list[float]:
    """Values of tokens as values of pieces; of a shortened text only the first and last tokens have one."""
    found = np.zeros(pieces)
    if len(values) >= len(places):
        np.add.at(found, places, values[: len(places)])
    elif len(values):
        head = (len(values) + 1) // 2
        np.add.at(found, places[:head], values[:head])
        np.add.at(found, places[len(places) - (len(values) - head) :], values[head:])
    return [float(value) for value in found]


def _moved(tokens: Tokens, model: Classifier) -> Tokens:
    device = model.head.weight.device
    return Tokens(*(tensor.to(device) for tensor in tokens))
