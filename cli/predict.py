"""``textdl predict RUN TEXT...``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from .lines import batches, standard_input, typed, whole
from .options import Best, Device
from .runs import run_of, task_of

BATCH = 256  # texts that are judged at once
#: Task -> the module here, and its function, that judges what its runs take; all others are asked for texts.
OTHERS = {
    "images": ("predict_images", "predict_images"),
    "points": ("predict_points", "predict_points"),
}
#: A text, or a pair of texts.
Text = str | tuple[str, str]


def make(name: str) -> typer.Typer:
    """The command ``predict``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl predict runs/reviews 'Not half bad.'; textdl predict runs/reviews --file new.csv --json; "
        "textdl predict runs/digits scan.png"
    )
    app.command(name, epilog=epilog)(predict)
    return app


def predict(
    run: Annotated[Path, typer.Argument(help="Folder of a trained classifier.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Texts to judge; of images, files or folders; of points, X,Y."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            help="A file with a text a line, or a table (CSV, JSON lines …); - is standard input. Of images, an idx or "
            "npz file.",
        ),
    ] = None,
    second: Annotated[
        list[str] | None,
        typer.Option("--second", help="Second text of a pair: one for all texts, or one for each TEXT in turn."),
    ] = None,
    text_field: Annotated[
        list[str] | None, typer.Option("--text-field", help="Field(s) of the table that hold the text.")
    ] = None,
    second_field: Annotated[
        str | None, typer.Option("--second-field", help="Field of the table that holds the second text of a pair.")
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Print the probability of every class.")
    ] = False,
    device: Device = "cpu",
    best: Best = False,
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON object a text.")] = False,
) -> None:
    """Judge texts or pictures with a trained classifier: a line each, parted by tabs.

    Of a text or a point: label, probability, what was judged. Of a picture: file, label, probability.
    """
    from textdl.errors import ConfigError

    if bool(texts) == (file is not None):
        raise ConfigError("predict takes texts or --file FILE, one of the two; --file - reads standard input")
    task = task_of(run)
    if task in OTHERS:
        of_text = {"--second": second, "--text-field": text_field, "--second-field": second_field}
        _refuse(run, task, [flag for flag, value in of_text.items() if value])
        module, function = OTHERS[task]
        judge = getattr(import_module(f".{module}", __package__), function)
        judge(run, texts or [], file, device, best, probabilities, json_)
        return
    loaded = run_of("classify", run, device, best)
    _fit_pairs(loaded, run, bool(second) or second_field is not None)
    if file is None:
        if text_field or second_field is not None:
            raise ConfigError("--text-field and --second-field are of the table in --file; leave them out")
        source: Iterator[Text] = iter(paired(texts or [], second or [], loaded.pairs))
    else:
        source = _of_file(file, tuple(text_field or ()), second_field, second or [], loaded)
    for batch in batches(source, 1 if file == "-" and typed() else BATCH):
        typer.echo("\n".join(_lines(loaded, batch, probabilities, json_)))


def _refuse(run: Path, task: str, flags: list[str]) -> None:
    """Raise a ``ConfigError`` about flags that say nothing of a task."""
    from textdl.errors import ConfigError

    if flags:
        raise ConfigError(f"{run} is a model of {task}, for which {flags[0]} says nothing; leave it out")


def paired(texts: list[str], seconds: list[str], pairs: bool) -> list[Text]:
    """Texts with their second ones, where the run is of pairs; one second text goes with all.

    Raises:
        ConfigError: as many seconds as texts are needed, or one.
    """
    from textdl.errors import ConfigError

    first = [whole(text) for text in texts]
    if not pairs:
        return list(first)
    if len(seconds) not in (1, len(texts)):
        raise ConfigError(
            f"the run judges pairs of texts: give --second once, or once for each of the {len(texts)} texts, "
            f"got {len(seconds)}"
        )
    both = [whole(text) for text in seconds] * (len(texts) if len(seconds) == 1 else 1)
    return list(zip(first, both, strict=True))


def _fit_pairs(loaded: Any, run: Path, given: bool) -> None:
    from textdl.errors import ConfigError

    if given and not loaded.pairs:
        raise ConfigError(f"{run} judges single texts, not pairs; leave --second and --second-field out")


def _lines(loaded: Any, batch: list[Text], every: bool, as_json: bool) -> Iterator[str]:
    """What is printed of each text."""
    import json

    from textdl.tasks.class_figures import decisions

    rows = loaded.probabilities(batch)
    said = decisions(rows, loaded.several, loaded.thresholds if loaded.several else None)
    for text, row, choice in zip(batch, rows, said, strict=True):
        chosen = [number for number, is_so in enumerate(choice) if is_so] if loaded.several else [int(choice)]
        labels = [loaded.labels[number] for number in chosen]
        sure = [round(float(row[number]), 6) for number in chosen]
        if as_json:
            record: dict[str, Any] = {"text": text} if isinstance(text, str) else {"text": text[0], "second": text[1]}
            if loaded.several:
                record |= {"labels": labels, "probability": sure}
            else:
                record |= {"label": labels[0], "probability": sure[0]}
            if every:
                record["probabilities"] = every_class(loaded.labels, row)
            yield json.dumps(record, ensure_ascii=False)
            continue
        cells = [", ".join(labels) or "-", ", ".join(f"{value:.4f}" for value in sure) or "-"]
        if every:
            cells.append(every_cell(loaded.labels, row))
        yield "\t".join(one_line(cell) for cell in (*cells, *([text] if isinstance(text, str) else text)))


def _of_file(file: str, fields: tuple[str, ...], second_field: str | None, second: list[str], loaded: Any) -> Any:
    """The texts of a file, as they are read.

    Raises:
        ConfigError: a setting that does not go with that file.
        CorpusError: there is none, it is empty, or it is not what it should be.
    """
    from textdl.errors import ConfigError, CorpusError
    from textdl.text.records import holds_records

    if len(second) > 1:
        raise ConfigError(f"with --file one --second goes with all texts, got {len(second)}; or give --second-field")
    if second and second_field is not None:
        raise ConfigError("--second and --second-field say the same twice; leave one of them out")
    table = file != "-" and holds_records(Path(file))
    if not table and (fields or second_field is not None):
        what = "standard input" if file == "-" else file
        raise ConfigError(f"{what} is read as a text a line and has no fields; leave --text-field out")
    if table:
        texts = _of_table(Path(file), fields, second_field, second, loaded)
    else:
        texts = _of_lines(file, second, loaded.pairs)
    empty = True
    for text in texts:
        empty = False
        yield text
    if empty:
        raise CorpusError(f"{'standard input' if file == '-' else file} is empty; write texts into it, one a line")


def _of_lines(file: str, second: list[str], pairs: bool) -> Iterator[Text]:
    """A text a line; of pairs both with a tab between, unless one second text is for all."""
    from textdl.errors import CorpusError
    from textdl.text.files import read_lines

    lines = standard_input() if file == "-" else read_lines(Path(file))
    for number, line in enumerate(lines, 1):
        if not pairs or second:
            yield (line, whole(second[0])) if pairs else line
            continue
        text, tab, other = line.partition("\t")
        if not tab:
            where = "standard input" if file == "-" else file
            raise CorpusError(
                f"{where} line {number} has no tab, which parts the two texts of a pair; or give --second"
            )
        yield text, other


def _of_table(
    path: Path, fields: tuple[str, ...], second_field: str | None, second: list[str], loaded: Any
) -> Iterator[Text]:
    """The texts of a table: of the fields that are named, else of those that the run was trained on."""
    from itertools import chain, islice

    from textdl.errors import ConfigError
    from textdl.text.records import choose_fields, read_records, text_of
    from textdl.text.sources import SAMPLE

    trained = loaded.config.get("data", {})
    records = read_records(path)
    sample = list(islice(records, SAMPLE))
    there = {name for record in sample for name in record}
    usual = tuple(trained.get("text_field") or ())
    fields = choose_fields(sample, fields or (usual if there.issuperset(usual) else ()), str(path))
    other = second_field or trained.get("second_field")
    if loaded.pairs and not second:
        if other is None:
            raise ConfigError(
                f"the run judges pairs of texts: name the field of {path} with the second one by --second-field; "
                f"it has {', '.join(sorted(there))}"
            )
        choose_fields(sample, (other,), str(path))
    for record in chain(sample, records):
        text = text_of(record, fields, str(path))
        if not loaded.pairs:
            yield text
        else:
            yield text, whole(second[0]) if second else text_of(record, (other,), str(path))


def one_line(text: str) -> str:
    """A cell without what ends a line or a cell, or what a terminal would take for an order."""
    from textdl.text.visible import visible

    return visible(re.sub("[\t\n\r\x0b\x0c\x85\u2028\u2029]", " ", text))


def every_class(labels: Sequence[str], row: Iterable[float]) -> dict[str, float]:
    """The probability of every class, for JSON."""
    return {label: round(float(value), 6) for label, value in zip(labels, row, strict=True)}


def every_cell(labels: Sequence[str], row: Iterable[float]) -> str:
    """The probability of every class, as one cell."""
    return " ".join(f"{label}={value:.4f}" for label, value in zip(labels, row, strict=True))
