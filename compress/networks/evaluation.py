"""A network's outputs over many examples, in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

CHUNK = 512


def device_of(network: nn.Module) -> torch.device:
    """The device of the network's weights."""
    return next(network.parameters()).device


def chunk_of(network: nn.Module) -> int:
    """How many examples a network reads at a time: fewer than CHUNK where its architecture has large values."""
    return int(getattr(getattr(network, "architecture", None), "most_at_once", CHUNK))


def logits_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """Outputs (n, classes) in evaluation mode, always in the same chunks, so that a network read from a file repeats them
    exactly."""
    with evaluating(network):
        return torch.cat([network(chunk) for chunk in inputs.split(chunk_of(network))])


@contextmanager
def evaluating(*networks: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients inside the block; the networks' previous modes afterwards."""
    modes = [network.training for network in networks]
    for network in networks:
        network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for network, mode in zip(networks, modes, strict=True):
            network.train(mode)
