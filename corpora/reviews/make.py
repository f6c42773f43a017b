"""Make the corpus "reviews" from its template families, and check them.

    python corpora/reviews/make.py                write the data files and the card's figures
    python corpora/reviews/make.py --check        hold the reviews to the rules of the card
    python corpora/reviews/make.py --show NAME    print some reviews of a family
    python corpora/reviews/make.py --stats        print the figures of the card

How a family is written stands in ``draw.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

if not __package__:  # run as a script: the folder is a package all the same
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = "reviews"

from .draw import Draw
from .family import Family, Words, read_all_words, read_families

HERE = Path(__file__).resolve().parent
SPLITS = ("train", "validation", "test", "challenge")
# Changing the salt moves families between the splits; it stays as it is once a model was trained on them.
SALT = "reviews"
PAIRS = 10  # drawn from a family, two reviews each
CHALLENGE_PAIRS = 8
TRIES = 400
LONGEST = 60  # words
SHORTEST = 5

#: A review as it stands in a file.
Review = dict[str, str]


def all_families() -> list[Family]:
    """The families of the corpus, by name."""
    paths = sorted((HERE / "families").glob("*.txt"))
    return sorted((family for path in paths for family in read_families(path)), key=lambda family: family.name)


def split_of(family: Family) -> str:
    """The split of a family, by a hash of its name: it stays when families are added."""
    if family.challenge:
        return "challenge"
    digest = hashlib.sha256(f"{SALT}/{family.name}".encode()).digest()
    part = int.from_bytes(digest[:4], "big") / 2**32
    return "test" if part < 0.15 else "validation" if part < 0.3 else "train"


def tokens(text: str) -> list[str]:
    """Words and marks, as the rules of this corpus count them."""
    return re.findall(r"\w+(?:['-]\w+)*|[^\w\s]", text)


def neighbours(text: str) -> Counter[tuple[str, str]]:
    """How often each two tokens stand side by side; the ends of the text count as tokens.

    Words are joined once with the marks and the words of one letter between them, and once without these, as
    scikit-learn's vectorisers do.
    """
    count: Counter[tuple[str, str]] = Counter()
    for words in (["", *tokens(text), ""], ["", *re.findall(r"\w\w+", text), ""]):
        count.update(pairwise(words))
    return count


def reviews_of(family: Family, words: dict[str, Words], pairs: int, seen: set[str]) -> list[Review]:
    """Pairs of reviews, positive and negative, none of which is in ``seen``, which grows by them."""
    reviews: list[Review] = []
    for number in range(TRIES):
        domain = family.domains[len(reviews) // 2 % len(family.domains)]
        draw = Draw(family, words[domain], Random(f"{SALT}/{family.name}/{number}"))
        texts = [draw.text(True), draw.text(False)]
        keys = {text.lower() for text in texts}
        fits = all(SHORTEST <= len(text.split()) <= LONGEST for text in texts)
        if family.challenge:  # "a joy" against "an ordeal" would give the pair away
            fits = fits and neighbours(texts[0]) == neighbours(texts[1])
        if len(keys) == 2 and fits and not keys & seen:
            seen |= keys
            for text, label in zip(texts, ("positive", "negative"), strict=True):
                about = {"domain": domain, "family": family.name, "kind": family.kind}
                reviews.append({"text": text, "label": label, **about})
        if len(reviews) == 2 * pairs:
            break
    return reviews


def make_splits() -> dict[str, list[Review]]:
    """All reviews, mixed within each split; those of the challenge set stay in their pairs."""
    splits: dict[str, list[Review]] = {name: [] for name in SPLITS}
    words = read_all_words(HERE / "words")
    seen: set[str] = set()
    for family in all_families():
        pairs = CHALLENGE_PAIRS if family.challenge else PAIRS
        splits[split_of(family)] += reviews_of(family, words, pairs, seen)
    for name in ("train", "validation", "test"):
        Random(f"{SALT}/{name}").shuffle(splits[name])
    return splits


def size_table(splits: dict[str, list[Review]]) -> list[str]:
    """Sizes and balance, a row a split."""
    rows = ["| split | families | reviews | positive | words a review | bytes of text |"]
    rows += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, reviews in [*splits.items(), ("all", [review for some in splits.values() for review in some])]:
        families = len({review["family"] for review in reviews})
        positive = sum(review["label"] == "positive" for review in reviews) / len(reviews)
        length = sum(len(review["text"].split()) for review in reviews) / len(reviews)
        size = sum(len(review["text"].encode()) for review in reviews)
        rows.append(f"| {name} | {families} | {len(reviews):,} | {positive:.1%} | {length:.1f} | {size:,} |")
    return rows


def kind_table(splits: dict[str, list[Review]]) -> list[str]:
    """Families of each kind, a column a split."""
    count = Counter((family.kind, split_of(family)) for family in all_families())
    rows = ["| kind | " + " | ".join(SPLITS) + " |", "| --- |" + " ---: |" * len(SPLITS)]
    kinds = sorted({kind for kind, _ in count})
    return rows + [f"| {kind} | " + " | ".join(str(count[kind, name]) for name in SPLITS) + " |" for kind in kinds]


def unseen_table(splits: dict[str, list[Review]]) -> list[str]:
    """The share of the words of a split that training has not."""
    known = {word for review in splits["train"] for word in tokens(review["text"].lower())}
    rows = ["| split | words unseen in training | share of its words |", "| --- | ---: | ---: |"]
    for name in SPLITS[1:]:
        words = [word for review in splits[name] for word in tokens(review["text"].lower())]
        unseen = [word for word in words if word not in known]
        rows.append(f"| {name} | {len(set(unseen))} | {len(unseen) / len(words):.2%} |")
    return rows


TABLES = {"sizes": size_table, "kinds": kind_table, "unseen": unseen_table}


def make_card(splits: dict[str, list[Review]]) -> str:
    """The card with fresh figures."""
    card = (HERE / "CARD.md").read_text(encoding="utf-8")
    for name, table in TABLES.items():
        opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, after = card.split(opening)[0], card.split(closing)[1]
        card = "\n".join([before + opening, "", *table(splits), "", closing + after])
    return card


def make(out: Path) -> int:
    """Write the data files and the card."""
    splits = make_splits()
    card = make_card(splits)
    out.mkdir(parents=True, exist_ok=True)
    for name, reviews in splits.items():
        lines = "".join(json.dumps(review, ensure_ascii=False) + "\n" for review in reviews)
        (out / f"{name}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    (out / "CARD.md").write_text(card, encoding="utf-8", newline="\n")
    return 0


def problems(splits: dict[str, list[Review]]) -> list[str]:
    """What breaks a rule of the card."""
    families = all_families()
    found = [f"{name}: two families have this name" for name, n in Counter(f.name for f in families).items() if n > 1]
    skeletons = Counter((family.text, family.side) for family in families)
    found += [f"{text}: two families have this skeleton" for (text, _), n in skeletons.items() if n > 1]
    drawn = Counter(review["family"] for reviews in splits.values() for review in reviews)
    for family in families:
        wanted = 2 * (CHALLENGE_PAIRS if family.challenge else PAIRS)
        if drawn[family.name] < wanted:
            found.append(f"{family.name}: {drawn[family.name]} reviews of {wanted}")
    challenge = splits["challenge"]
    for one, two in zip(challenge[::2], challenge[1::2], strict=True):
        if neighbours(one["text"]) != neighbours(two["text"]):
            found.append(f"{one['family']}: not the same neighbours: {one['text']} | {two['text']}")
    return found


def show(name: str, count: int) -> int:
    """Print some reviews of a family."""
    families = [family for family in all_families() if family.name == name]
    if not families:
        print(f"there is no family '{name}'", file=sys.stderr)
        return 1
    for review in reviews_of(families[0], read_all_words(HERE / "words"), count, set()):
        print(f"{review['label']}  {review['text']}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="hold the reviews to the rules")
    parser.add_argument("--show", metavar="NAME", help="print some reviews of a family")
    parser.add_argument("--count", type=int, default=3, help="how many pairs --show prints")
    parser.add_argument("--stats", action="store_true", help="print the figures of the card")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="where to write (here, unless told)")
    options = parser.parse_args(arguments)
    if options.check:
        found = problems(make_splits())
        print("\n".join([*found, f"{len(all_families())} families, {len(found)} problems"]))
        return 1 if found else 0
    if options.show:
        return show(options.show, options.count)
    if options.stats:
        splits = make_splits()
        print("\n\n".join("\n".join(table(splits)) for table in TABLES.values()))
        return 0
    return make(options.out)


if __name__ == "__main__":
    sys.exit(main())
