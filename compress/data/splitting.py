"""Divides distinct examples into training, calibration, validation and test splits, stratified by class."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from compress.data.raw_data import RawData

SHARE = 0.20  # of all examples, for validation and again for test
SHARE_WITH_TEST = 0.15  # of the examples outside an official test part, for validation
MOST_VALIDATION = 10_000  # if there is an official test part
MOST_CALIBRATION = 1_024


@dataclass(frozen=True, eq=False)
class Parts:
    """Indices (int64) of each split. Those of test refer to the official test part if the source has one."""

    train: np.ndarray
    calibration: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(raw: RawData, seed: int) -> Parts:
    """60 % train, 20 % validation, 20 % test; with an official test part, 15 % of the other examples (at most 10,000) are
    validation.

    Of identical examples only the first is used; an example that is also in the official test part is used only there.
    calibration is a part of train. Every class is in every split. numpy's global random state is neither read nor changed.

    Raises:
        ValueError: a class with too few distinct examples.
    """
    generator = np.random.default_rng(seed)
    count = len(raw.classes)
    if raw.test_inputs is None or raw.test_labels is None:
        pool = _distinct(raw.inputs)
        _require(raw, raw.labels[pool], 3, "one each for training, validation and test", raw.labels,
                 "Add examples of this class")
        test, pool = _draw(pool, raw.labels, max(count, round(SHARE * len(pool))), generator)
        wanted = max(count, len(test))
    else:
        test = _distinct(raw.test_inputs)
        pool = _distinct(raw.inputs, without=frozenset(fingerprints(raw.test_inputs)))
        _require(raw, raw.labels[pool], 2, "one each for training and validation, outside the test part", raw.labels,
                 "Add examples of this class")
        _require(raw, raw.test_labels[test], 1, "in the test part", raw.test_labels,
                 "Add examples of this class to the test part, or leave the test part out")
        wanted = max(count, min(MOST_VALIDATION, round(SHARE_WITH_TEST * len(pool))))
    validation, train = _draw(pool, raw.labels, wanted, generator)
    calibration, _ = _draw(train, raw.labels, min(len(train), max(count, MOST_CALIBRATION)), generator)
    return Parts(train, calibration, validation, test)


def fingerprints(inputs: np.ndarray) -> list[bytes]:
    """A 16-byte hash (BLAKE2b) of each example's bytes."""
    return [hashlib.blake2b(example.tobytes(), digest_size=16).digest() for example in inputs]


def _distinct(inputs: np.ndarray, without: Collection[bytes] = ()) -> np.ndarray:
    first: dict[bytes, int] = {}
    for place, fingerprint in enumerate(fingerprints(inputs)):
        if fingerprint not in without:
            first.setdefault(fingerprint, place)
    return np.array(list(first.values()), dtype=np.int64)


def _require(raw: RawData, labels: np.ndarray, least: int, purpose: str, given: np.ndarray, remedy: str) -> None:
    """labels: of the distinct examples; given: of all examples of the source, for the reason in the message."""
    counts = np.bincount(labels, minlength=len(raw.classes))
    if counts.min() >= least:
        return
    place = int(counts.argmin())
    everything = int((given == place).sum())
    if everything > counts[place]:
        remedy = (f"Of its {everything} examples, the others are equal to these or to examples of other classes"
                  f"{'' if raw.test_inputs is None else ' or of the test part'}; give examples that differ")
    left_out = ", or leave this class out" if len(raw.classes) > 2 else ""
    raise ValueError(f"{raw.title}: class {raw.classes[place]!r} has {counts[place]} distinct examples, but at least "
                     f"{least} are needed, {purpose}. {remedy}{left_out}.")


def _draw(pool: np.ndarray, labels: np.ndarray, total: int, generator: np.random.Generator,
          ) -> tuple[np.ndarray, np.ndarray]:
    """A stratified part of the pool with `total` members, and the rest, both in random order."""
    shuffled = generator.permutation(pool)
    own = labels[shuffled]
    counts = np.bincount(own)
    by_class = np.argsort(own, kind="stable")
    rank_in_class = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = np.zeros(len(own), dtype=bool)
    chosen[by_class] = rank_in_class < np.repeat(_quotas(counts, total), counts)
    return shuffled[chosen], shuffled[~chosen]


def _quotas(counts: np.ndarray, total: int) -> np.ndarray:
    """The number of examples of each class in a stratified part of `total`: by largest remainders, at least one of each."""
    ideal = counts * total / counts.sum()
    quotas = np.maximum(1, np.floor(ideal)).astype(np.int64)
    while quotas.sum() < total:
        quotas[np.argmax(np.where(quotas < counts, ideal - quotas, -np.inf))] += 1
    while quotas.sum() > total:
        quotas[np.argmax(np.where(quotas > 1, quotas - ideal, -np.inf))] -= 1
    return quotas
