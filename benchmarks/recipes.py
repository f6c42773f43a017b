"""How good are the recipes that a run writes? Judged, not admired.

    python -m benchmarks.recipes runs/demo [--count 50 --temperature 0.7 --show 2]

Scores well-formedness (title, servings, ingredients with amounts, numbered steps) and consistency (the steps use what
is listed, and nothing else), and counts what is copied: whole recipes that stand in the training text, and the share of
40-character spans that do, beside the same share of held-out recipes.
"""

from __future__ import annotations

import argparse
import collections
import json
from pathlib import Path

from textdl_corpora.recipes.judge import CopyIndex, Judge

import textdl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="print so many of the recipes, with their problems")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    run, corpus, judge = textdl.load(options.run), textdl.open_corpus("recipes"), Judge.load()
    texts = run.generate(count=options.count, temperature=options.temperature, seed=options.seed, length=4000)
    verdicts = [judge(text) for text in texts]
    index = CopyIndex(list(corpus.split("train")), 40)
    training_text = "\n\n".join(corpus.split("train"))
    held_out = list(corpus.split("test"))[: options.count]
    figures = {
        "recipes": len(texts),
        "well_formed": sum(v.well_formed for v in verdicts) / len(texts),
        "consistent": sum(v.consistent for v in verdicts) / len(texts),
        "whole_recipes_copied": sum(text.strip() in training_text for text in texts),
        "copied_spans": sum(map(index.share, texts)) / len(texts),
        "copied_spans_of_held_out": sum(map(index.share, held_out)) / len(held_out),
        "distinct_titles": len({text.split("\n")[0] for text in texts}),
    }
    for text, verdict in list(zip(texts, verdicts, strict=True))[: options.show]:
        print(text, "\n  ->", "; ".join(verdict.problems) or "no problem", "\n" + "-" * 60)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(
            f"{name.replace('_', ' '):<26} {value:.1%}"
            if isinstance(value, float)
            else f"{name.replace('_', ' '):<26} {value}"
        )
    kinds = collections.Counter(p.split("'")[0] for v in verdicts for p in v.problems)
    print("problems:", dict(kinds.most_common(6)))


if __name__ == "__main__":
    main()
