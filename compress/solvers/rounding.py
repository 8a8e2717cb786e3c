"""Numbers as a byte can hold them."""

from __future__ import annotations

from torch import Tensor

from compress.solvers.codes import Codes


def rounded(numbers: Tensor, scale: Tensor) -> Tensor:
    """Numbers that a byte can hold, given the scale."""
    return (numbers / scale).round().clamp(-127, 127) * scale


def codes_as_stored(codes: Codes, scale: Tensor) -> Codes:
    """Codes with coefficients that a byte can hold, given the scale of those that are stored."""
    return Codes(codes.indices, rounded(codes.coefficients, scale))
