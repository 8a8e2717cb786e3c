"""Data of the user: every path in COMPRESS_DATA is a data set local:NAME, named after its folder or file.

COMPRESS_DATA holds one or more paths with the system's path separator (':' or, on Windows, ';') between them;
each is a folder of IDX files (idx_folder.py) or an .npz file (npz_file.py). The kind of the examples follows from their
shape:

    (n, features)                   a table; with kind "sequence", sequences (n, length) with one feature
    (n, height, width)              images with one channel; with kind "sequence", (n, features, length)
    (n, channels, height, width)    images with 1 or 3 channels; preferred if both forms fit
    (n, height, width, channels)    the same

kind is an optional text array in the .npz file. Labels are any k different whole numbers or texts.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.data.idx_folder import IdxFolder
from compress.data.npz_file import NpzFile
from compress.data.raw_data import EXAMPLE_AXES, DatasetCard, RawData, numbered

PREFIX = "local:"
_CHANNELS = (1, 3)
_KINDS_BY_AXES = {2: ("tabular", "sequence"), 3: ("image", "sequence"), 4: ("image",)}


@dataclass(frozen=True)
class _Entry:
    """A path of COMPRESS_DATA and the name of its data set."""

    name: str
    path: Path


def cards() -> tuple[DatasetCard, ...]:
    """One card for each path in COMPRESS_DATA; the field `problem` is the reason if the data cannot be loaded."""
    return tuple(_card(entry) for entry in _entries())


def read(name: str) -> RawData:
    """Every example of local:NAME.

    Raises:
        ValueError: no such name in COMPRESS_DATA, or files that are missing, damaged or of no usable form.
    """
    entry = _find(name)
    files = _open(entry.path)
    try:
        return _raw_data(entry, files)
    except ValueError as error:
        where = "" if str(entry.path) in str(error) else f"{entry.path}: "
        raise ValueError(f"{where}{error}") from error


def stamp(name: str) -> tuple[tuple[str, int, int], ...]:
    """Changes when the files of local:NAME change: paths, sizes and times. Empty for any other data set."""
    if not name.startswith(PREFIX):
        return ()
    path = _find(name).path
    files = sorted(path.glob("*-ubyte*")) if path.is_dir() else [path]
    return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.exists())


def arranged_shape(shape: tuple[int, ...], kind: str | None) -> tuple[str, tuple[int, ...]]:
    """The kind of the examples in an array of this shape, and the shape of one in this project's layout.

    Raises:
        ValueError: no kind, or not the given kind, has examples of this shape.
    """
    kinds = _KINDS_BY_AXES.get(len(shape))
    if kinds is None:
        raise ValueError(f"inputs must have 2, 3 or 4 axes (examples first), but got the shape {shape}. "
                         "Reshape them.")
    if kind is not None and kind not in kinds:
        raise ValueError(f"kind must be {' or '.join(kinds)} for inputs of the shape {shape}, but got "
                         f"{kind!r}. Reshape the inputs or leave kind out.")
    chosen, example = kind or kinds[0], shape[1:]
    if len(example) == 3:
        if example[0] not in _CHANNELS and example[2] not in _CHANNELS:
            raise ValueError("images must have 1 or 3 channels, on their first or last axis, but got the "
                             f"shape {shape}. Leave out the other channels.")
        return chosen, example if example[0] in _CHANNELS else (example[2], *example[:2])
    missing = len(EXAMPLE_AXES[chosen]) - len(example)
    return chosen, (*([1] * missing), *example)


def _entries() -> list[_Entry]:
    texts = os.environ.get("COMPRESS_DATA", "").split(os.pathsep)
    paths = [Path(text.strip()).expanduser().absolute() for text in texts if text.strip()]
    return [_Entry(PREFIX + re.sub(r"[^\w.-]+", "_", path.stem if path.suffix == ".npz" else path.name), path)
            for path in paths]


def _find(name: str) -> _Entry:
    entries = _entries()
    found = [entry for entry in entries if entry.name == name]
    if not found:
        known = ", ".join(entry.name for entry in entries) or "none"
        raise ValueError(f"COMPRESS_DATA has no data set {name!r}; it has {known}. Add the path of a "
                         f"folder of IDX files or of an .npz file, with {os.pathsep!r} between two paths.")
    if len(found) > 1:
        raise ValueError(f"COMPRESS_DATA names {len(found)} data sets {name!r}: {found[0].path} and "
                         f"{found[1].path}. Rename one of them.")
    return found[0]


def _open(path: Path) -> IdxFolder | NpzFile:
    if path.is_dir():
        return IdxFolder(path)
    if path.suffix != ".npz" or not path.is_file():
        raise ValueError(f"COMPRESS_DATA must name folders of IDX files or .npz files, but {path} is "
                         f"{'neither' if path.exists() else 'not there'}.")
    return NpzFile(path)


def _card(entry: _Entry) -> DatasetCard:
    title = entry.name.removeprefix(PREFIX)
    try:
        _find(entry.name)
        files = _open(entry.path)
        tests = (False, True) if files.has_test() else (False,)
        kind, shape = arranged_shape(files.shape(), files.kind())
        classes = len(np.unique(np.concatenate([_flat(files.labels(test)) for test in tests])))
        examples = sum(files.shape(test)[0] for test in tests)
    except ValueError as error:
        return DatasetCard(entry.name, title, "", "", 0, 0, f"From {entry.path}.", problem=str(error))
    return DatasetCard(entry.name, title, kind, " x ".join(map(str, shape)), classes, examples,
                       f"From {entry.path}.")


def _raw_data(entry: _Entry, files: IdxFolder | NpzFile) -> RawData:
    labels = _flat(files.labels())
    test_labels = _flat(files.labels(test=True)) if files.has_test() else None
    if test_labels is not None and labels.dtype.kind != test_labels.dtype.kind:
        raise ValueError(f"labels and test labels must be of one type, but got {labels.dtype} and "
                         f"{test_labels.dtype}.")
    codes, classes = numbered(labels if test_labels is None else np.concatenate([labels, test_labels]))
    inputs, kind = _arranged(files, test=False)
    test_inputs = None if test_labels is None else _arranged(files, test=True)[0]
    return RawData(entry.name.removeprefix(PREFIX), kind, classes, inputs, codes[:len(labels)], test_inputs,
                   None if test_labels is None else codes[len(labels):])


def _flat(labels: np.ndarray) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "uiU" or not len(labels):
        raise ValueError(f"labels must be whole numbers or texts with the shape (n,), but got "
                         f"{labels.dtype} with the shape {labels.shape}. Turn one-hot rows into numbers "
                         "with argmax(1), floats with astype(int).")
    return labels if labels.dtype.kind == "U" else labels.astype(np.int64)


def _arranged(files: IdxFolder | NpzFile, test: bool) -> tuple[np.ndarray, str]:
    found = files.inputs(test)
    inputs = found.astype(np.uint8) if found.dtype == np.bool_ else found
    kind, shape = arranged_shape(inputs.shape, files.kind())
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        raise ValueError(f"inputs must be finite, but {int((~np.isfinite(inputs)).sum())} values are not. "
                         "Fill or remove them.")
    if inputs.ndim == 4 and inputs.shape[1:] != shape:
        inputs = np.moveaxis(inputs, 3, 1)
    return np.ascontiguousarray(inputs).reshape(len(inputs), *shape), kind
