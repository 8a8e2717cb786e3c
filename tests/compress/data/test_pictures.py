"""Examples as bytes for pictures: each in its own range, written once, read by rows without the data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.datasets import Dataset
from compress.data.normaliser import Normaliser
from compress.data.pictures import PICTURES, as_bytes, pictures, pictures_file
from compress.files.artefacts import Artefacts
from tests.compress.helpers import python, toy_data

values = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=20).map(
    lambda numbers: np.array(numbers, np.float32)).filter(lambda numbers: np.ptp(numbers) > 1e-3)


@pytest.fixture
def toy() -> Dataset:
    """Images of two channels."""
    return toy_data((2, 3, 4))


@given(values)
def test_the_smallest_value_is_0_and_the_largest_255(example: np.ndarray) -> None:
    shown = as_bytes(example)
    assert shown.dtype == np.uint8 and shown.shape == example.shape
    assert shown[example.argmin()] == 0 and shown[example.argmax()] == 255


@given(values)
def test_bytes_are_nearest_to_a_values_position_in_the_range(example: np.ndarray) -> None:
    exact = example.astype(np.float64)
    wanted = 255 * (exact - exact.min()) / np.ptp(exact)
    assert np.abs(as_bytes(example) - wanted).max() <= 0.5 + 1e-3


@given(values, st.sampled_from([0.5, 2.0, 256.0]))
def test_units_do_not_matter(example: np.ndarray, scale: float) -> None:
    assert (as_bytes(example * np.float32(scale)) == as_bytes(example)).all()


def kept(data: Dataset, folder: Path) -> Path:
    """The file of a data set's pictures."""
    files = Artefacts(folder)
    return files.path(files.put(pictures_file(data), PICTURES), PICTURES)


@pytest.mark.parametrize("value", [-7.5, 0.0, 255.0, 1e30])
def test_a_constant_example_is_black(value: float) -> None:
    with np.errstate(all="raise"):
        assert (as_bytes(np.full((2, 3), value, np.float32)) == 0).all()


@pytest.mark.parametrize("shape", [(2, 9), (1, 4, 5), (3, 4, 5)], ids=str)
def test_every_validation_example_is_kept_in_its_own_shape(shape: tuple[int, ...], tmp_path: Path) -> None:
    data = toy_data(shape)
    rows = list(range(len(data.validation)))
    shown = np.array(pictures(kept(data, tmp_path), rows))
    assert shown.shape == (len(rows), *shape)
    raw = data.normaliser.undo(data.validation.inputs)
    assert all((picture == as_bytes(example)).all() for picture, example in zip(shown, raw, strict=True))


def test_columns_of_a_table_are_comparable_whatever_their_units(tmp_path: Path) -> None:
    """A mass in grams would leave nothing to see of a share otherwise."""
    data = toy_data((4,))
    widened = data.normaliser.standard_deviation * np.array([1e4, 1.0, 1e-3, 1.0])
    wide = replace(data, normaliser=Normaliser(data.normaliser.mean, widened))
    shown = np.array(pictures(kept(wide, tmp_path), list(range(len(data.validation)))))
    assert shown.shape == (len(data.validation), 4)
    assert np.abs(shown - (127.5 + 42.5 * data.validation.inputs).clip(0, 255)).max() <= 0.5 + 1e-3


def test_pictures_are_in_the_sources_units_not_the_normalised_ones(tmp_path: Path) -> None:
    """Features of different spread would change places otherwise."""
    data = toy_data((2, 5))
    stretched = Dataset(**{**vars(data), "normaliser": type(data.normaliser)(
        np.array([[0.0], [100.0]]), np.array([[1.0], [0.01]]))})
    (shown,) = pictures(kept(stretched, tmp_path), [0])
    assert max(shown[0]) < 30 and min(shown[1]) > 220


def test_the_file_of_equal_data_is_the_same_and_that_of_others_is_not(toy: Dataset) -> None:
    assert pictures_file(toy) == pictures_file(toy_data((2, 3, 4))) != pictures_file(toy_data((2, 3, 4), seed=1))


def test_rows_come_in_the_given_order(toy: Dataset, tmp_path: Path) -> None:
    path = kept(toy, tmp_path)
    everything = pictures(path, list(range(len(toy.validation))))
    assert pictures(path, [7, 0, 7]) == [everything[7], everything[0], everything[7]]
    assert pictures(str(path), []) == []


def test_values_are_plain_numbers(toy: Dataset, tmp_path: Path) -> None:
    (picture,) = pictures(kept(toy, tmp_path), [0])
    assert type(picture) is list and all(type(value) is int and 0 <= value <= 255
                                         for channel in picture for row in channel for value in row)


def test_a_file_that_is_gone_gives_no_pictures(toy: Dataset, tmp_path: Path) -> None:
    path = kept(toy, tmp_path)
    path.unlink()
    assert pictures(path, [0, 1]) == [] and pictures(tmp_path, [0]) == []


def test_reading_pictures_loads_no_torch() -> None:
    loaded = python("-c", "import sys, compress.data.pictures; print(*sys.modules)", check=True).stdout.split()
    assert "compress.data.pictures" in loaded and "torch" not in loaded
