"""Datasets of the Hub: real ones saved to disk, and the Hub itself played by a stand-in (tests have no network)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

from textdl.corpus import CorpusConfig, open_corpus
from textdl.errors import CorpusError

ROWS = [{"label": n % 2, "review": f"review {n}"} for n in range(200)]


def saved(folder: Path, splits: dict[str, list[dict[str, Any]]]) -> Path:
    made = {name: datasets.Dataset.from_list(rows) for name, rows in splits.items()}
    datasets.DatasetDict(made).save_to_disk(str(folder))
    return folder


def test_saved_to_disk(tmp_path: Path) -> None:
    folder = saved(tmp_path / "reviews", {"train": ROWS[:150], "dev": ROWS[150:]})
    corpus = open_corpus(folder)
    assert corpus.text_fields == ("review",)
    assert list(corpus.split("validation")) == [row["review"] for row in ROWS[150:]]
    assert list(corpus.records("validation")) == ROWS[150:]
    dealt = [*corpus.split("train"), *corpus.split("test")]
    assert sorted(dealt) == sorted(str(row["review"]) for row in ROWS[:150])
    assert open_corpus(folder).digest == corpus.digest
    other = saved(tmp_path / "other", {"train": ROWS[:149], "dev": ROWS[150:]})
    assert open_corpus(other).digest != corpus.digest


def test_a_single_saved_split_is_all(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "one"))
    corpus = open_corpus(tmp_path / "one", CorpusConfig(validation=0.5, test=0))
    assert len([*corpus.split("train"), *corpus.split("validation")]) == len(ROWS)
    (tmp_path / "one" / "state.json").write_text("{")
    with pytest.raises(CorpusError, match="save_to_disk but can not be opened"):
        open_corpus(tmp_path / "one")


def test_name_config_and_streaming_reach_the_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(name: str, config: str | None, streaming: bool) -> Any:
        asked.append((name, config, streaming))
        made = datasets.DatasetDict({"train": datasets.Dataset.from_list(ROWS)})
        return made["train"].to_iterable_dataset() if streaming else made

    monkeypatch.setattr(datasets, "load_dataset", load)
    whole = open_corpus("hf:someone/reviews:small", CorpusConfig(text_field=("label", "review")))
    streamed = open_corpus("hf:reviews", CorpusConfig(text_field=("label", "review"), streaming=True))
    assert asked == [("someone/reviews", "small", False), ("reviews", None, True)]
    assert next(whole.records("train")) in ROWS
    for split in whole.splits:
        assert list(streamed.split(split)) == list(whole.split(split)), "restartable, and dealt the same way"
    assert (whole.card.source, whole.name) == ("hf:someone/reviews:small", "someone/reviews")
    assert len(streamed.digest) == 64


@pytest.mark.parametrize(
    "error, words",
    [
        (
            ConnectionError("Couldn't reach 'x' on the Hub\nmore"),
            "Couldn't reach 'x' on the Hub.; check the name; .*HF_HOME",
        ),
        (ValueError("Config name is missing.\nPlease pick: ['a', 'b']\nExample of usage"), "pick.*write hf:x:CONFIG"),
        (RuntimeError("Dataset scripts are no longer supported"), "parquet"),
    ],
)
def test_what_can_not_be_reached(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(CorpusError, match=words) as caught:
        open_corpus("hf:x")
    assert "\n" not in str(caught.value)


def test_no_train_and_no_name(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no split 'train', only en, de"):
        open_corpus(saved(tmp_path / "pairs", {"en": ROWS, "de": ROWS}))
    with pytest.raises(CorpusError, match="followed by the name"):
        open_corpus("hf:")
