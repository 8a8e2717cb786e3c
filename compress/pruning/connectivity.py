"""Connectivity of a pruned network: to which class scores a path of non-zero weights leads from the inputs."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from compress.layers.base import DenseLayer, is_dense, merged_layer
from compress.layers.opening import opened
from compress.networks.embedding import Embedding
from compress.networks.evaluation import device_of, evaluating
from compress.networks.families import Network
from compress.networks.gru import Direction


def reached(network: Network) -> Tensor:
    """(classes,) bool: True where a path of non-zero weights leads from some input to the class score.

    Evaluates a copy in which each non-zero weight is 1 / fan-in and each bias 0, on inputs of 1. By induction over layers,
    every activation is at least 0, and above 0 exactly where a path arrives: a sum of non-negative numbers is above 0 if
    and only if one of them is, and ReLU, pooling and the neutral batch normalisation keep zeros zero and positive numbers
    positive. (1 / fan-in keeps activations small, so that the gates of a GRU do not saturate.)
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
    held = layer.weight != 0
    if isinstance(layer, Embedding):  # an input of ones is one token: every token counts as each of them
        held = held.any(1, keepdim=True).expand_as(held)
    layer.weight.copy_(held / layer.weight[0].numel())
    if layer.bias is not None:
        layer.bias.zero_()


@torch.no_grad()
def _any_gate(layer: nn.Module, units: int) -> nn.Linear:
    """A map of a GRU, its weights replaced by paths, in which an input of one gate of a unit is an input of all its gates:
    each of them changes the unit's state."""
    nonzero = (merged_layer(layer).weight != 0).view(3, units, -1).any(0).repeat(3, 1)
    made = nn.Linear(nonzero.shape[1], len(nonzero), dtype=torch.float64, device=nonzero.device)
    made.weight.copy_(nonzero / nonzero.shape[1])
    made.bias.zero_()
    return made


@torch.no_grad()
def _neutral(norm: nn.Module) -> None:
    """Makes batch normalisation the identity, up to its epsilon; channels with a scale of zero stay zero."""
    for name, tensor in norm.state_dict().items():
        if name == "weight":
            tensor.copy_(tensor != 0)
        elif name == "running_var":
            tensor.fill_(1.0)
        elif name in ("bias", "running_mean"):
            tensor.zero_()
