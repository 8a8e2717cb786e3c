"""A split's arrays as tensors on a device, converted once, and a network's outputs over them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from compress.data.datasets import Split

CHUNK = 512
_kept: weakref.WeakKeyDictionary[Split, dict[torch.device, tuple[Tensor, Tensor]]] = weakref.WeakKeyDictionary()


def on_device(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """(inputs float32 (n, *shape), labels int64 (n,)) on the device; kept for as long as the split lives."""
    kept = _kept.setdefault(split, {})
    if device not in kept:
        kept[device] = (torch.tensor(split.inputs, device=device), torch.tensor(split.labels, device=device))
    return kept[device]


def device_of(network: nn.Module) -> torch.device:
    """Where the network's weights live."""
    return next(network.parameters()).device


def logits_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """Outputs (n, classes) in evaluation mode, always in the same chunks, so that a reload repeats them exactly."""
    with evaluating(network):
        return torch.cat([network(chunk) for chunk in inputs.split(CHUNK)])


@contextmanager
def evaluating(*networks: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients inside the block, the networks' own mode after it."""
    modes = [network.training for network in networks]
    for network in networks:
        network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for network, mode in zip(networks, modes, strict=True):
            network.train(mode)
