"""Layers that stand in a compressed network, and how to put them there.

What a layer stores is its state_dict, nothing else: files.py writes exactly that. Each class describes itself as
plain data (`plain`), from which `rebuild` makes it again in a fresh process, without pickled code.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from torch import Tensor, nn

from compress.networks.evaluation import evaluating

DENSE: dict[str, type[nn.Module]] = {"Linear": nn.Linear, "Conv1d": nn.Conv1d, "Conv2d": nn.Conv2d}
COMPRESSED: dict[str, type[Compressed]] = {}
AnyModule = TypeVar("AnyModule", bound=nn.Module)


class Compressed:
    """Mix-in of every layer that a method puts in a dense layer's place; found by its `kind` when a file is read."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        COMPRESSED[cls.kind] = cls

    def plain(self) -> dict[str, Any]:
        """Sizes and options as JSON-able data."""
        raise NotImplementedError

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> nn.Module:
        """A layer of the same sizes with any weights; the file's tensors are loaded into it."""
        raise NotImplementedError


def dense_plain(layer: nn.Module) -> dict[str, Any]:
    """A dense layer's sizes as JSON-able data."""
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return {"type": "Linear", "sizes": [layer.in_features, layer.out_features], "bias": bias}
    return {"type": type(layer).__name__, "sizes": [layer.in_channels, layer.out_channels], "bias": bias,
            "kernel_size": list(layer.kernel_size), "stride": list(layer.stride), "padding": list(layer.padding),
            "dilation": list(layer.dilation), "groups": layer.groups}


def dense_rebuild(plain: dict[str, Any]) -> nn.Module:
    """The opposite of dense_plain(). Raises ValueError for a layer type that is not known."""
    options = {name: tuple(value) if isinstance(value, list) else value
               for name, value in plain.items() if name not in ("type", "sizes")}
    if plain["type"] not in DENSE:
        raise ValueError(f"The file holds a layer of type {plain['type']!r}; known are {', '.join(DENSE)}.")
    return DENSE[plain["type"]](*plain["sizes"], **options)


def rebuild(plain: dict[str, Any]) -> nn.Module:
    """A compressed layer from its plain data. Raises ValueError for an unknown kind."""
    if plain["kind"] not in COMPRESSED:
        raise ValueError(f"The file holds a compressed layer of kind {plain['kind']!r}; known are "
                         f"{', '.join(COMPRESSED)}. Read it with the version that wrote it, or a newer one.")
    return COMPRESSED[plain["kind"]].rebuild({name: value for name, value in plain.items() if name != "kind"})


def compressed_layers(network: nn.Module) -> dict[str, Compressed]:
    """Path -> compressed layer, in forward order."""
    return {path: layer for path, layer in _outermost(network) if isinstance(layer, Compressed)}


def dense_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Path -> linear or convolutional layer that no method has touched yet, in forward order."""
    return {path: layer for path, layer in _outermost(network) if type(layer) in DENSE.values()}


def with_layers(network: AnyModule, layers: Mapping[str, nn.Module]) -> AnyModule:
    """A NEW network with some layers replaced; the given one stays as it is."""
    # What deepcopy is told to have copied already it does not copy: the layers to be replaced can be large.
    copied = {id(network.get_submodule(path)): layer for path, layer in layers.items()}
    return copy.deepcopy(network, copied).train(network.training)


def macs(network: nn.Module, example: Tensor) -> int:
    """Multiply-accumulate operations of linear and convolutional layers for one example of shape (1, *shape).

    Counted by watching a real forward pass, so that a shared or repeated layer counts as often as it runs. A layer that
    skips its zeros says its own macs_per_position, multiply-accumulates for one output position."""
    counted = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        counted += output.numel() // layer.weight.shape[0] * getattr(layer, "macs_per_position", layer.weight.numel())

    watched = [layer.register_forward_hook(count) for layer in network.modules()
               if type(layer) in DENSE.values() or hasattr(layer, "macs_per_position")]
    try:
        with evaluating(network):
            network(example)
    finally:
        for hook in watched:
            hook.remove()
    return counted


def _outermost(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        child_path = f"{path}.{name}" if path else name
        yield child_path, child
        if not isinstance(child, Compressed):
            yield from _outermost(child, child_path)
