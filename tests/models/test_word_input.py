"""What a classifier reads: vectors that are kept, tuned or both, words made of parts, convolutions over them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from textdl.errors import ConfigError
from textdl.models.classifier import Classifier
from textdl.models.convolution_classifier import ConvolutionClassifierConfig, ConvolutionEncoder
from textdl.models.stacked_classifier import StackedClassifierConfig, StackedEncoder
from textdl.models.word_input import Tokens, WordInput, WordInputConfig, inside

NOTHING = torch.empty(0, dtype=torch.int64)


def tokens(*texts: list[int], padding: int) -> Tokens:
    longest = max(map(len, texts))
    ids = [text + [padding] * (longest - len(text)) for text in texts]
    return Tokens(torch.tensor(ids).T, torch.tensor([len(text) for text in texts]), NOTHING, NOTHING)


@torch.no_grad()
def test_the_two_channels_of_a_convolution_by_hand() -> None:
    """Words 0, 1, 2 with the kept vectors 1, 2, -3 and the tuned ones 10, 20, 30; one filter of two words.

    The filter gives kept of the first + 2 kept of the second + 0.1 tuned of the first + 0.01 tuned of the second + 0.5.
    """
    config = ConvolutionClassifierConfig(
        vocabulary=3, embedding=1, vectors="x", vectors_use="both", filters=1, widths=("2",), classes=2
    )
    model = Classifier(config).eval()
    model.input.trained.copy_(torch.tensor([[10.0], [20.0], [30.0]]))
    model.input.frozen.copy_(torch.tensor([[1.0], [2.0], [-3.0]]))
    (convolution,) = model.encoder.convolutions
    convolution.weight.copy_(torch.tensor([[[0.1, 0.01], [1.0, 2.0]]]))  # channels: tuned, then kept
    convolution.bias.fill_(0.5)
    model.head.weight.copy_(torch.tensor([[1.0], [-2.0]]))
    model.head.bias.copy_(torch.tensor([0.0, 1.0]))
    text = tokens([0, 1, 2], [2], padding=3)
    # 0 1: 1 + 4 + 1 + .2 + .5 = 6.7; 1 2: 2 - 6 + 2 + .3 + .5 < 0; over the ends: _ 0: 2 + .1 + .5 = 2.6,
    # 2 _: -3 + 3 + .5 = 0.5. Of the text "2" alone: _ 2: -6 + .3 + .5 < 0, and 2 _: 0.5.
    torch.testing.assert_close(model.known(text), torch.tensor([[6.7], [0.5]]))
    torch.testing.assert_close(model(text), torch.tensor([[6.7, -12.4], [0.5, 0.0]]))


@pytest.mark.parametrize("use", ["tuned", "frozen", "both"])
def test_kept_vectors_stay_and_tuned_ones_learn(use: str) -> None:
    torch.manual_seed(1)
    part = WordInput(WordInputConfig(vocabulary=6, embedding=3, vectors="x", vectors_use=use))
    drawn = None if part.trained is None else part.trained.detach().clone()
    vectors, known = torch.randn(6, 3) * 7, torch.tensor([True, True, False, True, True, False])
    part.start_from(vectors, known)
    scaled = vectors * 0.1 / vectors[known].flatten().std()
    kept = None if part.frozen is None else part.frozen.clone()
    for table in (part.trained, part.frozen):
        if table is not None:
            torch.testing.assert_close(table.detach()[known], scaled[known])
    if drawn is not None:
        assert torch.equal(part.trained[~known], drawn[~known]), "words without a vector stay as they were drawn"
        assert part.trained[~known].abs().min() > 0
    start = None if part.trained is None else part.trained.detach().clone()
    weight = nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([*part.parameters(), weight], lr=0.1)
    (part(tokens([0, 2, 4], padding=6)) * weight).sum().backward()
    optimizer.step()
    if kept is not None:
        assert torch.equal(part.frozen, kept)
        assert not any(torch.equal(p, part.frozen) for p in part.parameters())
    if start is not None:
        assert (part.trained != start).any(1).tolist() == [True, False, True, False, True, False]
    assert (part.trained is None, part.frozen is None) == (use == "frozen", use == "tuned")
    assert part(tokens([1], padding=6)).shape == (1, 1, part_width(use))


def part_width(use: str) -> int:
    return WordInputConfig(embedding=3, vectors="x", vectors_use=use).width


@pytest.mark.parametrize("use", ["tuned", "both"])
def test_words_that_only_the_vectors_know_lie_apart_and_read_as_one_table(use: str) -> None:
    """Rows 0 to 2 are words of the texts, 3 and 4 only the vectors know, 5 is <unk>, 6 the end."""
    torch.manual_seed(1)
    part = WordInput(WordInputConfig(vocabulary=7, embedding=3, vectors="x", vectors_use=use, extra=2))
    vectors, known = torch.randn(7, 3), torch.tensor([True, False, True, True, True, False, False])
    drawn = part.trained.detach().clone()
    part.start_from(vectors, known)
    scaled = vectors * 0.1 / vectors[known].std()
    assert part.trained.shape == (5, 3)
    wanted = torch.stack([scaled[0], drawn[1], scaled[2], scaled[3], scaled[4], drawn[3], drawn[4]])
    found = part(tokens(list(range(7)), [4], padding=7))
    torch.testing.assert_close(found[:, 0, :3], wanted)
    torch.testing.assert_close(found[:, 1, :3], torch.cat([scaled[4:5], torch.zeros(6, 3)]))
    found[:, :, :3].sum().backward()
    assert part.trained.grad.tolist() == [[1.0] * 3] * 5
    if use == "both":
        torch.testing.assert_close(found[:, 0, 3:].detach(), scaled * known.unsqueeze(1))


def test_no_more_words_are_kept_than_there_are() -> None:
    with pytest.raises(ConfigError, match="extra must be at most vocabulary - 2, 3, got 4"):
        WordInput(WordInputConfig(embedding=2, vectors="x", vocabulary=5, extra=4))
    WordInput(WordInputConfig(embedding=2, vectors="x", vocabulary=5, extra=3))


def test_without_vectors_nothing_is_kept() -> None:
    part = WordInput(WordInputConfig(vocabulary=6, embedding=3, vectors_use="both"))
    assert part.frozen is None
    assert part(tokens([1], padding=6)).shape == (1, 1, 3)
    assert WordInputConfig(embedding=3, vectors_use="both").width == 3


@torch.no_grad()
def test_words_made_of_parts_are_the_mean_of_their_rows() -> None:
    part = WordInput(WordInputConfig(vocabulary=9, embedding=4, subwords=True))
    words = [[3], [0, 8, 8], [5, 1]]
    made = Tokens(
        torch.tensor([[2, 0], [1, 3]]),  # texts: "2 1" and "0"
        torch.tensor([2, 1]),
        torch.tensor([row for rows in words for row in rows]),
        torch.tensor([0, 1, 4]),
    )
    found, table = part(made).numpy(), part.trained.numpy()
    means = [np.mean([table[row] for row in rows], axis=0) for rows in words]
    np.testing.assert_allclose(found[:, 0], [means[2], means[1]], rtol=1e-6)
    np.testing.assert_allclose(found[0, 1], means[0], rtol=1e-6)
    assert (found[1, 1] == 0).all()


def slow_convolution(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The answers of all filters [F] over a text [T, D] that lies in zeros, the largest of each."""
    size = weight.shape[2]
    around = np.concatenate([np.zeros((size - 1, x.shape[1])), x, np.zeros((size - 1, x.shape[1]))])
    best = np.zeros(len(weight))
    for start in range(len(x) + size - 1):
        for number, kernel in enumerate(weight):
            total = bias[number]
            for offset in range(size):
                for feature in range(x.shape[1]):
                    total += kernel[feature, offset] * around[start + offset, feature]
            best[number] = max(best[number], total)
    return best


@torch.no_grad()
def test_a_convolution_is_a_slow_loop() -> None:
    torch.manual_seed(6)
    config = ConvolutionClassifierConfig(embedding=3, filters=4, widths=("1", "2", "5"))
    encoder = ConvolutionEncoder(config)
    text = tokens([0] * 6, [0] * 2, [0], padding=9)
    mask = inside(text)
    x = torch.randn(6, 3, 3) * mask
    found = encoder(x, mask, text.lengths).numpy()
    for place, length in enumerate(text.lengths.tolist()):
        parts = [
            slow_convolution(x[:length, place].numpy(), c.weight.numpy(), c.bias.numpy()) for c in encoder.convolutions
        ]
        np.testing.assert_allclose(found[place], np.concatenate(parts), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pool", [1, 2, 3])
@torch.no_grad()
def test_the_answers_under_a_stacked_network_are_a_slow_loop(pool: int) -> None:
    torch.manual_seed(6)
    encoder = StackedEncoder(StackedClassifierConfig(embedding=3, filters=4, reach=3, pool=pool, hidden=2))
    text = tokens([0] * 7, [0] * 2, [0] * 4, padding=9)
    mask = inside(text)
    x = torch.randn(7, 3, 3) * mask
    y, steps, lengths = encoder._answers(x, mask, text.lengths)
    weight, bias = encoder.convolution.weight.numpy(), encoder.convolution.bias.numpy()
    for place, length in enumerate(text.lengths.tolist()):
        around = np.concatenate([np.zeros((1, 3)), x[:length, place].numpy(), np.zeros((1, 3))])
        each = [np.maximum(np.einsum("fdk,kd->f", weight, around[at : at + 3]) + bias, 0) for at in range(length)]
        wanted = np.array([np.max(each[at : at + pool], axis=0) for at in range(0, length, pool)])
        assert lengths[place] == len(wanted) == int(steps[:, place].sum())
        np.testing.assert_allclose(y[: len(wanted), place].numpy(), wanted, rtol=1e-5, atol=1e-6)
        assert (y[len(wanted) :, place] == 0).all()


@pytest.mark.parametrize("widths", [(), ("0",), ("3", "x"), ("101",), ("-1",), ("²",)])
def test_widths_that_are_none_are_refused(widths: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="widths must be whole numbers from 1 to 100"):
        ConvolutionClassifierConfig(widths=widths)


def test_a_pair_is_u_v_their_distance_and_their_product() -> None:
    torch.manual_seed(2)
    model = Classifier(ConvolutionClassifierConfig(vocabulary=5, embedding=3, filters=2, pairs=True, classes=3)).eval()
    first, second = tokens([0, 1], [2, 3], padding=5), tokens([4], [1], padding=5)
    with torch.no_grad():
        u, v = model.known(first).numpy(), model.known(second).numpy()
        wanted = np.concatenate([u, v, np.abs(u - v), u * v], axis=1) @ model.head.weight.numpy().T
        np.testing.assert_allclose(model(first, second).numpy(), wanted, rtol=1e-5, atol=1e-6)
