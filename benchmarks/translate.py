"""How good the translators are: BLEU on held-out pairs, after so many minutes of training.

    python -m benchmarks.translate [--data DIR] [--parts phrases manythings multi30k] [--minutes N]
                                   [--epochs N] [--models lstm transformer] [--seed 1]

`phrases`: the built-in phrases-en-es, 3 minutes; the test pairs hold combinations of construction and words that
training has not. `manythings`: DIR/manythings/spa-eng.zip as it lies there, English to Spanish, split by the English
side, 20 minutes. `multi30k`: DIR/multi30k, English to German, test2016, raw text, 60 minutes for each model. BLEU is
sacrebleu's (13a, mixed case), with a beam of 5. Parts that need DIR are left out without it.

--minutes is for each training in place of these; so is --epochs, for a machine that has other work beside. The settings
of phrases are the defaults; the others were chosen on validation splits.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import textdl


class Part(NamedTuple):
    """What is trained, how long, with which models."""

    corpus: str
    minutes: float
    common: dict[str, Any]
    models: dict[str, dict[str, Any]]
    asked: str


PARTS = {
    "phrases": Part(
        "phrases-en-es",
        3.0,
        {},
        {"lstm": {}},
        "BLEU 90, exact match 80 %",
    ),
    "manythings": Part(
        "manythings/spa-eng.zip",
        20.0,
        {"vocabulary": 5000},
        {"lstm": {"model": "lstm", "hidden": 384, "dropout": 0.2, "batch_size": 1000}},
        "BLEU 35",
    ),
    "multi30k": Part(
        "multi30k",
        60.0,
        {"source": "en", "target": "de", "vocabulary": 8000},
        {
            "lstm": {"model": "lstm", "hidden": 512, "dropout": 0.4, "batch_size": 1000},
            "transformer": {"model": "transformer", "dropout": 0.3, "lr": 0.001, "batch_size": 1000},
        },
        "an RNN 36, the best 39 (with a GPU)",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--models", nargs="+", choices=("lstm", "transformer"), default=["lstm", "transformer"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.parts:
        part = PARTS[name]
        if name != "phrases" and options.data is None:
            print(f"{name}: left out; it needs --data DIR")
            continue
        corpus = part.corpus if name == "phrases" else str(options.data / part.corpus)
        if name != "phrases" and not Path(corpus).exists():
            sys.exit(f"--data: {corpus} is not there")
        long = {"minutes": options.minutes or part.minutes} if options.epochs is None else {"epochs": options.epochs}
        for model in (one for one in options.models if one in part.models):
            settings = part.models[model]
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                run = textdl.train(
                    "translate",
                    corpus,
                    out=Path(folder) / "run",
                    seed=options.seed,
                    progress=False,
                    **{**part.common, **settings, **long},
                )
                seconds = time.perf_counter() - start
                figures = run.evaluate(split="test")
                told = f"BLEU {figures['bleu']:.2f}  chrF {figures['chrf']:.2f}  exact {figures['exact_match']:.1%}"
                report = run.report
                print(
                    f"{name}  {model:<12} {told}  perplexity {figures['perplexity']:.2f}  "
                    f"({figures['pairs']:,} pairs; {report['epochs']:.1f} epochs, {seconds:.0f} s in all)",
                    flush=True,
                )
                print(f"{name}  asked: {part.asked}  [{figures['bleu_signature']}]", flush=True)


if __name__ == "__main__":
    main()
