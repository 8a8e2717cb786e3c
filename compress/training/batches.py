"""Batches of an epoch, and batch normalisation, which needs more than one value of each channel in every batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compress.networks.evaluation import device_of, evaluating
from compress.networks.families import Network


def has_batch_norm(network: nn.Module) -> bool:
    """Whether the network normalises by the statistics of a batch, so that a lone example should be in no batch."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


def batches(order: Tensor, size: int, joined: bool) -> tuple[Tensor, ...]:
    """The rows of one epoch (n,), `size` at a time; the last batch may be smaller.

    Args:
        joined: whether a last batch of one example is joined to the batch before it, which then has size + 1.
    """
    parts = order.split(size)
    if joined and len(parts) > 1 and len(parts[-1]) == 1 < size:
        return *parts[:-2], torch.cat(parts[-2:])
    return parts


def batches_in(examples: int, size: int, joined: bool) -> int:
    """The number of batches() of an epoch."""
    whole, rest = divmod(examples, size)
    return whole + (rest > (1 if joined and whole else 0))


def refusal(network: Network, owner: str, setting: str, examples: int) -> str:
    """A sentence if a network cannot be trained on batches of so many examples: on one, where some batch normalisation has
    one value of each channel (in maps of 1x1). Their variance is then unknown. "" if it can be trained.

    Args:
        owner, setting: for the message, for instance Training and batch.
    """
    if examples > 1 or not has_batch_norm(network) or _smallest_map(network) > 1:
        return ""
    return (f"{owner}: {setting} must be at least 2 for a network with batch normalisation of 1x1 maps, but got {examples}: "
            "one example has no variance. Choose 2 or more; 32 is a good start.")


def _smallest_map(network: Network) -> int:
    """The least number of values of one channel of one example that a batch normalisation gets."""
    found: list[int] = []

    def add(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        found.append(given[0].shape[2:].numel())

    hooks = [module.register_forward_pre_hook(add) for module in network.modules()
             if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    try:
        with evaluating(network):
            network(torch.zeros(1, *network.architecture.shape, device=device_of(network)))
    finally:
        for hook in hooks:
            hook.remove()
    return min(found, default=1)
