"""The figures of the card: sizes, and how varied the text is."""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .expand import Recipe
from .judge import Lexicon

BESIDE_NAME = "a public collection of 73,322 recipes scraped from cooking sites (dpapathanasiou/recipes on GitHub)"


@dataclass(frozen=True)
class Variety:
    """How varied some recipes are."""

    recipes: int
    size: int  # bytes of text
    sentences: int
    skeletons: int
    gzip_ratio: float  # how many times smaller gzip -9 makes the text
    xz_ratio: float

    def row(self, name: str) -> str:
        """A row of the card's table."""
        return (
            f"| {name} | {self.recipes:,} | {self.size / 1e6:.2f} MB "
            f"| {self.sentences:,} | {self.skeletons:,} "
            f"| {self.gzip_ratio:.1f} | {self.xz_ratio:.0f} |"
        )


def variety(texts: list[str], steps: Iterable[str], lexicon: Lexicon) -> Variety:
    """The figures for some recipes: their whole texts, and their steps."""
    sentences = [sentence for step in steps for sentence in _sentences(step)]
    data = "\n\n\n".join(texts).encode()
    skeletons = {lexicon.skeleton(sentence) for sentence in sentences}
    return Variety(
        len(texts),
        sum(len(text.encode()) for text in texts),
        len(sentences),
        len(skeletons),
        len(data) / len(gzip.compress(data, 9)),
        len(data) / len(lzma.compress(data)),
    )


def _sentences(step: str) -> Iterator[str]:
    for sentence in re.split(r"(?<=[.!?])\s+", re.sub(r"^\d+\. ", "", step.strip())):
        if re.search(r"[^\W\d_]", sentence):
            yield sentence


def of_recipes(recipes: list[Recipe], lexicon: Lexicon) -> Variety:
    """The figures for our recipes."""
    return variety(
        [recipe.text() for recipe in recipes], (step for recipe in recipes for step in recipe.steps), lexicon
    )


def of_file(path: Path, size: int, lexicon: Lexicon) -> Variety:
    """The figures for the recipes at the start of a file of JSON lines, `size` bytes of their text."""
    texts: list[str] = []
    steps: list[str] = []
    total = 0
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            data = json.loads(line)
            parts = [
                data["title"] or "",
                "\n".join(data["ingredients"] or []),
                "\n".join(data["directions"] or []),
            ]
            texts.append("\n\n".join(parts))
            steps += data["directions"] or []
            total += len(texts[-1].encode())
            if total >= size:
                break
    return variety(texts, steps, lexicon)


def size_table(splits: dict[str, list[Recipe]]) -> list[str]:
    """The sizes of the splits, as rows of the card."""
    rows = ["| split | families | recipes | bytes of text |", "| --- | ---: | ---: | ---: |"]
    everything = [recipe for recipes in splits.values() for recipe in recipes]
    for name, recipes in [*splits.items(), ("all", everything)]:
        families = len({recipe.family for recipe in recipes})
        size = sum(len(recipe.text().encode()) for recipe in recipes)
        rows.append(f"| {name} | {families} | {len(recipes):,} | {size:,} |")
    return rows


HEADER = [
    "| | recipes | text | sentences of steps | skeletons | gzip -9 | xz |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
]


def replace_block(card: str, name: str, lines: list[str]) -> str:
    """The card with the lines between its marks `<!-- name -->` and `<!-- /name -->` replaced."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if start not in card or end not in card:
        raise ValueError(f"the card has no block '{name}'")
    head, rest = card.split(start, 1)
    return head + start + "\n" + "\n".join(lines) + "\n\n" + end + rest.split(end, 1)[1]


def block(card: str, name: str) -> list[str]:
    """The lines of a block of the card."""
    inner = card.split(f"<!-- {name} -->\n", 1)[1].split(f"<!-- /{name} -->", 1)[0]
    return [line for line in inner.split("\n") if line]
