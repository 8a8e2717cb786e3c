"""Speed map: the ratio of the times of compressed and dense network by sparsity and batch size, on this machine.

The same share of the weights is removed in three variants: single weights (CSR kernels), whole units (smaller dense layers)
and low rank (two dense layers in the place of one). Weights are random, because only their number matters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.base import dense_layers, with_layers
from compress.layers.matrix_view import can_be_viewed
from compress.layers.sparse import force_csr
from compress.low_rank.factorisation import factorise
from compress.networks import device
from compress.networks.evaluation import device_of, evaluating
from compress.networks.families import Network
from compress.points.latency import latency_ratio, one_thread
from compress.progress import Reporter, no_report
from compress.pruning.unit_removal import without_units
from compress.pruning.units import groups_of

SHARES = (0.5, 0.75, 0.9, 0.95, 0.98, 0.99)
BATCHES = (1, 8, 32, 128, 512)
LONGEST = 0.12  # seconds of one dense forward pass; larger batches are not measured
SECONDS = 0.05  # for each cell
Cell = list[float] | None


def speed_map(network: Network, report: Reporter = no_report) -> dict[str, Any]:
    """Measures every cell of the map; about ten seconds for a perceptron.

    Returns:
        shares, batches, device (its name), and ways: variant -> one row for each batch size of [ratio, low, high] or None,
        the ratio to the dense network's time with its 95 % interval; below 1 is faster. A variant that is impossible for the
        network is left out.
    """
    variants = {"sparse": sparse_networks, "units": narrow_networks, "rank": low_rank_networks}
    made = {}
    for name, networks_of in variants.items():
        report(0.0, f"making networks: {name}")
        made[name] = networks_of(network)
    made = {name: networks for name, networks in made.items() if networks != [None] * len(SHARES)}
    batches = [torch.randn(size, *network.architecture.shape, device=device_of(network)) for size in _batches(network)]
    count, done = len(made) * len(batches) * len(SHARES), 0
    times: dict[str, list[list[Cell]]] = {name: [] for name in made}
    for batch in batches:
        for name, networks in made.items():
            row: list[Cell] = []
            for share, one in zip(SHARES, networks, strict=True):
                report(done / count, f"timing {name}, {share:g} removed, batches of {len(batch)}")
                row.append(None if one is None else list(latency_ratio(one, network, batch, SECONDS)))
                done += 1
            times[name].append(row)
    report(1.0, "done")
    where = device_of(network)
    return {"shares": list(SHARES), "batches": [len(batch) for batch in batches], "ways": times,
            "device": "one core" if where.type == "cpu" else device.title(where)}


def sparse_networks(network: Network) -> list[Network | None]:
    """For each share, a network whose linear layers have random zeros and CSR kernels; convolutions stay dense."""
    layers = {path: layer for path, layer in dense_layers(network).items() if type(layer) is nn.Linear}
    generator = torch.Generator().manual_seed(0)
    made: list[Network | None] = []
    for share in SHARES:
        replaced = {path: force_csr(_with_zeros(layer, share, generator)) for path, layer in layers.items()}
        made.append(with_layers(network, replaced) if layers else None)
    return made


def narrow_networks(network: Network) -> list[Network | None]:
    """For each share, a network with the same share of units removed from every layer, so that this share of the weights is
    removed; None if the network has no units, or the share cannot be reached with one unit in each layer."""
    groups = groups_of(network)
    sizes = {group.path: group.units for group in groups}

    def narrowed(keep: float) -> Network:
        return without_units(network, {path: torch.arange(max(1, round(keep * units))) for path, units in sizes.items()})

    return [_until(network, share, narrowed) if groups else None for share in SHARES]


def low_rank_networks(network: Network) -> list[Network | None]:
    """For each share, a network with every layer at the same share of its rank, so that this share of the weights is
    removed; None if the ranks would be below 1."""
    layers = {path: layer for path, layer in dense_layers(network).items() if can_be_viewed(layer)}
    pieces = {path: factorise(layer, "plain") for path, layer in layers.items()}

    def factorised(keep: float) -> Network:
        ranks = {path: max(1, round(keep * piece.full)) for path, piece in pieces.items()}
        return with_layers(network, {path: piece.layer(ranks[path]) for path, piece in pieces.items()
                                     if ranks[path] < piece.useful})

    return [_until(network, share, factorised) for share in SHARES]


def _until(network: Network, share: float, made: Callable[[float], Network]) -> Network | None:
    """The network with the largest number of weights that is not above (1 - share) of the given network's; by bisection."""
    wanted = (1 - share) * _weights(network)
    low, high, best = 0.0, 1.0, None
    for _ in range(10):
        middle = (low + high) / 2
        one = made(middle)
        if _weights(one) <= wanted:
            low, best = middle, one
        else:
            high = middle
    return best


def _weights(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters() if weight.dim() > 1)


def _with_zeros(layer: nn.Linear, share: float, generator: torch.Generator) -> nn.Linear:
    zeros = torch.rand(layer.weight.shape, generator=generator).to(layer.weight.device) < share
    made = nn.Linear(layer.in_features, layer.out_features, layer.bias is not None, device=layer.weight.device)
    made.weight = nn.Parameter(layer.weight.detach().masked_fill(zeros, 0.0))
    return made


def _batches(network: Network) -> list[int]:
    """The batch sizes up to the first whose forward pass takes longer than LONGEST."""
    sizes: list[int] = []
    with evaluating(network), one_thread():
        for size in BATCHES:
            batch: Tensor = torch.randn(size, *network.architecture.shape, device=device_of(network))
            network(batch[:1])
            began = time.perf_counter()
            network(batch)
            if batch.is_cuda:
                torch.cuda.synchronize(batch.device)
            sizes.append(size)
            if time.perf_counter() - began > LONGEST:
                break
    return sizes
