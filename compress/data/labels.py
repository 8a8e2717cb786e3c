"""Labels of a source as classes, whatever type they are stored in: whole numbers, true and false, or texts."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_EXACT = 2.0 ** 53  # from here on a float64 no longer tells neighbouring whole numbers apart
_LAST_CHARACTER, _SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)


def class_labels(labels: np.ndarray) -> np.ndarray:
    """Labels (n,) as int64, uint64, bool or texts, each with the value that the source gives it.

    Args:
        labels: (n,) or (n, 1): whole numbers of any type (floats too, if they are whole), bool, texts, or bytes in UTF-8; or
            one-hot rows (n, classes).

    Raises:
        ValueError: another shape or type, or a label that is no class: a fraction, NaN, an empty text, damaged text.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.shape[1] > 1:
        if _is_one_hot(labels):
            return labels.argmax(axis=1).astype(np.int64)
        raise ValueError(f"labels must be whole numbers or texts with the shape (n,), but got {labels.dtype} with the shape "
                         f"{labels.shape}. Rows of 0 with a single 1 are classes too; "
                         "turn other rows into numbers, for example with argmax(1).")
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"labels must be whole numbers or texts with the shape (n,) and n of at least 1, but got "
                         f"{labels.dtype} with the shape {labels.shape}. Give one label for each example.")
    kind = labels.dtype.kind
    if kind in "ui":
        return labels.astype(np.uint64 if labels.dtype.itemsize == 8 and kind == "u" else np.int64)
    if kind == "b":
        return labels
    if kind == "f":
        return _whole(labels)
    if kind in "SU":
        return _sound(_decoded(labels) if kind == "S" else labels)
    raise ValueError(f"labels must be whole numbers or texts with the shape (n,), but got the type {labels.dtype}. Save "
                     "them as texts, for example np.savez(path, x=x, y=y.astype(str)).")


def joined(labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Two arrays of class_labels() as one; whole numbers of different types keep their values.

    Raises:
        ValueError: numbers, texts and truth values among each other.
    """
    numbers = [array.dtype.kind in "ui" for array in (labels, others)]
    if all(numbers) and labels.dtype != others.dtype:
        both = np.concatenate([labels.astype(object), others.astype(object)])  # float64 is numpy's choice for such a pair
        smallest, largest = both.min(), both.max()
        return both.astype(np.int64 if largest < 2 ** 63 else np.uint64) if smallest >= 0 or largest < 2 ** 63 else both
    if labels.dtype.kind != others.dtype.kind:
        raise ValueError(f"labels and test labels must be of one type, but got {labels.dtype} and {others.dtype}. Convert "
                         "both, for example with .astype(str).")
    return np.concatenate([labels, others])


def numbered(labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of any values, whole numbers or texts, as int64 (n,) in 0..k-1, and the k names in order.

    Names that are all numbers are ordered as numbers, so that "10" comes after "9".
    """
    values, codes = np.unique(labels, return_inverse=True)
    names = tuple(str(value) for value in values)
    if all(_NUMBER.fullmatch(name) for name in names):
        order = sorted(range(len(names)), key=lambda place: Decimal(names[place]))  # exact, however many digits
    else:
        order = list(range(len(names)))
    ranks = np.argsort(np.array(order, dtype=np.int64))
    return ranks[codes.reshape(-1)].astype(np.int64), tuple(names[place] for place in order)


def _is_one_hot(labels: np.ndarray) -> bool:
    """Whether each row is 0 but for a single 1 (or False but for a single True)."""
    return labels.dtype.kind in "uifb" and bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def _whole(labels: np.ndarray) -> np.ndarray:
    """Floats that are whole numbers, as int64."""
    labels = labels.astype(np.float64)
    wrong = ~(np.isfinite(labels) & (labels == np.floor(labels)) & (np.abs(labels) <= _EXACT))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"labels must be whole numbers or texts, but example {place} has {labels[place]!s}. Use classes in "
                         "the place of measurements, and leave out examples without a label.")
    return labels.astype(np.int64)


def _decoded(labels: np.ndarray) -> np.ndarray:
    try:
        return np.char.decode(labels, "utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("labels as bytes must be UTF-8, but some are not. Decode them with the encoding they have, for "
                         'example np.char.decode(y, "latin-1").') from error


def _sound(texts: np.ndarray) -> np.ndarray:
    """Texts without empty labels and without code points that no file or page can hold."""
    empty = np.char.str_len(texts) == 0 if texts.dtype.itemsize else np.ones(len(texts), dtype=bool)
    if empty.any():
        raise ValueError(f"labels must not be empty, but example {int(np.argmax(empty))} has the label ''. Give it a name, "
                         "or leave out the examples without a label.")
    points = np.ascontiguousarray(texts).view(texts.dtype.str[0] + "u4")
    if points.max() > _LAST_CHARACTER or ((points >= _SURROGATES[0]) & (points <= _SURROGATES[1])).any():
        raise ValueError("labels as texts must be valid Unicode, but some hold code points that are no characters. Save "
                         "the labels again.")
    return texts
