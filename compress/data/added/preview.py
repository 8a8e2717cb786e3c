"""What one should see of data before they are used: shape, classes, missing values, duplicates, a few examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from compress.data.added.examples import Examples
from compress.data.added.reading import raw_data
from compress.data.datasets import Dataset, prepare
from compress.data.raw_data import RawData

PICTURES = 24
SIDE = 48  # pixels of the longest side of a picture that is shown
COLUMNS = 200
POINTS = 600  # examples on the map
MOST_TOKENS = 2_000  # whose shares make the map of texts
MOST_FEATURES = 20_000  # of an example on the map; beyond, every so-manieth counts


def preview(name: str, found: Examples) -> dict[str, Any]:
    """Plain data about examples under a name.

    Returns:
        kind, shape, words (of texts: how many the training split has), examples, classes (name -> count, in order), missing
        (values; of a table, cells of the columns that are used), duplicates (examples that occurred before), constant
        (features with one value), label and could_label, columns (the first of them), columns_used (how many of all give
        features), rows, notes, map (see _map), pictures (uint8 lists of the shape of an example) with their classes, and
        problem: why no network can be trained on them; "" if one can.
    """
    about: dict[str, Any] = {
        "kind": found.kind, "shape": list(found.inputs.shape[1:]), "examples": len(found.inputs), "label": found.labelled_by,
        "could_label": list(found.could_label), "columns": [vars(column) for column in found.columns[:COLUMNS]],
        "columns_used": sum(bool(column.features) for column in found.columns),
        "rows": [list(row) for row in found.rows], "notes": list(found.notes), "classes": {}, "pictures": [], "map": None,
        "missing": _missing(found),
        "duplicates": _duplicates(found.inputs), "constant": 0 if found.kind == "text" else _constant(found.inputs),
        "words": 0, "problem": ""}
    try:
        raw = raw_data(name, found)
        about["classes"] = dict(zip(raw.classes, np.bincount(raw.labels, minlength=len(raw.classes)).tolist(), strict=True))
        about["pictures"] = _pictures(raw) if found.kind in ("image", "sequence") else []
        data = prepare(raw, name, seed=0)
    except ValueError as error:
        about["problem"] = str(error)
        return about
    about["notes"] = list(data.notes)
    about["words"] = len(data.words) if data.kind == "text" else 0
    about["map"] = _map(data, raw.classes)
    return about


def _map(data: Dataset, classes: tuple[str, ...]) -> dict[str, Any]:
    """Training examples along the two directions in which they differ most (principal components), by singular value
    decomposition of the normalised, centred examples (of texts, the shares of their tokens): class -> x and y, and
    the share of the variance along each."""
    inputs = data.train.inputs[:POINTS].reshape(min(POINTS, len(data.train)), -1).astype(np.float64)
    if data.kind == "text":
        inputs = _shares(inputs.astype(np.int64))
    inputs = inputs[:, ::-(-inputs.shape[1] // MOST_FEATURES)]
    centred = inputs - inputs.mean(axis=0)
    directions, values, _ = np.linalg.svd(centred, full_matrices=False)
    places = directions[:, :2] * values[:2]
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    shares = np.pad(values, (0, 2))[:2] ** 2 / max(1e-300, float((values ** 2).sum()))
    labels = data.train.labels[:POINTS]
    return {"share": shares.tolist(), "classes": {
        name: places[labels == label].round(4).T.tolist() for label, name in enumerate(classes) if (labels == label).any()}}


def _shares(ids: np.ndarray) -> np.ndarray:
    """The shares (n, tokens) of the most frequent tokens in texts (n, length), without padding."""
    counts = np.stack([np.bincount(row[(row > 0) & (row < MOST_TOKENS)], minlength=MOST_TOKENS) for row in ids])
    return counts / np.maximum(1, counts.sum(axis=1, keepdims=True))


def _missing(found: Examples) -> int:
    if found.columns:
        return sum(column.missing for column in found.columns if column.features)
    return int(np.isnan(found.inputs).sum()) if found.inputs.dtype.kind == "f" else 0


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
    thinned = raw.inputs[chosen][:, :, ::step, ::step] if raw.kind == "image" else raw.inputs[chosen]
    lowest = min(0.0, float(np.nanmin(thinned)))
    scale = 255 / max(1e-12, float(np.nanmax(thinned)) - lowest)
    pixels = ((thinned - lowest) * scale).clip(0, 255).astype(np.uint8)
    return [{"label": raw.classes[raw.labels[place]], "pixels": picture.tolist()}
            for place, picture in zip(chosen, pixels, strict=True)]
