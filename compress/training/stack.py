"""Many networks of one structure as one tensor program: trained together, each as if it were alone.

The networks read the same batch. They have the same modules in the same order; their widths may differ.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compress.layers.base import Compressed
from compress.networks.evaluation import CHUNK
from compress.networks.families import AsSequence, Network, Residual
from compress.networks.gru import GRU
from compress.training.stack_blocks import StackedGRU, StackedResidual
from compress.training.stack_layers import (
    Flow,
    Packed,
    StackedConvolution,
    StackedDropout,
    StackedFlatten,
    StackedLayer,
    StackedLinear,
    StackedNorm,
    StackedPlain,
)

PLAIN = (nn.ReLU, nn.MaxPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, AsSequence, nn.Identity)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
STAGE_ENDS = (nn.ReLU, GRU, Residual)


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a forward pass gave: logits (N, b, classes); the last layer's input, or None where that is the batch itself;
    and the outputs of every stage (an activation, a residual block or a recurrent layer), in the form of its flow."""

    logits: Tensor
    embedding: Tensor | None
    stages: tuple[Tensor, ...]

    def float(self) -> Outputs:
        """The same in the precision of the losses, where a GPU computed in less."""
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
        flow = Flow("shared", 0, ())
        with torch.no_grad():
            for number, path in enumerate(paths):
                layer = stacked([column[number][1] for column in columns], flow, batch, number)
                self.layers[path], flow, batch = layer, layer.flow, layer.forward(batch, False, 0)
        for packed in (*self.parameters.values(), *self.buffers.values()):
            packed.data = packed.data.to(device)
        for layer in self.layers.values():
            layer.settle(device)
        for packed in self.parameters.values():
            packed.data.requires_grad_()

    def __len__(self) -> int:
        return len(self.networks)

    @property
    def parameters(self) -> dict[str, Packed]:
        """Every packed parameter, by its name in each network."""
        return {f"{path}.{name}": packed for path, layer in self.layers.items()
                for name, packed in layer.parameters.items()}

    @property
    def buffers(self) -> dict[str, Packed]:
        """Batch-norm statistics, by their names."""
        return {f"{path}.{name}": packed for path, layer in self.layers.items() for name, packed in layer.buffers.items()}

    @property
    def stages(self) -> list[Flow]:
        """The flow after each stage."""
        return [self.layers[path].flow for path in self.stage_paths]

    def forward(self, batch: Tensor, training: bool = False, noise: int = 0) -> Outputs:
        """All networks over one batch (b, *shape).

        Args:
            training: batch-norm uses (and gathers) the batch's statistics, dropout is on.
            noise: the seed of this step's dropout.
        """
        flowing, embedding, stages = batch, None, []
        for path, layer in self.layers.items():
            if path == self.last and flowing.dim() == 3:
                embedding = flowing
            flowing = layer.forward(flowing, training, noise)
            if path in self.stage_paths:
                stages.append(flowing)
        return Outputs(flowing, embedding, tuple(stages))

    def logits_of(self, inputs: Tensor) -> Tensor:
        """Outputs (N, n, classes) in evaluation mode."""
        with torch.inference_mode():
            return torch.cat([self.forward(chunk).logits for chunk in inputs.split(CHUNK)], 1)

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of every tensor, for keep() and network()."""
        return {name: packed.data.detach().clone() for name, packed in self._everything()}

    def keep(self, snapshot: dict[str, Tensor], chosen: Tensor) -> None:
        """Brings a snapshot up to date for the chosen networks (mask (N,))."""
        for name, packed in self._everything():
            packed.keep(snapshot[name], chosen)

    def network(self, number: int, snapshot: dict[str, Tensor] | None = None) -> Network:
        """One network by itself, in evaluation mode on the stack's device, as it is now or as it was in a snapshot."""
        taken = {name: packed.take(number, None if snapshot is None else snapshot[name])
                 for name, packed in self._everything()}
        network = copy.deepcopy(self.networks[number])
        network.load_state_dict(taken, strict=False)
        return network.to(next(iter(taken.values())).device).eval()

    def _everything(self) -> list[tuple[str, Packed]]:
        return [*self.parameters.items(), *self.buffers.items()]


def leaves(network: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Path and module of each step of a network's forward pass, in order."""
    for name, child in network.named_children():
        own = f"{path}.{name}" if path else name
        if type(child) is nn.Sequential:
            yield from leaves(child, own)
        else:
            yield own, child


def structure(network: Network) -> tuple[tuple[str, str], ...]:
    """What two networks must have in common to be stacked."""
    return tuple((path, type(module).__name__) for path, module in leaves(network))


def stacked(modules: Sequence[nn.Module], flow: Flow, batch: Tensor, number: int) -> StackedLayer:
    """One layer of every network; batch is an example of what flows into it, number its place in the network."""
    first = modules[0]
    if isinstance(first, Compressed):
        raise TypeError(f"a compressed layer ({first.kind}) cannot be stacked")
    if type(first) is nn.Linear:
        return StackedLinear(modules, flow)
    if type(first) in (nn.Conv1d, nn.Conv2d):
        return StackedConvolution(modules, flow)
    if type(first) in NORMS:
        return StackedNorm(modules, flow)
    if type(first) is nn.Dropout:
        return StackedDropout(modules, flow, number)
    if type(first) is nn.Flatten:
        return StackedFlatten(flow, batch)
    if type(first) is GRU:
        features = torch.arange(batch.shape[-1])
        return StackedGRU(modules, Flow(flow.form, len(features), (features,) * len(modules)))
    if type(first) is Residual:
        body = _row([module.body for module in modules], "body", flow, batch, number)
        return StackedResidual(body, _row([module.shortcut for module in modules], "shortcut", flow, batch, number), flow)
    if type(first) in PLAIN:
        return StackedPlain(modules, flow)
    raise TypeError(f"a layer of type {type(first).__name__} cannot be stacked")


def _row(parts: Sequence[nn.Module], name: str, flow: Flow, batch: Tensor, number: int) -> dict[str, StackedLayer]:
    """The steps of one part of every residual block, named as in the networks."""
    columns = [list(leaves(part)) for part in parts]
    row: dict[str, StackedLayer] = {}
    for place, (path, _) in enumerate(columns[0]):
        layer = stacked([column[place][1] for column in columns], flow, batch, number)
        row[f"{name}.{path}"], flow, batch = layer, layer.flow, layer.forward(batch, False, 0)
    return row
