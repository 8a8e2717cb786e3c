"""Outputs of layers keep their means when inputs are rounded.

Where many inputs are alike, such as the background of pictures, all of these are rounded in the same direction: their errors
do not cancel in the sums of a layer. The mean of these errors at each output is taken off its bias (Nagel et al. 2019, "bias
correction"), or, in front of batch normalisation, added to the mean that is taken off there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.hooks import RemovableHandle

from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.networks.evaluation import logits_of
from compress.networks.families import Network


@dataclass(frozen=True)
class Site:
    """A place of a network where numbers are looked at: the inputs of a batch normalisation, or the outputs of a layer.

    Attributes:
        is_norm: the first; has_channels: numbers are (n, channels, ...), not (..., channels).
    """

    is_norm: bool
    has_channels: bool


@dataclass(frozen=True, eq=False)
class Spread:
    """Mean and variance (channels,) of numbers, float64."""

    mean: Tensor
    variance: Tensor


@torch.no_grad()
def matched(network: Network, before: Network, inputs: Tensor) -> Network:
    """The network, whose layers with rounded inputs were put into the places of the layers of `before`, with the biases of
    these layers and the statistics of batch normalisation changed IN PLACE: one after the other in the order of the
    modules, so that on these examples (n, *shape) outputs have the means that they had, and inputs of a normalisation also
    their variances."""
    sites = _sites(network)
    wanted = _spreads(before, inputs, sites)
    for path, site in sites.items():
        _match(network.get_submodule(path), _spreads(network, inputs, {path: site})[path], wanted[path])
    return network


def _sites(network: Network) -> dict[str, Site]:
    found = {}
    for path, module in network.named_modules():
        if isinstance(module, IntegerInputs) and module.bias is not None:
            found[path] = Site(False, module.place()["type"] != "Linear")
        elif isinstance(module, _BatchNorm) and module.running_mean is not None:
            found[path] = Site(True, True)
    return found


def _match(module: nn.Module, now: Spread, wanted: Spread) -> None:
    """With the new statistics, normalised inputs have the mean and the variance that they had with the old ones."""
    if isinstance(module, IntegerInputs) and module.bias is not None:
        module.bias.sub_((now.mean - wanted.mean).to(module.bias))
    elif isinstance(module, _BatchNorm) and module.running_mean is not None and module.running_var is not None:
        has_both = (wanted.variance > 0) & (now.variance > 0)
        ratio = torch.where(has_both, now.variance / torch.where(has_both, wanted.variance, 1.0), 1.0)
        module.running_mean.copy_(now.mean - (wanted.mean - module.running_mean) * ratio.sqrt())
        module.running_var.mul_(ratio.to(module.running_var))


def _spreads(network: Network, inputs: Tensor, sites: Mapping[str, Site]) -> dict[str, Spread]:
    """What is seen at these sites (path -> site) while the network reads the examples."""
    sums: dict[str, tuple[Tensor, Tensor, int]] = {}

    def take(path: str, numbers: Tensor) -> None:
        channels = by_channel(numbers, sites[path].has_channels).double()
        zero = channels.new_zeros(len(channels))
        first, second, count = sums.get(path, (zero, zero, 0))
        sums[path] = first + channels.sum(1), second + channels.square().sum(1), count + channels.shape[1]

    hooks = [_watched(network.get_submodule(path), site, partial(take, path)) for path, site in sites.items()]
    try:
        logits_of(network, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return {path: Spread(first / count, (second / count - (first / count).square()).clamp_min(0.0))
            for path, (first, second, count) in sums.items()}


def _watched(module: nn.Module, site: Site, take: Callable[[Tensor], None]) -> RemovableHandle:
    if site.is_norm:
        return module.register_forward_pre_hook(lambda _, arguments: take(arguments[0]))
    return module.register_forward_hook(lambda _, arguments, output: take(output))


def by_channel(numbers: Tensor, has_channels: bool) -> Tensor:
    """(channels, samples) of numbers (n, channels, ...), or of the outputs (..., channels) of a linear layer."""
    return numbers.transpose(0, 1).flatten(1) if has_channels else numbers.reshape(-1, numbers.shape[-1]).mT
