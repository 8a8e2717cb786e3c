"""A layer stored as the product of two thin ones."""

from __future__ import annotations

from typing import Any

from torch import nn

from compress.layers.base import Compressed, dense_plain, dense_rebuild


class Factors(nn.Sequential, Compressed):
    """Two dense layers in a row in the place of one: W = second @ first, rank = the width between them."""

    kind = "factors"

    @property
    def rank(self) -> int:
        """Width between the factors; for a grouped convolution, of each group."""
        return self[0].weight.shape[0] // getattr(self[0], "groups", 1)

    def plain(self) -> dict[str, Any]:
        return {"first": dense_plain(self[0]), "second": dense_plain(self[1])}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> nn.Module:
        return cls(dense_rebuild(plain["first"]), dense_rebuild(plain["second"]))
