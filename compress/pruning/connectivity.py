"""Which classes a pruned network can still tell apart at all: is there a path of non-zero weights from its inputs?"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from compress.layers.base import DenseLayer, is_dense, merged_layer
from compress.layers.opening import opened
from compress.networks.evaluation import device_of, evaluating
from compress.networks.families import Network
from compress.networks.gru import Direction


def reached(network: Network) -> Tensor:
    """(classes,) bool: True where a path of non-zero weights leads from some input to the class score.

    Runs a copy in which each weight that is not zero is 1 / fan-in and each bias 0, on inputs of 1: nothing cancels, so an
    output is above 0 exactly where a path arrives. (1 / fan-in keeps a GRU's gates from saturating.)
    """
    probe = copy.deepcopy(opened(network)).train().double()
    for module in probe.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            _neutral(module)
        elif is_dense(module):
            _as_paths(module)
    for module in probe.modules():
        if isinstance(module, Direction):
            module.input_map, module.state_map = (_any_gate(layer, module.units) for layer in
                                                  (module.input_map, module.state_map))
    example = torch.ones(1, *network.architecture.shape, dtype=torch.float64, device=device_of(network))
    with evaluating(probe):
        return probe(example)[0] > 0


@torch.no_grad()
def _as_paths(layer: DenseLayer) -> None:
    layer.weight.copy_((layer.weight != 0) / layer.weight[0].numel())
    if layer.bias is not None:
        layer.bias.zero_()


@torch.no_grad()
def _any_gate(layer: nn.Module, units: int) -> nn.Linear:
    """A GRU's map, whose weights are paths already, in which what reaches one gate of a unit reaches all of them: it changes
    the unit's state."""
    held = (merged_layer(layer).weight != 0).view(3, units, -1).any(0).repeat(3, 1)
    made = nn.Linear(held.shape[1], len(held), dtype=torch.float64, device=held.device)
    made.weight.copy_(held / held.shape[1])
    made.bias.zero_()
    return made


@torch.no_grad()
def _neutral(norm: nn.Module) -> None:
    """Batch normalisation that passes everything on unchanged, up to its epsilon; a zero scale still blocks."""
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0)
    if norm.weight is not None:
        norm.weight.copy_(norm.weight != 0)
        norm.bias.zero_()
