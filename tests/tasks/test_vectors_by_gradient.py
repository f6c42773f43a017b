"""word2vec by the trainer: what is drawn, gathered and learned, against slow and obvious ways."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import textdl
from textdl.config import replace
from textdl.models.vectors import VectorsConfig, WordContexts
from textdl.tasks.vectors import TrainingVectors, WordVectorsConfig
from textdl.tasks.vectors_by_gradient import AliasTable, WordContextsTask, windows
from textdl.training.processes import Shard
from textdl.vectors.word2vec import kept_shares

TEXTS = ["the cat sat on the mat with a dog", "a dog ran to the cat", "the mat and the dog sat"] * 20


def prepared(shard: Shard = Shard(), **settings: object) -> WordContextsTask:
    given = {"engine": "torch", "least_count": 1, "dim": 4, "window": 2, "batch_size": 50, "device": "cpu", **settings}
    task = TrainingVectors.prepare(TEXTS, replace(WordVectorsConfig(), given), lambda event: None, shard)
    assert isinstance(task, WordContextsTask)
    return task


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def slow_pairs(sentences: list[int], reach: list[int]) -> list[tuple[int, int]]:
    """(place, neighbour's place) of all words."""
    size = range(len(sentences))
    return [(i, j) for i in size for j in size if i != j and abs(i - j) <= reach[i] and sentences[i] == sentences[j]]


def test_windows_against_loops() -> None:
    random = np.random.default_rng(1)
    words = random.integers(0, 9, 40)
    sentences, reach = np.sort(random.integers(0, 6, 40)), random.integers(1, 4, 40)
    found, there = windows(*(torch.from_numpy(part) for part in (words, sentences, reach)), 3)
    pairs = slow_pairs(sentences.tolist(), reach.tolist())
    assert len(pairs) > 60
    for place in range(40):
        assert found[place][there[place]].tolist() == [words[j] for i, j in pairs if i == place]


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
def test_loss_and_gradient_against_the_formulas(method: str) -> None:
    task = prepared(method=method)
    torch.manual_seed(3)
    for parameter in task.model.parameters():
        torch.nn.init.normal_(parameter)
    words, sentences = torch.tensor([3, 1, 4, 0, 2]), torch.tensor([0, 0, 0, 1, 1])
    reach, noise = torch.tensor([1, 2, 1, 1, 2]), torch.tensor([[2, 3], [1, 0], [2, 2], [4, 1], [3, 0]])
    loss = task.loss(task.model, (words, sentences, reach, noise), None)
    loss.mean.backward()

    model = task.model
    assert isinstance(model, WordContexts)
    x, y = model.vectors.detach().double().numpy(), model.contexts.detach().double().numpy()
    gradient_x, gradient_y, total, terms = np.zeros_like(x), np.zeros_like(y), 0.0, 0
    pairs = slow_pairs(sentences.tolist(), reach.tolist())
    for place in range(5):
        around = [int(words[j]) for i, j in pairs if i == place]
        groups = [[word] for word in around] if method == "skipgram" else [around]
        for group in groups:
            mean = x[group].mean(0)
            terms += 1
            own = int(words[place])
            for other, sign in [(own, 1), *((n, -1) for n in noise[place].tolist() if n != own)]:
                score = sign * float(mean @ y[other])
                total += math.log1p(math.exp(-score))
                slope = -sign * sigmoid(-score)
                gradient_y[other] += slope * mean
                for word in group:
                    gradient_x[word] += slope * y[other] / len(group)
    assert float(loss.mean.detach()) == pytest.approx(total / terms, rel=1e-5)
    assert loss.units == 5
    assert model.vectors.grad is not None
    assert model.contexts.grad is not None
    assert np.allclose(model.vectors.grad.numpy(), gradient_x / terms, atol=1e-5)
    assert np.allclose(model.contexts.grad.numpy(), gradient_y / terms, atol=1e-5)


def test_alias_table_draws_by_weight() -> None:
    weights = np.array([5.0, 0.0, 1.0, 3.0, 1.0])
    drawn = AliasTable(weights).draw(np.random.default_rng(1), (200, 500)).ravel()
    assert np.bincount(drawn, minlength=5) / len(drawn) == pytest.approx(weights / 10, abs=0.005)
    assert set(AliasTable(np.ones(1)).draw(np.random.default_rng(1), (9,))) == {0}


def test_kept_shares_by_hand() -> None:
    counts = np.array([900, 99, 1])
    assert kept_shares(counts, 0).tolist() == [1, 1, 1]
    kept = kept_shares(counts, 0.01)  # shares of the text 0.9, 0.099, 0.001: 90, 9.9, 0.1 times the sample
    assert kept == pytest.approx([(math.sqrt(90) + 1) / 90, (math.sqrt(9.9) + 1) / 9.9, 1.0], rel=1e-6)


def test_frequent_words_are_thinned_out_and_windows_drawn_evenly() -> None:
    task = prepared(sample=0.01, batch_size=10_000)
    counts = np.zeros(len(task.vocabulary))
    reaches: list[int] = []
    for epoch in range(40):
        for words, _, reach, _ in task.batches("train", epoch):
            counts += np.bincount(words.numpy(), minlength=len(counts))
            reaches += reach.tolist()
    expected = 40 * task.vocabulary.counts * kept_shares(task.vocabulary.counts, 0.01)
    assert counts == pytest.approx(expected, rel=0.2)
    assert np.bincount(reaches)[1:] / len(reaches) == pytest.approx([0.5, 0.5], abs=0.03)


def test_several_processes_share_each_batch() -> None:
    whole = list(prepared(batch_size=100).batches("train", 2))
    parts = [list(prepared(Shard(rank, 2), batch_size=50).batches("train", 2)) for rank in (0, 1)]
    assert len(whole) == len(parts[0]) == len(parts[1]) > 3
    for one, *two in zip(whole, *parts, strict=True):
        joined = [torch.cat(both) for both in zip(*two, strict=True)]
        assert all(map(torch.equal, one, joined))


def test_two_topics_are_told_apart(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    topics = [[f"{letter}{n}" for n in range(8)] for letter in "ab"]
    texts = [" ".join(random.choice(topics[n % 2], 9)) for n in range(600)]
    for method in ("skipgram", "cbow"):
        run = textdl.train(
            "vectors", texts, out=tmp_path / method, method=method, engine="torch", device="cpu", dim=8, least_count=1,
            batch_size=500, lr=0.02, epochs=8, sample=0, progress=False,
        )  # fmt: skip
        for word in run.vectors.words:
            assert {found[0] for found, _ in run.nearest(word, 7)} == {word[0]}


def test_a_held_out_part_is_measured_the_same_each_time() -> None:
    task = prepared(validation=0.3, batch_size=10_000)
    assert task.metrics(task.model, None) == task.metrics(task.model, None)
    apart = [  # contexts begin as zeros, so that each sample is as likely as not
        1 + int((noise[place] != words[place]).sum())
        for words, sentences, reach, noise in task.batches("validation", 0)
        for place, _ in slow_pairs(sentences.tolist(), reach.tolist())
    ]
    assert task.metrics(task.model, None)["validation_loss"] == pytest.approx(math.log(2) * np.mean(apart), rel=1e-5)
    assert prepared().metrics(task.model, None) == {}


def test_phrases_are_joined_in_what_is_held_out_too() -> None:
    random = np.random.default_rng(1)
    some = [f"w{number}" for number in range(20)]
    texts = [" ".join([*random.choice(some, 4), "new york", *random.choice(some, 4)]) for _ in range(400)]
    given = {"engine": "torch", "device": "cpu", "phrases": 1, "phrase_score": 3.0, "validation": 0.3}
    task = TrainingVectors.prepare(texts, replace(WordVectorsConfig(), given), lambda event: None)
    assert isinstance(task, WordContextsTask)
    assert "york" not in task.vocabulary
    phrase = task.vocabulary.id("new_york")
    sentences = [np.asarray(ids) for ids in (task._ids, task._held)]
    assert [(ids == phrase).sum() for ids in sentences] == [(ids < 0).sum() for ids in sentences]
    assert (sentences[1] == phrase).sum() > 50


def test_model_shapes() -> None:
    model = WordContexts(VectorsConfig(vocabulary=9, dim=3, method="cbow"))
    words, there = torch.zeros(4, dtype=torch.long), torch.ones(4, 6, dtype=torch.bool)
    neighbours, noise = torch.zeros(4, 6, dtype=torch.long), torch.zeros(4, 2, dtype=torch.long)
    assert model(words, neighbours, there, noise).shape == (4, 1, 3)
    assert WordContexts(VectorsConfig(vocabulary=9, dim=3))(words, neighbours, there, noise).shape == (4, 6, 3)


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
def test_the_validation_loss_is_the_mean_over_all_pairs(method: str) -> None:
    """Sentences of unlike length: pieces of as many words do not hold as many pairs."""
    random = np.random.default_rng(4)
    texts = [" ".join(random.choice(list("abcdefghijkl"), size)) for size in [2, 3, 4, 20, 2, 3] * 20]
    given = {"engine": "torch", "least_count": 1, "dim": 4, "device": "cpu", "sample": 0, "validation": 0.4}
    config = replace(WordVectorsConfig(), {**given, "method": method, "batch_size": 13})
    task = TrainingVectors.prepare(texts, config, lambda event: None)
    assert isinstance(task, WordContextsTask)
    torch.manual_seed(1)
    for parameter in task.model.parameters():
        torch.nn.init.normal_(parameter)
    assert isinstance(task.model, WordContexts)
    x, y = (table.detach().double().numpy() for table in (task.model.vectors, task.model.contexts))
    losses: list[float] = []
    by_words: list[float] = []
    for words, sentences, reach, noise in task.batches("validation", 0):
        pairs, before = slow_pairs(sentences.tolist(), reach.tolist()), len(losses)
        for place in range(len(words)):
            around = [int(words[j]) for i, j in pairs if i == place]
            for group in [[word] for word in around] if method == "skipgram" else [around] if around else []:
                mean, own = x[group].mean(0), int(words[place])
                signed = [(own, 1), *((n, -1) for n in noise[place].tolist() if n != own)]
                losses.append(sum(math.log1p(math.exp(-sign * float(mean @ y[other]))) for other, sign in signed))
        by_words += [float(np.mean(losses[before:]))] * len(words) if len(losses) > before else [0.0] * len(words)
    found = task.metrics(task.model, None)["validation_loss"]
    assert found == pytest.approx(np.mean(losses), rel=1e-5)
    assert abs(np.mean(by_words) - np.mean(losses)) > 1e-3, "the two means differ here"
