"""The levels of all layers for a file that takes no more bytes than it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from compress.quantization.allocation import Shares

Made = TypeVar("Made")


def within_file(budget: int, least: int, shares_of: Callable[[int], Shares], network_of: Callable[[Shares], Made],
                size_of: Callable[[Made], int]) -> tuple[Shares, Made]:
    """Shares whose network takes a file within the budget. What a file holds beside the levels (biases, steps, tables of
    codes, its manifest) is learned from the file: what it has too much is taken off the bytes of the levels, and the network
    is made again.

    Args:
        budget: bytes of the file; least: bytes of the levels in the cheapest shares.
        shares_of: bytes of all levels -> shares within these bytes; network_of, size_of: the network, and its file's length.

    Raises:
        ValueError: even the cheapest shares take more; says how much.
    """
    limit = budget
    while True:
        shares = shares_of(max(least, limit))
        network = network_of(shares)
        excess = size_of(network) - budget
        if excess <= 0:
            return shares, network
        if shares.bytes <= least:
            raise ValueError(f"Quantize: budget must be at least {budget + excess:,} bytes, which the fewest levels take in "
                             f"this network's file, but got {budget:,}. Choose more, or prune first.")
        limit = shares.bytes - excess
