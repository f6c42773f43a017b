"""The study of the number of examples: what it trains on, measures, keeps and says."""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from textdl.errors import ConfigError, CorpusError, RunError, TextdlError
from textdl.inspect import study_texts
from textdl.inspect.dataset_size import dataset_size
from textdl.inspect.study import Row, Study
from textdl.inspect.study_picture import draw_accuracy
from textdl.inspect.study_settings import Lasting, config_of, configs_of, epochs_for
from textdl.inspect.study_texts import divided, shuffled
from textdl.labelled import Example
from textdl.tasks import base
from textdl.training.events import Note, Working

WORDS = {"good": ["fine", "lovely", "warm"], "bad": ["dull", "awful", "cold"], "odd": ["blue", "square"]}
LITTLE = {"model.hidden": 4, "model.embedding": 4, "data.min_count": 1}


def texts(number: int, seed: int, labels: tuple[str, ...] = ("good", "bad")) -> list[tuple[str, str]]:
    """Texts of their own, two of three words of which tell the label, now and then of another one."""
    draw, made = random.Random(seed), []
    for place in range(number):
        label = labels[place % len(labels)]
        words = draw.choices(WORDS[draw.choice(labels) if draw.random() < 0.3 else label], k=2)
        made.append((f"{words[0]} n{seed}x{place} {words[1]} {draw.choice(['film', 'book', 'meal'])}", label))
    return made


def corpus(train: int = 60, test: int = 30) -> dict[str, list[tuple[str, str]]]:
    return {"train": texts(train, 1), "test": texts(test, 2)}


class Watched:
    """Everything that is trained, and every text that a trained model is asked about."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None) -> None:
        self.trained: list[tuple[str, int, dict[str, Any]]] = []
        self.asked: list[list[Any]] = []
        self.configs: list[Any] = []
        train = base.train

        def watched(task: str, rows: Any, out: Path, config: Any, *more: Any) -> Any:
            if len(self.trained) == stop_at:
                raise KeyboardInterrupt
            self.trained.append((config.model.kind, config.train.seed, rows))
            self.configs.append(config)
            run = train(task, rows, out, config, *more)
            judge = run.probabilities  # type: ignore[attr-defined]
            run.probabilities = lambda some: (self.asked.append(list(some)), judge(some))[1]  # type: ignore[attr-defined]
            return run

        monkeypatch.setattr(base, "train", watched)


def timeless(rows: tuple[Row, ...]) -> list[Row]:
    return [replace(row, seconds=0.0) for row in rows]


def test_subsets_are_nested_and_all_models_see_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    watched, source = Watched(monkeypatch), corpus()
    study = dataset_size(source, tmp_path / "s", ("nb-svm", "naive-bayes"), (40, 10, 20), (3, 5))
    assert [(row.size, row.seed, row.model) for row in study.rows] == [
        (size, seed, model) for size in (10, 20, 40) for seed in (3, 5) for model in ("nb-svm", "naive-bayes")
    ]
    seen: dict[tuple[int, int], list[Any]] = {}
    for row, (model, seed, rows) in zip(study.rows, watched.trained, strict=True):
        assert (row.model, row.seed) == (model, seed)
        assert (len(rows["train"]), len(rows["validation"])) == (row.training, row.validation)
        assert row.training + row.validation == row.size
        assert row.validation == row.size // 10
        whole = rows["train"] + rows["validation"]
        assert len({text for text, _ in whole}) == row.size, "no text twice"
        assert set(whole) <= set(source["train"])
        assert seen.setdefault((seed, row.size), rows) == rows, "models of one size and seed learn from the same"
    for seed in (3, 5):
        learned = [seen[seed, size]["train"] for size in (10, 20, 40)]
        assert learned[1][: len(learned[0])] == learned[0]
        assert learned[2][: len(learned[1])] == learned[1]
    assert seen[3, 20]["train"] != seen[5, 20]["train"]
    assert all(asked == [text for text, _ in source["test"]] for asked in watched.asked)
    assert len(watched.asked) == 12


def test_a_row_is_what_the_model_of_a_user_would_get(tmp_path: Path) -> None:
    """Worked again without the study: the same texts into ``train``, its predictions counted one by one."""
    source = corpus(80, 40)
    study = dataset_size(source, tmp_path / "s", ("nb-svm",), (30,), (7,))
    order = shuffled([Example(text, "", (label,)) for text, label in source["train"]], 7)
    rows = [source["train"][place] for place in order[:30]]
    run = base.train("classify", {"train": rows[:27], "validation": rows[27:]}, tmp_path / "own", settings={
        "model": "nb-svm", "train.seed": 7, "data.test": 0.0
    })  # fmt: skip
    said = run.predict([text for text, _ in source["test"]])  # type: ignore[attr-defined]
    truth = [label for _, label in source["test"]]
    assert 0.5 < study.rows[0].accuracy < 1
    assert study.rows[0].accuracy == sum(a == b for a, b in zip(said, truth, strict=True)) / 40
    scores = []
    for label in ("good", "bad"):
        both = sum(a == b == label for a, b in zip(said, truth, strict=True))
        scores.append(2 * both / (said.count(label) + truth.count(label)))
    assert study.rows[0].macro_f1 == pytest.approx(statistics.mean(scores))


def test_stopped_and_gone_on_is_as_never_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def ask(name: str) -> Study:
        return dataset_size(corpus(), tmp_path / name, ("nb-svm", "lstm"), (20, 40), (1, 2), LITTLE, epochs=1)

    whole = ask("whole")
    with monkeypatch.context() as patch:
        watched = Watched(patch, stop_at=3)
        with pytest.raises(KeyboardInterrupt):
            ask("stopped")
    assert len(watched.trained) == 3
    lines = (tmp_path / "stopped" / "rows.jsonl").read_text().splitlines()
    assert [Row(**json.loads(line)).model for line in lines] == ["nb-svm", "lstm", "nb-svm"]
    assert "Not finished: 3 trainings" in (tmp_path / "stopped" / "table.md").read_text()
    assert not json.loads((tmp_path / "stopped" / "study.json").read_text())["finished"]
    (tmp_path / ".stopped.training-left").mkdir()  # of a kill
    with monkeypatch.context() as patch:
        watched = Watched(patch)
        study = ask("stopped")
        assert len(watched.trained) == 5, "what is done is not done again"
        assert timeless(ask("stopped").rows) == timeless(study.rows)
        assert len(watched.trained) == 5, "nor is what is finished"
    assert timeless(study.rows) == timeless(whole.rows)
    assert study.finished
    assert len((tmp_path / "stopped" / "rows.jsonl").read_text().splitlines()) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stopped", "whole"], "no temporary folder is left"
    kept = {".lock", "accuracy.png", "rows.jsonl", "study.json", "table.md"}
    assert {path.name for path in (tmp_path / "stopped").iterdir()} == kept


def test_ctrl_c_in_the_midst_of_a_training(tmp_path: Path) -> None:
    """The trainer ends in order after it; the study takes no half-trained model for a result."""
    shares: list[float] = []

    def tell(event: Any) -> None:
        if isinstance(event, Working):
            shares.append(event.share)
            if "lstm" in event.text and len(shares) == 4:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        dataset_size(corpus(), tmp_path / "s", ("nb-svm", "lstm"), (40,), (1,), LITTLE, epochs=20, tell=tell)
    (line,) = (tmp_path / "s" / "rows.jsonl").read_text().splitlines()
    assert json.loads(line)["model"] == "nb-svm"
    assert shares == sorted(shares)
    assert 0 < shares[-1] < 1
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_another_study_in_the_folder_is_refused(tmp_path: Path) -> None:
    ask = {"corpus": corpus(), "out": tmp_path / "s", "models": ("nb-svm",), "sizes": (20,), "seeds": (1,)}
    dataset_size(**ask)  # type: ignore[arg-type]
    for change, word in (
        ({"models": ("logistic",)}, "models nb-svm, not logistic"),
        ({"sizes": (20, 30)}, "sizes 20, not 20, 30"),
        ({"seeds": (1, 2)}, "seeds 1, not 1, 2"),
        ({"settings": {"model.ngrams": 1}}, "settings none, not model.ngrams=1"),
        ({"test_at_most": 10}, "test_at_most 5000, not 10"),
        ({"corpus": corpus(61), "sizes": None}, "another text or labels"),
    ):
        with pytest.raises(ConfigError, match=word) as error:
            dataset_size(**{**ask, **change})  # type: ignore[arg-type]
        assert "\n" not in str(error.value)
    (tmp_path / "s" / "rows.jsonl").write_text('{"model": 1}\n')
    with pytest.raises(RunError, match=r"rows\.jsonl can not be read"):
        dataset_size(**ask)  # type: ignore[arg-type]
    (tmp_path / "s" / "study.json").write_text('{"study": "another"}')
    with pytest.raises(RunError, match="no study of dataset-size"):
        dataset_size(**ask)  # type: ignore[arg-type]


def test_a_folder_that_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, words in (("full", "is not empty"), ("file", "can not be a folder")):
        with pytest.raises(RunError, match=words):
            dataset_size(corpus(), tmp_path / name, ("nb-svm",), (20,), (1,))
    assert (tmp_path / "full" / "letter.txt").read_text() == "mine"
    assert len(list((tmp_path / "full").iterdir())) == 1


def test_what_a_kill_at_the_very_beginning_leaves_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    for name in (".lock", ".study.json.x1y2"):
        (tmp_path / "s" / name).write_text("")
    dataset_size(corpus(), tmp_path / "s", ("nb-svm",), (20,), (1,))
    assert not (tmp_path / "s" / ".study.json.x1y2").exists()


def by_hand(rows: list[tuple[str, int, int, float]], **more: Any) -> Study:
    made = tuple(Row(model, n, seed, n - n // 10, n // 10, a, a - 0.01, 8.0, seed) for model, n, seed, a in rows)
    models, sizes, seeds = (tuple(dict.fromkeys(row[place] for row in rows)) for place in (0, 1, 2))
    plain = {"settings": (), "lasting": "8 epochs", "most_frequent": 0.5, **more}
    return Study("films", 9000, 500, ("bad", "good"), models=models, sizes=sizes, seeds=seeds, rows=made, **plain)


def test_the_table_is_means_over_seeds() -> None:
    draw = random.Random(0)
    rows = [(m, n, s, draw.random()) for n in (100, 3000) for s in (1, 2, 3) for m in ("nb-svm", "lstm", "cnn")]
    study = by_hand(rows)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in study.table().splitlines()[2:]]
    models = ("nb-svm", "lstm", "cnn")
    assert [(line[0], line[1]) for line in lines] == [(n, m) for n in ("100", "3,000") for m in models]
    for line in lines:
        own = [a for m, n, _, a in rows if (f"{n:,}", m) == (line[0], line[1])]
        assert line[2] == "3"
        assert line[3] == f"{100 * statistics.mean(own):.1f} %"
        assert line[4] == f"{100 * min(own):.1f} to {100 * max(own):.1f}"
        assert line[5] == f"{100 * statistics.mean(a - 0.01 for a in own):.1f} %"
        assert line[6] == f"{100 * (min(own) - 0.01):.1f} to {100 * (max(own) - 0.01):.1f}"
        assert line[7:] == ["-" if line[1] == "nb-svm" else "8", "2.0"]


def test_the_arithmetic_of_the_claim() -> None:
    """Errors of 20 and 25 % (means of 18, 22 and 27, 23): a quarter more; 75 / 80 of the accuracy."""
    study = by_hand([
        ("nb-svm", 1000, 1, 0.82), ("lstm", 1000, 1, 0.73), ("nb-svm", 1000, 2, 0.78), ("lstm", 1000, 2, 0.77),
    ])  # fmt: skip
    (found,) = study.comparisons()
    assert (found.linear_error, found.recurrent_error) == (pytest.approx(0.20), pytest.approx(0.25))
    assert found.error_difference == pytest.approx(0.25)
    assert found.error_range == (pytest.approx(23 / 22 - 1), pytest.approx(27 / 18 - 1))
    assert found.accuracy_difference == pytest.approx(0.75 / 0.80 - 1)
    line = "| 1,000 | nb-svm | lstm | 20.0 %, 25.0 % | +25.0 % | +4.5 % to +50.0 % | −6.2 % |"
    assert line in study.claim()
    assert "At a million: no verdict" in study.claim()


@pytest.mark.parametrize(("size", "linear", "recurrent", "words"), [
    (1000, 0.80, 0.72, "40.0 % more errors. This agrees"),
    (900, 0.80, 0.72, "At a thousand (900 examples) lstm against nb-svm: 40.0 % more errors. This agrees"),
    (1000, 0.80, 0.77, "15.0 % more errors. This does not agree with the claim (25 to 50 % more): the recurrent model "
                       "does better"),
    (1000, 0.80, 0.69, "55.0 % more errors. This does not agree with the claim (25 to 50 % more): the recurrent model "
                       "does worse"),
    (1000, 0.80, 0.82, "10.0 % fewer errors. This does not agree with the claim (25 to 50 % more): the recurrent model "
                       "does better"),
    (1_000_000, 0.80, 0.84, "20.0 % fewer errors. This agrees with the claim (0 to 30 % fewer)"),
    (1_000_000, 0.80, 0.87, "35.0 % fewer errors. This does not agree with the claim (0 to 30 % fewer): the recurrent "
                            "model does better"),
    (1_000_000, 0.80, 0.79, "5.0 % more errors. This does not agree with the claim (0 to 30 % fewer): the recurrent "
                            "model does worse"),
    (1000, 1.0, 0.9, "no verdict, as the linear model makes no error"),
    (3000, 0.80, 0.72, "At a thousand: no verdict. None of the sizes that were tried, 3,000 to 3,000, is near it"),
    (500_000, 0.80, 0.84, "At a million: no verdict"),
])  # fmt: skip
def test_verdicts(size: int, linear: float, recurrent: float, words: str) -> None:
    assert words in by_hand([("nb-svm", size, 1, linear), ("lstm", size, 1, recurrent)]).claim()


def test_no_verdict_without_both_kinds() -> None:
    assert "No verdict" in by_hand([("nb-svm", 1000, 1, 0.8), ("cnn", 1000, 1, 0.7)]).claim()
    unpaired = by_hand([("nb-svm", 1000, 1, 0.8), ("lstm", 1000, 2, 0.7)])
    assert unpaired.comparisons() == [], "another seed is another shuffle"
    assert not unpaired.finished


def test_epochs() -> None:
    """Steps are ceil(N / 32) an epoch."""
    assert epochs_for(90, 32, 8.0) == 60  # 3 steps: 134 epochs would make 400
    assert epochs_for(270, 32, 8.0) == 45  # 9 steps
    assert epochs_for(900, 32, 8.0) == 14  # 29 steps
    assert epochs_for(9_000, 32, 8.0) == 8
    assert epochs_for(100_000, 32, 8.0) == 8
    assert epochs_for(200_000, 32, 8.0) == 4
    assert epochs_for(10_000_000, 32, 8.0) == 1


def test_how_long_a_training_lasts() -> None:
    config = configs_of(("lstm",), {})["lstm"]

    def made(config: Any, *lasting: Any) -> Any:
        return config_of(config, Lasting.of(*lasting), 1000, 5, False).train

    assert (made(config, None, None, {}).epochs, made(config, None, None, {}).seed) == (14, 5)
    assert made(config, 3, None, {}).epochs == 3
    bounded = made(config, 3, 0.5, {})
    assert (bounded.minutes, bounded.steps) == (0.5, 3 * 29)
    fixed = configs_of(("lstm",), {"epochs": 2})["lstm"]
    assert made(fixed, None, None, {"epochs": 2}).epochs == 2
    assert made(fixed, None, 0.5, {"epochs": 2}).steps == 2 * 29
    for lasting in ((3, None, {"train.epochs": 2}), (3, None, {"steps": 9}), (None, 1, {"train.minutes": 2})):
        with pytest.raises(ConfigError, match="both say how long"):
            Lasting.of(*lasting)


def test_settings_go_to_the_models_that_have_them() -> None:
    found = configs_of(("nb-svm", "lstm", "cnn"), {"hidden": 7, "lr": 0.1, "model.ngrams": 1, "data.longest": 9})
    assert found["lstm"].model.hidden == 7
    assert found["lstm"].train.lr == found["cnn"].train.lr == 0.1
    assert found["nb-svm"].train.lr != 0.1, "which has no trainer"
    assert found["nb-svm"].model.ngrams == 1
    assert {config.data.longest for config in found.values()} == {9}


def test_every_subset_has_every_label() -> None:
    examples = [Example(f"text {place}", "", ("rare",) if place == 77 else (f"l{place % 3}",)) for place in range(100)]
    for seed in range(20):
        order = shuffled(examples, seed)
        assert sorted(order) == list(range(100))
        assert {examples[place].labels[0] for place in order[:4]} == {"rare", "l0", "l1", "l2"}
        assert {examples[place].labels[0] for place in divided(order, 10)[0]} == {"rare", "l0", "l1", "l2"}
    assert shuffled(examples, 1) == shuffled(examples, 1) != shuffled(examples, 2)
    assert divided(range(50_000), 30_000) == (list(range(28_000)), list(range(28_000, 30_000)))
    assert divided(range(9), 5) == ([0, 1, 2, 3], [4])


def test_sizes(tmp_path: Path) -> None:
    assert study_texts.sizes_of(None, 3000, 2, "x", print) == (100, 300, 1000, 3000)
    assert study_texts.sizes_of(None, 8491, 2, "x", print) == (100, 300, 1000, 3000, 8491)
    assert study_texts.sizes_of((50, None), 80, 2, "x", print) == (50, 80)
    notes: list[str] = []
    told = lambda event: notes.append(event.text) if isinstance(event, Note) else None  # noqa: E731
    study = dataset_size(corpus(), tmp_path / "s", ("nb-svm",), (2, 20, 500), (1,), tell=told)
    assert study.sizes == (20,)
    assert notes[0].startswith("2 examples are skipped: too few for 2 labels")
    assert notes[1].startswith("500 examples are skipped: the training split")
    assert notes[2].startswith("20 examples, nb-svm, seed 1: accuracy")


def test_few_of_many_held_out_texts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    watched, source = Watched(monkeypatch), corpus()
    study = dataset_size(source, tmp_path / "s", ("nb-svm",), (20, 40), (1, 2), test_at_most=12)
    assert study.test_texts == 12
    assert len(set(watched.asked[0])) == 12
    assert set(watched.asked[0]) <= {text for text, _ in source["test"]}
    dataset_size(source, tmp_path / "t", ("naive-bayes",), (30,), (9,), test_at_most=12)
    assert len(watched.asked) == 5
    assert all(asked == watched.asked[0] for asked in watched.asked), "in another study too"


def test_a_test_split_is_held_out_where_there_is_none(tmp_path: Path) -> None:
    study = dataset_size(texts(200, 1), tmp_path / "s", ("nb-svm",), (50,), (1,), {"data.test": 0.3})
    assert study.examples + study.test_texts == 200
    assert 30 < study.test_texts < 90


@pytest.mark.parametrize("models", [("nb-svm",), ("lstm",)])
def test_pairs_and_several_labels(models: tuple[str, ...], tmp_path: Path) -> None:
    pairs = {split: [((text, "and " + text), label) for text, label in rows] for split, rows in corpus().items()}
    study = dataset_size(pairs, tmp_path / "pairs", models, (30,), (1,), LITTLE if models == ("lstm",) else {})
    assert 0 < study.rows[0].accuracy <= 1
    draw = random.Random(3)
    several = {
        split: [{"text": text, "label": draw.sample(["a", "b", "c"], draw.randint(0, 2))} for text, _ in rows]
        for split, rows in corpus().items()
    }
    study = dataset_size(several, tmp_path / "several", models, (30,), (1,), LITTLE if models == ("lstm",) else {})
    assert study.labels == ("a", "b", "c")
    assert 0 <= study.rows[0].accuracy <= 1


@pytest.mark.parametrize(("change", "kind", "words"), [
    ({"models": ("nb-svn",)}, ConfigError, "there is no model 'nb-svn'; did you mean 'nb-svm'"),
    ({"models": ()}, ConfigError, "models must be a list"),
    ({"models": "lstm"}, ConfigError, "models must be a list"),
    ({"models": ("lstm", "lstm")}, ConfigError, "must be different"),
    ({"models": ("lm",)}, ConfigError, "needs a language model; add --set model.encoder=RUN"),
    ({"models": ("lm",), "settings": {"model.encoder": "nowhere"}}, RunError, "no run at nowhere"),
    ({"sizes": (1000,)}, CorpusError, "too few training texts"),
    ({"sizes": ()}, ConfigError, "sizes must be one or more"),
    ({"sizes": (1,)}, ConfigError, "2 at least, got 1"),
    ({"sizes": (20.5,)}, ConfigError, "whole numbers"),
    ({"seeds": (1, 1)}, ConfigError, "different whole numbers"),
    ({"epochs": 0}, ConfigError, "epochs must be more than 0"),
    ({"test_at_most": 0}, ConfigError, "at least 1"),
    ({"settings": {"model.hiden": 1}}, ConfigError, "has a setting 'model.hiden'"),
    ({"settings": {"lr": 0.1}}, ConfigError, "lr is a setting of neural models, and none is in the study"),
    ({"settings": {"train.seed": 1}}, ConfigError, "seeds"),
    ({"settings": {"model": "lstm"}}, ConfigError, "models"),
    ({"corpus": texts(30, 1, ("good",))}, CorpusError, "one class only"),
    ({"corpus": texts(4, 1)}, CorpusError, ""),
    ({"corpus": texts(60, 1), "settings": {"data.test": 0.0}}, CorpusError, "no test split with labels"),
    ({"corpus": {"train": texts(60, 1), "test": texts(9, 1, ("odd",))}}, CorpusError, "none of the labels"),
])  # fmt: skip
def test_bad_input(change: dict[str, Any], kind: type[TextdlError], words: str, tmp_path: Path) -> None:
    with pytest.raises(kind) as error:
        dataset_size(**{"corpus": corpus(), "out": tmp_path / "s", "models": ("nb-svm",), "sizes": (20,), **change})
    assert words in str(error.value)
    assert not (tmp_path / "s").exists()


def test_the_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line of means with a band from lowest to highest for each model, over a logarithmic axis."""
    from matplotlib.figure import Figure

    figures = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k)))
    study = by_hand([
        (model, size, seed, base + size / 10_000 + seed / 100)
        for model, base in (("nb-svm", 0.6), ("lstm", 0.5)) for size in (100, 1000) for seed in (1, 2, 3)
    ])  # fmt: skip
    draw_accuracy(replace(study, corpus="$x_1$ films"), tmp_path / "a.png")
    (axes,) = figures[0].axes
    assert axes.get_xscale() == "log"
    assert [line.get_label() for line in axes.lines[:2]] == ["nb-svm", "lstm"]
    assert list(axes.lines[0].get_xdata()) == [100, 1000]
    assert list(axes.lines[0].get_ydata()) == pytest.approx([63, 72])
    band = axes.collections[1].get_paths()[0].vertices
    assert {round(y, 6) for x, y in band if x == 100} == {52, 54}
    assert {round(y, 6) for x, y in band if x == 1000} == {61, 63}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["100", "1,000"]
    draw_accuracy(replace(study, corpus="a corpus of a name that is long " * 3), tmp_path / "c.png")
    for figure in figures:
        figure.draw_without_rendering()
        box = figure.axes[0].title.get_window_extent(figure.canvas.get_renderer())
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1, "the title is not cut off"
    draw_accuracy(replace(study, corpus="$x_1$ films"), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
