"""Make the corpus "recipes" from its dish families, and check the families.

    python corpora/recipes/make.py                    write the data files, the lexicon and the card's figures
    python corpora/recipes/make.py --check [FILE...]  hold the families to the rules of FORMAT.md
    python corpora/recipes/make.py --show NAME        print some recipes of a family
    python corpora/recipes/make.py --stats            print the figures of the card

With `--beside FILE.jsonl.xz` (recipes as JSON lines with title, ingredients and directions) the figures stand
beside those of another collection.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from random import Random

if not __package__:  # run as a script: the folder is a package all the same
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = "recipes"

from .amounts import read
from .check import check_family, corpus_names, duplicates
from .dish import Family, read_families
from .draw import even_draws, recipes_of, shuffled
from .expand import Printer, Recipe
from .judge import Lexicon, split_line, terms_of
from .stats import BESIDE_NAME, HEADER, block, of_file, of_recipes, replace_block, size_table

HERE = Path(__file__).resolve().parent
PER_FAMILY = 30
# Changing the salt moves families between the splits; it stays as it is once a model was trained on them.
SALT = "recipes"


def load(files: list[Path], errors: list[str]) -> list[Family]:
    """The families of some files."""
    return [family for path in files for family in read_families(path, errors)]


def family_files() -> list[Path]:
    """The files that hold the families of the corpus."""
    return sorted((HERE / "families").glob("*.txt"))


def split_of(name: str) -> str:
    """The split of a family, by a hash of its name: it stays when families are added."""
    digest = hashlib.sha256(f"{SALT}/{name}".encode()).digest()
    part = int.from_bytes(digest[:4], "big") / 2**32
    return "test" if part < 0.2 else "validation" if part < 0.4 else "train"


def make_splits(families: list[Family]) -> dict[str, list[Recipe]]:
    """All recipes, the families mixed within each split."""
    splits: dict[str, list[Recipe]] = {"train": [], "validation": [], "test": []}
    for family in sorted(families, key=lambda family: family.name):
        splits[split_of(family.name)] += recipes_of(family, PER_FAMILY)
    return {name: shuffled(recipes, Random(f"{SALT}/{name}")) for name, recipes in splits.items()}


def make_lexicon(recipes: list[Recipe]) -> tuple[Lexicon, str]:
    """The lexicon of some recipes, and the text of its file."""
    items = [read(line) for recipe in recipes for line in recipe.ingredients]
    terms = terms_of({name for item in items for name in split_line(item.name, item.low is not None)})
    data = {
        "terms": sorted(" ".join(term) for term in terms),
        "bare": sorted({item.name for item in items if item.low is None}),
    }
    return Lexicon(terms), json.dumps(data, ensure_ascii=False, indent=0) + "\n"


def make_card(splits: dict[str, list[Recipe]], lexicon: Lexicon, beside: Path | None) -> str:
    """The card with fresh figures; those of the other collection stay as they are unless it is at hand."""
    card = (HERE / "CARD.md").read_text(encoding="utf-8")
    ours = of_recipes([recipe for recipes in splits.values() for recipe in recipes], lexicon)
    other = block(card, "variety")[3:]
    if beside:
        other = [of_file(beside, ours.size, lexicon).row(f"{BESIDE_NAME}, not included")]
    card = replace_block(card, "sizes", size_table(splits))
    return replace_block(card, "variety", [*HEADER, ours.row("this corpus"), *other])


def make(out: Path, beside: Path | None) -> int:
    """Write the data files, the lexicon and the card."""
    errors: list[str] = []
    families = load(family_files(), errors)
    if errors:
        print("\n".join(errors), file=sys.stderr)
        return 1
    splits = make_splits(families)
    lexicon, lexicon_text = make_lexicon([recipe for recipes in splits.values() for recipe in recipes])
    card = make_card(splits, lexicon, beside)
    out.mkdir(parents=True, exist_ok=True)
    for name, recipes in splits.items():
        lines = [json.dumps(recipe.record(), ensure_ascii=False) + "\n" for recipe in recipes]
        _write(out / f"{name}.jsonl", "".join(lines))
    _write(out / "lexicon.json", lexicon_text)
    _write(out / "CARD.md", card)
    return 0


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def stats(beside: Path | None) -> int:
    """Print the figures of the card."""
    splits = make_splits(load(family_files(), []))
    lexicon, _ = make_lexicon([recipe for recipes in splits.values() for recipe in recipes])
    card = make_card(splits, lexicon, beside)
    print("\n".join([*block(card, "sizes"), "", *block(card, "variety")]))
    return 0


def check(files: list[Path]) -> int:
    """Print what is wrong with the families of some files (of all, if none is named)."""
    named = {path.resolve() for path in files} or {path.resolve() for path in family_files()}
    others = [path for path in family_files() if path.resolve() not in named]
    errors: list[str] = []
    checked = load(sorted(named), errors)
    beside = load(others, [])
    lexicon = Lexicon.of(corpus_names([*checked, *beside]))
    errors += [text for text in duplicates([*beside, *checked]) if any(path.name in text for path in named)]
    for family in checked:
        errors += check_family(family, lexicon)
    print("\n".join([*errors, f"{len(checked)} families, {len(errors)} problems"]))
    return 1 if errors else 0


def show(name: str, count: int) -> int:
    """Print some recipes of a family."""
    families = {family.name: family for family in load(family_files(), [])}
    if name not in families:
        print(f"there is no family '{name}' that can be read; --check says more", file=sys.stderr)
        return 1
    for draw in even_draws(families[name], count, "show"):
        print(Printer(families[name], draw).recipe().text(), end="\n\n" + "-" * 60 + "\n\n")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", nargs="*", type=Path, metavar="FILE", help="check the families of these files, or all"
    )
    parser.add_argument("--show", metavar="NAME", help="print some recipes of a family")
    parser.add_argument("--count", type=int, default=3, help="how many recipes --show prints")
    parser.add_argument("--stats", action="store_true", help="print the figures of the card")
    parser.add_argument("--beside", type=Path, metavar="FILE", help="other recipes to compare with (JSON lines, xz)")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="where to write (here, unless told)")
    options = parser.parse_args(arguments)
    if options.check is not None:
        return check(options.check)
    if options.show:
        return show(options.show, options.count)
    if options.stats:
        return stats(options.beside)
    return make(options.out, options.beside)


if __name__ == "__main__":
    sys.exit(main())
