"""Removal of units: as a smaller network of the same family, or by zeros in the place of their entries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import torch
from torch import Tensor

from compress.networks.families import Architecture, Family, Network, ResNet, build
from compress.networks.graph.architecture import GraphArchitecture
from compress.pruning.units import Group, bundles_of, groups_of


def without_units(network: Network, kept: dict[str, Tensor]) -> Network:
    """A NEW, smaller network without some units, in evaluation mode. Its outputs are equal to those of masked().

    Args:
        kept: a group's path -> indices (int64) of the units that stay; groups that are not named keep all units.

    Raises:
        ValueError: a group would keep no unit, there is no such unit or group, or groups of one size would keep different
            numbers of units.
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
    smaller = old.fitting(tensors) if isinstance(old, GraphArchitecture) else (
        dataclasses.replace(old, family=_resized(old.family, old.shape, groups, counts)))
    return _filled(smaller, tensors)


def masked(network: Network, kept: dict[str, Tensor]) -> Network:
    """A NEW network of the same architecture with zeros in all entries that make removed units: weights, biases, and the
    weight and bias of batch-norm (so that its statistics have no effect). Arguments and errors as for without_units(), but
    groups of one size may keep different numbers of units."""
    groups = groups_of(network)
    tensors = dict(network.state_dict())
    weights = dict(network.named_parameters())
    for (name, axis), gone in _gone(groups, _stays(groups, kept)).items():
        if axis == 0 and name in weights:
            tensors[name] = tensors[name].index_fill(0, gone.to(tensors[name].device), 0.0)
    return _filled(network.architecture, tensors)


def _stays(groups: list[Group], kept: dict[str, Tensor]) -> dict[str, Tensor]:
    """A group's path -> (units,) bool, True for units that stay."""
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
    """(tensor, axis) -> the entries along this axis that belong to removed units of any group."""
    gone: dict[tuple[str, int], list[Tensor]] = {}
    for group in groups:
        for member in group.members:
            gone.setdefault((member.tensor, member.axis), []).append(member.places[~stays[group.path]].flatten())
    return {key: torch.cat(entries) for key, entries in gone.items()}


def _resized(family: Family, shape: tuple[int, ...], groups: list[Group], counts: dict[str, int]) -> Family:
    """The family with the kept numbers of units as its sizes; the given family if all units are kept."""
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
    """The architecture's network with copies of these tensors, in evaluation mode."""
    with torch.device("meta"):  # without initial weights, which would be replaced
        network = build(architecture)
    copies = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    network.load_state_dict(copies, assign=True)
    return network.eval()
