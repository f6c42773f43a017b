"""The task handwriting: what it learns, what a run writes and measures, and what is refused."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textdl
from textdl import artifact
from textdl.config import replace
from textdl.errors import ConfigError, CorpusError, RunError
from textdl.strokes.line import Line, to_strokes
from textdl.strokes.resampling import evenly
from textdl.tasks import handwriting_run
from textdl.tasks.base import load, train
from textdl.tasks.handwriting import HandwritingTask, HandwritingTaskConfig
from textdl.tasks.handwriting_run import HandwritingRun, room_for, wrapped, written_by
from textdl.training.processes import Shard

QUICK: dict[str, Any] = {"device": "cpu", "precision": "float32", "threads": 1, "evaluations": 1}
#: Each letter is a stroke of its own: steps in raw units, and the way to the next letter.
LETTERS = {
    "i": [(0, 10)] * 2,
    "v": [(5, 10)] * 2 + [(5, -10)] * 2,
    "z": [(10, 0)] * 2 + [(-10, 10)] * 2 + [(10, 0)] * 2,
}


def written(text: str, seed: int, noise: float = 1.0) -> Line:
    """A text in these letters, with a little noise."""
    random, points, right, down = np.random.default_rng(seed), [], 0.0, 0.0
    for letter in text:
        if letter == " ":
            right += 20
            continue
        points.append((right, -down, 0.0))  # to the top of the line
        down = 0.0
        for x, y in LETTERS[letter]:
            points.append((x, y, 0.0))
            down += y
        points[-1] = (*points[-1][:2], 1.0)
        right = 12.0
    made = np.array(points, np.float32)
    made[:, :2] += noise * random.standard_normal((len(made), 2))
    made[0, :2] = 0
    return Line(made, text)


TEXTS = ["iv", "vz", "zi", "vi z", "ziv", "i zv", "vvi", "iz", "zz i", "vi"]
LINES = [written(text, 10 * n + m) for n, text in enumerate(TEXTS) for m in range(8)]
SPLITS = {"train": LINES, "validation": [written(t, 990 + n) for n, t in enumerate(TEXTS)], "test": LINES[::9]}


def prepared(corpus: Any, tell: Any = lambda event: None, shard: Shard | None = None, **settings: Any) -> Any:
    torch.manual_seed(1)
    config = replace(HandwritingTaskConfig(), {"hidden": 8, "mixtures": 2, "windows": 2, "coarser": 0.0, **settings})
    return HandwritingTask.prepare(corpus, config, tell, *([shard] if shard else []))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> HandwritingRun:
    """A writer that has learned these letters."""
    folder = tmp_path_factory.mktemp("handwriting") / "run"
    settings = {"hidden": 32, "layers": 1, "mixtures": 4, "windows": 2, "batch_size": 16, "steps": 300, "lr": 0.03}
    settings["coarser"] = 0  # the letters here are few and exact points
    made = train("handwriting", SPLITS, folder, settings={**QUICK, **settings})
    assert isinstance(made, HandwritingRun)
    return made


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> HandwritingRun:
    """A writer of strokes without texts, hardly trained."""
    drawings = [Line(line.points, "") for line in LINES]
    settings = {"hidden": 6, "mixtures": 2, "unconditional": True, "steps": 3}
    made = train("handwriting", drawings, tmp_path_factory.mktemp("alone") / "run", settings={**QUICK, **settings})
    assert isinstance(made, HandwritingRun)
    return made


def strokes_of(points: np.ndarray) -> list[np.ndarray]:
    return [part for part in np.split(points, np.flatnonzero(points[:, 2] == 1) + 1) if len(part)]


@pytest.mark.parametrize("text", ["iv", "zvi"])
def test_it_writes_the_letters_that_it_is_told(run: HandwritingRun, text: str) -> None:
    right = 0
    for seed in range(6):
        strokes = strokes_of(run.write(text, bias=2.0, seed=seed))
        letters = [letter for letter in text if letter != " "]
        if [len(stroke) for stroke in strokes] != [len(LETTERS[letter]) + 1 for letter in letters]:
            continue
        ways = [stroke[1:, :2] - LETTERS[letter] for stroke, letter in zip(strokes, letters, strict=True)]
        right += all(np.abs(way).max() < 8 for way in ways)
    assert right >= 4, "raw units, in the order of the text, and it ends where the text does"


def test_a_line_begins_at_0_ends_with_the_pen_lifted_and_is_its_seeds(run: HandwritingRun) -> None:
    first, again, other = (run.write("iv", seed=seed) for seed in (1, 1, 2))
    assert first.dtype == np.float32
    assert first[0, :2].tolist() == [0, 0]
    assert first[-1, 2] == 1
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_without_a_seed_each_line_is_another(run: HandwritingRun) -> None:
    first, other = run.write("iv"), run.write("iv")
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_more_bias_writes_more_alike(run: HandwritingRun) -> None:
    def spread(bias: float) -> float:
        return float(np.std([run.write("i", bias, seed=seed)[1, 1] for seed in range(12)]))

    assert spread(4.0) < 0.3 * spread(0.0)


def test_a_prime_is_read_first_and_is_no_part_of_the_line(run: HandwritingRun) -> None:
    prime = written("vi", 5)
    primed = run.write("z", bias=2.0, prime=prime, seed=3)
    assert len(primed) < len(prime.points) + len(LETTERS["z"])
    assert primed[0, :2].tolist() == [0, 0]
    assert primed[-1, 2] == 1
    larger = run.write("z", bias=2.0, prime=written("iz", 6), seed=3)
    assert primed.shape != larger.shape or not np.array_equal(primed, larger)


def test_a_line_that_found_no_end_is_cut_and_said(run: HandwritingRun) -> None:
    with pytest.warns(RuntimeWarning, match="'zz' was cut after 4 points"):
        cut = run.write("zz", seed=1, most_points=4)
    assert len(cut) == 5, "and the point that it begins with"
    assert cut[-1, 2] == 1
    assert room_for("abc", 10.0) == 220


def test_a_page_is_lines_broken_at_words(run: HandwritingRun) -> None:
    lines = run.write_page("iv zi vv\n\nz", width=5, bias=2.0, seed=1)
    assert [len(strokes_of(line)) > 0 for line in lines] == [True, True, False, True]
    assert lines[2].shape == (0, 3)
    again = run.write_page("iv zi vv\n\nz", width=5, bias=2.0, seed=1)
    assert all(map(np.array_equal, lines, again))


@pytest.mark.parametrize(
    "text, width, expected",
    [
        ("one two three", 7, ["one two", "three"]),
        ("a\nb", 7, ["a", "b"]),
        ("a\n\nb", 7, ["a", "", "b"]),
        ("abcdefgh ij", 5, ["abcde", "fgh", "ij"]),
        ("  much \t space ", 40, ["much space"]),
        ("well-known", 6, ["well-k", "nown"]),
        ("", 7, []),
    ],
)
def test_texts_are_wrapped(text: str, width: int, expected: list[str]) -> None:
    assert wrapped(text, width) == expected


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"text": "ié"}, "never seen in training: 'é' (LATIN SMALL LETTER E WITH ACUTE)"),
        ({"text": "i\x00"}, "'\\x00' (U+0000)"),
        ({"text": ""}, "text must hold something to write, got ''"),
        ({"text": "  "}, "text must hold something to write"),
        ({"text": None}, "text must hold something to write, got None"),
        ({"text": "i", "bias": -1.0}, "bias must be from 0 to 20, got -1"),
        ({"text": "i", "bias": math.nan}, "bias must be from 0 to 20, got nan"),
        ({"text": "i", "most_points": 0}, "most_points must be from 1"),
        ({"text": "i", "prime": written("iv", 1)._replace(text="q")}, "the text of prime has characters"),
        ({"text": "i", "prime": written("iv", 1)._replace(text="")}, "the text of prime must hold something"),
    ],
)
def test_what_can_not_be_written_is_refused_in_one_line(
    run: HandwritingRun, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        run.write(**arguments)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_page_is_refused_before_anything_is_written(run: HandwritingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HandwritingRun, "write", lambda *given: pytest.fail("written"))
    for text, said in (("iv\niéz", "LATIN SMALL LETTER E WITH ACUTE"), (" \n", "must hold something")):
        with pytest.raises(ConfigError, match=said):
            run.write_page(text)
    with pytest.raises(ConfigError, match="width must be at least 1"):
        run.write_page("iv", width=0)


def test_a_prime_whose_points_are_none_is_refused(run: HandwritingRun) -> None:
    prime = written("iv", 1)
    prime.points[2, 0] = np.nan
    with pytest.raises(CorpusError, match="prime, point 3 has NaN"):
        run.write("i", prime=prime)


def test_figures_are_of_scaled_and_of_raw_steps_and_say_so(run: HandwritingRun) -> None:
    figures = run.evaluate(SPLITS, split="test")
    assert figures["sequences"] == len(SPLITS["test"])
    assert figures["points"] == sum(len(line.points) - 1 for line in SPLITS["test"])
    scale = run.scaling.scale
    assert figures["raw_nats_per_point"] == pytest.approx(figures["nats_per_point"] + 2 * math.log(scale))
    assert f"{scale:.6g} raw units" in figures["normalising"]
    assert (figures["corpus"], figures["split"], figures["same_corpus"]) == ("strokes from memory", "test", True)
    assert figures["nats_per_point"] < 1.0, "better than one Gaussian of all steps, which has about 2.8"


def test_lines_in_other_units_are_measured_in_those_of_the_training(run: HandwritingRun) -> None:
    own = run.evaluate({"train": LINES[:9]}, split="train")
    shifted = [Line(line.points * np.array([3, 3, 1], np.float32), line.text) for line in LINES[:9]]
    assert run.evaluate(shifted)["split"] == "all"
    assert run.evaluate(shifted)["nats_per_point"] > own["nats_per_point"] + 1


def test_lines_with_other_characters_are_left_out_and_counted(run: HandwritingRun) -> None:
    other = [*LINES[:5], LINES[5]._replace(text="qi")]
    assert {key: run.evaluate(other)[key] for key in ("sequences", "left_out")} == {"sequences": 5, "left_out": 1}
    with pytest.raises(CorpusError, match="has no line whose characters the run knows"):
        run.evaluate([LINES[5]._replace(text="qi")])
    with pytest.raises(CorpusError, match="name a corpus"):
        run.evaluate()
    with pytest.raises(ConfigError, match="no text_field"):
        run.evaluate(LINES, text_field=("x",))


def test_strokes_alone_are_written_without_a_text(alone: HandwritingRun) -> None:
    assert alone.alphabet == ""
    made = alone.write(seed=1)
    assert len(made) == alone.usual_points + 1
    assert len(alone.write(seed=1, most_points=50)) == 51
    assert made[-1, 2] == 1
    assert alone.evaluate([Line(LINES[0].points, "")])["sequences"] == 1
    with pytest.raises(ConfigError, match="strokes alone and takes no text"):
        alone.write("iv")
    primed = alone.write(prime=Line(LINES[0].points, ""), seed=1)
    assert not np.array_equal(primed, made[1:])


def test_what_the_run_keeps_is_read_back(run: HandwritingRun, tmp_path: Path) -> None:
    kept = json.loads((run.path / artifact.STROKES).read_text())
    assert kept["alphabet"] == " ivz" == run.alphabet
    assert kept["scaling"] == run.scaling.to_json()
    again = load(run.path)
    assert isinstance(again, HandwritingRun)
    np.testing.assert_array_equal(again.write("iv", seed=4), run.write("iv", seed=4))
    assert run.next_command().startswith("textdl write ")
    text = (run.path / artifact.STROKES).read_text()
    (run.path / artifact.STROKES).write_text('{"alphabet": "x"}')
    with pytest.raises(RunError, match="is not what it was"):
        load(run.path)
    (run.path / artifact.STROKES).write_text(text)


def broken(change: Any, text: str = "iv") -> list[Line]:
    points = LINES[0].points.copy()
    made = change(points)
    return [*LINES[:20], Line(points if made is None else made, text)]


@pytest.mark.parametrize(
    "lines, said",
    [
        (broken(lambda points: points.__setitem__((2, 0), np.nan)), "line 21, point 3 has NaN"),
        (broken(lambda points: points[:1]), "line 21 has one point"),
        (broken(lambda points: points.__setitem__((-1, 2), 0)), "no pen-up at its end"),
        (broken(lambda points: None, text=""), "line 21 has no text"),
        ([], "holds no lines"),
        ([Line(np.array([[0, 0, 0], [0, 0, 1]], np.float32), "i")], "the pen does not move"),
    ],
)
def test_bad_strokes_are_refused_in_one_line_and_nothing_is_left(lines: list[Line], said: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as refused:
        train("handwriting", lines, tmp_path / "run", settings=QUICK)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_held_out_lines_with_unknown_characters_are_told() -> None:
    notes: list[str] = []
    held = [LINES[0], LINES[1]._replace(text="q")]
    task = prepared({"train": LINES, "validation": held}, lambda event: notes.append(event.text))
    assert any("left 1 of 2 validation lines out" in note for note in notes)
    assert task.metrics(task.model, None)["validation_nats_per_point"] > 0


def test_the_window_begins_at_the_pace_of_the_corpus() -> None:
    task = prepared(SPLITS)
    points, characters = (sum(len(getattr(line, name)) for line in LINES) for name in ("points", "text"))
    assert task.config.model.pace == pytest.approx(points / characters)
    assert task.config.model.characters == 4 + 1
    assert task.facts["alphabet"] == " ivz"


def test_two_processes_share_each_batch() -> None:
    whole = prepared(SPLITS, batch_size=12, slant=0.0, stretch=0.0)
    parts = [prepared(SPLITS, shard=Shard(rank, 2), batch_size=6, slant=0.0, stretch=0.0) for rank in range(2)]
    assert whole.steps_per_epoch() == parts[0].steps_per_epoch()
    for all_lines, *own in zip(*(task.batches("train", 3) for task in (whole, *parts)), strict=True):
        for rank, part in enumerate(own):
            assert torch.equal(part.sizes, all_lines.sizes[rank::2])
            assert torch.equal(part.points, all_lines.points[: len(part.points), rank::2])


def test_the_loss_is_the_nats_of_all_points_over_their_number() -> None:
    task = prepared(SPLITS, batch_size=200, slant=0.0, stretch=0.0)
    (batch,) = task.batches("train", 0)
    loss = task.loss(task.model, tuple(batch), None)
    assert loss.units == sum(len(line.points) - 1 for line in LINES)
    task._held = task._train
    assert float(loss.mean.detach()) == pytest.approx(task.metrics(task.model, None)["validation_nats_per_point"])


def test_a_sample_is_a_few_words_and_leaves_the_random_numbers_alone() -> None:
    task = prepared(SPLITS)
    state = torch.get_rng_state()
    assert "strokes" in task.sample(task.model)
    assert torch.equal(torch.get_rng_state(), state)


def test_python_reaches_it_as_any_task(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = textdl.train(
            "handwriting", SPLITS, out=tmp_path / "run", progress=False, hidden=6, mixtures=2, steps=2, **QUICK
        )
    assert run.report["figures"]["validation_raw_nats_per_sequence"] > 0


def test_points_are_set_anew_at_even_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same way of the pen, gone along in other steps: so the model reads all of them, primes too."""
    lines = [written(text, place, noise=0.0) for place, text in enumerate(TEXTS)]
    dense = [line._replace(points=evenly(line.points, 1.0)) for line in lines]
    task = prepared({"train": dense, "validation": dense[:2]}, coarser=4.0)
    steps = np.concatenate([line.points[1:, :2] for line in dense])
    lengths = np.hypot(*steps.T)
    step = 4.0 * float(lengths[lengths > 0].mean())
    raw = task.scaling.raw(task._train.points)
    inside = raw[1:][(raw[:-1, 2] == 0) & (np.arange(1, len(raw)) != 0)]  # steps with the pen down
    inside = np.hypot(*inside[:, :2].T)
    assert len(raw) < 0.5 * sum(len(line.points) for line in dense)
    assert inside.max() < 1.5 * step, "no step is much longer"
    assert float(task.facts["points set anew"].split()[1]) == pytest.approx(step, rel=1e-3)
    for own, line in zip(to_strokes(raw[: task._train.sizes[0]]), to_strokes(dense[0].points), strict=True):
        assert own[-1] == pytest.approx(line[-1], abs=1e-2), "strokes end where they ended"

    made = train("handwriting", {"train": dense, "test": dense[:3]}, tmp_path / "run", settings={**QUICK, "steps": 2})
    loaded = textdl.load(tmp_path / "run")
    assert loaded.step == pytest.approx(1.5 * float(lengths[lengths > 0].mean()), rel=1e-3)
    figures = made.evaluate({"train": dense, "test": dense[:3]}, split="test")
    assert "set anew" in figures["normalising"]
    again = [line._replace(points=evenly(line.points, made.step)) for line in dense[:3]]
    assert figures["points"] == sum(len(line.points) - 1 for line in again)
    given = []
    monkeypatch.setattr(handwriting_run, "written_by", lambda *each: given.append(each[6]) or written_by(*each))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.write("iv", prime=dense[0], seed=1, most_points=9)
    np.testing.assert_array_equal(given[0], made.scaling.scaled(again[0].points))
    plain = train("handwriting", dense, tmp_path / "plain", settings={**QUICK, "steps": 2, "coarser": 0})
    assert plain.step is None
    assert "set anew" not in plain.evaluate(dense)["normalising"]
