"""What every method that makes the data smaller needs: its baseline, files' parts, and examples to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset, Split
from compress.files import network_file

EXAMPLES = 8


def raw_file(data: Dataset) -> bytes:
    """The raw training data as a file: what compressed data are compared with."""
    return network_file.pack({"compressed_data": data.name, "storage": "raw"},
                      {"inputs": raw_inputs(data), "labels": small_labels(data.train)})


def raw_inputs(data: Dataset) -> Tensor:
    """The training inputs as the source stores them: bytes where one byte a value is enough, else float32."""
    values = data.normaliser.undo(data.train.inputs)
    if data.raw_bytes_per_example == int(np.prod(data.shape)):
        return torch.tensor(values.round().astype(np.uint8))
    return torch.tensor(values)


def small_labels(split: Split) -> Tensor:
    """Labels in the smallest type that holds them."""
    return torch.tensor(split.labels.astype(np.uint8 if split.labels.max() < 256 else np.int32))


def shown_labels(data: Dataset) -> list[str]:
    """Classes of the first EXAMPLES validation examples."""
    return [data.classes[label] for label in data.validation.labels[:EXAMPLES]]


def shown(data: Dataset, inputs: Tensor) -> list[Any]:
    """The first EXAMPLES validation examples, rebuilt as these normalised inputs (EXAMPLES, ...), in nested lists of an
    example's shape, as 0..255: within the range of all these examples where they are images, so that colours stay what they
    are, else within each original example's own."""
    original = data.normaliser.undo(data.validation.inputs[:EXAMPLES]).reshape(len(inputs), -1)
    axis = None if data.kind == "image" else 1
    low = original.min(axis, keepdims=True)
    scale = 255.0 / np.maximum(original.max(axis, keepdims=True) - low, 1e-9)
    restored = data.normaliser.undo(inputs.cpu().numpy().reshape(-1, *data.shape)).reshape(len(inputs), -1)
    return ((restored - low) * scale).clip(0, 255).round().astype(int).reshape(-1, *data.shape).tolist()
