"""Quantization behind sparse coding: atoms and coefficients get levels, indices stay."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import bytes_of_weight, compressed_layers, layer_plain, layer_rebuild
from compress.layers.coded import Coded
from compress.layers.rounded.quantized_codes import QuantizedCodes
from compress.method import Method
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.methods.sparse_code import SparseCode
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.stored import ENTROPY, Stored
from tests.compress.helpers import agreement, identical, state

CODING = SparseCode(nonzeros=3, atoms=24, block=8, dictionary="data", output_layer=True)
TEACHERS = ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=1)", "gru(hidden=24,epochs=2)"]
THEN: dict[str, Method] = {"quantize": Quantize(levels=5), "prune": Prune(sparsity=0.3), "low_rank": LowRank(keep=0.3)}


def coded_paths(network: Network) -> list[str]:
    return [path for path, layer in compressed_layers(network).items() if type(layer) is Coded]


@pytest.fixture
def coded(mlp: Network, digits: Dataset) -> Network:
    return CODING.compress(mlp, digits)


@pytest.mark.parametrize("text", TEACHERS)
@pytest.mark.parametrize("storage", ["int8", "float32"])
def test_atoms_and_coefficients_get_levels_and_the_file_is_smaller(text: str, storage: str, digits: Dataset,
                                                                  trained: Callable[[str], Network]) -> None:
    start = dataclasses.replace(CODING, storage=storage).compress(trained(text), digits)
    small = Quantize(levels=63).compress(start, digits)
    layers = [small.get_submodule(path) for path in coded_paths(start)]
    assert layers and any(isinstance(layer, QuantizedCodes) for layer in layers)
    for path in coded_paths(start):
        before, after = start.get_submodule(path), small.get_submodule(path)
        if isinstance(after, QuantizedCodes):
            assert bytes_of_weight(after) < bytes_of_weight(before) and torch.equal(after.chosen(), before.chosen())
            assert all(0 < len(own.unique()) <= 64 for own in (after.atoms, after.coefficients))
            assert bool((after.coefficients[before.coefficients == 0] == 0).all())
    assert agreement(small, start, digits) > 0.93
    assert len(network_file.to_bytes(small)) < len(network_file.to_bytes(start))


def test_the_nearest_levels_of_both_make_the_weight(coded: Network, digits: Dataset) -> None:
    layer, before = Quantize(levels=17, scheme="nearest").compress(coded, digits)[1], coded[1]
    for own, exact in ((layer.atoms, before.atoms), (layer.coefficients, before.coefficients)):
        step = exact.detach().abs().max() / 8
        assert torch.allclose(own, (exact / step).round() * step, atol=1e-5)
    signals = (layer.coefficients[..., None] * layer.atoms[layer.chosen()]).sum(1)
    assert torch.equal(layer.weight.detach(), layer.blocks.matrix(signals).detach().view(layer.shape))


@pytest.mark.parametrize("settings", [{"scheme": "codebook", "levels": 8}, {"scheme": "ternary", "levels": 3},
                                      {"levels": 8, "recovery_epochs": 1}, {"levels": 8, "allocation": "measured"},
                                      {"levels": 8, "activations": "int8"}], ids=str)
def test_other_settings_act_on_codes_too_and_a_point_of_a_curve_is_the_point_alone(
        settings: dict[str, object], coded: Network, digits: Dataset) -> None:
    method = Quantize(**settings)
    together, _ = method.candidates(copy.deepcopy(coded), digits, [method, method.at(3)])
    alone = next(method.candidates(copy.deepcopy(coded), digits, [method]))
    assert together.inside == alone.inside and identical(state(together.network), state(alone.network))
    previewed = compressed_layers(method.preview(coded, digits))
    assert isinstance(alone.network[1], QuantizedCodes) and previewed.keys() == compressed_layers(alone.network).keys()


def test_what_a_page_is_shown_counts_the_weights_and_the_bits_of_both(coded: Network, digits: Dataset) -> None:
    shown = next(Quantize().curve(coded, digits, [16])).inside["layers"][0]
    assert sum(shown["counts"]) == 64 * 48 and shown["levels"] == sorted(shown["levels"]) and shown["is_stored"]
    numbers = coded[1].atoms.numel() + coded[1].coefficients.numel()
    assert 0 < shown["bits"] * 64 * 48 <= 4 * numbers and 0 < shown["error"] < 0.1 and 0 < shown["distortion"] < 0.2


def test_later_methods_act_on_it_and_a_file_gives_it_back(coded: Network, digits: Dataset, tmp_path: Path) -> None:
    small, inputs = Quantize(levels=31).compress(coded, digits), torch.tensor(digits.validation.inputs)
    for network in (small, *(method.compress(small, digits) for method in THEN.values())):
        network_file.write(network, tmp_path / "net", stored=Stored(coding=ENTROPY))
        again = network_file.read(tmp_path / "net")
        assert identical(state(again), state(network)) and layer_plain(again[1]) == layer_plain(network[1])
        assert torch.equal(logits_of(again, inputs), logits_of(network, inputs))


def test_levels_of_other_sizes_are_refused(coded: Network, digits: Dataset) -> None:
    layer = Quantize(levels=16).compress(coded, digits)[1]
    assert layer.contradiction() == "" and layer_plain(layer_rebuild(layer_plain(layer))) == layer_plain(layer)
    with pytest.raises(ValueError, match="have other sizes than the codes"):
        QuantizedCodes(layer, layer.value_levels, layer.atom_levels)
    layer.atom_levels.step.data.fill_(float("inf"))
    assert layer.contradiction() == "a weight is too large for its type of numbers"
