"""Mean 0 and standard deviation 1, channel by channel."""

import numpy as np
import pytest

from compress.data import normaliser
from compress.data.normaliser import Normaliser


@pytest.mark.parametrize(("shape", "expected"), [((3, 4, 5), (3, 1, 1)), ((2, 7), (2, 1)), ((6,), (6,))])
def test_there_is_one_mean_for_each_channel_or_feature(shape, expected):
    inputs = np.random.default_rng(0).normal(5, 3, (50, *shape))
    fitted = Normaliser.fit(inputs)
    assert fitted.mean.shape == fitted.standard_deviation.shape == expected
    axes = tuple(axis for axis in range(inputs.ndim) if axis != 1)
    assert np.allclose(fitted.mean.ravel(), inputs.mean(axis=axes))
    assert np.allclose(fitted.standard_deviation.ravel(), inputs.std(axis=axes))
    assert fitted.apply(inputs).dtype == np.float32


def test_working_in_chunks_changes_nothing(monkeypatch):
    inputs = np.random.default_rng(0).integers(0, 256, (50, 2, 3, 3)).astype(np.uint8)
    whole = Normaliser.fit(inputs)
    monkeypatch.setattr(normaliser, "_CHUNK", 7)
    parts = Normaliser.fit(inputs)
    assert np.allclose(whole.mean, parts.mean, rtol=1e-13)
    assert np.allclose(whole.standard_deviation, parts.standard_deviation, rtol=1e-13)
    assert np.array_equal(whole.apply(inputs), ((inputs - whole.mean) / whole.standard_deviation).astype(np.float32))


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9 / 3])
def test_a_constant_feature_becomes_nothing_rather_than_noise(value):
    inputs = np.stack([np.full(1001, value), np.arange(1001.0)], axis=1)
    fitted = Normaliser.fit(inputs)
    assert fitted.standard_deviation[0] == 1
    assert np.abs(fitted.apply(inputs)[:, 0]).max() < 1e-6


def test_a_small_spread_beside_a_large_mean_survives():
    inputs = 1e9 + np.random.default_rng(0).normal(0, 1, (1000, 1))
    assert abs(Normaliser.fit(inputs).apply(inputs).std() - 1) < 1e-4


def test_missing_values_are_left_out_and_become_the_mean():
    inputs = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    fitted = Normaliser.fit(inputs)
    assert fitted.mean.tolist() == [2, 0]
    assert fitted.apply(inputs).tolist() == [[-1, 0], [1, 0], [0, 0]]
    assert fitted.undo(fitted.apply(inputs))[2, 0] == 2


def test_an_overflow_is_an_error():
    with pytest.raises(ValueError, match="Rescale that feature"):
        Normaliser.fit(np.array([[1e200], [-1e200]]))


def test_its_arrays_cannot_be_written():
    fitted = Normaliser.fit(np.ones((3, 2)))
    for array in (fitted.mean, fitted.standard_deviation):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9
