"""What one should see of data before they are used: shape, classes, missing values, duplicates, a few examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from compress.data.added.examples import Examples
from compress.data.added.reading import raw_data
from compress.data.datasets import prepare
from compress.data.raw_data import RawData

PICTURES = 24
SIDE = 48  # pixels of the longest side of a picture that is shown
COLUMNS = 200


def preview(name: str, found: Examples) -> dict[str, Any]:
    """Plain data about examples under a name.

    Returns:
        kind, shape, examples, classes (name -> count, in order), missing (values), duplicates (examples that occurred
        before), constant (features with one value), label and could_label, columns, rows, notes, pictures (uint8 lists
        (height, width, channels)) with their classes, and problem: why no network can be trained on them; "" if one can.
    """
    about: dict[str, Any] = {
        "kind": found.kind, "shape": list(found.inputs.shape[1:]), "examples": len(found.inputs), "label": found.labelled_by,
        "could_label": list(found.could_label), "columns": [vars(column) for column in found.columns[:COLUMNS]],
        "rows": [list(row) for row in found.rows], "notes": list(found.notes), "classes": {}, "pictures": [],
        "missing": int(np.isnan(found.inputs).sum()) if found.inputs.dtype.kind == "f" else 0,
        "duplicates": _duplicates(found.inputs), "constant": _constant(found.inputs), "problem": ""}
    try:
        raw = raw_data(name, found)
        about["classes"] = dict(zip(raw.classes, np.bincount(raw.labels, minlength=len(raw.classes)).tolist(), strict=True))
        about["pictures"] = _pictures(raw) if found.kind == "image" else []
        prepare(raw, name, seed=0)
    except ValueError as error:
        about["problem"] = str(error)
    return about


def _duplicates(inputs: np.ndarray) -> int:
    rows = np.ascontiguousarray(inputs.reshape(len(inputs), -1))
    return len(rows) - len({row.tobytes() for row in rows})


def _constant(inputs: np.ndarray) -> int:
    rows = inputs.reshape(len(inputs), -1)
    return int((rows == rows[:1]).all(axis=0).sum())


def _pictures(raw: RawData) -> list[dict[str, Any]]:
    """A few pictures of each class in turn."""
    places = [np.flatnonzero(raw.labels == label) for label in range(len(raw.classes))]
    chosen = [int(of_class[turn]) for turn in range(PICTURES) for of_class in places if turn < len(of_class)][:PICTURES]
    step = max(1, -(-max(raw.shape[1:]) // SIDE))
    scale = 255 / max(1e-12, float(np.abs(raw.inputs[chosen]).max()))
    pixels = (raw.inputs[chosen][:, :, ::step, ::step] * scale).clip(0, 255).astype(np.uint8)
    return [{"label": raw.classes[raw.labels[place]], "pixels": np.moveaxis(picture, 0, 2).tolist()}
            for place, picture in zip(chosen, pixels, strict=True)]
