"""Adds a data set to those that every page and command lists, and takes it away again."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

from compress.atomic_file import write_whole
from compress.data.added.examples import Examples
from compress.data.added.folder import FILES
from compress.data.local_files import PREFIX, names_in_use


def add(name: str, found: Examples) -> str:
    """Keeps examples as the data set local:NAME and returns this name.

    The same examples under the same name are one data set. Where other data have the name, a number is put behind it.

    Args:
        name: letters, digits, ".", "_" and "-"; other signs become "_".

    Raises:
        ValueError: an empty name, or a home folder that cannot be written.
    """
    contents, wanted = _contents(found), FILES.plain(name.removeprefix(PREFIX))
    number, chosen = 1, wanted
    while True:
        path = FILES.file(chosen)
        if path.is_file() and path.read_bytes() == contents:
            return PREFIX + chosen
        if PREFIX + chosen not in names_in_use():
            break
        number, chosen = number + 1, f"{wanted}-{number + 1}"
    try:
        write_whole(contents, path)
    except OSError as error:
        raise FILES.unwritable(error) from error
    return PREFIX + chosen


def remove(name: str) -> Path:
    """Removes the file of an added data set and returns its path. What was measured on it stays in the store.

    Raises:
        ValueError: no data set of this name was added, or its file cannot be removed.
    """
    known = [path.stem for path in FILES.files()]
    if name.removeprefix(PREFIX) not in known:
        there = ", ".join(PREFIX + one for one in known) or "none"
        raise ValueError(f"No data set {name!r} was added; those that were are {there}. Files named in COMPRESS_DATA are "
                         "yours to move.")
    return FILES.removed(name.removeprefix(PREFIX))


def _contents(found: Examples) -> bytes:
    """The .npz file; equal examples give equal bytes, at whatever time."""
    arrays = {"x": found.inputs, "y": found.labels, "kind": np.array(found.kind), "missing": np.array(True)}
    if found.test_inputs is not None and found.test_labels is not None:
        arrays |= {"x_test": found.test_inputs, "y_test": found.test_labels}
    if found.words:
        arrays["words"] = np.array(found.words)
    if found.names:
        arrays["columns"] = np.array(found.names)
    if found.notes:
        arrays["notes"] = np.array(found.notes)
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for array_name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{array_name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
    return stream.getvalue()
