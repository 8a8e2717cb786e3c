"""Second moments and means of the inputs of layers, collected by hooks in one evaluation of the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compress.layers.base import is_dense
from compress.layers.matrix_view import inputs_as_columns
from compress.networks.evaluation import logits_of
from compress.networks.families import Network


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of a layer's inputs x, in the columns of its matrix (channel view), float64.

    Attributes:
        second: mean of x x^T, (groups, columns, columns).
        mean: mean of x, (groups, columns).
    """

    second: Tensor
    mean: Tensor

    @property
    def covariance(self) -> Tensor:
        """Second moment around the mean."""
        return self.second - self.mean[..., :, None] * self.mean[..., None, :]


def input_moments(network: Network, inputs: Tensor, paths: Iterable[str]) -> dict[str, Moments]:
    """Moments of the inputs of some layers while the network reads these examples (n, *shape)."""
    gathered: dict[str, tuple[Tensor, Tensor, int]] = {}

    def watch(path: str, layer: nn.Module) -> torch.utils.hooks.RemovableHandle:
        if not is_dense(layer):
            raise TypeError(f"inputs are gathered of dense layers, but layer {path} is a {type(layer).__name__}")

        def add(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            columns = inputs_as_columns(layer, arguments[0]).double()
            new = columns @ columns.mT, columns.sum(-1), columns.shape[-1]
            old = gathered.get(path)
            gathered[path] = new if old is None else (old[0] + new[0], old[1] + new[1], old[2] + new[2])

        return layer.register_forward_pre_hook(add)

    hooks = [watch(path, network.get_submodule(path)) for path in paths]
    try:
        logits_of(network, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return {path: Moments(second / count, first / count) for path, (second, first, count) in gathered.items()}


def recalibrated(network: Network, inputs: Tensor) -> Network:
    """The network with batch-norm statistics measured again on these (calibration) examples.

    A change of weights changes the activations, so that the running statistics of batch-norm are those of another network.
    The buffers of the given network are changed in place.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return network
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.inference_mode():
        for chunk in inputs.tensor_split(-(-len(inputs) // 256)):
            network(chunk)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.eval()
