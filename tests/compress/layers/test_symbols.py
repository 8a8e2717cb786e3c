"""A layer says truly which of its tensors are packed numbers."""

import numpy as np
import pytest
import torch
from torch import nn

from compress.layers.base import Compressed
from compress.layers.bit_packing import bytes_for, packed, unpacked
from compress.layers.coded import Coded
from compress.layers.factors import Factors
from compress.layers.sparse import Sparse


def sparse(form: str) -> Sparse:
    layer = nn.Linear(13, 7)
    with torch.no_grad():
        layer.weight[torch.rand(7, 13, generator=torch.manual_seed(0)) < 0.6] = 0
    return Sparse.of(layer, form)


def coded(ragged: bool) -> Coded:
    torch.manual_seed(0)
    values = torch.randn(6 * 5, 3) * (torch.rand(6 * 5, 3) < 0.7)
    return Coded.of(nn.Linear(6, 20), 4, torch.randn(11, 4), torch.randint(0, 11, (30, 3)), values, "int8", ragged)


@pytest.mark.parametrize("layer", [sparse("bitmask"), sparse("csr"), sparse("columns"), coded(False), coded(True)],
                         ids=["bitmask", "csr", "columns", "even", "ragged"])
def test_packing_the_numbers_again_gives_the_tensor_bit_for_bit(layer: Compressed) -> None:
    for name, symbols in layer.symbols().items():
        stored = layer.state_dict()[name].numpy()
        assert stored.dtype == np.uint8 and stored.size == bytes_for(symbols.count, symbols.bits)
        numbers = unpacked(stored, symbols.count, symbols.bits)
        assert np.array_equal(packed(numbers, symbols.bits), stored)


def test_a_mask_has_one_number_for_each_weight_or_column_and_csr_none() -> None:
    assert (sparse("bitmask").symbols()["mask"].count, sparse("csr").symbols()) == (7 * 13, {})
    assert sparse("columns").symbols()["mask"].count == 13


def test_csr_lists_the_columns_of_each_row() -> None:
    layer = sparse("csr")
    (own,) = layer.listed_rows().values()
    stored, held = layer.state_dict(), layer.weight != 0
    assert (own.width, sparse("bitmask").listed_rows(), coded(True).listed_rows()) == (13, {}, {})
    assert torch.equal(stored["columns"].long(), held.nonzero()[:, 1])
    assert torch.equal(stored[own.counts].long(), held.sum(1))


def test_a_ragged_code_names_its_indices_and_counts() -> None:
    layer = coded(True)
    assert {name: (found.count, found.bits) for name, found in layer.symbols().items()} == {
        "indices": (layer.places, 4), "counts": (30, 2)}


def test_a_layer_without_packed_tensors_has_none() -> None:
    assert Factors(nn.Linear(4, 2, bias=False), nn.Linear(2, 4)).symbols() == {}
