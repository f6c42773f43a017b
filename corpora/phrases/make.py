"""Make the parallel corpora "phrases-en-es" and "phrases-en-fr" from the grammar beside this file, and check them.

    python corpora/phrases/make.py               write the data files and the figures of the cards
    python corpora/phrases/make.py --check       hold the pairs to the rules of the cards
    python corpora/phrases/make.py --show NAME   print some sentences of a construction
    python corpora/phrases/make.py --stats       print the figures of the cards

Files that stand there with other content are kept unless --force is given. What copying the nearest neighbour scores
is measured by ``baseline.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

if not __package__:  # run as a script: the folder is a package all the same
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = "phrases"

from .draw import Construction, Sentence, constructions, draw_slots, words_of, write

HOME = Path(__file__).resolve().parents[1]
CORPORA = {"es": "phrases-en-es", "fr": "phrases-en-fr"}
# Changing the salt moves words between the splits; it stays as it is once a model was trained on them.
SALT = "phrases"
#: Sentences of each construction, by split; more where pronouns or moods make many rare forms.
QUOTA = {"train": 155, "validation": 12, "test": 18}
MORE = {
    "command-it": 2.5,
    "future-it": 2,
    "want-to-it": 2,
    "past-it": 2,
    "command-not": 2,
    "command": 1.5,
    "there-is": 2,
}
#: Shares of the words of a construction, and of the pairs of words, that are held out of training.
HELD = {"test": 0.08, "validation": 0.05}
HELD_COMPANY = {"test": 0.02, "validation": 0.015}
FEWEST = 6  # words of a kind in a construction, for any of them to be held out
TRIES = 3000
OFTEN = 8  # times a word of validation or test stands in training, at least
FORMS = 4  # and so each of its forms

Splits = dict[str, list[Sentence]]


@cache
def share(*parts: str) -> float:
    """A number in [0, 1) that is the same for the same words, whatever else changes."""
    digest = hashlib.sha256("/".join((SALT, *parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


@cache
def held_out(name: str) -> dict[tuple[str, str], str]:
    """The words that a construction, given by its name, never has in training, and the split that each is kept for."""
    construction = next(one for one in constructions() if one.name == name)
    source = Random(f"{SALT}/{name}/words")
    drawn = (draw_slots(construction, source) for _ in range(600))
    found = {word for slots in drawn if slots for word in words_of(slots)}
    held: dict[tuple[str, str], str] = {}
    for part in sorted({part for part, _ in found}):
        words = sorted((word for word in found if word[0] == part), key=lambda word: share(name, *word))
        counts = {split: max(1, round(part_held * len(words))) for split, part_held in HELD.items()}
        if len(words) >= FEWEST:
            held |= dict.fromkeys(words[: counts["test"]], "test")
            held |= dict.fromkeys(words[counts["test"] : sum(counts.values())], "validation")
    return held


def company(*parts: str) -> str:
    """The split that a pair of words is kept for."""
    part = share(*parts)
    if part < HELD_COMPANY["test"]:
        return "test"
    return "validation" if part < sum(HELD_COMPANY.values()) else "train"


def split_of(name: str, words: tuple[tuple[str, str], ...]) -> str | None:
    """The split of a sentence with some words of a construction; None if it mixes what is held out for several reasons.

    In validation and test stands what holds a word that its construction never has in training.
    """
    held = held_out(name)
    alone = {held.get(word, "train") for word in words}
    pairs = {
        company(part, key, noun)
        for part, key in words
        if part in ("verb", "adjective")
        for kind, noun in words
        if kind == "noun"
    }
    kept = (alone | pairs) - {"train"}
    if not kept:
        return "train"
    return kept.pop() if len(kept) == 1 and alone != {"train"} else None


def tokens(text: str) -> list[str]:
    """Lower-cased words and marks, as the rules of these corpora count them."""
    return re.findall(r"\w+(?:-\w+)*'?|[^\w\s]", text.lower())


@cache
def make_splits() -> Splits:
    """All sentences, mixed within each split; no English text stands twice."""
    seen: set[str] = set()
    drawn = {construction.name: sentences_of(construction, seen) for construction in constructions()}
    splits: Splits = {"train": [one for some in drawn.values() for one in some["train"]]}
    words = Counter(word for one in splits["train"] for word in one.words)
    forms = Counter(form for one in splits["train"] for form in all_tokens(one))
    for split in ("validation", "test"):
        splits[split] = []
        for some in drawn.values():
            fit = [
                one
                for one in some[split]
                if all(words[word] >= OFTEN for word in one.words)
                and all(forms[form] >= FORMS for form in all_tokens(one))
            ]
            splits[split] += fit[: QUOTA[split]]
    for split, some_of_all in splits.items():
        Random(f"{SALT}/{split}").shuffle(some_of_all)
    return splits


def sentences_of(construction: Construction, seen: set[str]) -> Splits:
    """Sentences of a construction; of validation and test twice the quota, since words may prove too rare."""
    source = Random(f"{SALT}/{construction.name}")
    wanted = {split: 2 * count for split, count in QUOTA.items()}
    wanted["train"] = int(QUOTA["train"] * MORE.get(construction.name, 1))
    found: Splits = {split: [] for split in QUOTA}
    for _ in range(TRIES):
        slots = draw_slots(construction, source)
        split = split_of(construction.name, words_of(slots)) if slots else None
        if slots is None or split is None or len(found[split]) == wanted[split]:
            continue
        sentence = write(construction, slots)
        if sentence.texts["en"].lower() not in seen:
            seen.add(sentence.texts["en"].lower())
            found[split].append(sentence)
            if all(len(found[split]) == count for split, count in wanted.items()):
                break
    return found


def all_tokens(sentence: Sentence) -> set[tuple[str, str]]:
    """``(language, word)`` of all that stands in a sentence and its translations."""
    return {(code, word) for code, text in sentence.texts.items() for word in tokens(text)}


def size_table(language: str, splits: Splits) -> list[str]:
    """Sizes and lengths, a row a split."""
    rows = [
        f"| split | pairs | words a sentence, en | words a sentence, {language} | longest, en | longest, {language} |"
    ]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, some in [*splits.items(), ("all", [one for part in splits.values() for one in part])]:
        lengths = {code: [len(one.texts[code].split()) for one in some] for code in ("en", language)}
        means = [f"{sum(counts) / len(counts):.1f}" for counts in lengths.values()]
        longest = [str(max(counts)) for counts in lengths.values()]
        rows.append(f"| {name} | {len(some):,} | " + " | ".join(means + longest) + " |")
    return rows


def word_table(language: str, splits: Splits) -> list[str]:
    """Vocabulary sizes, and how often the rarest word of the held-out splits stands in training."""
    rows = ["| language | words in training | words in test | of these unseen | least often in training |"]
    rows.append("| --- | ---: | ---: | ---: | ---: |")
    for code in ("en", language):
        count = {
            split: Counter(word for one in some for word in tokens(one.texts[code])) for split, some in splits.items()
        }
        unseen = sum(word not in count["train"] for word in count["test"])
        least = min(count["train"][word] for word in count["test"])
        rows.append(f"| {code} | {len(count['train']):,} | {len(count['test']):,} | {unseen} | {least} |")
    return rows


def construction_table(language: str, splits: Splits) -> list[str]:
    """An example of each construction, from training, and how many sentences of it stand in each split."""
    count = Counter((one.construction, split) for split, some in splits.items() for one in some)
    first: dict[str, Sentence] = {}
    for one in splits["train"]:
        first.setdefault(one.construction, one)
    rows = [f"| construction | English | {language} | " + " | ".join(splits) + " |"]
    rows.append("| --- | --- | --- |" + " ---: |" * len(splits))
    for construction in constructions():
        texts = first[construction.name].texts
        numbers = " | ".join(str(count[construction.name, split]) for split in splits)
        rows.append(f"| {construction.name} | {texts['en']} | {texts[language]} | {numbers} |")
    return rows


TABLES = {"sizes": size_table, "words": word_table, "constructions": construction_table}


def make_card(language: str, splits: Splits) -> str:
    """The card with fresh figures."""
    card = (HOME / CORPORA[language] / "CARD.md").read_text(encoding="utf-8")
    for name, table in TABLES.items():
        card = with_table(card, name, table(language, splits))
    return card


def with_table(card: str, name: str, rows: list[str]) -> str:
    """A card with a table put between its marks."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, after = card.split(opening)[0], card.split(closing)[1]
    return "\n".join([before + opening, "", *rows, "", closing + after])


@cache
def contents() -> dict[str, str]:
    """The text of every file, by its path in the folder of the corpora."""
    splits = make_splits()
    files = {}
    for language, name in CORPORA.items():
        for split, some in splits.items():
            rows = (
                {"en": one.texts["en"], language: one.texts[language], "construction": one.construction} for one in some
            )
            files[f"{name}/{split}.jsonl"] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        files[f"{name}/CARD.md"] = make_card(language, splits)
    return files


def make(out: Path, force: bool) -> int:
    """Write the files that are not there as they should be; each is there whole or as it was."""
    files = {out / name: text.encode() for name, text in contents().items()}
    stale = [path for path, content in files.items() if not path.exists() or path.read_bytes() != content]
    kept = [path for path in stale if path.exists()]
    if kept and not force:
        print(f"{kept[0]} and {len(kept) - 1} more have other content; add --force to replace them", file=sys.stderr)
        return 2
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_bytes(files[path])
        fresh.replace(path)
    print(f"{len(stale)} of {len(files)} files written")
    return 0


def problems(splits: Splits) -> list[str]:
    """What breaks a rule of the cards."""
    everything = [one for some in splits.values() for one in some]
    found = [text for text, n in Counter(one.texts["en"].lower() for one in everything).items() if n > 1]
    found = [f"{text}: stands twice" for text in found]
    found += [
        f"{text}: not put into words" for one in everything for text in one.texts.values() if re.search("[{}~|]", text)
    ]
    seen = {(one.construction, word) for one in splits["train"] for word in one.words}
    often = Counter(word for one in splits["train"] for word in one.words)
    patterns = Counter(one.construction for one in splits["train"])
    for split in ("validation", "test"):
        for one in splits[split]:
            if all((one.construction, word) in seen for word in one.words):
                found.append(f"{split}: {one.texts['en']}: training has each of its words in this construction")
            if patterns[one.construction] < OFTEN or any(often[word] < OFTEN for word in one.words):
                found.append(f"{split}: {one.texts['en']}: training has a word or the construction too seldom")
    held = Counter((split, one.construction) for split in ("test",) for one in splits[split])
    found += [f"{one.name}: not in test" for one in constructions() if not held["test", one.name]]
    return found


def show(name: str, count: int) -> int:
    """Print some sentences of a construction."""
    chosen = [one for one in constructions() if one.name == name]
    if not chosen:
        print(f"there is no construction '{name}'", file=sys.stderr)
        return 1
    source = Random(f"{SALT}/show")
    drawn = (draw_slots(chosen[0], source) for _ in range(TRIES))
    for slots, _ in zip((slots for slots in drawn if slots), range(count), strict=False):
        print("\n".join(write(chosen[0], slots).texts.values()), end="\n\n")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="hold the pairs to the rules")
    parser.add_argument("--show", metavar="NAME", help="print some sentences of a construction")
    parser.add_argument("--count", type=int, default=3, help="how many sentences --show prints")
    parser.add_argument("--stats", action="store_true", help="print the figures of the cards")
    parser.add_argument("--force", action="store_true", help="replace files that have other content")
    parser.add_argument("--out", type=Path, default=HOME, metavar="DIR", help="where to write (corpora/, unless told)")
    options = parser.parse_args(arguments)
    if options.check:
        found = problems(make_splits())
        print("\n".join([*found, f"{len(constructions())} constructions, {len(found)} problems"]))
        return 1 if found else 0
    if options.show:
        return show(options.show, options.count)
    if options.stats:
        for language in CORPORA:
            print("\n\n".join("\n".join(table(language, make_splits())) for table in TABLES.values()), end="\n\n")
        return 0
    return make(options.out, options.force)


if __name__ == "__main__":
    sys.exit(main())
