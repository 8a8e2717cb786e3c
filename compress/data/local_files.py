"""Data of the user: every path in COMPRESS_DATA is a data set local:NAME, named after its folder or file; and so is every
data set that was added (the folder added/), under the name it was given.

COMPRESS_DATA holds one or more paths with the system's path separator (':' or, on Windows, ';') between them;
each is a folder of IDX files (idx_folder.py) or an .npz file (npz_file.py). The kind of the examples follows from their
shape:

    (n, features)                   a table; with kind "sequence", sequences (n, length) with one feature
    (n, height, width)              images with one channel; with kind "sequence", (n, features, length)
    (n, channels, height, width)    images with 1 or 3 channels; preferred if both forms fit
    (n, height, width, channels)    the same

kind is an optional text array in the .npz file. Labels are any k different whole numbers or texts (labels.py).
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from compress.data.added.arranging import arranged, arranged_shape
from compress.data.added.folder import FILES as ADDED_FILES
from compress.data.idx_folder import FILES, IdxFolder
from compress.data.labels import class_labels, joined, numbered
from compress.data.npz_file import NpzFile
from compress.data.raw_data import DatasetCard, RawData

PREFIX = "local:"
Stamp = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Entry:
    """A path of COMPRESS_DATA, or a file of the data sets that were added, and the name of its data set.

    Attributes:
        problem: the reason why the text in COMPRESS_DATA is no path; "" if it is one.
        is_added: whether it is a data set that was added instead.
    """

    name: str
    path: Path
    problem: str = ""
    is_added: bool = False


def cards() -> tuple[DatasetCard, ...]:
    """One card for each path in COMPRESS_DATA; the field `problem` is the reason if the data cannot be loaded. Whatever the
    paths and files are, nothing is raised: the other data sets must stay usable."""
    return _cards(stamp_of_all())


def read(name: str) -> RawData:
    """Every example of local:NAME.

    Raises:
        ValueError: no such name in COMPRESS_DATA, or files that are missing, damaged or of no usable form.
    """
    entry = _find(name)
    try:
        return _raw_data(entry, _open(entry))
    except OSError as error:
        raise ValueError(_unreadable(entry, error)) from error
    except ValueError as error:
        where = "" if str(entry.path) in str(error) else f"{entry.path}: "
        raise ValueError(_shown(f"{where}{error}")) from error


def names_in_use() -> set[str]:
    """Of the data sets of COMPRESS_DATA and of those that were added."""
    return {entry.name for entry in _entries()}


def is_added(name: str) -> bool:
    """Whether a data set was added, and so can be removed."""
    return any(entry.name == name and entry.is_added for entry in _entries())


def stamp(name: str) -> Stamp:
    """Changes when the files of local:NAME change, as their paths, sizes, times and permissions say. Empty for any other
    data set."""
    return _stamp_of(_find(name)) if name.startswith(PREFIX) else ()


def source(name: str) -> str:
    """16 hex digits of the contents of the files of local:NAME, computed again only where their stamp changes; "" for any
    other data set. Nothing is raised: "unreadable" where there is no such data set or it cannot be read."""
    if not name.startswith(PREFIX):
        return ""
    try:
        return _source(_find(name), stamp(name))
    except (OSError, ValueError):
        return "unreadable"


def stamp_of_all() -> Stamp:
    """Changes when a file of any path in COMPRESS_DATA changes, appears or can be read at last; a few system calls."""
    return tuple(line for entry in _entries() for line in ((entry.name,), *_stamp_of(entry)))


def _stamp_of(entry: _Entry) -> Stamp:
    files = [entry.path, *(entry.path / name for name in FILES)]
    return tuple((str(file), *_facts(file)) for file in files)


def _facts(file: Path) -> tuple[str, ...]:
    try:
        found = file.stat()
    except (OSError, ValueError) as error:  # not there, not allowed, or no path: this can change too
        return (type(error).__name__,)
    # A file that was replaced by one of the same length and time has another inode, and a later change time.
    return tuple(str(fact) for fact in (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino))


def _entries() -> list[_Entry]:
    texts = [text.strip() for text in os.environ.get("COMPRESS_DATA", "").split(os.pathsep)]
    added = [_Entry(PREFIX + path.stem, path, is_added=True) for path in ADDED_FILES.files()]
    named = (_entry(text) for text in texts if text)
    return [*dict.fromkeys(named), *added]  # a path that is given twice is one data set


def _entry(text: str) -> _Entry:
    path, problem = Path(text), ""
    try:
        path = path.expanduser().absolute()
    except RuntimeError:  # ~NAME of a user that there is not
        problem = (f"COMPRESS_DATA has the path {_shown(text)}, but this system knows no such home folder. Write the path "
                   "in full.")
    except OSError as error:
        problem = (f"COMPRESS_DATA has the path {_shown(text)}, but the current folder cannot be read ({error.strerror}). "
                   "Write the path in full.")
    name = re.sub(r"[^\w.-]+", "_", path.stem if path.suffix == ".npz" else path.name)
    return _Entry(PREFIX + (name or "_"), path, problem)


def _shown(path: Path | str) -> str:
    """A path, or a sentence with one, as valid text: a file's name may hold bytes that are no characters."""
    return str(path).encode("utf-8", "replace").decode()


def _unreadable(entry: _Entry, error: OSError) -> str:
    return (f"{_shown(entry.path)} cannot be read ({error.strerror or 'it is damaged'}). Give this user the right to read "
            "it, or change its path in COMPRESS_DATA.")


def _find(name: str) -> _Entry:
    entries = _entries()
    found = [entry for entry in entries if entry.name == name]
    if not found:
        known = ", ".join(entry.name for entry in entries) or "none"
        raise ValueError(f"There is no data set {name!r} of yours; there are {known}. Add it on the page Your data or with "
                         "python -m compress data add FILE, or name its path (a folder of IDX files, an .npz file) in "
                         f"COMPRESS_DATA, with {os.pathsep!r} between two paths.")
    if len(found) > 1:
        raise ValueError(f"{len(found)} data sets are called {name!r}: {found[0].path} and {found[1].path}. Rename one of "
                         "them.")
    return found[0]


def _open(entry: _Entry) -> IdxFolder | NpzFile:
    if entry.problem:
        raise ValueError(entry.problem)
    path = entry.path
    if path.is_dir():
        return IdxFolder(path)
    if path.suffix != ".npz" or not path.is_file():
        raise ValueError(f"COMPRESS_DATA must name folders of IDX files or .npz files, but {_shown(path)} is "
                         f"{'neither' if path.exists() else 'not there'}.")
    return NpzFile(path)


@lru_cache(maxsize=64)
def _source(entry: _Entry, stamp: Stamp) -> str:
    """stamp: changes with the files."""
    total = hashlib.sha256()
    files = [entry.path, *(entry.path / name for name in FILES)]
    found = [file for file in files if file.is_file()]
    if not found:
        raise FileNotFoundError(entry.path)
    for file in found:
        total.update(file.name.encode() if file != entry.path else b"")
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:16]


@lru_cache(maxsize=4)
def _cards(stamp: Stamp) -> tuple[DatasetCard, ...]:
    """stamp: changes with the paths and their files, so that the labels are read again only then."""
    return tuple(_card(entry) for entry in _entries())


def _card(entry: _Entry) -> DatasetCard:
    title, source = entry.name.removeprefix(PREFIX), "Added by you." if entry.is_added else f"From {_shown(entry.path)}."
    try:
        kind, shape, classes, examples = _outline(entry)
    except Exception as error:  # whatever a file makes of its reader, the other data sets must stay usable
        problem = (str(error) if isinstance(error, ValueError) else
                   _unreadable(entry, error) if isinstance(error, OSError) else
                   f"{_shown(entry.path)} cannot be read ({type(error).__name__}). Save it again.")
        return DatasetCard(entry.name, title, "", "", 0, 0, source, problem=_shown(problem))
    return DatasetCard(entry.name, title, kind, " x ".join(map(str, shape)), classes, examples, source)


def _outline(entry: _Entry) -> tuple[str, tuple[int, ...], int, int]:
    """Kind, shape of an example, number of classes and of examples, from the labels and the headers of the inputs."""
    _find(entry.name)
    files = _open(entry)
    kind, shape = arranged_shape(files.shape(), files.kind())
    labels, examples = class_labels(files.labels()), files.shape()[0]
    if files.has_test():
        labels, examples = joined(labels, class_labels(files.labels(test=True))), examples + files.shape(test=True)[0]
    return kind, shape, len(np.unique(labels)), examples


def _raw_data(entry: _Entry, files: IdxFolder | NpzFile) -> RawData:
    labels = class_labels(files.labels())
    test_labels = class_labels(files.labels(test=True)) if files.has_test() else None
    codes, classes = numbered(labels if test_labels is None else joined(labels, test_labels))
    inputs, kind = arranged(files, test=False)
    test_inputs = None if test_labels is None else arranged(files, test=True)[0]
    return RawData(entry.name.removeprefix(PREFIX), kind, classes, inputs, codes[:len(labels)], test_inputs,
                   None if test_labels is None else codes[len(labels):], notes=files.notes(), words=files.words(),
                   names=files.names())
