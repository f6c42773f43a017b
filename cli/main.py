"""The command ``textdl``. This file imports nothing but typer: a command's module is loaded when it is called."""

from __future__ import annotations

import os
import sys
from typing import Annotated, ClassVar

import typer

from .lazy import LazyGroup


class Commands(LazyGroup):
    """The table of commands: name -> (module, one line of help)."""

    table: ClassVar = {
        "train": ("textdl_cli.train", "Train a model on a corpus."),
        "lr-find": ("textdl_cli.lr_find", "Find a learning rate by a short test."),
        "generate": ("textdl_cli.generate", "Write text with a trained language model."),
        "evaluate": ("textdl_cli.evaluate", "Measure a trained model on held-out data."),
        "predict": ("textdl_cli.predict", "Judge texts or pictures with a trained classifier."),
        "explain": ("textdl_cli.explain", "Show which words moved a classifier's decision."),
        "translate": ("textdl_cli.translate", "Translate texts with a trained translator."),
        "tag": ("textdl_cli.tag", "Tag the words of texts."),
        "forecast": ("textdl_cli.forecast", "Say which numbers come next, with a trained forecaster."),
        "nearest": ("textdl_cli.nearest", "Show the words nearest to a word, or to a sum of words."),
        "analogy": ("textdl_cli.analogy", "Find the word that is to C as B is to A."),
        "study": ("textdl_cli.study", "Measure how models compare, and hold a claim against it."),
        "plot": ("textdl_cli.plot", "Draw words on a plane, what a model of pictures sees, or how a plane is bent."),
        "write": ("textdl_cli.write", "Write a text by hand, with a trained handwriting model."),
        "capture": ("textdl_cli.capture", "Record handwriting, with pen, finger or mouse, to train on it."),
        "models": ("textdl_cli.models", "Show what models of pictures are made of, layer by layer."),
        "convert": ("textdl_cli.convert", "Write word vectors, or pen strokes, in another format."),
        "info": ("textdl_cli.info", "Show what a run is and how it did."),
        "corpora": ("textdl_cli.corpora", "List the built-in corpora, or show one."),
    }


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=True, rich_markup_mode="rich")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("textdl"))
        raise typer.Exit()


@app.callback(epilog="Example: textdl train lm recipes --out runs/recipes, then textdl generate runs/recipes")
def textdl(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """From raw text to a trained neural model that you can use, look inside, and trust."""


def main() -> None:
    """Run the command line. What the user can mend is one line on standard error and exit code 2."""
    try:
        app()
    except BrokenPipeError:  # | head
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # a name that is too long, a disk that fails: what no command has words of its own for
        where = "" if error.filename is None else f"{_short(os.fsdecode(error.filename))}: "
        typer.echo(f"textdl: {where}{error.strerror or error}; give another file or folder", err=True)
        sys.exit(2)
    except Exception as error:
        from textdl.errors import TextdlError

        if not isinstance(error, TextdlError):
            raise
        typer.echo(f"textdl: {error}", err=True)
        sys.exit(error.exit_code)


def _short(path: str) -> str:
    """A path that can be read: of a long one its beginning and its end."""
    return path if len(path) <= 200 else f"{path[:120]}…{path[-60:]}"


if __name__ == "__main__":
    main()
