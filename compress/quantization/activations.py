"""Activations of 8 bits: the ranges of layers' inputs, and words for how the layers multiply."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.layers.rounded.integer_matmul import is_fast, reach_of
from compress.networks.evaluation import logits_of
from compress.networks.families import Network


def input_reaches(network: Network, inputs: Tensor, paths: Iterable[str]) -> dict[str, float]:
    """Path -> the largest input of a layer that its 8 bits are to represent, measured while the network reads these examples
    (n, *shape).

    Raises:
        ValueError: NaN or infinity among the inputs of a layer.
    """
    seen: dict[str, list[Tensor]] = {path: [] for path in paths}

    def watch(path: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda module, arguments: seen[path].append(arguments[0].detach().flatten())

    hooks = [network.get_submodule(path).register_forward_pre_hook(watch(path)) for path in seen]
    try:
        logits_of(network, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return {path: reach_of(torch.cat(parts)) for path, parts in seen.items()}


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
