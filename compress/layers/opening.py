"""The parts of a network, possibly compressed already, that a method can act on."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from compress.layers.base import DenseLayer, is_dense, substitutes, with_layers
from compress.layers.coded import closed
from compress.layers.factors import Factors
from compress.layers.matrix_view import can_be_viewed
from compress.layers.open_codes import Coefficients, OpenCodes
from compress.layers.rounded.corrected import Corrected
from compress.layers.sparse import Sparse

Part = DenseLayer | Coefficients
AnyModule = TypeVar("AnyModule", bound=nn.Module)


def merged(network: AnyModule) -> AnyModule:
    """A NEW network with a dense layer in the place of each compressed layer; the network itself if there is none."""
    found = {path: layer.merged() for path, layer in substitutes(network).items()}
    return with_layers(network, found) if found else network


def opened(network: AnyModule, codes: bool = False) -> AnyModule:
    """A NEW network whose layers all have weights: pruned layers are dense with zeros, factors stay two layers. The network
    itself if this is so already.

    Args:
        codes: keep sparse codes as codes, for a method that can act on coefficients; otherwise they become dense.
    """
    found = {path: (layer, layer.opened(codes)) for path, layer in substitutes(network).items()}
    changed = {path: after for path, (before, after) in found.items() if before is not after}
    return with_layers(network, changed) if changed else network


def leave_out_zeros_only(network: nn.Module) -> bool:
    """Whether all compressed layers, if any, are dense layers stored without their zeros."""
    return all(isinstance(layer, Sparse) for layer in substitutes(network).values())


def recoded(network: AnyModule) -> AnyModule:
    """A NEW network with stored codes in the place of open codes; the network itself if there are none."""
    found = {path: closed(layer) for path, layer in network.named_modules() if isinstance(layer, OpenCodes)}
    return with_layers(network, found) if found else network


def parts_of(network: nn.Module, owner: str, output_layer: bool = True) -> dict[str, Part]:
    """Path -> part of an open network that a method can act on, in forward order: dense layers, the two layers of factors,
    and coefficients of open codes.

    Args:
        owner: the method's name, for messages.
        output_layer: whether to include the last layer, whose outputs are the class scores; it is included in any case if
            it is the only layer.

    Raises:
        ValueError: the network has no such layer.
    """
    parts: dict[str, Part] = {path: layer for path, layer in network.named_modules() if _is_a_part(layer)}
    if not parts:
        raise ValueError(f"{owner}: this network has no linear or convolutional layer that could be made smaller. Choose "
                         "another teacher, or leave out the methods that replaced its layers.")
    last = outer_path(network, list(parts)[-1])
    inner = {path: part for path, part in parts.items() if outer_path(network, path) != last}
    return parts if output_layer or not inner else inner


def outer_path(network: nn.Module, path: str) -> str:
    """The path of the layer that a part belongs to: "1" for "1.0", the first of the factors of a layer "1"."""
    places = path.split(".")
    outer = (".".join(places[:length]) for length in range(1, len(places)))
    return next((one for one in outer if isinstance(network.get_submodule(one), OpenCodes | Factors | Corrected)), path)


def _is_a_part(layer: nn.Module) -> bool:
    return isinstance(layer, Coefficients) or (is_dense(layer) and can_be_viewed(layer))
