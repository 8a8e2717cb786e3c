"""Quantization: work that the points of a curve share changes none of them."""

from __future__ import annotations

import copy

import pytest

from compress.data.datasets import Dataset
from compress.methods.quantize import Quantize
from compress.networks.families import Network
from tests.compress.helpers import identical, state


@pytest.mark.parametrize("per", ["tensor", "channel", "group"])
def test_a_point_of_a_curve_is_shown_as_the_point_alone(per: str, mlp: Network, digits: Dataset) -> None:
    methods = [Quantize(levels=levels, scheme=scheme, per=per) for scheme in ("gptq", "nearest") for levels in (3, 4, 255)]
    for method, together in zip(methods, Quantize().candidates(copy.deepcopy(mlp), digits, methods), strict=True):
        alone = next(method.candidates(copy.deepcopy(mlp), digits, [method]))
        assert together.inside == alone.inside and identical(state(together.network), state(alone.network))
