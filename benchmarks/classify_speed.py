"""Speed of `classify`: training against a plain torch loop, predicting one text, both against fastText's classifier.

    python -m benchmarks.classify_speed [--data DIR --hidden 128 --steps 100 --rounds 3]

The plain loop has the same layers (embedding, two LSTMs that read from both ends, largest state, linear), the same
batches, already made, the same precision, threads and optimiser, and computes nothing that is not needed. fastText, if
it is installed (pip install fasttext-numpy2-wheel), is run with words and pairs of words, 100 dimensions, 5 epochs;
textdl's averaged embeddings with words alone stand beside it, and are not its equal in speed.

With --data, the share of padding on the reviews in DIR (train_pos.tsv.xz, train_neg.tsv.xz: id, rating, text) is told,
too; without it that of the built-in `reviews`.
"""

from __future__ import annotations

import argparse
import lzma
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import textdl
from textdl.config import replace
from textdl.labelled import open_labelled
from textdl.models.word_input import Tokens
from textdl.tasks.classify import Classification, ClassificationConfig
from textdl.tasks.classify_by_gradient import LearningClasses
from textdl.text.buckets import padding_share
from textdl.training.device import pick_precision
from textdl.training.trainer import Trainer

BATCH = 32
THIRTY = (
    "the film was not what we had hoped for but the acting of the young lead and the music made up for all of it in "
    "the very end"
)


class Peer(nn.Module):
    """The same model, written by hand."""

    def __init__(self, words: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words + 1, 100, padding_idx=words)
        self.forwards, self.backwards = nn.LSTM(100, hidden), nn.LSTM(100, hidden)
        self.output = nn.Linear(2 * hidden, 2)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        x = F.dropout(self.embedding(ids), 0.3, self.training)
        places = torch.arange(len(ids)).unsqueeze(1)
        order = torch.where(places < lengths, lengths - 1 - places, places).unsqueeze(-1)
        back = self.backwards(x.gather(0, order.expand_as(x)))[0]
        y = torch.cat([self.forwards(x)[0], back.gather(0, order.expand_as(back))], -1)
        y = y.masked_fill((places >= lengths).unsqueeze(-1), -torch.inf).amax(0)
        return self.output(F.dropout(y, 0.3, self.training))


def task_of(corpus: Any, **settings: Any) -> LearningClasses:
    config = replace(ClassificationConfig(), {"device": "cpu", "evaluations": 1, "batch_size": BATCH, **settings})
    torch.manual_seed(1)
    task = Classification.prepare(corpus, config, lambda event: None)
    assert isinstance(task, LearningClasses)
    return task


def ours(corpus: Any, hidden: int, steps: int, precision: str) -> float:
    """Texts a second of textdl's trainer."""
    task = task_of(corpus, hidden=hidden, steps=steps, precision=precision)
    task.metrics = lambda model, at_most: {}  # type: ignore[method-assign]  # the peer evaluates nothing
    task.settle = lambda model: None  # type: ignore[method-assign]
    report = Trainer(task.config.train).fit(task)
    return report.units / report.seconds


def theirs(corpus: Any, hidden: int, steps: int, precision: torch.dtype) -> float:
    """Texts a second of the plain loop."""
    task = task_of(corpus, hidden=hidden)
    batches: list[Any] = []
    while len(batches) < steps:
        batches += list(task.batches("train", len(batches), 0))[: steps - len(batches)]
    model = Peer(task.reader.rows, hidden)
    optimizer = torch.optim.AdamW(model.parameters(), 0.002, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    start, texts = time.perf_counter(), 0
    for first, _, truth in batches:
        tokens = Tokens(*first)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            logits = model(tokens.ids, tokens.lengths)
        F.cross_entropy(logits.float(), truth).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        texts += len(truth)
    return texts / (time.perf_counter() - start)


def one_text(folder: Path) -> None:
    """How long one text of 30 words takes, warm."""
    for both in (False, True):
        run = textdl.train(
            "classify", "reviews", out=folder / f"one-{both}", hidden=256, bidirectional=both, steps=5, progress=False
        )
        times = []
        for _ in range(300):
            start = time.perf_counter()
            run.predict([THIRTY])
            times.append(time.perf_counter() - start)
        middle = statistics.median(times[50:]) * 1e3
        how = "from both ends" if both else "in one direction"
        print(f"one text of {len(THIRTY.split())} words, LSTM-256 {how}: {middle:.2f} ms (asked: 2 ms)")


def against_fasttext(folder: Path) -> None:
    """Both classifiers of averaged embeddings on `reviews`: texts a second in training and predicting, and accuracy."""
    corpus = open_labelled("reviews")
    train, held_out = (list(corpus.examples(split)) for split in ("train", "validation"))
    run = textdl.train("classify", "reviews", out=folder / "bag", model="bag", epochs=5.0, progress=False)
    seconds = run.report["seconds"]
    texts = [example.text for example in held_out]
    run.predict(texts)
    start = time.perf_counter()
    said = run.predict(texts)
    predicting = len(texts) / (time.perf_counter() - start)
    right = statistics.mean(s == e.labels[0] for s, e in zip(said, held_out, strict=True))
    told("textdl bag", 5 * len(train) / seconds, predicting, right)
    try:
        import fasttext
    except ImportError:
        print("fastText is not installed (pip install fasttext-numpy2-wheel): left out")
        return
    file = folder / "fasttext.txt"
    file.write_text("".join(f"__label__{e.labels[0]} {' '.join(e.text.lower().split())}\n" for e in train))
    start = time.perf_counter()
    model = fasttext.train_supervised(
        str(file), dim=100, epoch=5, wordNgrams=2, thread=torch.get_num_threads(), verbose=0
    )
    seconds = time.perf_counter() - start
    lines = [" ".join(text.lower().split()) for text in texts]
    start = time.perf_counter()
    labels = model.predict(lines)[0]
    predicting = len(texts) / (time.perf_counter() - start)
    right = statistics.mean(s[0] == f"__label__{e.labels[0]}" for s, e in zip(labels, held_out, strict=True))
    told("fastText", 5 * len(train) / seconds, predicting, right)


def told(name: str, training: float, predicting: float, right: float) -> None:
    """A line of a side."""
    print(f"{name:<11} training {training:9,.0f} texts/s  predicting {predicting:9,.0f}  right {right:.1%}")


def reviews_of(data: Path) -> list[dict[str, str]]:
    """The texts of two files with their labels."""
    rows = []
    for label in ("pos", "neg"):
        with lzma.open(data / f"train_{label}.tsv.xz", "rt", encoding="utf-8") as file:
            rows += [{"text": line.rstrip("\n").split("\t")[-1], "label": label} for line in list(file)[1:]]
    return rows


def padding(corpus: Any, name: str) -> None:
    """How much of what is computed is padding, over three passes."""
    task = task_of(corpus)
    shares = [padding_share(task._train.lengths, task._order(epoch)) for epoch in range(3)]
    print(f"padding on {name}: {statistics.mean(shares):.1%} of the computed places (asked: at most 5 %)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.data is not None and not (options.data / "train_pos.tsv.xz").is_file():
        sys.exit(f"--data: {options.data} holds no train_pos.tsv.xz and train_neg.tsv.xz")
    default = pick_precision("auto", torch.device("cpu"))
    print(f"threads {torch.get_num_threads()}, default precision {default}, batch {BATCH}")
    for hidden in options.hidden:
        for precision in dict.fromkeys((torch.float32, default)):
            name = str(precision).removeprefix("torch.")
            ours("reviews", hidden, 5, name), theirs("reviews", hidden, 5, precision)
            pairs = [
                (ours("reviews", hidden, options.steps, name), theirs("reviews", hidden, options.steps, precision))
                for _ in range(options.rounds)
            ]
            a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(x / y for x, y in pairs)
            print(
                f"training, LSTM-{hidden} {name:<9} textdl {a:7,.0f} texts/s  plain torch {b:7,.0f}"
                f"  ratio {ratio:.3f} (asked: 0.95)"
            )
    with tempfile.TemporaryDirectory() as folder:
        one_text(Path(folder))
        against_fasttext(Path(folder))
    padding("reviews", "reviews") if options.data is None else padding(
        reviews_of(options.data), "the reviews of --data"
    )


if __name__ == "__main__":
    main()
