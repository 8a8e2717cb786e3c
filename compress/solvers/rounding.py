"""Rounding of numbers to 8 bits with a scale."""

from __future__ import annotations

from torch import Tensor

from compress.solvers.codes import Codes


def rounded(numbers: Tensor, scale: Tensor) -> Tensor:
    """The multiples of the scale nearest to the numbers, at most 127 times the scale in magnitude."""
    return (numbers / scale).round().clamp(-127, 127) * scale


def codes_as_stored(codes: Codes, scale: Tensor) -> Codes:
    """Codes with coefficients rounded() with the scale of the stored coefficients."""
    return Codes(codes.indices, rounded(codes.coefficients, scale))
