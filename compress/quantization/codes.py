"""Rounding of a sparsely coded layer: its atoms and its coefficients, each to any number of levels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from compress.layers.base import DenseLayer
from compress.layers.coded import Coded
from compress.layers.input_moments import Moments
from compress.layers.rounded.quantized import Quantized
from compress.layers.rounded.quantized_codes import QuantizedCodes
from compress.quantization.rounding import Roundable, Rounded, Rounding


@dataclass(frozen=True, eq=False)
class RoundedCodes(Rounded):
    """Attributes: codes: the layer as it is stored, without the shift."""

    codes: QuantizedCodes


class RoundableCodes(Roundable):
    """A sparsely coded layer with what rounding needs. Atoms and coefficients multiply no inputs, so that each gets its
    nearest level, with one step for all atoms and one for all coefficients. A correction has no effect; of gptq there
    remains that the bias takes up the mean error of the outputs.

    Attributes:
        parts: the atoms and the coefficients, as if they were layers.
    """

    def __init__(self, path: str, layer: DenseLayer, moments: Moments | None, coded: Coded) -> None:
        """layer: the dense layer with the same outputs. Others, Raises: as Roundable()."""
        super().__init__(path, layer, moments)
        self.coded = coded
        self.parts = [Roundable(path, _as_layer(own.detach().float()), None)
                      for own in (coded.atoms, _coefficients(coded).reshape(1, -1))]

    def prepare(self, rounding: Rounding, levels: Iterable[int]) -> None:
        counts = list(levels)
        for part in self.parts:
            part.prepare(_of_parts(rounding), counts)

    def rounded(self, rounding: Rounding, levels: int) -> RoundedCodes:
        found = [part.rounded(_of_parts(rounding), levels) for part in self.parts]
        made = [part.quantized(own) for part, own in zip(self.parts, found, strict=True)]
        layer = QuantizedCodes(self.coded, *(one.levels for one in made if isinstance(one, Quantized)))
        matrix = layer.weight.detach().view(self.matrix.shape)
        numbers = torch.cat([own.numbers.flatten() for own in found])
        shift = self._shift(matrix) if rounding.scheme == "gptq" else None
        return RoundedCodes(numbers, found[1].values, matrix, shift, None, layer)

    def quantized(self, found: Rounded, always_masked: bool = False) -> QuantizedCodes:
        if not isinstance(found, RoundedCodes):
            raise TypeError("codes are stored as they were rounded")
        return self._shifted(found.codes, found.shift)


def roundable(path: str, layer: DenseLayer, moments: Moments | None, before: nn.Module) -> Roundable:
    """A layer of an open network, ready to be rounded as `before`, the layer that the network has there, stores it."""
    return RoundableCodes(path, layer, moments, before) if isinstance(before, Coded) else Roundable(path, layer, moments)


def _of_parts(rounding: Rounding) -> Rounding:
    return replace(rounding.to_nearest() if rounding.scheme == "gptq" else rounding, per="tensor", correction=0)


def _coefficients(coded: Coded) -> Tensor:
    """The stored coefficients as floating-point numbers, in the form in which they are stored."""
    values = coded.values.detach().float()
    return values * coded.scale.to(values) if coded.storage == "int8" else values


def _as_layer(matrix: Tensor) -> nn.Linear:
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=False, device="meta")
    layer.weight = nn.Parameter(matrix.clone())
    return layer.eval()
