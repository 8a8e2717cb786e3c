"""Words for how a file stores a network's numbers: the choices of precision and coding."""

from __future__ import annotations

from dataclasses import dataclass

FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"
PRECISIONS = (FLOAT32, FLOAT16, INT8)
BITS = {FLOAT32: 32, FLOAT16: 16, INT8: 8}  # of a number, without the scales of int8
ENTROPY, NONE = "entropy", "none"
CODINGS = (ENTROPY, NONE)


@dataclass(frozen=True)
class Stored:
    """How a file stores numbers. Without arguments: as every file did before there was a choice, and as a teacher's does.

    Attributes:
        precision: of weights that are floating-point numbers, one of PRECISIONS.
        coding: one of CODINGS: whether tensors are entropy-coded.
    """

    precision: str = FLOAT32
    coding: str = NONE


PLAIN = Stored()
