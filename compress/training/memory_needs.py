"""The memory that training a network takes, known before it is made: from its structure on torch's device "meta"."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from compress.memory import require
from compress.networks.families import Architecture
from compress.networks.gru import GRU

COPIES = 5  # of a weight: the weight, its gradient, two moments of Adam, the best weights so far
REMEDY = "Choose fewer units or channels, or a smaller batch."


def require_training(architecture: Architecture, batch: int) -> None:
    """Refuses a network that could not be trained here.

    Raises:
        MemoryShort: its size and the limit.
        ValueError: the family has no network for examples of this shape.
    """
    weights, outputs = footprint(architecture)
    require(4 * (COPIES * weights + batch * outputs),
            f"Training {architecture.title()[:100]} ({weights:,} weights, batches of {batch})", REMEDY)


@lru_cache(maxsize=4096)
def footprint(architecture: Architecture) -> tuple[int, int]:
    """Weights of a network, and roughly the numbers that its layers keep of each example for the gradients."""
    outputs = 0

    def count(module: nn.Module, given: object, output: Tensor) -> None:
        nonlocal outputs
        outputs += output.numel() * (12 if isinstance(module, GRU) else 3)

    with torch.device("meta"):
        network = architecture.fresh().eval()
        example = torch.zeros(1, *architecture.shape)
    inner = [module for module in network.modules() if isinstance(module, GRU) or not list(module.children())]
    hooks = [module.register_forward_hook(count) for module in inner]
    with torch.inference_mode():
        network(example)
    for hook in hooks:
        hook.remove()
    return sum(weight.numel() for weight in network.parameters()), outputs
