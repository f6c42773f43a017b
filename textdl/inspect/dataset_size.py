"""How accurate linear and recurrent models are with 100, 300, 1,000 ... all training examples of a corpus.

Every model is trained by the same :func:`textdl.tasks.base.train` that a user calls, into a folder that is thrown away
once it has been measured; what is kept is a line of figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .. import artifact
from ..labelled import Example, LabelledCorpus, open_labelled
from ..training.events import Event, Note, Observer, Progress, Working
from .study import LINEAR, Row, Study
from .study_folder import ROWS, STUDY, beside, earlier_rows, facts_of, make_folder, sweep_folder, write_results
from .study_settings import Lasting, check_numbers, config_of, configs_of, told_settings
from .study_texts import divided, held_out, most_frequent, read, shuffled, sizes_of

#: How much longer an epoch of a neural model takes than fitting a linear one: for the share that is shown only.
_SLOWER = 10.0


@dataclass(frozen=True)
class _Plan:
    """What is to be done."""

    configs: dict[str, Any]
    lasting: Lasting
    training: list[Example]
    test: list[Example]
    sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    several: bool
    pairs: bool


def dataset_size(
    corpus: Any,
    out: str | Path,
    models: Sequence[str] = ("nb-svm", "lstm"),
    sizes: Sequence[int | None] | None = None,
    seeds: Sequence[int] = (1, 2, 3),
    settings: Mapping[str, Any] | None = None,
    epochs: float | None = None,
    minutes_at_most: float | None = None,
    test_at_most: int = 5_000,
    tell: Observer = lambda event: None,
) -> Study:
    """Train models on nested subsets of a corpus and measure all on the same held-out texts.

    Args:
        corpus: anything that :func:`textdl.labelled.open_labelled` takes; its test split, or a held-out share, is what
            is measured on.
        out: folder of the study; one that was stopped goes on where it was.
        models: names of classifiers, neural or linear.
        sizes: numbers of training examples, None for all; by default 100, 300, 1,000, 3,000 ... and all.
        seeds: of the shuffles and of the trainings.
        settings: as of :func:`textdl.train`; each goes to those of the models that have it.
        epochs: of neural models; by default enough for about 400 steps, see :func:`.study_settings.epochs_for`.
        minutes_at_most: that a training may take; not reproducible.
        test_at_most: held-out texts that are measured on.
        tell: gets a note for each training that is done, and how far the whole is.

    Returns:
        The study; ``out`` holds it as rows.jsonl, table.md, study.json and accuracy.png.

    Raises:
        ConfigError: an unknown model or setting, or a study in ``out`` with other settings.
        CorpusError: no corpus of two classes with held-out texts, or too few texts for every size.
        RunError: ``out`` is no study, or can not be written.
        KeyboardInterrupt: it was stopped; what is done is kept.
    """
    folder, settings = Path(out), dict(settings or {})
    configs = configs_of(models, settings)
    check_numbers(sizes, seeds, epochs, minutes_at_most, test_at_most)
    opened = open_labelled(corpus, replace(next(iter(configs.values())).data, validation=0.0))
    training, labels = read(opened)
    test = held_out(opened, labels, test_at_most)
    chosen = sizes_of(sizes, len(training), len(labels), opened.name, tell)
    lasting = Lasting.of(epochs, minutes_at_most, settings)
    plan = _Plan(configs, lasting, training, test, chosen, tuple(seeds), opened.several, opened.pairs)
    told = told_settings(settings, test_at_most)
    study = Study(
        opened.name, len(training), len(test), labels, most_frequent(test), tuple(configs), chosen, tuple(seeds), told,
        lasting.told(), (),
    )  # fmt: skip
    facts = _facts(plan, settings, test_at_most, opened)
    make_folder(folder)
    with artifact.locked(folder):
        sweep_folder(folder)
        study = replace(study, rows=earlier_rows(folder, facts))
        artifact.write_json(folder / STUDY, facts | study.to_json())
        try:
            for row in _new_rows(folder, plan, study.rows, tell):
                study = replace(study, rows=(*study.rows, row))
                # all lines anew, so that a kill leaves whole ones only
                artifact.write_atomic(folder / ROWS, "".join(json.dumps(asdict(one)) + "\n" for one in study.rows))
        finally:
            write_results(folder, facts, study)
    return study


def _facts(plan: _Plan, settings: Mapping[str, Any], test_at_most: int, corpus: LabelledCorpus) -> dict[str, Any]:
    """What a study that goes on must have in common with what it was."""
    return facts_of(
        models=list(plan.configs),  # what explains most stands first: the first difference is the one that is told
        settings=dict(settings),
        epochs=plan.lasting.epochs,
        minutes_at_most=plan.lasting.minutes,
        test_at_most=test_at_most,
        digest=corpus.digest,
        sizes=plan.sizes,
        seeds=plan.seeds,
    )


def _new_rows(folder: Path, plan: _Plan, done: Sequence[Row], tell: Observer) -> Iterator[Row]:
    """The rows that are still to be made, small sizes first, so that something can be seen early."""
    orders = {seed: shuffled(plan.training, seed) for seed in plan.seeds}
    known = {(row.model, row.size, row.seed) for row in done}
    work = [(model, size, seed) for size in plan.sizes for seed in plan.seeds for model in plan.configs]
    costs = [_cost(plan, model, size) for model, size, _ in work]
    total, so_far = sum(costs), 0.0
    for (model, size, seed), cost in zip(work, costs, strict=True):
        if (model, size, seed) not in known:
            title = f"{size:,} examples, {model}, seed {seed}"
            before = so_far / total

            def watch(event: Event, title: str = title, before: float = before, own: float = cost / total) -> None:
                if isinstance(event, Progress):
                    tell(Working(title, before + own * event.share))

            tell(Working(title, before))
            row = _trained(folder, plan, (model, size, seed), orders[seed], watch)
            tell(Note(f"{title}: accuracy {row.accuracy * 100:.1f} %, {row.seconds:.1f} s"))
            yield row
        so_far += cost
    tell(Working("done", 1.0))


def _trained(folder: Path, plan: _Plan, what: tuple[str, int, int], order: Sequence[int], watch: Observer) -> Row:
    """Train one model and measure it."""
    from ..tasks import base

    model, size, seed = what
    parts = divided(order, size)
    rows = {
        split: [_record(plan.training[place], plan.several, plan.pairs) for place in part]
        for split, part in zip(("train", "validation"), parts, strict=True)
    }
    config = config_of(plan.configs[model], plan.lasting, size, seed, plan.several)
    with beside(folder) as place:
        run = base.train("classify", rows, place / "run", config, [watch])
        ended = run.report
        if ended["ended"] == "interrupted":
            raise KeyboardInterrupt
        accuracy, f1 = _measured(run, plan.test)
    training, validation = map(len, parts)
    return Row(model, size, seed, training, validation, accuracy, f1, ended["epochs"], ended["seconds"])


def _record(example: Example, several: bool, pairs: bool) -> tuple[Any, Any]:
    text = (example.text, example.second) if pairs else example.text
    return text, list(example.labels) if several else example.labels[0]


def _measured(run: Any, test: Sequence[Example]) -> tuple[float, float]:
    """Accuracy and macro F1 of a classifier on the held-out texts."""
    from ..tasks.class_figures import class_figures
    from ..tasks.labelled_texts import Texts, truth_of, unknown_of

    texts = Texts([e.text for e in test], [e.second for e in test], [e.labels for e in test])
    truth, unknown = truth_of(texts, run.labels, run.several), unknown_of(texts, run.labels)
    found = run.probabilities(list(zip(texts.texts, texts.seconds, strict=True)) if run.pairs else texts.texts)
    figures = class_figures(truth, found, run.labels, run.several, run.thresholds, unknown if run.several else None)
    return figures["accuracy"], figures["macro_f1"]


def _cost(plan: _Plan, model: str, size: int) -> float:
    """About how long a training takes, in any unit."""
    config = config_of(plan.configs[model], plan.lasting, size, 1, plan.several)
    return size * (1.0 if model in LINEAR else _SLOWER * config.train.epochs)
