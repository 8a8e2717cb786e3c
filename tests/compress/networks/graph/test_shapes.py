"""Shapes that are found by hand are those of what is computed, and what does not fit is refused as computing refuses it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from compress.networks.graph.refused import Refused
from compress.networks.graph.region import OPERATORS
from compress.networks.graph.shapes import SHAPES, convolved, of_layer

CASES: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("Add", [(2, 3, 1), (4,)], {}), ("Add", [(2, 3), (2,)], {}), ("MatMul", [(2, 3, 4), (4, 5)], {}),
    ("MatMul", [(2, 1, 3, 4), (6, 4, 5)], {}), ("MatMul", [(4,), (2, 4, 5)], {}), ("MatMul", [(2, 3, 4), (4,)], {}),
    ("MatMul", [(3, 4), (5, 4)], {}), ("Gemm", [(4, 3), (5, 4), (5,)], {"transA": 1, "transB": 1, "alpha": 2.0}),
    ("Gemm", [(3, 4), (4, 5), (7,)], {}), ("Softmax", [(2, 3)], {"axis": 1}), ("Softmax", [(2, 3)], {"axis": 2}),
    ("LogSoftmax", [(2, 3)], {}), ("LayerNormalization", [(2, 3, 4), (4,), (4,)], {}),
    ("LayerNormalization", [(2, 3, 4), (3, 4)], {"axis": 1}), ("LayerNormalization", [(2, 3, 4), (3,)], {}),
    ("Concat", [(2, 3, 4), (2, 5, 4)], {"axis": -2}), ("Concat", [(2, 3), (3, 3)], {"axis": 1}),
    ("GlobalAveragePool", [(2, 3, 5, 6)], {}), ("ReduceMean", [(2, 3, 4)], {"axes": [1], "keepdims": 0}),
    ("ReduceMean", [(2, 3, 4)], {"axes": [-1]}), ("ReduceSum", [(2, 3, 4)], {"axes": [3]}), ("ReduceMax", [(2, 3)], {}),
    ("ReduceL2", [(2, 3, 4)], {"axes": [0, -1], "keepdims": 0})]


def made(found: Any) -> tuple[int, ...] | None:
    """The shape of what a function makes; None where it refuses."""
    try:
        return tuple(found().shape)
    except (Refused, RuntimeError, ValueError, IndexError):
        return None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_of_operators(case: tuple[str, list[tuple[int, ...]], dict[str, Any]]) -> None:
    operator, shapes, options = case
    given = [torch.ones(shape) for shape in shapes]
    expected = made(lambda: OPERATORS[operator](given, options))
    assert made(lambda: SHAPES[operator]([one.to("meta") for one in given], options)) == expected


def test_of_gathered_numbers() -> None:
    table, meta = torch.arange(24.0).reshape(2, 3, 4), torch.device("meta")
    places = torch.tensor([[[0, 1], [-1, 2]], [[1, 0], [0, 0]]])
    found = OPERATORS["GatherND"]([table, places], {})
    assert torch.equal(found[0, 1], table[-1, 2])
    assert SHAPES["GatherND"]([table.to(meta), places.to(meta)], {}).shape == found.shape == (2, 2, 4)
    rows = torch.tensor([[[0, -1, 1, 0]], [[2, 2, 0, 1]]])
    found = OPERATORS["GatherElements"]([table, rows], {"axis": 1})
    assert found[0, 0].tolist() == [0, 9, 6, 3]
    assert SHAPES["GatherElements"]([table.to(meta), rows.to(meta)], {"axis": 1}).shape == found.shape
    for operator, given, options in (("GatherND", places, {"batch_dims": 1}), ("GatherElements", rows[0], {"axis": 1})):
        with pytest.raises((Refused, RuntimeError)):
            OPERATORS[operator]([table, given], options)
        with pytest.raises(Refused):
            SHAPES[operator]([table.to(meta), given.to(meta)], options)


LAYERS: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.Linear(4, 5), (2, 3, 4)), (nn.Conv1d(3, 4, 3, 2, 1, 2), (2, 3, 9)),
    (nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), groups=2), (2, 4, 7, 8)),
    (nn.BatchNorm1d(3), (2, 3, 5)), (nn.BatchNorm1d(3), (2, 3)), (nn.BatchNorm2d(3), (2, 3, 4, 4)), (nn.ReLU(), (2, 3)),
    (nn.AdaptiveAvgPool2d(1), (2, 3, 4, 5)), (nn.AdaptiveAvgPool1d(1), (2, 3, 4))]


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_of_layers(case: tuple[nn.Module, tuple[int, ...]]) -> None:
    layer, shape = case
    found = of_layer(layer.to("meta"), [torch.empty(shape, device="meta")])
    expected = layer.to_empty(device="cpu").eval()(torch.ones(shape))
    assert found is not None and found.shape == expected.shape and found.dtype == expected.dtype


def test_layers_that_do_not_fit_are_left_to_torch_or_refused() -> None:
    meta = torch.device("meta")
    assert of_layer(nn.Linear(4, 5), [torch.empty(2, 3, device=meta)]) is None
    assert of_layer(nn.BatchNorm2d(3), [torch.empty(2, 3, device=meta)]) is None
    weight: Tensor = torch.empty(4, 3, 3, device=meta)
    for shape in ((2, 3, 2), (2, 4, 9), (2, 3, 9, 9)):
        with pytest.raises(Refused):
            convolved(torch.empty(shape, device=meta), weight, {"stride": 1, "dilation": 1, "groups": 1})
