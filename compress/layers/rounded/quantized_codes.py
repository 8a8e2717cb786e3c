"""A sparsely coded layer whose atoms and coefficients are few different values, stored as whole numbers of few bits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.base import dense_rebuild
from compress.layers.bit_packing import Symbols
from compress.layers.coded import Coded
from compress.layers.dense_weight import DenseWeightLayer
from compress.layers.rounded.levels import Levels
from compress.networks.plain_values import mapping


class QuantizedCodes(Coded):
    """A coded layer with `atom_levels` (count, height) in the place of atoms, and `value_levels` (1, coefficients) in the
    place of values. Indices, counts and the bias are as in Coded; so is the form in which it runs. All values of levels can
    be trained while their numbers stay."""

    kind = "quantized_codes"

    def __init__(self, codes: Coded, atoms: Levels, values: Levels) -> None:
        """The indices and the bias of a coded layer, with these levels.

        Raises:
            ValueError: levels of other sizes.
        """
        if (atoms.rows, atoms.columns) != (codes.count, codes.blocks.height) or (values.rows, values.columns) != (
                1, torch.Size(codes.size).numel()):
            raise ValueError("the levels of atoms or coefficients have other sizes than the codes")
        super().__init__(dense_rebuild(codes.options), codes.blocks.height, codes.count, codes.nonzeros, "float32",
                         codes.places)
        self.atom_levels, self.value_levels = atoms, values
        self.bias = None if codes.bias is None else nn.Parameter(codes.bias.detach().clone())
        for name in ("indices", "counts")[:1 if codes.places is None else 2]:
            setattr(self, name, getattr(codes, name).clone())
        self.register_load_state_dict_post_hook(_loaded)
        self.train(codes.training)

    @property
    def atoms(self) -> Tensor:  # type: ignore[override]
        """(count, height)."""
        return self.atom_levels.matrix()

    @property
    def values(self) -> Tensor:  # type: ignore[override]
        """In the form of Coded."""
        return self.value_levels.matrix().view(self.size)

    def plain(self) -> dict[str, Any]:
        own = {name: value for name, value in super().plain().items() if name != "storage"}
        return {**own, "atom_levels": self.atom_levels.plain(), "value_levels": self.value_levels.plain()}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> QuantizedCodes:
        codes = Coded.rebuild({**plain, "storage": "float32"})
        count = torch.Size(codes.size).numel()
        return cls(codes, Levels.rebuild(mapping(plain.get("atom_levels"), "atom_levels"), codes.count, codes.blocks.height),
                   Levels.rebuild(mapping(plain.get("value_levels"), "value_levels"), 1, count))

    def symbols(self) -> dict[str, Symbols]:
        inner = {"atom_levels": self.atom_levels, "value_levels": self.value_levels}
        return {**super().symbols(), **{f"{place}.{name}": own for place, levels in inner.items()
                                        for name, own in levels.symbols().items()}}

    def contradiction(self) -> str:
        return (self.atom_levels.contradiction() or self.value_levels.contradiction() or super().contradiction())

    def _hold_numbers(self) -> None:
        """Levels are given, not made."""

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super(DenseWeightLayer, self)._load_from_state_dict(*arguments)  # the levels are loaded later: see _loaded


def _loaded(layer: nn.Module, keys: Any) -> None:
    """Makes the dense weight again once all parts of a layer were loaded."""
    if isinstance(layer, QuantizedCodes) and not layer.training:
        layer._refresh()
