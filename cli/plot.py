"""``textdl plot RUN --out map.png``: words on a plane, and what other runs have to draw."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from .nearest import VECTORS
from .runs import task_of

MOST = 2_000  # words on a picture
FREQUENT = 150  # of them where nothing is said
WORDS, IMAGES, POINTS = "Words", "Images", "Points"


#: Task -> the module here, and its function, that draws what its runs have; all others are of word vectors.
OTHERS = {"images": ("plot_images", "plot_images"), "points": ("plot_points", "plot_points")}


def make(name: str) -> typer.Typer:
    """The command ``plot``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl plot runs/news --words words.txt --out map.png --projection tsne; "
        "textdl plot runs/digits --feature-maps scan.png --out maps.png"
    )
    app.command(name, epilog=epilog)(plot)
    return app


def plot(
    run: Annotated[Path, typer.Argument(help=f"{VECTORS[:-1]}; or a run of images or of points.")],
    out: Annotated[Path, typer.Option("--out", help="The picture: .png, .svg or .pdf; an animation: .gif or .html.")],
    words: Annotated[
        Path | None,
        typer.Option(
            "--words",
            help="File of words, one or several a line; a blank line begins another colour.",
            rich_help_panel=WORDS,
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            help=f"Without --words: the N most frequent words that are no stop words (default: {FREQUENT}). Of images: "
            "the first N filters, or maps of each layer.",
            min=1,
        ),
    ] = None,
    projection: Annotated[
        str | None,
        typer.Option(
            "--projection", help="How to come to two dimensions: pca (default), tsne, umap.", rich_help_panel=WORDS
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of t-SNE and UMAP (default: 0).", min=0, rich_help_panel=WORDS)
    ] = None,
    filters: Annotated[
        bool, typer.Option("--filters", help="Draw the filters of the first layer.", rich_help_panel=IMAGES)
    ] = False,
    feature_maps: Annotated[
        str | None,
        typer.Option(
            "--feature-maps", help="Draw what each layer makes of a picture.", metavar="FILE", rich_help_panel=IMAGES
        ),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", help="Maps of this layer only; several too.", rich_help_panel=IMAGES),
    ] = None,
    best: Annotated[
        bool,
        typer.Option("--best", help="The model at its best evaluation, not the last one.", rich_help_panel=IMAGES),
    ] = False,
    animation: Annotated[
        bool,
        typer.Option(
            "--animation", help="How the layers bend the plane until the classes part.", rich_help_panel=POINTS
        ),
    ] = False,
    title: Annotated[str, typer.Option("--title", help="Above the picture.")] = "",
) -> None:
    """Draw words on a plane, so that those with near vectors are near; what a model of images sees; a bent plane."""
    from textdl.errors import ConfigError

    of_words: dict[str, Any] = {"--words": words, "--projection": projection, "--seed": seed}
    of_images: dict[str, Any] = {"--filters": filters, "--feature-maps": feature_maps, "--layer": layer, "--best": best}
    own: dict[str, dict[str, Any]] = {"images": of_images, "points": {"--animation": animation}}
    task = task_of(run)
    there = {**of_words, **of_images, "--animation": animation}
    there |= {"--count": count, "--title": title} if task == "points" else {}
    for flag, value in there.items():
        given = value is not None and value is not False and value not in ([], "")
        if given and flag not in own.get(task, of_words):
            what = "of words" if task in ("", "vectors") else f"a model of {task}"
            raise ConfigError(f"{run} is {what}, for which {flag} says nothing; leave it out")
    if task in OTHERS:
        module, function = OTHERS[task]
        draw = getattr(import_module(f".{module}", __package__), function)
        draw(run, out, filters, feature_maps, layer or [], count, best, title)
        return
    _plot_words(run, out, words, FREQUENT if count is None else count, projection or "pca", seed or 0, title)


def _plot_words(run: Path, out: Path, words: Path | None, count: int, projection: str, seed: int, title: str) -> None:
    """Draw words of a file of groups, or else the most frequent ones."""
    from itertools import islice
    from typing import cast

    from textdl.errors import ConfigError
    from textdl.text.stop_words import ENGLISH
    from textdl.vectors.opening import open_vectors
    from textdl.vectors.projection import plot_words
    from textdl.vectors.word_vectors import VectorsError

    if count < 2:
        raise ConfigError(f"--count must be at least 2 words, got {count}")
    if count > MOST:
        raise ConfigError(f"--count must be at most {MOST:,}, more words can not be told apart, got {count:,}")
    vectors = open_vectors(run)
    if words is None:
        frequent = (vectors.words[place] for place in vectors.frequent())
        groups = [list(islice((word for word in frequent if word.lower() not in ENGLISH), count))]
    else:
        groups = _read(words)
        unknown = list(dict.fromkeys(word for group in groups for word in group if vectors.find(word) is None))
        groups = [[word for word in group if vectors.find(word) is not None] for group in groups]
        if unknown:
            shown = ", ".join(unknown[:10]) + (" …" if len(unknown) > 10 else "")
            typer.echo(f"note: {len(unknown)} words of {words} have no vector: {shown}", err=True)
    several = [group for group in groups if group]
    if not several and words is None:
        raise VectorsError(f"all {len(vectors):,} words of {run} are stop words; name those to draw by --words FILE")
    if not several:
        raise VectorsError(f"none of the words of {words} has a vector; name words of the text it was trained on")
    points = plot_words(vectors, several if len(several) > 1 else several[0], out, cast(Any, projection), seed, title)
    typer.echo(f"{len(points):,} words drawn by {projection} in {out}", err=True)


def _read(path: Path) -> list[list[str]]:
    """The words of a file, in groups."""
    from textdl.errors import CorpusError
    from textdl.text.files import read_text

    groups: list[list[str]] = [[]]
    for line in "".join(read_text(path)).splitlines():
        if line.split():
            groups[-1] += line.split()
        elif groups[-1]:
            groups.append([])
    if not groups[0]:
        raise CorpusError(f"{path} is empty; write words into it, one a line")
    return groups
