"""Classification data sets from https://www.openml.org, downloaded when a user names one, and cached.

A name is openml:NAME:VERSION. Tables stay tables (categories one-hot, missing numbers filled with the mean of
the training split); a table whose columns are whole numbers 0..255 and whose width is a square of 8 or more
is read as square images with one channel. Sentences beside
other columns are counted by their words; of a set that has nothing else, they are read as token ids.

The download library has no time limit. It therefore runs in a child process (download_child.py) that is ended at a time
limit, when the work is cancelled and when this process ends.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass

import numpy as np

from compress.atomic_file import temporary_folder
from compress.data import download_child, openml_download
from compress.data.array_cache import cached, kept, read_arrays, write_arrays
from compress.data.raw_data import DatasetCard, RawData
from compress.home import cache_folder
from compress.progress import Reporter, no_report
from compress.settings import shown

PREFIX = "openml:"
SECONDS = 120.0
_SMALLEST_SIDE = 8
_FORM = re.compile(r"([A-Za-z0-9][\w.(),-]*):([1-9]\d{0,8})", re.ASCII)


class DownloadError(RuntimeError):
    """A data set that is not cached could not be downloaded."""


@dataclass(frozen=True)
class _Known:
    """Facts of a known data set that its table does not contain: the shape of the images, the number of rows at its end that
    are the official test part, and the names of the classes 0 to 9."""

    card: DatasetCard
    shape: tuple[int, int, int]
    test_examples: int
    classes: tuple[str, ...]


_DIGITS = tuple("0123456789")
_CLOTHES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
            "ankle boot")
_OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_KNOWN = (
    _Known(DatasetCard("openml:mnist_784:1", "MNIST", "image", "1 x 28 x 28", 10, 70_000,
                       "All of MNIST's handwritten digits, from OpenML.", online=True),
           (1, 28, 28), 10_000, _DIGITS),
    _Known(DatasetCard("openml:Fashion-MNIST:1", "Fashion-MNIST", "image", "1 x 28 x 28", 10, 70_000,
                       "Photographs of clothes, shaped as MNIST (Xiao et al. 2017), from OpenML.",
                       online=True),
           (1, 28, 28), 10_000, _CLOTHES),
    _Known(DatasetCard("openml:CIFAR_10:1", "CIFAR-10", "image", "3 x 32 x 32", 10, 60_000,
                       "Small colour photographs (Krizhevsky 2009), from OpenML. A large download: "
                       "COMPRESS_DOWNLOAD_SECONDS may have to be raised.", online=True),
           (3, 32, 32), 10_000, _OBJECTS),
)


def cards() -> tuple[DatasetCard, ...]:
    """One card for each known data set; others can be chosen by name too."""
    return tuple(known.card for known in _KNOWN)


def read(name: str) -> RawData:
    """Every example of openml:NAME:VERSION, from the cache folder or, the first time, from the internet.

    Raises:
        DownloadError, ValueError: as fetch().
    """
    title, version = _title_and_version(name)
    arrays = cached(_file(title, version), lambda: _download(name, title, version, no_report))
    known = [known for known in _KNOWN if known.card.name.lower() == name.lower()]
    return _as_known(known[0], arrays) if known else _as_found(title, arrays)


def fetch(name: str, report: Reporter) -> None:
    """Downloads openml:NAME:VERSION into the cache folder, if it is not there.

    Raises:
        DownloadError: the data set is not cached and cannot be downloaded within COMPRESS_DOWNLOAD_SECONDS (120).
        ValueError: the name has no version, the data set is not for classification, or the cached file is damaged.
        Cancelled: through `report`.
    """
    title, version = _title_and_version(name)
    if not kept(_file(title, version)).is_file():
        write_arrays(kept(_file(title, version)), _download(name, title, version, report))


def _title_and_version(name: str) -> tuple[str, str]:
    match = _FORM.fullmatch(name.removeprefix(PREFIX))
    if not match:
        raise ValueError(f"A data set from OpenML must be named with its version, as openml:NAME:VERSION, "
                         f"for example openml:mnist_784:1, but got {shown(name)}. Versions are listed at "
                         "https://www.openml.org.")
    return match[1], match[2]


def _file(title: str, version: str) -> str:
    return f"openml-{title.lower()}-{version}"


def _as_known(known: _Known, arrays: dict[str, np.ndarray]) -> RawData:
    card, labels, expected = known.card, arrays["labels"], (known.card.examples, math.prod(known.shape))
    if arrays["table"].shape != expected:
        raise ValueError(f"{card.name} must be a table of {expected[0]} x {expected[1]} pixels, but got "
                         f"{arrays['table'].shape}. Choose another set.")
    images = arrays["table"].reshape(-1, *known.shape)
    found = tuple(str(name) for name in arrays["classes"])
    classes = known.classes if found == _DIGITS else found
    rest = len(images) - known.test_examples
    return RawData(card.title, "image", classes, images[:rest], labels[:rest], images[rest:], labels[rest:])


def _as_found(title: str, arrays: dict[str, np.ndarray]) -> RawData:
    left_out = ", ".join(str(name) for name in arrays.get("left_out", ()))
    notes = (f"Left out of {title} (dates, keys, or texts in a sparse file): {left_out}.",) if left_out else ()
    classes = tuple(str(name) for name in arrays["classes"])
    if "words" in arrays:
        return RawData(title, "text", classes, arrays["inputs"], arrays["labels"], notes=notes,
                       words=tuple(map(str, arrays["words"])))
    table = arrays["table"]
    side = math.isqrt(table.shape[1])
    if arrays["pixels"] and side >= _SMALLEST_SIDE and side * side == table.shape[1]:
        return RawData(title, "image", classes, table.reshape(-1, 1, side, side), arrays["labels"], notes=notes)
    return RawData(title, "tabular", classes, table.astype(np.float64), arrays["labels"], notes=notes,
                   names=tuple(map(str, arrays.get("columns", ()))))


def _download(name: str, title: str, version: str, report: Reporter) -> dict[str, np.ndarray]:
    """Runs the child process, which writes to a temporary folder that is removed in any case."""
    seconds = _limit()
    home = cache_folder()
    with temporary_folder(home, "openml") as folder:
        target = folder / "arrays.npz"
        code, words = download_child.run(openml_download.__name__, [title, version, str(target), str(home)], seconds, report)
        if code == 0:
            return read_arrays(target)
    if code == openml_download.REFUSED:
        raise ValueError(f"{name} cannot be used: {words}")
    if code is None:
        why = (f"no connection to openml.org, or no end of the download, within {seconds:g} s; for a large "
               "set on a slow line raise COMPRESS_DOWNLOAD_SECONDS")
    elif code == openml_download.NO_CONNECTION:
        why = words
    else:  # no failure of the connection
        raise DownloadError(f"{name} could not be read (the program that downloads it ended with code {code}: "
                            f"{words or 'no message, as when memory ran out'}). Choose another set, or digits, mnist5k or "
                            "mnist1d, which need no download.")
    raise DownloadError(f"{name} could not be downloaded ({why}). Connect to the internet, or choose "
                        "digits, mnist5k or mnist1d, which need no download.")


def _limit() -> float:
    text = os.environ.get("COMPRESS_DOWNLOAD_SECONDS") or str(SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"COMPRESS_DOWNLOAD_SECONDS must be a number of seconds above 0, but got {text!r}. "
                         f"Unset it for the usual {SECONDS:g}.")
    return seconds
