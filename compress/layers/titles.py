"""Names of layers for people."""

from __future__ import annotations

from torch import nn

from compress.layers.open_codes import Coefficients
from compress.networks.embedding import Embedding


def layer_title(path: str, layer: nn.Module) -> str:
    """For people: 'layer 1 · linear 784 -> 300'."""
    if isinstance(layer, Embedding):
        return f"{path} · embedding {layer.in_features}×{layer.out_features}"
    if isinstance(layer, nn.Linear):
        return f"{path} · linear {layer.in_features}→{layer.out_features}"
    if isinstance(layer, Coefficients):
        return f"{path.removesuffix('.coefficients')} · {layer.weight.numel()} coefficients"
    if not isinstance(layer, nn.Conv1d | nn.Conv2d):
        raise TypeError(f"a layer of type {type(layer).__name__} has no title")
    kernel = "×".join(str(size) for size in layer.kernel_size)
    return f"{path} · conv {layer.in_channels}→{layer.out_channels}, {kernel}"
