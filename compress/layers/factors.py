"""A layer stored as the product of two thin layers."""

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
)


class Factors(nn.Sequential, Compressed):
    """A sequence of two layers in the place of one: W = second @ first; the rank is the width between them. Later methods
    may compress each of the two."""

    kind = "factors"

    @property
    def rank(self) -> int:
        """The width between the factors; for a grouped convolution, the width of each group."""
        first = merged_layer(self[0])
        return len(first.weight) // (1 if isinstance(first, nn.Linear) else first.groups)

    @property
    def view(self) -> str:
        """The view of the convolution as a matrix of this rank: "channel" or "spatial", as in matrix_view.py."""
        second = merged_layer(self[1])
        return "channel" if isinstance(second, nn.Linear) or max(second.kernel_size) == 1 else "spatial"

    def plain(self) -> dict[str, Any]:
        return {"first": layer_plain(self[0]), "second": layer_plain(self[1])}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Factors:
        return cls(layer_rebuild(plain.get("first", {})), layer_rebuild(plain.get("second", {})))

    def place(self) -> dict[str, Any]:
        return _together(place_of(self[0]), place_of(self[1]))

    def contradiction(self) -> str:
        return next((part.contradiction() for part in self if isinstance(part, Compressed) and part.contradiction()), "")

    def opened(self, codes: bool = False) -> nn.Module:
        """Factors whose two layers are open."""
        parts = [part.opened(codes) if isinstance(part, Substitute) else part for part in self]
        pairs = list(zip(self, parts, strict=True))
        if all(before is after for before, after in pairs):
            return self
        return Factors(*(copy.deepcopy(after) if after is before else after for before, after in pairs))

    @torch.no_grad()
    def merged(self) -> DenseLayer:
        first, second = (merged_layer(part) for part in self)
        plain = _together(dense_plain(first), dense_plain(second))
        if first.bias is not None:
            raise ValueError("Factors: the first of two layers must have no bias to be merged with the second.")
        layer = dense_like(plain, second.bias, second.weight, self.training)
        layer.weight = nn.Parameter(_product(first, second, layer).to(second.weight.dtype))
        return layer


def _together(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The sizes of one layer in the place of both. Along each axis only one of the two convolutions has a kernel larger than
    1, so that sizes multiply and paddings add."""
    plain = {**second, "sizes": [first["sizes"][0], second["sizes"][1]]}
    if (first["type"], second["type"]) == ("Embedding", "Linear"):
        return {**first, "sizes": plain["sizes"], "bias": second["bias"]}
    if first["type"] != second["type"]:
        raise ValueError(f"the factors of a layer must have one type, but got {first['type']} and {second['type']}")
    if second["type"] != "Linear":
        for name in ("kernel_size", "stride", "dilation"):
            plain[name] = [one * other for one, other in zip(first[name], second[name], strict=True)]
        plain["padding"] = [one + other for one, other in zip(first["padding"], second["padding"], strict=True)]
    return plain


def _product(first: DenseLayer, second: DenseLayer, whole: DenseLayer) -> Tensor:
    """The weight second @ first of one layer in the place of both, float64."""
    if isinstance(whole, nn.Linear):
        return second.weight.double() @ first.weight.double()
    inner, outer = (layer.weight.double().unflatten(0, (whole.groups, -1)).flatten(3) for layer in (first, second))
    # inner: (groups, rank, inputs, kernel); outer: (groups, outputs, rank, kernel)
    return torch.einsum("grik,gorl->goikl", inner, outer).reshape(whole.weight.shape)
