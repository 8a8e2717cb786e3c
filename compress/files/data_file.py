"""Parts shared by methods that compress data: the file of the raw data, labels, and examples for a page."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset, Split
from compress.data.pictures import thinned
from compress.files import container

EXAMPLES = 8


def raw_file(data: Dataset) -> bytes:
    """The raw training data as a file, the baseline of compressed data."""
    return container.pack({"compressed_data": data.name, "storage": "raw"},
                          {"inputs": raw_inputs(data), "labels": small_labels(data.train)})


def raw_inputs(data: Dataset) -> Tensor:
    """The training inputs as the source stores them: uint8 if one byte for each value is enough, else float32."""
    values = data.normaliser.undo(data.train.inputs)
    if data.raw_bytes_per_example == int(np.prod(data.shape)):
        return torch.tensor(values.round().astype(np.uint8))
    return torch.tensor(values)


def small_labels(split: Split) -> Tensor:
    """The labels in the smallest integer type for them: uint8 or int32."""
    return torch.tensor(split.labels.astype(np.uint8 if split.labels.max() < 256 else np.int32))


def shown_labels(data: Dataset) -> list[str]:
    """Classes of the first EXAMPLES validation examples."""
    return [data.classes[label] for label in data.validation.labels[:EXAMPLES]]


def shown(data: Dataset, inputs: Tensor) -> list[Any]:
    """Rebuilt validation examples as nested lists of 0..255 in the shape that is shown of an example (see thinned()):
    scaled to the range of all original examples if they are images (so that colours are preserved), else to the range of
    each original example. Tables stay normalised: a column in the thousands would leave nothing to see of the others.

    Args:
        inputs: the first EXAMPLES validation examples, rebuilt, as normalised inputs (EXAMPLES, ...).
    """
    undo = np.asarray if data.kind == "tabular" else data.normaliser.undo
    original = undo(data.validation.inputs[:EXAMPLES]).reshape(len(inputs), -1)
    axis = None if data.kind == "image" else 1
    low = original.min(axis, keepdims=True)
    scale = 255.0 / np.maximum(original.max(axis, keepdims=True) - low, 1e-9)
    restored = undo(inputs.cpu().numpy().reshape(-1, *data.shape)).reshape(len(inputs), -1)
    levels = thinned(((restored - low) * scale).clip(0, 255), data.shape)
    shown_levels: list[Any] = levels.round().astype(int).tolist()
    return shown_levels
