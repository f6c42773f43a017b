"""Nearest words and analogies against the plain numpy way and gensim, on vectors made at random.

    python -m benchmarks.nearest [--words 400000 --dim 100 --rounds 5 --queries 20 --questions 0]

Sides take turns; of each the median over all rounds is given in milliseconds a query, and the best round, which other
work on the machine disturbs least; ratios are medians over the rounds. The plain way has unit rows ready, multiplies
and sorts by argpartition; gensim is KeyedVectors.most_similar. All three must name the same words.
``mapped`` is ours over a safetensors file that is mapped into memory.
With --questions N analogies are answered too: N by textdl, the first 100 of them by gensim.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from textdl.vectors.evaluate import evaluate_analogies
from textdl.vectors.formats import load_vectors
from textdl.vectors.word_vectors import WordVectors

COUNT, ASKED_OF_GENSIM, MOST = 10, 100, 15.0  # MOST: milliseconds that a query over 400,000 words may take


def milliseconds(ask: Callable[[list[str]], object], words: list[str]) -> float:
    start = time.perf_counter()
    ask(words)
    return (time.perf_counter() - start) / len(words) * 1e3


def nearest(options: argparse.Namespace, vectors: WordVectors, mapped: WordVectors, keyed: KeyedVectors) -> None:
    units = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)

    def plainly(word: str) -> list[str]:
        scores = units @ units[vectors.place(word)]
        places = np.argpartition(-scores, COUNT + 1)[: COUNT + 1]
        places = places[np.argsort(-scores[places])]
        return [vectors.words[place] for place in places.tolist() if vectors.words[place] != word][:COUNT]

    sides: dict[str, Callable[[list[str]], list[list[str]]]] = {
        "textdl": lambda words: [[w for w, _ in vectors.nearest(word, COUNT)] for word in words],
        "textdl, mapped": lambda words: [[w for w, _ in mapped.nearest(word, COUNT)] for word in words],
        "textdl, many at once": lambda words: [[w for w, _ in f] for f in vectors.nearest_many(words, COUNT)],
        "plain numpy": lambda words: [plainly(word) for word in words],
        "gensim": lambda words: [[w for w, _ in keyed.most_similar(word, topn=COUNT)] for word in words],
    }
    first = list(vectors.words[:3])
    answers = [ask(first) for ask in sides.values()]  # this also works out the lengths, once and for all
    assert all(answer == answers[0] for answer in answers), "the sides name different words"
    times: dict[str, list[float]] = {name: [] for name in sides}
    generator = np.random.default_rng(1)
    for _ in range(options.rounds):
        words = [vectors.words[n] for n in generator.choice(len(vectors), options.queries, replace=False)]
        for name, ask in sides.items():
            times[name].append(milliseconds(ask, words))
    for name, found in times.items():
        ratios = [one / other for one, other in zip(found, times["textdl"], strict=True)]
        typical, best = statistics.median(found), min(found)
        print(f"{name:<22}{typical:8.2f} ms (best {best:.2f})  {statistics.median(ratios):5.2f} times textdl's")
    ours = times["textdl"]
    print(f"a query takes {statistics.median(ours):.2f} ms, at best {min(ours):.2f}; ", end="")
    print(f"at most {MOST:.0f} is asked of 400,000 words")


def analogies(options: argparse.Namespace, vectors: WordVectors, keyed: KeyedVectors) -> None:
    size = min(100_000, len(vectors))
    asked = np.random.default_rng(2).choice(min(905, size), (options.questions, 4))  # as many words as Google's have
    questions = [(*(vectors.words[place] for place in row),) for row in asked.tolist()]
    start = time.perf_counter()
    evaluate_analogies(vectors, {"random": questions}, most=size)
    ours = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "questions.txt"
        path.write_text(": random\n" + "\n".join(" ".join(q) for q in questions[:ASKED_OF_GENSIM]))
        start = time.perf_counter()
        keyed.evaluate_word_analogies(str(path), restrict_vocab=size)
        theirs = time.perf_counter() - start
    print(f"{options.questions:,} analogies over {size:,} words: {ours:.1f} s; ", end="")
    print(f"gensim: {theirs:.1f} s for {min(ASKED_OF_GENSIM, options.questions)} of them")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=20, help="of a side in a round")
    parser.add_argument("--questions", type=int, default=0, help="analogies; Google's are 19,544")
    options = parser.parse_args()
    matrix = np.random.default_rng(0).standard_normal((options.words, options.dim)).astype(np.float32)
    vectors = WordVectors([f"w{n}" for n in range(options.words)], matrix)
    keyed = vectors.to_gensim()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "vectors.safetensors"
        vectors.save(path)
        nearest(options, vectors, load_vectors(path), keyed)
    if options.questions:
        analogies(options, vectors, keyed)


if __name__ == "__main__":
    main()
