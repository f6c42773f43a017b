"""Make the corpus "kitchen_notes" from its families and word lists, and check it.

python corpora/kitchen_notes/make.py                write the data files and the card's figures
python corpora/kitchen_notes/make.py --check        hold the notes to the rules of the card
python corpora/kitchen_notes/make.py --show NAME    print some notes of a family
python corpora/kitchen_notes/make.py --stats        print the figures of the card
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random

if not __package__:  # run as a script: the folder is a package all the same
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = "kitchen_notes"

from .grammar import Drawer, Family, Token, WordList, read_closed, read_families, read_words, share

HERE = Path(__file__).resolve().parent
# Changing the salt moves words between the splits; it stays as it is once a model was trained on them.
SALT = "kitchen_notes"
#: Notes drawn from a family, where it has as many.
SIZES = {"train": 40, "validation": 5, "test": 7}
TRIES = 30  # for each note wanted

#: A note, as the tokens of a sentence.
Note = tuple[Token, ...]
Splits = dict[str, list[Note]]
#: The key of an open slot and the entry that stands there.
Pair = tuple[str, str]


def all_lists() -> dict[str, WordList]:
    """The word lists of the corpus, by key."""
    closed = read_closed(HERE / "words" / "closed.txt")
    return {
        **read_words(HERE / "words" / "things.txt", closed),
        **read_words(HERE / "words" / "deeds.txt", closed),
    }


def all_families(lists: dict[str, WordList]) -> list[Family]:
    """The families of the corpus, by name."""
    closed = read_closed(HERE / "words" / "closed.txt")
    paths = sorted((HERE / "families").glob("*.txt"))
    return sorted((one for path in paths for one in read_families(path, lists, closed)), key=lambda one: one.name)


def home(family: str, key: str, entry: str) -> str:
    """The split that an entry belongs to in the slot of a family; by hashes, so it stays when others are added.

    Some entries belong to validation or test in every family: their words are kept from training.
    """
    for part, validation, test in ((share(SALT, entry), 0.04, 0.12), (share(SALT, family, key, entry), 0.1, 0.22)):
        if part < test:
            return "validation" if part < validation else "test"
    return "train"


def notes_of(family: Family, split: str, lists: dict[str, WordList], seen: set[Note]) -> dict[Note, list[Pair]]:
    """Notes of a family in a split, with the keys and entries of their open slots.

    ``seen`` are the notes of all splits, without capitals, and grows by these.

    In training every entry of an open slot is at home there; elsewhere at least one is at home in that split.
    """

    @functools.cache
    def allowed(key: str) -> list[str]:
        return [entry for entry in lists[key].entries if home(family.name, key, entry) in ("train", split)]

    drawer, notes = Drawer(lists, allowed), dict[Note, list[Pair]]()
    for number in range(TRIES * SIZES[split]):
        tokens, taken = drawer.draw(family, Random(f"{SALT}/{split}/{family.name}/{number}"))
        key = tuple((word.lower(), tag, entity) for word, tag, entity in tokens)
        if key not in seen and any(home(family.name, *one) == split for one in taken):
            seen.add(key)
            notes[tuple(tokens)] = taken
        if len(notes) == SIZES[split]:
            break
    return notes


def make_splits() -> Splits:
    """All notes, mixed within each split."""
    lists, seen = all_lists(), set[Note]()
    families = all_families(lists)
    splits = {split: [note for one in families for note in notes_of(one, split, lists, seen)] for split in SIZES}
    for split, notes in splits.items():
        Random(f"{SALT}/{split}").shuffle(notes)
    return splits


def most_frequent(train: list[Note], notes: list[Note], column: int) -> tuple[list[list[str]], list[list[str]]]:
    """The tags of notes, and those found by giving each word the one that it has most often in training.

    A word is looked up without capitals; one that training has not gets the commonest tag of all.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for note in train:
        for token in note:
            counts[token[0].lower()][token[column]] += 1
            counts[""][token[column]] += 1
    # Sorted first, so that of two as frequent always the same is taken.
    best = {word: max(sorted(some), key=some.__getitem__) for word, some in counts.items()}
    found = [[best.get(token[0].lower(), best[""]) for token in note] for note in notes]
    return [[token[column] for token in note] for note in notes], found


def _spans(tags: list[str]) -> set[tuple[int, int, str]]:
    """The spans of well-formed IOB2, and of any I that begins one."""
    found, start = set(), 0
    for at, tag in enumerate(tags):
        if tag != "O" and (tag[0] == "B" or at == 0 or tags[at - 1][2:] != tag[2:]):
            start = at
        if tag != "O" and (at + 1 == len(tags) or tags[at + 1][0] != "I" or tags[at + 1][2:] != tag[2:]):
            found.add((start, at + 1, tag[2:]))
    return found


def span_f1(truth: list[list[str]], found: list[list[str]]) -> float:
    """F1 of the spans, over all of them."""
    pairs = [(_spans(one), _spans(other)) for one, other in zip(truth, found, strict=True)]
    right = sum(len(one & other) for one, other in pairs)
    return 2 * right / sum(len(one) + len(other) for one, other in pairs)


def accuracy(truth: Iterable[list[str]], found: Iterable[list[str]]) -> float:
    """The share of tokens with the right tag."""
    pairs = [pair for both in zip(truth, found, strict=True) for pair in zip(*both, strict=True)]
    hits = [one == other for one, other in pairs]
    return sum(hits) / len(hits)


def size_table(splits: Splits) -> list[str]:
    """Sizes, a row a split."""
    known = {token[0].lower() for note in splits["train"] for token in note}
    rows = ["| split | notes | tokens | entities | words unseen in training | share of its tokens |"]
    rows += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    for split, notes in splits.items():
        tokens = [token for note in notes for token in note]
        entities = sum(entity[0] == "B" for _, _, entity in tokens)
        unseen = [word.lower() for word, _, _ in tokens if word.lower() not in known]
        share_unseen = f"{len(set(unseen))} | {len(unseen) / len(tokens):.1%}" if split != "train" else " | "
        rows.append(f"| {split} | {len(notes):,} | {len(tokens):,} | {entities:,} | {share_unseen} |")
    return rows


def baseline_table(splits: Splits) -> list[str]:
    """What the most frequent tag of each word gets right."""
    rows = ["| split | parts of speech, accuracy | entities, accuracy | entities, span F1 |"]
    rows += ["| --- | ---: | ---: | ---: |"]
    for split in ("validation", "test"):
        speech = most_frequent(splits["train"], splits[split], 1)
        entities = most_frequent(splits["train"], splits[split], 2)
        figures = accuracy(*speech), accuracy(*entities), span_f1(*entities)
        rows.append(f"| {split} | " + " | ".join(f"{figure:.1%}" for figure in figures) + " |")
    return rows


def ambiguous_table(splits: Splits) -> list[str]:
    """The words that training has with the most different tags, and how many have several."""
    counts: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for note in splits["train"]:
        for word, tag, entity in note:
            counts[word.lower()][tag, entity.split("-")[-1]] += 1
    several = {word: some for word, some in counts.items() if len(some) > 1}
    rows = ["| word | tagged |", "| --- | --- |"]
    for word in sorted(several, key=lambda word: (-len(several[word]), -several[word].total(), word))[:12]:
        kinds = [f"{tag} {entity}".removesuffix(" O") for (tag, entity), _ in sorted(several[word].items())]
        rows.append(f"| {word} | {', '.join(kinds)} |")
    share_of = sum(some.total() for some in several.values()) / sum(some.total() for some in counts.values())
    return [*rows, "", f"{len(several)} words of training have several; they are {share_of:.0%} of its tokens."]


TABLES = {"sizes": size_table, "ambiguous": ambiguous_table, "baseline": baseline_table}


def make_card(splits: Splits) -> str:
    """The card with fresh figures."""
    card = (HERE / "CARD.md").read_text(encoding="utf-8")
    for name, table in TABLES.items():
        opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, after = card.split(opening)[0], card.split(closing)[1]
        card = "\n".join([before + opening, "", *table(splits), "", closing + after])
    return card


def in_columns(notes: list[Note]) -> str:
    """Notes as the lines of a file: a token a line, a blank line behind each note."""
    return "".join("".join("\t".join(token) + "\n" for token in note) + "\n" for note in notes)


def make(out: Path) -> int:
    """Write the data files and the card."""
    splits = make_splits()
    card = make_card(splits)
    out.mkdir(parents=True, exist_ok=True)
    for split, notes in splits.items():
        (out / f"{split}.conll").write_text(in_columns(notes), encoding="utf-8", newline="\n")
    (out / "CARD.md").write_text(card, encoding="utf-8", newline="\n")
    return 0


def problems(splits: Splits) -> list[str]:
    """What breaks a rule of the card."""
    lists = all_lists()
    families = all_families(lists)
    found = [f"{name}: two families have this name" for name, n in Counter(f.name for f in families).items() if n > 1]
    dealt = {key for key, some in lists.items() if some.open}
    found += [f"{one.name}: no slot is open" for one in families if not any(part.slot in dealt for part in one.parts)]
    used = {part.slot for one in families for part in one.parts}
    used |= {part.slot for some in lists.values() for parts in some.entries.values() for part in parts}
    found += [f"{key}: no family uses this list" for key in lists if key not in used]
    texts = Counter(" ".join(word.lower() for word, _, _ in note) for notes in splits.values() for note in notes)
    found += [f"{text}: stands twice" for text, n in texts.items() if n > 1]
    return found


def show(name: str, count: int) -> int:
    """Print some notes of a family."""
    lists = all_lists()
    families = {one.name: one for one in all_families(lists)}
    if name not in families:
        print(f"there is no family {name!r}", file=sys.stderr)
        return 1
    for note in list(notes_of(families[name], "train", lists, set()))[:count]:
        print(" ".join(f"{word}/{tag}" + f"/{entity}" * (entity != "O") for word, tag, entity in note))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--stats", action="store_true")
    parser.add_argument("--show", metavar="NAME")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--out", type=Path, default=HERE)
    said = parser.parse_args(arguments)
    if said.show:
        return show(said.show, said.count)
    if said.stats:
        splits = make_splits()
        print("\n\n".join("\n".join(table(splits)) for table in TABLES.values()))
        return 0
    if said.check:
        found = problems(make_splits())
        print("\n".join(found) or "no problems")
        return 1 if found else 0
    return make(said.out)


if __name__ == "__main__":
    sys.exit(main())
