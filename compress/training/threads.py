"""How many of torch's threads train a network.

A training step of a perceptron is some twenty short operations. To wake other threads for each costs more than these save:
two threads took 1.8 to 3 times as long as one for all perceptrons of up to 300-100 units. The number depends on nothing but
the architecture and the batch, because it can change the last bit of a weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from compress.networks.families import Architecture
from compress.training.memory_needs import footprint

DENSE = ("logistic", "mlp", "embedding_bag")  # families that use each weight once for an example
WORTH_MORE = 100_000_000  # multiply-adds of all examples of a step, from which more threads pay


def trains_on_one_thread(architecture: Architecture, batch: int) -> bool:
    """Whether one thread trains such a network with batches of this size fastest."""
    return architecture.family.name in DENSE and footprint(architecture)[0] * batch < WORTH_MORE


@contextmanager
def training_threads(one: bool) -> Iterator[None]:
    """Inside the block, torch computes with one thread, or with as many as before; afterwards with as many as before."""
    before = torch.get_num_threads()
    if one:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
