"""Which tensor entries belong to each removable unit: a hidden neuron, a channel, a recurrent state.

A unit has entries that make it (rows of a weight, a bias, batch-norm's parameters and statistics) and entries that read
it (columns of the weights that follow). Raw inputs and class scores are no units. Units that are added to each other, as
the two branches of a residual block are, count as one unit: they can only be removed together (Li et al. 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from compress.layers.base import DenseLayer, compressed_layers, is_dense
from compress.networks.embedding import AsChannels, Embedding, LargestOverTime, LastState
from compress.networks.families import Network
from compress.networks.graph.reading import Order, Reading
from compress.networks.gru import GRU, Direction
from compress.networks.modules import AsSequence, Residual

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, LargestOverTime)
UNIT_PRESERVING = (nn.ReLU, nn.Dropout, *POOLS, nn.Identity, nn.Tanh, nn.Sigmoid, Order)
COUNTER = "num_batches_tracked"


@dataclass(frozen=True, eq=False)
class Member:
    """The units' entries in one tensor.

    Attributes:
        tensor: its name in the network's state_dict.
        axis: 0 where the entries make the unit, 1 where they read it.
        places: (units, k) int64, the entries along the axis that belong to each unit.
    """

    tensor: str
    axis: int
    places: Tensor

    @property
    def makes(self) -> bool:
        """Whether these entries make the unit (a producer); otherwise they read it (a consumer)."""
        return self.axis == 0


@dataclass(frozen=True, eq=False)
class Group:
    """Units of one kind, any of which can be removed.

    Attributes:
        path: of the (first) layer that makes the units, for instance "1", "6.body.0" or "1.forwards".
        size: path of the module whose size is the number of these units; groups of one size must keep equally many units
            (see bundles_of).
    """

    path: str
    units: int
    size: str
    members: tuple[Member, ...]

    @property
    def producers(self) -> tuple[Member, ...]:
        """The entries that make the units, batch-norm's statistics among them."""
        return tuple(member for member in self.members if member.makes)

    @property
    def consumers(self) -> tuple[Member, ...]:
        """The entries that read the units."""
        return tuple(member for member in self.members if not member.makes)


def groups_of(network: Network) -> list[Group]:
    """Every group of removable units, in forward order; none where there is no hidden layer.

    Raises:
        ValueError: a layer is compressed already, or of a type whose units are not known.
    """
    for path, layer in compressed_layers(network).items():
        raise ValueError(f"Prune: the pattern units needs dense layers, but layer {path} is already compressed "
                         f"(kind {layer.kind}). Put prune before the methods that replaced them.")
    found = _UnitSearch()
    scores = found.through(network, "", _UnitLayout())
    return [Group(path, draft.units, draft.size, tuple(draft.members)) for path, draft in found.drafts.items()
            if path not in scores.paths]


def bundles_of(groups: Sequence[Group]) -> list[tuple[Group, ...]]:
    """The groups by their size: the groups of a tuple must keep equally many units, like the two directions of a GRU."""
    bundles: dict[str, list[Group]] = {}
    for group in groups:
        bundles.setdefault(group.size, []).append(group)
    return [tuple(bundle) for bundle in bundles.values()]


@dataclass(eq=False)
class _Draft:
    """A group to which members are still added."""

    units: int
    size: str
    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True)
class _UnitLayout:
    """Which units are the outputs of a module: those of these groups, one group after another.

    Attributes:
        paths: of the groups; empty for raw inputs.
        last: whether units are the last axis (n, steps, units) rather than the second one (n, channels, ...).
        flat: whether all axes but the first were joined since.
    """

    paths: tuple[str, ...] = ()
    last: bool = False
    flat: bool = False


class _UnitSearch:
    """Walks through the modules of a network in forward order and collects the groups, by their paths."""

    def __init__(self) -> None:
        self.drafts: dict[str, _Draft] = {}

    def through(self, module: nn.Module, path: str, units: _UnitLayout) -> _UnitLayout:
        """The units of a module's outputs, given those of its inputs; adds the module's entries to the groups."""
        kind = type(module)
        if kind in (nn.Sequential, Network):
            for name, child in module.named_children():
                units = self.through(child, _join(path, name), units)
            return units
        if is_dense(module):
            return self._through_weights(module, path, units)
        if isinstance(module, NORMS) and module.affine:
            return self._through_norm(module, path, units)
        if isinstance(module, Residual):
            return self._through_residual(module, path, units)
        if isinstance(module, GRU):
            return self._through_gru(module, path, units)
        if kind is nn.Flatten:
            return replace(units, flat=True)
        if kind in (LastState, AsChannels):
            return replace(units, last=False)
        if isinstance(module, Reading) and not units.paths:
            return _UnitLayout(last=len(module.shape) > 1)
        if kind in UNIT_PRESERVING or (kind is AsSequence and not units.paths):
            return self._before(module, path, units)
        raise ValueError(f"Prune: the pattern units supports logistic, mlp, cnn, resnet, gru, embedding_bag, token_gru "
                         f"and token_cnn networks, but layer {path} is {_named(module)}. Choose another pattern for this "
                         "network.")

    def _through_weights(self, layer: DenseLayer, path: str, units: _UnitLayout) -> _UnitLayout:
        if not isinstance(layer, nn.Linear) and layer.groups != 1:
            raise ValueError(f"Prune: the pattern units needs convolutions that read all channels (one group), but layer "
                             f"{path} has {layer.groups} groups. Choose another pattern for this network.")
        self._read(layer, path, units)
        self._make(path, len(layer.weight), path)
        self._add_rows(layer, path, path)
        is_table = isinstance(layer, Embedding) and not layer.mean
        return _UnitLayout((path,), last=is_table or (isinstance(layer, nn.Linear) and units.last and not units.flat))

    @staticmethod
    def _before(module: nn.Module, path: str, units: _UnitLayout) -> _UnitLayout:
        """The units of the inputs of a module that treats each alike. Raises ValueError where it acts on another axis."""
        if units.paths and units.last and not units.flat and isinstance(module, (*NORMS, *POOLS)):
            raise ValueError(f"Prune: the pattern units needs channels on the second axis, but layer {path} is {module} "
                             "behind units on the last one. Choose another pattern for this network.")
        return units

    def _through_norm(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, path: str, units: _UnitLayout) -> _UnitLayout:
        self._before(norm, path, units)
        places = self._places(units, path, norm.num_features)
        for name in norm.state_dict():
            if name != COUNTER:
                self._add(units, _join(path, name), 0, places)
        return units

    def _through_gru(self, module: GRU, path: str, units: _UnitLayout) -> _UnitLayout:
        directions = {_join(path, name): direction for name, direction in module.named_children()
                      if isinstance(direction, Direction)}
        for group, direction in directions.items():
            self._read(direction.input_map, f"{group}.input_map", units)
            self._make(group, direction.units, path)
            self._add_rows(direction.input_map, f"{group}.input_map", group)
            self._add_rows(direction.state_map, f"{group}.state_map", group)
            self._read(direction.state_map, f"{group}.state_map", _UnitLayout((group,)))
        return _UnitLayout(tuple(directions), last=True)

    def _through_residual(self, block: Residual, path: str, units: _UnitLayout) -> _UnitLayout:
        """Both branches are added: the later group is merged into the earlier one. If raw inputs are added to the body,
        the units of the body cannot be removed: its groups are dropped."""
        body = self.through(block.body, _join(path, "body"), units)
        straight = self.through(block.shortcut, _join(path, "shortcut"), units)
        if not straight.paths:
            for later in body.paths:
                del self.drafts[later]
            return straight
        order = list(self.drafts)
        pairs = [sorted(pair, key=order.index) for pair in zip(body.paths, straight.paths, strict=True)]
        for earlier, later in pairs:
            self.drafts[earlier].members += self.drafts.pop(later).members
        return _UnitLayout(tuple(earlier for earlier, _ in pairs))

    def _make(self, path: str, units: int, size: str) -> None:
        self.drafts[path] = _Draft(units, size)

    def _add_rows(self, layer: DenseLayer, layer_path: str, path: str) -> None:
        """Adds the rows of a layer that makes the units of a group: one row a unit, or one for each gate."""
        places = torch.arange(len(layer.weight)).reshape(-1, self.drafts[path].units).T
        for name in layer.state_dict():
            self._add(_UnitLayout((path,)), _join(layer_path, name), 0, [places])

    def _read(self, layer: DenseLayer, path: str, units: _UnitLayout) -> None:
        """Adds the columns of a layer that reads units."""
        self._add(units, f"{path}.weight", 1, self._places(units, path, layer.weight.shape[1]))

    def _add(self, units: _UnitLayout, tensor: str, axis: int, places: list[Tensor]) -> None:
        for path, group_places in zip(units.paths, places, strict=True):
            self.drafts[path].members.append(Member(tensor, axis, group_places))

    def _places(self, units: _UnitLayout, path: str, entries: int) -> list[Tensor]:
        """For each group (units, k): the indices of its units among a layer's inputs.

        A linear layer after nn.Flatten reads every unit at k positions: the positions of a channel are adjacent; GRU states
        (steps, units) are ordered by steps.
        """
        sizes = [self.drafts[group].units for group in units.paths]
        if not sizes:
            return []
        positions, over = divmod(entries, sum(sizes))
        if over:
            raise ValueError(f"Prune: the pattern units found {sum(sizes)} units in front of layer {path}, which reads "
                             f"{entries} values. Choose another pattern for this network.")
        places = torch.arange(entries)
        table = places.reshape(positions, -1).T if units.last else places.reshape(-1, positions)
        return list(table.contiguous().split(sizes))


def _named(module: nn.Module) -> str:
    """The module in one line."""
    return f"a {type(module).__name__} of several layers" if list(module.children()) else str(module)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
