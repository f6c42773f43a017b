"""A trained classifier of pictures: what it takes, what it says, how it is measured, what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import textdl
from textdl import artifact
from textdl.errors import ConfigError, CorpusError, RunError
from textdl.tasks.images_run import ImagesRun, channels_last

from .test_images import CORPUS, QUICK, SMALL, bars


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "run"
    settings = {**QUICK, **SMALL, "steps": 120, "lr": 0.02, "batch_size": 10}
    textdl.train("images", CORPUS, out=path, **settings)
    return path


@pytest.fixture
def run(trained: Path) -> ImagesRun:
    loaded = textdl.load(trained)
    assert isinstance(loaded, ImagesRun)
    return loaded


class TestPredict:
    def test_probabilities_are_the_softmax_of_the_model(self, run: ImagesRun) -> None:
        pixels, _ = CORPUS["test"]
        floats = torch.from_numpy(np.moveaxis(pixels, 3, 1) / np.float32(255))
        with torch.no_grad():
            expected = torch.softmax(run.model(floats).double(), -1).numpy()
        np.testing.assert_allclose(run.probabilities(pixels), expected, atol=1e-6)
        assert run.labels == ("leans", "lies", "stands")
        assert run.shape == (6, 6, 1)
        assert run.predict(pixels) == [run.labels[place] for place in expected.argmax(1)]

    def test_many_are_judged_in_pieces(self, run: ImagesRun, monkeypatch: pytest.MonkeyPatch) -> None:
        pixels, _ = CORPUS["train"]
        whole = run.probabilities(pixels)
        monkeypatch.setattr("textdl.tasks.images_run._AT_ONCE", 7)
        np.testing.assert_allclose(run.probabilities(pixels), whole, atol=1e-6)

    def test_pixels_may_lack_the_channel_or_be_fractions(self, run: ImagesRun) -> None:
        pixels, _ = CORPUS["test"]
        whole = run.probabilities(pixels)
        for same in (pixels[..., 0], pixels / 255, pixels.astype(np.int64), list(pixels), pixels.tolist()):
            np.testing.assert_allclose(run.probabilities(same), whole, atol=1e-6)

    def test_files_are_brought_to_the_shape_of_the_run(self, run: ImagesRun, tmp_path: Path) -> None:
        pixels, _ = CORPUS["test"]
        paths = [tmp_path / f"{n}.png" for n in range(4)]
        for path, picture in zip(paths, pixels, strict=False):
            Image.fromarray(picture[..., 0]).save(path)
        expected = run.predict(pixels[:4])
        assert run.predict(paths) == run.predict([str(path) for path in paths]) == expected
        assert run.predict(paths[1]) == run.predict(str(paths[1])) == expected[1:2]
        colour = tmp_path / "colour.png"
        Image.fromarray(np.repeat(pixels[0], 3, -1)).resize((12, 12), Image.Resampling.NEAREST).save(colour)
        assert run.pictures(colour).shape == (1, 6, 6, 1)
        assert run.predict([]) == []
        assert run.probabilities(np.zeros((0, 6, 6, 1), np.uint8)).shape == (0, 3)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (np.zeros((2, 5, 7), np.uint8), "are 7 × 5 grey, and the run judges 6 × 6 grey"),
            (np.zeros((2, 6, 6, 3), np.uint8), "6 × 6 colour, and the run judges 6 × 6 grey"),
            (np.zeros((6, 6), np.uint8), "the shape"),
            ([np.zeros((6, 6)), np.zeros((5, 5))], "no array of one shape"),
            (np.full((1, 6, 6), 300), "300"),
            (np.full((1, 6, 6), np.nan), "nan"),
            (7, "the shape"),
            (["nowhere.png"], "nowhere.png"),
            (["nowhere.png", 3], "nowhere.png"),
        ],
    )
    def test_what_is_no_picture_of_its_kind_is_refused(self, run: ImagesRun, given: Any, said: str) -> None:
        with pytest.raises(CorpusError, match=said) as refused:
            run.predict(given)
        assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_changes_the_layout_and_nothing_else(channels: int) -> None:
    given = torch.rand(2, channels, 4, 5)
    found = channels_last(given)
    assert torch.equal(found, given)
    assert found.stride() == (20 * channels, 1, 5 * channels, channels)
    convolution = torch.nn.Conv2d(channels, 8, 3)
    assert convolution(found).is_contiguous(memory_format=torch.channels_last)


class TestEvaluate:
    def test_figures_are_those_of_what_it_predicts(self, run: ImagesRun) -> None:
        pixels, labels = CORPUS["test"]
        figures = run.evaluate(CORPUS)
        right = np.array(run.predict(pixels)) == np.array(labels)
        assert figures["examples"] == 21
        assert figures["accuracy"] == right.mean()
        assert figures["error"] == pytest.approx(1 - right.mean())
        chosen = run.probabilities(pixels)[range(21), [run.labels.index(label) for label in labels]]
        assert figures["nats"] == pytest.approx(-np.log(chosen).mean())
        assert (figures["corpus"], figures["split"], figures["same_corpus"]) == ("images", "test", True)
        assert np.sum(figures["confusion"]["counts"]) == 21
        json.dumps(figures)

    def test_labels_of_another_corpus_are_found_by_their_names(self, run: ImagesRun) -> None:
        pixels, labels = bars(40, seed=9)
        known = run.evaluate((pixels, labels))
        assert known["split"] == "all"
        assert known["same_corpus"] is False
        assert known["examples"] == 40
        some = [place for place, label in enumerate(labels) if label != "leans"]  # places move: lies is 0 there
        fewer = run.evaluate((pixels[some], [labels[place] for place in some]))
        right = np.array(run.predict(pixels[some])) == np.array(labels)[some]
        assert fewer["accuracy"] == right.mean()
        renamed = [label.replace("leans", "new") for label in labels]
        strange = run.evaluate((pixels, renamed))
        assert strange["unknown_labels"] == renamed.count("new")
        assert strange["error"] == pytest.approx(1 - strange["accuracy"])
        assert strange["error"] > 0
        assert strange["accuracy"] == pytest.approx(fewer["accuracy"] * len(some) / 40)

    def test_a_label_that_is_new_in_a_test_split_counts_as_wrong(self, run: ImagesRun) -> None:
        pixels, labels = CORPUS["test"]
        named = ["new" if place < 5 else label for place, label in enumerate(labels)]
        figures = run.evaluate({"train": CORPUS["train"], "test": (pixels, named)})
        assert figures["unknown_labels"] == 5
        right = np.array(run.predict(pixels)) == np.array(named)
        assert figures["accuracy"] == right.mean()

    def test_the_worst_mistakes_say_where_their_pictures_are(self, run: ImagesRun) -> None:
        pixels, labels = bars(60, seed=11)
        wrong = [label if place % 4 else "lies" for place, label in enumerate(labels)]
        figures = run.evaluate((pixels, wrong), errors=5)
        images, probabilities = run.images((pixels, wrong)), run.probabilities(pixels)
        assert np.array_equal(images.pixels, pixels)
        assert [run.labels[place] for place in images.labels] == wrong
        sureness = []
        for mistake in figures["errors"]:
            place = mistake["index"]
            assert mistake["truth"] == wrong[place] != mistake["said"]
            assert mistake["said"] == run.labels[probabilities[place].argmax()]
            assert mistake["probability"] == pytest.approx(probabilities[place].max())
            sureness.append(mistake["probability"])
        missed = sorted(
            (row.max() for row, label in zip(probabilities, wrong, strict=True) if run.labels[row.argmax()] != label),
            reverse=True,
        )
        assert sureness == pytest.approx(missed[:5])

    def test_other_pictures_are_refused_with_both_shapes(self, run: ImagesRun) -> None:
        other = bars(20, side=9)
        with pytest.raises(CorpusError, match=r"are 9 × 9 grey, and the run judges 6 × 6 grey; .*--size 6"):
            run.evaluate(other)
        assert run.evaluate(other, size=6)["examples"] == 20

    def test_a_size_is_of_another_corpus(self, tmp_path: Path) -> None:
        pixels, labels = CORPUS["train"]
        np.savez(tmp_path / "own.npz", images=pixels, labels=labels)
        settings: dict[str, Any] = {"model": "softmax", "test": 0.3, "progress": False}
        run = textdl.train("images", tmp_path / "own.npz", out=tmp_path / "run", **settings)
        for place in (None, str(tmp_path / "own.npz")):
            with pytest.raises(ConfigError, match="size is of another corpus, and the run has its own as 6 × 6 grey"):
                run.evaluate(place, size=9)
            assert run.evaluate(place, size=6) == run.evaluate(place)

    def test_colours_become_grey(self, run: ImagesRun) -> None:
        colour = bars(20, channels=3)
        assert run.evaluate(colour)["examples"] == 20, "colours become grey"

    def test_what_can_not_be_measured_is_refused(self, run: ImagesRun) -> None:
        for arguments, said in (
            (((CORPUS["train"][0], [f"x{n % 3}" for n in range(50)]),), "none of the labels"),
            (({"train": CORPUS["train"]}, "test"), "empty"),
            ((CORPUS, "dev"), "no split 'dev'"),
            ((), "name a corpus"),
        ):
            given = arguments
            if said == "empty":
                given = ({"train": (CORPUS["train"][0][:3], CORPUS["train"][1][:3])}, "validation")
            with pytest.raises(CorpusError, match=said) as refused:
                run.evaluate(*given)
            assert len(str(refused.value).splitlines()) == 1
        with pytest.raises(ConfigError, match="text-field"):
            run.evaluate(CORPUS, text_field=("text",))


class TestLoading:
    @pytest.mark.parametrize(
        "change",
        [
            lambda record: record["corpus"]["labels"].pop(),
            lambda record: record["corpus"].update(labels=["a", "a", "b"]),
            lambda record: record["corpus"].update(labels=[1, 2, 3]),
            lambda record: record["corpus"].update(shape=[6, 6, 3]),
            lambda record: record["corpus"].pop("shape"),
            lambda record: record["corpus"].pop("digest"),
            lambda record: record.update(corpus=None),
            lambda record: record["model"].update(classes=4),
        ],
    )
    def test_a_record_that_was_changed_is_refused(
        self, trained: Path, change: Callable[[dict[str, Any]], Any], tmp_path: Path
    ) -> None:
        copy = tmp_path / "run"
        shutil.copytree(trained, copy)
        record = artifact.read_json(copy / artifact.CONFIG)
        change(record)
        artifact.write_json(copy / artifact.CONFIG, record)
        with pytest.raises(RunError, match=r"config\.json") as refused:
            textdl.load(copy)
        assert len(str(refused.value).splitlines()) == 1

    def test_known_pictures_of_another_run_are_refused(self, tmp_path: Path) -> None:
        other = {**CORPUS, "train": bars(50, seed=5)}
        for name, corpus in (("one", CORPUS), ("other", other)):
            textdl.train("images", corpus, out=tmp_path / name, model="knn", progress=False)
        known = "pictures.safetensors"
        shutil.copy(tmp_path / "other" / known, tmp_path / "one" / known)
        with pytest.raises(RunError, match="from another run"):
            textdl.load(tmp_path / "one")
        content = bytearray((tmp_path / "one" / known).read_bytes())
        content[-1] ^= 1
        (tmp_path / "one" / known).write_bytes(content)
        with pytest.raises(RunError, match="damaged"):
            textdl.load(tmp_path / "one")
        (tmp_path / "one" / known).unlink()
        with pytest.raises(RunError, match="missing"):
            textdl.load(tmp_path / "one")
