"""Compressed layers, and their place in a network.

A file holds exactly a layer's state_dict (see files/network_file.py). Each class gives its sizes and options as plain data
(`plain`), from which `rebuild` makes the layer again in a new process, without pickled code.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.layers.bit_packing import Rows, Symbols
from compress.networks.dense import DENSE as DENSE
from compress.networks.dense import DenseLayer as DenseLayer
from compress.networks.dense import dense_plain as dense_plain
from compress.networks.dense import dense_rebuild as dense_rebuild
from compress.networks.dense import is_dense as is_dense
from compress.networks.embedding import looked_up
from compress.networks.evaluation import evaluating
from compress.networks.plain_values import mapping
from compress.settings import shown

COMPRESSED: dict[str, type[Compressed]] = {}
AnyModule = TypeVar("AnyModule", bound=nn.Module)


class Substitute(nn.Module):
    """Base of all layers in the place of a dense layer."""

    def merged(self) -> DenseLayer:
        """A NEW dense layer with the same outputs."""
        raise NotImplementedError

    def opened(self, codes: bool = False) -> nn.Module:
        """The layer in the form for later methods: parts with weights that can be replaced, masked and trained. By default a
        dense layer; the layer itself if it is open already.

        Args:
            codes: keep sparse codes as codes, for a method that can act on coefficients.
        """
        return self.merged()


class Compressed(Substitute):
    """Base of all layers that can be stored in the place of a dense layer; found by their `kind` when a file is read."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        COMPRESSED[cls.kind] = cls

    def plain(self) -> dict[str, Any]:
        """Sizes and options as JSON-able data."""
        raise NotImplementedError

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Compressed:
        """A layer of the same sizes with arbitrary weights, into which the file's tensors are loaded. Raises ValueError for
        sizes or options that no layer has."""
        raise NotImplementedError

    def place(self) -> dict[str, Any]:
        """The sizes, as dense_plain() gives them, of the dense layer in whose place this one can be."""
        raise NotImplementedError

    def symbols(self) -> dict[str, Symbols]:
        """Name of a tensor (uint8) of this layer -> the whole numbers that are packed in it, by bit_packing.packed(). A file
        may code the numbers in the place of the bytes, and packs them again when it is read; a tensor that is not named
        here is stored as it is."""
        return {}

    def listed_rows(self) -> dict[str, Rows]:
        """Name of a tensor of this layer -> how it lists the places of a mask. A file may code the mask in the place of this
        tensor and its counts."""
        return {}

    def contradiction(self) -> str:
        """How the stored numbers contradict the plain data or each other, in words; "" where they do not."""
        return ""


def dense_like(plain: dict[str, Any], bias: Tensor | None, like: Tensor, training: bool) -> DenseLayer:
    """A dense layer of these sizes with a copy of a bias and an uninitialised weight, with the type and device of `like`."""
    with torch.device("meta"):  # without initial weights, which would be replaced
        layer = dense_rebuild(plain)
    layer = layer.to_empty(device=like.device).to(like.dtype)
    layer.bias = None if bias is None else nn.Parameter(bias.detach().clone())
    return layer.train(training)


def dense_outputs(batch: Tensor, weight: Tensor, bias: Tensor | None, plain: dict[str, Any]) -> Tensor:
    """The outputs of a dense layer of these sizes with this weight and bias."""
    if plain["type"] == "Linear":
        return functional.linear(batch, weight, bias)
    if plain["type"] == "Embedding":
        return looked_up(batch, weight, bias, plain["mean"], plain.get("padded", True))
    convolve = functional.conv1d if plain["type"] == "Conv1d" else functional.conv2d
    return convolve(batch, weight, bias, tuple(plain["stride"]), tuple(plain["padding"]), tuple(plain["dilation"]),
                    plain["groups"])


def layer_plain(layer: nn.Module) -> dict[str, Any]:
    """A dense or compressed layer as JSON-able data."""
    if isinstance(layer, Compressed):
        return {"kind": layer.kind, **layer.plain()}
    if not is_dense(layer):
        raise TypeError(f"a layer of type {type(layer).__name__} cannot be written")
    return dense_plain(layer)


def layer_rebuild(plain: dict[str, Any]) -> DenseLayer | Compressed:
    """The opposite of layer_plain(). Raises ValueError for an unknown kind or type."""
    if "kind" not in mapping(plain, "a layer"):
        return dense_rebuild(plain)
    if plain["kind"] not in list(COMPRESSED):
        raise ValueError(f"The file holds a compressed layer of kind {shown(plain['kind'])}; known are "
                         f"{', '.join(COMPRESSED)}. Read it with the version that wrote it, or a newer one.")
    return COMPRESSED[plain["kind"]].rebuild({name: value for name, value in plain.items() if name != "kind"})


def place_of(layer: nn.Module) -> dict[str, Any]:
    """The sizes, as dense_plain() gives them, of a dense layer, or of the one in whose place a compressed layer is."""
    if isinstance(layer, Compressed):
        return layer.place()
    if not is_dense(layer):
        raise ValueError(f"a layer of type {type(layer).__name__} has no dense weight")
    return dense_plain(layer)


def merged_layer(layer: nn.Module) -> DenseLayer:
    """The dense layer itself, or the dense layer with the same outputs."""
    if isinstance(layer, Substitute):
        return layer.merged()
    if not is_dense(layer):
        raise TypeError(f"a layer of type {type(layer).__name__} has no dense weight")
    return layer


def compressed_layers(network: nn.Module) -> dict[str, Compressed]:
    """Path -> compressed layer, in forward order; parts of compressed layers are not listed."""
    return {path: layer for path, layer in substitutes(network).items() if isinstance(layer, Compressed)}


def substitutes(network: nn.Module) -> dict[str, Substitute]:
    """Path -> layer in the place of a dense layer, stored or open, in forward order."""
    return {path: layer for path, layer in _outermost(network) if isinstance(layer, Substitute)}


def dense_layers(network: nn.Module) -> dict[str, DenseLayer]:
    """Path -> linear or convolutional layer that stores its whole weight, in forward order. Factors are such layers too:
    those of a layer "1" have the paths "1.0" and "1.1"."""
    return {path: layer for path, layer in network.named_modules() if is_dense(layer)}


def with_layers(network: AnyModule, layers: Mapping[str, nn.Module]) -> AnyModule:
    """A NEW network with some layers replaced; the given network is not changed."""
    # deepcopy uses its memo in the place of a copy: the replaced layers, which can be large, are not copied.
    copied: dict[int, Any] = {id(network.get_submodule(path)): layer for path, layer in layers.items()}
    return copy.deepcopy(network, copied).train(network.training)


def weight_of(layer: nn.Module) -> Tensor:
    """The weight (rows, ...) that a layer has or computes from its stored tensors."""
    weight = layer.weight
    if not isinstance(weight, Tensor):
        raise TypeError(f"a layer of type {type(layer).__name__} has no weight")
    return weight


def bytes_of_weight(layer: nn.Module) -> int:
    """Bytes of all that a layer stores but its bias."""
    return sum(tensor.numel() * tensor.element_size() for name, tensor in layer.state_dict().items()
               if not name.endswith("bias"))


def bytes_of(modules: Iterable[nn.Module]) -> int:
    """Bytes of all parameters of some modules."""
    return sum(weight.numel() * weight.element_size() for module in modules for weight in module.parameters())


def macs(network: nn.Module, example: Tensor) -> int:
    """Multiply-accumulate operations of linear and convolutional layers for one example of shape (1, *shape).

    Counted by hooks during a forward pass, so that a layer that runs several times counts several times. Layers that skip
    zeros have their number of multiply-accumulates for one output position as macs_per_position."""
    counted = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        counted += macs_of_call(layer, output)

    watched = [layer.register_forward_hook(count) for layer in network.modules()
               if is_dense(layer) or hasattr(layer, "macs_per_position")]
    try:
        with evaluating(network):
            network(example)
    finally:
        for hook in watched:
            hook.remove()
    return counted


def macs_of_call(layer: nn.Module, output: Tensor) -> int:
    """Multiply-adds of one call of a layer for this output. A table's outputs are looked up: none."""
    if isinstance(layer, Compressed) and layer.place()["type"] == "Embedding":
        return 0
    weight = weight_of(layer)
    own: Any = getattr(layer, "macs_per_position", weight.numel())
    return output.numel() // weight.shape[0] * int(own)


def _outermost(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        child_path = f"{path}.{name}" if path else name
        yield child_path, child
        if not isinstance(child, Substitute):
            yield from _outermost(child, child_path)
