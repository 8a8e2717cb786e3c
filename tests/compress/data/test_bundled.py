"""The data sets that need no network."""

import random

import numpy as np
import pytest
from sklearn.linear_model import orthogonal_mp

from compress.data import array_cache, bundled
from compress.data.datasets import load


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A cache folder of this file's own, filled once: parsing MNIST's table takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("COMPRESS_HOME", str(folder))
        yield folder


@pytest.mark.parametrize("card", [card for card in bundled.cards() if not card.problem], ids=lambda card: card.name)
def test_a_card_agrees_with_the_data(card):
    raw = bundled.read(card.name)
    examples = len(raw.labels) + (0 if raw.test_labels is None else len(raw.test_labels))
    assert (card.title, card.classes, card.examples) == (raw.title, len(raw.classes), examples)
    data = load(card.name)
    assert (card.kind, card.shape) == (data.kind, " x ".join(f"{length:,}" for length in data.shape))


@pytest.mark.parametrize(("name", "sizes", "raw_bytes"), [
    ("digits", [1079, 1024, 359, 359], 64), ("mnist5k", [3000, 1024, 1000, 1000], 784),
    ("mnist1d", [3400, 1024, 600, 1000], 160),
    ("photographs", [1414, 1024, 250, 416], 768), ("planted", [1500, 1024, 265, 500], 80),
    ("breast_cancer", [341, 341, 114, 114], 120), ("wine", [106, 106, 36, 36], 52)])
def test_the_splits_have_the_expected_sizes(name, sizes, raw_bytes):
    dataset = load(name)
    splits = (dataset.train, dataset.calibration, dataset.validation, dataset.open_test())
    assert [len(split) for split in splits] == sizes
    assert dataset.raw_bytes_per_example == raw_bytes
    assert load(name) is dataset


def test_the_images_show_what_their_labels_say():
    """A ridge regression reads the held-out digits: pixels and labels belong together."""
    dataset = load("mnist5k")
    pixels, held = (split.inputs.reshape(len(split), -1) for split in (dataset.train, dataset.validation))
    gram = pixels.T @ pixels + 300 * np.eye(784)
    weights = np.linalg.solve(gram, pixels.T @ np.eye(10)[dataset.train.labels])
    assert ((held @ weights).argmax(1) == dataset.validation.labels).mean() > 0.8


def test_squares_are_from_the_photographs_that_their_labels_name():
    raw = bundled.read("photographs")
    scene = raw.origin["scene"]
    assert scene.dtype == np.uint8 and scene.shape == (2, 3, 160, 224)
    for label, picture in enumerate(scene):
        squares = picture.reshape(3, 10, 16, 14, 16).transpose(1, 3, 0, 2, 4).reshape(140, 3, 16, 16)
        own = {square.tobytes() for square in raw.inputs[raw.labels == label]}
        assert all(square.tobytes() in own for square in squares)
        assert not own & {square.tobytes() for square in raw.test_inputs}


def test_planted_signals_are_sums_of_three_atoms_of_which_the_strongest_names_the_class():
    raw = bundled.read("planted")
    atoms = raw.origin["atoms"].astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1, rtol=1e-6)
    codes = orthogonal_mp(atoms.T, raw.inputs[:, 0].T, n_nonzero_coefs=3)
    left = np.square(raw.inputs[:, 0] - (atoms.T @ codes).T).sum() / np.square(raw.inputs).sum()
    assert 0.003 < left < 0.03
    assert (np.abs(codes).argmax(0) // 10 == raw.labels).mean() > 0.85


def test_making_mnist1d_leaves_the_global_random_states_as_they_were():
    random.seed(7)
    np.random.seed(7)
    before = random.getstate(), np.random.get_state()[1].copy()
    arrays = bundled._mnist1d()
    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()
    assert [arrays[name].shape for name in ("inputs", "test_inputs")] == [(4000, 1, 40), (1000, 1, 40)]


def test_a_second_read_makes_nothing(monkeypatch):
    bundled.read("digits")
    monkeypatch.setattr(bundled, "_MAKERS", {"digits": ("scikit-learn", lambda: pytest.fail("made again"))})
    assert len(bundled.read("digits").labels) == 1797


def test_a_damaged_cache_file_is_named_with_the_remedy(home, monkeypatch, tmp_path):
    bundled.read("digits")
    whole = next(home.glob("digits-*.npz"))
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    damaged = tmp_path / whole.name
    damaged.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(ValueError, match=rf"{damaged}.*Delete this file"):
        bundled.read("digits")


def test_a_write_that_fails_leaves_no_file_behind(tmp_path):
    class Unwritable:
        def __array__(self, *_, **__):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        array_cache.write_arrays(tmp_path / "some.npz", {"good": np.ones(3), "bad": Unwritable()})
    assert list(tmp_path.iterdir()) == []


def test_pickled_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "objects.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match=r"objects\.npz is not a valid"):
        array_cache.read_arrays(tmp_path / "objects.npz")


def test_a_cache_folder_that_cannot_be_made_names_the_setting(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "file"))
    with pytest.raises(ValueError, match="Set COMPRESS_HOME"):
        bundled.read("digits")


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("COMPRESS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert array_cache.cache_folder() == tmp_path / "compression-explorer"
    assert (tmp_path / "compression-explorer").is_dir()
