"""Expression of genes in single blood cells, from the package scanpy (BSD): of which type is a cell?"""

from __future__ import annotations

import numpy as np

from compress.data.extras.package import Extra
from compress.data.raw_data import DatasetCard

CELLS, GENES, TYPES = 700, 765, 10
EXTRA = Extra(DatasetCard("single_cells", "Single cells", "tabular", str(GENES), TYPES, CELLS,
                          "Expression of 765 genes in blood cells of ten types (10x Genomics PBMC 68k, from scanpy)."),
              "scanpy", "pip install --no-deps scanpy h5py (7 MB)",
              "The cells are in the package scanpy, in a file that h5py reads", ("h5py",))


def single_cells() -> dict[str, np.ndarray]:
    """Scaled expression (700, 765), and the type that sorting of the cells gave. Raises ValueError for another file."""
    path = EXTRA.file("datasets", "10x_pbmc68k_reduced.h5ad")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            inputs = np.asarray(file["X"], dtype=np.float32)
            labels = np.asarray(file["obs"])["bulk_labels"].astype(np.int64)
            names = [bytes(name).decode() for name in np.asarray(file["uns/bulk_labels_categories"])]
    except (OSError, KeyError, ValueError, IndexError, TypeError) as error:
        raise ValueError(f"The installed scanpy has no table of cells as version 1.11.5 has ({path}). Install that one: pip "
                         "install --no-deps scanpy==1.11.5") from error
    return {"inputs": inputs, "labels": labels, "classes": np.array(names)}
