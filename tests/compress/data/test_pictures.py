"""Examples as bytes for pictures: each in its own range, written once, read by rows without the data set."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.datasets import Dataset
from compress.data.pictures import as_bytes, keep_pictures, pictures
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
def test_bytes_are_the_nearest_to_where_a_value_stands_in_the_range(example: np.ndarray) -> None:
    exact = example.astype(np.float64)
    wanted = 255 * (exact - exact.min()) / np.ptp(exact)
    assert np.abs(as_bytes(example) - wanted).max() <= 0.5 + 1e-3


@given(values, st.sampled_from([0.5, 2.0, 256.0]))
def test_units_do_not_matter(example: np.ndarray, scale: float) -> None:
    assert (as_bytes(example * np.float32(scale)) == as_bytes(example)).all()


@pytest.mark.parametrize("value", [-7.5, 0.0, 255.0, 1e30])
def test_a_constant_example_is_black(value: float) -> None:
    with np.errstate(all="raise"):
        assert (as_bytes(np.full((2, 3), value, np.float32)) == 0).all()


@pytest.mark.parametrize("shape", [(6,), (2, 9), (1, 4, 5), (3, 4, 5)], ids=str)
def test_every_validation_example_is_kept_in_its_own_shape(shape: tuple[int, ...], tmp_path: Path) -> None:
    data = toy_data(shape)
    rows = list(range(len(data.validation)))
    shown = np.array(pictures(keep_pictures(data, tmp_path), rows))
    assert shown.shape == (len(rows), *shape)
    raw = data.normaliser.undo(data.validation.inputs)
    assert all((picture == as_bytes(example)).all() for picture, example in zip(shown, raw, strict=True))


def test_pictures_are_in_the_sources_units_not_the_normalised_ones(tmp_path: Path) -> None:
    """Features of different spread would change places otherwise."""
    data = toy_data((2, 5))
    stretched = Dataset(**{**vars(data), "normaliser": type(data.normaliser)(
        np.array([[0.0], [100.0]]), np.array([[1.0], [0.01]]))})
    (shown,) = pictures(keep_pictures(stretched, tmp_path), [0])
    assert max(shown[0]) < 30 and min(shown[1]) > 220


def test_the_file_is_written_once(toy: Dataset, tmp_path: Path) -> None:
    path = keep_pictures(toy, tmp_path / "new" / "folder")
    first = path.stat().st_mtime_ns, path.stat().st_ino
    assert keep_pictures(toy, path.parent) == path and (path.stat().st_mtime_ns, path.stat().st_ino) == first
    assert list(path.parent.iterdir()) == [path]


def test_writing_that_is_cut_short_is_not_taken_for_the_file(toy: Dataset, tmp_path: Path,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(file: BinaryIO, array: np.ndarray) -> None:
        file.write(b"half")
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", cut)
        with pytest.raises(OSError, match="no space"):
            keep_pictures(toy, tmp_path)
    assert list(tmp_path.glob("*.npy")) == []
    assert len(pictures(keep_pictures(toy, tmp_path), [0, 1])) == 2 and len(list(tmp_path.iterdir())) == 1


def test_other_data_have_another_file(toy: Dataset, tmp_path: Path) -> None:
    assert keep_pictures(toy, tmp_path) != keep_pictures(toy_data((2, 3, 4), seed=1), tmp_path)


def test_rows_come_in_the_order_asked_for(toy: Dataset, tmp_path: Path) -> None:
    path = keep_pictures(toy, tmp_path)
    everything = pictures(path, list(range(len(toy.validation))))
    assert pictures(path, [7, 0, 7]) == [everything[7], everything[0], everything[7]]
    assert pictures(str(path), []) == []


def test_values_are_plain_numbers(toy: Dataset, tmp_path: Path) -> None:
    (picture,) = pictures(keep_pictures(toy, tmp_path), [0])
    assert type(picture) is list and all(type(value) is int and 0 <= value <= 255
                                         for channel in picture for row in channel for value in row)


def test_a_file_that_is_gone_gives_no_pictures(toy: Dataset, tmp_path: Path) -> None:
    path = keep_pictures(toy, tmp_path)
    path.unlink()
    assert pictures(path, [0, 1]) == [] and pictures(tmp_path, [0]) == []


def test_reading_pictures_loads_no_torch() -> None:
    loaded = python("-c", "import sys, compress.data.pictures; print(*sys.modules)", check=True).stdout.split()
    assert "compress.data.pictures" in loaded and "torch" not in loaded
