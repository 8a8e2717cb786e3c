"""A small table to try with: the 150 flowers of Fisher (1936), as scikit-learn has them."""

from __future__ import annotations

from pathlib import Path

from compress.atomic_file import write_whole


def write_flowers(path: Path) -> int:
    """Writes a CSV file of four lengths and the species and returns the number of rows.

    Raises:
        ValueError: the file cannot be written.
    """
    from sklearn.datasets import load_iris

    found = load_iris()
    lines = [",".join([*(name.replace(" (cm)", "") for name in found.feature_names), "species"])]
    lines += [",".join([*map(str, row), found.target_names[label]]) for row, label in zip(found.data, found.target,
                                                                                         strict=True)]
    try:
        write_whole(("\n".join(lines) + "\n").encode(), path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}). Name a file in a folder that may be written."
                         ) from error
    return len(found.data)
