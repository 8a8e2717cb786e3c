"""Four splits, normalised, that share no example."""

import re
import subprocess
import sys

import numpy as np
import pytest

from compress.data import datasets
from compress.data.raw_data import RawData
from compress.data.splitting import fingerprints
from compress.data.splitting import split as parts_of


def raw_images(seed: int = 0, official_test: bool = False, examples: int = 200) -> RawData:
    """Small colour images in four classes, every tenth of them twice."""
    generator = np.random.default_rng(seed)
    inputs = generator.integers(0, 256, (examples, 3, 4, 4)).astype(np.uint8)
    inputs[::10] = inputs[1::10]
    labels = np.arange(examples) % 4
    labels[::10] = labels[1::10]
    test = (inputs[:40], labels[:40]) if official_test else ()
    return RawData("Images", "image", ("a", "b", "c", "d"), inputs, labels, *test)


def splits_of(dataset: datasets.Dataset) -> dict[str, datasets.Split]:
    return {"train": dataset.train, "validation": dataset.validation, "test": dataset.open_test()}


@pytest.mark.parametrize("official_test", [False, True])
def test_no_example_occurs_in_two_splits_or_twice_in_one(official_test):
    dataset = datasets.prepare(raw_images(official_test=official_test), "images", 0)
    prints = [one for split in splits_of(dataset).values() for one in fingerprints(split.inputs)]
    assert len(prints) == len(set(prints)) == 180


@pytest.mark.parametrize("official_test", [False, True])
def test_calibration_is_a_part_of_train(official_test):
    dataset = datasets.prepare(raw_images(official_test=official_test), "images", 0)
    assert set(fingerprints(dataset.calibration.inputs)) <= set(fingerprints(dataset.train.inputs))


def test_the_normaliser_is_fitted_on_train_alone():
    raw = raw_images(official_test=True)
    brighter = RawData(raw.title, raw.kind, raw.classes, raw.inputs, raw.labels, 255 - raw.test_inputs // 8,
                       raw.test_labels)
    dataset = datasets.prepare(brighter, "images", 0)
    inputs = dataset.train.inputs.astype(np.float64)
    assert np.allclose(inputs.mean(axis=(0, 2, 3)), 0, atol=1e-6)
    assert np.allclose(inputs.std(axis=(0, 2, 3)), 1, atol=1e-6)
    assert dataset.open_test().inputs.mean() > 0.5
    assert not np.allclose(dataset.validation.inputs.mean(axis=(0, 2, 3)), 0, atol=1e-6)


def test_undoing_the_normaliser_gives_the_source_s_examples():
    raw = raw_images()
    dataset = datasets.prepare(raw, "images", 0)
    found = np.rint(dataset.normaliser.undo(dataset.validation.inputs)).astype(np.uint8)
    assert set(fingerprints(found)) <= set(fingerprints(raw.inputs))


def test_labels_stay_with_their_examples():
    raw = raw_images()
    known = dict(zip(fingerprints(raw.inputs), raw.labels, strict=True))
    dataset = datasets.prepare(raw, "images", 0)
    for split in splits_of(dataset).values():
        found = np.rint(dataset.normaliser.undo(split.inputs)).astype(np.uint8)
        assert [known[one] for one in fingerprints(found)] == split.labels.tolist()


def test_inputs_are_float32_labels_int64_and_neither_can_be_written():
    dataset = datasets.prepare(raw_images(), "images", 0)
    for split in (*splits_of(dataset).values(), dataset.calibration):
        assert (split.inputs.dtype, split.labels.dtype) == (np.float32, np.int64)
        assert len(split) == len(split.inputs) == len(split.labels)
        with pytest.raises(ValueError, match="read-only"):
            split.inputs[0] = 0
        with pytest.raises(ValueError, match="read-only"):
            split.labels[0] = 0


def test_shape_is_that_of_one_example():
    assert datasets.prepare(raw_images(), "images", 0).shape == (3, 4, 4)


def test_the_digest_changes_with_the_seed_a_pixel_and_a_label():
    raw = raw_images()
    pixel, label = raw.inputs.copy(), raw.labels.copy()
    pixel[5, 0, 0, 0] ^= 1
    label[5] = (label[5] + 1) % 4
    variants = [(raw, 0), (raw, 1), (RawData(raw.title, raw.kind, raw.classes, pixel, raw.labels), 0),
                (RawData(raw.title, raw.kind, raw.classes, raw.inputs, label), 0),
                (raw_images(official_test=True), 0)]
    digests = [datasets.prepare(variant, "images", seed).digest for variant, seed in variants]
    assert len(set(digests)) == len(variants)
    assert datasets.prepare(raw_images(), "another name", 0).digest == digests[0]
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in digests)


def test_the_same_seed_repeats_the_splits_and_another_changes_them():
    first, again, other = (datasets.prepare(raw_images(), "images", seed) for seed in (3, 3, 4))
    assert fingerprints(first.train.inputs) == fingerprints(again.train.inputs)
    assert set(first.train.labels.tolist()) == set(other.train.labels.tolist())
    assert fingerprints(first.train.inputs) != fingerprints(other.train.inputs)


def test_an_unknown_name_is_answered_with_what_there_is(monkeypatch):
    monkeypatch.delenv("COMPRESS_DATA", raising=False)
    with pytest.raises(ValueError) as caught:
        datasets.load("mnist")
    for part in ("'mnist'", "digits", "mnist5k", "mnist1d", "openml:mnist_784:1", "COMPRESS_DATA"):
        assert part in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 0.5, True, "x", 2 ** 32, 2 ** 63, float("nan"), None])
def test_a_seed_that_is_no_natural_number_is_refused(seed):
    with pytest.raises(ValueError, match=r"load: seed must be (a whole number )?between 0 and 4294967295, but got"):
        datasets.load("digits", seed)


def test_listing_the_data_sets_imports_nothing_heavy():
    heavy = "{'torch', 'sklearn', 'mlxtend', 'mnist1d', 'pandas', 'scipy', 'streamlit', 'plotly'}"
    code = ("import sys; from compress.data.datasets import available; available(); "
            f"sys.exit(bool({heavy} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_card_has_its_own_name_and_only_openml_needs_the_internet():
    cards = datasets.available()
    assert len({card.name for card in cards}) == len(cards)
    assert all(card.online == card.name.startswith("openml:") for card in cards)


def almost_constant(value: float, row: int, part: str) -> RawData:
    """A table whose column 2 is 0 but for one example; with a test part if `part` is "test"."""
    inputs = np.random.default_rng(0).normal(size=(90, 4))
    inputs[:, 2] = 0
    inputs[row, 2] = value
    labels = np.arange(90) % 3
    parts = (inputs[:60], labels[:60], inputs[60:], labels[60:]) if part == "test" else (inputs, labels)
    return RawData("Table", "tabular", ("a", "b", "c"), *parts)


@pytest.mark.parametrize("value", [1e16, -1e38])
@pytest.mark.parametrize("part", ["own", "test"])
def test_a_value_far_beyond_those_of_the_training_split_is_refused_by_name(value, part):
    """In training it sets the scale; outside of it, it would be infinite in float32, or make infinity in a network."""
    refused = 0
    for row in range(90):
        raw = almost_constant(value, row, part)
        parts = parts_of(raw, 0)
        in_training = row in parts.train and (part == "own" or row < 60)
        place, name = (row, "Table") if part == "own" or row < 60 else (row - 60, "Table, test part")
        if in_training:
            assert np.abs(datasets.prepare(raw, "t", 0).train.inputs).max() < 100
        else:
            refused += 1
            with pytest.raises(ValueError, match=f"{name}: example {place}, column 2 has {re.escape(str(value))}.*Mend"):
                datasets.prepare(raw, "t", 0)
    assert refused > 25


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-30, 1.0, 1e37])
def test_columns_of_any_scale_are_normalised(scale):
    inputs = np.random.default_rng(0).normal(size=(300, 2)) * scale
    raw = RawData("Table", "tabular", ("a", "b"), inputs, np.arange(300) % 2)
    found = datasets.prepare(raw, "t", 0).train.inputs
    assert np.allclose(found.std(0), 1, atol=1e-5) and np.allclose(found.mean(0), 0, atol=1e-5)


def with_one_value(kind: str = "tabular", shape: tuple[int, ...] = (4,), names: tuple[str, ...] = ()) -> RawData:
    """Column 1 has one value, column 3 another one in example 7 alone."""
    inputs = np.random.default_rng(0).normal(size=(90, *shape))
    inputs[:, [1, 3]] = 5
    inputs[7, 3] = 6
    return RawData("Table", kind, ("a", "b", "c"), inputs, np.arange(90) % 3, names=names)


@pytest.mark.parametrize(("kind", "shape", "names", "called"), [
    ("tabular", (4,), (), "1 of 4 columns (1, counted from 0)"),
    ("tabular", (4,), ("up", "down", "left", "right"), "1 of 4 columns (down)"),
    ("sequence", (4, 5), (), "1 of 4 features (1, counted from 0)")])
def test_what_has_one_value_in_the_training_split_is_named(kind, shape, names, called):
    raw, said = with_one_value(kind, shape, names), set()
    for seed in range(5):
        always, *only_there = datasets.prepare(raw, "t", seed).notes
        assert always == (f"{called} has no more than one value in all examples: it is 0 after normalising, and a network "
                          "learns nothing from it.")
        is_in_training = 7 in parts_of(raw, seed).train
        assert len(only_there) == (not is_in_training)
        assert all(" in the training split, but others outside it" in note for note in only_there)
        said.add(is_in_training)
    assert said == {False, True}


def test_columns_of_one_value_are_counted_and_the_first_named():
    inputs = np.ones((60, 30))
    inputs[:, 0] = np.arange(60)
    inputs[:, 29] = np.nan
    note, = datasets.prepare(RawData("Table", "tabular", ("a", "b"), inputs, np.arange(60) % 2), "t", 0).notes
    assert note == ("29 of 30 columns (1, 2, 3, 4, 5, 6, 7, 8 and 21 more, counted from 0) have no more than one value in "
                    "all examples: they are 0 after normalising, and a network learns nothing from them.")


def test_data_in_which_everything_varies_have_no_notes():
    assert datasets.prepare(raw_images(), "images", 0).notes == ()
