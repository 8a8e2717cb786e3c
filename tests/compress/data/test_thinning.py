"""A page is shown every so-manieth number of an example that has more than a screen has room for."""

from __future__ import annotations

import numpy as np
import pytest

from compress.data.pictures import MOST_IN_A_ROW, MOST_SIDE, shown_shape, thinned


@pytest.mark.parametrize("shape", [(1,), (784,), (2_000,), (20, 50), (1, 28, 28), (3, 64, 64)])
def test_examples_that_there_is_room_for_are_shown_whole(shape):
    examples = np.random.default_rng(0).normal(size=(2, *shape))
    assert shown_shape(shape) == shape and np.array_equal(thinned(examples.reshape(2, -1), shape), examples)


@pytest.mark.parametrize("shape", [(2_001,), (100_000,), (4, 5_000), (300, 20), (3, 65, 128), (1, 8, 500)])
def test_of_larger_ones_every_so_manieth_number_is_shown(shape):
    examples = np.arange(2 * np.prod(shape)).reshape(2, *shape)
    shown = thinned(examples, shape)
    assert shown.shape == (2, *shown_shape(shape)) and shown.size < examples.size
    assert shown.shape[-1] <= (MOST_SIDE if len(shape) == 3 else MOST_IN_A_ROW)
    assert np.isin(shown, examples).all() and shown.flat[0] == 0


def test_what_was_thinned_stays_as_it_is():
    examples = np.arange(200_000).reshape(2, 100_000)
    once = thinned(examples, (100_000,))
    assert np.array_equal(thinned(once, (100_000,)), once)
