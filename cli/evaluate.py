"""``textdl evaluate RUN [CORPUS]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .info import shown
from .options import Best, Device

WORDS = "Word vectors"
CLASSES = "Classifiers"


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
    json_: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Measure a trained model on held-out text, or word vectors by questions (google, wordsim353 if none are named)."""
    import json

    from textdl.errors import ConfigError, RunError

    of_classes = [name for name, value in _named(errors=errors, confusion=confusion, label_field=label_field) if value]
    if analogies is not None or similarity or _holds_vectors(run):
        if corpus is not None or split is not None:
            raise ConfigError("word vectors are measured by questions, not on a text; leave CORPUS and --split out")
        if of_classes:
            raise ConfigError(f"word vectors have no classes; leave {of_classes[0]} out")
        _words(run, analogies, similarity or [], most, method, json_)
        return
    from textdl.tasks import base

    loaded: Any = base.load(run, device, best)
    if hasattr(loaded, "probabilities"):
        figures = _classes(loaded, run, corpus, split, tuple(text_field or ()), label_field, errors, confusion)
    elif of_classes:
        task = loaded.config["task"]
        raise RunError(f"{run} is a {task} model, which has no classes; leave {of_classes[0]} out")
    else:
        figures = loaded.evaluate(corpus, split, tuple(text_field or ()))
    if json_:
        typer.echo(json.dumps(figures))
        return
    if not figures["same_corpus"]:
        typer.echo(f"note: {figures['corpus']} is not the text that the run was trained on", err=True)
    if hasattr(loaded, "probabilities"):
        from .class_tables import show_classes

        show_classes(figures)
        return
    for key, value in figures.items():
        if key != "same_corpus":
            typer.echo(f"{key.replace('_', ' '):<20} {shown(value)}")


def _named(**values: object) -> list[tuple[str, object]]:
    """Values with the flags that they were given by."""
    return [(f"--{name.replace('_', '-')}", value) for name, value in values.items()]


def _classes(
    loaded: Any,
    run: Path,
    corpus: str | None,
    split: str | None,
    text_field: tuple[str, ...],
    label_field: str | None,
    errors: int,
    confusion: Path | None,
) -> dict[str, Any]:
    """The figures of a classifier; its confusion matrix is drawn if a file is named."""
    from textdl.errors import ConfigError
    from textdl.inspect.confusion import draw_confusion, picture

    if confusion is not None:
        picture(confusion)  # a wrong name is told before the work, not after it
        if loaded.several:
            raise ConfigError(
                f"{run} gives several labels a text, of which none is taken for another; leave --confusion out"
            )
    figures: dict[str, Any] = loaded.evaluate(corpus, split, text_field, label_field=label_field, errors=errors)
    if figures["unknown_labels"]:
        typer.echo(
            f"note: {figures['unknown_labels']:,} of {figures['examples']:,} texts have a label that is no class of "
            f"{run}; they count as wrong",
            err=True,
        )
    if confusion is not None:
        title = f"{figures['corpus']}, {figures['split']}: accuracy {figures['accuracy']:.4f}"
        draw_confusion(figures["confusion"], confusion, title)
        typer.echo(f"confusion matrix drawn in {confusion}", err=True)
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
