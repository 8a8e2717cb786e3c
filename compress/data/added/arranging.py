"""Arrays of a user's files as examples of a kind, which follows from their shape."""

from __future__ import annotations

import numpy as np

from compress.data.finite import check_finite
from compress.data.idx_folder import IdxFolder
from compress.data.npz_file import NpzFile
from compress.data.raw_data import EXAMPLE_AXES

_CHANNELS = (1, 3)
_KINDS_BY_AXES = {2: ("tabular", "sequence", "text"), 3: ("image", "sequence"), 4: ("image",)}


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


def arranged(files: IdxFolder | NpzFile, test: bool) -> tuple[np.ndarray, str]:
    """The inputs (n, *shape) of a part in this project's layout, and their kind.

    Raises:
        ValueError: files that are damaged or have no usable form, or numbers that no network can be given.
    """
    found = files.inputs(test)
    inputs = found.astype(np.uint8) if found.dtype == np.bool_ else found
    kind, shape = arranged_shape(inputs.shape, files.kind())
    check_finite(inputs, "test inputs" if test else "inputs", missing_allowed=files.missing_allowed())
    if inputs.ndim == 4 and inputs.shape[1:] != shape:
        inputs = np.moveaxis(inputs, 3, 1)
    return np.ascontiguousarray(inputs).reshape(len(inputs), *shape), kind
