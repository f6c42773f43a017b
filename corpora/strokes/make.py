"""Make the corpus "strokes" from its word lists, its templates and the vector fonts of the package Hershey-Fonts.

python corpora/strokes/make.py                 write the data files and the card's figures
python corpora/strokes/make.py --out FOLDER    write them there
python corpora/strokes/make.py --show FILE     draw a line of each writer
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

import numpy as np

if not __package__:  # run as a script: the folder is a package all the same
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = "strokes"

from textdl.strokes.line import Line, Lines, of_strokes
from textdl.strokes.npz import write_lines

from .pen import Writer, written
from .texts import texts

HERE = Path(__file__).resolve().parent
# Changing the salt changes every writer and every line.
SALT = "strokes"
#: Writers of each split, and lines of each of its writers.
WRITERS = {"train": 40, "validation": 4, "test": 4}
LINES = {"train": 150, "validation": 100, "test": 125}
#: Units of the file for one of the fonts.
GRID = 8

#: Faces of small letters and of capitals that go together; a hand is drawn from these in turn.
HANDS = (
    ("futural", "futural", False),
    ("scripts", "scripts", True),
    ("rowmans", "rowmans", False),
    ("cursive", "futural", True),
    ("futural", "rowmans", False),
    ("cursive", "cursive", True),
    ("scripts", "rowmans", True),
    ("scripts", "futural", False),
)


def writer_of(number: int) -> Writer:
    """A writer, by number; of the same habits whatever others there are."""
    draw = Random(f"{SALT}/writer/{number}")
    small, capital, joins = HANDS[number % len(HANDS)]
    script = small in ("scripts", "cursive")
    return Writer(
        name=f"writer {number + 1:02d}",
        small=small,
        capital=capital,
        other=draw.choice(("futural", "rowmans")),
        joins=joins,
        late=joins and draw.random() < 0.25,
        slant=draw.gauss(0.05, 0.12) if script else draw.gauss(0.12, 0.16),
        aspect=draw.uniform(0.8, 1.15),
        spacing=draw.uniform(-1.5, 2.5),
        gap=draw.uniform(0.75, 1.15),
        growth=draw.gauss(0, 0.06),
        slope=draw.gauss(0, 0.02),
        wave=abs(draw.gauss(0, 0.8)),
        rounding=draw.uniform(0.35, 1.1),
        tremor=draw.uniform(0.03, 0.14),
        uneven=draw.uniform(0.4, 1.2),
        pace=draw.uniform(2.7, 3.7),
    )


def lines_of(split: str, first: int, seen: set[str]) -> Lines:
    """The lines of a split, mixed; its writers are numbered from ``first``."""
    made = []
    for number in range(first, first + WRITERS[split]):
        writer = writer_of(number)
        for place, text in enumerate(texts(LINES[split], Random(f"{SALT}/texts/{number}"), seen)):
            random = np.random.default_rng([number, place])
            ways = [np.rint(way * GRID) for way in written(writer, text, random)]
            made.append(Line(of_strokes(ways), text, writer.name))
    Random(f"{SALT}/{split}").shuffle(made)
    return Lines.of(made)


def make_splits() -> dict[str, Lines]:
    """All lines. Those held out are made first, so that no text of theirs is in train."""
    seen = set[str]()
    first = sum(WRITERS.values())
    made = {}
    for split in ("test", "validation", "train"):
        first -= WRITERS[split]
        made[split] = lines_of(split, first, seen)
    return {split: made[split] for split in WRITERS}


def figures(splits: dict[str, Lines]) -> str:
    """The table of the card."""
    rows = ["| split | writers | lines | characters | points | strokes |", "|---|---|---|---|---|---|"]
    for split, lines in splits.items():
        characters = sum(map(len, lines.texts))
        cells = (len(set(lines.groups)), len(lines), characters, len(lines.deltas), int(lines.pen_up.sum()))
        rows.append(f"| {split} | " + " | ".join(f"{cell:,}" for cell in cells) + " |")
    train = splits["train"]
    characters = sum(map(len, train.texts))
    lengths = train.lengths
    seen = "".join(sorted(set("".join(train.texts))))
    rows += [
        "",
        f"A character of train has {len(train.deltas) / characters:.1f} points, a line {int(lengths.min())} to "
        f"{int(lengths.max())}, {int(np.median(lengths))} in the middle. {len(seen)} characters come:",
        "",
        f"    {seen.strip()} and the space",
    ]
    return "\n".join(rows)


BEGIN, END = "<!-- figures, written by make.py -->", "<!-- end of figures -->"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Make the corpus strokes.")
    parser.add_argument("--out", type=Path, default=HERE, help="where the files are written")
    parser.add_argument("--show", type=Path, help="write a picture of a line of each writer there, and nothing else")
    args = parser.parse_args()
    if args.show:
        show(args.show)
        return
    splits = make_splits()
    for split, lines in splits.items():
        write_lines(args.out / f"{split}.npz", lines)
    card = (HERE / "CARD.md").read_text(encoding="utf-8")
    before, _, rest = card.partition(BEGIN)
    after = rest.partition(END)[2]
    (args.out / "CARD.md").write_text(f"{before}{BEGIN}\n{figures(splits)}\n{END}{after}", encoding="utf-8")


def show(path: Path) -> None:
    """Draw a line of each writer."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    count = sum(WRITERS.values())
    figure, axes = plt.subplots(-(-count // 3), 3, figsize=(22, 1.1 * -(-count // 3)))
    for number, axis in zip(range(count), axes.flat, strict=False):
        writer = writer_of(number)
        text = texts(3, Random(f"{SALT}/texts/{number}"), set())[-1]
        for way in written(writer, text, np.random.default_rng([number, 2])):
            axis.plot(way[:, 0], -way[:, 1], "k-", lw=1, marker=".", ms=1.5)
        axis.set_title(f"{writer.name}: {text}", fontsize=6)
        axis.axis("equal")
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=75)


if __name__ == "__main__":
    main()
