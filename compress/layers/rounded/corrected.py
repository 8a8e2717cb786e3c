"""A layer of few values beside a product of two thin layers, which gives back most of what rounding lost."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.base import (
    Compressed,
    DenseLayer,
    Substitute,
    dense_like,
    dense_plain,
    layer_plain,
    layer_rebuild,
    merged_layer,
    place_of,
    weight_of,
)
from compress.layers.factors import Factors
from compress.layers.matrix_view import factorised
from compress.networks.plain_values import mapping


class Corrected(Compressed):
    """The sum of two layers in the place of one: `main`, which has the bias, and `correction`, a low rank of what main lacks
    (Zhang et al. 2024, "LQER"). Later methods may compress main and both factors."""

    kind = "corrected"
    main: nn.Module
    correction: nn.Module

    def __init__(self, main: nn.Module, correction: nn.Module) -> None:
        """Two layers, dense or compressed, for the same inputs and outputs, the second without a bias.

        Raises:
            ValueError: they differ in sizes, or the second has a bias.
        """
        super().__init__()
        first, second = place_of(main), place_of(correction)
        if second["bias"] or {**first, "bias": False} != second:
            raise ValueError("a correction must have the sizes of the layer that it corrects, and no bias")
        self.main, self.correction = main, correction
        self.train(main.training)

    @property
    def weight(self) -> Tensor:
        """The sum of both weights (rows, ...)."""
        return weight_of(self.main) + weight_of(merged_layer(self.correction))

    @property
    def bias(self) -> Tensor | None:
        """The bias of `main`."""
        return self.main.bias if isinstance(self.main.bias, Tensor) else None

    def plain(self) -> dict[str, Any]:
        return {"main": layer_plain(self.main), "correction": layer_plain(self.correction)}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Corrected:
        return cls(*(layer_rebuild(mapping(plain.get(name), name)) for name in ("main", "correction")))

    def place(self) -> dict[str, Any]:
        return place_of(self.main)

    def opened(self, codes: bool = False) -> nn.Module:
        """A sum of two open layers."""
        parts = [self.main, self.correction]
        after = [part.opened(codes) if isinstance(part, Substitute) else part for part in parts]
        if all(one is other for one, other in zip(parts, after, strict=True)):
            return self
        return Corrected(*(copy.deepcopy(new) if new is old else new for old, new in zip(parts, after, strict=True)))

    @torch.no_grad()
    def merged(self) -> DenseLayer:
        layer = copy.deepcopy(merged_layer(self.main))
        layer.weight = nn.Parameter(layer.weight + merged_layer(self.correction).weight)
        return layer

    def forward(self, batch: Tensor) -> Tensor:
        return self.main(batch) + self.correction(batch)


def correction_of(layer: DenseLayer, left: Tensor, right: Tensor) -> Factors:
    """Two layers without a bias in the place of a dense layer, of the product left (groups, rows, rank) times right (groups,
    rank, columns)."""
    plain = {**dense_plain(layer), "bias": False}
    return factorised(dense_like(plain, None, layer.weight, layer.training), left, inner=right).train(layer.training)
