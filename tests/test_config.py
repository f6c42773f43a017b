"""Settings: one declaration, checked, and the same words everywhere."""

from dataclasses import dataclass, field

import pytest

from textdl.config import build, check, knob, knobs, locate, parse, replace, to_json
from textdl.errors import ConfigError


@dataclass(frozen=True)
class Part:
    hidden: int = knob(8, "Width.", least=1)
    cell: str = knob("lstm", "Cell.", choices=("rnn", "lstm"))
    names: tuple[str, ...] = knob((), "Names.")
    deep: bool = knob(False, "Deep.", flag=False)
    size: int = knob(0, "Found by the program.", derived=True)

    def __post_init__(self):
        check(self)


@dataclass(frozen=True)
class Other:
    lr: float = knob(0.1, "Rate.", above=0, most=1)
    steps: int | None = knob(None, "Steps.", least=1)
    hidden: int = knob(1, "Another width.")
    size: int = knob(5, "A size that people set.")

    def __post_init__(self):
        check(self)


@dataclass(frozen=True)
class Whole:
    model: Part = field(default_factory=Part)
    train: Other = field(default_factory=Other)


def message(call, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        call(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: Part(hidden=-1), "hidden must be at least 1, got -1"),
        (lambda: Part(hidden="many"), "hidden must be a whole number, got 'many'"),
        (lambda: Part(hidden=True), "hidden must be a whole number, got True"),
        (lambda: Part(cell="lstmm"), "cell has no choice 'lstmm'; did you mean 'lstm'?"),
        (lambda: Other(lr=0), "lr must be more than 0, got 0"),
        (lambda: Other(lr=2), "lr must be at most 1, got 2"),
        (lambda: Other(lr=float("nan")), "lr must be a number, got nan"),
        (lambda: Other(steps=1.5), "steps must be a whole number or none, got 1.5"),
    ],
)
def test_values_are_checked(call, words):
    assert message(call) == words


def test_json_round_trip_and_nesting():
    whole = replace(Whole(), {"cell": "rnn", "names": ("a", "b"), "lr": 1, "model.hidden": 3})
    assert whole == Whole(Part(3, "rnn", ("a", "b")), Other(1.0))
    assert build(Whole, to_json(whole)) == whole
    assert to_json(whole)["model"] == {"hidden": 3, "cell": "rnn", "names": ["a", "b"], "deep": False, "size": 0}


def test_unknown_names_suggest_near_ones():
    assert message(build, Whole, {"model": {"hiden": 3}}) == "model has no setting 'hiden'; did you mean 'hidden'?"
    assert "did you mean 'lr'" in message(replace, Whole(), {"lrr": 3})
    assert "model.hidden or train.hidden" in message(replace, Whole(), {"hidden": 3})
    assert message(build, Whole, {"model": 3}) == "model must be a table of settings, got 3"


def test_a_derived_field_gives_way_to_one_that_people_set():
    assert locate(Whole, "size") == ("train", "size")
    assert "worked out by the program" in message(locate, Whole, "model.size")


def test_text_is_parsed_by_type():
    assert parse(Whole, "model.hidden", "12") == 12
    assert parse(Whole, "lr", "1e-3") == 0.001
    assert parse(Whole, "steps", "none") is None
    assert parse(Whole, "deep", "yes") is True
    assert parse(Whole, "names", "a, b") == ("a", "b")
    assert message(parse, Whole, "steps", "x") == "steps must be a whole number or none, got 'x'"
    assert message(parse, Whole, "deep", "perhaps") == "deep must be true or false, got 'perhaps'"


def test_knobs_lists_fields_in_order():
    assert list(knobs(Part)) == ["hidden", "cell", "names", "deep", "size"]
    assert [n for n, (k, _, _) in knobs(Part).items() if k.flag] == ["hidden", "cell", "names"]
