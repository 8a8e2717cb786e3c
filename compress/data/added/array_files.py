"""Arrays: an .npz file, a pair of .npy files (examples and labels), a pair of IDX files."""

from __future__ import annotations

import gzip
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from compress.data.added.arranging import arranged
from compress.data.added.examples import Examples
from compress.data.idx_folder import IdxFolder
from compress.data.labels import class_labels
from compress.data.npz_file import NpzFile

_IDX = {b"\0\0\x08\x03": "train-images-idx3-ubyte", b"\0\0\x08\x01": "train-labels-idx1-ubyte"}


def array_examples(files: IdxFolder | NpzFile) -> Examples:
    """The examples of an opened .npz file or folder of IDX files. Raises ValueError that names the file."""
    inputs, kind = arranged(files, test=False)
    has_test = files.has_test()
    test_inputs = arranged(files, test=True)[0] if has_test else None
    test_labels = class_labels(files.labels(test=True)) if has_test else None
    return Examples(kind, inputs, class_labels(files.labels()), test_inputs, test_labels, notes=files.notes(),
                    words=files.words(), names=files.names())


def npy_pair(paths: Sequence[Path], folder: Path) -> NpzFile:
    """Two .npy files as one .npz file in `folder`: the array with fewer axes, or of the name y or labels, has the labels.

    Raises:
        ValueError: one of them is no array of numbers or texts.
    """
    axes = [_axes(path, folder) for path in paths]
    named = [path.stem.lower().startswith(("y", "label", "target")) for path in paths]
    first_is_labels = named[0] if named[0] != named[1] else axes[0] < axes[1]
    together = folder / "pair.npz"
    with zipfile.ZipFile(together, "w") as archive:
        for path, name in zip(paths, ("y.npy", "x.npy") if first_is_labels else ("x.npy", "y.npy"), strict=True):
            archive.write(path, name)
    return NpzFile(together)


def _axes(path: Path, folder: Path) -> int:
    """Axes of an example of length over 1 in a .npy file."""
    alone = folder / "alone.npz"
    with zipfile.ZipFile(alone, "w") as archive:
        archive.write(path, "x.npy")
    try:
        return len([length for length in NpzFile(alone).shape()[1:] if length > 1])
    except ValueError as error:
        raise ValueError(f"{path.name} is not a valid .npy file of plain numbers or texts. Save it with np.save.") from error


def idx_pair(paths: Sequence[Path], folder: Path) -> IdxFolder:
    """Two IDX files, one of images and one of labels, whatever their names, as a folder.

    Raises:
        ValueError: they are not such a pair.
    """
    found = {path: _IDX.get(_first_bytes(path)) for path in paths}
    if sorted(filter(None, found.values())) != sorted(_IDX.values()):
        names = " and ".join(path.name for path in paths)
        raise ValueError(f"{names} must be one IDX file of images (it begins with 00 00 08 03) and one of labels (00 00 08 "
                         "01), packed with gzip or not. Choose both files of the same part.")
    for path, stem in found.items():
        shutil.copyfile(path, folder / f"{stem}{'.gz' if _is_packed(path) else ''}")
    return IdxFolder(folder)


def is_idx(path: Path) -> bool:
    """Whether a file begins as an IDX file of images or labels does, packed or not."""
    return _first_bytes(path) in _IDX


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _first_bytes(path: Path) -> bytes:
    try:
        with (gzip.open if _is_packed(path) else open)(path, "rb") as stream:
            return stream.read(4)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""
