"""Single cells of the package scanpy, whose file h5py reads."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from compress.data import bundled

READER = ("import numpy\n\nclass File:\n    def __init__(self, path, mode):\n        self.arrays = numpy.load(path)\n"
          "    def __enter__(self):\n        return self.arrays\n    def __exit__(self, *error):\n        pass\n")


@pytest.fixture
def h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of this name that reads .npz files instead."""
    folder = tmp_path / "reader" / "h5py"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(READER)
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.delitem(__import__("sys").modules, "h5py", raising=False)


def contents(**arrays: np.ndarray) -> bytes:
    stream = BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def test_cells_are_rows_of_genes_with_names_of_their_types(package, h5py):
    told = np.array([(1,), (0,), (1,)], dtype=[("bulk_labels", "i1")])
    package("scanpy", "datasets/10x_pbmc68k_reduced.h5ad", contents(
        X=np.arange(6, dtype=np.float32).reshape(3, 2), obs=told, **{"uns/bulk_labels_categories": np.array([b"B", b"NK"])}))
    raw = bundled.read("single_cells")
    assert (raw.kind, raw.classes, raw.labels.tolist()) == ("tabular", ("B", "NK"), [1, 0, 1])
    assert raw.inputs.tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("found", [b"nothing", contents(X=np.zeros((2, 2)))])
def test_another_file_of_cells_is_refused_in_words(package, h5py, found):
    package("scanpy", "datasets/10x_pbmc68k_reduced.h5ad", found)
    with pytest.raises(ValueError, match=r"The installed scanpy has no table of cells as version 1\.11\.5"):
        bundled.read("single_cells")
