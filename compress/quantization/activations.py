"""Activations of 8 bits: the ranges of layers' inputs, and words for how the layers multiply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from compress.layers.base import dense_outputs
from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.layers.rounded.integer_matmul import InputRange, is_fast
from compress.layers.rounded.quantized import Quantized
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.quantization.output_means import by_channel
from compress.solvers.scale import check_finite

EXAMPLES = 256  # of calibration that ranges and means are measured on
SHARES = tuple(1 - place / 12 for place in range(8))  # of the whole range that are tried


def input_ranges(network: Network, inputs: Tensor, paths: Iterable[str]) -> dict[str, InputRange]:
    """Path -> the range of a layer's inputs, measured while the network reads these examples (n, *shape): from the smallest
    to the largest input, or that part of it, the same of both ends, with which the layer's outputs have the least squared
    error around their mean. (The mean error is made good: see output_means.py.)

    Args:
        paths: of layers of levels.

    Raises:
        ValueError: NaN or infinity among the inputs of a layer.
    """
    ends = {path: _Ends(path) for path in paths}
    _watch(network, inputs, {path: own.add for path, own in ends.items()})
    tried = {path: _Tried(network.get_submodule(path), own.low, own.high) for path, own in ends.items()}
    _watch(network, inputs, {path: own.add for path, own in tried.items()})
    return {path: own.best() for path, own in tried.items()}


class _Ends:
    """The smallest and the largest input of a layer."""

    def __init__(self, path: str) -> None:
        self.path, self.low, self.high = path, 0.0, 0.0

    def add(self, batch: Tensor) -> None:
        """Looks at these inputs."""
        check_finite("Quantize", f"the inputs of layer {self.path} on calibration examples", batch.flatten(1), "example")
        low, high = batch.aminmax()
        self.low, self.high = min(self.low, float(low)), max(self.high, float(high))


class _Tried:
    """Errors of a layer's outputs at each of the ranges."""

    def __init__(self, layer: nn.Module, low: float, high: float) -> None:
        if not isinstance(layer, Quantized):
            raise TypeError(f"inputs are rounded of layers of levels, but this is a {type(layer).__name__}")
        self.layer, self.count = layer, 0
        self.ranges = [InputRange.between(low * share, high * share) for share in SHARES]
        self.first, self.second = (torch.zeros(len(SHARES), layer.shape[0], dtype=torch.float64) for _ in range(2))

    def add(self, batch: Tensor) -> None:
        """Looks at these inputs."""
        layer = self.layer
        for number, one in enumerate(self.ranges):
            lost = dense_outputs(one.rounded(batch) - batch, layer.weight, None, layer.options)
            channels = by_channel(lost, layer.options["type"] != "Linear").double().cpu()
            self.first[number] += channels.sum(1)
            self.second[number] += channels.square().sum(1)
        self.count += channels.shape[1]

    def best(self) -> InputRange:
        """The range with the least error; the widest of several."""
        count = max(1, self.count)
        return self.ranges[int((self.second / count - (self.first / count).square()).sum(1).argmin())]


def _watch(network: Network, inputs: Tensor, takers: Mapping[str, Callable[[Tensor], None]]) -> None:
    """Gives the inputs of layers to these functions while the network reads."""
    def watch(take: Callable[[Tensor], None]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda module, arguments: take(arguments[0].detach())

    hooks = [network.get_submodule(path).register_forward_pre_hook(watch(take)) for path, take in takers.items()]
    try:
        logits_of(network, inputs)
    finally:
        for hook in hooks:
            hook.remove()


def words(network: Network) -> list[str]:
    """Which layers multiply whole numbers, and which only compute as if they did."""
    layers = {path: layer for path, layer in network.named_modules() if isinstance(layer, IntegerInputs)}
    whole = [path for path, layer in layers.items() if layer.multiplies_integers]
    simulated = [path for path in layers if path not in whole]
    how = "" if is_fast() else ", in float64, because this processor or torch has no product of integers"
    found = [f"inputs and weights of {_listed(whole)} are multiplied as whole numbers of 8 bits{how}"] if whole else []
    if simulated:
        found.append(f"inputs of {_listed(simulated)} are rounded to 8 bits and multiplied in float32, a simulation: there "
                     "is no product of whole numbers here for convolutions, codebooks, groups or more than 256 levels")
    return found


def _listed(paths: list[str]) -> str:
    return f"layer {paths[0]}" if len(paths) == 1 else f"layers {', '.join(paths)}"
