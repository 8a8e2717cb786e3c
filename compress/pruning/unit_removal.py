"""Units taken out of a network: really, as a smaller network of the same family, or by zeros in their place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import torch
from torch import Tensor

from compress.networks.families import Architecture, Family, Network, ResNet, build
from compress.pruning.units import Group, bundles_of, groups_of


def without_units(network: Network, kept: dict[str, Tensor]) -> Network:
    """A NEW, smaller network without the units that are not kept, in evaluation mode; its outputs are those of masked().

    Args:
        kept: a group's path -> indices (int64) of the units that stay; groups left out keep all.

    Raises:
        ValueError: no unit of a group is kept, there is no such unit or group, or groups of one size keep unequally many.
    """
    groups = groups_of(network)
    stays = _stays(groups, kept)
    counts = {group.path: int(stays[group.path].sum()) for group in groups}
    for first, *others in bundles_of(groups):
        for other in others:
            if counts[other.path] != counts[first.path]:
                raise ValueError(f"Prune: {first.path} and {other.path} must keep equally many units, but got "
                                 f"{counts[first.path]} and {counts[other.path]}. Keep as many of both.")
    tensors = dict(network.state_dict())
    for (name, axis), gone in _gone(groups, stays).items():
        remain = torch.ones(tensors[name].shape[axis], dtype=torch.bool).index_fill_(0, gone, False)
        tensors[name] = tensors[name].index_select(axis, remain.nonzero()[:, 0].to(tensors[name].device))
    old = network.architecture
    smaller = dataclasses.replace(old, family=_resized(old.family, old.shape, groups, counts))
    return _filled(smaller, tensors)


def masked(network: Network, kept: dict[str, Tensor]) -> Network:
    """A NEW network of the same architecture in which all that makes a removed unit is zero: weights, biases, and
    batch-norm's weight and bias, so that nothing follows from its statistics. Arguments and errors as for without_units(),
    but groups of one size may keep unequally many."""
    groups = groups_of(network)
    tensors = dict(network.state_dict())
    weights = dict(network.named_parameters())
    for (name, axis), gone in _gone(groups, _stays(groups, kept)).items():
        if axis == 0 and name in weights:
            tensors[name] = tensors[name].index_fill(0, gone.to(tensors[name].device), 0.0)
    return _filled(network.architecture, tensors)


def _stays(groups: list[Group], kept: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each group's path -> whether a unit stays, (units,) bool."""
    stays = {group.path: torch.ones(group.units, dtype=torch.bool) for group in groups}
    for path, indices in kept.items():
        if path not in stays:
            raise ValueError(f"Prune: units are kept of one of {', '.join(stays) or 'no layer'}, but got {path!r}. "
                             "Name one of groups_of(network).")
        units = len(stays[path])
        if indices.numel() == 0:
            raise ValueError(f"Prune: {path} must keep between 1 and {units} units, but got none. Keep at least one.")
        if indices.dtype != torch.int64 or not 0 <= int(indices.min()) <= int(indices.max()) < units:
            raise ValueError(f"Prune: units of {path} are whole numbers (int64) between 0 and {units - 1}, but got "
                             f"{indices.tolist()}. Give the indices of the units that stay.")
        stays[path] = torch.zeros(units, dtype=torch.bool).index_fill_(0, indices.cpu(), True)
    return stays


def _gone(groups: Iterable[Group], stays: dict[str, Tensor]) -> dict[tuple[str, int], Tensor]:
    """(tensor, axis) -> its entries that belong to removed units, of whatever group."""
    gone: dict[tuple[str, int], list[Tensor]] = {}
    for group in groups:
        for member in group.members:
            gone.setdefault((member.tensor, member.axis), []).append(member.places[~stays[group.path]].flatten())
    return {key: torch.cat(entries) for key, entries in gone.items()}


def _resized(family: Family, shape: tuple[int, ...], groups: list[Group], counts: dict[str, int]) -> Family:
    """The family with as many units a layer as are kept; settings stay as they are spelled where all are."""
    inside = [group for group in groups if _is_inside_a_block(group)]
    numbers = [counts[first.path] for first, *_ in bundles_of([group for group in groups if group not in inside])]
    sizes: dict[str, tuple[int, ...]] = {}
    for name, value in family.sizes(shape).items():
        sizes[name], numbers = tuple(numbers[:len(value)]), numbers[len(value):]
    if isinstance(family, ResNet):
        sizes["inner"] = tuple(counts[group.path] for group in inside)
        if sizes["inner"] == sizes["channels"]:
            sizes["inner"] = ()
    return family if sizes == family.sizes(shape) else dataclasses.replace(family, **sizes)


def _is_inside_a_block(group: Group) -> bool:
    return group.path.endswith(".body.0")


def _filled(architecture: Architecture, tensors: dict[str, Tensor]) -> Network:
    """The architecture's network with these tensors in their types and on their device, in evaluation mode."""
    with torch.device("meta"):  # weights of its own would be drawn in vain
        network = build(architecture)
    copies = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    network.load_state_dict(copies, assign=True)
    return network.eval()
