"""Which tensor entries belong to each removable unit: a hidden neuron, a channel, a recurrent state.

A unit has entries that make it (rows of a weight, a bias, batch-norm's parameters and statistics) and entries that read
it (columns of the weights that follow). Raw inputs and class scores are no units. Units that are added to each other, as
a residual block adds what its shortcut gives, are one unit: they can only go together (Li et al. 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from compress.layers.base import compressed_layers
from compress.networks.families import AsSequence, Network, Residual
from compress.networks.gru import GRU

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
KEEPING = (nn.ReLU, nn.Dropout, nn.MaxPool1d, nn.MaxPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.Flatten,
           nn.Identity)
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
        path: of the (first) layer that makes them, for instance "1", "6.body.0" or "1.forwards".
        size: of what has these units as its one size; groups that share it must keep equally many (see bundles_of).
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
        raise ValueError(f"Prune: pattern=units needs dense layers, but layer {path} is already compressed "
                         f"(kind {layer.kind}). Put prune before the methods that replaced them.")
    found = _Found()
    scores = found.through(network, "", _Flow())
    return [Group(path, draft.units, draft.size, tuple(draft.members)) for path, draft in found.drafts.items()
            if path not in scores.paths]


def bundles_of(groups: Sequence[Group]) -> list[tuple[Group, ...]]:
    """The groups by their size: those of a tuple must keep equally many units, as the two directions of a GRU must."""
    bundles: dict[str, list[Group]] = {}
    for group in groups:
        bundles.setdefault(group.size, []).append(group)
    return [tuple(bundle) for bundle in bundles.values()]


@dataclass(eq=False)
class _Draft:
    """A group that still grows."""

    units: int
    size: str
    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True)
class _Flow:
    """What flows between two modules: the units of these groups, one group after another; no path for raw inputs.

    Attributes:
        last: whether units are the last axis (n, steps, units), not the second one (n, channels, ...).
    """

    paths: tuple[str, ...] = ()
    last: bool = False


class _Found:
    """The groups found so far, by their paths, while a walk goes through the modules in forward order."""

    def __init__(self) -> None:
        self.drafts: dict[str, _Draft] = {}

    def through(self, module: nn.Module, path: str, flow: _Flow) -> _Flow:
        """What flows out of a module."""
        kind = type(module)
        if kind in (nn.Sequential, Network):
            for name, child in module.named_children():
                flow = self.through(child, _join(path, name), flow)
            return flow
        if kind in (nn.Linear, *CONVOLUTIONS):
            return self._through_weights(module, path, flow)
        if kind in NORMS and module.affine:
            return self._through_norm(module, path, flow)
        if kind is Residual:
            return self._through_residual(module, path, flow)
        if kind is GRU:
            return self._through_gru(module, path, flow)
        if kind in KEEPING or (kind is AsSequence and not flow.paths):
            return flow
        raise ValueError(f"Prune: pattern=units knows the units of logistic, mlp, cnn, resnet and gru networks, but layer "
                         f"{path} is {module}. Choose another pattern for this network.")

    def _through_weights(self, layer: nn.Module, path: str, flow: _Flow) -> _Flow:
        if getattr(layer, "groups", 1) != 1:
            raise ValueError(f"Prune: pattern=units needs convolutions that read all channels (groups=1), but layer {path} "
                             f"has groups={layer.groups}. Choose another pattern for this network.")
        self._read(layer, path, flow)
        self._make(path, len(layer.weight), path)
        self._add_rows(layer, path, path)
        return _Flow((path,))

    def _through_norm(self, norm: nn.Module, path: str, flow: _Flow) -> _Flow:
        places = self._places(flow, path, norm.num_features)
        for name in norm.state_dict():
            if name != COUNTER:
                self._add(flow, _join(path, name), 0, places)
        return flow

    def _through_gru(self, module: GRU, path: str, flow: _Flow) -> _Flow:
        directions = {_join(path, name): direction for name, direction in module.named_children()}
        for own, direction in directions.items():
            self._read(direction.input_map, f"{own}.input_map", flow)
            self._make(own, direction.units, path)
            self._add_rows(direction.input_map, f"{own}.input_map", own)
            self._add_rows(direction.state_map, f"{own}.state_map", own)
            self._read(direction.state_map, f"{own}.state_map", _Flow((own,)))
        return _Flow(tuple(directions), last=True)

    def _through_residual(self, block: Residual, path: str, flow: _Flow) -> _Flow:
        """Both ways' outputs are added: the later group becomes part of the earlier one; beside raw inputs, none."""
        body = self.through(block.body, _join(path, "body"), flow)
        straight = self.through(block.shortcut, _join(path, "shortcut"), flow)
        if not straight.paths:
            for later in body.paths:
                del self.drafts[later]
            return straight
        order = list(self.drafts)
        pairs = [sorted(pair, key=order.index) for pair in zip(body.paths, straight.paths, strict=True)]
        for earlier, later in pairs:
            self.drafts[earlier].members += self.drafts.pop(later).members
        return _Flow(tuple(earlier for earlier, _ in pairs))

    def _make(self, path: str, units: int, size: str) -> None:
        self.drafts[path] = _Draft(units, size)

    def _add_rows(self, layer: nn.Module, layer_path: str, path: str) -> None:
        """Rows of a layer that makes the units of a group, once or (gates one after another) several times."""
        places = torch.arange(len(layer.weight)).reshape(-1, self.drafts[path].units).T
        for name in layer.state_dict():
            self._add(_Flow((path,)), _join(layer_path, name), 0, [places])

    def _read(self, layer: nn.Module, path: str, flow: _Flow) -> None:
        """Columns of a layer that reads what flows into it."""
        self._add(flow, f"{path}.weight", 1, self._places(flow, path, layer.weight.shape[1]))

    def _add(self, flow: _Flow, tensor: str, axis: int, places: list[Tensor]) -> None:
        for path, own in zip(flow.paths, places, strict=True):
            self.drafts[path].members.append(Member(tensor, axis, own))

    def _places(self, flow: _Flow, path: str, entries: int) -> list[Tensor]:
        """Where the units of each group stand among a layer's inputs, (units, k) each.

        A linear layer behind nn.Flatten reads every unit at k positions: channels come as blocks of positions, states
        (steps, units) as steps of all units.
        """
        sizes = [self.drafts[own].units for own in flow.paths]
        if not sizes:
            return []
        positions, over = divmod(entries, sum(sizes))
        if over:
            raise ValueError(f"Prune: pattern=units found {sum(sizes)} units in front of layer {path}, which reads "
                             f"{entries} values. Choose another pattern for this network.")
        places = torch.arange(entries)
        table = places.reshape(positions, -1).T if flow.last else places.reshape(-1, positions)
        return list(table.contiguous().split(sizes))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
