"""Batch normalisation after quantization: its statistics move as much as rounding has moved them on calibration examples.

To measure them anew, as after a large change, would replace the statistics of all training by those of a few examples, which
costs more than 8-bit rounding does.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from compress.layers.input_moments import recalibrated
from compress.networks.families import Network

Statistics = dict[str, tuple[Tensor, Tensor]]  # path -> running mean and variance


def measured(network: Network, inputs: Tensor) -> Statistics:
    """The statistics on these examples (n, *shape); the network is not changed. Empty without batch normalisation."""
    return _statistics(recalibrated(copy.deepcopy(network), inputs)) if _norms(network) else {}


@torch.no_grad()
def moved(network: Network, before: Network, on_before: Statistics, inputs: Tensor) -> Network:
    """The network with the statistics of another one, before its weights were rounded, corrected by the difference of means
    and by the ratio of variances on these examples. The buffers of `network` are changed in place.

    Args:
        on_before: measured() of `before` on these examples.
    """
    now, norms = measured(network, inputs), _norms(network)
    for path, (mean, variance) in _statistics(before).items():
        means, variances = zip(now[path], on_before[path], strict=True)
        norms[path].running_mean = mean + (means[0] - means[1])
        ratio = torch.where(variances[1] > 0, variances[0] / variances[1], 1.0)
        norms[path].running_var = torch.where(variances[1] > 0, variance * ratio, variances[0])
    return network


def _statistics(network: Network) -> Statistics:
    found = {path: (norm.running_mean, norm.running_var) for path, norm in _norms(network).items()}
    return {path: (mean.clone(), variance.clone()) for path, (mean, variance) in found.items()
            if mean is not None and variance is not None}


def _norms(network: Network) -> dict[str, nn.modules.batchnorm._BatchNorm]:
    return {path: module for path, module in network.named_modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm)}
