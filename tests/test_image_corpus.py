"""Opening images: whatever holds them, the corpus is the same; splits go by the pixels; what is wrong is said."""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import textdl
from textdl.errors import ConfigError, CorpusError
from textdl.image_corpus import ImageCorpus, ImagesConfig, open_images, read_image
from textdl.images import storing

RNG = np.random.default_rng(12)
PIXELS = RNG.integers(0, 256, (120, 4, 6), np.uint8)
LABELS = np.arange(120) % 11  # so that 10 comes after 9, not after 1
ALL_TRAIN = ImagesConfig(validation=0, test=0)


def idx(folder: Path, pixels: np.ndarray, labels: np.ndarray, name: str = "train", packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, magic, array in (("images-idx3", b"\0\0\x08\x03", pixels), ("labels-idx1", b"\0\0\x08\x01", labels)):
        content = magic + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
        path = folder / f"{name}-{kind}-ubyte{'.gz' * packed}"
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder


def pictures(folder: Path, pixels: np.ndarray, labels: Any) -> Path:
    for at, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{at}.png")
    return folder


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def content(corpus: ImageCorpus) -> dict[str, Counter[tuple[bytes, str]]]:
    return {
        split: Counter(
            (image.tobytes(), corpus.labels[label] if label >= 0 else "?")
            for image, label in zip(*corpus.images(split), strict=True)
        )
        for split in corpus.splits
    }


def complaint(source: Any, **values: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        open_images(source, ImagesConfig(**values))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Sources


def test_every_kind_of_source_gives_the_same_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=LABELS)
    np.savez_compressed(tmp_path / "b.npz", x_train=PIXELS / 255, y_train=LABELS[:, None])
    rows = [
        {"image": {"bytes": png(image), "path": None}, "label": label}
        for image, label in zip(PIXELS, LABELS, strict=True)
    ]
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    dataset = datasets.Dataset.from_list(rows, features=kinds)
    dataset.save_to_disk(str(tmp_path / "saved"))
    monkeypatch.setattr(datasets, "load_dataset", lambda name, config, streaming: {"train": dataset})
    one_file = idx(tmp_path / "idx", PIXELS, LABELS) / "train-images-idx3-ubyte"
    sources = (
        (PIXELS, LABELS),
        [PIXELS.tolist(), LABELS.tolist()],
        {"train": (PIXELS[..., None], [str(label) for label in LABELS])},
        tmp_path / "idx",
        one_file,
        str(one_file),
        idx(tmp_path / "gz", PIXELS, LABELS, packed=True),
        pictures(tmp_path / "pictures", PIXELS, LABELS),
        tmp_path / "a.npz",
        tmp_path / "b.npz",
        "hf:some",
        tmp_path / "saved",
    )
    wanted = open_images(sources[0])
    assert wanted.labels == tuple(map(str, range(11))), "numbers in order of number"
    assert wanted.shape == (4, 6, 1)
    assert wanted.own_splits == ("train",)
    whole = content(wanted)
    assert sum(whole.values(), Counter()) == Counter(
        (image.tobytes(), str(label)) for image, label in zip(PIXELS, LABELS, strict=True)
    )
    assert all(whole.values()), "something is held out in each split"
    for source in sources[1:]:
        corpus = open_images(source)
        assert content(corpus) == whole, source
        assert (corpus.labels, corpus.shape) == (wanted.labels, wanted.shape)
        if "pictures" not in str(source):  # these lie in another order
            assert corpus.digest == wanted.digest, source
    assert open_images(wanted) is wanted


def test_own_splits_are_taken_as_they_are(tmp_path: Path) -> None:
    idx(tmp_path / "idx", PIXELS[:90], LABELS[:90], packed=True)
    idx(tmp_path / "idx", PIXELS[90:], LABELS[90:], "t10k")
    pictures(tmp_path / "pictures" / "train", PIXELS[:90], LABELS[:90])
    pictures(tmp_path / "pictures" / "test", PIXELS[90:], LABELS[90:])
    split = {"x_train": PIXELS[:90], "y_train": LABELS[:90], "x_test": PIXELS[90:], "y_test": LABELS[90:]}
    np.savez(tmp_path / "a.npz", **split)
    given_ = {"train": (PIXELS[:90], LABELS[:90]), "test": (PIXELS[90:], LABELS[90:])}
    found = [open_images(source) for source in (tmp_path / "idx", tmp_path / "pictures", tmp_path / "a.npz", given_)]
    wanted = Counter((image.tobytes(), str(label)) for image, label in zip(PIXELS[90:], LABELS[90:], strict=True))
    for corpus in found:
        assert corpus.own_splits == ("train", "test")
        assert content(corpus) == content(found[0])
        assert content(corpus)["test"] == wanted
        assert content(corpus)["validation"]
    np.testing.assert_array_equal(found[0].images("test").pixels[..., 0], PIXELS[90:])
    np.testing.assert_array_equal(found[0].images("test").labels, LABELS[90:])
    more = open_images({**given_, "dev": (PIXELS[:3], LABELS[:3]), "hard": (PIXELS[:2], LABELS[:2])})
    assert more.splits == ("train", "validation", "test", "hard")
    assert len(more.images("validation").labels) == 3
    with pytest.raises(CorpusError, match="has no split 'hrad'; did you mean 'hard'"):
        more.images("hrad")


def test_a_hub_split_without_labels_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})

    def made(start: int, labels: list[int]) -> datasets.Dataset:
        some = [{"img": Image.fromarray(PIXELS[start + n]), "label": label} for n, label in enumerate(labels)]
        return datasets.Dataset.from_list(some, features=kinds)

    splits = {"train": made(0, [0, 1] * 20), "test": made(50, [-1, -1]), "dev": made(60, [1, 1])}
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **more: asked.append(args) or splits)
    corpus = open_images("hf:pets:small")
    assert asked == [("pets", "small")]
    assert corpus.own_splits == ("train", "validation")
    assert corpus.labels == ("cat", "dog")
    assert corpus.images("validation").labels.tolist() == [1, 1]
    with pytest.raises(CorpusError, match="hf:pets, train has no field 'breed'; known: img, label"):
        open_images("hf:pets", ImagesConfig(label_field="breed"))
    splits["train"] = made(0, [-1])
    with pytest.raises(CorpusError, match="hf:pets, train has no image with a label"):
        open_images("hf:pets")


def test_labels_that_train_lacks_are_unknown(tmp_path: Path) -> None:
    pictures(tmp_path / "train", PIXELS[:4], "abab")
    pictures(tmp_path / "test", PIXELS[4:7], "bcb")
    assert open_images(tmp_path, ALL_TRAIN).images("test").labels.tolist() == [1, -1, 1]


def test_order_of_labels() -> None:
    labels = ["b", "10", "9", "09", "a", "9" * 5000]
    assert open_images((PIXELS[:6], labels), ALL_TRAIN).labels == ("09", "9", "10", "9" * 5000, "a", "b")


def test_a_class_whose_name_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(storing, "IN_MEMORY", 0)
    name = os.fsdecode(b"caf\xe9")
    pictures(tmp_path / "corpus", PIXELS[:4], ["a", name, "a", name])
    for _ in range(2):
        assert open_images(tmp_path / "corpus", ALL_TRAIN).labels == ("a", "caf\\xe9")
    run = textdl.train("images", tmp_path / "corpus", out=tmp_path / "run", progress=False, model="knn", test=0.0)
    assert textdl.load(run.path).labels == ("a", "caf\\xe9")
    assert "images has the label 'caf\\udce9', which is no text in" in complaint((PIXELS[:4], ["a", name, "a", name]))


def test_limit() -> None:
    first = open_images((PIXELS, LABELS), ImagesConfig(validation=0, test=0, limit=30))
    np.testing.assert_array_equal(first.images("train").pixels[..., 0], PIXELS[:30])
    both = open_images({"train": (PIXELS, LABELS), "test": (PIXELS, LABELS)}, ImagesConfig(limit=20))
    assert len(both.images("test").labels) == 20
    assert sum(len(both.images(split).labels) for split in ("train", "validation")) == 20


# Splits


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 40), min_size=2, max_size=60),
    shares=st.tuples(st.sampled_from([0, 0.1, 0.4]), st.sampled_from([0, 0.2, 0.5])),
    order=st.randoms(use_true_random=False),
)
def test_held_out_splits_are_disjoint_and_go_by_the_pixels(
    seeds: list[int], shares: tuple[float, float], order: random.Random
) -> None:
    images = np.array([np.random.default_rng(seed).integers(0, 256, (2, 3), np.uint8) for seed in seeds])
    labels = [seed % 3 for seed in seeds]
    config = ImagesConfig(validation=shares[0], test=shares[1])

    def where(numbers: list[int]) -> dict[str, set[bytes]]:
        corpus = open_images((images[numbers], [labels[n] for n in numbers]), config, least=1)
        found = {split: corpus.images(split).pixels for split in corpus.splits}
        assert sum(map(len, found.values())) == len(numbers)
        return {split: {image.tobytes() for image in some} for split, some in found.items()}

    first = where(list(range(len(seeds))))
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not first[one] & first[other]
    assert first["train"]
    shuffled = list(range(len(seeds)))
    order.shuffle(shuffled)
    assert where(shuffled) == first
    some = shuffled[: len(shuffled) // 2 + 1]
    fewer = where(some)
    if any(images[n].tobytes() in first["train"] for n in some):  # else all of them are train
        assert all(fewer[split] <= first[split] for split in first), "growth moves none"


def test_shares() -> None:
    many = np.random.default_rng(0).integers(0, 256, (4000, 2, 2), np.uint8)
    corpus = open_images((many, np.arange(4000) % 2), ImagesConfig(validation=0.1, test=0.2))
    assert abs(len(corpus.images("validation").labels) / 4000 - 0.1) < 0.02
    assert abs(len(corpus.images("test").labels) / 4000 - 0.2) < 0.03
    other = open_images((many, np.arange(4000) % 2), ImagesConfig(validation=0.3, test=0.2))
    assert content(other)["test"] == content(corpus)["test"], "a later share touches no earlier one"


def test_digest_tells_what_the_corpus_is() -> None:
    changed = PIXELS.copy()
    changed[3, 0, 0] ^= 1
    others = LABELS.copy()
    others[3] = (others[3] + 1) % 11
    digests = [
        open_images(source, config).digest
        for source, config in (
            ((PIXELS, LABELS), ImagesConfig()),
            ((changed, LABELS), ImagesConfig()),
            ((PIXELS, others), ImagesConfig()),
            ((PIXELS, LABELS), ImagesConfig(test=0.3)),
            ((PIXELS, LABELS), ImagesConfig(limit=100)),
            ((PIXELS, LABELS), ImagesConfig(size=6)),
            ((PIXELS, LABELS), ImagesConfig(channels="colour")),
            ((PIXELS.reshape(120, 6, 4), LABELS), ImagesConfig()),
            ({"train": (PIXELS, LABELS), "test": (PIXELS[:9], LABELS[:9])}, ImagesConfig()),
        )
    ]
    assert len(set(digests)) == len(digests)
    assert open_images((PIXELS, LABELS)).digest == digests[0]


def test_many_pixels_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    idx(tmp_path / "idx", PIXELS, LABELS)
    memory = open_images(tmp_path / "idx")
    monkeypatch.setenv("TEXTDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(storing, "IN_MEMORY", 100)
    for _ in range(2):
        large = open_images(tmp_path / "idx")
        assert content(large) == content(memory)
        assert large.digest == memory.digest
    assert isinstance(large.images("train").pixels.base, np.memmap)
    assert len(list((tmp_path / "cache").glob("images-*.pixels"))) == 3
    open_images((PIXELS, LABELS))
    open_images(tmp_path / "idx", ImagesConfig(test=0.4))
    assert len(list((tmp_path / "cache").glob("images-*.json"))) == 2


# Shapes


def test_unequal_sizes(tmp_path: Path) -> None:
    for name, size in (("a/1.png", (6, 4)), ("b/1.png", (6, 4)), ("a/2.png", (8, 5)), ("b/2.png", (9, 9))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", size, 40).save(tmp_path / name)
    assert complaint(tmp_path) == (
        f"images must be of one size, but {tmp_path / 'a/1.png'} is 6 x 4 and {tmp_path / 'a/2.png'} is 8 x 5 pixels; "
        "bring them to one with size (--size 8)"
    )
    corpus = open_images(tmp_path, ImagesConfig(size=8, validation=0, test=0))
    assert corpus.shape == (8, 8, 1)
    assert (corpus.images("train").pixels == 40).all(), "with their background around them"
    said = complaint({"train": (PIXELS, LABELS), "test": (PIXELS.reshape(120, 6, 4), LABELS)})
    assert "the images of 'train' is 6 x 4 and the images of 'test' is 4 x 6 pixels" in said


def test_modes_are_brought_to_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    Image.new("L", (3, 2), 7).save(tmp_path / "a" / "1.png")
    grey = open_images(tmp_path, ALL_TRAIN, least=1)
    assert grey.shape == (2, 3, 1)
    Image.new("RGBA", (3, 2), (255, 0, 0, 255)).save(tmp_path / "b" / "1.png")
    Image.new("1", (3, 2), 1).save(tmp_path / "b" / "2.png")
    found = open_images(tmp_path, ALL_TRAIN).images("train").pixels
    assert found[:, 0, 0].tolist() == [[7, 7, 7], [255, 0, 0], [255, 255, 255]]
    corpus = open_images(tmp_path, ImagesConfig(channels="grey", validation=0, test=0))
    assert corpus.images("train").pixels[:, 0, 0].tolist() == [[7], [76], [255]]


def test_one_picture_in_the_shape_of_a_run(tmp_path: Path) -> None:
    Image.new("RGB", (8, 4), (255, 0, 0)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").shape == (4, 8, 3)
    made = read_image(str(tmp_path / "a.png"), (28, 28, 1))
    assert made.shape == (28, 28, 1)
    assert (made == 76).all()
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:50])
    for name, words in (("a.png", "damaged or cut short"), ("none.png", "No such file")):
        with pytest.raises(CorpusError, match=words) as caught:
            read_image(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


# Mistakes


def test_labels_out_of_the_range_of_train(tmp_path: Path) -> None:
    idx(tmp_path, PIXELS[:50], LABELS[:50] % 5)
    idx(tmp_path, PIXELS[50:60], np.full(10, 200), "t10k")
    said = complaint(tmp_path)
    assert f"{tmp_path / 't10k-images-idx3-ubyte'}: the labels of test go from 200 to 200, out of the range" in said
    assert "those of train, 0 to 4" in said
    idx(tmp_path, PIXELS[50:60], np.full(10, 4), "t10k")
    few = open_images(tmp_path, ImagesConfig(limit=3))
    assert (few.images("test").labels == -1).all(), "what a limit leaves out is no mistake"


def test_what_holds_no_images(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    Image.new("L", (3, 2)).save(tmp_path / "a.png")
    (tmp_path / "wrong-images-idx3-ubyte").write_bytes(b"PK\x03\x04")
    (tmp_path / "wrong-labels-idx1-ubyte").write_bytes(b"PK\x03\x04")
    for source, words in (
        (tmp_path / "a.txt", "is no file of images that is read; give idx files"),
        (tmp_path / "a.png", "is one picture, without a label; give idx files"),
        (tmp_path / "wrong-images-idx3-ubyte", "has a wrong magic number (50 4b 03 04)"),
        (tmp_path / "b.npz", "there is no corpus, file or folder"),
        ("digit", "there is no corpus, file or folder 'digit'; did you mean 'digits'?"),
        ("", "there is no corpus, file or folder ''"),
        ("x" * 5000, "there is no corpus, file or folder 'xxx"),
        ("a\0b", "there is no corpus, file or folder"),
        ("recipes", "recipes is a corpus of text, and this needs one of images"),
        ({"test": (PIXELS, LABELS)}, "has no split 'train', only test"),
        ({}, "has no split 'train', only nothing"),
        (PIXELS, "the images of 'train' must be (pixels, labels), got ndarray"),
        (7, "must be (pixels, labels), got int"),
        ({"val": (PIXELS, LABELS), "valid": (PIXELS, LABELS)}, "the split validation is given twice"),
        ((PIXELS[:0], LABELS[:0]), "holds no images"),
        ({"train": (PIXELS, LABELS), "test": (PIXELS[:0], LABELS[:0])}, "the images of 'test' holds no images"),
        ((PIXELS, LABELS * 0), "images has one class only, '0'; a classifier needs two"),
    ):
        assert words in complaint(source), source
    assert "in its first 1 images, '0'" in complaint((PIXELS, LABELS), limit=1)
    assert open_images((PIXELS, LABELS * 0), least=1).labels == ("0",)


def test_settings_that_do_not_fit() -> None:
    for values, words in (
        ({"size": 0}, "size must be at least 1"),
        ({"size": 5000}, "size must be at most 4096"),
        ({"channels": "gray"}, "channels has no choice 'gray'; did you mean 'grey'"),
        ({"validation": 0.5, "test": 0.5}, "at most 0.95 together"),
        ({"limit": 0}, "limit must be at least 1"),
    ):
        with pytest.raises(ConfigError) as caught:
            ImagesConfig(**values)
        assert words in str(caught.value)
    with pytest.raises(ConfigError, match="label_field is of a hf: dataset"):
        open_images((PIXELS, LABELS), ImagesConfig(label_field="x"))


def test_images_are_not_to_be_written_to() -> None:
    mine = PIXELS.copy()
    corpus = open_images((mine, LABELS), ALL_TRAIN)
    mine[:] = 0
    np.testing.assert_array_equal(corpus.images("train").pixels[..., 0], PIXELS)
    for array in corpus.images("train"):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert corpus.images("train").pixels is corpus.images("train").pixels


def test_opening_is_light() -> None:
    code = (
        "import sys; import textdl.image_corpus, textdl.images.sheet;"
        "print([m for m in ('torch', 'datasets', 'PIL', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
