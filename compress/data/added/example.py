"""A small table to try with: the 150 flowers of Fisher (1936), as scikit-learn has them."""

from __future__ import annotations

from pathlib import Path

from compress.atomic_file import write_whole
from compress.data.extras.package import folder_of

FEATURES = ("sepal length", "sepal width", "petal length", "petal width")


def flowers() -> bytes:
    """A CSV file of four lengths and the species, read from the installed package, of which no code is run.

    Raises:
        ValueError: scikit-learn's file is not there.
    """
    try:
        lines = (folder_of("sklearn") / "datasets" / "data" / "iris.csv").read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise ValueError(f"The table of flowers in scikit-learn cannot be read ({error.strerror}). Install it again: pip "
                         "install --force-reinstall scikit-learn") from error
    species = lines[0].split(",")[2:]
    rows = (line.rpartition(",") for line in lines[1:])
    table = [",".join([*FEATURES, "species"]), *(f"{lengths},{species[int(number)]}" for lengths, _, number in rows)]
    return ("\n".join(table) + "\n").encode()


def write_flowers(path: Path) -> int:
    """Writes flowers() and returns the number of rows.

    Raises:
        ValueError: the file cannot be written, or as flowers().
    """
    contents = flowers()
    try:
        write_whole(contents, path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}). Name a file in a folder that may be written."
                         ) from error
    return contents.count(b"\n") - 1
