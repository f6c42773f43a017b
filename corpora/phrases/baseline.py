"""What copying scores on the phrase corpora: the translation of the training sentence most like the one asked for.

    python corpora/phrases/baseline.py           print the scores
    python corpora/phrases/baseline.py --write   and put them on the cards

The likeness is the cosine of the English sides as TF-IDF of words, marks and pairs of these (scikit-learn's,
sublinear), or, in the second row, the edit distance over words among the fifty nearest by that.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

if not __package__:  # run as a script: the folder is a package all the same
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = "phrases"

from .make import CORPORA, HOME, tokens, with_table

NEAREST = 50


def pairs_of(name: str, split: str, language: str) -> list[tuple[str, str]]:
    """The pairs of a committed split."""
    lines = (HOME / name / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["en"], row[language]) for row in map(json.loads, lines)]


def distance(one: list[str], two: list[str]) -> int:
    """Words to insert, delete or replace to make one of two."""
    row = list(range(len(two) + 1))
    for i, word in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(two, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def copies(train: list[tuple[str, str]], asked: list[str]) -> tuple[list[str], list[str]]:
    """The translations copied: by TF-IDF, and by edit distance."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(tokenizer=tokens, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True)
    known = vectors.fit_transform([english for english, _ in train])
    likeness = (vectors.transform(asked) @ known.T).toarray()
    by_words, by_edits = [], []
    for text, row in zip(asked, likeness, strict=True):
        order = (-row).argsort(kind="stable")[:NEAREST]
        by_words.append(train[order[0]][1])
        nearest = min(order, key=lambda at: distance(tokens(text), tokens(train[at][0])))
        by_edits.append(train[nearest][1])
    return by_words, by_edits


def scores(language: str) -> list[str]:
    """The table of a corpus."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    name = CORPORA[language]
    test = pairs_of(name, "test", language)
    wanted = [target for _, target in test]
    rows = ["| nearest by | BLEU | chrF | exact |", "| --- | ---: | ---: | ---: |"]
    both = copies(pairs_of(name, "train", language), [english for english, _ in test])
    for label, got in zip(("TF-IDF", "edit distance"), both, strict=True):
        bleu, chrf = BLEU().corpus_score(got, [wanted]).score, CHRF().corpus_score(got, [wanted]).score
        exact = sum(one == two for one, two in zip(got, wanted, strict=True)) / len(wanted)
        rows.append(f"| {label} | {bleu:.1f} | {chrf:.1f} | {exact:.1%} |")
    return rows


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the scores on the cards")
    options = parser.parse_args(arguments)
    for language, name in CORPORA.items():
        rows = scores(language)
        print("\n".join([name, *rows]))
        if options.write:
            card = HOME / name / "CARD.md"
            text = with_table(card.read_text(encoding="utf-8"), "baseline", rows)
            card.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
