"""``textdl evaluate RUN [CORPUS]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .info import shown
from .options import Best, Device

WORDS = "Word vectors"
CLASSES = "Classifiers"
PAIRS = "Translators"
TAGS = "Taggers"
IMAGES = "Images"

#: Task -> what its runs are measured on; of any other task texts.
THINGS = {"images": "images", "points": "points"}
MISTAKES = 32  # on a sheet, where --errors says nothing
#: Task -> the module here, and its function, that prints the figures; of any other task they are printed a line each.
DISPLAYS = {
    "classify": ("class_tables", "show_classes"),
    "translate": ("translation_tables", "show_translations"),
    "tag": ("tag_tables", "show_tags"),
    "forecast": ("forecast_tables", "show_figures"),
    "points": ("point_tables", "show_points"),
    "images": ("image_tables", "show_images"),
}


def make(name: str) -> typer.Typer:
    """The command ``evaluate``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl evaluate runs/recipes --split test --json; textdl evaluate runs/news --analogies google; "
        "textdl evaluate runs/reviews --errors 5 --confusion confusion.png"
    )
    app.command(name, epilog=epilog)(evaluate)
    return app


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    corpus: Annotated[
        str | None, typer.Argument(help="A corpus; the one it was trained on, when none is given.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Which part (default: test; all of a corpus that has no such part).")
    ] = None,
    text_field: Annotated[list[str] | None, typer.Option("--text-field", help="Field(s) that hold the text.")] = None,
    device: Device = "cpu",
    best: Best = False,
    analogies: Annotated[
        str | None,
        typer.Option(
            "--analogies", help="Of word vectors: file of questions a b c d, or google.", rich_help_panel=WORDS
        ),
    ] = None,
    similarity: Annotated[
        list[str] | None,
        typer.Option(
            "--similarity",
            help="Of word vectors: file of two words and a number a line, or wordsim353, simlex999; several too.",
            rich_help_panel=WORDS,
        ),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option("--most", help="The N most frequent words are the known ones.", min=1, rich_help_panel=WORDS),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="How analogies are answered: add, mul.", rich_help_panel=WORDS)
    ] = "add",
    errors: Annotated[
        int,
        typer.Option(
            "--errors", help="The N mistakes that a classifier was surest of.", min=0, rich_help_panel=CLASSES
        ),
    ] = 0,
    confusion: Annotated[
        Path | None,
        typer.Option("--confusion", help="Confusion matrix as a picture: .png, .svg or .pdf.", rich_help_panel=CLASSES),
    ] = None,
    label_field: Annotated[
        str | None, typer.Option("--label-field", help="Field that holds the label.", rich_help_panel=CLASSES)
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Source side of other pairs, as in training.", rich_help_panel=PAIRS)
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Target side of other pairs, as in training.", rich_help_panel=PAIRS)
    ] = None,
    beam: Annotated[
        int | None, typer.Option("--beam", help="Hypotheses of the search (default: 5).", min=1, rich_help_panel=PAIRS)
    ] = None,
    examples: Annotated[
        int | None, typer.Option("--examples", help="N pairs with their translations.", min=0, rich_help_panel=PAIRS)
    ] = None,
    token_column: Annotated[
        str | None, typer.Option("--token-column", help="Where the words are.", rich_help_panel=TAGS)
    ] = None,
    tag_column: Annotated[
        str | None, typer.Option("--tag-column", help="Where the tags are.", rich_help_panel=TAGS)
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet",
            help="The worst mistakes as pictures on one sheet, .png (32, or --errors).",
            rich_help_panel=IMAGES,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", help="Side that other images are brought to.", min=1, rich_help_panel=IMAGES),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Measure a trained model on held-out text, or word vectors by questions (google, wordsim353 if none are named)."""
    from textdl.errors import ConfigError

    asked = {
        "errors": errors or None,
        "confusion": confusion,
        "label_field": label_field,
        "source": source,
        "target": target,
        "beam": beam,
        "examples": examples,
        "token_column": token_column,
        "tag_column": tag_column,
        "sheet": sheet,
        "size": size,
    }
    extra = {name: value for name, value in asked.items() if value is not None}
    if analogies is not None or similarity or _holds_vectors(run):
        if corpus is not None or split is not None:
            raise ConfigError("word vectors are measured by questions, not on a text; leave CORPUS and --split out")
        if extra:
            raise ConfigError(f"word vectors have no {_flag(next(iter(extra)))}; leave it out")
        _words(run, analogies, similarity or [], most, method, json_)
        return
    _measure(run, device, best, (corpus, split, tuple(text_field or ())), extra, json_)


def _measure(run: Path, device: str, best: bool, where: tuple[Any, ...], extra: dict[str, Any], as_json: bool) -> None:
    """Print the figures of a run on a corpus, a split, and text fields."""
    import inspect
    import json

    from textdl.errors import RunError
    from textdl.tasks import base

    loaded: Any = base.load(run, device, best)
    task = str(loaded.config["task"])
    known = set(inspect.signature(loaded.evaluate).parameters)
    known |= {"confusion"} if hasattr(loaded, "probabilities") else set()
    known |= {"sheet"} if hasattr(loaded, "images") else set()
    known |= {"beam"} if "changes" in known else set()  # of a search
    for name in extra:
        if name not in known:
            raise RunError(f"{run} is a {task} model, for which {_flag(name)} says nothing; leave it out")
    figures = _figures(loaded, run, where, extra)
    if as_json:
        typer.echo(json.dumps(figures if task != "tag" else _of("tag_tables", "tags_json")(figures)))
        return
    if not figures["same_corpus"]:
        text = "corpus" if task in THINGS else "text"
        typer.echo(f"note: {figures['corpus']} is not the {text} that the run was trained on", err=True)
    if task in DISPLAYS:
        _of(*DISPLAYS[task])(figures)
        return
    for key, value in figures.items():
        if key != "same_corpus":
            typer.echo(f"{key.replace('_', ' '):<20} {shown(value)}")


def _of(module: str, function: str) -> Any:
    """What prints the figures of a kind of run; loaded when it is needed."""
    from importlib import import_module

    return getattr(import_module(f".{module}", __package__), function)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _figures(loaded: Any, run: Path, where: tuple[Any, ...], extra: dict[str, Any]) -> dict[str, Any]:
    """The figures of a run; of a classifier the pictures are drawn for which files are named."""
    from textdl.errors import ConfigError
    from textdl.inspect.confusion import draw_confusion, picture
    from textdl.inspect.mistakes_sheet import sheet_path

    # a wrong name is told before the work, not after it
    confusion, sheet, errors = extra.pop("confusion", None), extra.pop("sheet", None), extra.get("errors")
    if confusion is not None:
        picture(confusion)
        if loaded.several:
            raise ConfigError(
                f"{run} gives several labels a text, of which none is taken for another; leave --confusion out"
            )
    if sheet is not None:
        sheet_path(sheet)
        extra["errors"] = errors or MISTAKES
    figures: dict[str, Any] = loaded.evaluate(*where, **extra)
    if figures.get("unknown_labels"):
        texts = THINGS.get(str(loaded.config["task"]), "texts")
        typer.echo(
            f"note: {figures['unknown_labels']:,} of {figures['examples']:,} {texts} have a label that is no class of "
            f"{run}; they count as wrong",
            err=True,
        )
    if confusion is not None:
        title = f"{figures['corpus']}, {figures['split']}: accuracy {figures['accuracy']:.4f}"
        draw_confusion(figures["confusion"], confusion, title)
        typer.echo(f"confusion matrix drawn in {confusion}", err=True)
    if sheet is not None:
        _of("image_tables", "draw_sheet")(loaded, figures, where, extra, sheet)
        if errors is None:  # they were for the sheet only
            del figures["errors"]
    return figures


def _holds_vectors(run: Path) -> bool:
    """Whether it is a file (of word vectors, then), or a run of them."""
    from textdl import artifact

    return run.is_file() or ((run / artifact.CONFIG).exists() and artifact.read_config(run).get("task") == "vectors")


def _words(
    run: Path, analogies: str | None, similarity: list[str], most: int | None, method: str, as_json: bool
) -> None:
    """Print how word vectors do on questions."""
    import json
    from typing import cast

    from textdl.vectors.opening import open_vectors
    from textdl.vectors.questions import ask

    if analogies is None and not similarity:
        analogies, similarity = "google", ["wordsim353"]
    answers = ask(open_vectors(run), analogies, similarity, most, cast(Any, method))
    typer.echo(json.dumps(answers.figures()) if as_json else answers)
