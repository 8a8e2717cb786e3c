"""Layers in words."""

from __future__ import annotations

from torch import nn


def layer_title(path: str, layer: nn.Module) -> str:
    """For people: 'layer 1 · linear 784 -> 300'."""
    if isinstance(layer, nn.Linear):
        return f"{path} · linear {layer.in_features}→{layer.out_features}"
    kernel = "×".join(str(size) for size in layer.kernel_size)
    return f"{path} · conv {layer.in_channels}→{layer.out_channels}, {kernel}"
