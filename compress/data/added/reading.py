"""A user's files, of whatever form, as examples."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from compress.data.added import table_file
from compress.data.added.array_files import array_examples, idx_pair, is_idx, npy_pair
from compress.data.added.examples import Choices, Examples
from compress.data.added.picture_archive import picture_examples
from compress.data.added.table_examples import table_examples
from compress.data.labels import joined, numbered
from compress.data.npz_file import NpzFile
from compress.data.raw_data import RawData

FORMS = ("a table (.csv, .tsv, .parquet), a .zip of class folders of pictures, an .npz file, two .npy files (examples and "
         "labels), or two IDX files (images and labels)")
ENDINGS = (*table_file.ENDINGS, ".zip", ".npz", ".npy", ".gz", "-ubyte")


def examples_of(paths: Sequence[Path], choices: Choices) -> Examples:
    """The examples in these files.

    Raises:
        ValueError: files of another form, damaged ones, or ones without what is needed; says what to do.
    """
    names = " and ".join(path.name for path in paths)
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise ValueError(f"{missing[0]} is no file. Write the path of a file.")
    try:
        return _read(paths, choices, names)
    except ValueError as error:
        raise ValueError(_with_names(str(error), paths, names)) from error
    except OSError as error:
        raise ValueError(f"{names} cannot be read ({error.strerror or 'damaged'}). Give this user the right to read it."
                         ) from error


def raw_data(title: str, found: Examples) -> RawData:
    """Examples under a title, their labels numbered. Raises ValueError as RawData."""
    labels = found.labels if found.test_labels is None else joined(found.labels, found.test_labels)
    codes, classes = numbered(labels)
    count = len(found.labels)
    return RawData(title, found.kind, classes, found.inputs, codes[:count], found.test_inputs,
                   None if found.test_labels is None else codes[count:], notes=found.notes, words=found.words,
                   names=found.names)


def _with_names(sentence: str, paths: Sequence[Path], names: str) -> str:
    """A sentence about files, with their names in the place of their paths, which may be those of copies."""
    for path in paths:
        sentence = sentence.replace(str(path), path.name)
    return re.sub(r"\S*/together-\w+(/pair\.npz)?", names, sentence)


def _read(paths: Sequence[Path], choices: Choices, names: str) -> Examples:
    endings = {path.suffix.lower() for path in paths}
    if len(paths) == 1 and endings <= set(table_file.ENDINGS):
        return table_examples(paths[0], choices)
    if len(paths) == 1 and endings == {".zip"}:
        return picture_examples(paths[0], choices)
    if len(paths) == 1 and endings == {".npz"}:
        return array_examples(NpzFile(paths[0]))
    with tempfile.TemporaryDirectory(prefix="together-") as folder:
        if len(paths) == 2 and endings == {".npy"}:
            return array_examples(npy_pair(paths, Path(folder)))
        if len(paths) == 2 and all(is_idx(path) for path in paths):
            return array_examples(idx_pair(paths, Path(folder)))
    raise ValueError(f"{names or 'Nothing'} cannot be read as data. Choose {FORMS}.")
