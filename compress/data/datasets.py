"""Data sets by name: four splits, normalised by the statistics of the training split.

This module imports numpy only, so that listing the data sets is fast; the libraries with the data are imported when a data
set is loaded for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from compress.data import bundled, local_files, openml
from compress.data.finite import place_of
from compress.data.normaliser import Normaliser, read_only, without_variety
from compress.data.raw_data import DatasetCard, RawData
from compress.data.splitting import Parts, split
from compress.data.texts.vocabulary import Vocabulary
from compress.data.texts.word_counts import WordCounts
from compress.one_line import one_line
from compress.progress import Reporter, no_report
from compress.settings import checked_seed, shown, similar

__all__ = ["Dataset", "DatasetCard", "Normaliser", "Split", "available", "load", "prepare"]

_READINGS = 3
MOST_NAMED, LONGEST_NAME = 8, 60  # columns in a sentence; signs of a name
FARTHEST = 1e15  # standard deviations from the training split's mean; beyond, a network's float32 numbers can overflow


@dataclass(frozen=True, eq=False)
class Split:
    """inputs float32 (n, *shape), normalised, and labels int64 (n,); both arrays read-only."""

    inputs: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", read_only(self.inputs))
        object.__setattr__(self, "labels", read_only(self.labels))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set with four normalised splits: calibration is a stratified part of train; no other two splits overlap.

    Attributes:
        kind: image, sequence, tabular or text.
        digest: 16 hex digits of the contents and the seed of the splits.
        raw_bytes_per_example: bytes of an example as the source stores it: one for a uint8 value, four for any other.
        origin, notes: arrays from which the examples were made, and what is not used; see RawData.
        source: of its files, as source() gives it.
        words: of texts, the word of each id, as the vocabulary of the training split has them; of a bag of words, the word
            of each feature; of sequences of letters, the letter of each feature; () for others.
    """

    name: str
    title: str
    kind: str
    classes: tuple[str, ...]
    train: Split
    calibration: Split
    validation: Split
    normaliser: Normaliser
    digest: str
    raw_bytes_per_example: int
    _test: Split = field(repr=False)
    origin: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    source: str = ""
    words: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an example: image (channels, height, width), sequence (features, length), table (features,), text
        (tokens,)."""
        return self.train.inputs.shape[1:]

    def open_test(self) -> Split:
        """The test split. Only the final report of finished networks may call this.

        All choices (of weights, settings, ranks, the epoch) are made on validation: accuracy on a test split that was used
        for a choice is no estimate of accuracy on new examples.
        """
        return self._test


def load(name: str, seed: int = 0, report: Reporter = no_report) -> Dataset:
    """The data set of this name, split by this seed. It is cached: a second call returns the same object.

    Args:
        name: one of available(), or openml:NAME:VERSION.
        seed: of the splits, in 0..2^32 - 1.
        report: of a download.

    Raises:
        ValueError: an unknown name, data with errors, or files that change while they are read.
        compress.data.openml.DownloadError: a data set of OpenML that is not cached and cannot be downloaded.
        Cancelled: through `report`.
    """
    checked = checked_seed(seed, "load")
    if name.startswith(openml.PREFIX):
        openml.fetch(name, report)
    for _ in range(_READINGS):
        stamp = local_files.stamp(name)
        data = _load(name, checked, stamp)
        if local_files.stamp(name) == stamp:
            return data
    raise ValueError(f"The files of {name} change while they are read. Wait until they are written, then try again.")


def source(name: str) -> str:
    """A digest of the files behind a name, without reading them as data: two data sets under one name differ in it. "" for
    data that always have the same contents. Nothing is raised: files that cannot be read have a digest of their own."""
    return local_files.source(name)


def available() -> tuple[DatasetCard, ...]:
    """A card for each data set that can be chosen by its name, without loading the data."""
    return (*bundled.cards(), *local_files.cards(), *openml.cards())


def prepare(raw: RawData, name: str, seed: int) -> Dataset:
    """Splits and normalises raw data, as load() does; texts get ids, or features, by the vocabulary of the training split.

    Raises:
        ValueError: a class with too few distinct examples, or values that cannot be normalised.
    """
    parts = split(raw, seed)
    if raw.kind == "text":
        return _counts(raw, name, seed, parts) if raw.counted else _of_texts(raw, name, seed, parts)
    training = raw.inputs[parts.train]
    normaliser, notes = Normaliser.fit(training), (*raw.notes, *_without_variety(raw, training))
    del training

    def cut(places: np.ndarray) -> Split:
        return Split(_normalised(raw.inputs, places, normaliser, raw.title), raw.labels[places])

    if raw.test_inputs is None or raw.test_labels is None:
        test = cut(parts.test)
    else:
        test = Split(_normalised(raw.test_inputs, parts.test, normaliser, f"{raw.title}, test part"),
                     raw.test_labels[parts.test])
    return Dataset(name, raw.title, raw.kind, raw.classes, cut(parts.train), cut(parts.calibration),
                   cut(parts.validation), normaliser, raw.digest(seed), raw.bytes_per_example, test, raw.origin,
                   notes, words=raw.words)


def _without_variety(raw: RawData, training: np.ndarray) -> tuple[str, ...]:
    """Sentences on columns (channels, features) of which a network can learn nothing: those of one value in all examples,
    and those of one value in these, the training split, alone."""
    in_training = without_variety(training)
    everywhere = in_training & without_variety(raw.inputs) if in_training.any() else in_training
    always, only_there = (np.flatnonzero(those).tolist() for those in (everywhere, in_training & ~everywhere))
    found = []
    if always:
        it, are, them = ("it", "is", "it") if len(always) == 1 else ("they", "are", "them")
        found.append(f"{_called(raw, always)} no more than one value in all examples: {it} {are} 0 after normalising, and a "
                     f"network learns nothing from {them}.")
    if only_there:
        found.append(f"{_called(raw, only_there)} no more than one value in the training split, but others outside it: a "
                     "network cannot learn what those mean.")
    return tuple(found)


def _called(raw: RawData, places: list[int]) -> str:
    """Columns, channels or features in words, with the verb behind them."""
    noun = {"tabular": "column", "image": "channel"}.get(raw.kind, "feature")
    names, count = raw.names or raw.words, raw.shape[0]
    counted = "" if len(names) == count else ", counted from 0"
    shown = ", ".join(str(place) if counted else one_line(names[place], LONGEST_NAME) for place in places[:MOST_NAMED])
    if len(places) == 1:
        return f"1 of {count:,} {noun}s ({shown}{counted}) has"
    more = f" and {len(places) - MOST_NAMED:,} more" if len(places) > MOST_NAMED else ""
    return f"{len(places):,} of {count:,} {noun}s ({shown}{more}{counted}) have"


def _of_texts(raw: RawData, name: str, seed: int, parts: Parts) -> Dataset:
    """Texts in the ids of the training split's vocabulary. They are not normalised."""
    vocabulary = Vocabulary.fit(raw.inputs[parts.train], raw.words)
    train, calibration, validation, test = _read_by(vocabulary.apply, raw, parts)
    return Dataset(name, raw.title, raw.kind, raw.classes, train, calibration, validation,
                   Normaliser(np.zeros(1), np.ones(1)), raw.digest(seed), raw.bytes_per_example, test, raw.origin,
                   raw.notes, words=vocabulary.words)


def _counts(raw: RawData, name: str, seed: int, parts: Parts) -> Dataset:
    """A table of the words of texts. All features have one scale and keep their zeros: with a scale of its own, a word that
    one text has would weigh as much as the most frequent one."""
    bag = WordCounts.fit(raw.inputs[parts.train], raw.words, raw.counted)
    normaliser = Normaliser(np.zeros(1), np.full(1, 1 / np.sqrt(len(bag.words))))  # a row of length 1 gets the mean square 1
    train, calibration, validation, test = _read_by(lambda ids: normaliser.apply(bag.apply(ids)), raw, parts)
    return Dataset(name, raw.title, "tabular", raw.classes, train, calibration, validation, normaliser, raw.digest(seed),
                   4 * len(bag.words), test, raw.origin, raw.notes, words=bag.words)


def _read_by(read: Callable[[np.ndarray], np.ndarray], raw: RawData, parts: Parts) -> list[Split]:
    """The splits for training, calibration, validation and test of texts, each read by this function."""
    given = [(raw.inputs[places], raw.labels[places]) for places in (parts.train, parts.calibration, parts.validation)]
    if raw.test_inputs is not None and raw.test_labels is not None:
        given.append((raw.test_inputs[parts.test], raw.test_labels[parts.test]))
    else:
        given.append((raw.inputs[parts.test], raw.labels[parts.test]))
    return [Split(read(inputs), labels) for inputs, labels in given]


def _normalised(inputs: np.ndarray, places: np.ndarray, normaliser: Normaliser, title: str) -> np.ndarray:
    """The examples at these places, normalised.

    Raises:
        ValueError: a value far beyond those of the training split. A network would make infinity of it, which looks like
            training that diverged.
    """
    result = normaliser.apply(inputs[places])
    far = ~(np.abs(result) <= FARTHEST)
    if not far.any():
        return result
    row, *place = (int(number) for number in np.unravel_index(int(np.argmax(far)), far.shape))
    found, channel = (int(places[row]), *place), (place[0], *[0] * (len(place) - 1))
    raise ValueError(f"{title}: {place_of(found)} has {inputs[found]!s}, but in the training split the values there have "
                     f"the mean {normaliser.mean[channel]:.3g} and the standard deviation "
                     f"{normaliser.standard_deviation[channel]:.3g}; the normalised value must be below {FARTHEST:g}. Mend "
                     f"or remove this example, or leave out this {'column' if len(place) == 1 else 'channel'}.")


@lru_cache(maxsize=4)
def _load(name: str, seed: int, stamp: local_files.Stamp) -> Dataset:
    """stamp: changes with a local file, so that a changed file is read again."""
    return replace(prepare(_read(name), name, seed), source=source(name))


def _read(name: str) -> RawData:
    if name.startswith(openml.PREFIX):
        return openml.read(name)
    if name.startswith(local_files.PREFIX):
        return local_files.read(name)
    if name in bundled.NAMES:
        return bundled.read(name)
    known = [card.name for card in (*bundled.cards(), *local_files.cards())]
    raise ValueError(
        f"There is no data set {shown(name)}. Choose one of {', '.join(known)}; or a classification set from openml.org as "
        "openml:NAME:VERSION, for example openml:mnist_784:1; or set COMPRESS_DATA to the paths of your own "
        f"data (folders of IDX files, or .npz files) and choose it as local:NAME.{similar(name, known)}")
