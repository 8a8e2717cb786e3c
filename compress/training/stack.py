"""Many networks of one structure as one tensor program: trained together, each as if it were alone but for rounding.

This is how a GPU trains many networks, and what gives the losses on hidden features their layouts. On a CPU products for
several networks round in another order than those for one, so that it trains them by side_by_side.py.

The networks read the same batch. They have the same modules in the same order; their widths may differ. Why gradients are
those of each network alone is derived in stack_layers.py.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from compress.layers.base import Compressed
from compress.networks.embedding import AsChannels, Embedding, LargestOverTime, LastState
from compress.networks.evaluation import CHUNK
from compress.networks.families import Network
from compress.networks.gru import GRU
from compress.networks.modules import AsSequence, Residual
from compress.training.stack_blocks import StackedGRU, StackedResidual
from compress.training.stack_layers import (
    Layout,
    StackedConvolution,
    StackedDropout,
    StackedFlatten,
    StackedLayer,
    StackedLinear,
    StackedNorm,
    StackedPlain,
    StackedTensor,
)
from compress.training.stack_tokens import (
    StackedAsChannels,
    StackedEmbedding,
    StackedLargestOverTime,
    StackedLastState,
)

PLAIN = (nn.ReLU, nn.MaxPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, AsSequence, nn.Identity)
STAGE_ENDS = (nn.ReLU, GRU, Residual)
AnyModule = TypeVar("AnyModule", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Outputs:
    """The result of a forward pass.

    Attributes:
        logits: (N, b, classes).
        embedding: (N, b, features), the last layer's input; None if that is the batch itself.
        stages: the outputs of every stage (an activation, a residual block or a recurrent layer), each in its layout.
    """

    logits: Tensor
    embedding: Tensor | None
    stages: tuple[Tensor, ...]

    def float(self) -> Outputs:
        """The same outputs in float32, the precision of the losses, if a GPU computed in a lower precision."""
        if self.logits.dtype in (torch.float32, torch.float64):
            return self
        embedding = None if self.embedding is None else self.embedding.float()
        return Outputs(self.logits.float(), embedding, tuple(stage.float() for stage in self.stages))


class Stack:
    """N networks of one structure on a device. Its tensors are copies: the given networks stay as they are.

    Raises:
        TypeError: a module that cannot be stacked.
    """

    def __init__(self, networks: Sequence[Network], device: torch.device | str = "cpu") -> None:
        self.networks = list(networks)
        columns = [list(leaves(network)) for network in networks]
        paths = [path for path, _ in columns[0]]
        self.last = paths[-1]
        self.stage_paths = [path for path, module in columns[0] if isinstance(module, STAGE_ENDS)]
        self.layers: dict[str, StackedLayer] = {}
        batch = torch.zeros(1, *networks[0].architecture.shape, dtype=next(networks[0].parameters()).dtype)
        layout = Layout("shared", 0, ())
        with torch.no_grad():
            for number, path in enumerate(paths):
                layer = stacked([column[number][1] for column in columns], layout, batch, number)
                self.layers[path], layout, batch = layer, layer.layout, layer.forward(batch, False, 0)
        for tensor in (*self.parameters.values(), *self.buffers.values()):
            tensor.data = tensor.data.to(device)
        for layer in self.layers.values():
            layer.move_to(device)
        for tensor in self.parameters.values():
            tensor.data.requires_grad_()

    def __len__(self) -> int:
        return len(self.networks)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return next(iter(self.parameters.values())).data.device

    @property
    def trained(self) -> list[Tensor]:
        """The tensors for an optimizer."""
        return [tensor.data for tensor in self.parameters.values()]

    @property
    def parameters(self) -> dict[str, StackedTensor]:
        """Every parameter of the networks, by its name in each network."""
        return {f"{path}.{name}": tensor for path, layer in self.layers.items()
                for name, tensor in layer.parameters.items()}

    @property
    def buffers(self) -> dict[str, StackedTensor]:
        """Batch-norm statistics, by their names."""
        return {f"{path}.{name}": tensor for path, layer in self.layers.items() for name, tensor in layer.buffers.items()}

    @property
    def stages(self) -> list[Layout]:
        """The layout of each stage's outputs."""
        return [self.layers[path].layout for path in self.stage_paths]

    def forward(self, batch: Tensor, training: bool = False, noise_seed: int = 0) -> Outputs:
        """All networks over one batch (b, *shape).

        Args:
            training: batch-norm normalises with the batch's statistics and updates its running ones; dropout is on.
            noise_seed: of this step's dropout.
        """
        activations, embedding, stages = batch, None, []
        for path, layer in self.layers.items():
            if path == self.last and activations.dim() == 3:
                embedding = activations
            activations = layer.forward(activations, training, noise_seed)
            if path in self.stage_paths:
                stages.append(activations)
        return Outputs(activations, embedding, tuple(stages))

    def logits_of(self, inputs: Tensor) -> Tensor:
        """Outputs (N, n, classes) in evaluation mode."""
        with torch.inference_mode():
            return torch.cat([self.forward(chunk).logits for chunk in inputs.split(CHUNK)], 1)

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of every tensor, for keep() and network()."""
        return {name: tensor.data.detach().clone() for name, tensor in self._tensors()}

    def keep(self, snapshot: dict[str, Tensor], chosen: Tensor) -> None:
        """Copies the present tensors of the chosen networks (mask (N,) bool) into a snapshot, in place."""
        for name, tensor in self._tensors():
            tensor.copy_into(snapshot[name], chosen)

    def network(self, number: int, snapshot: dict[str, Tensor] | None = None) -> Network:
        """One network, in evaluation mode on the stack's device, with its present tensors or those of a snapshot."""
        tensors = {name: tensor.extract(number, None if snapshot is None else snapshot[name])
                   for name, tensor in self._tensors()}
        network = copy.deepcopy(self.networks[number])
        network.load_state_dict(tensors, strict=False)
        return network.to(next(iter(tensors.values())).device).eval()

    def _tensors(self) -> list[tuple[str, StackedTensor]]:
        return [*self.parameters.items(), *self.buffers.items()]


def leaves(network: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Path and module of each step of a network's forward pass, in order."""
    for name, child in network.named_children():
        child_path = f"{path}.{name}" if path else name
        if type(child) is nn.Sequential:
            yield from leaves(child, child_path)
        else:
            yield child_path, child


def structure(network: Network) -> tuple[tuple[str, str], ...]:
    """Paths and types of the modules: equal for networks that can be stacked."""
    return tuple((path, type(module).__name__) for path, module in leaves(network))


def stacked(modules: Sequence[nn.Module], layout: Layout, batch: Tensor, number: int) -> StackedLayer:
    """One layer of every network.

    Args:
        batch: an example of the layer's input; number: the layer's place in the network.

    Raises:
        TypeError: a module that cannot be stacked.
    """
    first = modules[0]
    if isinstance(first, Compressed):
        raise TypeError(f"a compressed layer ({first.kind}) cannot be stacked")
    if type(first) is Embedding:
        return StackedEmbedding(_of_type(Embedding, modules), layout)
    if type(first) is LastState:
        return StackedLastState(layout)
    if type(first) is AsChannels:
        return StackedAsChannels(layout)
    if type(first) is LargestOverTime:
        return StackedLargestOverTime(layout)
    if type(first) is nn.Linear:
        return StackedLinear(_of_type(nn.Linear, modules), layout)
    if type(first) is nn.Conv1d:
        return StackedConvolution(_of_type(nn.Conv1d, modules), layout)
    if type(first) is nn.Conv2d:
        return StackedConvolution(_of_type(nn.Conv2d, modules), layout)
    if type(first) is nn.BatchNorm1d:
        return StackedNorm(_of_type(nn.BatchNorm1d, modules), layout)
    if type(first) is nn.BatchNorm2d:
        return StackedNorm(_of_type(nn.BatchNorm2d, modules), layout)
    if type(first) is nn.Dropout:
        return StackedDropout(_of_type(nn.Dropout, modules), layout, number)
    if type(first) is nn.Flatten:
        return StackedFlatten(layout, batch)
    if type(first) is GRU:
        features = torch.arange(batch.shape[-1])
        read = layout if layout.kind == "series" else Layout(layout.kind, len(features), (features,) * len(modules))
        return StackedGRU(_of_type(GRU, modules), read)
    if type(first) is Residual:
        blocks = _of_type(Residual, modules)
        body = _sequence([block.body for block in blocks], "body", layout, batch, number)
        shortcut = _sequence([block.shortcut for block in blocks], "shortcut", layout, batch, number)
        return StackedResidual(body, shortcut, layout)
    if type(first) in PLAIN:
        return StackedPlain(modules, layout)
    raise TypeError(f"a layer of type {type(first).__name__} cannot be stacked")


def _of_type(kind: type[AnyModule], modules: Sequence[nn.Module]) -> list[AnyModule]:
    found = [module for module in modules if type(module) is kind]
    if len(found) != len(modules):
        raise TypeError(f"networks whose layers differ in type cannot be stacked: {', '.join(map(repr, modules))}")
    return found


def _sequence(parts: Sequence[nn.Module], name: str, layout: Layout, batch: Tensor, number: int) -> dict[str, StackedLayer]:
    """The layers of one part of every residual block, by their names in the networks."""
    columns = [list(leaves(part)) for part in parts]
    layers: dict[str, StackedLayer] = {}
    for place, (path, _) in enumerate(columns[0]):
        layer = stacked([column[place][1] for column in columns], layout, batch, number)
        layers[f"{name}.{path}"], layout, batch = layer, layer.layout, layer.forward(batch, False, 0)
    return layers
