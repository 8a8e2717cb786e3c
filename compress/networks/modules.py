"""Modules that networks are made of beside torch's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AsSequence(nn.Module):
    """Images (n, c, h, w) -> rows (n, h, c w); sequences (n, features, length) -> (n, length, features)."""

    def forward(self, batch: Tensor) -> Tensor:
        if batch.dim() == 4:
            return batch.permute(0, 2, 1, 3).flatten(2)
        return batch.transpose(1, 2)


class Residual(nn.Module):
    """Two normalised convolutions (before -> inner -> after channels) plus a shortcut, which is a 1x1 convolution where the
    shape changes."""

    def __init__(self, convolution: type, norm: type, before: int, inner: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(before, inner, 3, stride=stride, padding=1, bias=False), norm(inner), nn.ReLU(),
            convolution(inner, after, 3, padding=1, bias=False), norm(after))
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(
            convolution(before, after, 1, stride=stride, bias=False), norm(after))

    def forward(self, batch: Tensor) -> Tensor:
        return torch.relu(self.body(batch) + self.shortcut(batch))
