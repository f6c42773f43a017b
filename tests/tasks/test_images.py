"""The task ``images``: what a batch is, what its loss is, exact resumption, and the baselines that need no trainer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import textdl
from textdl import artifact
from textdl.config import replace
from textdl.errors import ConfigError, CorpusError, TextdlError
from textdl.image_corpus import ImagesConfig, open_images
from textdl.tasks.images import Batch, ImageClassification, LearningImages
from textdl.tasks.images_run import as_floats, judged
from textdl.training.augmenting import Plan, augment, mixup
from textdl.training.events import Event, Progress, Started
from textdl.training.gradient_task import Loss
from textdl.training.processes import Shard

QUICK: dict[str, Any] = {"device": "cpu", "precision": "float32", "threads": 1, "progress": False}


def bars(count: int, side: int = 6, channels: int = 1, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Bars that lie, stand or lean, on dark ground with noise."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 60, (count, side, side, channels)).astype(np.uint8)
    labels = []
    for number, picture in enumerate(pixels):
        place, kind = int(generator.integers(1, side - 1)), number % 3
        rows = ((place, slice(None)), (slice(None), place), (np.arange(side), np.arange(side)))[kind]
        picture[rows] = 255 - generator.integers(0, 60)
        labels.append(("lies", "stands", "leans")[kind])
    return pixels, labels


CORPUS = {"train": bars(50), "validation": bars(20, seed=1), "test": bars(21, seed=2)}
SMALL = {"model": "convnet", "filters": ("4", "6"), "blocks": 1, "batch_size": 8}


def prepared(corpus: Any = CORPUS, *, shard: Shard = Shard(), **settings: Any) -> LearningImages:
    config = replace(ImageClassification.config_class(), {"device": "cpu", **SMALL, **settings})
    task = ImageClassification.prepare(corpus, config, lambda event: None, shard)
    assert isinstance(task, LearningImages)
    return task


def what_counts(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    lines = [json.loads(line) for line in (run / artifact.METRICS).read_text().splitlines()]
    kept = [{k: v for k, v in line.items() if k not in ("seconds", "units_per_s")} for line in lines]
    return (run / artifact.MODEL).read_bytes(), kept


class TestBatches:
    def test_a_pass_has_every_picture_with_its_label_and_is_filled_up_from_its_beginning(self) -> None:
        pixels, names = CORPUS["train"]
        known = {picture.tobytes(): name for picture, name in zip(pixels, names, strict=True)}
        assert len(known) == 50
        task = prepared()
        batches = list(task.batches("train", 1))
        assert len(batches) == task.steps_per_epoch() == 7
        assert all(batch.pixels.shape == (8, 6, 6, 1) and batch.pixels.dtype == torch.uint8 for batch in batches)
        seen = [picture.numpy().tobytes() for batch in batches for picture in batch.pixels]
        assert set(seen[:50]) == set(known)
        assert seen[50:] == seen[:6]
        labels = [task.corpus.labels[place] for batch in batches for place in batch.labels.tolist()]
        assert labels == [known[picture] for picture in seen]

    @pytest.mark.parametrize(
        ("settings", "fits"),
        [
            ({"model": "mlp", "widths": ("4",), "batch_norm": True}, False),
            ({"model": "convnet", "filters": ("2", "2", "2"), "dropout": 0.0}, False),  # 6, 3, 1 pixels
            ({"model": "convnet", "filters": ("2", "2"), "dropout": 0.0}, True),
            ({"model": "mlp", "widths": ("4",)}, True),
        ],
    )
    def test_one_picture_alone_needs_more_than_one_value(self, settings: dict[str, Any], fits: bool) -> None:
        """Of a batch normalisation: torch ends such a training with a ValueError."""
        made = replace(ImageClassification.config_class(), {"device": "cpu", **settings, "batch_size": 1})
        if not fits:
            with pytest.raises(ConfigError, match=f"batch_size must be at least 2 for this {settings['model']}: "):
                ImageClassification.prepare(CORPUS, made, lambda event: None)
            return
        task = ImageClassification.prepare(CORPUS, made, lambda event: None)
        assert isinstance(task, LearningImages)
        task.loss(task.model.train(), next(task.batches("train", 0)), None).mean.backward()

    def test_several_processes_get_the_batches_of_one(self) -> None:
        whole = list(prepared(batch_size=8).batches("train", 2))
        parts = [list(prepared(shard=Shard(rank, 2), batch_size=4).batches("train", 2)) for rank in range(2)]
        for one, first, second in zip(whole, *parts, strict=True):
            assert torch.equal(one.pixels, torch.cat([first.pixels, second.pixels]))
            assert torch.equal(one.labels, torch.cat([first.labels, second.labels]))

    def test_the_model_is_told_mean_and_spread_of_training_pixels_alone(self) -> None:
        colours = {"train": bars(30, channels=3), "validation": bars(9, channels=3, seed=1)}
        colours["test"] = colours["validation"]
        colours["train"][0][..., 1] = 77
        colours["train"][0][:8, ..., ::2] = 250  # a few on bright ground
        task = prepared(colours)
        train = colours["train"][0] / 255
        mean, spread = train.mean((0, 1, 2)), train.std((0, 1, 2))
        assert task.model.mean.tolist() == pytest.approx(mean)  # type: ignore[union-attr, operator]
        assert task.model.spread.tolist() == pytest.approx([spread[0], 1.0, spread[2]])  # type: ignore[union-attr, operator]
        grounds = [ground_of(colours["train"][0][..., channel : channel + 1]) for channel in range(3)]
        assert task._background.tolist() == pytest.approx(grounds)
        own: Any = task.config.model
        assert (own.height, own.width, own.channels, own.classes) == (6, 6, 3, 3)


def logits_of(task: LearningImages, pixels: torch.Tensor, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    found: torch.Tensor = task.model.train()(pixels)
    return found


class TestLoss:
    def batch(self, task: LearningImages) -> Batch:
        return next(iter(task.batches("train", 0)))

    def loss(self, task: LearningImages, seed: int = 4) -> Loss:
        torch.manual_seed(seed)
        return task.loss(task.model.train(), self.batch(task), None)

    def test_it_is_the_cross_entropy_of_pixels_in_0_to_1(self) -> None:
        task = prepared(dropout=0.0)
        pixels, labels = self.batch(task)
        floats = torch.from_numpy(np.moveaxis(pixels.numpy(), 3, 1) / np.float32(255))
        expected = F.cross_entropy(logits_of(task, floats, 4), labels)
        found = self.loss(task)
        assert found.mean.item() == pytest.approx(expected.item(), rel=1e-5)
        assert found.reported is not None
        assert float(found.reported) == pytest.approx(expected.item(), rel=1e-5)
        assert found.units == 8

    def test_smoothing_and_class_weights_go_down_and_plain_nats_are_read(self) -> None:
        uneven = {"train": (CORPUS["train"][0], ["a"] * 30 + ["b"] * 15 + ["c"] * 5)}
        uneven |= {"validation": uneven["train"], "test": uneven["train"]}
        task = prepared(uneven, dropout=0.0, class_weights="balanced", label_smoothing=0.2)
        pixels, labels = self.batch(task)
        logits = logits_of(task, as_floats(pixels), 4)
        weights = torch.tensor([50 / 90, 50 / 45, 50 / 15])
        chances = F.log_softmax(logits, -1)
        each = -(0.8 * chances[range(8), labels] + 0.2 * chances.mean(-1))
        found = self.loss(task)
        assert found.mean.item() == pytest.approx((each * weights[labels]).mean().item(), rel=1e-5)
        assert found.reported is not None
        assert float(found.reported) == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)

    def test_pictures_are_changed_and_mixed_with_their_labels(self) -> None:
        task = prepared(shift=1.0, elastic=0.5, mixup=0.3, dropout=0.0)
        pixels, labels = self.batch(task)
        torch.manual_seed(4)
        changed = augment(
            as_floats(pixels), Plan(shift=1.0, elastic=0.5), torch.tensor([ground_of(CORPUS["train"][0])])
        )
        mixed = mixup(changed, 0.3)
        logits = task.model.train()(mixed.pixels)
        chances = F.log_softmax(logits, -1)
        target = mixed.share[:, None] * F.one_hot(labels, 3)
        target = target + (1 - mixed.share[:, None]) * F.one_hot(labels[mixed.order], 3)
        expected = -(target * chances).sum(-1).mean().item()
        found = self.loss(task)
        assert found.mean.item() == pytest.approx(expected, rel=1e-5)
        assert found.reported is not None
        assert float(found.reported) == pytest.approx(expected, rel=1e-5)
        assert 0 < float(mixed.share.min()) < 1

    def test_auxiliary_heads_count_three_tenths(self) -> None:
        task = prepared(dropout=0.0)

        class ThreeHeads(torch.nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                flat = x.flatten(1)
                return torch.stack([flat[:, :3], flat[:, 3:6], flat[:, 6:9]])

        batch = self.batch(task)
        heads = ThreeHeads()(as_floats(batch.pixels))
        each = [F.cross_entropy(head, batch.labels).item() for head in heads]
        found = task.loss(ThreeHeads(), batch, None)
        assert found.mean.item() == pytest.approx(each[0] + 0.3 * (each[1] + each[2]), rel=1e-5)
        assert found.reported is not None
        assert float(found.reported) == pytest.approx(each[0], rel=1e-5)


def ground_of(pixels: np.ndarray) -> float:
    """The median over pictures of the median of their border, slowly."""
    edge = np.ones(pixels.shape[1:3], bool)
    edge[1:-1, 1:-1] = False
    return float(np.median([int(np.median(picture[edge])) for picture in pixels]) / 255)


class TestTraining:
    @pytest.mark.parametrize(
        "settings",
        [
            {"rotation": 10.0, "elastic": 0.3, "mixup": 0.2, "cutout": 2, "dropout": 0.2, "ema": 0.8},
            {"flip": True, "crop": 1, "dropout": 0.2, "swa": 0.5, "class_weights": "balanced"},
        ],
        ids=["ema", "swa"],
    )
    def test_cut_off_and_resumed_it_is_to_the_bit_what_it_would_have_been(
        self, settings: dict[str, Any], tmp_path: Path
    ) -> None:
        class Cut(BaseException):
            pass

        def cut(event: Event) -> None:
            if isinstance(event, Progress) and event.step >= 20:
                raise Cut

        resumed: list[int] = []

        def watch(event: Event) -> None:
            if isinstance(event, Started):
                resumed.append(event.resumed)

        every = {**QUICK, **SMALL, **settings, "steps": 24, "evaluations": 4, "checkpoint_steps": 7}
        textdl.train("images", CORPUS, out=tmp_path / "whole", **every)
        with pytest.raises(Cut):
            textdl.train("images", CORPUS, out=tmp_path / "cut", observers=[cut], **every)
        textdl.train("images", CORPUS, out=tmp_path / "cut", observers=[watch], resume=True, **every)
        assert resumed == [14]
        assert what_counts(tmp_path / "cut") == what_counts(tmp_path / "whole")

    def test_it_learns_to_tell_bars_and_its_figures_are_those_of_the_run(self, tmp_path: Path) -> None:
        run = textdl.train(
            "images", CORPUS, out=tmp_path / "run", **{**QUICK, **SMALL, "steps": 150, "lr": 0.02, "dropout": 0.0}
        )
        figures = run.report["figures"]
        assert figures["validation_accuracy"] > 0.85
        held_out = run.evaluate(CORPUS, split="validation")
        for name in ("accuracy", "error", "macro_f1", "nats", "calibration_error"):
            assert held_out[name] == pytest.approx(figures[f"validation_{name}"]), name
        assert figures["validation_error"] == pytest.approx(1 - figures["validation_accuracy"])
        assert run.config["corpus"]["shape"] == [6, 6, 1]
        assert run.config["corpus"]["labels"] == ["leans", "lies", "stands"]

    def test_few_are_judged_while_training_of_all_classes(self) -> None:
        pixels, labels = CORPUS["validation"]
        order = np.argsort(labels)
        ordered = {**CORPUS, "validation": (pixels[order], [labels[n] for n in order])}
        task = prepared(ordered, evaluate_at_most=9)
        assert len(set(task._held_out.labels.tolist())) == 3
        assert len(task._held_out.pixels) == 9
        figures = task.metrics(task.model, 9)
        truth = task._held_out.labels
        right = judged(task.model, task._held_out.pixels).argmax(1) == truth
        assert figures["validation_accuracy"] == right.mean()
        assert "a picture of" in task.sample(task.model)

    def test_nothing_held_out_means_no_figures(self) -> None:
        config = ImagesConfig(validation=0, test=0)
        task = prepared(open_images({"train": CORPUS["train"]}, config))
        assert task.metrics(task.model, None) == {}
        assert task.sample(task.model) == ""

    @pytest.mark.parametrize("average", [{"swa": 0.8}, {"ema": 0.9}], ids=str)
    def test_averaged_weights_are_saved_with_the_statistics_they_were_measured_with(
        self, average: dict[str, float], tmp_path: Path
    ) -> None:
        run = textdl.train("images", CORPUS, out=tmp_path / "run", **{**QUICK, **SMALL, "steps": 30, **average})
        nats = run.report["figures"]["validation_nats"]
        assert run.evaluate(CORPUS, split="validation")["nats"] == pytest.approx(nats, rel=1e-6)


class TestRefused:
    @pytest.mark.parametrize(
        ("corpus", "said"),
        [
            ({"train": (np.zeros((9, 4, 4), np.uint8), [1] * 9)}, "one class only"),
            ({"train": (np.zeros((0, 4, 4), np.uint8), [])}, "holds no images"),
            ({"train": (np.zeros((3, 4, 4), np.uint8), [0, 1, -1])}, "out of the range"),
            ({"train": (np.zeros((3, 4, 4), np.uint8), [0, 1])}, "2 labels for 3 images"),
            ({"train": ["a", "b"]}, "images"),
        ],
    )
    @pytest.mark.parametrize("model", ["convnet", "knn"])
    def test_pictures_that_are_none_leave_nothing_behind(
        self, corpus: Any, said: str, model: str, tmp_path: Path
    ) -> None:
        with pytest.raises(CorpusError, match=said) as refused:
            textdl.train("images", corpus, out=tmp_path / "run", model=model, progress=False)
        assert len(str(refused.value).splitlines()) == 1
        assert not (tmp_path / "run").exists()

    def test_a_model_too_deep_says_what_to_take(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="6 × 6"):
            textdl.train("images", CORPUS, out=tmp_path / "run", model="alexnet", progress=False)
        assert not (tmp_path / "run").exists()

    def test_a_model_that_is_none_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="did you mean 'lenet5'"):
            replace(ImageClassification.config_class(), {"model": "lenet"})

    def test_a_setting_of_the_trainer_is_refused_of_what_has_none(self, tmp_path: Path) -> None:
        for model, setting in (
            ("knn", {"batch_size": 7}),
            ("knn", {"class_weights": "balanced"}),
            ("svm", {"shift": 1.0}),
            ("softmax", {"epochs": 3.0}),
        ):
            with pytest.raises(ConfigError, match="is a setting of the trainer"):
                textdl.train("images", CORPUS, out=tmp_path / "run", model=model, progress=False, **setting)


class TestDirect:
    @pytest.fixture(params=["knn", "softmax", "svm"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def made(self, kind: str, out: Path, *watchers: Callable[[Event], None], **settings: Any) -> Any:
        settings = {"model": kind, "threads": 1, "device": "cpu", **settings}
        return textdl.train("images", CORPUS, out=out, observers=watchers, progress=False, **settings)

    def test_it_tells_bars_and_loaded_it_says_the_same(self, kind: str, tmp_path: Path) -> None:
        run = self.made(kind, tmp_path / "run")
        assert run.report["figures"]["validation_accuracy"] > 0.5
        pixels, labels = CORPUS["test"]
        again = textdl.load(tmp_path / "run")
        found = run.probabilities(pixels)
        assert np.array_equal(again.probabilities(pixels), found)
        np.testing.assert_allclose(found.sum(1), 1)
        assert run.evaluate(CORPUS)["accuracy"] == np.mean(np.array(run.predict(pixels)) == np.array(labels))
        held_out = run.evaluate(CORPUS, split="validation")
        assert held_out["nats"] == pytest.approx(run.report["figures"]["validation_nats"], rel=1e-4)

    def test_its_probabilities_are_calibrated_on_the_validation_pictures(self, kind: str, tmp_path: Path) -> None:
        run = self.made(kind, tmp_path / "run")
        nats = run.evaluate(CORPUS, split="validation")["nats"]
        assert run.temperature != 1.0
        for factor in (0.5, 2.0):  # up to what is held back so that N right answers do not make one too sure
            other = textdl.load(tmp_path / "run")
            other.model.temperature.mul_(factor)
            assert other.evaluate(CORPUS, split="validation")["nats"] > nats - 0.03

    def test_it_is_made_whole_or_not_at_all_and_always_the_same(self, kind: str, tmp_path: Path) -> None:
        class Cut(BaseException):
            pass

        def cut(event: Event) -> None:
            if isinstance(event, Started):
                raise Cut

        whole = self.made(kind, tmp_path / "whole")
        with pytest.raises(Cut):
            self.made(kind, tmp_path / "cut", cut)
        with pytest.raises(TextdlError):
            textdl.load(tmp_path / "cut")
        resumed = self.made(kind, tmp_path / "cut", resume=True)
        files = {path.name for path in (tmp_path / "whole").iterdir() if path.suffix == ".safetensors"}
        assert files == ({"model.safetensors", "pictures.safetensors"} if kind == "knn" else {"model.safetensors"})
        for name in files:
            assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()

    def test_nothing_held_out_leaves_the_scores_as_they_are(self, kind: str, tmp_path: Path) -> None:
        alone = {"train": CORPUS["train"]}
        settings: dict[str, Any] = {"model": kind, "validation": 0.0, "test": 0.0, "progress": False}
        run: Any = textdl.train("images", alone, out=tmp_path / "run", **settings)
        assert run.report["figures"] == {}
        assert run.temperature == 1.0
        assert run.predict(np.zeros((0, 6, 6, 1), np.uint8)) == []
        assert run.evaluate(CORPUS)["accuracy"] > 0.5

    def test_neighbours_keep_the_training_pictures(self, tmp_path: Path) -> None:
        run = self.made("knn", tmp_path / "run", neighbours=1)
        pixels, labels = CORPUS["train"]
        assert run.known.pixels.dtype == np.uint8
        assert np.array_equal(run.known.pixels, pixels)
        assert run.predict(pixels) == labels, "each is its own nearest"
