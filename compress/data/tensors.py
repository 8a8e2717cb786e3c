"""The arrays of a split as tensors on a device, converted once, and splits made from tensors."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor

from compress.data.datasets import Split

_kept: weakref.WeakKeyDictionary[Split, dict[torch.device, tuple[Tensor, Tensor]]] = weakref.WeakKeyDictionary()


def on_device(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """(inputs float32 (n, *shape), labels int64 (n,)) on the device; cached while the split exists."""
    kept = _kept.setdefault(split, {})
    if device not in kept:
        kept[device] = (torch.tensor(split.inputs, device=device), torch.tensor(split.labels, device=device))
    return kept[device]


def with_inputs(split: Split, inputs: Tensor) -> Split:
    """A split's labels with other inputs (n, ...)."""
    return Split(inputs.cpu().numpy(), split.labels)
