"""Dense layers, linear, convolutional and tables of embeddings, and their sizes as plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

from torch import nn

from compress.networks.embedding import Embedding
from compress.networks.plain_values import flag, mapping, whole, wholes
from compress.settings import shown

DenseLayer = nn.Linear | nn.Conv1d | nn.Conv2d
DENSE: dict[str, type[DenseLayer]] = {"Linear": nn.Linear, "Embedding": Embedding, "Conv1d": nn.Conv1d, "Conv2d": nn.Conv2d}
LOWEST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}  # smallest values of a convolution's options


def is_dense(layer: nn.Module) -> TypeGuard[DenseLayer]:
    """Whether this is a linear or convolutional layer, or an embedding table, with a dense weight."""
    return type(layer) in DENSE.values()


def dense_plain(layer: DenseLayer) -> dict[str, Any]:
    """A dense layer's sizes as JSON-able data."""
    bias = layer.bias is not None
    if isinstance(layer, Embedding):
        own = {"type": "Embedding", "sizes": [layer.in_features, layer.out_features], "bias": bias, "mean": layer.mean}
        return own if layer.padded else {**own, "padded": False}
    if isinstance(layer, nn.Linear):
        return {"type": "Linear", "sizes": [layer.in_features, layer.out_features], "bias": bias}
    return {"type": type(layer).__name__, "sizes": [layer.in_channels, layer.out_channels], "bias": bias,
            "kernel_size": list(layer.kernel_size), "stride": list(layer.stride), "padding": list(layer.padding),
            "dilation": list(layer.dilation), "groups": layer.groups}


def dense_rebuild(plain: dict[str, Any]) -> DenseLayer:
    """The opposite of dense_plain(). Raises ValueError for a layer type that is not known, or sizes that no layer has."""
    if mapping(plain, "a layer").get("type") not in list(DENSE):
        raise ValueError(f"The file holds a layer of type {shown(plain.get('type'))}; known are {', '.join(DENSE)}.")
    axes = {"Linear": 0, "Embedding": 0, "Conv1d": 1, "Conv2d": 2}[plain["type"]]
    is_table = plain["type"] == "Embedding"
    wanted = {"type", "sizes", "bias", *((*LOWEST, "groups") if axes else ("mean",) if is_table else ())}
    if set(plain) - ({"padded"} if is_table else set()) != wanted:
        raise ValueError(f"a layer of type {plain['type']} has {', '.join(sorted(wanted))}, but got {shown(plain)}")
    options: dict[str, Any] = {name: wholes(plain, name, low, (axes,)) for name, low in LOWEST.items() if axes}
    if axes:
        options["groups"] = whole(plain, "groups", 1)
    if is_table:
        options |= {"mean": flag(plain, "mean"), "padded": flag({"padded": True, **plain}, "padded")}
    made: Callable[..., DenseLayer] = DENSE[plain["type"]]
    return made(*wholes(plain, "sizes", 1, (2,)), bias=flag(plain, "bias"), **options)
