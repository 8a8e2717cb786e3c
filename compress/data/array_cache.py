"""A cache of arrays that are slow to compute, as .npz files in the cache folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from compress.atomic_file import replacing
from compress.data.npz_archive import opened
from compress.home import cache_folder


def cached(name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays of the file NAME.npz in the cache folder; make() is called only where that file is missing.

    Raises:
        ValueError: the file is damaged.
    """
    path = kept(name)
    if not path.is_file():
        write_arrays(path, make())
    try:
        return read_arrays(path)
    except ValueError as error:
        raise ValueError(f"{error} Delete this file: the next load makes it again.") from error


def kept(name: str) -> Path:
    """The path of the file NAME.npz, whether it is there or not."""
    return cache_folder() / f"{name}.npz"


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of an .npz file.

    Raises:
        ValueError: as opened().
    """
    with opened(path) as archive:
        return {name: archive.read(name) for name in archive.names}


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes all arrays, or leaves the file as it was."""
    with replacing(path) as stream:
        np.savez(stream, allow_pickle=False, **arrays)
